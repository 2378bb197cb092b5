import { latin1 } from '@ehlo/grammar';
import { EMPTY } from '../octets.ts';

const LF = 0x0a;

/** Lines of replies. Each chunk is read to its end at once: nothing of it is kept but what is left of a line. */
export class Lines {
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #held = '';

  /** Whether nothing at all is waiting, not even a part of a line. */
  get empty(): boolean {
    return this.#at === this.#chunk.length && this.#held === '';
  }

  push(bytes: Uint8Array): void {
    this.#chunk = bytes;
    this.#at = 0;
  }

  /** Drops everything. */
  clear(): void {
    this.push(EMPTY);
    this.#held = '';
  }

  /** The next line with its end, one character an octet; the first `most` of them, where it has more. Null if it has not arrived yet. */
  next(most: number): string | null {
    const chunk = this.#chunk;
    let end = this.#at;
    while (end < chunk.length && chunk[end] !== LF) end++;
    const found = end < chunk.length;
    if (found) end++;
    const line = this.#held + latin1(chunk, this.#at, Math.min(end, this.#at + most - this.#held.length));
    this.#at = end;
    // A line that is too long is given at once: its end may never come.
    const ended = found || line.length >= most;
    this.#held = ended ? '' : line;
    if (ended) return line;
    this.push(EMPTY); // a session may be idle for minutes
    return null;
  }

  /** What has arrived of a line that will have no end. */
  rest(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}
