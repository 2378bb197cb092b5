import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANY_WORD, formatUnstructured, parseUnstructured, WORDS, type WordDeviation } from '../src/encoded-word.ts';
import { WORD_DEVIATIONS } from '../src/words.ts';
import { texts } from './texts.ts';

interface Vector {
  readonly value: string;
  readonly text: string;
  readonly deviations: readonly WordDeviation[];
}

const { words } = JSON.parse(readFileSync(new URL('../../../test-vectors/message/encoded-words.json', import.meta.url), 'utf8')) as {
  readonly words: readonly Vector[];
};

test.each(words.map((vector) => [JSON.stringify(vector.value), vector] as const))('%s', (_, { value, text, deviations }) => {
  expect(parseUnstructured(value)).toEqual({ ok: true, value: text, deviations });
  expect(parseUnstructured(new TextEncoder().encode(value))).toEqual({ ok: true, value: text, deviations });
});

/** What is taken where all is, for values that are text by the letter. */
const LOOSE: readonly (readonly [value: string, text: string, deviations: readonly WordDeviation[]])[] = [
  ['a=?utf-8?q?b?=c', 'abc', ['no-space-around']],
  ['=?utf-8?q?a?==?utf-8?q?b?=', 'ab', ['no-space-around']],
  ['=?utf-8?q?a b?=', 'a b', ['space-within']],
  ['=?utf-8?b?YW\r\n I=?=', 'ab', ['bad-encoding', 'space-within']],
];

test.each(LOOSE)('%j is taken where all is', (value, text, deviations) => {
  expect(parseUnstructured(value, { tolerate: ANY_WORD })).toEqual({ ok: true, value: text, deviations });
  for (const name of deviations.filter((one) => !WORDS.has(one))) {
    const others = new Set([...ANY_WORD].filter((other) => other !== name));
    expect(parseUnstructured(value, { tolerate: others }).value).toBe(value.replace('\r\n', ''));
  }
});

test('every deviation stands in some value', () => {
  const met = new Set([...words.flatMap(({ deviations }) => deviations), ...LOOSE.flatMap(([, , deviations]) => deviations)]);
  expect([...met].sort()).toEqual(Object.keys(WORD_DEVIATIONS).sort());
  expect([...ANY_WORD].sort()).toEqual(Object.keys(WORD_DEVIATIONS).sort());
});

test('other charsets are the decoder’s, and a character in two words is one', () => {
  const asked: string[] = [];
  const decode = (octets: Uint8Array, charset: string): string | null => {
    asked.push(charset);
    return charset === 'utf-16be' ? new TextDecoder('utf-16be').decode(octets) : null;
  };
  expect(parseUnstructured('=?UTF-16BE*en?b?IKw=?= =?x-none?q?a?=', { decode })).toEqual({
    ok: true,
    value: '=?UTF-16BE*en?b?IKw=?= =?x-none?q?a?=',
    deviations: ['unknown-charset'],
  });
  expect(parseUnstructured('=?UTF-16BE?b?IA==?= =?utf-16be?b?rA==?=', { decode }).value).toBe('\u20ac');
  expect(new Set(asked)).toEqual(new Set(['utf-16be', 'x-none']));
});

describe('what is written', () => {
  test('is read as the same, folded or not, in UTF-8 or not', () => {
    const property = fc.property(texts, fc.boolean(), fc.option(fc.nat(100), { nil: undefined }), (text, utf8, column) => {
      const written = formatUnstructured(text, { utf8, ...(column === undefined ? {} : { column }) });
      expect(parseUnstructured(written)).toEqual({ ok: true, value: text, deviations: [] });
      expect(parseUnstructured(written, { tolerate: ANY_WORD }).value).toBe(text);
      if (!utf8) expect(written).toMatch(/^[\t\r\n -~]*$/);
      for (const [word] of written.matchAll(/=\?[^ \t\r\n]*\?=/g)) expect(word.length).toBeLessThanOrEqual(75);
      for (const line of written.split('\r\n').slice(1)) expect(line).toMatch(/^[ \t]+[^ \t]/);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  test('holds whole characters in every word, in the shorter encoding', () => {
    const written = formatUnstructured('\u20ac'.repeat(50));
    expect(
      written.split(' ').every((word) => /^=\?utf-8\?b\?[^?]+\?=$/.test(word) && !parseUnstructured(word).value.includes('\ufffd')),
    ).toBe(true);
    expect(formatUnstructured('na\u00efve')).toBe('=?utf-8?q?na=C3=AFve?=');
  });

  test('holds no control character, no line end and no half of a pair', () => {
    expect(formatUnstructured('a\r\nBcc: x\0')).toMatch(/^[ -~]*$/);
    expect(parseUnstructured(formatUnstructured('a\r\nBcc: x\0')).value).toBe('a\ufffd\ufffdBcc: x\ufffd');
    expect(parseUnstructured(formatUnstructured('a\ud800b')).value).toBe('a?b');
  });

  test('has no line of more than 78 characters but for what can not be folded', () => {
    const lines = `Subject: ${formatUnstructured('word '.repeat(60).trim(), { column: 9 })}`.split('\r\n');
    expect(lines.length).toBe(5);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(78);
    expect(
      formatUnstructured('x'.repeat(3000))
        .split(' ')
        .every(({ length }) => length <= 75),
    ).toBe(true);
  });
});

test('reading is linear: twice the text takes no more than twice the steps', () => {
  for (const shape of ['=?', '=?utf-8?q?', '=?utf-8?q?a?=', '=?utf-8?q?a?= ', '=?a?b?', '?', '=?=?= ', '=?utf-8?q?=C3?= ']) {
    const parsed = parseUnstructured(shape.repeat(40_000), { tolerate: ANY_WORD });
    expect(parsed.value.length).toBeLessThanOrEqual(40_000 * shape.length);
  }
});

test('nothing throws, whatever it is given', () => {
  const parts = fc.constantFrom(
    '=?',
    '?=',
    '?',
    'utf-8',
    'q',
    'b',
    '=',
    '=C3',
    '_',
    ' ',
    '\r\n ',
    '\r',
    'YQ==',
    '\u00e4',
    '*en',
    '\0',
    '(',
  );
  const property = fc.property(
    fc.oneof(
      fc.array(parts, { maxLength: 30 }).map((all) => all.join('')),
      fc.string(),
    ),
    fc.boolean(),
    (text, loose) => {
      const { value } = parseUnstructured(text, loose ? { tolerate: ANY_WORD } : {});
      if (!/[^\P{Cc}\t]/u.test(value)) expect(parseUnstructured(formatUnstructured(value)).value).toBe(value);
    },
  );
  fc.assert(property, { numRuns: 5000 });
  fc.assert(fc.property(fc.uint8Array(), (bytes) => parseUnstructured(bytes).ok));
});
