import { nextTurn } from './turns.ts';

/** What a message may be made of, if it is not whole. */
export type Stream = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array> | ReadableStream<string | Uint8Array>;

type Piece = string | Uint8Array;

/**
 * After so many octets the event loop gets a turn. A source that has its octets at hand gives them in microtasks, and a network that takes them
 * at once never makes the client wait. Without a turn, nothing else would run until the message is sent: neither the end of the connection, nor
 * a signal that aborts, nor another connection.
 */
const SHARE = 262_144;
/** What each block counts for beside its octets: an empty one takes time, too. */
const PIECE = 64;

/** Where the blocks come from. `stop` releases it, at any moment, whether or not it was read. */
interface Source {
  next(): Promise<IteratorResult<Piece, unknown>> | IteratorResult<Piece, unknown>;
  stop(): unknown;
}

/** The octets of a stream, in blocks of any size, none of them empty; text as UTF-8. */
export class StreamReader {
  readonly #source: Source;
  /** The first half of a character whose second half is in the next block. */
  #half = '';
  /** What was read since others had a turn. */
  #unshared = 0;
  #stopped = false;

  constructor(stream: Stream) {
    try {
      this.#source = sourceOf(stream);
    } catch (error) {
      // A stream that is locked, or none at all: told when it is read.
      this.#source = { next: () => Promise.reject(error), stop: () => {} };
    }
  }

  /** The next block; null at the end, or when it was stopped. Rejects with what the stream fails with. */
  async next(): Promise<Uint8Array | null> {
    while (!this.#stopped) {
      const { done, value } = await this.#source.next();
      const octets = done === true ? ENCODER.encode(this.#half) : this.#octets(value);
      if (done === true) this.#half = '';
      this.#unshared += octets.length + PIECE;
      if (this.#unshared >= SHARE) {
        this.#unshared = 0;
        await nextTurn();
      }
      if (octets.length > 0) return octets;
      if (done === true) break;
    }
    return null;
  }

  /** No more is wanted. */
  stop(): void {
    this.#stopped = true;
    // A source that fails to stop has no effect on the session.
    new Promise((resolve) => resolve(this.#source.stop())).catch(() => {});
  }

  #octets(piece: unknown): Uint8Array {
    if (piece instanceof Uint8Array) return piece;
    if (typeof piece !== 'string') throw new TypeError('a piece of a message is a string or a Uint8Array');
    const text = this.#half + piece;
    const whole = HIGH_SURROGATE.test(text) ? text.length - 1 : text.length;
    this.#half = text.slice(whole);
    return ENCODER.encode(text.slice(0, whole));
  }
}

const ENCODER = /* @__PURE__ */ new TextEncoder();
const HIGH_SURROGATE = /[\ud800-\udbff]$/;

/** A stream of Node's, which other runtimes have too. */
interface Destroyable extends AsyncIterable<Piece> {
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

/** Whether it can be read at all. */
export function isStream(value: unknown): value is Stream {
  if (typeof value !== 'object' || value === null) return false;
  return 'getReader' in value || Symbol.asyncIterator in value || Symbol.iterator in value;
}

function sourceOf(stream: Stream): Source {
  if ('getReader' in stream) {
    const reader = stream.getReader();
    return { next: () => reader.read() as Promise<IteratorResult<Piece, unknown>>, stop: () => reader.cancel() };
  }
  const iterate = (): AsyncIterator<Piece> | Iterator<Piece> =>
    Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
  const iterator = iterate();
  if (!isDestroyable(stream)) return { next: () => iterator.next(), stop: () => iterator.return?.() };
  holdStream(stream);
  // Its iterator lets it go only when a read that is under way is over.
  return { next: () => iterator.next(), stop: () => stream.destroy() };
}

/** A stream may fail before it is read. Without a listener for that the process would end. The reader still gets the error. */
export function holdStream(message: unknown): void {
  if (isDestroyable(message)) message.on('error', () => {});
}

function isDestroyable(stream: unknown): stream is Destroyable {
  if (typeof stream !== 'object' || stream === null) return false;
  return 'destroy' in stream && typeof stream.destroy === 'function' && 'on' in stream && typeof stream.on === 'function';
}
