import { EMPTY, textEnd } from '../octets.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Reads the chunks of a message (RFC 3030 2): a count of octets, in which dots mean nothing. Line ends are looked at unless the
 * message is binary, because it "MUST be sent in the canonical MIME format with lines delimited with a <CR><LF>"; a line may go on in
 * the next chunk.
 */
export class ChunkReader {
  readonly binary: boolean;
  /** Octets of the chunk that have not been read. */
  left: number;
  /** Whether this chunk is the last. */
  last: boolean;
  /** Octets of this chunk. */
  size: number;
  /** The number of the line being read, from 1. */
  line = 1;
  /** The first line with a CR that no LF follows, or 0. */
  bareCr = 0;
  /** The first line with an LF that no CR precedes, or 0. */
  bareLf = 0;
  /** Whether the last octet read was a CR. */
  cr = false;
  /** What the last `read` gave: a view of the input. */
  content: Uint8Array = EMPTY;

  constructor(binary: boolean, size: number, last: boolean) {
    this.binary = binary;
    this.size = size;
    this.left = size;
    this.last = last;
  }

  /** Whether the chunk has been read to its end. */
  get ended(): boolean {
    return this.left === 0;
  }

  /** Begins another chunk of the same message. */
  begin(size: number, last: boolean): void {
    this.size = size;
    this.left = size;
    this.last = last;
    this.#finish();
  }

  /**
   * Reads `bytes[from, to)` up to the end of the chunk and returns where it stopped. With `stopAtBare` it also stops before the
   * octet that makes a CR or LF a bare one.
   */
  read(bytes: Uint8Array, from: number, to: number, stopAtBare: boolean): number {
    const limit = Math.min(to, from + this.left);
    const end = this.binary ? limit : this.#lines(bytes, from, limit, stopAtBare);
    this.left -= end - from;
    this.content = bytes.subarray(from, end);
    this.#finish();
    return end;
  }

  /** A CR at the end of the last chunk has no LF. */
  #finish(): void {
    if (this.left === 0 && this.last && this.cr) this.bareCr ||= this.line;
  }

  #lines(bytes: Uint8Array, from: number, to: number, stopAtBare: boolean): number {
    let i = from;
    while (i < to) {
      if (this.cr) {
        this.cr = false;
        if (bytes[i] === LF) {
          this.line++;
          i++;
          continue;
        }
        this.bareCr ||= this.line;
        if (stopAtBare) return i;
      }
      i = textEnd(bytes, i, to);
      if (i === to) break;
      if (bytes[i] === CR) this.cr = true;
      else {
        this.bareLf ||= this.line;
        if (stopAtBare) return i;
      }
      i++;
    }
    return to;
  }
}
