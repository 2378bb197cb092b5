import { capitals, isUtf8, looseBase64, octetsOf, type Success, textOf } from '@ehlo/grammar/imf';
import type { DecodeCharset } from './charset.ts';
import { joined } from './octets.ts';
import { WORDS, type WordDeviation } from './word-deviation.ts';

export interface WordOptions {
  /** For charsets beyond UTF-8, US-ASCII and ISO-8859-1; a runtime's `TextDecoder` will do. */
  readonly decode?: DecodeCharset | undefined;
  /** What is taken for an encoded word; what is not stays as it stands. Default: `WORDS`, by RFC 2047. */
  readonly tolerate?: ReadonlySet<WordDeviation>;
}

/** An encoded word where it stands (RFC 2047 2, RFC 2231 5). */
export interface EncodedWord {
  readonly end: number;
  /** In small letters. */
  readonly charset: string;
  readonly octets: Uint8Array;
  readonly odd: readonly WordDeviation[];
}

/** RFC 2047 2. */
const LONGEST = 75;

/**
 * Reads the value of an unstructured field, as that of `Subject` (RFC 5322 3.2.5): unfolded, with its encoded words decoded (RFC 2047), and
 * adjacent ones joined. It never fails: what is no encoded word is text.
 *
 * @example
 * ```ts
 * import { parseUnstructured } from '@ehlo/message/encoded-word';
 * parseUnstructured('=?utf-8?q?caf=C3=A9?= =?utf-8?b?IGNyw6htZQ==?= (2)').value
 * // → 'café crème (2)'
 * ```
 */
export function parseUnstructured(value: Uint8Array | string, options: WordOptions = {}): Success<string, WordDeviation> {
  const found = new Set<WordDeviation>();
  const text = textOf(octetsOf(value)).replaceAll(/\r\n(?=[ \t]|$)/g, '');
  return { ok: true, value: decodeWords(text, options, found, ' \t'), deviations: [...found].sort() };
}

/** A text with its encoded words decoded; around each stand `edges`, or nothing. */
export function decodeWords(text: string, { decode, tolerate = WORDS }: WordOptions, found: Set<WordDeviation>, edges: string): string {
  let i = text.indexOf('=?');
  if (i < 0) return text;
  let out = '';
  let copied = 0;
  let run: EncodedWord[] = [];
  let runAt = 0;
  const flush = (to: number): void => {
    if (run.length > 0) out += runText(run, decode, found) ?? text.slice(runAt, copied);
    out += text.slice(copied, to);
    run = [];
  };
  for (; i >= 0; i = text.indexOf('=?', i)) {
    const word = encodedWordAt(text, i);
    const odd = word === null ? [] : [...word.odd];
    if (word !== null && !(isEdge(text, i - 1, edges) && isEdge(text, word.end, edges))) odd.push('no-space-around');
    if (word === null || odd.some((name) => !tolerate.has(name))) {
      i += 2;
      continue;
    }
    for (const name of odd) found.add(name);
    // RFC 2047 6.2: white space between adjacent encoded words is not shown.
    if (run.length === 0 || !isWhite(text, copied, i)) {
      flush(i);
      runAt = i;
    }
    run.push(word);
    i = copied = word.end;
  }
  flush(text.length);
  return out;
}

function isEdge(text: string, i: number, edges: string): boolean {
  const character = text[i];
  return character === undefined || edges.includes(character);
}

function isWhite(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (text[i] !== ' ' && text[i] !== '\t') return false;
  return true;
}

/** `=?charset?encoding?encoded-text?=`, and RFC 2231 5: `=?charset*language?…`. Null if none begins at `from`. */
export function encodedWordAt(text: string, from: number): EncodedWord | null {
  if (!text.startsWith('=?', from)) return null;
  const charsetEnd = text.indexOf('?', from + 2);
  if (charsetEnd < 0 || text[charsetEnd + 2] !== '?') return null;
  const at = charsetEnd + 3;
  const textEnd = text.indexOf('?', at);
  if (textEnd <= at || text[textEnd + 1] !== '=') return null;
  const charset = CHARSET.exec(text.slice(from + 2, charsetEnd))?.[1];
  const read = ENCODINGS[capitals(text[charsetEnd + 1]!)];
  if (charset === undefined || read === undefined) return null;
  const odd: WordDeviation[] = textEnd + 2 - from > LONGEST ? ['long-word'] : [];
  const encoded = text.slice(at, textEnd);
  if (/[\s\p{Cc}]/u.test(encoded)) odd.push('space-within');
  const octets = read(encoded, odd);
  return octets && { end: textEnd + 2, charset: charset.toLowerCase(), octets, odd };
}

