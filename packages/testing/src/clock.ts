import type { Clock } from '@ehlo/driver';
import { type Duration, milliseconds } from './stub.ts';

interface Timer {
  readonly at: number;
  readonly call: () => void;
  running: ReturnType<typeof setTimeout>;
}

/** What setTimeout takes at the most. */
const LONGEST = 0x7fffffff;

/**
 * Real time, and what `advance` has added. All that waits by it is woken in its order, and sees the time that it was waiting for.
 *
 * @example
 * ```ts
 * import { TestClock } from '@ehlo/testing';
 * const clock = new TestClock();
 * const woken: string[] = [];
 * clock.timer(() => woken.push('later'), 240_000);
 * clock.timer(() => woken.push('sooner'), 60_000);
 * clock.advance('5 min');
 * woken
 * // → ['sooner', 'later']
 * ```
 */
export class TestClock implements Clock {
  #ahead = 0;
  readonly #timers: Set<Timer> = new Set();

  now(): number {
    return performance.now() + this.#ahead;
  }

  /** How many wait by it: none, once all that it drives is closed. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Calls once so much time is over; what comes back gives that up. */
  timer(call: () => void, wait: number): () => void {
    const timer: Timer = { at: this.now() + wait, call, running: 0 as unknown as ReturnType<typeof setTimeout> };
    this.#timers.add(timer);
    this.#run(timer);
    return () => this.#stop(timer);
  }

  /** Lets time pass at once. What follows from it by promises comes a moment later. */
  advance(by: Duration): void {
    const end = this.now() + milliseconds(by);
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#ahead += Math.max(0, next.at - this.now());
      this.#stop(next);
      next.call();
    }
    this.#ahead += Math.max(0, end - this.now());
    for (const timer of this.#timers) this.#run(timer);
  }

  #run(timer: Timer): void {
    clearTimeout(timer.running);
    timer.running = setTimeout(
      () => {
        if (timer.at > this.now()) return this.#run(timer);
        this.#stop(timer);
        timer.call();
      },
      Math.min(Math.max(0, Math.ceil(timer.at - this.now())), LONGEST),
    );
  }

  #stop(timer: Timer): void {
    clearTimeout(timer.running);
    this.#timers.delete(timer);
  }
}
