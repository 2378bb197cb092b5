import { encodeBase64, encodeUtf8 } from '@ehlo/grammar';
import { fold, LONGEST_LINE } from './fold.ts';
import { joined } from './octets.ts';

export interface WriteOptions {
  /** Whether characters beyond ASCII may stand as they are (RFC 6532): where the message is sent with SMTPUTF8. Default: false. */
  readonly utf8?: boolean;
  /** Folds, where the value begins at this column: 9 behind `Subject: `. Default: one line. */
  readonly column?: number;
}

/** RFC 2047 2, without `=?utf-8?q?` and `?=`. */
const ROOM = 75 - 12;
const PREFIX = '=?utf-8?';

/** RFC 2047 5 (3): what stands for itself in a phrase, and so everywhere. */
const SAFE = /^[A-Za-z0-9!*+\-/]$/;
/** What no header field holds, but a tab. */
const CONTROLS = /[^\P{Cc}\t]/gu;

/**
 * Writes the value of an unstructured field (RFC 5322 3.2.5): words with characters beyond ASCII as encoded words (RFC 2047), the others as
 * they are. Control characters become U+FFFD, half a surrogate pair `?`.
 *
 * @example
 * ```ts
 * import { formatUnstructured } from '@ehlo/message/encoded-word';
 * formatUnstructured('a crème brûlée, please')
 * // → 'a =?utf-8?q?cr=C3=A8me_br=C3=BBl=C3=A9e=2C?= please'
 * ```
 */
export function formatUnstructured(text: string, { utf8 = false, column }: WriteOptions = {}): string {
  const words = printable(text).match(/[ \t]+|[^ \t]+/g) ?? [];
  let out = '';
  for (let i = 0; i < words.length; ) {
    const end = encodedEnd(words, i, utf8);
    if (end === i) out += words[i++]!;
    else {
      out += encodeWords(words.slice(i, end).join('')).join(' ');
      i = end;
    }
  }
  return column === undefined ? out : fold(out, column);
}

/** Behind the words that are encoded together, with the white space between them; `from` if that one is not. */
function encodedEnd(words: readonly string[], from: number, utf8: boolean): number {
  const last = words.length - 1;
  const isGap = (i: number): boolean => /^[ \t]/.test(words[i] ?? '');
  // White space at either end is lost where it is not encoded.
  const encodes = (i: number): boolean =>
    i <= last && ((i === 1 && isGap(0)) || (i === last - 1 && isGap(last)) || !isPlain(words[i]!, utf8));
  const first = from === 0 && isGap(0) ? 1 : from;
  if (first > last) return words.length;
  if (isGap(first) || !encodes(first)) return from;
  let end = first + 1;
  while (encodes(end + 1)) end += 2;
  return end === last ? words.length : end;
}

/** Whether a word can stand as it is: of characters that may, no longer than a line, and not to be taken for an encoded word. */
function isPlain(word: string, utf8: boolean): boolean {
  return (
    (utf8 ? encodeUtf8(word).length < LONGEST_LINE - ROOM : /^[!-~]*$/.test(word) && word.length < LONGEST_LINE - ROOM) &&
    !word.includes('=?')
  );
}

/** A text without what no header field may hold. */
export function printable(text: string): string {
  return text.replaceAll(CONTROLS, '\ufffd').replaceAll(/[\ud800-\udfff]/gu, '?');
}

/**
 * A text in encoded words, each of at most 75 characters and of whole characters: in Q, which people can read, unless B is much shorter
 * (RFC 2047 4).
 */
export function encodeWords(text: string): string[] {
  const characters = Array.from(text, (character) => ({ character, octets: encodeUtf8(character), q: inQ(character) }));
  const q = characters.reduce((sum, { q }) => sum + q.length, 0);
  const b = (characters.reduce((sum, { octets }) => sum + octets.length, 0) * 4) / 3;
  const isQ = q <= 1.5 * b;
  const words: string[] = [];
  let open: (typeof characters)[number][] = [];
  let length = 0;
  const close = (): void => {
    if (open.length > 0)
      words.push(
        isQ ? `${PREFIX}q?${open.map(({ q }) => q).join('')}?=` : `${PREFIX}b?${encodeBase64(joined(open.map(({ octets }) => octets)))}?=`,
      );
    open = [];
    length = 0;
  };
  for (const one of characters) {
    const size = isQ ? one.q.length : one.octets.length;
    if (length + size > (isQ ? ROOM : Math.floor(ROOM / 4) * 3)) close();
    open.push(one);
    length += size;
  }
  close();
  return words;
}

function inQ(character: string): string {
  if (character === ' ') return '_';
  if (SAFE.test(character)) return character;
  return Array.from(encodeUtf8(character), (octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
