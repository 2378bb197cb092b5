// What a million recipients that wait take of the machine: at most 400 octets each.
import v8 from 'node:v8';
import vm from 'node:vm';
import { expect, test } from 'vitest';
import { Dispatcher, deliverySettings, newJob } from '../src/index.ts';

v8.setFlagsFromString('--expose_gc');
const collect = vm.runInNewContext('gc') as () => void;
const COUNT = 1_000_000;

test.each([1, 4])(
  '%i to a job',
  (each) => {
    const start = Date.UTC(2026, 0, 1);
    const dispatcher = new Dispatcher(deliverySettings({ hostname: 'mx.example.org' }), () => 0.5);
    dispatcher.tick(start);
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < COUNT / each; i++) {
      const message = { id: `m-${i}-${i % 97}`, reversePath: `sender${i}@example.org`, arrived: start - i, size: 1000 + i };
      const recipients = Array.from({ length: each }, (_, k) => ({ address: `recipient${i}.${k}@domain${i % 1000}.example` }));
      const job = newJob(`j-${i}-${i % 97}`, message, `domain${i % 1000}.example`, recipients);
      dispatcher.add({ ...job, due: start + 60_000 + i });
    }
    collect();
    const octets = (process.memoryUsage().heapUsed - before) / COUNT;
    expect(dispatcher.size).toBe(COUNT / each);
    expect(octets).toBeLessThanOrEqual(400);
  },
  60_000,
);
