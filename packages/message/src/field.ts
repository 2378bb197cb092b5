import { textOf } from '@ehlo/grammar/imf';
import type { HeaderDeviation } from './header-deviation.ts';

const LF = 0x0a;
const CR = 0x0d;

/** A field of a header, as it stands in the message. Its octets are its own: nothing changes them later. */
export interface Field {
  /** As it is written, without white space before the colon. */
  readonly name: string;
  /** The whole field: name, colon, value, and its line ends. */
  readonly raw: Uint8Array;
  /** Octets from the start of the message to the field. */
  readonly offset: number;
  /** Octets from the start of `raw` to the value: behind the colon. */
  readonly valueAt: number;
  /** How the field differs from RFC 5322 2.2. */
  readonly deviations: readonly HeaderDeviation[];
}

/** Whether a field has this name; case means nothing (RFC 5322 1.2.2). */
export function isNamed(field: Field, name: string): boolean {
  return field.name.toLowerCase() === name.toLowerCase();
}

/**
 * The value of a field, unfolded (RFC 5322 2.2.3) and without the white space around it: line ends are taken out, octets are UTF-8 (RFC 6532);
 * those that are not become U+FFFD.
 *
 * @example
 * ```ts
 * import { HeaderReader, fieldValue } from '@ehlo/message';
 * const reader = new HeaderReader();
 * reader.push(new TextEncoder().encode('Subject: a long\r\n subject\r\n\r\n'));
 * const event = reader.next();
 * event?.type === 'field' && fieldValue(event.field)
 * // → 'a long subject'
 * ```
 */
export function fieldValue(field: Field): string {
  return trimmed(textOf(field.raw, field.valueAt).replaceAll(/[\r\n]+/g, ''));
}

/**
 * The same field on one line that ends with CRLF (RFC 5322 2.2.3), which is what every parser of a value reads, where a line of the message
 * ends with LF alone (`bare-lf`), too. A CR without LF stays.
 *
 * @example
 * ```ts
 * import { HeaderReader, unfold } from '@ehlo/message';
 * const reader = new HeaderReader({ tolerate: new Set(['bare-lf']) });
 * reader.push(new TextEncoder().encode('Subject: a long\n subject\n\n'));
 * const event = reader.next();
 * event?.type === 'field' && new TextDecoder().decode(unfold(event.field).raw)
 * // → 'Subject: a long subject\r\n'
 * ```
 */
export function unfold(field: Field): Field {
  const { raw } = field;
  if (raw.indexOf(LF) === raw.length - 1 && raw.at(-2) === CR) return field;
  const line = new Uint8Array(raw.length + 2);
  let length = 0;
  for (const [i, octet] of raw.entries()) if (octet !== LF && (octet !== CR || raw[i + 1] !== LF)) line[length++] = octet;
  line[length++] = CR;
  line[length++] = LF;
  return { ...field, raw: line.subarray(0, length) };
}

/** The error for a deviation that is not tolerated; `@ehlo/message/words` describes it. */
export function untaken(name: string): string {
  return `a deviation that is not taken (${name})`;
}

/** A text without the white space of RFC 5322 around it; other characters that look like it are text. */
export function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (isBlank(text[from])) from++;
  while (to > from && isBlank(text[to - 1])) to--;
  return text.slice(from, to);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
