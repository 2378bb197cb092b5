import { latin1, octets } from '@ehlo/grammar';
import { looseBase64 } from '@ehlo/grammar/imf';
import { QuotedPrintableEncoder } from './transfer-encoder.ts';

/** Octets of a part without their transfer encoding (RFC 2045 6), however odd they are; an encoding that is not known is none. */
export function decodeTransfer(bytes: Uint8Array, encoding: string): Uint8Array {
  const name = encoding.trim().toLowerCase();
  if (name === 'base64') return looseBase64(bytes).octets;
  return name === 'quoted-printable' ? fromQuotedPrintable(latin1(bytes, 0, bytes.length)) : bytes;
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
