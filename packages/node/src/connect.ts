import { connect as dialSocket, type Socket } from 'node:net';
import type { Client, Extension } from '@ehlo/driver';
import { type ConnectPlace, connectBy, type Target, unreachable } from './connect-by.ts';
import { SocketTransport } from './transport.ts';

export interface ConnectOptions<X extends Extension = Extension> extends ConnectPlace<X> {
  /** The local address to connect from, which only Node can choose. */
  readonly localAddress?: string;
}

/**
 * Connects to a server, greets it, and secures and authenticates as the options say. Resolves when messages can be sent.
 *
 * TLS is taken where it is offered, from whoever answers; with `starttls: 'required'`, `implicitTls` or `auth` it is required, and the
 * certificate verified. Rejects with `ClientError`, whose `code` is stable and whose text names the fix, if there is no session.
 */
export async function connect<X extends Extension = never>(options: ConnectOptions<X> = {}): Promise<Client<X>> {
  return await connectBy<X>(
    async (target, path, tls, signal) => new SocketTransport(await openSocket(target, path, options.localAddress, signal), path, tls),
    options,
  );
}

function openSocket(target: Target, path: string | null, localAddress: string | undefined, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const local = localAddress === undefined ? {} : { localAddress };
    // allowHalfOpen: the end of the server's side is for the session to judge.
    const socket = dialSocket({ allowHalfOpen: true, ...(path === null ? { ...target, ...local } : { path }) });
    const stop = (): void => void socket.destroy();
    const fail = (error: Error): void => reject(unreachable(error, target, path));
    const left = (): void => fail(new Error('closed'));
    const settled = (): void => {
      signal.removeEventListener('abort', stop);
      socket.off('connect', connected).off('close', settled).off('close', left);
    };
    const connected = (): void => {
      settled();
      socket.off('error', fail);
      resolve(socket);
    };
    socket.once('connect', connected).once('error', fail).once('close', left).once('close', settled);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
}
