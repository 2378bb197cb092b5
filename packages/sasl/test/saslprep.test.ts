// Every code point, against another implementation of RFC 4013.
import oracle from '@mongodb-js/saslprep';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { saslprep } from '../src/index.ts';

function expected(text: string, allowUnassigned: boolean): string | null {
  try {
    return oracle(text, { allowUnassigned });
  } catch {
    return null;
  }
}

describe('RFC 4013 3', () => {
  test.each([
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['\u0007', null],
    ['\u0627\u0031', null],
  ])('%j', (text, prepared) => {
    expect(saslprep(text)).toBe(prepared);
  });
});

/** RFC 3454 C.4 prohibits these; the other implementation has left them out. */
const OMITTED = /[\u{ffffe}\u{fffff}]/u;

/** Each code point, or one in so many, before a letter, after one, between letters from right to left, and beside one that is not assigned. */
const PLACES: readonly (readonly [string, number, (character: string) => string])[] = [
  ['xa', 1, (x) => `${x}a`],
  ['ax', 7, (x) => `a${x}`],
  ['\\u05d0x\\u05d0', 7, (x) => `\u05d0${x}\u05d0`],
  ['x\\u0221', 7, (x) => `${x}\u0221`],
];

test.each(PLACES)('code points as x in %s', (_, step, place) => {
  const wrong: string[] = [];
  // Planes 3 to 13 are empty but for their last two code points.
  for (let code = 0; code <= 0x10ffff; code += code < 0x30000 || (code & 0xffff) > 0xfff0 ? step : 0xf) {
    const character = String.fromCodePoint(code);
    const text = place(character);
    const [query, stored] = OMITTED.test(character) ? [null, null] : [expected(text, true), expected(text, false)];
    if (saslprep(text) !== query || saslprep(text, 'stored') !== stored) wrong.push(code.toString(16));
  }
  expect(wrong).toEqual([]);
});

test('what is mapped to nothing leaves nothing', () => {
  expect(saslprep('\u00ad\u200d\ufeff')).toBe('');
});

test('any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      fc.pre(!OMITTED.test(text) && saslprep(text) !== '');
      expect(saslprep(text)).toBe(expected(text, true));
      expect(saslprep(text, 'stored')).toBe(expected(text, false));
    }),
    { numRuns: 2000 },
  );
});

test('what is prepared stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const prepared = saslprep(text);
      if (prepared !== null) expect(saslprep(prepared)).toBe(prepared);
    }),
  );
});
