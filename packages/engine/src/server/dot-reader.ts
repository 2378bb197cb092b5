import { EMPTY, textEnd } from '../octets.ts';

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** Where the reader stands. Nothing but this crosses from one chunk to the next. */
export type DotState =
  | 'LINE' // at the beginning of a line
  | 'DOT' // a dot at the beginning of a line: stuffed, or the end
  | 'DOT_CR' // CR after that dot
  | 'TEXT' // inside a line
  | 'TEXT_CR'; // CR inside a line

/**
 * Reads mail data (RFC 5321 4.5.2): takes the stuffed dots out and finds the end, `CRLF "." CRLF` and nothing else. It begins at
 * the beginning of a line, so a dot that follows 354 at once ends an empty message. All other octets pass unchanged.
 */
export class DotReader {
  state: DotState = 'LINE';
  /** The number of the line being read, from 1. */
  line = 1;
  /** The first line with a CR that no LF follows, or 0 (RFC 5321 2.3.8: not a line end, and must not be sent). */
  bareCr = 0;
  /** The first line with an LF that no CR precedes, or 0. */
  bareLf = 0;
  /** Whether the end has been read. */
  ended = false;
  /** What the last `read` gave: content octets, a view of the chunk where no dot was taken out, else of a block that is never used again. */
  content: Uint8Array = EMPTY;
  #block: Uint8Array = EMPTY;
  /** Octets of content in the block; -1: there is none. */
  #copied = -1;
  /** Behind them the block has the chunk as it came, up to here: content is moved down to what is there. */
  #ahead = 0;
  /** What an octet of the chunk stands at in the block, less its place in the chunk. */
  #shift = 0;

  /**
   * Reads `bytes[from, to)` up to the end of the data and returns where it stopped; the content stands in `content`. With
   * `stopAtBare` it also stops before the octet that makes a CR or LF a bare one. Work is linear, copies included.
   */
  read(bytes: Uint8Array, from: number, to: number, stopAtBare: boolean): number {
    let state = this.state;
    let i = from;
    let start = from; // the run of content that is not yet copied begins here …
    let end = -1; // … and ends here, at a dot of which nothing more is known; -1: at i
    this.#copied = -1;
    this.#ahead = from;
    while (i < to) {
      const byte = bytes[i]!;
      if (state === 'TEXT') {
        i = textEnd(bytes, i, to);
        if (i === to) break;
        if (bytes[i] === CR) state = 'TEXT_CR';
        else {
          this.bareLf ||= this.line;
          if (stopAtBare) break;
        }
        i++;
      } else if (state === 'TEXT_CR') {
        if (byte === LF) {
          this.line++;
          state = 'LINE';
          i++;
        } else {
          this.bareCr ||= this.line;
          if (stopAtBare) break;
          if (byte === CR) i++;
          else state = 'TEXT';
        }
      } else if (state === 'LINE') {
        // Almost all lines end in the chunk in which they begin, by CRLF: those are read one after another, with one look at each.
        const block = this.#block;
        const ahead = this.#ahead;
        const shift = this.#shift;
        let copied = this.#copied;
        let lines = 0;
        for (;;) {
          const isStuffed = bytes[i] === DOT;
          const text = isStuffed ? i + 1 : i;
          let cr = text + 1;
          if (cr + 1 >= to || bytes[cr] !== CR || bytes[cr + 1] !== LF || bytes[text]! <= CR) {
            cr = textEnd(bytes, text, to);
            if (cr + 1 >= to || bytes[cr] !== CR || bytes[cr + 1] !== LF || (isStuffed && cr === i + 1)) break;
          }
          if (isStuffed) {
            // RFC 5321 4.5.2: the dot is deleted; what came before it is content.
            if (i > start) {
              if (i > ahead) break;
              if (i - start > SHORT) block.copyWithin(copied, start + shift, i + shift);
              else for (let k = start, n = copied; k < i; k++, n++) block[n] = bytes[k]!;
              copied += i - start;
            }
            start = text;
          }
          lines++;
          i = cr + 2;
          if (i === to) break;
        }
        this.line += lines;
        this.#copied = copied;
        if (i === to) break;
        if (lines > 0) {
          end = -1;
          continue;
        }
        if (byte === DOT) {
          end = i;
          state = 'DOT';
          i++;
        } else state = 'TEXT';
      } else if (state === 'DOT') {
        if (byte === CR) {
          state = 'DOT_CR';
          i++;
          continue;
        }
        // RFC 5321 4.5.2: "If the first character is a period and there are other characters on the line", it is deleted.
        if (end > start) this.#keep(bytes, start, end, to);
        start = i;
        end = -1;
        state = 'TEXT';
      } else if (byte === LF) {
        this.ended = true;
        i++;
        break;
      } else {
        // The dot was a stuffed one, and the CR after it is content.
        if (end >= start) this.#keep(bytes, start, end, to);
        this.#keepCr(bytes, i, to);
        start = i;
        end = -1;
        state = 'TEXT_CR';
      }
    }
    if (state === 'DOT' || state === 'DOT_CR') {
      if (end < 0) end = start = i; // the dot came in an earlier chunk: nothing of this one is content
    } else end = i;
    if (this.#copied >= 0) this.#keep(bytes, start, end, to);
    this.content = this.#copied >= 0 ? this.#block.subarray(0, this.#copied) : bytes.subarray(start, end);
    this.state = state;
    return i;
  }

  /** Keeps a run of content: it is moved down in the block, to the end of the content that is there. */
  #keep(bytes: Uint8Array, from: number, to: number, end: number): void {
    if (this.#copied < 0 || to > this.#ahead) this.#fill(bytes, from, to, end);
    const at = from + this.#shift;
    if (at !== this.#copied) this.#block.copyWithin(this.#copied, at, at + to - from);
    this.#copied += to - from;
  }

  /** Keeps the CR after a dot that was removed. Where both came in an earlier chunk, it is one octet more than this chunk has. */
  #keepCr(bytes: Uint8Array, next: number, end: number): void {
    if (this.#copied < 0 || this.#copied === this.#block.length) this.#fill(bytes, next, next, end);
    this.#block[this.#copied] = CR;
    this.#copied++;
  }

  /**
   * Copies the chunk to the end of the content, from `from` to `to` at the least and to `end` at the most. The block grows with the content:
   * what follows in the chunk may not be content.
   */
  #fill(bytes: Uint8Array, from: number, to: number, end: number): void {
    const copied = Math.max(this.#copied, 0);
    const ahead = Math.min(end, Math.max(to, from + GROWTH * (copied + to - from), from + SMALLEST - 1));
    // One more for a CR.
    const larger = new Uint8Array(copied + 1 + ahead - from);
    if (copied > 0) larger.set(this.#block.subarray(0, copied));
    larger.set(bytes.subarray(from, ahead), copied + 1);
    this.#block = larger;
    this.#copied = copied;
    this.#ahead = ahead;
    this.#shift = copied + 1 - from;
  }
}

/** Up to this many octets a loop is faster than a call. */
const SHORT = 16;

/** Octets of a block at the least, where the chunk has as many; and how many times what was kept the next one takes. */
const SMALLEST = 4096;
const GROWTH = 32;
