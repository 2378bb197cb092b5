// Dates as programs write them where they do not keep to RFC 5322 3.3, nor to 4.3.
import { daysIn } from './calendar.ts';
import type { DateDeviation } from './date-deviation.ts';
import { DAYS, fullYear, MONTHS, namedZone } from './date-time.ts';
import { capitals } from './rule.ts';

/** A date as far as it could be read. */
export interface EverydayDate {
  readonly date: number | null;
  readonly offset: number | null;
  readonly leap: boolean;
  readonly deviations: readonly DateDeviation[];
  /** Whether there are words that belong to no date. */
  readonly rest: boolean;
}

/** Its parts, in any order; each once. */
interface Parts {
  weekday?: number;
  day?: number;
  month?: number;
  year?: number;
  time?: readonly [hour: number, minute: number, second: number];
  offset?: number | null;
}

/** Reads a date without its comments. Words are told apart by what they look like, so their order does not matter. */
export function everydayDate(text: string): EverydayDate {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const found = new Set<DateDeviation>();
  const parts: Parts = {};
  const rest = words.filter((word) => !take(word, parts, found)).length > 0;
  const { weekday, day = 0, month = 0, year = 0, time, offset } = parts;
  const [hour, minute, second] = time ?? [99, 0, 0];
  const valid = month > 0 && day > 0 && year >= 1900 && day <= daysIn(year, month) && hour < 24 && minute < 60 && second <= 60;
  if (!valid) return { date: null, offset: 0, leap: false, deviations: [], rest };
  if (rest || !ORDER.test(text)) found.add('odd-date');
  const midnight = Date.UTC(year, month - 1, day);
  if (weekday !== undefined && new Date(midnight).getUTCDay() !== weekday) found.add('odd-weekday');
  if (offset === undefined) found.add('no-zone');
  const east = offset ?? 0;
  const date = midnight + ((hour * 60 + minute - east) * 60 + second) * 1000;
  return { date, offset: offset ?? (offset === null ? null : 0), leap: second === 60, deviations: [...found], rest };
}

/** Day, month, year, and a time of two digits each: all that RFC 5322 3.3 and 4.3 allow but the zone. */
const ORDER = /^\s*(?:[a-z]{3}\s*,\s*)?\d{1,2}\s+[a-z]{3}\s+\d{2,5}\s+\d\d:\d\d(?::\d\d)?(?:\s|$)/i;

/** Takes a word for what it looks like; false if it looks like nothing that is still missing. */
function take(word: string, parts: Parts, found: Set<DateDeviation>): boolean {
  const upper = capitals(word);
  const weekday = DAYS.indexOf(upper.slice(0, 3));
  const month = 1 + MONTHS.indexOf(upper.slice(0, 3));
  const iso = /^(\d{4})-(\d\d)-(\d\d)(?:T(.*))?$/.exec(word);
  if (iso !== null && parts.year === undefined) {
    Object.assign(parts, { year: Number(iso[1]), month: Number(iso[2]), day: Number(iso[3]) });
    return iso[4] === undefined || takeTime(iso[4], parts, found);
  }
  const dashed = /^(\d{1,2})-([a-z]{3})-(\d{2,5})$/i.exec(word);
  if (dashed !== null) return dashed.slice(1).every((part) => take(part!, parts, found));
  if (weekday >= 0 && parts.weekday === undefined && /^[a-z]+$/i.test(word)) {
    parts.weekday = weekday;
    return true;
  }
  if (month > 0 && parts.month === undefined && /^[a-z]+$/i.test(word)) {
    parts.month = month;
    return true;
  }
  if (/^\d{1,2}:/.test(word)) return parts.time === undefined && takeTime(word, parts, found);
  if (/^\d{1,5}$/.test(word)) return takeNumber(word, parts, found);
  return takeZone(upper, parts, found);
}

/** The first number is the day. */
function takeNumber(word: string, parts: Parts, found: Set<DateDeviation>): boolean {
  const number = Number(word);
  if (parts.day === undefined && word.length <= 2) parts.day = number;
  else if (parts.year === undefined && word.length > 1) {
    if (word.length < 4) found.add('old-year');
    parts.year = fullYear(number, word.length);
  } else return false;
  return true;
}

/** `h:mm`, `hh:mm:ss`, parts of a second, and a zone without a space between. */
function takeTime(word: string, parts: Parts, found: Set<DateDeviation>): boolean {
  const match = /^(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(.*)$/.exec(word);
  if (match === null) return false;
  const [, hour, minute, second = '0', zone = ''] = match;
  parts.time = [Number(hour), Number(minute), Number(second)];
  return zone === '' || takeZone(capitals(zone), parts, found);
}

/** A zone by its name adds nothing after a zone that is a number. */
function takeZone(upper: string, parts: Parts, found: Set<DateDeviation>): boolean {
  const numeric = /^(?:GMT|UTC)?([+-])(\d\d?):?(\d\d)$/.exec(upper);
  if (numeric !== null && parts.offset === undefined) {
    const [whole, sign, hours, minutes] = numeric;
    if (Number(minutes) > 59) return false;
    if (whole.length !== 5) found.add('odd-date');
    const east = 60 * Number(hours) + Number(minutes);
    parts.offset = sign === '-' ? (east === 0 ? null : -east) : east;
    return true;
  }
  const named = namedZone(upper);
  if (named === undefined) return false;
  found.add('old-zone');
  if (parts.offset === undefined) parts.offset = named;
  return true;
}
