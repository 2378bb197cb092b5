import type { Clock } from './timer.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** An object that can be woken at a time. Only `Alarms` sets the two numbers. */
export interface Sleeper {
  /** When it is to be woken; infinite: not at all. */
  alarmAt: number;
  /** Its place among those that are to be woken; -1: none. */
  alarmPlace: number;
  /** Called at its time or later, once. */
  wake(): void;
}

/** The alarms of many sessions, by one timer: a timer for each of them would cost more than the rest of what waits. */
export class Alarms {
  readonly #clock: Clock;
  /** A binary heap by time: none is due before its parent. */
  readonly #heap: Sleeper[] = [];
  #timer: (() => void) | null = null;
  #timerAt = NEVER;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Wakes it at this time, and at no other. */
  set(sleeper: Sleeper, at: number): void {
    if (at === sleeper.alarmAt) return;
    this.#remove(sleeper);
    if (at < NEVER) this.#add(sleeper, at);
    this.#arm();
  }

  /** Does not wake it. */
  clear(sleeper: Sleeper): void {
    this.set(sleeper, NEVER);
  }

  #ring(): void {
    this.#timer = null;
    this.#timerAt = NEVER;
    const now = this.now();
    try {
      // No more than there are now: one that is due again at once has to wait until the others were woken.
      for (let left = this.#heap.length; left > 0; left--) {
        const first = this.#heap[0];
        if (first === undefined || first.alarmAt > now) break;
        this.#remove(first);
        first.wake();
      }
    } finally {
      this.#arm();
    }
  }

  /** The timer is moved only when it would fire too late: alarms mostly move away. */
  #arm(): void {
    const at = this.#heap[0]?.alarmAt ?? NEVER;
    if (at >= this.#timerAt && at < NEVER) return;
    this.#timer?.();
    this.#timerAt = at;
    this.#timer = at === NEVER ? null : this.#clock.timer(() => this.#ring(), Math.max(0, Math.ceil(at - this.now())));
  }

  #add(sleeper: Sleeper, at: number): void {
    sleeper.alarmAt = at;
    this.#rise(sleeper, this.#heap.length);
  }

  #remove(sleeper: Sleeper): void {
    const { alarmPlace: place } = sleeper;
    sleeper.alarmAt = NEVER;
    sleeper.alarmPlace = -1;
    if (place < 0) return;
    const last = this.#heap.pop()!;
    if (last === sleeper) return;
    this.#rise(last, place);
    this.#sink(last, last.alarmPlace);
  }

  /** Moves it up the heap until none above is due later. */
  #rise(sleeper: Sleeper, from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.#heap[above]!.alarmAt <= sleeper.alarmAt) break;
      this.#put(this.#heap[above]!, place);
      place = above;
    }
    this.#put(sleeper, place);
  }

  /** Moves it down the heap until none below is due earlier. */
  #sink(sleeper: Sleeper, from: number): void {
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#heap.length) break;
      if (below + 1 < this.#heap.length && this.#heap[below + 1]!.alarmAt < this.#heap[below]!.alarmAt) below++;
      if (this.#heap[below]!.alarmAt >= sleeper.alarmAt) break;
      this.#put(this.#heap[below]!, place);
      place = below;
    }
    this.#put(sleeper, place);
  }

  #put(sleeper: Sleeper, place: number): void {
    this.#heap[place] = sleeper;
    sleeper.alarmPlace = place;
  }
}
