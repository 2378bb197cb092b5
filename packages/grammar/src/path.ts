import { ADDRESS_DEVIATIONS, type AddressDeviation, type Deviation } from './deviation.ts';
import { ADDRESSES, type Dialect } from './dialect.ts';
import { domain, hasOddTag, hostName } from './domain.ts';
import { atom, dotString, localPart, localPartEnd, type Mailbox, mailbox, mailboxAt } from './mailbox.ts';
import { type Failure, failure, type Parsed, success } from './result.ts';
import {
  AT,
  byteAt,
  CLASSES,
  COLON,
  COMMA,
  DOT,
  DQUOTE,
  decodeUtf8,
  GREATER,
  HT,
  HYPHEN,
  LESS,
  LET_DIG,
  OPEN_BRACKET,
  octetsOf,
  type Rule,
  SP,
  utf8NonAscii,
  word,
} from './rule.ts';
import { intolerable } from './tolerance.ts';

/** A reverse-path or forward-path. The null reverse-path `<>` has an empty `address`. */
export interface Path extends Mailbox {
  /** The domains of a source route, in order. To be ignored: RFC 5321 4.1.1.3 has servers strip it. */
  readonly route: readonly string[];
}

const NO_ROUTE: readonly string[] = [];

/** The null reverse-path, `<>` (RFC 5321 4.5.5): where an answer would go nowhere. */
export const NULL_PATH: Path = { localPart: '', domain: '', address: '', route: NO_ROUTE };

/** RFC 5321 4.1.2: `A-d-l = At-domain *( "," At-domain )`. */
const sourceRoute: Rule = (bytes, from, to, utf8) => {
  let i = from;
  for (;;) {
    if (byteAt(bytes, i, to) !== AT) return ~i;
    i = domain(bytes, i + 1, to, utf8);
    if (i < 0 || byteAt(bytes, i, to) !== COMMA) return i;
    i++;
  }
};

/** RFC 5321 4.1.2: `Path = "<" [ A-d-l ":" ] Mailbox ">"`. */
export const path: Rule = (bytes, from, to, utf8) => {
  const i = openPath(bytes, from, to, utf8);
  return i < 0 ? i : closePath(bytes, mailbox(bytes, i, to, utf8), to);
};

/** RFC 5321 4.1.2: `Reverse-path = Path / "<>"`. */
export const reversePath: Rule = (bytes, from, to, utf8) =>
  byteAt(bytes, from, to) === LESS && byteAt(bytes, from + 1, to) === GREATER ? from + 2 : path(bytes, from, to, utf8);

/** RFC 5321 4.1.1.3: what RCPT takes, `"<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path`. */
export const forwardPath: Rule = (bytes, from, to, utf8) => {
  const end = word(bytes, from, to, '<POSTMASTER>');
  return end >= 0 ? end : path(bytes, from, to, utf8);
};

/** Which of the two paths is read, with the names of its rules. */
export interface PathKind {
  readonly rule: 'Reverse-path' | 'Forward-path';
  readonly section: string;
  readonly recognise: Rule;
}

export const REVERSE_PATH: PathKind = { rule: 'Reverse-path', section: '5321 4.1.2', recognise: reversePath };
export const FORWARD_PATH: PathKind = { rule: 'Forward-path', section: '5321 4.1.1.3', recognise: forwardPath };

/**
 * Parses a path with its angle brackets: `<a@b>`, `<@route:a@b>`, `<>` as a reverse-path, `<Postmaster>` as a forward-path.
 *
 * @example
 * ```ts
 * import { parsePath, REVERSE_PATH } from '@ehlo/grammar';
 * const parsed = parsePath('<@a.example,@b.example:joe@c.example>', REVERSE_PATH);
 * parsed.ok && parsed.value
 * // → { localPart: 'joe', domain: 'c.example', address: 'joe@c.example', route: ['a.example', 'b.example'] }
 * ```
 */
