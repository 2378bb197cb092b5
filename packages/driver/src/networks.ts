// Addresses of peers, and networks of them.
import { formatAddressLiteral, parseAddressLiteral } from '@ehlo/grammar';

/** Addresses that have their first bits in common. */
export interface Network {
  readonly octets: readonly number[];
  readonly bits: number;
}

/** The network that a text names: an address (`192.0.2.1`), or one with the length of its prefix (`192.0.2.0/24`); null: it is none. */
export function networkOf(text: string): Network | null {
  const [address = '', prefix, ...more] = text.split('/');
  const octets = octetsOfAddress(address);
  if (octets === null || more.length > 0 || (prefix !== undefined && !/^[0-9]{1,3}$/.test(prefix))) return null;
  const most = octets.length * 8;
  // A mapped address has its prefix by the family that it is written in.
  const written = address.includes(':') ? 128 : 32;
  const bits = prefix === undefined ? most : Number(prefix) - (written - most);
  return bits < 0 || bits > most ? null : { octets, bits };
}

/** The octets of an IP address; null: it is none. RFC 4291 2.5.5.2: IPv4 mapped into IPv6, as a socket of both families has it, is IPv4. */
export function octetsOfAddress(address: string): readonly number[] | null {
  const literal = parseAddressLiteral(formatAddressLiteral(address) ?? '');
  if (literal === null || literal.kind === 'general') return null;
  const { octets } = literal;
  const isMapped = octets.length === 16 && octets.slice(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff;
  return isMapped ? octets.slice(12) : octets;
}

/** Whether a network has an address, of which these are the octets. */
export function isInNetwork({ octets, bits }: Network, address: readonly number[]): boolean {
  if (octets.length !== address.length) return false;
  return octets.every((octet, i) => {
    const beyond = Math.min(8, Math.max(0, 8 * (i + 1) - bits));
    return octet >> beyond === address[i]! >> beyond;
  });
}
