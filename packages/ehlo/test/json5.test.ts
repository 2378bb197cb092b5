// JSON with comments and the like, and where each part of it stands.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Json5Error, parseJson5 } from '../src/json5.ts';

test('all JSON is read as JSON.parse reads it, however it is laid out', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(parseJson5(text).value).toEqual(JSON.parse(text));
    }),
  );
});

test('what JSON5 adds', () => {
  const { value, placeOf } = parseJson5(`\ufeff// a comment
{
  name: 'it\\'s', /* another */ "other": "a\\x41\\u0042\\
c",
  list: [1, +2, -0x10, .5, 5., 1e3,],
}`);
  expect(value).toEqual({ name: "it's", other: 'aABc', list: [1, 2, -16, 0.5, 5, 1000] });
  expect([placeOf('name'), placeOf('list.2'), placeOf('list.9'), placeOf('none'), placeOf('')]).toEqual([
    { line: 3, column: 3 },
    { line: 5, column: 17 },
    { line: 5, column: 3 },
    { line: 2, column: 1 },
    { line: 2, column: 1 },
  ]);
});

test.each([
  ['', 1, 1, 'the text ends too soon'],
  ['{ a: 1', 1, 7, 'here a comma or } is missing'],
  ['{ a 1 }', 1, 5, 'here a colon is missing'],
  ['{\n "a": 1, a: 2 }', 2, 10, 'the name "a" is there twice'],
  ['{ : 1 }', 1, 3, 'here a name is missing'],
  ['[1 2]', 1, 4, 'here a comma or ] is missing'],
  ['"a', 1, 1, 'here a value is missing'],
  ['nul', 1, 1, 'here a value is missing'],
  ['1 2', 1, 3, 'more than a value'],
  ['/* x', 1, 1, 'here a value is missing'],
  ['['.repeat(200), 1, 102, 'there are too many values within each other'],
])('%j', (text, line, column, message) => {
  let caught: unknown;
  try {
    parseJson5(text);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(Json5Error);
  expect([(caught as Json5Error).message, (caught as Json5Error).place]).toEqual([message, { line, column }]);
});
