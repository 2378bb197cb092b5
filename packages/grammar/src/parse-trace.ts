import { addressLiteral, domain } from './domain.ts';
import { atom, mailbox, string } from './mailbox.ts';
import { type Path, parsePath, path, REVERSE_PATH } from './path.ts';
import { failure, type Parsed, success } from './result.ts';
import {
  AT,
  byteAt,
  CLOSE_BRACKET,
  COLON,
  CR,
  classAt,
  DCONTENT,
  DIGIT,
  DOT,
  decodeUtf8,
  GREATER,
  HT,
  LESS,
  LF,
  latin1,
  OPEN_BRACKET,
  PRINTABLE,
  SP,
  skip,
  word,
} from './rule.ts';

/** `Extended-Domain`: a name, and what the server itself knew of the connection. */
export interface ExtendedDomain {
  readonly name: string;
  /** `TCP-info`: the host's name, if it was looked up, and its address literal. */
  readonly host?: string;
  readonly literal?: string;
}

/** A trace field as it stands in a message (RFC 5321 4.4, Time-stamp-line). */
export interface TraceField {
  readonly from: ExtendedDomain;
  readonly by: ExtendedDomain;
  /** VIA, WITH, ID, FOR and any other clause, by its name in capitals, in order. */
  readonly clauses: ReadonlyMap<string, string>;
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly date: number;
  /** Minutes east of UT. */
  readonly offset: number;
}

/** Where a reader stands: `~i` where byte i can't continue. */
type Position = number;

const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;

/** RFC 5322 3.2.2: `FWS = [*WSP CRLF] 1*WSP`, folding white space without its obsolete forms. */
function fws(bytes: Uint8Array, from: Position, to: number): Position {
  if (from < 0) return from;
  const i = white(bytes, from, to);
  if (byteAt(bytes, i, to) !== CR) return i > from ? i : ~i;
  if (byteAt(bytes, i + 1, to) !== LF) return i > from ? i : ~Math.min(i + 1, to);
  const end = white(bytes, i + 2, to);
  if (end > i + 2) return end;
  return i > from ? i : ~end;
}

function white(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (byteAt(bytes, i, to) === SP || byteAt(bytes, i, to) === HT) i++;
  return i;
}

/** RFC 5322 3.2.2: `CFWS`, comments and folding white space. Comments nest; depth is a count, not a recursion. */
function cfws(bytes: Uint8Array, from: Position, to: number): Position {
  if (from < 0) return from;
  let i = from;
  for (;;) {
    const space = fws(bytes, i, to);
    if (space >= 0) i = space;
    if (byteAt(bytes, i, to) !== OPEN_PAREN) return i > from ? i : ~i;
    i = comment(bytes, i, to);
    if (i < 0) return i;
  }
}

function comment(bytes: Uint8Array, from: number, to: number): Position {
  let depth = 0;
  let i = from;
  while (i < to) {
    const byte = bytes[i]!;
    if (byte === OPEN_PAREN) depth++;
    else if (byte === CLOSE_PAREN) depth--;
    else if (byte === BACKSLASH) {
      i++;
      if ((classAt(bytes, i, to) & PRINTABLE) === 0 && byteAt(bytes, i, to) !== HT) return ~i;
    } else if (byte === SP || byte === HT || byte === CR) {
      const end = fws(bytes, i, to);
      if (end < 0) return end;
      i = end - 1;
    } else if ((classAt(bytes, i, to) & PRINTABLE) === 0) return ~i;
    i++;
    if (depth === 0) return i;
  }
  return ~i;
}

/** Optional CFWS. */
function maybe(bytes: Uint8Array, from: Position, to: number): Position {
  const end = cfws(bytes, from, to);
  return end < 0 && ~end === from ? from : end;
}

/** RFC 5321 4.4: `"Return-Path:" FWS Reverse-path CRLF`. */
export function parseReturnPath(bytes: Uint8Array): Parsed<Path> {
  const to = bytes.length - 2;
  const i = fws(bytes, word(bytes, 0, bytes.length, 'RETURN-PATH:'), bytes.length);
  const wrong = i < 0 ? ~i : bytes[to] !== CR || bytes[to + 1] !== LF ? bytes.length : -1;
  if (wrong >= 0) return failure('syntax', 'Return-path-line', '5321 4.4', wrong, 'the form is Return-Path: <address>');
  const parsed = parsePath(bytes.subarray(i, to), REVERSE_PATH);
  return parsed.ok ? parsed : { ...parsed, offset: parsed.offset + i };
}

