// Domains and mailboxes, as far as routing reads them.

import { parseAddressLiteral } from '@ehlo/grammar';

/** A name as it is compared: small letters, no dot at the end. */
export function nameKey(name: string): string {
  const small = name.toLowerCase();
  return small.endsWith('.') ? small.slice(0, -1) : small;
}

/** What follows the last at sign; empty where there is none (`postmaster`). */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? '' : nameKey(address.slice(at + 1));
}

/** Whether a domain is one of a list: itself, below `.itself`, or any by `*`. */
export function isAmong(domain: string, list: readonly string[]): boolean {
  return list.some((one) => one === '*' || one === domain || (one.startsWith('.') && domain.endsWith(one)));
}

/** Whether text has what only SMTPUTF8 carries (RFC 6531). */
export function isBeyondAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return true;
  return false;
}

/** The address of a literal such as `[192.0.2.1]` or `[IPv6:2001:db8::1]`; `bad`: in brackets, but no IP address; null: not in brackets. */
export function literalAddress(domain: string): string | 'bad' | null {
  if (!domain.startsWith('[')) return null;
  const literal = parseAddressLiteral(domain);
  if (literal === null || literal.kind === 'general') return 'bad';
  return literal.kind === 'ipv4' ? literal.octets.join('.') : domain.slice('[IPv6:'.length, -1);
}
