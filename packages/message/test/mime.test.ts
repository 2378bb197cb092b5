import { readFileSync } from 'node:fs';
import { encodeUtf8 } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AuthenticationResults,
  formatAuthenticationResults,
  formatAutoSubmitted,
  formatContentType,
  formatDisposition,
  listIdOf,
  listUrisOf,
  MIME_LETTER,
  type MimeDeviation,
  type MimeParameter,
  parameterOf,
  parseAuthenticationResults,
  parseAutoSubmitted,
  parseContentType,
  parseDisposition,
  parseTransferEncoding,
} from '../src/mime.ts';
import { MIME_DEVIATIONS } from '../src/words.ts';

const READERS = {
  'Content-Type': parseContentType,
  'Content-Disposition': parseDisposition,
  'Content-Transfer-Encoding': parseTransferEncoding,
  'Auto-Submitted': parseAutoSubmitted,
  'Authentication-Results': parseAuthenticationResults,
} as const;

interface Vector {
  readonly field: keyof typeof READERS;
  readonly value: string;
  readonly says: unknown;
  readonly deviations: readonly MimeDeviation[];
}
const file = new URL('../../../test-vectors/message/parameters.json', import.meta.url);
const { fields } = JSON.parse(readFileSync(file, 'utf8')) as { readonly fields: readonly Vector[] };

describe.each(fields)('$field: $value', ({ field, value, says, deviations }) => {
  test('says what it says, and how it differs', () => {
    const line = `${value.replaceAll('\r\n', '')}\r\n`;
    for (const written of [value, encodeUtf8(value), ...(deviations.includes('odd-space') ? [] : [line])]) {
      expect(READERS[field](written)).toEqual({ ok: true, value: says, deviations });
    }
  });

  test('each deviation is refused by who does not tolerate it', () => {
    expect(READERS[field](value, { tolerate: new Set(deviations) }).ok).toBe(true);
    for (const one of deviations) {
      const tolerate = new Set(deviations.filter((other) => other !== one));
      expect(READERS[field](value, { tolerate })).toMatchObject({
        ok: false,
        code: 'deviation',
        message: `a deviation that is not taken (${one})`,
      });
    }
  });
});

test('every deviation has a value that shows it', () => {
  expect([...new Set(fields.flatMap(({ deviations }) => deviations))].sort()).toEqual(Object.keys(MIME_DEVIATIONS).sort());
});

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const value = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ maxLength: 90 }),
  fc.constantFrom('', '=?utf-8?q?x?=', ' ', '"\\'),
);
const parameter = fc.record({ name, value }).chain((one) => fc.constantFrom<MimeParameter>(one, { ...one, language: 'en-GB' }));
const parameters = fc.uniqueArray(parameter, { selector: (one) => one.name, maxLength: 5 });

describe('what is written is read again', () => {
  test.each([
    ['Content-Type', (list: readonly MimeParameter[]) => ({ type: 'text/x-y', parameters: list }), formatContentType, parseContentType],
    [
      'Content-Disposition',
      (list: readonly MimeParameter[]) => ({ disposition: 'inline', parameters: list }),
      formatDisposition,
      parseDisposition,
    ],
    [
      'Auto-Submitted',
      (list: readonly MimeParameter[]) => ({ keyword: 'auto-replied', parameters: list }),
      formatAutoSubmitted,
      parseAutoSubmitted,
    ],
  ] as const)('%s', (field, make, format, parse) => {
    const property = fc.property(parameters, (list) => {
      const one = make(list);
      const written = (format as (value: typeof one) => string)(one);
      expect(parse(written, { tolerate: MIME_LETTER })).toEqual({ ok: true, value: one, deviations: [] });
      const lines = `${field}: ${written}`.split('\r\n');
      expect(lines.filter((line) => line.length > 78 && line.length > 6 + 20 + 2 * 70)).toEqual([]);
      expect(written).toMatch(/^[ -~\r\n]*$/);
    });
    fc.assert(property, { numRuns: 1000, seed: 2231 });
  });

  test('Authentication-Results', () => {
    const keyword = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?$/);
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((one) => one.replaceAll(/\p{Cc}|\p{Cs}/gu, ' '));
    const version = fc.constantFrom(1, 1, 2, 10);
    const value = fc.oneof(text, fc.constantFrom('@a.example', 'ann@a.example', '"a b"@c.d', '192.0.2.1', 'a=b', '(', '\\'));
    const property = fc.record({ type: keyword, property: keyword, value });
    const comments = fc.array(text, { maxLength: 2 });
    const result = fc.record({
      method: keyword,
      version,
      result: keyword,
      reason: text,
      properties: fc.array(property, { maxLength: 3 }),
      comments,
    });
    const all = fc.record({ authservId: text, version, results: fc.array(result, { maxLength: 3 }) });
    const written = fc.property(all, (one: AuthenticationResults) => {
      const parsed = parseAuthenticationResults(formatAuthenticationResults(one), { tolerate: MIME_LETTER });
      expect(parsed).toEqual({ ok: true, value: one, deviations: [] });
    });
    fc.assert(written, { numRuns: 1500, seed: 8601 });
    const odd: AuthenticationResults = {
      authservId: 'a\r\nb',
      version: 1,
      results: [{ method: 'x y', version: 1, result: 'pass', reason: '', properties: [], comments: [] }],
    };
    expect(formatAuthenticationResults(odd)).toBe('"a  b"; none');
  });

  test('what can not be written is not', () => {
    expect(
      formatContentType({
        type: 'a b',
        parameters: [
          { name: 'x y', value: '1' },
          { name: 'z', value: '2' },
        ],
      }),
    ).toBe('application/octet-stream;\r\n z=2');
    expect(formatDisposition({ disposition: '', parameters: [] })).toBe('attachment');
    expect(formatAutoSubmitted({ keyword: '\r\n', parameters: [] })).toBe('auto-generated');
  });
});