/**
 * Parses a Received field, its CRLF included: `Time-stamp-line` of RFC 5321 4.4, with every clause and folding.
 *
 * @example
 * ```ts
 * import { octets } from '@ehlo/grammar';
 * import { parseReceived } from '@ehlo/grammar/trace';
 * const parsed = parseReceived(octets('Received: from a.example ([192.0.2.1])\r\n by b.example with ESMTP; 1 Jan 1970 00:00:00 +0000\r\n'));
 * parsed.ok && [parsed.value.from, parsed.value.clauses.get('WITH'), parsed.value.date]
 * // → [{ name: 'a.example', literal: '[192.0.2.1]' }, 'ESMTP', 0]
 * ```
 */
export function parseReceived(bytes: Uint8Array): Parsed<TraceField> {
  const to = bytes.length;
  const bad = (position: Position, message: string): Parsed<TraceField> =>
    failure('syntax', 'Time-stamp-line', '5321 4.4', position < 0 ? ~position : position, message);
  let i = fws(bytes, word(bytes, 0, to, 'RECEIVED:'), to);
  const from = extendedDomain(bytes, fws(bytes, i < 0 ? i : word(bytes, i, to, 'FROM'), to), to);
  if (from.end < 0) return bad(from.end, 'FROM and a domain were expected');
  i = cfws(bytes, from.end, to);
  const by = extendedDomain(bytes, fws(bytes, i < 0 ? i : word(bytes, i, to, 'BY'), to), to);
  if (by.end < 0) return bad(by.end, 'BY and a domain were expected');
  const clauses = new Map<string, string>();
  let order = -1;
  for (i = by.end; ; ) {
    const start = maybe(bytes, i, to);
    if (start < 0) return bad(start, 'not white space or a comment');
    if (byteAt(bytes, start, to) === SEMICOLON) {
      i = start + 1;
      break;
    }
    const nameEnd = start > i ? atom(bytes, start, to) : ~start;
    if (nameEnd < 0) return bad(nameEnd, 'a clause or ";" was expected');
    const name = latin1(bytes, start, nameEnd).toUpperCase();
    const valueStart = fws(bytes, nameEnd, to);
    const rank = ORDER.indexOf(name);
    const end = valueStart < 0 ? valueStart : clauseEnd(bytes, valueStart, to, name);
    if (end < 0) return bad(end, `not a value of the clause ${name}`);
    // RFC 5321 4.4 Opt-info: each clause at most once, in this order; the additional ones last.
    if (clauses.has(name) || (rank >= 0 && rank <= order) || (rank >= 0 && order === ORDER.length))
      return bad(start, `the clause ${name} does not belong here`);
    order = rank < 0 ? ORDER.length : rank;
    clauses.set(name, decodeUtf8(bytes, valueStart, end));
    i = end;
  }
  const date = dateTime(bytes, fws(bytes, i, to), to);
  const end = date.end < 0 ? date.end : maybe(bytes, date.end, to);
  if (end < 0 || end !== to - 2 || bytes[end] !== CR || bytes[end + 1] !== LF) return bad(end, 'a date and CR LF were expected');
  return success({ from: from.value, by: by.value, clauses, date: date.value, offset: date.offset });
}

const ORDER: readonly string[] = ['VIA', 'WITH', 'ID', 'FOR'];

function clauseEnd(bytes: Uint8Array, from: number, to: number, name: string): Position {
  if (name === 'FOR') return byteAt(bytes, from, to) === LESS ? path(bytes, from, to, true) : mailbox(bytes, from, to, true);
  if (name === 'ID' && byteAt(bytes, from, to) === LESS) return messageId(bytes, from, to);
  return name === 'VIA' || name === 'WITH' || name === 'ID' ? atom(bytes, from, to) : string(bytes, from, to);
}

/** RFC 5322 3.6.4: `"<" id-left "@" id-right ">"`. */
function messageId(bytes: Uint8Array, from: number, to: number): Position {
  let i = dotAtom(bytes, from + 1, to);
  if (i < 0 || byteAt(bytes, i, to) !== AT) return i < 0 ? i : ~i;
  if (byteAt(bytes, i + 1, to) === OPEN_BRACKET) {
    i = skip(bytes, i + 2, to, DCONTENT);
    if (byteAt(bytes, i, to) !== CLOSE_BRACKET) return ~i;
    i++;
  } else i = dotAtom(bytes, i + 1, to);
  if (i < 0) return i;
  return byteAt(bytes, i, to) === GREATER ? i + 1 : ~i;
}

function dotAtom(bytes: Uint8Array, from: number, to: number): Position {
  let i = atom(bytes, from, to);
  while (i >= 0 && byteAt(bytes, i, to) === DOT) i = atom(bytes, i + 1, to);
  return i;
}

