import type { AbortCause } from '@ehlo/engine';

/** The body will not arrive completely. Its iterator throws this, so that no handler stores a truncated message. */
export class BodyAbortedError extends Error {
  readonly code: AbortCause;

  constructor(code: AbortCause) {
    super(`the message was not received whole: ${code}`);
    this.name = 'BodyAbortedError';
    this.code = code;
  }
}

/** Whether a value is the error that a truncated body threw into its reader. Never throws, for any value. */
export function isAborted(error: unknown): boolean {
  try {
    return error instanceof BodyAbortedError;
  } catch {
    return false; // a Proxy whose traps throw
  }
}

/** Octets that may wait for the reader before the connection is slowed down. */
const HIGH_WATER = 131_072;

/** What a piece costs beside its octets: a peer that sends them one by one must not fill the memory. */
const PIECE = 256;

/**
 * The content of a message, to be read once, by one `for await`. Its octets belong to the reader. While the reader is busy the peer is
 * slowed down; when the message is aborted the iterator throws `BodyAbortedError`.
 */
export class Body implements AsyncIterable<Uint8Array> {
  /** Whether the reader has read it to its end. */
  consumed = false;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #state: 'open' | 'ended' | BodyAbortedError = 'open';
  #begun = false;
  #unwanted = false;
  #wake: (() => void) | null = null;
  readonly #read: () => void;

  /** `read` is called when there is room again. */
  constructor(read: () => void) {
    this.#read = read;
  }

  /** What the reader was thrown, where the message was cut. */
  get aborted(): BodyAbortedError | null {
    return typeof this.#state === 'string' ? null : this.#state;
  }

  /** Whether more may be pushed. */
  get hasRoom(): boolean {
    return this.#queued < HIGH_WATER;
  }

  /** Adds octets, which become the reader's. */
  push(bytes: Uint8Array): void {
    if (this.#unwanted) return;
    this.#queue.push(bytes);
    this.#queued += bytes.length + PIECE;
    this.#notify();
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#notify();
  }

  /** A body that has ended is complete, even if the session fails later. */
  abort(cause: AbortCause): void {
    if (this.#state !== 'open') return;
    this.#state = new BodyAbortedError(cause);
    this.#queue = [];
    this.#queued = 0;
    this.#notify();
  }

  /** It will not be read, or not read on: what is here and what arrives is dropped, so that the connection goes on. */
  drop(): void {
    const full = !this.hasRoom;
    this.#unwanted = true;
    this.#queue = [];
    this.#queued = 0;
    if (full) this.#read();
  }

  /** Throws if called twice: a second reader would silently miss what the first has read. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    if (this.#begun) throw new TypeError('the body of a message can be read only once, by one reader');
    this.#begun = true;
    return this.#pieces();
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        const bytes = this.#take();
        if (bytes !== undefined) yield bytes;
        else if (this.#state === 'ended') {
          this.consumed = true;
          return;
        } else if (this.#state !== 'open') throw this.#state;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.drop();
    }
  }

  /** The whole content in one piece. */
  async bytes(): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of this) {
      parts.push(part);
      size += part.length;
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #take(): Uint8Array | undefined {
    const bytes = this.#queue.shift();
    if (bytes === undefined) return undefined;
    const full = !this.hasRoom;
    this.#queued -= bytes.length + PIECE;
    if (full && this.hasRoom) this.#read();
    return bytes;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
