import type { Deviation } from './deviation.ts';
import type { CommandDialect } from './dialect.ts';
import { byteAt, SP } from './rule.ts';

/** A line being read: everything up to `to` is the command without its CRLF. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly dialect: CommandDialect;
  readonly found: Deviation[];
}

/** RFC 5321 4.1.1: verbs and their arguments are parted by one SP. Returns where the argument begins, or `~i`. */
export function space(line: Line, i: number): number {
  if (byteAt(line.bytes, i, line.to) !== SP) return ~i;
  let end = i + 1;
  if (byteAt(line.bytes, end, line.to) !== SP || !line.dialect.tolerate.has('extra-space')) return end;
  while (byteAt(line.bytes, end, line.to) === SP) end++;
  line.found.push('extra-space');
  return end;
}
