import { latin1 } from '@ehlo/grammar';
import { attribute, extendedText, extendedValue, isWord, token } from '@ehlo/grammar/imf';
import { type DecodeCharset, decodeCharset } from './charset.ts';
import { blank, DQUOTE, type Found, OPEN_PAREN, quoted, trimmed, utf8 } from './mime-text.ts';
import { ANY_WORD } from './word-deviation.ts';
import { decodeWords } from './word-reader.ts';

/** A parameter of a MIME field (RFC 2045 5.1), put together and decoded (RFC 2231 3, 4). */
export interface MimeParameter {
  /** In small letters. */
  readonly name: string;
  readonly value: string;
  /** The language tag of an extended value, where it has one. */
  readonly language?: string;
}

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

/** A value as it is written. */
interface Written {
  readonly octets: Uint8Array;
  readonly quoted: boolean;
}

/** What stands in a field of one parameter. */
interface Forms {
  plain?: Written;
  /** `name*` */
  extended?: Written;
  /** `name*0`, `name*0*` … */
  readonly sections: Map<number, Written & { readonly extended: boolean }>;
}

/** RFC 2045 5.1: `*(";" parameter)`, from behind what stands before them, to the end of the field. */
export function readParameters(bytes: Uint8Array, from: number, found: Found, decode?: DecodeCharset): readonly MimeParameter[] {
  const all = new Map<string, Forms>();
  for (let i = separator(bytes, from, found); i < bytes.length; i = separator(bytes, i, found)) i = readOne(bytes, i, found, all);
  return [...all].map(([name, forms]) => ({ name, ...together(name, forms, found, decode) }));
}

/** What stands between two parameters: where the next one begins; the end if there is none. */
function separator(bytes: Uint8Array, from: number, found: Found): number {
  const to = bytes.length;
  let i = blank(bytes, from, to, found);
  if (i === to) return to;
  if (bytes[i] !== SEMICOLON) {
    const end = token(bytes, i, to);
    const named = end > 0 && end < to && bytes[end] === EQUALS;
    found.add(named ? 'no-semicolon' : 'text-behind-value');
    if (named) return i;
    i = semicolonAfter(bytes, i);
    if (i === to) return to;
  }
  for (;;) {
    i = blank(bytes, i + 1, to, found);
    if (i < to && bytes[i] !== SEMICOLON) return i;
    found.add('empty-parameter');
    if (i === to) return to;
  }
}

function semicolonAfter(bytes: Uint8Array, from: number): number {
  const i = bytes.indexOf(SEMICOLON, from);
  return i < 0 ? bytes.length : i;
}

/** A parameter that begins at `from`; returns where it ends. */
function readOne(bytes: Uint8Array, from: number, found: Found, all: Map<string, Forms>): number {
  const to = bytes.length;
  let nameEnd = token(bytes, from, to);
  let equals = nameEnd < 0 ? nameEnd : blank(bytes, nameEnd, to, found);
  if (equals < 0 || bytes[equals] !== EQUALS) {
    nameEnd = from;
    while (nameEnd < to && bytes[nameEnd] !== EQUALS && bytes[nameEnd] !== SEMICOLON) nameEnd++;
    found.add(bytes[nameEnd] === EQUALS ? 'odd-parameter-name' : 'no-value');
    if (bytes[nameEnd] !== EQUALS) return nameEnd;
    equals = nameEnd;
  }
  const name = trimmed(bytes, from, nameEnd);
  const [written, end] = readValue(bytes, blank(bytes, equals + 1, to, found), found);
  // What has no name is none.
  if (name.length > 0) keep(latin1(name, 0, name.length).toLowerCase(), written, found, all);
  return end;
}

function readValue(bytes: Uint8Array, from: number, found: Found): readonly [Written, number] {
  const to = bytes.length;
  if (bytes[from] === DQUOTE) {
    const [octets, end] = quoted(bytes, from, to, found);
    return [{ octets, quoted: true }, end];
  }
  const end = token(bytes, from, to);
  const behind: Found = new Set();
  // A parenthesis that stands in a word and is never closed opens no comment; its end is looked for once.
  const next = end < 0 || found.has('odd-comment') ? Math.max(end, from) : blank(bytes, end, to, behind);
  const open = behind.has('odd-comment') && bytes[end] === OPEN_PAREN;
  if (open) found.add('odd-comment');
  else if (end >= 0 && (next === to || bytes[next] === SEMICOLON || (next > end && isNamed(bytes, next)))) {
    return [{ octets: bytes.slice(from, end), quoted: false }, end];
  }
  const stop = semicolonAfter(bytes, open ? end : next);
  const octets = trimmed(bytes, from, stop);
  found.add(octets.length === 0 ? 'no-value' : 'no-quotes');
  return [{ octets, quoted: false }, stop];
}

