// Sets of IP addresses.

import { formatAddressLiteral, parseAddressLiteral } from '@ehlo/grammar';

/** Addresses that have their first bits in common. */
interface Network {
  readonly octets: readonly number[];
  readonly bits: number;
}

/** Whether a text is an address (`192.0.2.1`) or a network (`192.0.2.0/24`) whose bits beyond its length are zero. */
export function isNetwork(text: string): boolean {
  return networkOf(text) !== null;
}

/** Whether a network is small enough to belong to one organisation: at most /8, in IPv6 /7. Ours. */
export function isNarrow(text: string): boolean {
  const network = networkOf(text);
  return network !== null && network.bits >= (network.octets.length === 4 ? 8 : 7);
}

/**
 * Whether an address is in one of some networks. An IPv4 address that is mapped into IPv6 counts as itself, for a socket of both families
 * shows it so; what is no address is in none.
 */
export function inNetworks(networks: readonly string[]): (address: string) => boolean {
  const all = networks.flatMap((text) => networkOf(text) ?? []);
  return (address) => {
    const octets = octetsOf(address);
    return octets !== null && all.some((network) => holds(network, octets));
  };
}

/** What stands for a client where it is counted: its IPv4 address, or the /64 of IPv6 that it can choose addresses from. */
export function clientKey(address: string): string {
  const octets = octetsOf(address);
  if (octets === null) return address;
  return octets.length === 4 ? octets.join('.') : octets.slice(0, 8).join(':');
}

function networkOf(text: string): Network | null {
  const [address = '', prefix, ...more] = text.split('/');
  const octets = octetsOf(address);
  if (octets === null || more.length > 0 || (prefix !== undefined && !/^[0-9]{1,3}$/.test(prefix))) return null;
  const most = octets.length * 8;
  // A mapped address has its prefix by the family that it is written in.
  const written = address.includes(':') ? 128 : 32;
  const bits = prefix === undefined ? most : Number(prefix) - (written - most);
  if (bits < 0 || bits > most) return null;
  const network = { octets, bits };
  const isWhole = octets.every((octet, i) => (octet & (0xff >> Math.min(8, Math.max(0, bits - 8 * i)))) === 0);
  return isWhole ? network : null;
}

/** The octets of an IP address; of IPv4 that is mapped into IPv6 those of IPv4. */
function octetsOf(address: string): readonly number[] | null {
  const literal = parseAddressLiteral(formatAddressLiteral(address) ?? '');
  if (literal === null || literal.kind === 'general') return null;
  const { octets } = literal;
  const isMapped = octets.length === 16 && octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff;
  return isMapped ? octets.slice(12) : octets;
}

function holds({ octets, bits }: Network, address: readonly number[]): boolean {
  if (octets.length !== address.length) return false;
  return octets.every((octet, i) => {
    const beyond = Math.min(8, Math.max(0, 8 * (i + 1) - bits));
    return octet >> beyond === address[i]! >> beyond;
  });
}
