// What is next is found in O(log n), by counted work.
import { expect, test } from 'vitest';
import { Heap } from '../src/heap.ts';
import { Dispatcher, deliverySettings, newJob } from '../src/index.ts';

/** Comparisons for as many jobs, each due at another time, and settled at once. */
function workOf(count: number): number {
  const dispatcher = new Dispatcher(deliverySettings({ hostname: 'mx.example.org' }), () => 0.5);
  for (let i = 0; i < count; i++) {
    const message = { id: `m${i}`, reversePath: '', arrived: (i * 7919) % count, size: 1 };
    dispatcher.add(newJob(`j${i}`, message, '[x:y]', [{ address: 'joe@[x:y]' }]));
  }
  let orders = 0;
  for (let now = 0; now < count; now++) {
    dispatcher.tick(now);
    for (let order = dispatcher.nextOrder(); order !== null; order = dispatcher.nextOrder()) {
      orders++;
      if (order.type === 'settle') dispatcher.tell({ type: 'settled', to: order.id, result: 'done' });
    }
  }
  expect(orders).toBe(2 * count);
  expect(dispatcher.size).toBe(0);
  return dispatcher.steps;
}

test('the work for each of n jobs grows as the logarithm of n', () => {
  for (const count of [1000, 8000]) expect(workOf(count) / count).toBeLessThan(3 * Math.log2(count) + 4);
});

test('a heap gives the least first, whatever is put in, moved and taken out', () => {
  const heap = new Heap<{ place: number; at: number }>((a, b) => a.at < b.at);
  const all = Array.from({ length: 500 }, (_, i) => ({ place: -1, at: (i * 7919) % 503 }));
  for (const one of all) heap.put(one);
  for (const one of all.filter((_, i) => i % 3 === 0)) heap.remove(one);
  for (const one of all.filter((_, i) => i % 3 === 1)) {
    one.at = 1000 - one.at;
    heap.put(one);
  }
  const left = all.filter((_, i) => i % 3 !== 0);
  const seen: number[] = [];
  for (let one = heap.shift(); one !== undefined; one = heap.shift()) {
    expect(one.place).toBe(-1);
    seen.push(one.at);
  }
  expect(seen).toEqual(left.map(({ at }) => at).sort((a, b) => a - b));
});
