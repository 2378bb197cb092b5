import { daysIn } from './calendar.ts';
import type { DateDeviation } from './date-deviation.ts';
import { CONTROLS, fws, maybe, OLD_SPACE, type Position } from './folding.ts';
import { byteAt, COLON, COMMA, capitals, classAt, DIGIT, HT, LET_DIG, latin1, SP, word } from './rule.ts';

/** A moment, as RFC 5322 3.3 can say it. */
export interface DateTime {
  /** Milliseconds since 1970-01-01T00:00Z; of a leap second those of the next minute. */
  readonly date: number;
  /** Minutes east of UT; null where the zone says nothing of the local time: -0000 (3.3), and zones by names that are not known (4.3). */
  readonly offset: number | null;
  /** Whether it is second 60. */
  readonly leap: boolean;
}

/** A date as far as it was read. */
interface ReadDate {
  readonly end: Position;
  readonly value: DateTime;
}

export const DAYS: readonly string[] = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
export const MONTHS: readonly string[] = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const PLUS = 0x2b;
const MINUS = 0x2d;
const OBSOLETE = OLD_SPACE | CONTROLS;

/** Ours: the most digits of a year. RFC 5322 3.3 has no limit, a clock has. */
const YEAR_DIGITS = 5;

/**
 * RFC 5322 3.3: `[ day-of-week "," ] date time`, without the comments behind it. "A date-time specification MUST be semantically valid."
 * With `found` the obsolete forms of 4.3 are read too, and a day of the week that is another than the date's; what was met is added to it.
 */
export function dateTime(bytes: Uint8Array, from: Position, to: number, found: Set<DateDeviation> | null = null): ReadDate {
  const wrong = (end: Position): ReadDate => ({ end: end < 0 ? end : ~end, value: { date: 0, offset: 0, leap: false } });
  /** White space: by the letter needed (`fws`), allowed (`maybeFolded`), or neither (`nothing`); with `found`, `[CFWS]` anywhere. */
  const gap = (at: Position, letter: (bytes: Uint8Array, from: number, to: number) => Position): Position => {
    if (at < 0) return at;
    const strict = letter(bytes, at, to);
    if (found === null) return strict;
    const end = maybe(bytes, at, to, OBSOLETE);
    if (end !== strict && end >= 0) found.add('old-space');
    return end;
  };
  if (from < 0) return wrong(from);
  let dayAt = gap(from, maybeFolded);
  const weekday = dayAt < 0 ? -1 : DAYS.findIndex((name) => word(bytes, dayAt, to, name) >= 0);
  if (weekday >= 0) {
    const comma = gap(dayAt + 3, nothing);
    if (comma < 0 || byteAt(bytes, comma, to) !== COMMA) return wrong(comma < 0 ? comma : Math.min(comma, to));
    dayAt = gap(comma + 1, maybeFolded);
  }
  const dayEnd = digits(bytes, dayAt, to, 1, 2);
  const monthAt = gap(dayEnd, fws);
  if (monthAt < 0) return wrong(monthAt);
  const month = 1 + MONTHS.findIndex((name) => word(bytes, monthAt, to, name) >= 0);
  if (month === 0) return wrong(monthAt);
  const yearAt = gap(monthAt + 3, fws);
  const yearEnd = digits(bytes, yearAt, to, found === null ? 4 : 2, YEAR_DIGITS);
  const hourAt = gap(yearEnd, fws);
  const hourEnd = digits(bytes, hourAt, to, 2, 2);
  const hourColon = gap(hourEnd, nothing);
  if (hourColon < 0 || byteAt(bytes, hourColon, to) !== COLON) return wrong(hourColon);
  const minuteAt = gap(hourColon + 1, nothing);
  const minuteEnd = digits(bytes, minuteAt, to, 2, 2);
  if (minuteEnd < 0) return wrong(minuteEnd);
  const minuteColon = found === null ? minuteEnd : maybe(bytes, minuteEnd, to, OBSOLETE);
  const seconds = byteAt(bytes, minuteColon, to) === COLON;
  if (seconds && minuteColon > minuteEnd) found?.add('old-space');
  const secondAt = seconds ? gap(minuteColon + 1, nothing) : minuteEnd;
  const timeEnd = seconds ? digits(bytes, secondAt, to, 2, 2) : minuteEnd;
  const zone = zoneOf(bytes, timeEnd, gap(timeEnd, fws), to, found !== null);
  if (zone.end < 0) return wrong(zone.end);
  if (zone.named) found?.add('old-zone');

  const read = (start: number, stop: number): number => Number(latin1(bytes, start, stop));
  if (yearEnd - yearAt < 4) found?.add('old-year');
  const [year, day] = [fullYear(read(yearAt, yearEnd), yearEnd - yearAt), read(dayAt, dayEnd)];
  const [hour, minute, second] = [read(hourAt, hourEnd), read(minuteAt, minuteEnd), seconds ? read(secondAt, timeEnd) : 0];
  if (year < 1900) return wrong(yearAt);
  if (day < 1 || day > daysIn(year, month)) return wrong(dayAt);
  if (hour > 23 || minute > 59 || second > 60) return wrong(hourAt);
  const midnight = Date.UTC(year, month - 1, day);
  if (weekday >= 0 && new Date(midnight).getUTCDay() !== weekday) {
    if (found === null) return wrong(from);
    found.add('odd-weekday');
  }
  const { offset } = zone;
  return {
    end: zone.end,
    value: { date: midnight + ((hour * 60 + minute - (offset ?? 0)) * 60 + second) * 1000, offset, leap: second === 60 },
  };
}

