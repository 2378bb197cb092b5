import { daysIn } from './calendar.ts';
import { LETTER_ADDRESSES } from './dialect.ts';
import { parseMailbox } from './path.ts';
import { capitals, encodeUtf8 } from './rule.ts';
import { decodeUtf8Address, decodeUtf8Xtext, decodeXtext, encodeUtf8Address, encodeXtext } from './xtext.ts';

/** How the value of a parameter is read and written. */
export interface Codec<T = unknown> {
  /** The typed value; undefined if the text is not a value of this parameter. */
  parse(value: string): T | undefined;
  /** Gives a text of which `parse` makes the same value. */
  format(value: T): string;
}

/** A parameter without a value. */
export const flag: Codec<true> = { parse: (value) => (value === '' ? true : undefined), format: () => '' };

/** A whole number as the pattern spells it; beyond 2^53 - 1 it counts as that. */
export function decimal(pattern: RegExp): Codec<number> {
  return { parse: (value) => (pattern.test(value) ? Math.min(Number(value), Number.MAX_SAFE_INTEGER) : undefined), format: String };
}

/** One of a few words, in any case; written in capitals. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Codec<Word> {
  return { parse: (value) => words.find((word) => word === capitals(value)), format: String };
}

/** RFC 4954 5: `AUTH=`, a Mailbox in xtext, or `<>` (empty here). */
export const submitter: Codec<string> = {
  parse(value) {
    const text = decodeXtext(value);
    if (text === null || text === '<>') return text === null ? undefined : '';
    const parsed = parseMailbox(encodeUtf8(text), LETTER_ADDRESSES);
    return parsed.ok ? parsed.value.address : undefined;
  },
  // xtext spells ASCII alone, and RFC 6531 gives AUTH no other encoding: such a submitter can't be told.
  format: (address) => (address === '' || /[^ -~]/.test(address) ? '<>' : encodeXtext(address)),
};

/** RFC 3461 4.4: `ENVID=`, at most 100 characters of xtext. */
export const envid: Codec<string> = {
  parse: (value) => (value.length === 0 || value.length > 100 ? undefined : (decodeXtext(value) ?? undefined)),
  format: encodeXtext,
};

export type Notify = 'NEVER' | readonly ('SUCCESS' | 'FAILURE' | 'DELAY')[];

const NOTIFICATIONS = ['SUCCESS', 'FAILURE', 'DELAY'] as const;

/** RFC 3461 4.1: `NOTIFY=NEVER`, or a list. */
export const notify: Codec<Notify> = {
  parse(value) {
    const words = capitals(value).split(',');
    if (words.length === 1 && words[0] === 'NEVER') return 'NEVER';
    const known = words.map((word) => NOTIFICATIONS.find((notification) => notification === word));
    return known.every((notification) => notification !== undefined) ? known : undefined;
  },
  format: (notify) => (notify === 'NEVER' ? notify : notify.join(',')),
};

/** RFC 3461 4.2: the recipient as the sender first wrote it. */
export interface OriginalRecipient {
  /** A registered address type, e.g. `rfc822`, `utf-8`; in small letters. */
  readonly type: string;
  readonly address: string;
}

/** RFC 3461 4.2, RFC 6533 3: `ORCPT=addr-type;xtext`, at most 500 characters. */
export const orcpt: Codec<OriginalRecipient> = {
  parse(value) {
    const type = /^[\w!#$%&'*+/?^`{|}~-]+(?=;)/.exec(value)?.[0].toLowerCase();
    if (type === undefined || [...value].length > 500) return undefined;
    const text = value.slice(type.length + 1);
    const address = type === 'utf-8' ? decodeUtf8Address(text) : decodeXtext(text);
    if (address !== null) return { type, address };
    // RFC 3461 4.2 wants ASCII in xtext, RFC 6533 3 the type utf-8 for the rest; some mailers write such an address in xtext all the same.
    const international = type === 'rfc822' ? decodeUtf8Xtext(text) : null;
    return international === null ? undefined : { type: 'utf-8', address: international };
  },
  format: ({ type, address }) => `${type};${type === 'utf-8' ? encodeUtf8Address(address) : encodeXtext(address)}`,
};

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
export const deliverBy: Codec<DeliverBy> = {
  parse(value) {
    const match = /^([-+]?[0-9]{1,9});([NR])(T?)$/i.exec(value);
    if (match === null) return undefined;
    const seconds = Number(match[1]) + 0;
    const mode = match[2]!.toUpperCase() as 'R' | 'N';
    return mode === 'R' && seconds <= 0 ? undefined : { seconds, mode, trace: match[3] !== '' };
  },
  format: ({ seconds, mode, trace }) => `${seconds};${mode}${trace ? 'T' : ''}`,
};

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

/** RFC 4865 3, erratum 2040: `HOLDUNTIL=`, a date and time of RFC 3339. */
export const dateTime: Codec<string> = {
  parse: (value) => (onCalendar(DATE_TIME, value) === null ? undefined : value.toUpperCase()),
  format: String,
};

/** RFC 7293 3.1: deliver only if the mailbox has had one owner since then. */
export interface RecipientValidSince {
  /** A date and time of RFC 3339. */
  readonly since: string;
  /** What a server does that can't pass it on: go on, or refuse. R if absent. */
  readonly action?: 'C' | 'R';
}

/** RFC 7293 3.1: `RRVS=date-time[;C/R]`. */
export const validSince: Codec<RecipientValidSince> = {
  parse(value) {
    const match = onCalendar(RRVS, value);
    if (match === null) return undefined;
    const [since, action] = value.toUpperCase().split(';') as [string, ('C' | 'R')?];
    return action === undefined ? { since } : { since, action };
  },
  format: ({ since, action }) => (action === undefined ? since : `${since};${action}`),
};
