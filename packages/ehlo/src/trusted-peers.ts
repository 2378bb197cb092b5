import { BlockList, isIP } from 'node:net';
import type { Address } from '@ehlo/driver';

/**
 * Whether a peer is one of those that are named: by address, by network (`192.0.2.0/24`), or as `unix`. Who came by a Unix socket its
 * listener knows: an address that is empty proves nothing, for a PROXY header may tell one over TCP.
 */
export function trustedPeers(names: readonly string[], option: string, byUnix: WeakSet<Address>): (peer: Address) => boolean {
  const list = new BlockList();
  for (const name of names.filter((name) => name !== 'unix')) {
    const [address = '', bits] = name.split('/');
    const version = isIP(address);
    const longest = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : /^[0-9]{1,3}$/.test(bits) ? Number(bits) : 129;
    if (version === 0 || prefix > longest)
      throw new Error(`${name} is no address or network, such as 192.0.2.1 or 192.0.2.0/24; see ${option}`);
    list.addSubnet(address, prefix, family(version));
  }
  const unix = names.includes('unix');
  return (peer) => (isIP(peer.address) === 0 ? unix && byUnix.has(peer) : list.check(peer.address, family(isIP(peer.address))));
}

function family(version: number): 'ipv4' | 'ipv6' {
  return version === 6 ? 'ipv6' : 'ipv4';
}