test('no octet makes a reader throw, and each deviation it tells has its words', () => {
  const piece = fc.constantFrom(
    'text',
    '/',
    'plain',
    ';',
    '=',
    'a',
    '*',
    '*0',
    '*1*',
    "utf-8''",
    "'",
    '%',
    '%41',
    '"',
    '\\',
    '(',
    ')',
    ' ',
    '\r\n ',
    '\r',
    '\n',
    '\0',
    'é',
    '=?utf-8?b?eA==?=',
  );
  const octets = fc.oneof(
    fc.array(piece, { maxLength: 40 }).map((pieces) => encodeUtf8(pieces.join(''))),
    fc.uint8Array({ maxLength: 80 }),
  );
  const property = fc.property(octets, (field) => {
    for (const parse of Object.values(READERS)) {
      const parsed = parse(field);
      if (!parsed.ok) expect.fail('refused');
      expect(parsed.deviations.filter((one) => !(one in MIME_DEVIATIONS))).toEqual([]);
      const letter = parse(field, { tolerate: MIME_LETTER });
      expect(letter.ok).toBe(parsed.deviations.length === 0);
    }
  });
  fc.assert(property, { numRuns: 3000, seed: 2045 });
});

test('work is linear: a field of 200,000 octets of each awkward kind is read', () => {
  for (const piece of [
    ';',
    ';a',
    ';a=',
    '(',
    ' (',
    '();',
    'a=b(;',
    'a=b(',
    'a=b (',
    '(a',
    ')',
    '"',
    ';a="',
    '=',
    ';a*0=b',
    ' a',
    '\\',
    '%',
    "';",
    ';a=b c',
  ]) {
    const parsed = parseContentType(`text/plain;${piece.repeat(200_000 / piece.length)}`);
    expect(parsed.ok && parsed.value.type).toBe('text/plain');
  }
});

test('other charsets are decoded by who knows them', () => {
  const field = "attachment; filename*=koi8-r'ru'%C1%C2";
  const decode = (octets: Uint8Array, charset: string): string | null => (charset === 'koi8-r' ? `${octets.length} letters` : null);
  expect(parseDisposition(field, { decode })).toMatchObject({
    value: { parameters: [{ name: 'filename', value: '2 letters', language: 'ru' }] },
    deviations: [],
  });
  const unknown = parseDisposition(field);
  expect(unknown.ok && [parameterOf(unknown.value, 'filename'), unknown.deviations]).toEqual(['\ufffd\ufffd', ['unknown-charset']]);
});

test.each([
  ['<list.example.org>', { description: '', id: 'list.example.org' }],
  ['Ann <x@y> and all\r\n <list.example.org>\r\n', { description: 'Ann <x@y> and all', id: 'list.example.org' }],
  ['list.example.org', { description: '', id: 'list.example.org' }],
  ['=?utf-8?q?=C3=A4?= <a.localhost>', { description: '=?utf-8?q?=C3=A4?=', id: 'a.localhost' }],
  ['<list>', null],
  ['<a b.example>', null],
  ['>a.b<', null],
  ['', null],
  [`<${'a'.repeat(250)}.b.example>`, null],
])('List-Id: %s', (value, id) => {
  expect(listIdOf(value)).toEqual(id);
});

test.each([
  ['<mailto:a@b.example>', ['mailto:a@b.example']],
  ['(here) <https://a.example/\r\n x> (c), <mailto:a@b.example?subject=x>\r\n', ['https://a.example/x', 'mailto:a@b.example?subject=x']],
  ['NO (posting is not allowed)', []],
  ['<a:b> text, <c:d>', ['a:b']],
  ['<a:b>, text, <c:d>', ['a:b']],
  ['<a:b>, <c', ['a:b']],
  ['a:b', []],
  ['', []],
])('List-Unsubscribe: %s', (value, uris) => {
  expect(listUrisOf(value)).toEqual(uris);
});
