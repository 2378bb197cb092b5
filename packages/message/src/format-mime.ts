import { encodeUtf8, octets } from '@ehlo/grammar';
import { attribute, isWord, mediaType, token } from '@ehlo/grammar/imf';
import type { AutoSubmitted, ContentType, Disposition } from './content-fields.ts';
import type { MimeParameter } from './parameters.ts';

/**
 * Writes the value of a Content-Type (RFC 2045 5.1), a line for each parameter: values that are no tokens in quotes, others than printable
 * ASCII in UTF-8 by RFC 2231, long ones in sections; lines have at most 78 characters wherever names and boundaries (70) leave room for that.
 * A type that is none is `application/octet-stream`; a parameter with a name that is none is left out.
 *
 * @example
 * ```ts
 * import { formatContentType } from '@ehlo/message/mime';
 * formatContentType({ type: 'text/plain', parameters: [{ name: 'name', value: 'Übersicht' }, { name: 'charset', value: 'utf-8' }] })
 * // → "text/plain;\r\n name*=utf-8''%C3%9Cbersicht;\r\n charset=utf-8"
 * ```
 */
export function formatContentType({ type, parameters }: ContentType): string {
  return `${isWord(mediaType, octets(type)) ? type : 'application/octet-stream'}${formatParameters(parameters)}`;
}

/** Writes the value of a Content-Disposition (RFC 2183 2), as `formatContentType` does; what is no token is `attachment`. */
export function formatDisposition({ disposition, parameters }: Disposition): string {
  return `${isWord(token, octets(disposition)) ? disposition : 'attachment'}${formatParameters(parameters)}`;
}

/** Writes the value of an Auto-Submitted (RFC 3834 5.1), as `formatContentType` does; what is no token is `auto-generated`. */
export function formatAutoSubmitted({ keyword, parameters }: AutoSubmitted): string {
  return `${isWord(token, octets(keyword)) ? keyword : 'auto-generated'}${formatParameters(parameters)}`;
}

/** RFC 5322 2.1.1 wants lines of 78 characters; a space before, a semicolon behind. */
const ROOM = 76;

/** RFC 2046 5.1.1: a boundary has at most 70 octets, and many programs can't put one together. */
const WHOLE = 70;

function formatParameters(parameters: readonly MimeParameter[]): string {
  return parameters
    .filter(({ name }) => isWord(attribute, octets(name)))
    .flatMap((parameter) => sectionsOf(parameter).map((section) => `;\r\n ${section}`))
    .join('');
}

/** Printable ASCII; what looks like an encoded word (RFC 2047 5) is not taken for one in an extended value. */
const PRINTABLE = /^[ -~]*$/;

function sectionsOf({ name, value, language = '' }: MimeParameter): readonly string[] {
  if (language === '' && PRINTABLE.test(value) && !value.includes('=?')) {
    const text = isWord(token, octets(value)) ? value : quotedOf(value);
    if (name.length + 1 + text.length <= ROOM || value.length <= WHOLE) return [`${name}=${text}`];
  }
  const start = `utf-8'${isWord(attribute, octets(language)) ? language : ''}'`;
  const pieces = [...encodeUtf8(value)].map((octet) => {
    const character = Uint8Array.of(octet);
    return isWord(attribute, character) ? String.fromCharCode(octet) : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  const whole = `${name}*=${start}${pieces.join('')}`;
  if (whole.length <= ROOM) return [whole];
  const sections: string[] = [];
  let section = `${name}*0*=${start}`;
  for (const piece of pieces) {
    if (section.length + piece.length > ROOM && !section.endsWith('=')) {
      sections.push(section);
      section = `${name}*${sections.length}*=`;
    }
    section += piece;
  }
  return [...sections, section];
}

function quotedOf(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
