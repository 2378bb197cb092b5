import type { Client, Extension } from '@ehlo/driver';
import { type ConnectPlace, connectBy, refuseLocalAddress, type Target, unreachable, withTls } from '@ehlo/node/adapter';
import { SocketTransport } from './transport.ts';

/** All but the local address, which Bun can not choose. */
export type ConnectOptions<X extends Extension = Extension> = ConnectPlace<X>;

/**
 * Connects to a server, greets it, and secures and authenticates as the options say. Resolves when messages can be sent.
 *
 * TLS is taken where it is offered, from whoever answers; with `starttls: 'required'`, `implicitTls` or `auth` it is required, and the
 * certificate verified. Rejects with `ClientError`, whose `code` is stable and whose text names the fix, if there is no session.
 */
export async function connect<X extends Extension = never>(options: ConnectOptions<X> = {}): Promise<Client<X>> {
  refuseLocalAddress(options, 'Bun');
  return await connectBy<X>(async (target, path, tls, signal) => withTls(await openSocket(target, path, signal), tls), options);
}

function openSocket(target: Target, path: string | null, signal: AbortSignal): Promise<SocketTransport> {
  return new Promise((resolve, reject) => {
    const socket = {
      ...SocketTransport.handlers,
      open(opened: Bun.Socket<SocketTransport>): void {
        const transport = new SocketTransport(opened, path, null);
        if (signal.aborted) transport.abort();
        else resolve(transport);
      },
    };
    // Bun can't give up an attempt: what comes of one that is aborted is closed.
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    const place = path === null ? { hostname: target.host, port: target.port } : { unix: path };
    Bun.connect<SocketTransport>({ ...place, allowHalfOpen: true, socket } as Bun.TCPSocketConnectOptions<SocketTransport>).catch(
      (error: NodeJS.ErrnoException) => reject(unreachable(error, target, path)),
    );
  });
}
