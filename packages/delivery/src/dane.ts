// DANE for SMTP (RFC 7672): which records can be used.

import { isBad } from './answer.ts';
import type { DnsAnswer } from './fact.ts';
import type { Tlsa } from './records.ts';

/** Hexadecimal digits of each matching type (RFC 6698 2.1.3); 0: the whole certificate or key. */
const DIGITS = [0, 64, 128];

/**
 * Whether a record can be used: usage 2 or 3 (RFC 7672 3.1.3: 0 and 1 are not for SMTP), selector and matching type known, data of its length.
 *
 * @example
 * ```ts
 * import { isUsableTlsa } from '@ehlo/delivery';
 * isUsableTlsa({ usage: 3, selector: 1, matching: 1, data: '0'.repeat(64) }) // → true
 * ```
 */
export function isUsableTlsa({ usage, selector, matching, data }: Tlsa): boolean {
  const digits = DIGITS[matching];
  if ((usage !== 2 && usage !== 3) || (selector !== 0 && selector !== 1) || digits === undefined) return false;
  return /^(?:[0-9a-f]{2})+$/.test(data) && (digits === 0 || data.length === digits);
}

/** What TLSA records mean for a host. */
export interface DaneState {
  /**
   * - `none`: there are no records, or nothing is validated: DANE says nothing
   * - `unusable`: there are, and none can be used: TLS, whatever the certificate (RFC 7672 2.2)
   * - `usable`
   * - `failed`: they could not be had, or are bogus: the host is not to be used now (RFC 7672 2.2)
   */
  readonly state: 'none' | 'unusable' | 'usable' | 'failed';
  /** The name at which they stand (RFC 7672 2.2.3). */
  readonly base: string;
  readonly tlsa: readonly Tlsa[];
}

export const NO_DANE: DaneState = { state: 'none', base: '', tlsa: [] };

/** Where the TLSA name of a base leads to, in the end; null: it is not known yet. */
type Follow = (base: string) => { readonly answer: DnsAnswer } | 'loop' | null;

/**
 * RFC 7672 2.2.3: the records at the name that an alias leads to, where every step of it is secure; else at the name itself. An alias of the
 * TLSA name changes nothing of the base. RFC 7672 2.1.3: where it leads nowhere the look-up has failed.
 */
export function daneOf(bases: readonly string[], follow: Follow): DaneState | null {
  for (const base of bases) {
    const found = follow(base);
    if (found === null) return null;
    if (found === 'loop' || isBad(found.answer)) return { state: 'failed', base, tlsa: [] };
    const { status, security, tlsa: all } = found.answer;
    if (status !== 'found' || security !== 'secure' || all === undefined) continue;
    const tlsa = all.filter(isUsableTlsa);
    return { state: tlsa.length > 0 ? 'usable' : 'unusable', base, tlsa };
  }
  return NO_DANE;
}
