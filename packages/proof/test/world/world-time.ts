import { type Entry, Heap } from '@ehlo/delivery/heap';
import type { Schedule } from '@ehlo/relay/runner';

class Call implements Entry {
  place = -1;
  readonly at: number;
  readonly number: number;
  readonly call: () => void;

  constructor(at: number, number: number, call: () => void) {
    this.at = at;
    this.number = number;
    this.call = call;
  }
}

/** Time that passes from call to call, when all promises that can settle have. Calls of the same time come in the order in which they were made. */
export class WorldTime implements Schedule {
  #now = 0;
  #number = 0;
  readonly #calls = new Heap<Call>((a, b) => a.at < b.at || (a.at === b.at && a.number < b.number));

  now(): number {
    return this.#now;
  }

  at(time: number, call: () => void): () => void {
    // Whole milliseconds, as clocks have.
    const one = new Call(Math.max(Math.ceil(time), this.#now), this.#number++, call);
    this.#calls.put(one);
    return () => this.#calls.remove(one);
  }

  /** A call, `pause` milliseconds from now. */
  in(pause: number, call: () => void): () => void {
    return this.at(this.#now + pause, call);
  }

  /** Until it is over, or nothing is left. Throws if time stands still. */
  async run(isOver: () => boolean): Promise<void> {
    let calls = 0;
    let since = -1;
    while (!isOver()) {
      const first = this.#calls.first;
      if (first === undefined) return;
      calls = first.at === since ? calls + 1 : 0;
      if (calls > 100_000) throw new Error(`time stands still at ${first.at}`);
      since = first.at;
      this.#now = first.at;
      while (this.#calls.first !== undefined && this.#calls.first.at === this.#now) this.#calls.shift()!.call();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** The wall clock of one machine: that of the world, set ahead or back. */
export class WallClock implements Schedule {
  readonly #time: WorldTime;
  #ahead = 0;

  constructor(time: WorldTime) {
    this.#time = time;
  }

  now(): number {
    return this.#time.now() + this.#ahead;
  }

  at(time: number, call: () => void): () => void {
    let cancel = (): void => {};
    const wait = (): void => {
      cancel = this.#time.at(time - this.#ahead, () => (this.now() < time ? wait() : call()));
    };
    wait();
    return () => cancel();
  }

  in(pause: number, call: () => void): () => void {
    return this.#time.in(pause, call);
  }

  /** Whole milliseconds. */
  set(ahead: number): void {
    this.#ahead = Math.round(ahead);
  }
}
