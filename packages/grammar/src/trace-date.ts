import { daysIn } from './calendar.ts';
import { fws, type Position } from './folding.ts';
import { byteAt, COLON, COMMA, classAt, DIGIT, latin1, word } from './rule.ts';

/** When a trace field was written. */
interface TraceDate {
  readonly end: Position;
  /** Milliseconds since 1970-01-01T00:00Z. */
  readonly date: number;
  /** Minutes east of UT. */
  readonly offset: number;
}

export const DAYS: readonly string[] = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
export const MONTHS: readonly string[] = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const PLUS = 0x2b;
const MINUS = 0x2d;

/** Ours: the most digits of a year. RFC 5322 3.3 has no limit, a clock has. */
const YEAR_DIGITS = 5;

/**
 * RFC 5322 3.3: `[ day-of-week "," ] date time`, without obsolete forms (RFC 5321 4.4) and without the comments behind it.
 * "A date-time specification MUST be semantically valid."
 */
export function traceDate(bytes: Uint8Array, from: Position, to: number): TraceDate {
  const wrong = (end: Position): TraceDate => ({ end: end < 0 ? end : ~end, date: 0, offset: 0 });
  if (from < 0) return wrong(from);
  let dayAt = maybeFolded(bytes, from, to);
  const weekday = DAYS.findIndex((name) => word(bytes, dayAt, to, name) >= 0);
  if (weekday >= 0) {
    if (byteAt(bytes, dayAt + 3, to) !== COMMA) return wrong(Math.min(dayAt + 3, to));
    dayAt = maybeFolded(bytes, dayAt + 4, to);
  }
  const dayEnd = digits(bytes, dayAt, to, 1, 2);
  const monthAt = fws(bytes, dayEnd, to);
  if (monthAt < 0) return wrong(monthAt);
  const month = 1 + MONTHS.findIndex((name) => word(bytes, monthAt, to, name) >= 0);
  if (month === 0) return wrong(monthAt);
  const yearAt = fws(bytes, monthAt + 3, to);
  const yearEnd = digits(bytes, yearAt, to, 4, YEAR_DIGITS);
  const hourAt = fws(bytes, yearEnd, to);
  const hourEnd = digits(bytes, hourAt, to, 2, 2);
  if (hourEnd < 0 || byteAt(bytes, hourEnd, to) !== COLON) return wrong(hourEnd);
  const minuteEnd = digits(bytes, hourEnd + 1, to, 2, 2);
  if (minuteEnd < 0) return wrong(minuteEnd);
  const seconds = byteAt(bytes, minuteEnd, to) === COLON;
  const timeEnd = seconds ? digits(bytes, minuteEnd + 1, to, 2, 2) : minuteEnd;
  const zoneAt = fws(bytes, timeEnd, to);
  if (zoneAt < 0) return wrong(zoneAt);
  const sign = byteAt(bytes, zoneAt, to);
  const end = sign === PLUS || sign === MINUS ? digits(bytes, zoneAt + 1, to, 4, 4) : ~zoneAt;
  if (end < 0) return wrong(end);

  const read = (start: number, stop: number): number => Number(latin1(bytes, start, stop));
  const [year, day] = [read(yearAt, yearEnd), read(dayAt, dayEnd)];
  const [hour, minute, second] = [read(hourAt, hourEnd), read(hourEnd + 1, minuteEnd), seconds ? read(minuteEnd + 1, timeEnd) : 0];
  if (year < 1900) return wrong(yearAt);
  if (day < 1 || day > daysIn(year, month)) return wrong(dayAt);
  if (hour > 23 || minute > 59 || second > 60) return wrong(hourAt);
  if (read(zoneAt + 3, end) > 59) return wrong(zoneAt);
  const midnight = Date.UTC(year, month - 1, day);
  if (weekday >= 0 && new Date(midnight).getUTCDay() !== weekday) return wrong(from);
  const minutes = read(zoneAt + 1, zoneAt + 3) * 60 + read(zoneAt + 3, end);
  const offset = sign === MINUS ? 0 - minutes : minutes;
  return { end, date: midnight + ((hour * 60 + minute - offset) * 60 + second) * 1000, offset };
}

/** `[FWS]` */
function maybeFolded(bytes: Uint8Array, from: number, to: number): number {
  const end = fws(bytes, from, to);
  return end < 0 ? from : end;
}

/** From `least` to `most` digits. */
function digits(bytes: Uint8Array, from: Position, to: number, least: number, most: number): Position {
  if (from < 0) return from;
  let i = from;
  while (i - from < most && (classAt(bytes, i, to) & DIGIT) !== 0) i++;
  return i - from >= least ? i : ~i;
}
