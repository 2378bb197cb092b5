import { addressLiteral, ipv4Address, ipv6Address } from './domain.ts';
import { formatMailbox, type Mailbox } from './mailbox.ts';
import { encodeUtf8 } from './rule.ts';

/** An address literal (RFC 5321 4.1.3), understood. */
export type AddressLiteral =
  | { readonly kind: 'ipv4'; readonly octets: readonly number[] }
  | { readonly kind: 'ipv6'; readonly octets: readonly number[] }
  | { readonly kind: 'general'; readonly tag: string; readonly text: string };

/**
 * Reads an address literal with its brackets; null if it is none.
 *
 * @example
 * ```ts
 * import { parseAddressLiteral } from '@ehlo/grammar';
 * parseAddressLiteral('[IPv6:::ffff:192.0.2.1]')
 * // → { kind: 'ipv6', octets: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1] }
 * ```
 */
export function parseAddressLiteral(text: string): AddressLiteral | null {
  const bytes = encodeUtf8(text);
  if (addressLiteral(bytes, 0, bytes.length) !== bytes.length) return null;
  const inner = text.slice(1, -1);
  if (ipv4Address(bytes, 1, bytes.length - 1) === bytes.length - 1) return { kind: 'ipv4', octets: inner.split('.').map(Number) };
  if (ipv6Address(bytes, 'IPv6:'.length + 1, bytes.length - 1) === bytes.length - 1 && /^ipv6:/i.test(inner)) {
    return { kind: 'ipv6', octets: ipv6Octets(inner.slice('IPv6:'.length)) };
  }
  const colon = inner.indexOf(':');
  return { kind: 'general', tag: inner.slice(0, colon), text: inner.slice(colon + 1) };
}

/** The 16 octets of an IPv6 address that was recognised before. */
function ipv6Octets(address: string): number[] {
  const [head = '', tail] = address.split('::') as [string, string?];
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  return [...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after];
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** Makes the ASCII form of a domain with U-labels (IDNA, RFC 5891), or null if it has none: a library's or the runtime's. */
export type ToAscii = (domain: string) => string | null;

/**
 * Whether two domains are one: without regard to case (RFC 5321 2.4), address literals by the address they spell. With `toAscii`
 * a U-label is the A-label that it stands for; without it only itself.
 */
export function sameDomain(a: string, b: string, toAscii: ToAscii = (domain) => domain): boolean {
  if (a.startsWith('[') && b.startsWith('[')) {
    const [left, right] = [parseAddressLiteral(a), parseAddressLiteral(b)];
    return left !== null && right !== null && JSON.stringify(left).toLowerCase() === JSON.stringify(right).toLowerCase();
  }
  return a === b || (toAscii(a) ?? a).toLowerCase() === (toAscii(b) ?? b).toLowerCase();
}

/**
 * Whether two mailboxes are one. Local parts differ by case (RFC 5321 2.4: they "MUST be treated as case sensitive"), but
 * `postmaster` (4.5.1); quoted and unquoted spellings are the same (4.1.2).
 *
 * @example
 * ```ts
 * import { octets, parseMailbox, sameMailbox } from '@ehlo/grammar';
 * const [a, b] = ['"joe"@EXAMPLE.org', 'joe@example.ORG'].map((text) => parseMailbox(octets(text)));
 * a!.ok && b!.ok && sameMailbox(a!.value, b!.value)
 * // → true
 * ```
 */
export function sameMailbox(a: Mailbox, b: Mailbox, toAscii?: ToAscii): boolean {
  const sameLocal = a.localPart === b.localPart || (isPostmaster(a) && isPostmaster(b));
  return sameLocal && sameDomain(a.domain, b.domain, toAscii);
}

/**
 * The text that a mailbox shares with those that are the same (`sameMailbox`) and with no others, to find it by in a set or a map:
 * its `address` with the domain in lower case, a literal as the address that it spells, and `postmaster` in lower case. A path is a
 * mailbox, too: `<Postmaster>` has the key `postmaster`.
 *
 * @example
 * ```ts
 * import { mailboxKey, parseMailbox } from '@ehlo/grammar';
 * const parsed = parseMailbox('"Joe"@EXAMPLE.org');
 * parsed.ok && mailboxKey(parsed.value)
 * // → 'Joe@example.org'
 * ```
 */
export function mailboxKey(mailbox: Mailbox, toAscii: ToAscii = (domain) => domain): string {
  const { localPart, domain } = mailbox;
  return formatMailbox(isPostmaster(mailbox) ? 'postmaster' : localPart, literalKey(domain) ?? (toAscii(domain) ?? domain).toLowerCase());
}

/** An address literal as the address that it spells; null if the domain is none. */
function literalKey(domain: string): string | null {
  const literal = domain.startsWith('[') ? parseAddressLiteral(domain) : null;
  if (literal === null) return null;
  if (literal.kind === 'general') return `[${literal.tag}:${literal.text}]`.toLowerCase();
  if (literal.kind === 'ipv4') return `[${literal.octets.join('.')}]`;
  const group = (i: number): string => (literal.octets[2 * i]! * 256 + literal.octets[2 * i + 1]!).toString(16);
  return `[IPv6:${Array.from({ length: 8 }, (_, i) => group(i)).join(':')}]`;
}

/** RFC 5321 4.5.1: the reserved mailbox, in any case, with a domain or without. */
export function isPostmaster(mailbox: Mailbox): boolean {
  return mailbox.localPart.toLowerCase() === 'postmaster';
}

/**
 * An IP address as an address literal (RFC 5321 4.1.3): `[192.0.2.1]`, `[IPv6:2001:db8::1]`. An IPv4 address that is mapped into
 * IPv6 is written as IPv4, a zone (`%eth0`) is left out; null if the text is no IP address.
 *
 * @example
 * ```ts
 * import { formatAddressLiteral } from '@ehlo/grammar';
 * formatAddressLiteral('::ffff:192.0.2.1')
 * // → '[192.0.2.1]'
 * ```
 */
export function formatAddressLiteral(address: string): string | null {
  const plain = address.replace(/^::ffff:(?=[0-9]+\.)/i, '').replace(/%.*$/, '');
  const literal = plain.includes(':') ? `[IPv6:${plain}]` : `[${plain}]`;
  const bytes = encodeUtf8(literal);
  return addressLiteral(bytes, 0, bytes.length) === bytes.length ? literal : null;
}
