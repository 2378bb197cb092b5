/**
 * A recogniser: reads `bytes[from, to)` as far as the rule can still be met and stops at the first byte `i` that cannot
 * continue it (or at `to`). Returns `i` if what was read is a whole word of the rule, else `~i`.
 *
 * Rules never allocate, never look outside the window, and never back up: work is linear in the bytes read. They compose
 * because in SMTP no rule can be continued by the delimiter that follows it. With `utf8` the rule is the wider one of RFC 6531.
 */
export type Rule = (bytes: Uint8Array, from: number, to: number, utf8?: boolean) => number;

export const HT = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const DQUOTE = 0x22;
export const COMMA = 0x2c;
export const HYPHEN = 0x2d;
export const DOT = 0x2e;
export const COLON = 0x3a;
export const LESS = 0x3c;
export const EQUALS = 0x3d;
export const GREATER = 0x3e;
export const AT = 0x40;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;

/** Classes of bytes, one bit each; `CLASSES[byte] & LET_DIG` asks whether a byte is in one. */
export const LET_DIG = 1; // ALPHA / DIGIT
export const HEX_DIGIT = 2; // HEXDIG
export const ATEXT = 4; // RFC 5322 3.2.3 atext
export const QTEXT = 8; // RFC 5321 4.1.2 qtextSMTP
export const DCONTENT = 16; // RFC 5321 4.1.3 dcontent
export const VALUE = 32; // RFC 5321 4.1.2: an octet of esmtp-value
export const PRINTABLE = 64; // SP and VCHAR, %d32-126
export const DIGIT = 128;

export const CLASSES: Uint8Array = classify();

function classify(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (bit: number, first: number, last: number = first): void => {
    for (let byte = first; byte <= last; byte++) table[byte]! |= bit;
  };
  mark(LET_DIG | HEX_DIGIT | ATEXT | DIGIT, 0x30, 0x39);
  mark(LET_DIG | ATEXT, 0x41, 0x5a);
  mark(LET_DIG | ATEXT, 0x61, 0x7a);
  mark(HEX_DIGIT, 0x41, 0x46);
  mark(HEX_DIGIT, 0x61, 0x66);
  for (const symbol of "!#$%&'*+-/=?^_`{|}~") mark(ATEXT, symbol.charCodeAt(0));
  mark(QTEXT, 32, 33);
  mark(QTEXT, 35, 91);
  mark(QTEXT, 93, 126);
  mark(DCONTENT, 33, 90);
  mark(DCONTENT, 94, 126);
  mark(VALUE, 33, 60);
  mark(VALUE, 62, 126);
  mark(PRINTABLE, 32, 126);
  return table;
}

/** The class bits of the byte at `i`; none at the end of the window, so that a scan stops there by itself. */
export function classAt(bytes: Uint8Array, i: number, to: number): number {
  return i < to ? CLASSES[bytes[i]!]! : 0;
}

/** The byte at `i`, or -1 at the end of the window. */
export function byteAt(bytes: Uint8Array, i: number, to: number): number {
  return i < to ? bytes[i]! : -1;
}

/** Skips bytes of a class and, with `utf8`, characters beyond ASCII; `~i` if such a character is broken at `i`. */
export function skip(bytes: Uint8Array, from: number, to: number, bits: number, utf8 = false): number {
  let i = from;
  while (i < to) {
    const byte = bytes[i]!;
    if ((CLASSES[byte]! & bits) !== 0) i++;
    else if (utf8 && byte >= 0x80) {
      const end = utf8NonAscii(bytes, i, to);
      if (end < 0) return ~end === i ? i : end;
      i = end;
    } else break;
  }
  return i;
}

/** RFC 6532 3.1, RFC 3629 4: `UTF8-non-ascii = UTF8-2 / UTF8-3 / UTF8-4`; no overlong form, no surrogate. */
export const utf8NonAscii: Rule = (bytes, from, to) => {
  const lead = byteAt(bytes, from, to);
  const length = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length === 0) return ~from;
  for (let k = 1; k < length; k++) {
    const tail = byteAt(bytes, from + k, to);
    const least = k > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const most = k > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (tail < least || tail > most) return ~(from + k);
  }
  return from + length;
};

/** How far `bytes` spells `upper` (capital ASCII) without regard to case: the end, or `~i` at the first byte that differs. */
export function word(bytes: Uint8Array, from: number, to: number, upper: string): number {
  for (let k = 0; k < upper.length; k++) {
    const want = upper.charCodeAt(k);
    const got = byteAt(bytes, from + k, to);
    if (got !== want && !(want >= 0x41 && want <= 0x5a && got === want + 32)) return ~(from + k);
  }
  return from + upper.length;
}

/** A text with its ASCII letters in capitals; `toUpperCase` makes "I" of the dotless i and "S" of the long s. */
export function capitals(text: string): string {
  return SMALL.test(text) ? text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()) : text;
}

const SMALL = /[a-z]/;

/** Octets as a string, one character an octet. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += SHORT) {
    const codes = codesOf(Math.min(SHORT, to - at));
    for (let i = 0; i < codes.length; i++) codes[i] = bytes[at + i]!;
    text += String.fromCharCode.apply(null, codes);
  }
  return text;
}

/** The number of arguments that is safe in one call. */
const SHORT = 256;

/** One list for each length, made at first use and filled again each time, so that a string of octets needs no new list. */
const CODES: number[][] = [];

function codesOf(length: number): number[] {
  const codes = CODES[length] ?? new Array<number>(length).fill(0);
  CODES[length] = codes;
  return codes;
}

/** The text that octets spell in UTF-8. Octets that are not UTF-8 never make it throw; what they become is not defined. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= SHORT) {
    const codes = codesOf(to - from);
    let all = 0;
    for (let i = from; i < to; i++) all |= codes[i - from] = bytes[i]!;
    // ASCII, as most texts are: one string at once, not one a character.
    if (all < 0x80) return String.fromCharCode.apply(null, codes);
  }
  let text = '';
  let i = from;
  while (i < to) {
    const lead = bytes[i++]!;
    if (lead < 0x80) text += String.fromCharCode(lead);
    else {
      let code = lead < 0xe0 ? lead & 0x1f : lead < 0xf0 ? lead & 0x0f : lead & 0x07;
      while (i < to && (bytes[i]! & 0xc0) === 0x80) code = (code << 6) | (bytes[i++]! & 0x3f);
      // Many octets that go on make a number of any sign.
      text += code >>> 0 > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
    }
  }
  return text;
}

/** A text as UTF-8; half a surrogate pair becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const ascii = new Uint8Array(text.length);
  let all = 0;
  for (let i = 0; i < text.length; i++) all |= ascii[i] = text.charCodeAt(i);
  // As most texts are: one octet a character.
  return all < 0x80 ? ascii : encodeAll(text);
}

function encodeAll(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) bytes.push(code);
    else if (code >= 0xd800 && code <= 0xdfff) bytes.push(0xef, 0xbf, 0xbd);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return Uint8Array.from(bytes);
}

/** What a parser was given: octets as they are, a text in UTF-8. */
export function octetsOf(text: Uint8Array | string): Uint8Array {
  return typeof text === 'string' ? encodeUtf8(text) : text;
}

/** A string as octets; characters above U+00FF become `?`. */
export function octets(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code > 0xff ? 0x3f : code;
  }
  return bytes;
}
