import { daysIn } from './calendar.ts';
import type { Deviation } from './deviation.ts';
import { LETTER_ADDRESSES } from './dialect.ts';
import { parseMailbox } from './path.ts';
import { capitals, decodeUtf8, encodeUtf8 } from './rule.ts';
import { decodeUtf8Address, decodeUtf8Xtext, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts';

/** How the value of a parameter is read and written: octets of `esmtp-value` (RFC 5321 4.1.2), none where the parameter has no value. */
export interface Codec<T = unknown> {
  /**
   * The typed value; undefined if the octets are not a value of this parameter. They are lent. What is taken beyond the grammar of the
   * parameter is added to `found`, by its name.
   */
  parse(value: Uint8Array, found: Deviation[]): T | undefined;
  /** The same of the text that they spell in UTF-8, where text is all that `parse` looks at. */
  parseText?(text: string, found: Deviation[]): T | undefined;
  /** Gives octets of which `parse` makes the same value. */
  format(value: T): Uint8Array;
}

/**
 * A codec of text, in UTF-8.
 *
 * @example
 * ```ts
 * import { octets, textCodec } from '@ehlo/grammar';
 * const colour = textCodec((text) => (/^(?:red|green)$/.test(text) ? text : undefined), String);
 * [colour.parse(octets('red'), []), colour.parse(octets('loud'), [])]
 * // → ['red', undefined]
 * ```
 */
export function textCodec<T>(parse: (text: string, found: Deviation[]) => T | undefined, format: (value: T) => string): Codec<T> {
  return {
    parse: (value, found) => parse(decodeUtf8(value, 0, value.length), found),
    parseText: parse,
    format: (value) => encodeUtf8(format(value)),
  };
}

/** A parameter without a value. */
export const flag: Codec<true> = /* @__PURE__ */ textCodec(
  (text) => (text === '' ? true : undefined),
  () => '',
);

/** A whole number as the pattern spells it; beyond 2^53 - 1 it counts as that. */
export function decimal(pattern: RegExp): Codec<number> {
  return textCodec((text) => (pattern.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : undefined), String);
}

/** One of a few words, in any case; written in capitals. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Codec<Word> {
  return textCodec((text) => {
    const upper = capitals(text);
    return words.find((word) => word === upper);
  }, String);
}

/** RFC 4954 5: `AUTH=`, a Mailbox in xtext, or `<>` (empty here). */
export const submitter: Codec<string> = /* @__PURE__ */ textCodec(
  (value) => {
    // Its hexchar may be in small letters: it is RFC 4954's (8), not RFC 3461's.
    const text = decodeXtext(value);
    if (text === null || text === '<>') return text === null ? undefined : '';
    const parsed = parseMailbox(text, LETTER_ADDRESSES);
    return parsed.ok ? parsed.value.address : undefined;
  },
  // xtext spells ASCII alone, and RFC 6531 gives AUTH no other encoding: such a submitter can't be told.
  (address) => (address === '' || /[^ -~]/.test(address) ? '<>' : encodeXtext(address)),
);

/** RFC 3461 4.4: `ENVID=`, at most 100 characters of xtext. */
export const envid: Codec<string> = /* @__PURE__ */ textCodec(
  (value, found) => (value.length === 0 || value.length > 100 ? undefined : (decodeXtext(value, found) ?? undefined)),
  encodeXtext,
);

export type Notify = 'NEVER' | readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[];

const NOTIFICATIONS = ['SUCCESS', 'FAILURE', 'DELAY'] as const;

/** RFC 3461 4.1: `NOTIFY=NEVER`, or a list. */
export const notify: Codec<Notify> = /* @__PURE__ */ textCodec<Notify>(
  (value) => {
    const words = capitals(value).split(',');
    if (words.length === 1 && words[0] === 'NEVER') return 'NEVER';
    const known = words.map((word) => NOTIFICATIONS.find((notification) => notification === word));
    return known.every((notification) => notification !== undefined) ? known : undefined;
  },
  (notify) => (notify === 'NEVER' ? notify : notify.join(',')),
);

/** RFC 3461 4.2: the recipient as the sender first wrote it. */
export interface OriginalRecipient {
  /** A registered address type, e.g. `rfc822`, `utf-8`; in small letters. */
  readonly type: string;
  readonly address: string;
}

/** RFC 3461 4.2, RFC 6533 3: `ORCPT=addr-type;xtext`, at most 500 characters. */
export const orcpt: Codec<OriginalRecipient> = /* @__PURE__ */ textCodec<OriginalRecipient>(
  (value, found) => {
    const type = /^[\w!#$%&'*+/?^`{|}~-]+(?=;)/.exec(value)?.[0].toLowerCase();
    if (type === undefined || [...value].length > 500) return undefined;
    const text = value.slice(type.length + 1);
    const address = type === 'utf-8' ? decodeUtf8Address(text) : decodeXtext(text, found);
    if (address !== null) return { type, address };
    // RFC 3461 4.2 wants ASCII in xtext, RFC 6533 3 the type utf-8 for the rest; some mailers nevertheless write such an address in xtext.
    const international = type === 'rfc822' ? decodeUtf8Xtext(text, found) : null;
    return international === null ? undefined : { type: 'utf-8', address: international };
  },
  ({ type, address }) => `${type};${type === 'utf-8' ? encodeUtf8Address(address) : encodeXtext(address)}`,
);

/** RFC 2852 4: when a message must be delivered. */
export interface DeliverBy {
  /** Seconds from now; negative if the time has passed (mode N only). */
  readonly seconds: number;
  /** What then: return the message, or notify of the delay. */
  readonly mode: 'R' | 'N';
  /** Whether relaying is to be traced. */
  readonly trace: boolean;
}

/** RFC 2852 4: `BY=by-time;by-mode[by-trace]`; mode R needs a time above zero. */
export const deliverBy: Codec<DeliverBy> = /* @__PURE__ */ textCodec<DeliverBy>(
  (value) => {
    const match = /^([-+]?[0-9]{1,9});([NR])(T?)$/i.exec(value);
    if (match === null) return undefined;
    const seconds = Number(match[1]) + 0;
    const mode = match[2]!.toUpperCase() as 'R' | 'N';
    return mode === 'R' && seconds <= 0 ? undefined : { seconds, mode, trace: match[3] !== '' };
  },
  ({ seconds, mode, trace }) => `${seconds};${mode}${trace ? 'T' : ''}`,
);

// RFC 3339 5.6, 5.7: with the ranges of its parts.
const DATE_TIME: RegExp = /* @__PURE__ */ dateAndTime('(?:\\.[0-9]+)?', '');
const RRVS: RegExp = /* @__PURE__ */ dateAndTime('', '(?:;([CR]))?');

// Called where it is marked as pure, so that a bundle that needs neither holds neither.
function dateAndTime(fraction: string, more: string): RegExp {
  const date = '([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])';
  const time = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)';
  const zone = '(?:Z|[-+](?:[01][0-9]|2[0-3]):[0-5][0-9])';
  return new RegExp(`^${date}T${time}${fraction}${zone}${more}$`, 'i');
}

/** What the pattern finds, if its month has that day. */
function onCalendar(pattern: RegExp, value: string): RegExpExecArray | null {
  const match = pattern.exec(value);
  return match !== null && Number(match[3]) <= daysIn(Number(match[1]), Number(match[2])) ? match : null;
}

/** A date and time of RFC 3339, in capitals. */
export function dateTime(value: string): string | undefined {
  return onCalendar(DATE_TIME, value) === null ? undefined : value.toUpperCase();
}

/** RFC 4865 3, erratum 2040: `HOLDUNTIL=`, a date and time of RFC 3339 "normalized to UTC", as which it is written. */
export const holdUntil: Codec<string> = /* @__PURE__ */ textCodec((value, found) => {
  const moment = dateTime(value);
  if (moment !== undefined && !/(?:Z|[-+]00:00)$/.test(moment)) found.push('hold-until-offset');
  return moment;
}, inUtc);

/** Seconds, a leap second too, stay as they are: an offset is of minutes. What is no date and time of RFC 3339 stays whole. */
function inUtc(moment: string): string {
  const [, minute, seconds, sign, hours, minutes] = /^(.{16})(.*)([-+])(..):(..)$/.exec(moment) ?? [];
  const utc = Date.parse(`${minute}Z`) - Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  return Number.isNaN(utc) ? moment : `${new Date(utc).toISOString().slice(0, -8)}${seconds}Z`;
}

/** RFC 7293 3.1: deliver only if the mailbox has had one owner since then. */
export interface RecipientValidSince {
  /** A date and time of RFC 3339. */
  readonly since: string;
  /** What a server does that can't pass it on: go on, or refuse. R if absent. */
  readonly action?: 'C' | 'R';
}

/** RFC 7293 3.1: `RRVS=date-time[;C/R]`. */
export const validSince: Codec<RecipientValidSince> = /* @__PURE__ */ textCodec<RecipientValidSince>(
  (value) => {
    const match = onCalendar(RRVS, value);
    if (match === null) return undefined;
    const [since, action] = value.toUpperCase().split(';') as [string, ('C' | 'R')?];
    return action === undefined ? { since } : { since, action };
  },
  ({ since, action }) => (action === undefined ? since : `${since};${action}`),
);
