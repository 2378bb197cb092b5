import { latin1 } from '@ehlo/grammar';
import { octetsOf, type Parsed, token } from '@ehlo/grammar/imf';
import type { DecodeCharset } from './charset.ts';
import { judged } from './judged.ts';
import { EVERYDAY_MIME, type MimeDeviation } from './mime-deviation.ts';
import { blank, CR, type Found, LF } from './mime-text.ts';
import { type MimeParameter, readParameters } from './parameters.ts';

/** What a Content-Type says (RFC 2045 5.1). */
export interface ContentType {
  /** `type/subtype`, in small letters. */
  readonly type: string;
  readonly parameters: readonly MimeParameter[];
}

/** What a Content-Disposition says (RFC 2183 2). */
export interface Disposition {
  /** `inline`, `attachment` or another token, in small letters; RFC 2183 2.8: what is not known is an attachment. */
  readonly disposition: string;
  readonly parameters: readonly MimeParameter[];
}

/** What an Auto-Submitted says (RFC 3834 5). */
export interface AutoSubmitted {
  /** In small letters; all but `no` mean that the message was sent automatically. */
  readonly keyword: 'no' | 'auto-generated' | 'auto-replied' | (string & {});
  readonly parameters: readonly MimeParameter[];
}

/** A transfer encoding (RFC 2045 6.1), in small letters. */
export type TransferEncoding = '7bit' | '8bit' | 'binary' | 'quoted-printable' | 'base64' | (string & {});

export interface MimeOptions {
  /** The deviations that are taken. Default: all, `EVERYDAY_MIME`. */
  readonly tolerate?: ReadonlySet<MimeDeviation>;
  /** Decodes values in charsets other than UTF-8, ASCII and ISO-8859-1. */
  readonly decode?: DecodeCharset;
}

/** RFC 2045 5.2: what is meant where there is no Content-Type, or one that can't be read. */
export const PLAIN_TEXT: ContentType = { type: 'text/plain', parameters: [] };

/**
 * Parses the value of a Content-Type (RFC 2045 5.1), folded or not, its parameters put together and decoded (RFC 2231). Every deviation is
 * taken and told, unless `tolerate` names those that are. One without type or subtype is text/plain (5.2), its parameters kept.
 *
 * @example
 * ```ts
 * import { parameterOf, parseContentType } from '@ehlo/message/mime';
 * const parsed = parseContentType("text/plain; name*0*=utf-8''%e2%82%ac; name*1=.txt; charset=us-ascii (plain)");
 * parsed.ok && [parsed.value.type, parameterOf(parsed.value, 'name'), parameterOf(parsed.value, 'charset')]
 * // → ['text/plain', '€.txt', 'us-ascii']
 * ```
 */
export function parseContentType(value: Uint8Array | string, options: MimeOptions = {}): Parsed<ContentType, MimeDeviation> {
  return parse(value, 'content', '2045 5.1', options, (bytes, found) => {
    const from = blank(bytes, 0, bytes.length, found);
    const [type, typeEnd] = bytes[token(bytes, from, bytes.length)] === EQUALS ? ['', from] : readToken(bytes, from);
    const slash = blank(bytes, typeEnd, bytes.length, found);
    const subtypeAt = bytes[slash] === SLASH ? blank(bytes, slash + 1, bytes.length, found) : slash;
    const [subtype, end] = bytes[slash] === SLASH ? readToken(bytes, subtypeAt) : ['', typeEnd];
    const known = type !== '' && subtype !== '';
    if (!known) found.add('no-type');
    return { type: known ? `${type}/${subtype}` : PLAIN_TEXT.type, parameters: readParameters(bytes, end, found, options.decode) };
  });
}

/**
 * Parses the value of a Content-Disposition (RFC 2183 2), as `parseContentType` does. One without a type is an attachment (2.8).
 *
 * @example
 * ```ts
 * import { parseDisposition } from '@ehlo/message/mime';
 * const parsed = parseDisposition('attachment; filename=my report.pdf;');
 * parsed.ok && [parsed.value.parameters, parsed.deviations]
 * // → [[{ name: 'filename', value: 'my report.pdf' }], ['no-quotes', 'empty-parameter']]
 * ```
 */