export function parsePath(text: Uint8Array | string, kind: PathKind, dialect: Dialect = ADDRESSES): Parsed<Path> {
  const bytes = octetsOf(text);
  const found: Deviation[] = [];
  const end = pathEnd(bytes, 0, bytes.length, kind, dialect, found);
  if (typeof end !== 'number') return end;
  if (end < bytes.length) return failure('syntax', kind.rule, kind.section, end, 'something follows the path');
  return success(pathAt(bytes, 0, end), found);
}

/**
 * Parses a bare address, `local-part@domain`, as RFC 5321 4.1.2 writes a Mailbox. Length limits (64 and 255 octets,
 * RFC 5321 4.5.3.1) are deviations like the others: taken only where the dialect says so.
 *
 * @example
 * ```ts
 * import { parseMailbox } from '@ehlo/grammar';
 * const parsed = parseMailbox('"a@b"@example.org');
 * parsed.ok && parsed.value
 * // → { localPart: 'a@b', domain: 'example.org', address: '"a@b"@example.org' }
 * ```
 */
export function parseMailbox(text: Uint8Array | string, dialect: Dialect = ADDRESSES): Parsed<Mailbox> {
  const bytes = octetsOf(text);
  const to = bytes.length;
  const strict = mailbox(bytes, 0, to, dialect.utf8);
  const at = localPartEnd(bytes, 0, to);
  if (strict === to && isOrdinary(bytes, 0, at, to)) return success(mailboxAt(bytes, 0, at, to));
  const found: AddressDeviation[] = [];
  const end = strict === to ? to : looseMailbox(bytes, 0, to, dialect.utf8, found);
  if (end !== to) return failure('syntax', 'Mailbox', '5321 4.1.2', strict < 0 ? ~strict : strict, 'not a mailbox');
  const refused =
    intolerable(ADDRESS_DEVIATIONS, found, dialect, strict < 0 ? ~strict : strict, 'Mailbox') ??
    measure(bytes, 0, at, to, dialect, 'Mailbox', found);
  return refused ?? success(mailboxAt(bytes, 0, at, to), found);
}

/**
 * The path of a line of MAIL or RCPT as it came, of which `path` was parsed: quotes, source route and angle brackets, where it has some. Its
 * UTF-8 is what came, octet by octet: a signature over an envelope binds that, where `address` is canonical.
 *
 * @example
 * ```ts
 * import { DIALECT, FORWARD_PATH, octets, parseCommand, writtenPath } from '@ehlo/grammar';
 * const line = octets('RCPT TO:<@relay.example:"ann"@Example.org> NOTIFY=NEVER');
 * const parsed = parseCommand(line, DIALECT);
 * parsed.ok && parsed.value.verb === 'RCPT' && writtenPath(line, parsed.value.forwardPath, FORWARD_PATH, DIALECT)
 * // → '<@relay.example:"ann"@Example.org>'
 * ```
 */
export function writtenPath(
  line: Uint8Array,
  { address }: Path,
  kind: PathKind,
  dialect: Dialect,
  from = 0,
  to: number = line.length,
): string {
  let start = from;
  while (start < to && line[start] !== COLON) start++;
  start++;
  while (byteAt(line, start, to) === SP) start++;
  const isBracketed = byteAt(line, start, to) === LESS;
  const first = byteAt(line, isBracketed ? start + 1 : start, to);
  // What has neither a route nor quotes is its address.
  if (first !== AT && first !== DQUOTE) return isBracketed ? `<${address}>` : address;
  return decodeUtf8(line, start, recognisedEnd(line, start, to, kind, dialect));
}

function recognisedEnd(line: Uint8Array, start: number, to: number, kind: PathKind, dialect: Dialect): number {
  let last = to;
  while (byteAt(line, last - 1, to) === SP || byteAt(line, last - 1, to) === HT) last--;
  const end = pathEnd(line, start, last, kind, dialect, []);
  return typeof end === 'number' ? end : start;
}

