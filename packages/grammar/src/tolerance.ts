import type { Deviation, DeviationRule } from './deviation.ts';
import type { Dialect } from './dialect.ts';
import { type Failure, failure } from './result.ts';

/** The first deviation that the dialect does not take, as a failure; null if it takes them all. `rules` has those that there may be. */
export function intolerable<D extends Deviation>(
  rules: { readonly [name in D]: DeviationRule },
  found: readonly D[],
  dialect: Dialect,
  offset: number,
  rule: string,
): Failure | null {
  for (const name of found) {
    if (!dialect.tolerate.has(name)) {
      return failure('deviation', rule, rules[name].section, offset, `${rules[name].what} (${name})`);
    }
  }
  return null;
}
