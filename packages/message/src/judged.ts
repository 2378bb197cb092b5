import { failure, type Parsed } from '@ehlo/grammar/imf';
import { untaken } from './field.ts';

/** What was read, if every deviation that was met is taken; else the first one's failure. */
export function judged<T, D extends string>(
  value: T,
  found: ReadonlySet<D>,
  tolerate: ReadonlySet<D>,
  rule: string,
  section: string,
  offset = 0,
): Parsed<T, D> {
  for (const one of found) if (!tolerate.has(one)) return failure('deviation', rule, section, offset, untaken(one));
  return { ok: true, value, deviations: [...found].sort() };
}
