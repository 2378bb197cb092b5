import { DEVIATIONS, type Deviation } from './deviation.ts';
import { ADDRESSES, type Dialect } from './dialect.ts';
import { domain, hostName } from './domain.ts';
import { formatReply, parseReply, textEnd, wholeLines } from './reply.ts';
import { failure, type Parsed, success } from './result.ts';
import { byteAt, CR, classAt, encodeUtf8, HYPHEN, LET_DIG, LF, octetsOf, type Rule, SP, word } from './rule.ts';
import { intolerable } from './tolerance.ts';

/** A server's answer to EHLO (RFC 5321 4.1.1.1). */
export interface EhloResponse {
  /** The name of the server. */
  readonly name: string;
  /** What it says after its name; empty if nothing. */
  readonly greet: string;
  /** What it offers, in order. */
  readonly lines: readonly EhloLine[];
}

export interface EhloLine {
  /** In capitals: "they MUST always be recognized and processed in a case-insensitive manner". */
  readonly keyword: string;
  readonly parameters: readonly string[];
}

const VISIBLE_FROM = 33;
const VISIBLE_TO = 126;

/** RFC 5321 4.1.1.1: `ehlo-line = ehlo-keyword *( SP ehlo-param )`. */
const ehloLine: Rule = (bytes, from, to) => {
  if ((classAt(bytes, from, to) & LET_DIG) === 0) return ~from;
  let i = from + 1;
  while ((classAt(bytes, i, to) & LET_DIG) !== 0 || byteAt(bytes, i, to) === HYPHEN) i++;
  while (byteAt(bytes, i, to) === SP) {
    const start = i + 1;
    for (i = start; i < to && bytes[i]! >= VISIBLE_FROM && bytes[i]! <= VISIBLE_TO; ) i++;
    if (i === start) return ~i;
  }
  return i;
};

/** `ehlo-greet = 1*(%d0-9 / %d11-12 / %d14-127)`: where it ends. */
function greetEnd(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (i < to && bytes[i] !== CR && bytes[i] !== LF && bytes[i]! < 0x80) i++;
  return i;
}

/** RFC 5321 4.1.1.1: `ehlo-ok-rsp`, the whole response with its CRLFs. */
export const ehloOkResponse: Rule = (bytes, from, to) => {
  let i = word(bytes, from, to, '250');
  if (i < 0) return i;
  const several = byteAt(bytes, i, to) === HYPHEN;
  if (!several && byteAt(bytes, i, to) !== SP) return ~i;
  i = domain(bytes, i + 1, to);
  if (i < 0) return i;
  if (byteAt(bytes, i, to) === SP) {
    const end = greetEnd(bytes, i + 1, to);
    if (end === i + 1) return ~end;
    i = end;
  }
  i = lineEnd(bytes, i, to);
  for (let more = several; more && i >= 0; ) {
    i = word(bytes, i, to, '250');
    if (i < 0) break;
    more = byteAt(bytes, i, to) === HYPHEN;
    if (!more && byteAt(bytes, i, to) !== SP) return ~i;
    const end = ehloLine(bytes, i + 1, to);
    i = end < 0 ? end : lineEnd(bytes, end, to);
  }
  return i;
};

/** RFC 5321 4.2: `Greeting`, with its CRLFs. */
export const greeting: Rule = (bytes, from, to) => {
  let i = word(bytes, from, to, '220');
  if (i < 0) return i;
  const several = byteAt(bytes, i, to) === HYPHEN;
  if (!several && byteAt(bytes, i, to) !== SP) return ~i;
  i = hostName(bytes, i + 1, to);
  if (i < 0) return i;
  i = spacedText(bytes, i, to);
  for (let more = several; i >= 0; ) {
    i = lineEnd(bytes, i, to);
    if (i < 0 || !more) break;
    i = word(bytes, i, to, '220');
    if (i < 0) break;
    more = byteAt(bytes, i, to) === HYPHEN;
    i = more ? textEnd(bytes, i + 1, to) : spacedText(bytes, i, to);
  }
  return i;
};

/** `[ SP textstring ]` */
function spacedText(bytes: Uint8Array, i: number, to: number): number {
  if (byteAt(bytes, i, to) !== SP) return i;
  const end = textEnd(bytes, i + 1, to);
  return end === i + 1 ? ~end : end;
}

function lineEnd(bytes: Uint8Array, i: number, to: number): number {
  if (byteAt(bytes, i, to) !== CR) return ~i;
  return byteAt(bytes, i + 1, to) === LF ? i + 2 : ~Math.min(i + 1, to);
}

