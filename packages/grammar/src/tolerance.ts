import { DEVIATIONS, type Deviation } from './deviation.ts';
import type { Dialect } from './dialect.ts';
import { type Failure, failure } from './result.ts';

/** The first deviation that the dialect does not take, as a failure; null if it takes them all. */
export function intolerable(found: readonly Deviation[], dialect: Dialect, offset: number, rule: string): Failure | null {
  for (const name of found) {
    if (!dialect.tolerate.has(name)) {
      return failure('deviation', rule, `5321 ${DEVIATIONS[name].section}`, offset, `${DEVIATIONS[name].what} (${name})`);
    }
  }
  return null;
}
