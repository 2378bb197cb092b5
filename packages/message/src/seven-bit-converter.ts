import { octets } from '@ehlo/grammar';
import { withEncoding } from './header-encoding.ts';
import { type PartHeader, PartReader } from './part-reader.ts';
import type { CannotConvert } from './seven-bit-reason.ts';
import { type SevenBitOptions, SevenBitSurvey, type SevenBitWay } from './seven-bit-survey.ts';
import { Base64Encoder, QuotedPrintableEncoder, type TransferEncoder } from './transfer-encoder.ts';

/**
 * Makes a message 7-bit in the way that was found: the second of two passes, over the same octets. Parts are encoded, fields that say their
 * encoding are changed or added, and every other octet is kept. It holds no more than a line and a header.
 *
 * @example
 * ```ts
 * import { SevenBitConverter } from '@ehlo/message/seven-bit';
 * const converter = new SevenBitConverter({ cannot: null, encodings: ['quoted-printable'] });
 * converter.push(new TextEncoder().encode('MIME-Version: 1.0\r\n\r\nGrüße\r\n'));
 * converter.end();
 * let text = '';
 * for (let bytes = converter.next(); bytes !== null; bytes = converter.next()) text += new TextDecoder().decode(bytes);
 * text
 * // → 'MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n'
 * ```
 */
export class SevenBitConverter {
  readonly #encodings: SevenBitWay['encodings'];
  readonly #parts: PartReader;
  readonly #output: Uint8Array[] = [];
  #index = 0;
  #encoder: TransferEncoder | null = null;
  /** What ends a line that was encoded last, if nothing else does. */
  #lineEnd = '';

  /** With the limits that the survey had. */
  constructor({ encodings }: SevenBitWay, { addresses: _, ...limits }: SevenBitOptions = {}) {
    this.#encodings = encodings;
    const sink = {
      part: (header: PartHeader): void => this.#part(header),
      content: (bytes: Uint8Array): void => this.#write(this.#encoder === null ? bytes.slice() : this.#encoder.push(bytes)),
      endPart: (): void => this.#endPart(),
      around: (bytes: Uint8Array): void => {
        this.#lineEnd = '';
        this.#write(bytes.slice());
      },
      end: (): void => this.#write(octets(this.#lineEnd)),
    };
    this.#parts = new PartReader(sink, { ...limits, messages: true });
  }

  /** The next octets of the message: lent until it returns. */
  push(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  /** There are no more. */
  end(): void {
    this.#parts.end();
  }

  /** Octets that are ready; null: push more, or it is over. */
  next(): Uint8Array | null {
    return this.#output.shift() ?? null;
  }

  #write(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#output.push(bytes);
  }

  #part(header: PartHeader): void {
    const encoding = this.#encodings[this.#index++] ?? null;
    this.#lineEnd = '';
    if (encoding === null) return this.#write(header.raw);
    for (const piece of withEncoding(header, encoding)) this.#write(piece);
    this.#encoder = encoding === 'base64' ? new Base64Encoder() : encoding === 'quoted-printable' ? new QuotedPrintableEncoder() : null;
  }

  #endPart(): void {
    if (this.#encoder === null) return;
    this.#write(this.#encoder.end());
    this.#lineEnd = this.#encoder.lineEnd;
    this.#encoder = null;
  }
}

/**
 * Makes a message 7-bit that is held whole, in both passes; or says why it can't be.
 *
 * @example
 * ```ts
 * import { toSevenBit } from '@ehlo/message/seven-bit';
 * const result = toSevenBit(new TextEncoder().encode('Subject: Grüße\r\n\r\ntext\r\n'));
 * result instanceof Uint8Array ? result : [result.cannot, result.enhanced]
 * // → ['utf8-header', '5.6.9']
 * ```
 */
export function toSevenBit(message: Uint8Array, options: SevenBitOptions = {}): Uint8Array | CannotConvert {
  const survey = new SevenBitSurvey(options);
  survey.push(message);
  const way = survey.end();
  if (way.cannot !== null) return way;
  const converter = new SevenBitConverter(way, options);
  converter.push(message);
  converter.end();
  const pieces: Uint8Array[] = [];
  for (let bytes = converter.next(); bytes !== null; bytes = converter.next()) pieces.push(bytes);
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