/**
 * Parses the positive answer to EHLO or HELO, its CRLFs included.
 *
 * Blanks and tabs too many (`odd-ehlo-space`) and the old `AUTH=LOGIN` (`auth-equals`) hide no keyword. A line that is no ehlo-line
 * (`odd-ehlo-line`) is left out, not the whole response. A keyword that stands on several lines is several lines here.
 *
 * @example
 * ```ts
 * import { parseEhlo } from '@ehlo/grammar';
 * const parsed = parseEhlo('250-mx.example hello\r\n250-SIZE 1000\r\n250 Pipelining\r\n');
 * parsed.ok && parsed.value
 * // → { name: 'mx.example', greet: 'hello', lines: [{ keyword: 'SIZE', parameters: ['1000'] }, { keyword: 'PIPELINING', parameters: [] }] }
 * ```
 */
export function parseEhlo(text: Uint8Array | string, dialect: Dialect = ADDRESSES): Parsed<EhloResponse> {
  const bytes = octetsOf(text);
  const strict = ehloOkResponse(bytes, 0, bytes.length);
  const offset = strict < 0 ? ~strict : strict;
  const reply = parseReply(bytes);
  if (!reply.ok || reply.value.code !== 250)
    return failure('syntax', 'ehlo-ok-rsp', '5321 4.1.1.1', offset, 'not a positive answer to EHLO');
  const found: Deviation[] = [];
  const [first = '', ...rest] = wholeLines(reply.value);
  const [name = ''] = first.split(' ', 1);
  const host = encodeUtf8(name);
  if (domain(host, 0, host.length) !== host.length) found.push('odd-ehlo-name');
  const lines: EhloLine[] = [];
  for (const line of rest) {
    const read = parseEhloLine(line, found);
    if (read === null) found.push('odd-ehlo-line');
    else lines.push(read);
  }
  if (strict !== bytes.length && found.length === 0) found.push('odd-ehlo-line');
  const refused = intolerable(DEVIATIONS, found, dialect, offset, 'ehlo-ok-rsp');
  return refused ?? success({ name, greet: first.slice(name.length + 1), lines }, [...new Set(found)]);
}

/**
 * Reads one line of an answer to EHLO, its code and line end taken off; null if it is no ehlo-line even so, and so switches nothing on. How
 * it deviates is added to `found`: a keyword that white space hides would be STARTTLS that is not begun.
 */
export function parseEhloLine(line: string, found: Deviation[] = []): EhloLine | null {
  const words = line.split(/[ \t]+/).filter((word) => word !== '');
  const odd: Deviation[] = words.join(' ') === line ? [] : ['odd-ehlo-space'];
  if (/^AUTH=/i.test(words[0] ?? '')) {
    odd.push('auth-equals');
    const mechanism = words[0]!.slice('AUTH='.length);
    words.splice(0, 1, 'AUTH', ...(mechanism === '' ? [] : [mechanism]));
  }
  const octets = encodeUtf8(words.join(' '));
  if (ehloLine(octets, 0, octets.length) !== octets.length) return null;
  found.push(...odd);
  const [keyword = '', ...parameters] = words;
  return { keyword: keyword.toUpperCase(), parameters };
}

/** Writes a positive answer to EHLO. */
export function formatEhlo({ name, greet, lines }: EhloResponse): Uint8Array {
  const first = greet === '' ? name : `${name} ${greet}`;
  return formatReply({ code: 250, lines: [first, ...lines.map(({ keyword, parameters }) => [keyword, ...parameters].join(' '))] });
}

/** What a server says first (RFC 5321 4.2). */
export interface Greeting {
  /** The name of the server. */
  readonly name: string;
  /** The text after the code, one string for each line. */
  readonly lines: readonly string[];
}

/**
 * Parses a 220 greeting, its CRLFs included. As in other replies, a line may have its SP and no text (RFC 5321 4.2.1), which the
 * grammar of 4.2 does not allow.
 */
export function parseGreeting(text: Uint8Array | string): Parsed<Greeting> {
  const bytes = octetsOf(text);
  const end = greeting(bytes, 0, bytes.length);
  const reply = parseReply(bytes);
  const [first = '', ...rest] = reply.ok && reply.value.code === 220 ? wholeLines(reply.value) : [];
  const [name = ''] = first.split(' ', 1);
  const host = encodeUtf8(name);
  if (hostName(host, 0, host.length) === host.length) return success({ name, lines: [first.slice(name.length + 1), ...rest] });
  return failure('syntax', 'Greeting', '5321 4.2', end < 0 ? ~end : end, 'not a greeting: 220 and the name of the server were expected');
}

/** Writes a greeting. */
export function formatGreeting({ name, lines }: Greeting): Uint8Array {
  const [first = '', ...rest] = lines;
  return formatReply({ code: 220, lines: [first === '' ? name : `${name} ${first}`, ...rest] });
}
