import { parseReceived, TRACE_DEVIATIONS } from '@ehlo/grammar/trace';
import { type Field, isNamed, unfold } from '@ehlo/message';
import { LoopWatch } from '@ehlo/message/loops';
import { deviations, type ShownDeviation } from './message-fields.ts';

/** A host that took the message, and how long the message was on the way to it. */
export interface Hop {
  /** Octets from the start of the message to its Received field. */
  readonly offset: number;
  /** Who gave the message, as that said it; its name and address, as the host knew them; null where the field does not tell. */
  readonly from: string | null;
  readonly host: string | null;
  readonly address: string | null;
  /** The host itself. */
  readonly by: string | null;
  /** Of the WITH clause. */
  readonly protocol: string | null;
  readonly id: string | null;
  readonly recipient: string | null;
  /** By the clock of the host. */
  readonly date: string | null;
  /** Milliseconds since the hop before; negative where two clocks disagree; null where one of the two has no date, or none is before. */
  readonly delay: number | null;
  readonly deviations: readonly ShownDeviation[];
}

/** The way of a message, by its Received fields. */
export interface Trace {
  /** In the order of time: the first host first, whose field is the lowest. */
  readonly hops: readonly Hop[];
  /** Milliseconds between the first and the last hop that have a date; null if fewer than two have one. */
  readonly duration: number | null;
  /** RFC 5321 6.3: whether there are more hops than any way has. */
  readonly loop: boolean;
}

/** Reads the way of a message from its header. */
export function traceOf(fields: readonly Field[]): Trace {
  const watch = new LoopWatch();
  for (const field of fields) watch.add(field);
  const hops: Hop[] = [];
  const known: number[] = [];
  let before: number | null = null;
  for (const field of fields.filter((one) => isNamed(one, 'Received')).reverse()) {
    const parsed = parseReceived(unfold(field).raw);
    const read = parsed.ok ? parsed.value : null;
    const date: number | null = read?.date ?? null;
    const clause = (name: string): string | null => read?.clauses.get(name) ?? null;
    hops.push({
      offset: field.offset,
      from: read?.from?.name ?? null,
      host: read?.from?.host ?? null,
      address: read?.from?.literal ?? null,
      by: read?.by?.name ?? null,
      protocol: clause('WITH'),
      id: clause('ID'),
      recipient: clause('FOR'),
      date: date === null ? null : new Date(date).toISOString(),
      delay: date === null || before === null ? null : date - before,
      deviations: parsed.ok ? deviations(parsed.deviations, TRACE_DEVIATIONS) : [],
    });
    if (date !== null) known.push(date);
    before = date;
  }
  return { hops, duration: known.length < 2 ? null : known.at(-1)! - known[0]!, loop: watch.loop === 'hops' };
}

/** A time for people: `350 ms`, `12 s`, `5 min 3 s`, `2 h 5 min`, `3 d 4 h`. */
export function timeText(milliseconds: number): string {
  const sign = milliseconds < 0 ? '-' : '';
  const all = Math.abs(milliseconds);
  if (all % 1000 !== 0 && all < 1000) return `${sign}${all} ms`;
  const seconds = Math.round(all / 1000);
  const units: readonly (readonly [count: number, unit: string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return (
    sign +
    units
      .slice(first, first + 2)
      .filter(([count]) => count > 0)
      .map(([count, unit]) => `${count} ${unit}`)
      .join(' ')
  );
}
