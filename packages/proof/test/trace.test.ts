// Time-stamp-line is not regular, as comments nest: it is compared with a reader of its own, on words made from its ABNF.
import { latin1 } from '@ehlo/grammar';
import { parseReceived as parse, TRACE_LETTER } from '@ehlo/grammar/trace';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { mutate, randomFrom } from '../src/abnf/arbitrary.ts';
import { escapeBytes } from '../src/abnf/escape.ts';
import { extensionLimits, traceLimits } from '../src/abnf/extension-prose.ts';
import { proseLimits } from '../src/abnf/prose.ts';
import { Matcher } from './matcher.ts';
import { international, ours } from './oracle.ts';

const matcher = new Matcher(ours(international), 'Time-stamp-line', { ...proseLimits, ...extensionLimits, ...traceLimits });
const RUNS = 6000;

/** To the letter: as programs write it is another matter. */
const parseReceived = (field: Uint8Array) => parse(field, TRACE_LETTER);

const seen = { accepted: 0, refused: 0 };

afterAll(() => console.log(`Time-stamp-line: words and mutations ${JSON.stringify(seen)}, 0 disagreements (parseReceived)`));

function compare(word: Uint8Array): void {
  const expected = matcher.matches(word) && weekdayAgrees(latin1(word, 0, word.length));
  seen[expected ? 'accepted' : 'refused']++;
  if (parseReceived(word).ok !== expected) expect.fail(`${expected ? 'refused' : 'accepted'} ${escapeBytes(word)}`);
}

test(`parseReceived is Time-stamp-line, on ${RUNS} words and a mutation of each`, () => {
  const words = fc.uint8Array({ minLength: 200, maxLength: 600, size: 'max' }).map((source) => {
    const random = randomFrom(source);
    const word = withWeekday(Uint8Array.from(matcher.word(random)), random() < 0.9);
    return { word, mutation: mutate(word, random) };
  });
  const property = fc.property(words, ({ word, mutation }) => {
    compare(word);
    compare(mutation);
  });
  fc.assert(property, { numRuns: RUNS, seed: 5321 });
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(RUNS / 3);
});

// The ambiguous parts, put together in every likely way: TCP-info that may be a comment, names of clauses in any order.
test(`parseReceived is Time-stamp-line, on ${RUNS} fields of likely parts`, () => {
  const gap = fc.constantFrom(' ', '', '(c)', ' (c) ', '\r\n\t', ' \r\n (c(d))\r\n ', ' \r\n \r\n ');
  const domain = fc.constantFrom('a.b', 'a', '[1.2.3.4]', '\u00c3\u00a4.b');
  const info = fc.constantFrom(
    '',
    ' ([1.2.3.4])',
    ' (a [1.2.3.4])',
    ' (a)',
    ' ([x:(])',
    ' ([x:y)by])',
    '\t(a \r\n [IPv6:::])',
    '([1.2.3.4])',
  );
  const name = fc.constantFrom('via', 'with', 'id', 'for', 'tls', 'ID', 'v\u00c4\u00b1a');
  const value = fc.constantFrom('x', 'a.b', '<a@b>', 'a@b', '"a b"@c', '"q;("', '<@a:b@c>', '(c) <a@[x]>', '<a.b@c> ', '<a@[1.2.3.4]>');
  const clause = fc.tuple(gap, name, fc.constantFrom(' ', '\r\n ', '  ', ''), value).map((parts) => parts.join(''));
  const extended = fc.tuple(domain, info).map((parts) => parts.join(''));
  const field = fc
    .tuple(extended, gap, extended, fc.array(clause, { maxLength: 5 }), gap, gap)
    .map(
      ([from, before, by, clauses, end, last]) =>
        `Received: from ${from}${before}by ${by}${clauses.join('')}${end};${last} 1 Jan 2000 00:00 +0000${last}\r\n`,
    );
  const property = fc.property(field, (text) => compare(Uint8Array.from(text, (octet) => octet.charCodeAt(0))));
  fc.assert(property, { numRuns: RUNS, seed: 5321 });
});

test('comments nest as deep as a field is long', () => {
  const deep = '('.repeat(500) + ')'.repeat(500);
  const field = (comment: string): Uint8Array =>
    Buffer.from(`Received: from a ${comment} by b ([::]); 1 Jan 2000 00:00 +0000 ${comment}\r\n`);
  expect(parseReceived(field(deep)).ok).toBe(true);
  expect(parseReceived(field(`(${deep}`)).ok).toBe(false);
});

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const WEEKDAY = /(Sun|Mon|Tue|Wed|Thu|Fri|Sat)(?=\s*,\s*([0-9]+)\s+([a-z]{3})\s+([0-9]+)\s)/i;

/** RFC 5322 3.3: "the day-of-week (if included) MUST be the day implied by the date". Only asked of what the grammar allows. */
function weekdayAgrees(field: string): boolean {
  const date = WEEKDAY.exec(withoutComments(field).split(';').at(-1) ?? '');
  return date === null || date[1]?.toLowerCase() === implied(date).toLowerCase();
}

function implied([, , day, month, year]: readonly string[]): string {
  const at = new Date(0);
  at.setUTCFullYear(Number(year), MONTHS.indexOf((month ?? '').toLowerCase()), Number(day));
  return DAYS[at.getUTCDay()] ?? '';
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** A generated day of the week is mostly wrong; corrected, it stays in its place. */
function withWeekday(word: Uint8Array, correct: boolean): Uint8Array {
  const text = latin1(word, 0, word.length);
  const at = text.lastIndexOf(';');
  const tail = correct ? text.slice(at).replace(WEEKDAY, (_, ...groups: string[]) => implied(['', ...groups])) : text.slice(at);
  return Uint8Array.from(text.slice(0, at) + tail, (octet) => octet.charCodeAt(0));
}

/** Quoted strings, literals and comments left out: then the last ";" is the one before the date. */
function withoutComments(field: string): string {
  let [text, depth, i] = ['', 0, 0];
  const skipTo = (end: string): void => {
    for (i++; i < field.length && field[i] !== end; i++) if (field[i] === '\\' && end === '"') i++;
  };
  for (; i < field.length; i++) {
    const octet = field[i] as string;
    if (depth > 0 && octet === '\\') i++;
    else if (octet === '(') depth++;
    else if (octet === ')') depth--;
    else if (depth > 0) continue;
    else if (octet === '"') skipTo('"');
    else if (octet === '[') skipTo(']');
    else text += octet;
  }
  return text;
}
