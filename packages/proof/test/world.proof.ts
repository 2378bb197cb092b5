// Delivery in a simulated world (docs/delivery.md): every recipient comes to one end, nothing is lost, nothing is sent again that is known to have
// arrived, and every failure is told once.
import { expect, test } from 'vitest';
import { FAULTS } from './world/faults.ts';
import { shrink } from './world/shrink.ts';
import { type Outcome, runWorld, type WorldOptions } from './world/world.ts';

/** Runs a world; where a law is broken, the plainest such world and its story are what fails. */
async function holds(options: WorldOptions): Promise<Outcome> {
  const outcome = await runWorld(options);
  if (outcome.violations.length > 0) expect((await shrink(options, runWorld)) ?? outcome.violations).toBe('a world in which all laws hold');
  return outcome;
}

test('there are forty kinds of faults and more, each with a name of its own', () => {
  expect(FAULTS.length).toBeGreaterThanOrEqual(40);
  expect(new Set(FAULTS).size).toBe(FAULTS.length);
});

test('where nothing goes wrong, everything is relayed once', async () => {
  const { states, recipients, duplicates, notices } = await holds({ seed: 1, messages: 100, days: 1, faults: [] });
  expect([states, duplicates, notices]).toEqual([{ relayed: recipients }, 0, 0]);
});

test.each(FAULTS)('%s', async (fault) => {
  await holds({ seed: 7, messages: 12, days: 1, faults: [fault] });
});

test.each([2, 3, 4])('everything goes wrong, by seed %i', async (seed) => {
  const { states } = await holds({ seed, messages: 150, days: 2, faults: FAULTS });
  expect(Object.keys(states).sort()).toEqual(expect.arrayContaining(['failed', 'relayed']));
});

test('a second copy arrives only where nobody could know of the first', async () => {
  const { duplicates, states, recipients } = await holds({ seed: 5, messages: 60, days: 1, faults: ['lost before the reply'] });
  expect(duplicates).toBeGreaterThan(0);
  expect(states).toEqual({ relayed: recipients });
});

test('the same seed leads to the same world, to the last event', async () => {
  const options = { seed: 8, messages: 40, days: 1, faults: FAULTS, about: 'm3 r3-1@d0.example' };
  expect(await runWorld(options)).toEqual(await runWorld(options));
});

test('a world that goes wrong is shrunk to a story', async () => {
  // A host that forgets what it has acknowledged: what the ledger of this run does not count.
  const run = async (options: WorldOptions): Promise<Outcome> => {
    const outcome = await runWorld(options);
    return options.faults.includes('greylisting') ? { ...outcome, violations: ['m0 r0-1@d0.example: made up'] } : outcome;
  };
  const found = await shrink({ seed: 9, messages: 16, days: 1, faults: ['no MX', 'greylisting', 'relay crashes'] }, run);
  expect(found?.options).toEqual({ seed: 9, messages: 1, days: 1, faults: ['greylisting'] });
  expect(found?.violation).toBe('m0 r0-1@d0.example: made up');
  expect(await shrink({ seed: 9, messages: 4, days: 1, faults: [] }, run)).toBe(null);
});
