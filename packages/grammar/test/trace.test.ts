// Received fields as programs write them: RFC 5321 3.7.2 wants receivers to be "extremely robust" about them.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8, octets } from '../src/index.ts';
import { EVERYDAY, formatReceived, parseReceived, TRACE_DEVIATIONS, TRACE_LETTER, type TraceDeviation } from '../src/trace.ts';

interface Shape {
  readonly field: string;
  readonly says: { readonly clauses: Readonly<Record<string, string>>; readonly date: string | null };
  readonly deviations: readonly TraceDeviation[];
}

const { received } = JSON.parse(readFileSync(new URL('../../../test-vectors/trace/received.json', import.meta.url), 'utf8')) as {
  readonly received: readonly Shape[];
};

describe.each(received.map((shape) => [shape.field.replaceAll(/\s+/g, ' ').slice(0, 100), shape] as const))('%s', (_, shape) => {
  const { field, says, deviations } = shape;

  test('says what it says', () => {
    const parsed = parseReceived(field);
    if (!parsed.ok) expect.fail(parsed.message);
    const { clauses, date, ...hosts } = parsed.value;
    expect({ ...hosts, clauses: Object.fromEntries(clauses), date: date === null ? null : new Date(date).toISOString() }).toEqual(says);
    expect([...parsed.deviations].sort()).toEqual(deviations);
    expect(parseReceived(encodeUtf8(field))).toEqual(parsed);
  });

  test('by the letter it is refused for just that', () => {
    const letter = parseReceived(field, TRACE_LETTER);
    // What is in a comment is no fault of the field: its facts are read by those who take them.
    if (deviations.every((name) => name === 'odd-tcp-info') && letter.ok) return;
    expect(letter.ok).toBe(deviations.length === 0);
    for (const name of deviations) {
      const others = new Set([...EVERYDAY].filter((other) => other !== name));
      expect(parseReceived(field, others)).toMatchObject({ ok: false, message: expect.stringMatching(/\([a-z-]+\)$/) });
    }
    expect(parseReceived(field, new Set(deviations)).ok).toBe(true);
  });
});

test('every deviation has its words, and stands in some field', () => {
  const names = Object.keys(TRACE_DEVIATIONS).sort();
  expect([...EVERYDAY].sort()).toEqual(names);
  expect([...new Set(received.flatMap(({ deviations }) => deviations))].sort()).toEqual(names);
});

test('what is no Received field is none', () => {
  for (const text of ['', 'Received', 'X-Received: from a by b; 1 Jan 2000 00:00:00 +0000\r\n', 'Date: x\r\n', ' Received: by b\r\n'])
    expect(parseReceived(text).ok).toBe(false);
});

test('whatever stands behind the name is read, and nothing throws', () => {
  const part = fc.constantFrom(
    'from ',
    'by ',
    'id ',
    'for ',
    'with ',
    '(',
    ')',
    '"',
    '<',
    '>',
    '[',
    ']',
    ';',
    '\\',
    '@',
    '1',
    'Mon, ',
    '+0100',
    '\r\n ',
    '\n',
    'a.b ',
  );
  const text = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.array(part, { maxLength: 60 }).map((parts) => parts.join('')),
    fc.tuple(fc.constantFrom(...received), fc.nat(), fc.string({ maxLength: 3 })).map(([{ field }, at, odd]) => {
      const body = field.slice('Received:'.length);
      return body.slice(0, at % body.length) + odd + body.slice((at + odd.length) % body.length);
    }),
  );
  const holds = (body: string): void => {
    const parsed = parseReceived(`Received:${body}`);
    expect(parsed.ok).toBe(true);
    if (!parsed.ok) return;
    expect(parsed.deviations.every((name) => EVERYDAY.has(name))).toBe(true);
    expect(parsed.value.date === null).toBe(parsed.deviations.includes('no-date'));
    expect(Number.isNaN(parsed.value.date)).toBe(false);
  };
  fc.assert(fc.property(text, holds), { numRuns: 3000 });
});

// Each step of the reader is one pass; what repeats is what could make it two.
test.each(['(', '((', ')', '<', '"', ';', '\\', ' id', ' x', '[', ' (a)', ' (a', ',', ' by b', '1 ', '\r\n '])(
  'a field of many times %j is read',
  (piece) => {
    const parsed = parseReceived(`Received: from a ${piece.repeat(30_000)}`);
    expect(parsed.ok).toBe(true);
  },
);

test('TLS and PRIORITY stand in a Received field, and can be read there', () => {
  const facts = { helo: 'a.example', address: '192.0.2.1', by: 'b.example', protocol: 'ESMTPS', date: 0 };
  const field = formatReceived({ ...facts, tls: 'TLS_AES_128_GCM_SHA256', priority: -3 });
  const parsed = parseReceived(octets(field));
  expect(parsed.ok && [...parsed.value.clauses]).toEqual([
    ['WITH', 'ESMTPS'],
    ['TLS', 'TLS_AES_128_GCM_SHA256'],
    ['PRIORITY', '-3'],
  ]);
  expect(formatReceived({ ...facts, tls: 'ECDHE-RSA-AES128-GCM-SHA256' })).toBe(formatReceived(facts));
});

test('a comment stands in front of the date, and can not end itself (RFC 5321 6.4)', () => {
  const facts = {
    helo: 'a.example',
    address: '192.0.2.1',
    by: 'b.example',
    protocol: 'ESMTP',
    id: 'x',
    date: 0,
    comment: 'Date added) (\\ \r\n\u00e9',
  };
  const field = formatReceived(facts);
  expect(field).toContain(' id x\r\n\t(Date added\\) \\(\\\\ ???);\r\n');
  expect(parseReceived(field, TRACE_LETTER)).toMatchObject({ ok: true, deviations: [], value: { date: 0 } });
});

test('octets that are no UTF-8 never throw', () => {
  const field = Uint8Array.of(...encodeUtf8('Received: by '), 0xf4, 0x90, 0x80, 0x80, ...encodeUtf8('; 1 Jan 2000 00:00 +0000\r\n'));
  expect(parseReceived(field)).toMatchObject({ ok: true, value: { by: { name: '\ufffd' } } });
});
