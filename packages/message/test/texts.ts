import fc from 'fast-check';

/** Texts that a header field can hold: no control characters but tabs, no half of a surrogate pair. */
const characters = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...'abcXYZ019 ') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ' ',
      '\t',
      '"',
      '\\',
      '(',
      ')',
      ',',
      '.',
      '<',
      '>',
      '@',
      ':',
      ';',
      '=',
      '?',
      '_',
      '[',
      ']',
      '\u00e9',
      '\u20ac',
      '\u{1f600}',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('=?utf-8?q?a?=', '=?', '?=') },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 1 }) },
);

export const texts: fc.Arbitrary<string> = fc
  .array(characters, { maxLength: 80, size: 'max' })
  .map((all) => all.join('').replaceAll(/[^\P{Cc}\t]|\p{Surrogate}/gu, ''));
