import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ANY_DATE,
  DATE_DEVIATIONS,
  DATE_LETTER,
  type DateDeviation,
  type DateTime,
  formatDate,
  OBSOLETE_DATE,
  parseDate,
} from '../src/date.ts';

interface Vector {
  readonly value: string;
  readonly says: { readonly date: string; readonly offset: number | null; readonly leap: boolean } | null;
  readonly deviations: readonly DateDeviation[];
}

const { dates } = JSON.parse(readFileSync(new URL('../../../test-vectors/message/dates.json', import.meta.url), 'utf8')) as {
  readonly dates: readonly Vector[];
};

describe.each(dates.map((vector) => [JSON.stringify(vector.value), vector] as const))('%s', (_, { value, says, deviations }) => {
  test('says what it says', () => {
    const parsed = parseDate(value);
    const told = parsed.ok ? { ...parsed.value, date: new Date(parsed.value.date).toISOString() } : null;
    expect(told).toEqual(says);
    if (parsed.ok) expect(parsed.deviations).toEqual(deviations);
    expect(parseDate(new TextEncoder().encode(value))).toEqual(parsed);
  });

  test('is refused for each of its deviations', () => {
    if (says === null) return expect(parseDate(value, ANY_DATE)).toMatchObject({ ok: false, code: 'syntax', rule: 'date-time' });
    expect(parseDate(value, new Set(deviations)).ok).toBe(true);
    expect(parseDate(value, DATE_LETTER).ok).toBe(deviations.length === 0);
    for (const name of deviations) {
      const others = new Set([...ANY_DATE].filter((other) => other !== name));
      expect(parseDate(value, others)).toMatchObject({ ok: false, code: 'deviation', message: expect.stringContaining(`(${name})`) });
    }
  });
});

test('every deviation stands in some date, and has its words', () => {
  const names = Object.keys(DATE_DEVIATIONS).sort();
  expect([...new Set(dates.flatMap(({ deviations }) => deviations))].sort()).toEqual(names);
  expect([...ANY_DATE].sort()).toEqual(names);
  expect([...OBSOLETE_DATE].every((name) => ANY_DATE.has(name))).toBe(true);
});

test('what is written is read as the same', () => {
  const minute = fc.integer({ min: Date.UTC(1900, 0, 6) / 60_000, max: Date.UTC(99_999, 11, 25) / 60_000 });
  const moments = fc.record({
    date: fc.tuple(minute, fc.nat(59)).map(([minutes, seconds]) => (minutes * 60 + seconds) * 1000),
    offset: fc.option(fc.integer({ min: -5999, max: 5999 })),
    leap: fc.constant(false),
  });
  const leaps = fc.record({
    date: minute.map((minutes) => minutes * 60_000),
    offset: fc.option(fc.integer({ min: -5999, max: 5999 })),
    leap: fc.constant(true),
  });
  const property = fc.property(fc.oneof(moments, leaps), (moment: DateTime) => {
    expect(parseDate(formatDate(moment), DATE_LETTER)).toEqual({ ok: true, value: moment, deviations: [] });
  });
  fc.assert(property, { numRuns: 2000 });
});

test('nothing throws, whatever it is given', () => {
  const parts = fc.constantFrom(
    '1',
    '29',
    'Feb',
    'Mon,',
    ' ',
    '\r\n ',
    '2000',
    '97',
    '10:00',
    ':',
    '60',
    '+0100',
    'EST',
    '(',
    ')',
    '\\',
    '"',
    '\u00e4',
    ';',
  );
  const property = fc.property(
    fc.oneof(
      fc.array(parts, { maxLength: 20 }).map((all) => all.join('')),
      fc.string(),
    ),
    (text) => {
      const parsed = parseDate(text);
      if (parsed.ok) expect(parseDate(formatDate(parsed.value), DATE_LETTER)).toEqual({ ...parsed, deviations: [] });
    },
  );
  fc.assert(property, { numRuns: 3000 });
  // Octets that are no UTF-8, too.
  expect(parseDate(Uint8Array.of(0xf4, 0x90, 0x80, 0x80)).ok).toBe(false);
  fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof parseDate(bytes).ok === 'boolean'));
});
