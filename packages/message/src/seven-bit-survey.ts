import { isUtf8 } from '@ehlo/grammar/imf';
import type { TransferEncoding } from './content-fields.ts';
import type { MultipartDeviation } from './multipart-deviation.ts';
import { OctetSurvey } from './octet-survey.ts';
import { encodingOf } from './part-fields.ts';
import { type PartHeader, PartReader, type PartReaderOptions } from './part-reader.ts';
import { type CannotConvert, cannot, type SevenBitCode } from './seven-bit-reason.ts';
import { covers, type Signature, signaturesOf } from './signature.ts';

/** How a message becomes 7-bit: the encoding that each of its parts will have; null: it stays as it is. */
export interface SevenBitWay {
  readonly cannot: null;
  /** For each part, those that hold others included, in the order of the message. */
  readonly encodings: readonly (TransferEncoding | null)[];
}

export interface SevenBitOptions extends Omit<PartReaderOptions, 'messages'> {
  /** The addresses of the envelope. One with a local part beyond ASCII can't be sent; a domain beyond ASCII can, as A-labels. */
  readonly addresses?: readonly string[];
}

/**
 * Looks through a message, and says whether and how it becomes 7-bit (RFC 6152 3, RFC 2045): the first of two passes. It keeps a word for each
 * part and no content. What can't be is told as early as it is seen, and nothing else is told then.
 *
 * @example
 * ```ts
 * import { SevenBitSurvey } from '@ehlo/message/seven-bit';
 * const survey = new SevenBitSurvey();
 * survey.push(new TextEncoder().encode('Subject: hello\r\nMIME-Version: 1.0\r\n\r\nGrüße\r\n'));
 * survey.end()
 * // → { cannot: null, encodings: ['base64'] }
 * ```
 */
export class SevenBitSurvey {
  readonly #encodings: (TransferEncoding | null)[] = [];
  /** For each depth why nothing can be changed there: what holds it is signed, or encoded itself (RFC 2045 6.4). */
  readonly #closed: ('signed' | 'encoded' | null)[] = [null];
  readonly #parts: PartReader;
  /** The leaf that is read. */
  #leaf: PartHeader | null = null;
  #octets: OctetSurvey = new OctetSurvey();
  #cannot: CannotConvert | null = null;

  constructor({ addresses = [], ...limits }: SevenBitOptions = {}) {
    if (addresses.some(hasWideLocalPart)) this.#cant('utf8-address', null);
    const sink = {
      part: (header: PartHeader): void => this.#part(header),
      content: (bytes: Uint8Array): void => this.#octets.push(bytes),
      endPart: (): void => this.#endPart(),
      around: (bytes: Uint8Array): void => {
        if (bytes.some((octet) => octet >= 0x80)) this.#cant('around-parts', null);
      },
      end: (found: ReadonlySet<MultipartDeviation>): void => {
        if (LIMITS.some((one) => found.has(one))) this.#cant('limits', null);
      },
    };
    this.#parts = new PartReader(sink, { ...limits, messages: true });
  }

  /** Not null: it can't be made 7-bit, and no more of it need be read. */
  get cannot(): CannotConvert | null {
    return this.#cannot;
  }

  /** The next octets of the message: lent until it returns. */
  push(bytes: Uint8Array): void {
    if (this.#cannot === null) this.#parts.push(bytes);
  }

  /** There are no more. */
  end(): SevenBitWay | CannotConvert {
    if (this.#cannot === null) this.#parts.end();
    return this.#cannot ?? { cannot: null, encodings: this.#encodings };
  }

  /** The first reason counts. */
  #cant(code: SevenBitCode, part: number | null = this.#encodings.length - 1): void {
    this.#cannot ??= cannot(code, part);
  }

  #part(header: PartHeader): void {
    const { fields, raw, depth, content, composite, within } = header;
    const encoding = encodingOf(fields);
    // A signature of DKIM stands in the header of a message.
    const isMessage = within === null || within.type === 'message/rfc822';
    const closed = this.#closed[depth]! ?? (isMessage && signaturesOf(fields).some(isBroken) ? 'signed' : null);
    const encoded = composite && !UNCODED.has(encoding) ? 'encoded' : null;
    this.#closed.length = depth;
    this.#closed.push(closed, closed ?? (content.type === 'multipart/signed' ? 'signed' : encoded));
    // RFC 2045 6.4: what holds parts has the widest encoding of what is in them, and that will be 7bit.
    this.#encodings.push(composite && WIDE.has(encoding) && closed === null ? '7bit' : null);
    this.#leaf = composite ? null : header;
    this.#octets = new OctetSurvey();
    if (raw.some((octet) => octet >= 0x80)) this.#cant(isUtf8(raw) ? 'utf8-header' : 'eight-bit-header');
  }

  #endPart(): void {
    const { fields, content, depth } = this.#leaf!;
    const encoding = encodingOf(fields);
    const closed = this.#closed[depth]!;
    let way: TransferEncoding | null = null;
    if (this.#octets.seven) way = WIDE.has(encoding) && closed === null ? '7bit' : null;
    else if (closed !== null) this.#cant(closed);
    else if (!UNCODED.has(encoding)) this.#cant('encoded');
    else if (!mayBeEncoded(content.type)) this.#cant('unencodable');
    // RFC 3030 3: "binary" has no lines that anything else could keep.
    else way = encoding === 'binary' ? 'base64' : this.#octets.encoding;
    this.#encodings[this.#encodings.length - 1] = way;
  }
}

const LIMITS: readonly MultipartDeviation[] = ['too-deep', 'too-many-parts', 'header-refused'];

/** Encodings that a 7-bit message has not, and those that are none. */
const WIDE: ReadonlySet<TransferEncoding> = /* @__PURE__ */ new Set(['8bit', 'binary']);
const UNCODED: ReadonlySet<TransferEncoding> = /* @__PURE__ */ new Set(['7bit', '8bit', 'binary']);

/** RFC 2045 6.4, RFC 2046 5.2: neither a multipart nor a message is; RFC 6532 3.7, RFC 6533 4: but what has "global" in its name. */
function mayBeEncoded(type: string): boolean {
  return !/^(?:multipart|message)\//.test(type) || type.startsWith('message/global');
}

/** The fields that say the encoding of a part, and what they need. */
const SAYS: readonly string[] = ['Content-Transfer-Encoding', 'Content-Type', 'MIME-Version'];

/** Whether encoding breaks a signature: over any of the body (RFC 6376 3.7), or over a field that says the encoding. */
function isBroken(signature: Signature): boolean {
  return signature.bodyLength !== 0 || SAYS.some((name) => covers(signature, name, 0));
}

/** RFC 6531 3.2: a domain can be sent as A-labels; only its host knows other forms of a local part. */
function hasWideLocalPart(address: string): boolean {
  return /[^\0-\x7f]/.test(address.slice(0, Math.max(0, address.lastIndexOf('@'))));
}
