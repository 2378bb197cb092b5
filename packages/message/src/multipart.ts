import { type ContentType, contentTypeOf, PLAIN } from './content-type.ts';
import { type Field, fieldValue, isNamed } from './field.ts';
import { ANY_HEADER } from './header-deviation.ts';
import { HeaderReader } from './header-reader.ts';

/** A part of a message that is no multipart (RFC 2046 5.1), or the whole message. */
export interface PartHeader {
  readonly fields: readonly Field[];
  readonly content: ContentType;
  /** The type of what holds it; null for the whole message. */
  readonly within: ContentType | null;
}

/** Who is told what a part reader finds, in the order of the message. */
export interface PartSink {
  /** A part begins; multiparts too, before their parts. */
  part(header: PartHeader): void;
  /** Octets of the part that began last, if it is no multipart; lent. */
  content(bytes: Uint8Array): void;
  /** The message is over. `unclosed`: a multipart had no last boundary. */
  end(unclosed: boolean): void;
}

const LF = 0x0a;
const CR = 0x0d;
const HYPHEN = 0x2d;
const SP = 0x20;
const HT = 0x09;

/** RFC 2046 5.1.1: a boundary has 70 octets at most; a line that is longer than this is none. Ours: some write more, or blanks behind it. */
const LONGEST_DELIMITER = 256;

/** Ours: multiparts that lie in each other. A deeper one is read as text. */
const DEEPEST = 16;

const EMPTY = new Uint8Array(0);

interface Open {
  readonly boundary: Uint8Array;
  readonly content: ContentType;
}

/**
 * Takes a message apart into its parts, as a stream: what lies within a message/rfc822 is the content of that part. It keeps no more than a
 * header and a line that may be a boundary, looks at each octet once for each multipart around it, and no octet makes it throw.
 */
export class PartReader {
  readonly #sink: PartSink;
  readonly #open: Open[] = [];
  #state: 'header' | 'content' | 'skip' = 'header';
  #header: HeaderReader = headerReader();
  #fields: Field[] = [];
  /** Octets that may be a line end and a boundary behind it, and where in them the line begins. */
  #carry: Uint8Array = EMPTY;
  #lineAt = 0;
  /** Whether the next octet begins a line. */
  #lineStart = true;

  constructor(sink: PartSink) {
    this.#sink = sink;
  }

