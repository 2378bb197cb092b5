import { encodeUtf8 } from '@ehlo/grammar';
import { type ContentType, parameterOf } from './content-fields.ts';
import { type Delimiter, delimiterAt, isOddBoundary, LONGEST_BOUNDARY } from './delimiter.ts';
import type { Field } from './field.ts';
import { ANY_HEADER } from './header-deviation.ts';
import { type HeaderLimits, HeaderReader } from './header-reader.ts';
import type { MultipartDeviation } from './multipart-deviation.ts';
import { joined, withRoom } from './octets.ts';
import { contentOf, encodingOf } from './part-fields.ts';

/** The header of a message, or of a part of one. */
export interface PartHeader {
  readonly fields: readonly Field[];
  /** All its octets, the blank line included. */
  readonly raw: Uint8Array;
  /** Of its Content-Type; what is meant where it has none (RFC 2045 5.2, RFC 2046 5.1.5). */
  readonly content: ContentType;
  /** Of what holds it; null for the message itself. */
  readonly within: ContentType | null;
  /** How many parts and messages hold it. */
  readonly depth: number;
  /** Whether parts of its own may follow; else it is a leaf, with content. */
  readonly composite: boolean;
}

/** Who is told what a part reader finds, in the order of the message. With `around` no octet is left out. */
export interface PartSink {
  /** A part begins; one that holds others before these. */
  part(header: PartHeader): void;
  /** Octets of the leaf that began last; lent. */
  content(bytes: Uint8Array): void;
  /** The leaf that began last is over. */
  endPart?(): void;
  /** Octets around the parts of a multipart: preamble, delimiters, epilogue; lent. */
  around?(bytes: Uint8Array): void;
  /** The message is over. */
  end(found: ReadonlySet<MultipartDeviation>): void;
}

export interface PartReaderOptions {
  /** Whether a message/rfc822 is taken apart, too. Default: false, it is a leaf. */
  readonly messages?: boolean;
  /** Parts and messages that hold each other. Ours; default 16. */
  readonly depth?: number;
  /** Parts, those that hold others included. Ours; default 10,000. */
  readonly parts?: number;
  /** Of each header. */
  readonly header?: Partial<HeaderLimits>;
}

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = new Uint8Array(0);

/** A part that holds the one that is read. */
interface Open {
  readonly content: ContentType;
  parts: number;
}

/**
 * Takes a message apart into its parts (RFC 2046 5.1), as a stream. It keeps no more than a header and a line that may be a delimiter, looks at
 * each octet once, and no octet makes it throw.
 *
 * @example
 * ```ts
 * import { PartReader } from '@ehlo/message/multipart';
 * const found: string[] = [];
 * const reader = new PartReader({
 *   part: ({ content, depth }) => found.push(`${'  '.repeat(depth)}${content.type}`),
 *   content: () => undefined,
 *   end: (deviations) => found.push(...deviations),
 * });
 * reader.push(new TextEncoder().encode('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n'));
 * reader.end();
 * found
 * // → ['multipart/mixed', '  text/plain', '  text/plain', 'no-close-delimiter']
 * ```
 */
export class PartReader {
  readonly #sink: PartSink;
  readonly #messages: boolean;
  readonly #depth: number;
  #partsLeft: number;
  readonly #limits: Partial<HeaderLimits>;
  readonly #open: Open[] = [];
  /** Of each of them; null: a message. */
  readonly #boundaries: (Uint8Array | null)[] = [];
  readonly #found = new Set<MultipartDeviation>();
  #state: 'header' | 'content' | 'around' = 'header';
  #header: HeaderReader;
  #fields: Field[] = [];
  /** Octets of the header so far. */
  #raw: Uint8Array = new Uint8Array(1024);
  #rawLength = 0;
  /** A line end that may belong to a delimiter, and the part of a line behind it that may be one. */
  #carry: Uint8Array = EMPTY;
  /** Octets of that line end; it stands before the line that begins there. */
  #lineEnd = 0;
  /** Whether a line begins behind it. */
  #lineStart = true;

  constructor(sink: PartSink, { messages = false, depth = 16, parts = 10_000, header = {} }: PartReaderOptions = {}) {
    this.#sink = sink;
    this.#messages = messages;
    this.#depth = depth;
    this.#partsLeft = parts;
    this.#limits = header;
    this.#header = this.#newHeader();
  }

