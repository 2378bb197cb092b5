// As much mail as there is (docs/delivery.md): every recipient comes to one end with what led to it, nothing is lost, nothing is sent again that is
// known to have arrived, and a second copy is only where an attempt was unknown. `MESSAGES` says how many enter in five days; docs/delivery.md has figures.
import { newJob } from '@ehlo/delivery';
import { beforeAll, expect, test } from 'vitest';
import { hostTables, MASS_FAULTS, runMass } from './world/mass.ts';
import { MassLedger } from './world/mass-ledger.ts';
import type { HostTable } from './world/table.ts';

const MESSAGES = Number(process.env.MESSAGES ?? 20_000);

let tables: ReadonlyMap<string, HostTable>;
beforeAll(async () => {
  tables = await hostTables(MASS_FAULTS);
});

test('five days, until no job is due, leased, held or waiting', () => {
  const from = process.cpuUsage();
  const { story: _, violations, categories, ...sums } = runMass({ seed: 1, messages: MESSAGES, days: 5, faults: MASS_FAULTS }, tables);
  const { user, system } = process.cpuUsage(from);
  console.log(JSON.stringify({ messages: MESSAGES, seconds: (user + system) / 1e6, ...sums, categories }));
  expect(violations).toEqual([]);
  expect(Object.values(sums.states).reduce((sum, count) => sum + count, 0)).toBe(sums.recipients);
  expect(sums.duplicates).toBeLessThanOrEqual(sums.unknown);
  expect(sums.duplicates).toBeGreaterThan(0);
  expect(Object.keys(sums.states).sort()).toEqual(['expired', 'failed', 'relayed']);
  // What is next is found by comparing times: O(log n) of them for each order.
  expect(sums.steps).toBeLessThan(sums.orders * Math.log2(sums.recipients));
});

test.each([2, 3, 4, 5])('seed %i', (seed) => {
  expect(runMass({ seed, messages: 1500, days: 2, faults: MASS_FAULTS }, tables).violations).toEqual([]);
});

test('where nothing goes wrong, everything is relayed once', () => {
  const { states, recipients, duplicates, notices } = runMass({ seed: 6, messages: 1500, days: 1, faults: [] }, tables);
  expect([states, duplicates, notices]).toEqual([{ relayed: recipients }, 0, 0]);
});

test('the same seed leads to the same world, and a recipient to its story', () => {
  const options = { seed: 7, messages: 300, days: 1, faults: MASS_FAULTS, about: 11 };
  const first = runMass(options, tables);
  expect(runMass(options, tables)).toEqual(first);
  expect(first.story.at(-1)).toMatch(/^\d+ s (?:relayed|failed|expired|its sender)/);
});

test('what breaks a law is told', () => {
  const ledger = new MassLedger(null);
  const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 0 };
  const first = ledger.born(
    newJob(
      'j',
      message,
      'example.net',
      ['a', 'b', 'c', 'd'].map((name) => ({ address: `${name}@example.net` })),
    ),
  );
  const last = { at: 0, status: '2.0.0', category: 'accepted' };
  ledger.marked(first, 0);
  ledger.marked(first, 0);
  ledger.taken(first, 0);
  ledger.settled(first, { index: 0, state: 'relayed', last }, 0);
  ledger.taken(first, 0);
  ledger.taken(first + 1, 0);
  ledger.settled(first + 1, { index: 1, state: 'failed', last }, 0);
  ledger.settled(first + 2, { index: 2, state: 'relayed' }, 0);
  expect(ledger.sums().violations).toEqual([
    'recipient 0: sent again after a durable acceptance',
    'recipient 1: sent without a mark',
    'recipient 2: relayed, and nothing says why',
    'recipient 0: 2 copies, and 0 attempts unknown',
    'recipient 1: failed, and told 0 times',
    'recipient 2: accepted, and lost',
    'recipient 3: it never came to an end',
  ]);
});