/** Writes a path: `<address>`, `<>` for the null path. A source route is not written (RFC 5321 4.1.2: SHOULD NOT be generated). */
export function formatPath(path: Mailbox): string {
  return `<${path.address}>`;
}

/** Where the path at `from` ends, deviations included; what is found is added to `found`. Offsets of failures count from 0. */
export function pathEnd(
  bytes: Uint8Array,
  from: number,
  to: number,
  kind: PathKind,
  dialect: Dialect,
  found: Deviation[],
): number | Failure {
  const plain = plainEnd(bytes, from, to, dialect.utf8);
  if (plain >= 0) return plain;
  const strict = kind.recognise(bytes, from, to, dialect.utf8);
  const deviations: AddressDeviation[] = [];
  const end = strict >= 0 ? strict : loosePath(bytes, from, to, dialect.utf8, deviations);
  const offset = strict < 0 ? ~strict : strict;
  if (end < 0) return failure('syntax', kind.rule, kind.section, offset, expected(kind, offset - from));
  const bracketed = bytes[from] === LESS ? 1 : 0;
  const start = mailboxStart(bytes, from);
  const refused =
    intolerable(ADDRESS_DEVIATIONS, deviations, dialect, offset, kind.rule) ??
    measure(bytes, start, localPartEnd(bytes, start, end - bracketed), end - bracketed, dialect, kind.rule, deviations) ??
    atMost(256, 'long-path', from, end, dialect, kind.rule, deviations);
  if (refused !== null) return refused;
  found.push(...deviations);
  return end;
}

/** The value of a path that was recognised before. */
export function pathAt(bytes: Uint8Array, from: number, end: number): Path {
  const bracketed = bytes[from] === LESS ? 1 : 0;
  if (end - from === 2 * bracketed) return NULL_PATH;
  const start = mailboxStart(bytes, from);
  const { localPart, domain, address } = mailboxAt(bytes, start, localPartEnd(bytes, start, end - bracketed), end - bracketed);
  const route = bytes[from + 1] === AT && bracketed ? decodeUtf8(bytes, from + 2, start - 1).split(',@') : NO_ROUTE;
  return { localPart, domain, address, route };
}

/** The end of a path that is a mailbox in brackets, without quotes and within all limits, as almost all are; -1 if it is none, or another. */
function plainEnd(bytes: Uint8Array, from: number, to: number, utf8: boolean): number {
  if (byteAt(bytes, from, to) !== LESS) return -1;
  const at = dotString(bytes, from + 1, to, utf8);
  if (at < 0 || at - from > 65 || byteAt(bytes, at, to) !== AT) return -1;
  const end = domain(bytes, at + 1, to, utf8);
  return end >= 0 && end - from <= 255 && byteAt(bytes, end, to) === GREATER ? end + 1 : -1;
}

/** Whether a mailbox that was recognised breaks no limit, as almost none does: no more has to be looked at. */
function isOrdinary(bytes: Uint8Array, from: number, at: number, to: number): boolean {
  return at - from <= 64 && to - at <= 256 && bytes[at + 1] !== OPEN_BRACKET;
}

/** RFC 5321 4.5.3.1: the lengths of a mailbox that was recognised; `<>` and `<Postmaster>` included. */
function measure(
  bytes: Uint8Array,
  from: number,
  at: number,
  to: number,
  dialect: Dialect,
  rule: string,
  found: AddressDeviation[],
): Failure | null {
  if (isOrdinary(bytes, from, at, to)) return null;
  const refused =
    atMost(64, 'long-local-part', from, at, dialect, rule, found) ?? atMost(255, 'long-domain', at + 1, to, dialect, rule, found);
  if (refused !== null || !hasOddTag(bytes, at + 1, to)) return refused;
  found.push('unregistered-literal-tag');
  return intolerable(ADDRESS_DEVIATIONS, ['unregistered-literal-tag'], dialect, at + 2, rule);
}