  /** The next octets of the message: lent until it returns. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#read(this.#carry.length === 0 ? chunk : joined([this.#carry, chunk]), false);
  }

  /** There are no more octets. */
  end(): void {
    this.#read(this.#carry, true);
    this.#endPart();
    this.#close(0);
    this.#sink.end(this.#found);
  }

  /** Reads lines. */
  #read(bytes: Uint8Array, last: boolean): void {
    // What stands before it was handed on.
    let run = 0;
    let lineEnd = this.#lineEnd;
    let at = lineEnd;
    let lineStart = this.#lineStart;
    this.#carry = EMPTY;
    this.#lineEnd = 0;
    while (at < bytes.length) {
      const found = lineStart && this.#open.length > 0 ? delimiterAt(bytes, at, last, this.#boundaries) : null;
      if (found === 'unknown') return this.#keep(bytes, run, at - lineEnd, lineEnd, true);
      if (found !== null && this.#isTaken(found)) {
        this.#take(bytes.subarray(run, at - lineEnd));
        if (lineEnd === 1 || (bytes[found.to - 1] === LF && bytes[found.to - 2] !== CR)) this.#found.add('bare-lf-boundary');
        this.#delimiter(found, bytes.subarray(at - lineEnd, found.to));
        run = at = found.to;
        lineEnd = 0;
        continue;
      }
      const lf = bytes.indexOf(LF, at);
      if (lf < 0) {
        // A CR may be half of a line end.
        const end = bytes[bytes.length - 1] === CR && !last ? bytes.length - 1 : bytes.length;
        return this.#keep(bytes, run, end, 0, lineStart && end === at);
      }
      lineEnd = lf > at && bytes[lf - 1] === CR ? 2 : 1;
      at = lf + 1;
      lineStart = true;
      // A header's line ends are its own.
      if (this.#state === 'header') {
        if (!this.#take(bytes.subarray(run, at))) lineEnd = 0;
        run = at - lineEnd;
      }
    }
    this.#keep(bytes, run, last ? at : at - lineEnd, last ? 0 : lineEnd, lineStart);
  }

