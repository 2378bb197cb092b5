import { latin1 } from '@ehlo/grammar';
import { textOf } from '@ehlo/grammar/imf';
import { type Found, utf8 } from './mime-text.ts';

/** Decodes octets of a charset, by its name in small letters; null where it is not known. */
export type DecodeCharset = (octets: Uint8Array, charset: string) => string | null;

/** Octets as text. UTF-8, ASCII and ISO-8859-1 are known here, others to the program's decoder. */
export function decodeCharset(bytes: Uint8Array, charset: string, found: Found, decode?: DecodeCharset): string {
  const name = charset.toLowerCase();
  if (name === 'utf-8' || name === 'utf8') return utf8(bytes, found);
  if (name === 'iso-8859-1' || name === 'latin1') return latin1(bytes, 0, bytes.length);
  const text = name === 'us-ascii' || name === 'ascii' ? null : (decode?.(bytes, name) ?? null);
  if (text !== null) return text;
  if (name !== 'us-ascii' && name !== 'ascii') found.add('unknown-charset');
  else if (bytes.some((octet) => octet >= 0x80)) found.add('octets-beyond-charset');
  return textOf(bytes.map((octet) => (octet < 0x80 ? octet : 0xff)));
}
