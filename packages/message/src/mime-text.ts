import { comment, fws, isUtf8, OLD_SPACE, quotedText, textOf } from '@ehlo/grammar/imf';
import type { MimeDeviation } from './mime-deviation.ts';

export const HT = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const DQUOTE = 0x22;
export const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
export const BACKSLASH = 0x5c;

/** What was odd about a field so far. */
export type Found = Set<MimeDeviation>;

/** `[CFWS]` (RFC 5322 3.2.2; RFC 822 3.4.2 has white space of any number of lines) however it is written: where it ends. */
export function blank(bytes: Uint8Array, from: number, to: number, found: Found): number {
  let i = from;
  while (i < to) {
    const octet = bytes[i]!;
    if (octet === SP || octet === HT) i++;
    else if (octet === CR || octet === LF) {
      const end = fws(bytes, i, to);
      if (end < 0) found.add('odd-space');
      i = end < 0 ? i + 1 : end;
    } else if (octet === OPEN_PAREN) {
      // RFC 822 3.3: linear-white-space has any number of line ends.
      const end = comment(bytes, i, to, OLD_SPACE);
      if (end < 0) found.add('odd-comment');
      i = end < 0 ? oddComment(bytes, i, to) : end;
    } else break;
  }
  return i;
}

function oddComment(bytes: Uint8Array, from: number, to: number): number {
  let depth = 0;
  for (let i = from; i < to; i++) {
    const octet = bytes[i]!;
    if (octet === BACKSLASH) i++;
    else if (octet === OPEN_PAREN) depth++;
    else if (octet === CLOSE_PAREN && --depth === 0) return i + 1;
  }
  return to;
}

/** RFC 5322 3.2.4: a quoted string that begins at `from`, however it is written: its octets, and where it ends. */
export function quoted(bytes: Uint8Array, from: number, to: number, found: Found): readonly [octets: Uint8Array, end: number] {
  const kept = new Uint8Array(to - from);
  let length = 0;
  let i = from + 1;
  for (; i < to && bytes[i] !== DQUOTE; i++) {
    if (bytes[i] === CR || bytes[i] === LF) continue;
    if (bytes[i] === BACKSLASH && i + 1 < to) i++;
    kept[length++] = bytes[i]!;
  }
  if (i >= to) found.add('open-quote');
  else if (quotedText(bytes, from, to, OLD_SPACE) < 0) found.add('odd-quoted-text');
  return [kept.slice(0, length), Math.min(i + 1, to)];
}

/** Octets as they stand, unfolded and without white space around them. */
export function trimmed(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const isBlank = (octet: number | undefined): boolean => octet === SP || octet === HT;
  const kept = bytes.subarray(from, to).filter((octet) => octet !== CR && octet !== LF);
  let start = 0;
  let end = kept.length;
  while (start < end && isBlank(kept[start])) start++;
  while (end > start && isBlank(kept[end - 1])) end--;
  return kept.subarray(start, end);
}

/** The text that octets spell in UTF-8 (RFC 6532 3.2). */
export function utf8(bytes: Uint8Array, found: Found): string {
  if (!isUtf8(bytes)) found.add('octets-beyond-charset');
  return textOf(bytes);
}
