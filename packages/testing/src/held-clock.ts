import type { Clock } from '@ehlo/driver';

interface Timer {
  readonly at: number;
  readonly call: () => void;
  stop: () => void;
}

/**
 * The clock of one session, which stands still while a reply of it is held back on its way: the client has nothing to answer yet, and no time of the
 * session runs out over that.
 */
export class HeldClock implements Clock {
  readonly #clock: Clock;
  /** When it was stopped; null: it goes. */
  #since: number | null = null;
  /** For how long it has stood still before. */
  #stood = 0;
  readonly #timers: Set<Timer> = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return (this.#since ?? this.#clock.now()) - this.#stood;
  }

  timer(call: () => void, milliseconds: number): () => void {
    const timer: Timer = { at: this.now() + milliseconds, call, stop: () => {} };
    this.#timers.add(timer);
    this.#run(timer);
    return () => this.#drop(timer);
  }

  stop(): void {
    if (this.#since !== null) return;
    this.#since = this.#clock.now();
    for (const timer of this.#timers) timer.stop();
  }

  go(): void {
    if (this.#since === null) return;
    this.#stood += this.#clock.now() - this.#since;
    this.#since = null;
    for (const timer of this.#timers) this.#run(timer);
  }

  #run(timer: Timer): void {
    if (this.#since !== null) return;
    timer.stop = this.#clock.timer(
      () => {
        this.#drop(timer);
        timer.call();
      },
      Math.max(0, timer.at - this.now()),
    );
  }

  #drop(timer: Timer): void {
    timer.stop();
    this.#timers.delete(timer);
  }
}