/** A limit of RFC 5321 4.5.3.1 on `[from, to)`; what goes beyond it is where it fails. */
function atMost(
  octets: number,
  name: AddressDeviation,
  from: number,
  to: number,
  dialect: Dialect,
  rule: string,
  found: AddressDeviation[],
): Failure | null {
  if (to - from <= octets) return null;
  found.push(name);
  return intolerable(ADDRESS_DEVIATIONS, [name], dialect, from + octets, rule);
}

/** Past `<` and a source route: where the mailbox begins. */
function openPath(bytes: Uint8Array, from: number, to: number, utf8: boolean | undefined): number {
  if (byteAt(bytes, from, to) !== LESS) return ~from;
  if (byteAt(bytes, from + 1, to) !== AT) return from + 1;
  const i = sourceRoute(bytes, from + 1, to, utf8);
  if (i < 0) return i;
  return byteAt(bytes, i, to) === COLON ? i + 1 : ~i;
}

function closePath(bytes: Uint8Array, i: number, to: number): number {
  if (i < 0) return i;
  return byteAt(bytes, i, to) === GREATER ? i + 1 : ~i;
}

/** Where the mailbox begins in a path that was recognised before. */
function mailboxStart(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== LESS) return from;
  if (bytes[from + 1] !== AT) return from + 1;
  let i = from + 2;
  while (bytes[i] !== COLON) i++;
  return i + 1;
}

/** A path with known deviations. Returns -1 if it is no path even with them. */
function loosePath(bytes: Uint8Array, from: number, to: number, utf8: boolean, found: AddressDeviation[]): number {
  if (byteAt(bytes, from, to) === LESS) {
    const i = openPath(bytes, from, to, utf8);
    return i < 0 ? -1 : Math.max(-1, closePath(bytes, looseMailbox(bytes, i, to, utf8, found), to));
  }
  found.push('missing-angle-brackets');
  const end = looseMailbox(bytes, from, to, utf8, found);
  return end >= 0 && (end === to || bytes[end] === SP) ? end : -1;
}

/** A mailbox with misplaced dots, underscores or a trailing dot. Returns -1 if it is no mailbox even with them. */
function looseMailbox(bytes: Uint8Array, from: number, to: number, utf8: boolean, found: AddressDeviation[]): number {
  let at = localPart(bytes, from, to, utf8);
  if (at < 0) {
    at = from;
    for (let end = from; end >= 0; at = Math.max(at, end)) end = byteAt(bytes, at, to) === DOT ? at + 1 : atom(bytes, at, to, utf8);
    if (at === from) return -1;
    found.push('misplaced-dot-local');
  }
  if (byteAt(bytes, at, to) !== AT) return -1;
  const end = hostName(bytes, at + 1, to, utf8);
  return end >= 0 && byteAt(bytes, end, to) !== UNDERSCORE ? end : looseDomain(bytes, at + 1, to, found, utf8);
}

const UNDERSCORE = 0x5f;

/** A domain with underscores in its labels, or a dot at its end. Returns -1 if it is no domain even with them. */
export function looseDomain(bytes: Uint8Array, from: number, to: number, found: Deviation[], utf8 = false): number {
  let i = from;
  let label = false;
  let underscore = false;
  for (; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === UNDERSCORE) underscore = label = true;
    else if (CLASSES[byte]! & LET_DIG || (byte === HYPHEN && label)) label = true;
    else if (byte === DOT && label && bytes[i - 1] !== HYPHEN) label = false;
    else if (utf8 && byte >= 0x80) {
      const end = utf8NonAscii(bytes, i, to);
      if (end < 0) return -1;
      i = end - 1;
      label = true;
    } else break;
  }
  if (i === from || bytes[i - 1] === HYPHEN) return -1;
  if (underscore) found.push('underscore-domain');
  if (!label) found.push('trailing-dot-domain');
  return i;
}

function expected(kind: PathKind, offset: number): string {
  if (offset === 0) return 'a path in angle brackets was expected';
  return kind.rule === 'Reverse-path' ? 'not a valid sender address' : 'not a valid recipient address';
}