export function parseDisposition(value: Uint8Array | string, options: MimeOptions = {}): Parsed<Disposition, MimeDeviation> {
  return parse(value, 'disposition', '2183 2', options, (bytes, found) => {
    const [disposition, parameters] = keywordAndParameters(bytes, found, 'attachment', options);
    return { disposition, parameters };
  });
}

/**
 * Parses the value of an Auto-Submitted (RFC 3834 5.1), as `parseContentType` does. One without a keyword is `auto-generated`: a sender
 * that writes the field at all is no person.
 *
 * @example
 * ```ts
 * import { parseAutoSubmitted } from '@ehlo/message/mime';
 * const parsed = parseAutoSubmitted('auto-replied (vacation)');
 * parsed.ok && parsed.value.keyword
 * // → 'auto-replied'
 * ```
 */
export function parseAutoSubmitted(value: Uint8Array | string, options: MimeOptions = {}): Parsed<AutoSubmitted, MimeDeviation> {
  return parse(value, 'auto-submitted', '3834 5.1', options, (bytes, found) => {
    const [keyword, parameters] = keywordAndParameters(bytes, found, 'auto-generated', options);
    return { keyword, parameters };
  });
}

const ENCODINGS: ReadonlySet<string> = /* @__PURE__ */ new Set(['7bit', '8bit', 'binary', 'quoted-printable', 'base64']);

/**
 * Parses the value of a Content-Transfer-Encoding (RFC 2045 6.1). Without a word it is `7bit`; one that no RFC has is handed on as it is
 * (`unknown-encoding`): the content is then application/octet-stream, whatever its type (6.4).
 *
 * @example
 * ```ts
 * import { parseTransferEncoding } from '@ehlo/message/mime';
 * parseTransferEncoding('Quoted-Printable (what else)')
 * // → { ok: true, value: 'quoted-printable', deviations: [] }
 * ```
 */
export function parseTransferEncoding(value: Uint8Array | string, options: MimeOptions = {}): Parsed<TransferEncoding, MimeDeviation> {
  return parse(value, 'encoding', '2045 6.1', options, (bytes, found) => {
    const [word, end] = readToken(bytes, blank(bytes, 0, bytes.length, found));
    if (word === '') found.add('no-value');
    else if (!ENCODINGS.has(word) && !word.startsWith('x-')) found.add('unknown-encoding');
    if (blank(bytes, end, bytes.length, found) < bytes.length) found.add('text-behind-value');
    return word === '' ? '7bit' : word;
  });
}

/** The value of a parameter, by its name in small letters. */
export function parameterOf({ parameters }: { readonly parameters: readonly MimeParameter[] }, name: string): string | undefined {
  return parameters.find((one) => one.name === name)?.value;
}

const SLASH = 0x2f;
const EQUALS = 0x3d;

/** Reads, and refuses what is not tolerated. */
export function parse<T>(
  value: Uint8Array | string,
  rule: string,
  section: string,
  { tolerate = EVERYDAY_MIME }: MimeOptions,
  read: (bytes: Uint8Array, found: Found) => T,
): Parsed<T, MimeDeviation> {
  const octets = octetsOf(value);
  // The line end of a field is none of its value.
  let to = octets.length;
  while (to > 0 && (octets[to - 1] === LF || octets[to - 1] === CR)) to--;
  const bytes = octets.subarray(0, to);
  const found: Found = new Set();
  const result = read(bytes, found);
  const parsed = judged(result, found, tolerate, rule, section, bytes.length);
  // In the order in which they were met.
  return parsed.ok ? { ...parsed, deviations: [...found] } : parsed;
}

/** A token in small letters and where it ends; empty if there is none. */
function readToken(bytes: Uint8Array, from: number): readonly [word: string, end: number] {
  const end = token(bytes, from, bytes.length);
  return end < 0 ? ['', from] : [latin1(bytes, from, end).toLowerCase(), end];
}

function keywordAndParameters(
  bytes: Uint8Array,
  found: Found,
  absent: string,
  { decode }: MimeOptions,
): readonly [string, readonly MimeParameter[]] {
  const from = blank(bytes, 0, bytes.length, found);
  const [word, end] = readToken(bytes, from);
  // What stands before an equals sign is a parameter.
  const named = word !== '' && bytes[end] !== EQUALS;
  if (!named) found.add('no-type');
  return [named ? word : absent, readParameters(bytes, named ? end : from, found, decode)];
}
