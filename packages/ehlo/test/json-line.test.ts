// What a peer has said stands on a terminal as JSON, and is the same value.
import { expect, test } from 'vitest';
import { jsonLine } from '../src/json-line.ts';

const SAID = {
  controls: String.fromCharCode(...Array.from({ length: 0xa0 }, (_, code) => code)),
  direction: '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069',
  lines: '\u2028\u2029\ufeff\u00ad',
  text: 'Gr\u00fc\u00dfe, \u7528\u6237 \u{1f600} "\\',
  'tag \u{e0041}': ['half \ud800', { path: '\x9b31m@example.net' }],
};

test('nothing stands in it that is not printed', () => {
  expect(jsonLine(SAID)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  expect(jsonLine(SAID)).toContain('Gr\u00fc\u00dfe, \u7528\u6237 \u{1f600}');
});

test('it is the value', () => {
  expect(JSON.parse(jsonLine(SAID))).toEqual(SAID);
  expect(jsonLine(null)).toBe('null');
});
