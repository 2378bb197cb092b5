// What a law is: a property of any class of sessions, the server's if nothing else is said, so that it can be held against a broken one too.
import fc from 'fast-check';
import type { SessionClass } from '../../src/laws/record.ts';

/** Cases of each property. */
export const CASES = 1000;

/** Failures print it, with the path to the smallest counterexample; the same seed gives the same cases. */
const SEED = 20_260_101;

export interface Law<Class = SessionClass> {
  /** The number of the law in the design, and what it says. */
  readonly name: string;
  /** Throws where the law is broken. */
  readonly check: (Session: Class, cases: number) => void;
}

/** A law that holds for every value of an arbitrary. */
export function property<T, Class = SessionClass>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  holds: (Session: Class, value: T) => void,
): Law<Class> {
  return {
    name,
    check: (Session, numRuns) =>
      fc.assert(
        fc.property(arbitrary, (value) => holds(Session, value)),
        // A mutant has to fail, not to be explained: only the full run looks for the smallest case.
        { numRuns, seed: SEED, endOnFailure: numRuns !== CASES },
      ),
  };
}

/** Throws where two values differ, and says where. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual) ?? '', JSON.stringify(expected) ?? ''];
  if (a === b) return;
  let i = 0;
  while (a[i] === b[i]) i++;
  const from = Math.max(0, i - 60);
  throw new Error(`${what} differ at ${i}:\n  … ${a.slice(from, i + 200)}\n  … ${b.slice(from, i + 200)}`);
}

export function holds(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
