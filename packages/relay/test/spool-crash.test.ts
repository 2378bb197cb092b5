// What a spool leaves on a disk that may lose whatever was not synced, and fail at every operation.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Story, type StoryOptions } from './spool/spool-story.ts';

async function holds(options: StoryOptions): Promise<Story> {
  const story = new Story(options);
  const violations = await story.run();
  if (violations.length > 0) throw new Error(`${JSON.stringify(options)}:\n${violations.join('\n')}`);
  return story;
}

/** Nothing was damaged: nothing may be taken for damaged. */
function sound({ told }: Story): void {
  expect(told.filter((error) => 'code' in error && error.code === 'damaged')).toEqual([]);
}

/** More where somebody looks longer. */
const RUNS = Number(process.env.SPOOL_RUNS ?? 60);
const DEEDS = Math.min(40, RUNS >> 2);

test.each([1, 2])('the power fails at each operation of story %i, or the process ends there and the power fails later', async (seed) => {
  const { steps } = await holds({ seed, deeds: DEEDS });
  for (let dies = 0; dies < steps; dies++) {
    sound(await holds({ seed, deeds: DEEDS, dies }));
    sound(await holds({ seed, deeds: DEEDS, dies, isPowerFailure: false }));
  }
});

test('the power fails, or the process ends, at some operation of some story', async () => {
  const stories = fc.record({
    seed: fc.nat(),
    deeds: fc.nat(100),
    dies: fc.nat(800),
    isPowerFailure: fc.boolean(),
    logSize: fc.integer({ min: 100, max: 3000 }),
  });
  await fc.assert(
    fc.asyncProperty(stories, async (options) => sound(await holds(options))),
    { numRuns: RUNS },
  );
});

test('the same in stories that are so long that the log is cleaned', async () => {
  let cleaned = 0;
  const stories = fc.record({ seed: fc.nat(), dies: fc.integer({ min: 300, max: 2000 }), isPowerFailure: fc.boolean() });
  const property = fc.asyncProperty(stories, async (options) => {
    const story = await holds({ ...options, deeds: 300, logSize: 300, jobs: 4 });
    sound(story);
    if (!story.disk.files.includes('spool/log/1')) cleaned++;
  });
  await fc.assert(property, { numRuns: RUNS >> 2 });
  expect(cleaned).toBeGreaterThan(0);
});

test.each(['ENOSPC', 'EIO'])(
  '%s at each operation of a story: what fails is rejected, what was acknowledged stays, and then all works again',
  async (code) => {
    const { steps } = await holds({ seed: 4, deeds: DEEDS, fault: () => null });
    for (let at = 0; at < steps; at++) sound(await holds({ seed: 4, deeds: DEEDS, fault: (step) => (step === at ? code : null) }));
  },
);

test('the disk fails now and then, or for a while, and the power in the end', async () => {
  const stories = fc.record({
    seed: fc.nat(),
    deeds: fc.nat(100),
    dies: fc.option(fc.nat(800), { nil: undefined }),
    from: fc.nat(600),
    length: fc.integer({ min: 1, max: 60 }),
    every: fc.integer({ min: 1, max: 9 }),
    code: fc.constantFrom('ENOSPC', 'EIO'),
  });
  const property = fc.asyncProperty(stories, async ({ from, length, every, code, dies, ...rest }) => {
    const fault: NonNullable<StoryOptions['fault']> = (step) => (step >= from && step < from + length && step % every === 0 ? code : null);
    sound(await holds({ ...rest, fault, ...(dies === undefined ? {} : { dies }) }));
  });
  await fc.assert(property, { numRuns: RUNS });
});