/** Whether a parameter begins here that lacks its semicolon. */
function isNamed(bytes: Uint8Array, from: number): boolean {
  const end = token(bytes, from, bytes.length);
  return end > 0 && bytes[end] === EQUALS;
}

/** RFC 2231 7: `attribute [ "*" section ] [ "*" ]` */
const SECTIONED = /^([^*]+)(?:\*(0|[1-9][0-9]{0,8}))?(\*)?$/;

function keep(name: string, written: Written, found: Found, all: Map<string, Forms>): void {
  const [, base = name, section, star] = SECTIONED.exec(name) ?? [];
  if (
    !isWord(
      attribute,
      Uint8Array.from(base, (character) => character.charCodeAt(0)),
    )
  )
    found.add('odd-parameter-name');
  const forms: Forms = all.get(base) ?? { sections: new Map() };
  all.set(base, forms);
  const extended = star !== undefined;
  if (section !== undefined) {
    if (forms.sections.has(Number(section))) found.add('broken-continuation');
    else forms.sections.set(Number(section), { ...written, extended });
  } else {
    const kind = extended ? 'extended' : 'plain';
    if (forms[kind] === undefined) forms[kind] = written;
    else found.add('duplicate-parameter');
  }
}

function together(name: string, { plain, extended, sections }: Forms, found: Found, decode?: DecodeCharset): Omit<MimeParameter, 'name'> {
  if ([plain, extended, sections.size > 0 || undefined].filter((form) => form !== undefined).length > 1) found.add('plain-and-extended');
  if (extended !== undefined) return decoded([{ ...extended, extended: true }], found, decode);
  const continued: (Written & { readonly extended: boolean })[] = [];
  for (let k = 0; sections.has(k); k++) continued.push(sections.get(k)!);
  if (continued.length < sections.size) found.add('broken-continuation');
  if (continued.length > 0) return decoded(continued, found, decode);
  const value = utf8((plain ?? [...sections.values()][0]!).octets, found);
  return { value: NAMES_OF_FILES.has(name) ? withWords(value, found, decode) : value };
}

/** The parameters in which programs write encoded words; in others, as in a boundary, what looks like one is none. */
const NAMES_OF_FILES: ReadonlySet<string> = /* @__PURE__ */ new Set(['filename', 'name']);

function withWords(value: string, found: Found, decode?: DecodeCharset): string {
  const text = decodeWords(value, { decode, tolerate: ANY_WORD }, new Set(), ' \t');
  if (text !== value) found.add('encoded-word');
  return text;
}

/** RFC 2231 4.1: the first section says the charset and the language of all of them. */
function decoded(
  sections: readonly (Written & { readonly extended: boolean })[],
  found: Found,
  decode?: DecodeCharset,
): Omit<MimeParameter, 'name'> {
  const octets: number[] = [];
  let charset: string | null = null;
  let language = '';
  for (const [k, section] of sections.entries()) {
    let from = 0;
    if (section.extended) {
      const rule = k === 0 ? extendedValue : extendedText;
      if (section.quoted || !isWord(rule, section.octets)) found.add('broken-percent');
      if (k === 0) {
        const [, before = null, tag = ''] = /^([^']*)'([^']*)'/.exec(latin1(section.octets, 0, section.octets.length)) ?? [];
        charset = before;
        language = tag;
        if (before !== null) from = before.length + tag.length + 2;
      }
      if (charset === null) found.add('no-charset');
      percentDecoded(section.octets, from, octets);
    } else for (const octet of section.octets) octets.push(octet);
  }
  const value = decodeCharset(Uint8Array.from(octets), charset === null || charset === '' ? 'utf-8' : charset, found, decode);
  return language === '' ? { value } : { value, language };
}

const PERCENT = 0x25;

function percentDecoded(bytes: Uint8Array, from: number, into: number[]): void {
  for (let i = from; i < bytes.length; i++) {
    const hex = bytes[i] === PERCENT ? /^[0-9A-Fa-f]{2}/.exec(latin1(bytes, i + 1, Math.min(i + 3, bytes.length))) : null;
    into.push(hex === null ? bytes[i]! : Number.parseInt(hex[0], 16));
    if (hex !== null) i += 2;
  }
}
