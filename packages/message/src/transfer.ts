import { decodeBase64, latin1, octets } from '@ehlo/grammar';
import { QuotedPrintableEncoder } from './transfer-encoder.ts';

/** Octets of a part without their transfer encoding (RFC 2045 6), however odd they are; an encoding that is not known is none. */
export function decodeTransfer(bytes: Uint8Array, encoding: string): Uint8Array {
  const name = encoding.trim().toLowerCase();
  if (name === 'base64') return fromBase64(latin1(bytes, 0, bytes.length));
  return name === 'quoted-printable' ? fromQuotedPrintable(latin1(bytes, 0, bytes.length)) : bytes;
}

/** RFC 2045 6.8: "Any characters outside of the base64 alphabet are to be ignored"; what is no whole octet at the end is left out. */
function fromBase64(text: string): Uint8Array {
  const [data = ''] = text.replaceAll(/[^A-Za-z0-9+/=]+/g, '').split('=');
  const whole = data.length - (data.length % 4);
  // The bits behind the last octet are none of it.
  const rest = data.slice(whole);
  const tail = rest.length === 2 ? 4 : rest.length === 3 ? 2 : 0;
  const last = tail === 0 ? '' : `${rest.slice(0, -1)}${zeroed(rest.at(-1)!, tail)}${'='.repeat(4 - rest.length)}`;
  return decodeBase64(octets(data.slice(0, whole) + last)) ?? new Uint8Array(0);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A digit of base64 with so many of its last bits zero. */
function zeroed(digit: string, bits: number): string {
  const value = ALPHABET.indexOf(digit);
  return ALPHABET[value - (value % (1 << bits))]!;
}

/** RFC 2045 6.7: white space at the end of a line is none of it; an equals sign that stands for nothing stays. */
function fromQuotedPrintable(text: string): Uint8Array {
  const lines = text.split('\n');
  const decoded = lines.map((line, i) => {
    const crlf = line.endsWith('\r');
    let end = crlf ? line.length - 1 : line.length;
    while (line[end - 1] === ' ' || line[end - 1] === '\t') end--;
    if (line[end - 1] === '=') return line.slice(0, end - 1);
    return line.slice(0, end) + (i === lines.length - 1 ? '' : crlf ? '\r\n' : '\n');
  });
  return octets(decoded.join('').replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));
}

/** Octets whose lines end with CRLF as quoted-printable (RFC 2045 6.7), whole. */
export function encodeQuotedPrintable(bytes: Uint8Array): string {
  const encoder = new QuotedPrintableEncoder();
  return [encoder.push(bytes), encoder.end()].map((text) => latin1(text, 0, text.length)).join('');
}
