import type { Address, Transport } from './transport.ts';

/** The addresses of this machine for itself (RFC 1122 3.2.1.3, RFC 4291 2.5.3), IPv4 as IPv6 too (RFC 4291 2.5.5.2). */
const LOOPBACK = /^(?:(?:::ffff:)?127(?:\.[0-9]{1,3}){3}|::1)$/i;

/** What can only be an IP address, and no path. */
const NETWORK = /^(?=.*[.:])[0-9a-f.:]+(?:%.*)?$/i;

/** Whether only this machine can reach an address: loopback, or the path of a Unix socket. */
export function isLocal({ address, port }: Address): boolean {
  return LOOPBACK.test(address) || (port === 0 && address !== '' && !NETWORK.test(address));
}

/**
 * Whether only this machine can see what a connection carries. A client behind a proxy may be anywhere. The client's end of a Unix socket has
 * no name, so the server's end is looked at.
 */
export function isLocalConnection({ peer, local, proxy }: Transport): boolean {
  if (proxy !== undefined) return false;
  return peer.address === '' ? local.port === 0 && isLocal(local) : isLocal(peer);
}
