import type { CommandDialect } from './command-dialect.ts';
import { DEVIATIONS, type Deviation } from './deviation.ts';
import type { Failure } from './result.ts';
import { byteAt, SP } from './rule.ts';
import { intolerable } from './tolerance.ts';

/** A line being read: everything up to `to` is the command without its CRLF. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly to: number;
  readonly dialect: CommandDialect;
  readonly found: Deviation[];
}

/** RFC 5321 4.1.1, 4.1.2: a verb, its arguments and its parameters are parted by one SP. Returns where the next part begins, or `~i`. */
export function space(line: Line, i: number): number {
  const end = spacesEnd(line, i);
  if (end === i) return ~i;
  if (end === i + 1 || !line.dialect.tolerate.has('extra-space')) return i + 1;
  line.found.push('extra-space');
  return end;
}

/** Past all spaces. */
export function spacesEnd({ bytes, to }: Line, from: number): number {
  let i = from;
  while (byteAt(bytes, i, to) === SP) i++;
  return i;
}

/** The first of these deviations that the dialect does not take, as a failure; null if it takes them all: then they are found. */
export function judge(line: Line, odd: readonly Deviation[], offset: number, rule: string): Failure | null {
  const refused = intolerable(DEVIATIONS, odd, line.dialect, offset, rule);
  line.found.push(...odd);
  return refused;
}
