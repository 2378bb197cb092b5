import { concat, EMPTY } from './octets.ts';

const LF = 0x0a;
const CR = 0x0d;

/**
 * Octets that were received and not yet read. A line that lies in one chunk is read where it lies; only what is left of a line
 * at the end of a chunk is copied, once, so that work is linear and the chunk can be given back.
 */
export class Input {
  /** The line that `readLine` found: `bytes[from, to)`, without its end. */
  bytes: Uint8Array = EMPTY;
  from = 0;
  to = 0;
  /** Whether that line ended with CRLF; else with LF alone. */
  crlf = true;
  /**
   * Whether that line is broken: it contains an LF without CR, and continues after it. RFC 5321 2.3.8: only CRLF ends a line. So what comes
   * next, up to CRLF or to another such LF, is a `rest` of it, and not a line.
   */
  broken = false;
  rest = false;
  /** Whether that line was longer than the limit; then only its beginning is there. */
  overlong = false;

  readonly #lfEnds: boolean;
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #queue: Uint8Array[] = [];
  #partial: Uint8Array = EMPTY;
  #held = 0; // octets of a line in #partial; as many as the limit: it is too long

  /** Whether the peer has ended its side: nothing more comes. */
  ended = false;

  /** With `lfEnds` LF alone ends a line, too. */
  constructor(lfEnds: boolean) {
    this.#lfEnds = lfEnds;
  }

  /** Chunks that wait, the one being read included. */
  get chunks(): number {
    return this.#queue.length + (this.#at < this.#chunk.length ? 1 : 0);
  }

  /** Whether nothing at all is waiting, not even a part of a line. */
  get empty(): boolean {
    return this.chunks === 0 && this.#held === 0;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.ended) return;
    if (this.#at < this.#chunk.length) this.#queue.push(bytes);
    else {
      this.#chunk = bytes;
      this.#at = 0;
    }
  }

  /** Drops everything. */
  clear(): void {
    this.#chunk = EMPTY;
    this.#at = 0;
    this.#queue = [];
    this.#held = 0;
  }

  /** The next octet, or -1. */
  peek(): number {
    if (this.#held > 0) return this.#partial[0]!;
    return this.#at < this.#chunk.length ? this.#chunk[this.#at]! : -1;
  }

  /** Finds the next line of at most `limit` octets, its end included, or a rest of one. Returns false if its end has not arrived yet. */
  readLine(limit: number): boolean {
    while (this.#at < this.#chunk.length) {
      const bytes = this.#chunk;
      const from = this.#at;
      let i = from;
      while (i < bytes.length && bytes[i] !== LF) i++;
      if (i === bytes.length) {
        this.#hold(bytes, from, i, limit);
        this.#next();
        continue;
      }
      if (this.#held === 0) this.#found(bytes, from, i, i + 1 - from > limit);
      else {
        this.#hold(bytes, from, i, limit);
        this.#found(this.#partial, 0, this.#held, this.#held + 1 > limit);
        this.#held = 0;
      }
      this.#at = i + 1;
      if (this.#at === bytes.length) this.#next();
      return true;
    }
    this.bytes = EMPTY; // the last chunk is not held any longer: a session may be idle for minutes
    return false;
  }

  /** The chunk being read, from `from` to `to`; false if there is none. For octets that are not lines. */
  readChunk(): boolean {
    this.bytes = this.#chunk;
    this.from = this.#at;
    this.to = this.#chunk.length;
    return this.from < this.to;
  }

  /** The chunk has been read up to `to`. */
  advance(to: number): void {
    this.#at = to;
    if (to === this.#chunk.length) this.#next();
  }

  /** All that waits, as one chunk: for a snapshot. A line that is too long is kept as such by its beginning. */
  unread(): Uint8Array {
    const parts = [this.#partial.subarray(0, this.#held), this.#chunk.subarray(this.#at), ...this.#queue];
    return concat(parts);
  }

  /** Goes on from a snapshot. */
  resume(unread: Uint8Array, ended: boolean, broken: boolean): void {
    this.push(unread);
    this.ended = ended;
    this.broken = broken;
  }

  #found(bytes: Uint8Array, from: number, lf: number, overlong: boolean): void {
    this.bytes = bytes;
    this.from = from;
    this.rest = this.broken;
    this.crlf = lf > from && bytes[lf - 1] === CR;
    this.broken = !(this.crlf || this.#lfEnds);
    this.to = this.crlf ? lf - 1 : lf;
    this.overlong = overlong;
  }

  /** Keeps a part of a line; what goes beyond the limit is dropped but for its last octet, which may be the CR of its end. */
  #hold(bytes: Uint8Array, from: number, to: number, limit: number): void {
    const room = limit - this.#held;
    const end = Math.min(to, from + room);
    const needed = this.#held + end - from;
    if (needed > this.#partial.length) {
      const larger = new Uint8Array(Math.max(needed, Math.min(limit, 2 * this.#partial.length), 128));
      larger.set(this.#partial.subarray(0, this.#held));
      this.#partial = larger;
    }
    if (end > from) this.#partial.set(bytes.subarray(from, end), this.#held);
    if (end < to) this.#partial[limit - 1] = bytes[to - 1]!;
    this.#held = needed;
  }

  #next(): void {
    this.#chunk = this.#queue.shift() ?? EMPTY;
    this.#at = 0;
  }
}
