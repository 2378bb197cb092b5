import { ANY_DATE, DATE_DEVIATIONS, type DateDeviation } from './date-deviation.ts';
import { type DateTime, dateTime } from './date-time.ts';
import { everydayDate } from './everyday-date.ts';
import { CONTROLS, comment, maybe, OLD_SPACE, OPEN_PAREN } from './folding.ts';
import { type Failure, failure, type Parsed } from './result.ts';
import { BACKSLASH, decodeUtf8, octetsOf } from './rule.ts';

const SECTION = '5322 3.3';

/**
 * Parses the value of a `Date` field: `date-time` of RFC 5322 3.3, the obsolete forms of 4.3, and what programs write in their place; each
 * difference is a deviation. `tolerate` names those that are taken: `ANY_DATE` by default, `OBSOLETE_DATE` what RFC 5322 wants every reader
 * to take, `DATE_LETTER` none. A date that the calendar or the clock does not have is refused.
 *
 * @example
 * ```ts
 * import { parseDate } from '@ehlo/grammar/imf';
 * parseDate('Fri, 21 Nov 97 09:55:06 EST')
 * // → { ok: true, value: { date: 880124106000, offset: -300, leap: false }, deviations: ['old-year', 'old-zone'] }
 * ```
 */
export function parseDate(value: Uint8Array | string, tolerate: ReadonlySet<DateDeviation> = ANY_DATE): Parsed<DateTime, DateDeviation> {
  const octets = octetsOf(value);
  // The line end of a field does not belong to its value.
  const bytes = octets.at(-1) === 0x0a && octets.at(-2) === 0x0d ? octets.subarray(0, -2) : octets;
  const to = bytes.length;
  const found = new Set<DateDeviation>();
  const read = dateTime(bytes, 0, to, found);
  // A comment after the date is no deviation; obsolete syntax in it is one.
  const end = read.end < 0 ? read.end : maybe(bytes, read.end, to, OLD_SPACE | CONTROLS);
  if (end === to) {
    if (maybe(bytes, read.end, to) !== to) found.add('old-space');
    return judged(read.value, [...found].sort(), tolerate);
  }
  const everyday = everydayDate(withoutComments(bytes));
  if (everyday.date === null || everyday.rest) return failure('syntax', 'date-time', SECTION, end < 0 ? ~end : end, 'no valid date');
  const deviations = new Set(everyday.deviations);
  // What has no other fault than those that were taken above is of another form.
  if (![...deviations].some((name) => ONLY_EVERYDAY.has(name))) deviations.add('odd-date');
  return judged({ date: everyday.date, offset: everyday.offset, leap: everyday.leap }, [...deviations].sort(), tolerate);
}

/** What is never met in a `date-time`, obsolete or not. */
const ONLY_EVERYDAY: ReadonlySet<DateDeviation> = /* @__PURE__ */ new Set<DateDeviation>(['odd-date', 'no-zone']);

function judged(
  value: DateTime,
  deviations: readonly DateDeviation[],
  tolerate: ReadonlySet<DateDeviation>,
): Parsed<DateTime, DateDeviation> {
  return refusedOf(deviations, tolerate) ?? { ok: true, value, deviations };
}

function refusedOf(deviations: readonly DateDeviation[], tolerate: ReadonlySet<DateDeviation>): Failure | undefined {
  const wrong = deviations.find((name) => !tolerate.has(name));
  return wrong && failure('deviation', 'date-time', SECTION, 0, `${DATE_DEVIATIONS[wrong]} (${wrong})`);
}

/** The text, with a space in the place of each comment. Of a parenthesis that nothing closes all is text. */
function withoutComments(bytes: Uint8Array): string {
  const to = bytes.length;
  let text = '';
  let from = 0;
  for (let i = 0; i < to; ) {
    const end = bytes[i] === OPEN_PAREN && bytes[i - 1] !== BACKSLASH ? comment(bytes, i, to, OLD_SPACE | CONTROLS) : i + 1;
    if (end < 0) break;
    if (end > i + 1) {
      text += `${decodeUtf8(bytes, from, i)} `;
      from = end;
    }
    i = end;
  }
  return text + decodeUtf8(bytes, from, to);
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/**
 * A date as RFC 5322 3.3 writes it, with a numeric zone; parts of a second are left out. Dates from 1900 to 99999 can be written, and offsets
 * of less than 100 hours: others are misuse.
 *
 * @example
 * ```ts
 * import { formatDate } from '@ehlo/grammar/imf';
 * formatDate({ date: 0, offset: 60, leap: false })
 * // → 'Thu, 1 Jan 1970 01:00:00 +0100'
 * ```
 */
export function formatDate({ date: milliseconds, offset, leap }: DateTime): string {
  const east = offset ?? 0;
  // Second 60 is written after second 59 of the same minute.
  const date = new Date(milliseconds + east * 60_000 - (leap ? 1000 : 0));
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${String(date.getUTCFullYear()).padStart(4, '0')}`;
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds() + (leap ? 1 : 0))}`;
  const zone = `${east < 0 || offset === null ? '-' : '+'}${two(Math.floor(Math.abs(east) / 60))}${two(Math.abs(east) % 60)}`;
  return `${day} ${time} ${zone}`;
}
