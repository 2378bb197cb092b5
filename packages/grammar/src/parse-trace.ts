import { dateTime } from './date-time.ts';
import { addressLiteral, domain } from './domain.ts';
import { everydayTrace } from './everyday-trace.ts';
import { CLOSE_PAREN, comment, fws, maybe, OPEN_PAREN, type Position } from './folding.ts';
import { atom, dotString, mailbox, string } from './mailbox.ts';
import { type Path, parsePath, path, REVERSE_PATH } from './path.ts';
import { type Failure, failure, type Parsed, type Success } from './result.ts';
import {
  AT,
  byteAt,
  CLOSE_BRACKET,
  CR,
  capitals,
  DCONTENT,
  decodeUtf8,
  GREATER,
  LESS,
  LF,
  latin1,
  OPEN_BRACKET,
  octetsOf,
  skip,
  word,
} from './rule.ts';
import { EVERYDAY, TRACE_DEVIATIONS, type TraceDeviation } from './trace-deviation.ts';
import type { ExtendedDomain, TraceField } from './trace-field.ts';

const SEMICOLON = 0x3b;

/** RFC 5321 4.4: `"Return-Path:" FWS Reverse-path CRLF`. */
export function parseReturnPath(field: Uint8Array | string): Parsed<Path> {
  const bytes = octetsOf(field);
  const to = bytes.length - 2;
  const i = fws(bytes, word(bytes, 0, bytes.length, 'RETURN-PATH:'), bytes.length);
  const wrong = i < 0 ? ~i : bytes[to] !== CR || bytes[to + 1] !== LF ? bytes.length : -1;
  if (wrong >= 0) return failure('syntax', 'Return-path-line', '5321 4.4', wrong, 'the form is Return-Path: <address>');
  const parsed = parsePath(bytes.subarray(i, to), REVERSE_PATH);
  return parsed.ok ? parsed : { ...parsed, offset: parsed.offset + i };
}

/**
 * Parses a Received field, its CRLF included: `Time-stamp-line` of RFC 5321 4.4, with every clause and folding; and what programs write in
 * its place. RFC 5321 3.7.2: receivers "SHOULD be extremely robust in the light of unexpected information or formats in those header
 * fields", so every deviation is taken and told, unless `tolerate` names those that are; `TRACE_LETTER` takes none. What begins with another
 * name is no Received field: that alone fails by default.
 *
 * @example
 * ```ts
 * import { parseReceived } from '@ehlo/grammar/trace';
 * const parsed = parseReceived('Received: from a.example ([192.0.2.1])\r\n by b.example with ESMTP; 1 Jan 1970 00:00:00 +0000\r\n');
 * parsed.ok && [parsed.value.from, parsed.value.clauses.get('WITH'), parsed.value.date]
 * // → [{ name: 'a.example', literal: '[192.0.2.1]' }, 'ESMTP', 0]
 * ```
 */
export function parseReceived(
  field: Uint8Array | string,
  tolerate: ReadonlySet<TraceDeviation> = EVERYDAY,
): Parsed<TraceField, TraceDeviation> {
  const bytes = octetsOf(field);
  const letter = timeStampLine(bytes);
  if (tolerate.size === 0) return letter;
  const text = decodeUtf8(bytes, 0, bytes.length);
  const name = /^received([ \t]*):/i.exec(text);
  if (name === null) return letter;
  const body = text.slice(name[0].length);
  const found = new Set<TraceDeviation>();
  const everyday = everydayTrace(body.replaceAll(/[\r\n]+/g, ' '), found);
  if (letter.ok) return withTold(letter.value, everyday, tolerate);
  if (name[1] !== '' || !/^\s/.test(body)) found.add('odd-name');
  if (!/^(?:\r\n[ \t]|[^\r\n])*\r\n$/.test(body)) found.add('odd-line-end');
  // What is odd has a name even where nothing of it was seen.
  if (found.size === 0) found.add('odd-clause');
  for (const one of found) {
    if (!tolerate.has(one)) return failure('deviation', letter.rule, '5321 4.4', letter.offset, `${TRACE_DEVIATIONS[one]} (${one})`);
  }
  return { ok: true, value: everyday, deviations: [...found] };
}

/** A field that keeps to the letter, with what its comments tell of the connection, where the grammar sees only comments. */
function withTold(letter: TraceField, everyday: TraceField, tolerate: ReadonlySet<TraceDeviation>): Success<TraceField, TraceDeviation> {
  const more = [letter.from, letter.by].some((host, i) => {
    const told = i === 0 ? everyday.from : everyday.by;
    return told?.name === host?.name && (told?.literal !== host?.literal || told?.helo !== host?.helo);
  });
  if (!more || !tolerate.has('odd-tcp-info')) return { ok: true, value: letter, deviations: [] };
  return { ok: true, value: { ...letter, from: everyday.from, by: everyday.by }, deviations: ['odd-tcp-info'] };
}

