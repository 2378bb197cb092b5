import type { Duplex } from 'node:stream';

/** Writes to a socket, and knows how much of that the operating system has not taken. */
export class Writer {
  readonly #socket: Duplex;
  readonly #drained: () => void;
  #unwritten = 0;
  /** Something was left: that it has been taken is to be told. */
  #waiting = false;

  /** `drained` is called when all has been taken, after a write that has left something. */
  constructor(socket: Duplex, drained: () => void) {
    this.#socket = socket;
    this.#drained = drained;
  }

  /** A socket that was destroyed or has failed forgets what it held: that was never taken. */
  get unwritten(): number {
    const { destroyed, errored, writableLength } = this.#socket;
    if (!destroyed && errored === null) this.#unwritten = writableLength;
    return this.#unwritten;
  }

  /** Returns false if no more should be written before that is taken. */
  write(bytes: Uint8Array): boolean {
    this.#unwritten += bytes.length;
    const more = this.#socket.write(bytes, this.#wrote);
    this.#waiting = this.unwritten > 0;
    return more || !this.#waiting;
  }

  /** One function for all writes: Node makes a closure of none of them. */
  readonly #wrote = (error?: Error | null): void => {
    if (error || !this.#waiting || this.unwritten > 0) return;
    this.#waiting = false;
    this.#drained();
  };
}
