import { failure, type Parsed, success } from './result.ts';
import {
  byteAt,
  CLASSES,
  CR,
  classAt,
  DIGIT,
  encodeUtf8,
  HT,
  HYPHEN,
  LF,
  latin1,
  octets,
  octetsOf,
  PRINTABLE,
  type Rule,
  SP,
} from './rule.ts';

/** A reply of RFC 5321 4.2. */
export interface Reply {
  /** Three digits, 200 to 559. */
  readonly code: number;
  /** RFC 3463: `class.subject.detail`; written in front of every line (RFC 2034 4). */
  readonly enhanced?: string;
  /** The text, a string a line, without code, enhanced code and CRLF. At least one. */
  readonly lines: readonly string[];
}

/** RFC 5321 4.5.3.1.5: the longest reply line, its code and CRLF included. */
const LONGEST_LINE = 512;

/** RFC 5321 4.2: `Reply-code = %x32-35 %x30-35 %x30-39`. */
const replyCode: Rule = (bytes, from, to) => {
  for (let k = 0; k < 3; k++) {
    const digit = byteAt(bytes, from + k, to) - 0x30;
    if (digit < (k === 0 ? 2 : 0) || digit > (k === 2 ? 9 : 5)) return ~(from + k);
  }
  return from + 3;
};

/**
 * RFC 5321 4.2: `Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF`, a whole reply.
 * 4.2.1: "the reply code on each of the lines MUST be the same".
 */
export const replyLine: Rule = (bytes, from, to) => {
  for (let line = from; ; ) {
    let i = line === from ? replyCode(bytes, from, to) : sameCode(bytes, from, line, to);
    if (i < 0) return i;
    const mark = byteAt(bytes, i, to);
    if (mark === HYPHEN || mark === SP) {
      const end = textEnd(bytes, i + 1, to);
      if (mark === SP && end === i + 1) return ~end;
      i = end;
    }
    if (byteAt(bytes, i, to) !== CR) return ~i;
    if (byteAt(bytes, i + 1, to) !== LF) return ~Math.min(i + 1, to);
    line = i + 2;
    if (mark !== HYPHEN) return line;
  }
};

/** The code at `line` is the one at `from`. */
function sameCode(bytes: Uint8Array, from: number, line: number, to: number): number {
  for (let k = 0; k < 3; k++) if (byteAt(bytes, line + k, to) !== bytes[from + k]) return ~(line + k);
  return line + 3;
}

/**
 * Parses a whole reply, its CRLFs included. A final line of code and SP alone is accepted, as RFC 5321 4.2.1 has servers send
 * it although its grammar does not. An enhanced code that stands on every line is taken out of the text.
 *
 * @example
 * ```ts
 * import { parseReply } from '@ehlo/grammar';
 * const parsed = parseReply('550-5.1.1 no such user\r\n550 5.1.1 try again\r\n');
 * parsed.ok && parsed.value
 * // → { code: 550, enhanced: '5.1.1', lines: ['no such user', 'try again'] }
 * ```
 */
export function parseReply(text: Uint8Array | string, from = 0, to?: number): Parsed<Reply> {
  const bytes = octetsOf(text);
  return replyAt(bytes, from, to ?? bytes.length);
}

function replyAt(bytes: Uint8Array, from: number, to: number): Parsed<Reply> {
  const end = wholeReply(bytes, from, to);
  if (end !== to) {
    return failure(
      'syntax',
      'Reply-line',
      '5321 4.2',
      (end < 0 ? ~end : end) - from,
      end < 0 ? 'not a valid reply' : 'something follows the reply',
    );
  }
  const code = Number(latin1(bytes, from, from + 3));
  const lines: string[] = [];
  for (let i = from; i < to; ) {
    let lineEnd = i;
    while (bytes[lineEnd] !== CR) lineEnd++;
    lines.push(latin1(bytes, Math.min(i + 4, lineEnd), lineEnd));
    i = lineEnd + 2;
  }
  return success(replyOf(code, lines));
}

/** A reply of these lines. An enhanced code that stands on every one, and fits the code, is taken out of the text (RFC 2034 4). */
export function replyOf(code: number, lines: readonly string[]): Reply {
  const enhanced = firstWord(lines[0] ?? '');
  const everywhere =
    ENHANCED.test(enhanced) && Number(enhanced[0]) === Math.floor(code / 100) && lines.every((line) => firstWord(line) === enhanced);
  return everywhere ? { code, enhanced, lines: lines.map((line) => line.slice(enhanced.length + 1)) } : { code, lines };
}