/** RFC 5321 4.4, to the letter. */
function timeStampLine(bytes: Uint8Array): Success<TraceField, TraceDeviation> | Failure {
  const to = bytes.length;
  const bad = (position: Position, message: string): Failure =>
    failure('syntax', 'Time-stamp-line', '5321 4.4', position < 0 ? ~position : position, message);
  let i = fws(bytes, word(bytes, 0, to, 'RECEIVED:'), to);
  const from = extendedDomain(bytes, fws(bytes, i < 0 ? i : word(bytes, i, to, 'FROM'), to), to);
  if (from.end < 0) return bad(from.end, 'FROM and a domain were expected');
  i = maybe(bytes, from.end, to);
  if (i === from.end && !from.comment) i = ~i;
  const by = extendedDomain(bytes, fws(bytes, i < 0 ? i : word(bytes, i, to, 'BY'), to), to);
  if (by.end < 0) return bad(by.end, 'BY and a domain were expected');
  const clauses = new Map<string, string>();
  i = optionalClauses(bytes, by, to, clauses);
  if (i < 0) return bad(i, 'a clause or ";" was expected');
  const date = dateTime(bytes, fws(bytes, i, to), to);
  const end = date.end < 0 ? date.end : maybe(bytes, date.end, to);
  if (end < 0 || end !== to - 2 || bytes[end] !== CR || bytes[end + 1] !== LF) return bad(end, 'a valid date and CR LF were expected');
  return {
    ok: true,
    value: { from: from.value, by: by.value, clauses, date: date.value.date, offset: date.value.offset ?? 0 },
    deviations: [],
  };
}

const ORDER = ['VIA', 'WITH', 'ID', 'FOR'] as const;

/**
 * RFC 5321 4.4: `Opt-info [CFWS] ";"`, where each of VIA, WITH, ID and FOR is optional, in this order; after them
 * may come any name, these four included, with a String.
 */
function optionalClauses(bytes: Uint8Array, by: Extended, to: number, clauses: Map<string, string>): Position {
  let passed = 0; // how many of ORDER were read
  let last: Clause = { end: by.end, ownSpace: false };
  for (let bare = by.comment; ; bare = false) {
    let start = maybe(bytes, last.end, to);
    if (last.ownSpace && start >= 0) start = maybe(bytes, start, to);
    if (start < 0) return start;
    if (byteAt(bytes, start, to) === SEMICOLON) return start + 1;
    if (start === last.end && !bare) return ~start;
    const nameEnd = atom(bytes, start, to, true);
    const value = nameEnd < 0 ? nameEnd : fws(bytes, nameEnd, to);
    if (value < 0) return value;
    const rank = ORDER.findIndex((known, k) => k >= passed && word(bytes, start, to, known) === nameEnd);
    const known = rank < 0 ? null : clause(bytes, value, to, ORDER[rank]!);
    last = known !== null && known.end >= 0 ? known : { end: string(bytes, value, to, true), ownSpace: false };
    if (last.end < 0) return known === null ? last.end : ~Math.max(~last.end, ~known.end);
    passed = last === known ? rank + 1 : ORDER.length;
    const name = capitals(decodeUtf8(bytes, start, nameEnd));
    if (!clauses.has(name)) clauses.set(name, decodeUtf8(bytes, value, last.end));
  }
}

interface Clause {
  readonly end: Position;
  /** RFC 5322 3.6.4: a msg-id has CFWS of its own at either end, beside that of the clause. */
  readonly ownSpace: boolean;
}

function clause(bytes: Uint8Array, from: number, to: number, name: (typeof ORDER)[number]): Clause {
  if (name === 'FOR') {
    const end = byteAt(bytes, from, to) === LESS ? path(bytes, from, to, true) : mailbox(bytes, from, to, true);
    return { end, ownSpace: false };
  }
  const start = name === 'ID' ? maybe(bytes, from, to) : from;
  if (start >= 0 && name === 'ID' && byteAt(bytes, start, to) === LESS) return { end: messageId(bytes, start, to), ownSpace: true };
  return { end: atom(bytes, from, to, true), ownSpace: false };
}

/** RFC 5322 3.6.4: `"<" id-left "@" id-right ">"`. */
export function messageId(bytes: Uint8Array, from: number, to: number): Position {
  if (byteAt(bytes, from, to) !== LESS) return ~from;
  let i = dotString(bytes, from + 1, to, true);
  if (i < 0 || byteAt(bytes, i, to) !== AT) return i < 0 ? i : ~i;
  if (byteAt(bytes, i + 1, to) === OPEN_BRACKET) {
    i = skip(bytes, i + 2, to, DCONTENT);
    if (byteAt(bytes, i, to) !== CLOSE_BRACKET) return ~i;
    i++;
  } else i = dotString(bytes, i + 1, to, true);
  if (i < 0) return i;
  return byteAt(bytes, i, to) === GREATER ? i + 1 : ~i;
}

/** An Extended-Domain as it was read. */
interface Extended {
  readonly end: Position;
  readonly value: ExtendedDomain;
  /** Its TCP-info may be read as a comment too, that is: as the CFWS which has to follow a Domain. */
  readonly comment: boolean;
}

/** `Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )`. */
function extendedDomain(bytes: Uint8Array, from: Position, to: number): Extended {
  const none = (end: Position): Extended => ({ end, value: { name: '' }, comment: false });
  if (from < 0) return none(from);
  const literal = byteAt(bytes, from, to) === OPEN_BRACKET;
  const end = (literal ? addressLiteral : domain)(bytes, from, to, true);
  if (end < 0) return none(end);
  const name = decodeUtf8(bytes, from, end);
  const open = fws(bytes, end, to);
  const info = open >= 0 && byteAt(bytes, open, to) === OPEN_PAREN ? tcpInfo(bytes, open + 1, to) : null;
  if (info !== null) return { end: info.end, value: { name, ...info.value }, comment: !literal && comment(bytes, open, to) === info.end };
  // What stands in parentheses without an address is a comment, not TCP-info.
  return literal ? none(open < 0 ? open : ~open) : { end, value: { name }, comment: false };
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
