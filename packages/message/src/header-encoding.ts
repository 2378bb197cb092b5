import { octets } from '@ehlo/grammar';
import type { TransferEncoding } from './content-fields.ts';
import { isNamed } from './field.ts';
import type { PartHeader } from './part-reader.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * The octets of a header that says this encoding: every field that said one is changed, as programs disagree which of two counts; where there
 * is none, one is added at the end. All else stays as it is.
 */
export function withEncoding(header: PartHeader, encoding: TransferEncoding): readonly Uint8Array[] {
  const { fields, raw } = header;
  const pieces: Uint8Array[] = [];
  let at = 0;
  let said = false;
  for (const field of fields) {
    if (!isNamed(field, 'Content-Transfer-Encoding')) continue;
    said = true;
    const end = field.offset + field.raw.length;
    pieces.push(raw.subarray(at, field.offset + field.valueAt), octets(` ${encoding}`));
    at = end - lineEnd(field.raw);
  }
  const coded = encoding === 'base64' || encoding === 'quoted-printable';
  const added = said ? '' : `Content-Transfer-Encoding: ${encoding}\r\n`;
  // Behind the last field, before the blank line.
  const last = fields.at(-1);
  const fieldsEnd = last === undefined ? raw.length - blankLine(raw) : last.offset + last.raw.length;
  const blank = raw.subarray(fieldsEnd);
  pieces.push(raw.subarray(at, fieldsEnd), octets(added + (coded ? mimeFields(header) : '')));
  // Text that is encoded could look like a field.
  pieces.push(blank.length === 0 && coded ? octets('\r\n') : blank);
  return pieces;
}

/** RFC 1428 3: what a message lacks to be one of MIME; what its octets beyond ASCII stand for is not known. */
function mimeFields({ fields, within }: PartHeader): string {
  const isMessage = within === null || within.type === 'message/rfc822';
  if (!isMessage || fields.some((field) => isNamed(field, 'MIME-Version'))) return '';
  const typed = fields.some((field) => isNamed(field, 'Content-Type'));
  return `MIME-Version: 1.0\r\n${typed ? '' : 'Content-Type: text/plain; charset=unknown-8bit\r\n'}`;
}

/** Octets of the line end that octets end with. */
function lineEnd(bytes: Uint8Array, to: number = bytes.length): number {
  if (bytes[to - 1] !== LF) return 0;
  return bytes[to - 2] === CR ? 2 : 1;
}

/** Octets of the blank line that a header without fields ends with. */
function blankLine(raw: Uint8Array): number {
  const length = lineEnd(raw);
  const before = raw.length - length;
  return length > 0 && (before === 0 || lineEnd(raw, before) > 0) ? length : 0;
}