  /** Hands on `[run, to)` and keeps the rest: a line end of so many octets, and what is behind it. */
  #keep(bytes: Uint8Array, run: number, to: number, lineEnd: number, lineStart: boolean): void {
    this.#take(bytes.subarray(run, to));
    this.#carry = bytes.slice(to);
    this.#lineEnd = lineEnd;
    this.#lineStart = lineStart;
  }

  /** Hands octets on: those of a header a line at a time. True if a header turned out to be over before this line, whose line end then waits. */
  #take(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return false;
    if (this.#state === 'header') {
      this.#gather(bytes);
      this.#header.push(bytes);
      return this.#drain();
    }
    if (this.#state === 'content') this.#sink.content(bytes);
    else this.#sink.around?.(bytes);
    return false;
  }

  #gather(bytes: Uint8Array): void {
    const needed = this.#rawLength + bytes.length;
    this.#raw = withRoom(this.#raw, this.#rawLength, needed);
    this.#raw.set(bytes, this.#rawLength);
    this.#rawLength = needed;
  }

  /** What the reader of the header has found; true as above. */
  #drain(): boolean {
    let end = -1;
    let refused = false;
    for (let event = this.#header.next(); event !== null; event = this.#header.next()) {
      if (event.type === 'field') this.#fields.push(event.field);
      else if (event.type === 'end-of-header') end = event.offset + event.blankLine.length;
      else if (event.type === 'refused') {
        end = event.offset;
        refused = true;
        this.#found.add('header-refused');
      }
    }
    if (end < 0) return false;
    const raw = this.#raw.slice(0, this.#rawLength);
    this.#begin(raw.subarray(0, end), refused);
    return this.#rest(raw.subarray(end));
  }

  /** What was taken for a line of a header, and is behind it; after one that was refused, many lines. */
  #rest(bytes: Uint8Array): boolean {
    if (bytes.length === 0 || this.#state === 'header') return this.#take(bytes);
    const found = this.#state === 'around' ? delimiterAt(bytes, 0, true, this.#boundaries) : null;
    if (found !== null && found !== 'unknown' && this.#isTaken(found)) {
      this.#delimiter(found, bytes);
      return false;
    }
    const ends = bytes[bytes.length - 1] !== LF ? 0 : bytes[bytes.length - 2] === CR ? 2 : 1;
    this.#take(bytes.subarray(0, bytes.length - ends));
    return ends > 0;
  }

  /** The header of a part is over. */
  #begin(raw: Uint8Array, refused: boolean): void {
    const fields = this.#fields;
    const within = this.#open.at(-1)?.content ?? null;
    const content = contentOf(fields, within);
    const boundary = this.#boundaryOf(content);
    const holds = boundary !== null || (this.#messages && content.type === 'message/rfc822' && !this.#isEncoded(fields));
    if (boundary !== null) this.#isEncoded(fields);
    const composite = holds && !refused && this.#open.length < this.#depth;
    if (holds && this.#open.length >= this.#depth) this.#found.add('too-deep');
    this.#sink.part({ fields, raw, content, within, depth: this.#open.length, composite });
    this.#state = !composite ? 'content' : boundary === null ? 'header' : 'around';
    if (composite) {
      this.#open.push({ content, parts: 0 });
      this.#boundaries.push(boundary);
    }
    if (this.#state === 'header') this.#startHeader();
  }

  #boundaryOf(content: ContentType): Uint8Array | null {
    if (!content.type.startsWith('multipart/')) return null;
    const text = parameterOf(content, 'boundary') ?? '';
    const boundary = encodeUtf8(text);
    if (text === '' || boundary.length > LONGEST_BOUNDARY) {
      this.#found.add('no-boundary');
      return null;
    }
    if (isOddBoundary(text)) this.#found.add('odd-boundary');
    if (this.#boundaries.some((other) => other !== null && sameOctets(other, boundary))) this.#found.add('same-boundary');
    return boundary;
  }

  /** RFC 2045 6.4: what holds parts has no encoding of its own; parts are looked for all the same, a message is not. */
  #isEncoded(fields: readonly Field[]): boolean {
    const encoded = ['base64', 'quoted-printable'].includes(encodingOf(fields));
    if (encoded) this.#found.add('encoded-composite');
    return encoded;
  }

  #startHeader(): void {
    this.#state = 'header';
    this.#header = this.#newHeader();
    this.#fields = [];
    this.#rawLength = 0;
  }

  #newHeader(): HeaderReader {
    return new HeaderReader({ limits: this.#limits, tolerate: ANY_HEADER });
  }

  #isTaken({ depth, closes, padded }: Delimiter): boolean {
    const full = depth >= 0 && !closes && this.#partsLeft === 0;
    if (depth < 0) this.#found.add('text-behind-boundary');
    else if (full) this.#found.add('too-many-parts');
    else if (padded) this.#found.add('padded-boundary');
    return depth >= 0 && !full;
  }

  #delimiter({ depth, closes }: Delimiter, octets: Uint8Array): void {
    this.#endPart();
    // Those within it lack theirs.
    this.#close(depth + 1);
    this.#sink.around?.(octets);
    const open = this.#open[depth]!;
    if (closes) {
      if (open.parts === 0) this.#found.add('no-parts');
      this.#open.length = this.#boundaries.length = depth;
      this.#state = 'around';
    } else {
      open.parts++;
      this.#partsLeft--;
      this.#startHeader();
    }
  }

  /** The part that began last is over, whether its header is or not. */
  #endPart(): void {
    while (this.#state === 'header') {
      this.#header.end();
      const { length } = this.#open;
      this.#drain();
      if (this.#open.length === length) break;
    }
    if (this.#state === 'content') this.#sink.endPart?.();
    this.#state = 'around';
  }

  /** What is open from this depth on is over without its close delimiter. */
  #close(depth: number): void {
    for (let k = this.#open.length - 1; k >= depth; k--) {
      if (this.#boundaries[k] === null) continue;
      this.#found.add('no-close-delimiter');
      if (this.#open[k]!.parts === 0) this.#found.add('no-parts');
    }
    this.#open.length = this.#boundaries.length = Math.min(this.#open.length, depth);
  }
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, k) => octet === b[k]);
}
