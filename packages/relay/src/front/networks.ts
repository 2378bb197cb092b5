// Sets of IP addresses.
import { isInNetwork, type Network, networkOf, octetsOfAddress } from '@ehlo/driver';

/** Whether a text is an address (`192.0.2.1`) or a network (`192.0.2.0/24`) whose bits beyond its length are zero. */
export function isNetwork(text: string): boolean {
  return wholeNetworkOf(text) !== null;
}

/** Whether a network is small enough to belong to one organisation: at most /8, in IPv6 /7. Ours. */
export function isNarrow(text: string): boolean {
  const network = wholeNetworkOf(text);
  return network !== null && network.bits >= (network.octets.length === 4 ? 8 : 7);
}

/**
 * Whether an address is in one of some networks. An IPv4 address that is mapped into IPv6 counts as itself, for a socket of both families
 * shows it so; what is no address is in none.
 */
export function inNetworks(networks: readonly string[]): (address: string) => boolean {
  const all = networks.flatMap((text) => wholeNetworkOf(text) ?? []);
  return (address) => {
    const octets = octetsOfAddress(address);
    return octets !== null && all.some((network) => isInNetwork(network, octets));
  };
}

/** What stands for a client where it is counted: its IPv4 address, or the /64 of IPv6 that it can choose addresses from. */
export function clientKey(address: string): string {
  const octets = octetsOfAddress(address);
  if (octets === null) return address;
  return octets.length === 4 ? octets.join('.') : octets.slice(0, 8).join(':');
}

function wholeNetworkOf(text: string): Network | null {
  const network = networkOf(text);
  if (network === null) return null;
  const { octets, bits } = network;
  const isWhole = octets.every((octet, i) => (octet & (0xff >> Math.min(8, Math.max(0, bits - 8 * i)))) === 0);
  return isWhole ? network : null;
}