/** RFC 2047 2 `token`, and the language behind it. */
const CHARSET = /^([!#$%&'+\-0-9A-Z^_`a-z{|}~]+)(?:\*[-A-Za-z0-9]*)?$/;

const ENCODINGS: Readonly<Record<string, ((encoded: string, odd: WordDeviation[]) => Uint8Array | null) | undefined>> = {
  B: readB,
  Q: readQ,
};

/** RFC 2047 4.2: `=` and two digits, `_` for a space, and octets that stand for themselves. */
function readQ(encoded: string, odd: WordDeviation[]): Uint8Array | null {
  const bytes: number[] = [];
  let bad = false;
  for (let i = 0; i < encoded.length; i++) {
    const code = encoded.charCodeAt(i);
    if (code === 0x3d) {
      const octet = /^[0-9A-Fa-f]{2}/.test(encoded.slice(i + 1, i + 3)) ? Number.parseInt(encoded.slice(i + 1, i + 3), 16) : -1;
      // An equals sign alone has no defined meaning: the whole word stays as it is.
      if (octet < 0) return null;
      bytes.push(octet);
      i += 2;
    } else if (code > 0x7e) {
      bad = true;
      bytes.push(...octetsOf(encoded[i]!));
    } else bytes.push(code === 0x5f ? 0x20 : code);
  }
  if (bad) odd.push('bad-encoding');
  return Uint8Array.from(bytes);
}

/** RFC 2047 4.1, RFC 2045 6.8: other characters are left out; so is what is missing at the end. */
function readB(encoded: string, odd: WordDeviation[]): Uint8Array | null {
  const { octets, digits, pads, stray } = looseBase64(octetsOf(encoded));
  // One digit alone holds no octet.
  if (digits % 4 === 1) return null;
  if (stray || (digits + pads) % 4 !== 0 || pads > 2) odd.push('bad-encoding');
  return octets;
}

/** What adjacent encoded words say; null if one has a charset that is not known: then they stand as they are. */
export function runText(run: readonly EncodedWord[], decoder: DecodeCharset | undefined, found: Set<WordDeviation>): string | null {
  let text = '';
  for (let i = 0; i < run.length; ) {
    const { charset } = run[i]!;
    let next = i + 1;
    while (next < run.length && run[next]!.charset === charset) next++;
    const part = sameCharset(run.slice(i, next), charset, decoder, found);
    if (part === null) return found.add('unknown-charset') && null;
    text += part;
    i = next;
  }
  if (/[^\P{Cc}\t]/u.test(text)) found.add('control');
  return text.replaceAll(/[^\P{Cc}\t]/gu, '\ufffd');
}

/** RFC 2047 5: "each encoded-word MUST represent an integral number of characters"; where they do not, their octets are put together. */
function sameCharset(
  run: readonly EncodedWord[],
  charset: string,
  decoder: DecodeCharset | undefined,
  found: Set<WordDeviation>,
): string | null {
  const texts = run.map(({ octets }) => charsetText(charset, octets, decoder));
  const apart = texts.includes(null) ? null : texts.join('');
  if (apart === null || !apart.includes('\ufffd')) return apart;
  if (run.length > 1) {
    const together = charsetText(charset, joined(run.map(({ octets }) => octets)), decoder);
    if (together !== null && !together.includes('\ufffd')) {
      found.add('split-character');
      return together;
    }
  }
  // A character that was sent is no broken octet.
  if (charset !== 'utf-8' || !run.every(({ octets }) => isUtf8(octets))) found.add('broken-octets');
  return apart;
}

function charsetText(charset: string, octets: Uint8Array, decoder: DecodeCharset | undefined): string | null {
  if (charset === 'utf-8' || charset === 'utf8') return textOf(octets);
  if (charset !== 'us-ascii' && charset !== 'iso-8859-1') return decoder?.(octets, charset) ?? null;
  const most = charset === 'us-ascii' ? 0x7f : 0xff;
  let text = '';
  for (const octet of octets) text += octet > most ? '\ufffd' : String.fromCharCode(octet);
  return text;
}
