import { parseAddressLiteral } from '@ehlo/grammar';
import { entryOf, put } from './maps.ts';

/** What an IP address is for. Mail goes to `public` ones; to others where the settings name them. */
export type AddressClass =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'multicast'
  | 'documentation'
  | 'benchmark'
  | 'reserved'
  | 'invalid';

/** Prefix, length, class: the special-purpose registries of IANA (RFC 6890), the longest fitting prefix first. */
const IPV4: readonly (readonly [prefix: string, bits: number, name: AddressClass])[] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'benchmark'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];

/** Prefix in groups, length, class; or the octet where an IPv4 address begins that is what counts, complemented where it is written so. */
const IPV6: readonly (readonly [prefix: string, bits: number, name: AddressClass | number | 'teredo'])[] = [
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['::ffff:0:0', 96, 12], // RFC 4291 2.5.5.2: mapped
  ['::ffff:0:0:0', 96, 12], // RFC 2765 2.1: translated
  ['::', 96, 12], // RFC 4291 2.5.5.1: compatible
  ['64:ff9b::', 96, 12], // RFC 6052 2.1
  ['64:ff9b:1::', 48, 'private'], // RFC 8215
  ['100::', 64, 'reserved'], // RFC 6666
  ['2001::', 32, 'teredo'], // RFC 4380 4
  ['2001:2::', 48, 'benchmark'],
  ['2001:db8::', 32, 'documentation'],
  ['3fff::', 20, 'documentation'], // RFC 9637
  ['2001::', 23, 'reserved'],
  ['2002::', 16, 2], // RFC 3056 2
  ['5f00::', 16, 'reserved'], // RFC 9602
  ['fc00::', 7, 'private'], // RFC 4193
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'private'], // RFC 3879
  ['ff00::', 8, 'multicast'],
  ['2000::', 3, 'public'],
];

/**
 * What an IP address is for: an IPv4 address that is hidden in an IPv6 one (mapped, compatible, translated, NAT64, 6to4, Teredo) counts as
 * itself. What is written otherwise than RFC 5321 4.1.3 has it (`0177.0.0.1`, `127.1`, a zone) is `invalid`: two programs may read two
 * addresses there.
 *
 * @example
 * ```ts
 * import { addressClass } from '@ehlo/delivery';
 * ['192.0.2.1', '8.8.8.8', '::ffff:10.0.0.1', '127.1'].map(addressClass)
 * // → ['documentation', 'public', 'private', 'invalid']
 * ```
 */
export function addressClass(address: string): AddressClass {
  return classes.get(address) ?? put(classes, address, classOf(address), MOST);
}

/** Of the addresses that were asked for last: most mail goes to few. */
const classes = new Map<string, AddressClass>();
/** Ours. */
const MOST = 1000;

function classOf(address: string): AddressClass {
  const octets = octetsOf(address);
  if (octets === null) return 'invalid';
  return octets.length === 4 ? classOf4(octets) : classOf6(octets);
}

/** The octets of an IP address, with which two spellings of one are the same; null: it is none. */
export function octetsOf(address: string): readonly number[] | null {
  if (!/^[\d.]+$|:/.test(address)) return null;
  const literal = parseAddressLiteral(address.includes(':') ? `[IPv6:${address}]` : `[${address}]`);
  return literal === null || literal.kind === 'general' ? null : literal.octets;
}

function classOf4(octets: readonly number[]): AddressClass {
  return IPV4.find(([prefix, bits]) => fits(octets, prefixOf(prefix), bits))?.[2] ?? 'public';
}

function classOf6(octets: readonly number[]): AddressClass {
  // RFC 4291 2.4: all else is not assigned yet.
  const name = IPV6.find(([prefix, bits]) => fits(octets, prefixOf(prefix), bits))?.[2] ?? 'reserved';
  if (typeof name === 'number') return classOf4(octets.slice(name, name + 4));
  // RFC 4380 4: the client's address with every bit turned.
  return name === 'teredo' ? classOf4(octets.slice(12).map((octet) => octet ^ 0xff)) : name;
}

/** The octets of the prefixes above: read once. */
const prefixes = new Map<string, readonly number[]>();

function prefixOf(prefix: string): readonly number[] {
  return entryOf(prefixes, prefix, () => octetsOf(prefix)!);
}

function fits(octets: readonly number[], prefix: readonly number[], bits: number): boolean {
  for (let i = 0; i < bits; i += 8) {
    const mask = bits - i >= 8 ? 0xff : (0xff00 >> (bits - i)) & 0xff;
    if ((octets[i >> 3]! & mask) !== (prefix[i >> 3]! & mask)) return false;
  }
  return true;
}
