// What fuzzing starts from holds, the kept corpus among it; inputs change the same way for the same seed, and what fails becomes small.
import { describe, expect, test } from 'vitest';

type Octets = Uint8Array;

interface Target {
  readonly words: readonly string[];
  seeds(): readonly Octets[];
  run(octets: Octets): void;
}

/** The scripts have no types. */
const script = async <T>(name: string): Promise<T> =>
  (await import(new URL(`../../../scripts/fuzz/${name}.mjs`, import.meta.url).href)) as T;

const { keptOf } = await script<{ keptOf(name: string): readonly Octets[] }>('kept');
const { TARGETS } = await script<{ readonly TARGETS: { readonly [name: string]: Target } }>('targets');
const { shrunk } = await script<{ shrunk(octets: Octets, fails: (octets: Octets) => boolean): Octets }>('shrink');
const { changed, random } = await script<{
  random(seed: number): (below: number) => number;
  changed(corpus: readonly Octets[], words: readonly string[], dice: (below: number) => number, longest: number): Octets;
}>('mutate');

/** Of the vectors, which have tests of their own. */
const SEEDS = 20;

describe.each(Object.entries(TARGETS))('%s', (name, target) => {
  test('holds on its seeds and on its corpus', () => {
    const seeds = target.seeds();
    expect(seeds.length).toBeGreaterThan(0);
    for (const octets of [...seeds.slice(0, SEEDS), ...keptOf(name)]) target.run(octets);
  });

  test('changes inputs the same way for the same seed', () => {
    const some = (seed: number): readonly Uint8Array[] => {
      const dice = random(seed);
      return Array.from({ length: 20 }, () => changed(target.seeds().slice(0, 5), target.words, dice, 500));
    };
    expect(some(1)).toEqual(some(1));
    expect(some(1)).not.toEqual(some(2));
    expect(some(1).every(({ length }) => length <= 500)).toBe(true);
  });
});

test('what fails becomes as small as it can', () => {
  const fails = (octets: Uint8Array): boolean => octets.includes(7) && octets.includes(9);
  expect([...shrunk(new Uint8Array([1, 2, 7, 3, 4, 5, 9, 9, 6]), fails)]).toEqual([7, 9]);
});