  /** The next octets of the message; they are lent until this returns. */
  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#scan(this.#carry.length === 0 ? chunk : joined(this.#carry, chunk), false);
  }

  /** There are no more. */
  end(): void {
    this.#scan(this.#carry, true);
    this.#endPart();
    this.#sink.end(this.#open.length > 0);
  }

  #scan(bytes: Uint8Array, last: boolean): void {
    // `[run, lineEnd)` is content that was not handed on; `[lineEnd, at)` the line end before this line (RFC 2046 5.1.1: a boundary's own).
    let run = 0;
    let lineEnd = 0;
    let at = this.#lineAt;
    this.#carry = EMPTY;
    this.#lineAt = 0;
    const keep = (from: number): void => {
      this.#take(bytes.subarray(run, from));
      this.#carry = bytes.slice(from);
    };
    while (at < bytes.length) {
      if (this.#state !== 'header' && this.#open.length === 0) return keep(bytes.length);
      if (this.#lineStart && hyphens(bytes, at)) {
        const lf = bytes.subarray(at, at + LONGEST_DELIMITER).indexOf(LF);
        const whole = lf >= 0 || (last && bytes.length - at < LONGEST_DELIMITER);
        if (!whole && bytes.length - at < LONGEST_DELIMITER) {
          this.#lineAt = at - lineEnd;
          return keep(lineEnd);
        }
        const to = lf < 0 ? bytes.length : at + lf + 1;
        if (whole && this.#delimiter(bytes, at, to, bytes.subarray(run, lineEnd))) {
          run = at = lineEnd = to;
          continue;
        }
        if (lf >= 0 && this.#state === 'header') {
          // A header without a blank line behind it: what is no field may be a boundary of what it has opened.
          if (!this.#headerEnds(bytes.subarray(at, to))) at = to;
          run = lineEnd = at;
          continue;
        }
      }
      const lf = bytes.indexOf(LF, at);
      this.#lineStart = lf >= 0;
      if (this.#state === 'header') {
        const to = lf < 0 ? bytes.length : lf + 1;
        this.#take(bytes.subarray(at, to));
        run = at = lineEnd = to;
      } else if (lf < 0) {
        // A CR may be half of a line end.
        return keep(bytes.at(-1) === CR && !last ? bytes.length - 1 : bytes.length);
      } else {
        lineEnd = lf > at && bytes[lf - 1] === CR ? lf - 1 : lf;
        at = lf + 1;
      }
    }
    // Behind a line end a boundary may come.
    if (last) lineEnd = bytes.length;
    this.#lineAt = bytes.length - lineEnd;
    keep(lineEnd);
  }

  /** Whether a line `[from, to)` is a boundary of one of the open multiparts; if so, what stood before it ends a part. */
  #delimiter(bytes: Uint8Array, from: number, to: number, before: Uint8Array): boolean {
    let end = to;
    while (end > from && isBlank(bytes[end - 1]!)) end--;
    if (bytes[from + 1] !== HYPHEN) return false;
    for (let depth = this.#open.length - 1; depth >= 0; depth--) {
      const { boundary } = this.#open[depth]!;
      const rest = end - from - 2 - boundary.length;
      const closes = rest === 2 && bytes[end - 1] === HYPHEN && bytes[end - 2] === HYPHEN;
      if ((rest !== 0 && !closes) || !boundary.every((octet, k) => bytes[from + 2 + k] === octet)) continue;
      this.#take(before);
      this.#endPart();
      this.#open.length = closes ? depth : depth + 1;
      this.#state = closes ? 'skip' : 'header';
      this.#header = headerReader();
      this.#fields = [];
      return true;
    }
    return false;
  }

  #take(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#state === 'skip') return;
    if (this.#state === 'content') return this.#sink.content(bytes);
    this.#header.push(bytes);
    this.#drain();
  }

  /** Takes a line of a header; true if the header has ended before it. */
  #headerEnds(line: Uint8Array): boolean {
    this.#header.push(line);
    return this.#drain(false);
  }

  #endPart(): void {
    if (this.#state !== 'header') return;
    this.#header.end();
    this.#drain();
  }

  /** What the header reader has found. True if the header ended without a blank line. */
  #drain(body = true): boolean {
    let bare = false;
    for (let event = this.#header.next(); event !== null; event = this.#header.next()) {
      if (event.type === 'field') this.#fields.push(event.field);
      else if (event.type === 'body' && body && this.#begun() === 'content') this.#sink.content(event.bytes);
      else if (event.type === 'end-of-header' || event.type === 'refused') {
        bare = event.type === 'end-of-header' && event.blankLine.length === 0;
        this.#begin();
      }
    }
    return bare;
  }

  #begun(): 'header' | 'content' | 'skip' {
    return this.#state;
  }

  /** The header of a part has come. */
  #begin(): void {
    const within = this.#open.at(-1)?.content ?? null;
    const field = this.#fields.find((one) => isNamed(one, 'Content-Type'));
    // RFC 2046 5.1.5: in a digest, what is not said is a message.
    const absent = within?.type === 'multipart/digest' ? { ...PLAIN, type: 'message/rfc822' } : PLAIN;
    const content = field === undefined ? absent : contentTypeOf(fieldValue(field));
    const boundary = content.parameters.get('boundary') ?? '';
    this.#sink.part({ fields: this.#fields, content, within });
    const multipart = content.type.startsWith('multipart/') && boundary !== '' && this.#open.length < DEEPEST;
    this.#state = multipart ? 'skip' : 'content';
    if (multipart) this.#open.push({ boundary: latin(boundary), content });
  }
}

function headerReader(): HeaderReader {
  return new HeaderReader({ tolerate: ANY_HEADER });
}

/** Whether a line at `at` begins as a boundary does, as far as it has come. */
function hyphens(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === HYPHEN && (at + 1 === bytes.length || bytes[at + 1] === HYPHEN);
}

function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}

function isBlank(octet: number): boolean {
  return octet === SP || octet === HT || octet === CR || octet === LF;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
