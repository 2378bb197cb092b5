import type { Client, Extension } from '@ehlo/driver';
import { type ConnectPlace, connectBy, refuseLocalAddress, type Target, unreachable } from '@ehlo/node/adapter';
import { connTransport } from './transport.ts';

/** All but the local address, which Deno can not choose. */
export type ConnectOptions<X extends Extension = Extension> = ConnectPlace<X>;

/**
 * Connects to a server, greets it, and secures and authenticates as the options say. Resolves when messages can be sent.
 *
 * TLS is taken where it is offered, from whoever answers; with `starttls: 'required'`, `implicitTls` or `auth` it is required, and the
 * certificate verified. Rejects with `ClientError`, whose `code` is stable and whose text names the fix, if there is no session.
 */
export async function connect<X extends Extension = never>(options: ConnectOptions<X> = {}): Promise<Client<X>> {
  refuseLocalAddress(options, 'Deno');
  return await connectBy<X>(async (target, path, tls, signal) => connTransport(await openConn(target, path, signal), path, tls), options);
}

async function openConn({ host, port }: Target, path: string | null, signal: AbortSignal): Promise<Deno.Conn> {
  try {
    return await (path === null ? Deno.connect({ hostname: host, port, signal }) : Deno.connect({ transport: 'unix', path }));
  } catch (error) {
    throw unreachable(withCode(error as NodeJS.ErrnoException), { host, port }, path);
  }
}

/** Deno gives each error of the system its code, but not that of a name that is not found. */
function withCode(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return error.code === undefined && error.message.includes('lookup') ? Object.assign(error, { code: 'ENOTFOUND' }) : error;
}