/** RFC 5322 4.3: a year of two digits is 20yy up to 49, then 19yy, one of three 1900 + the number. */
export function fullYear(number: number, length: number): number {
  if (length > 3) return number;
  return length === 2 && number < 50 ? 2000 + number : 1900 + number;
}

interface Zone {
  readonly end: Position;
  readonly offset: number | null;
  readonly named: boolean;
}

/** `FWS ( "+" / "-" ) 4DIGIT`, and the names of 4.3, which stand at `at`; the time ends at `timeEnd`. */
function zoneOf(bytes: Uint8Array, timeEnd: number, at: Position, to: number, obsolete: boolean): Zone {
  const wrong = (end: Position): Zone => ({ end, offset: 0, named: false });
  if (at < 0) return wrong(at);
  const sign = byteAt(bytes, at, to);
  if (sign === PLUS || sign === MINUS) {
    // FWS has to stand before it, in the obsolete form too.
    if (at === timeEnd || (bytes[at - 1] !== SP && bytes[at - 1] !== HT)) return wrong(~at);
    const end = digits(bytes, at + 1, to, 4, 4);
    if (end < 0) return wrong(end);
    const minutes = Number(latin1(bytes, at + 3, end));
    if (minutes > 59) return wrong(~at);
    const east = Number(latin1(bytes, at + 1, at + 3)) * 60 + minutes;
    return { end, offset: sign === MINUS ? (east === 0 ? null : -east) : east, named: false };
  }
  let end = at;
  while (obsolete && (classAt(bytes, end, to) & (LET_DIG | DIGIT)) === LET_DIG) end++;
  const offset = end - at < 6 && end > at ? namedZone(capitals(latin1(bytes, at, end))) : undefined;
  return offset === undefined ? wrong(~at) : { end, offset, named: true };
}

/** RFC 5322 4.3: zones by their names, in hours east of UT. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['UT', 0],
  ['GMT', 0],
  ['EST', -5],
  ['EDT', -4],
  ['CST', -6],
  ['CDT', -5],
  ['MST', -7],
  ['MDT', -6],
  ['PST', -8],
  ['PDT', -7],
]);

/**
 * Minutes east of UT; null for the zones that 4.3 wants to be read as -0000: single letters, whose meaning was once printed wrongly, and
 * other names of three to five letters. Undefined for what is no zone.
 */
export function namedZone(upper: string): number | null | undefined {
  const hours = ZONES.get(upper);
  if (hours !== undefined) return hours * 60;
  return /^(?:[A-IK-Z]|[A-Z]{3,5})$/.test(upper) ? null : undefined;
}

/** `[FWS]` */
function maybeFolded(bytes: Uint8Array, from: number, to: number): number {
  const end = fws(bytes, from, to);
  return end < 0 ? from : end;
}

function nothing(_: Uint8Array, from: number): number {
  return from;
}

/** From `least` to `most` digits. */
function digits(bytes: Uint8Array, from: Position, to: number, least: number, most: number): Position {
  if (from < 0) return from;
  let i = from;
  while (i - from < most && (classAt(bytes, i, to) & DIGIT) !== 0) i++;
  return i - from >= least ? i : ~i;
}
