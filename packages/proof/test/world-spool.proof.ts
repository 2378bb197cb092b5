// The simulated world with the spool behind its relay, on a disk that loses at each crash whatever was not synced: the laws are the same (docs/delivery.md).
import { expect, test } from 'vitest';
import { FAULTS } from './world/faults.ts';
import { shrink } from './world/shrink.ts';
import { DISK_FAULTS } from './world/spool-queue.ts';
import { type Outcome, runWorld, type WorldOptions } from './world/world.ts';

const ALL = [...FAULTS, ...DISK_FAULTS];

async function holds(options: Omit<WorldOptions, 'queue'>): Promise<Outcome> {
  const all: WorldOptions = { ...options, queue: 'spool' };
  const outcome = await runWorld(all);
  if (outcome.violations.length > 0) expect((await shrink(all, runWorld)) ?? outcome.violations).toBe('a world in which all laws hold');
  return outcome;
}

test('where nothing goes wrong, everything is relayed once', async () => {
  const { states, recipients, duplicates, notices } = await holds({ seed: 1, messages: 100, days: 1, faults: [] });
  expect([states, duplicates, notices]).toEqual([{ relayed: recipients }, 0, 0]);
});

test.each(['relay crashes', 'relay is restarted', 'relay stands still', 'settle answers nothing', ...DISK_FAULTS])('%s', async (fault) => {
  const { states, recipients } = await holds({ seed: 7, messages: 60, days: 1, faults: [fault] });
  expect(states).toEqual({ relayed: recipients });
});

test.each([2, 3, 4, 5, 6])('everything goes wrong, by seed %i', async (seed) => {
  const { states } = await holds({ seed, messages: 150, days: 2, faults: ALL });
  expect(Object.keys(states).sort()).toEqual(expect.arrayContaining(['failed', 'relayed']));
});