function firstWord(line: string): string {
  const end = line.indexOf(' ');
  return end < 0 ? line : line.slice(0, end);
}

/** The text of a reply that has no enhanced code (RFC 2034 4: the greeting and the answers to EHLO and HELO): what looks like one is text. */
export function wholeLines({ enhanced, lines }: Reply): readonly string[] {
  return enhanced === undefined ? lines : lines.map((line) => (line === '' ? enhanced : `${enhanced} ${line}`));
}

/** `Reply-line`, or one whose last line is a code and SP alone. */
function wholeReply(bytes: Uint8Array, from: number, to: number): number {
  const end = replyLine(bytes, from, to);
  const i = ~end;
  const bare = end < 0 && i - from >= 4 && bytes[i - 1] === SP && byteAt(bytes, i, to) === CR && byteAt(bytes, i + 1, to) === LF;
  return bare && (i === from + 4 || bytes[i - 5] === LF) ? i + 2 : end;
}

/** RFC 2034 4: `status-code = class "." subject "." detail`; RFC 3463 2: "without leading zero digits". */
const ENHANCED = /^[245]\.(?:0|[1-9][0-9]{0,2})\.(?:0|[1-9][0-9]{0,2})$/;

/**
 * Writes a reply: the code on every line, the enhanced code before every text, lines of at most 512 octets (RFC 5321
 * 4.5.3.1.5; longer text is wrapped). A line break in a text starts a new line; other octets that a textstring
 * may not hold become `?`, so that no text can split a reply. With `utf8` characters beyond ASCII stay (RFC 6531 3.7.4).
 *
 * @example
 * ```ts
 * import { formatReply, latin1 } from '@ehlo/grammar';
 * const wire = formatReply({ code: 250, enhanced: '2.1.0', lines: ['first', 'second'] });
 * latin1(wire, 0, wire.length)
 * // → '250-2.1.0 first\r\n250 2.1.0 second\r\n'
 * ```
 */
export function formatReply(reply: Reply, utf8 = false): Uint8Array {
  const prefix = reply.enhanced === undefined ? '' : `${reply.enhanced} `;
  const room = LONGEST_LINE - '250 '.length - prefix.length - '\r\n'.length;
  const lines = reply.lines
    .flatMap((line) => line.split(/\r\n|\r|\n/))
    .flatMap((line) => wrap(line.replaceAll(utf8 ? NO_UTF8_TEXT : NO_TEXT, '?'), room));
  const last = lines.length - 1;
  return encodeUtf8(lines.map((line, i) => `${reply.code}${i < last ? '-' : ' '}${prefix}${line}\r\n`).join(''));
}

/** What a textstring may not hold (RFC 5321 4.2). */
const NO_TEXT = /[^\t -~]/g;
/** The same where UTF-8 may stand (RFC 6531 3.7.4): controls, and halves of characters. */
const NO_UTF8_TEXT = /(?!\t)\p{Cc}|\p{Cs}/gu;

/** Breaks a text at spaces into pieces of at most `room` octets; a word that is longer is cut. */
function wrap(text: string, octetsOfRoom: number): string[] {
  // Three octets of UTF-8 a unit of UTF-16 at the most.
  const room = /^[\t -~]*$/.test(text) ? octetsOfRoom : Math.floor(octetsOfRoom / 3);
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > room) {
    const at = rest.lastIndexOf(' ', room);
    const inPair = /[\uD800-\uDBFF]/.test(rest[room - 1]!);
    const cut = at > 0 ? at : inPair ? room - 1 : room;
    pieces.push(rest.slice(0, cut));
    rest = rest.slice(at > 0 ? cut + 1 : cut);
  }
  return [...pieces, rest];
}

/** RFC 5321 4.2: `textstring = 1*(%d09 / %d32-126)`. */
export function textEnd(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while ((classAt(bytes, i, to) & PRINTABLE) !== 0 || byteAt(bytes, i, to) === HT) i++;
  return i;
}

/** Whether `code` may be sent: three digits, RFC 5321 4.2 `Reply-code`. */
export function isReplyCode(code: number): boolean {
  if (typeof code !== 'number') return false; // from JavaScript
  const text = octets(String(code));
  return replyCode(text, 0, text.length) === text.length && text.every((digit) => (CLASSES[digit]! & DIGIT) !== 0);
}