/** `Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )`. */
function extendedDomain(bytes: Uint8Array, from: Position, to: number): { readonly end: Position; readonly value: ExtendedDomain } {
  const none = { name: '' };
  if (from < 0) return { end: from, value: none };
  const literal = byteAt(bytes, from, to) === OPEN_BRACKET;
  const end = (literal ? addressLiteral : domain)(bytes, from, to, true);
  if (end < 0) return { end, value: none };
  const name = decodeUtf8(bytes, from, end);
  const open = fws(bytes, end, to);
  const info = open >= 0 && byteAt(bytes, open, to) === OPEN_PAREN ? tcpInfo(bytes, open + 1, to) : null;
  // What stands in parentheses without an address is a comment, not TCP-info.
  if (info !== null) return { end: info.end, value: { name, ...info.value } };
  return literal ? { end: open < 0 ? open : ~open, value: none } : { end, value: { name } };
}

/** `address-literal / ( Domain FWS address-literal )`, and the parenthesis that closes it; null if it is something else. */
function tcpInfo(
  bytes: Uint8Array,
  from: number,
  to: number,
): { readonly end: number; readonly value: Omit<ExtendedDomain, 'name'> } | null {
  const hostEnd = byteAt(bytes, from, to) === OPEN_BRACKET ? from : domain(bytes, from, to, true);
  const start = hostEnd === from ? from : fws(bytes, hostEnd, to);
  const end = start < 0 ? start : addressLiteral(bytes, start, to);
  if (end < 0 || byteAt(bytes, end, to) !== CLOSE_PAREN) return null;
  const literal = latin1(bytes, start, end);
  return { end: end + 1, value: hostEnd === from ? { literal } : { host: decodeUtf8(bytes, from, hostEnd), literal } };
}

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** RFC 5322 3.3: `[ day-of-week "," ] date time`, without obsolete forms. */
function dateTime(
  bytes: Uint8Array,
  from: Position,
  to: number,
): { readonly end: Position; readonly value: number; readonly offset: number } {
  const wrong = (end: Position): { end: Position; value: number; offset: number } => ({ end: end < 0 ? end : ~end, value: 0, offset: 0 });
  if (from < 0) return wrong(from);
  let i = from;
  const day = DAYS.find((name) => word(bytes, i, to, name) >= 0);
  if (day !== undefined) {
    i += 3;
    if (byteAt(bytes, i, to) !== COMMA) return wrong(i);
    i = white(bytes, i + 1, to);
    const folded = fws(bytes, i, to);
    if (folded >= 0) i = folded;
  }
  const dayEnd = number(bytes, i, to, 1, 2);
  const monthAt = fws(bytes, dayEnd, to);
  if (monthAt < 0) return wrong(monthAt);
  const month = MONTHS.findIndex((name) => word(bytes, monthAt, to, name) >= 0);
  if (month < 0) return wrong(monthAt);
  const yearAt = fws(bytes, monthAt + 3, to);
  const yearEnd = number(bytes, yearAt, to, 4, 9);
  const hourAt = fws(bytes, yearEnd, to);
  const hourEnd = number(bytes, hourAt, to, 2, 2);
  if (hourEnd < 0 || byteAt(bytes, hourEnd, to) !== COLON) return wrong(hourEnd);
  const minuteEnd = number(bytes, hourEnd + 1, to, 2, 2);
  if (minuteEnd < 0) return wrong(minuteEnd);
  const seconds = byteAt(bytes, minuteEnd, to) === COLON;
  const timeEnd = seconds ? number(bytes, minuteEnd + 1, to, 2, 2) : minuteEnd;
  const zoneAt = fws(bytes, timeEnd, to);
  if (zoneAt < 0) return wrong(zoneAt);
  const sign = byteAt(bytes, zoneAt, to);
  const end = sign === PLUS || sign === MINUS ? number(bytes, zoneAt + 1, to, 4, 4) : ~zoneAt;
  if (end < 0) return wrong(end);
  const read = (start: number, stop: number): number => Number(latin1(bytes, start, stop));
  const offset = (sign === MINUS ? -1 : 1) * (read(zoneAt + 1, zoneAt + 3) * 60 + read(zoneAt + 3, zoneAt + 5));
  const second = seconds ? read(minuteEnd + 1, timeEnd) : 0;
  const local = Date.UTC(read(yearAt, yearEnd), month, read(i, dayEnd), read(hourAt, hourEnd), read(hourEnd + 1, minuteEnd), second);
  return { end, value: local - offset * 60_000, offset };
}

const COMMA = 0x2c;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** From `least` to `most` digits. */
function number(bytes: Uint8Array, from: Position, to: number, least: number, most: number): Position {
  if (from < 0) return from;
  let i = from;
  while (i - from < most && (classAt(bytes, i, to) & DIGIT) !== 0) i++;
  return i - from >= least ? i : ~i;
}
