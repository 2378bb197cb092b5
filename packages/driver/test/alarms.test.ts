// One timer for all: each is woken once, at its time or later, the sooner first, and nobody who has been given up.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Alarms, type Sleeper } from '../src/alarms.ts';
import type { Clock } from '../src/timer.ts';

/** Time that a test lets pass. */
class HandClock implements Clock {
  time = 0;
  /** The timers that were set. */
  count = 0;
  readonly #timers: { readonly at: number; readonly call: () => void }[] = [];

  now(): number {
    return this.time;
  }

  timer(call: () => void, milliseconds: number): () => void {
    const timer = { at: this.time + milliseconds, call };
    this.count++;
    this.#timers.push(timer);
    return () => void this.#timers.splice(this.#timers.indexOf(timer), 1);
  }

  get running(): number {
    return this.#timers.length;
  }

  pass(to: number): void {
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= to).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.time = next.at;
      next.call();
    }
    this.time = to;
  }
}

const sleeper = (wake: () => void = () => {}): Sleeper => ({ alarmAt: Number.POSITIVE_INFINITY, alarmPlace: -1, wake });

test('whatever is set, moved and given up: as many timers of their own would wake the same, in the same order', () => {
  const step = fc.record({ who: fc.nat(11), at: fc.option(fc.integer({ min: 1, max: 60 }), { nil: null }), passes: fc.nat(8) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const clock = new HandClock();
      const alarms = new Alarms(clock);
      const woken: string[] = [];
      const due = new Map<number, number>();
      const expected: string[] = [];
      const all = Array.from({ length: 12 }, (_, who) => sleeper(() => woken.push(`${who} at ${clock.time}`)));
      for (const { who, at, passes } of steps) {
        if (at === null) alarms.clear(all[who]!);
        else alarms.set(all[who]!, clock.time + at);
        due.delete(who);
        if (at !== null) due.set(who, clock.time + at);
        const to = clock.time + passes;
        for (const [one, time] of [...due]) {
          if (time > to) continue;
          due.delete(one);
          expected.push(`${one} at ${time}`);
        }
        clock.pass(to);
        expect(clock.running).toBe(due.size > 0 ? 1 : 0);
      }
      const inOrder = (one: string): number => Number(one.split(' ').at(-1));
      expect(woken.map(inOrder)).toEqual(woken.map(inOrder).sort((a, b) => a - b));
      expect([...woken].sort()).toEqual([...expected].sort());
    }),
  );
});

test('a timer is moved only when it would fire too late', () => {
  const clock = new HandClock();
  const alarms = new Alarms(clock);
  const woken: number[] = [];
  const all = Array.from({ length: 1000 }, (_, who) => sleeper(() => woken.push(who)));
  for (const [i, one] of all.entries()) alarms.set(one, 300_000 + i);
  expect(clock.count).toBe(1);
  for (const one of all.slice(0, 900)) alarms.clear(one);
  expect(clock.count).toBe(1);
  clock.pass(300_900);
  expect([woken, clock.count]).toEqual([[900], 3]);
});

test('one that is given up while others are woken is not woken, and one that fails keeps nobody from being woken later', () => {
  const clock = new HandClock();
  const alarms = new Alarms(clock);
  const woken: string[] = [];
  const second = sleeper(() => woken.push('second'));
  const first = sleeper(() => {
    woken.push('first');
    alarms.clear(second);
    alarms.set(first, clock.time + 5);
  });
  alarms.set(first, 10);
  alarms.set(second, 10);
  clock.pass(15);
  expect(woken).toEqual(['first', 'first']);
  const bad = sleeper(() => {
    throw new Error('mine');
  });
  alarms.clear(first);
  alarms.set(bad, 20);
  alarms.set(second, 30);
  expect(() => clock.pass(40)).toThrow('mine');
  clock.pass(40);
  expect(woken.at(-1)).toBe('second');
});
