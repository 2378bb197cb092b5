/** So many messages in so many milliseconds, whenever these begin. */
export interface PaceOptions {
  /** Messages that may begin within that time. */
  readonly messages: number;
  /** The time, whenever it begins. Milliseconds. */
  readonly within: number;
}

/** Keeps messages to a pace: in no stretch of that time do more of them begin. */
export class Pace {
  readonly #messages: number;
  readonly #within: number;
  /** When the last of them began, the earliest first. */
  readonly #begun: number[] = [];

  constructor({ messages, within }: PaceOptions = { messages: Number.POSITIVE_INFINITY, within: 0 }) {
    this.#messages = messages;
    this.#within = within;
  }

  /** Milliseconds until another message may begin; 0: it may. */
  wait(): number {
    return this.#begun.length < this.#messages ? 0 : Math.max(0, this.#begun[0]! + this.#within - performance.now());
  }

  /** A message begins. */
  begin(): void {
    if (this.#messages === Number.POSITIVE_INFINITY) return;
    if (this.#begun.push(performance.now()) > this.#messages) this.#begun.shift();
  }
}
