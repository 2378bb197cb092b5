import type { OpenTransport } from './options.ts';
import { openSession } from './smtp-session.ts';

/** LMTP (RFC 2033) by a Unix socket, as mail stores listen on; by TCP it is a route of `protocol: 'lmtp'`. */
export function lmtpSocket({ path }: { readonly path: string }): OpenTransport {
  return (order, options, signal) => openSession(order, options, signal, path);
}
