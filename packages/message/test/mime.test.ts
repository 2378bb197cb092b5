import { encodeUtf8 } from '@ehlo/grammar';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatAutoSubmitted,
  formatContentType,
  formatDisposition,
  MIME_DEVIATIONS,
  MIME_LETTER,
  type MimeParameter,
  parameterOf,
  parseAutoSubmitted,
  parseContentType,
  parseDisposition,
  parseTransferEncoding,
} from '../src/mime.ts';

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
    for (const parse of [parseContentType, parseDisposition, parseAutoSubmitted, parseTransferEncoding]) {
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
  for (const piece of [';', ';a', ';a=', '(', ' (', '();', 'a=b(;', 'a=b(', '"', ';a="', '=', ';a*0=b', ' a', '\\', '%', "';", ';a=b c']) {
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
