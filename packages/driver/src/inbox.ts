import type { Sink } from './transport.ts';

/**
 * A buffer in front of a transport's sink while the sink is paused: a runtime may still deliver octets that were under way. For authors of
 * transports.
 */
export class Inbox implements Sink {
  #sink: Sink | null = null;
  #state: 'paused' | 'flowing' | 'closed' = 'paused';
  #queue: Uint8Array[] = [];
  #ended = false;
  #loss: { readonly cause: unknown } | null = null;

  get paused(): boolean {
    return this.#state === 'paused';
  }

  /** Whether octets are kept back. */
  get holds(): boolean {
    return this.#queue.length > 0;
  }

  /** Sets the sink for all further calls; it gets octets after `resume`. */
  attach(sink: Sink): void {
    this.#sink = sink;
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  /** Buffered octets are delivered in a later turn: the caller of `resume` is still running. */
  resume(): void {
    if (this.#state === 'paused' && this.#sink !== null) this.#state = 'flowing';
    if (this.#queue.length > 0 || this.#ended || this.#loss !== null) queueMicrotask(() => this.#flow());
  }

  /** The transport is closing: `data` and `end` are no longer called. */
  close(): void {
    this.#state = 'closed';
    this.#queue = [];
    this.#ended = false;
  }

  /** The transport is aborted or done: no callback is called any more. */
  stop(): void {
    this.close();
    this.#sink = null;
  }

  data(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#queue.push(bytes);
    this.#flow();
  }

  end(): void {
    this.#ended = true;
    this.#flow();
  }

  /** Passed on at once, before octets that are kept: nothing that was received before can be answered. */
  lost(cause?: unknown): void {
    this.#loss = { cause };
    this.#flow();
  }

  drained(): void {
    this.#sink?.drained();
  }

  #flow(): void {
    const sink = this.#sink;
    if (sink !== null && this.#loss !== null) {
      this.stop();
      return sink.lost(this.#loss.cause);
    }
    while (this.#state === 'flowing') {
      const bytes = this.#queue.shift();
      if (bytes !== undefined) this.#sink?.data(bytes);
      else if (this.#ended) {
        this.#ended = false;
        this.#sink?.end();
      } else return;
    }
  }
}
