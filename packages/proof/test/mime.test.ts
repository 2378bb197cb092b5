// Content-Type is not regular, as comments nest: it is compared with a reader of its own, on words made from its ABNF.
import { readFileSync } from 'node:fs';
import { type MimeDeviation, parseContentType } from '@ehlo/message/mime';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { mutate, randomFrom } from '../src/abnf/arbitrary.ts';
import { escapeBytes } from '../src/abnf/escape.ts';
import { parseAbnf } from '../src/abnf/parse-abnf.ts';
import { Matcher } from './matcher.ts';

const abnf = (name: string): string => readFileSync(new URL(`../../message/abnf/${name}.abnf`, import.meta.url), 'utf8');
const matcher = new Matcher(parseAbnf(abnf('mime-fields'), parseAbnf(abnf('mime'))), 'content');
const RUNS = 4000;

/** What well-formed parameters say together, and what their charsets have: the grammar does not know it. */
const MEANING: ReadonlySet<MimeDeviation> = new Set<MimeDeviation>([
  'duplicate-parameter',
  'plain-and-extended',
  'unknown-charset',
  'octets-beyond-charset',
]);

const seen = { accepted: 0, refused: 0 };

afterAll(() => console.log(`content: words and mutations ${JSON.stringify(seen)}, 0 disagreements (parseContentType)`));

function compare(octets: Uint8Array): void {
  // A line end behind it is that of the field.
  let to = octets.length;
  while (to > 0 && (octets[to - 1] === 0x0a || octets[to - 1] === 0x0d)) to--;
  const word = octets.slice(0, to);
  const expected = matcher.matches(word);
  seen[expected ? 'accepted' : 'refused']++;
  const parsed = parseContentType(octets, { tolerate: MEANING });
  if (parsed.ok !== expected) expect.fail(`${expected ? 'refused' : 'accepted'} ${escapeBytes(word)}`);
}

test(`parseContentType is content, on ${RUNS} words and a mutation of each`, () => {
  const words = fc.uint8Array({ minLength: 100, maxLength: 400, size: 'max' }).map((source) => {
    const random = randomFrom(source);
    const word = Uint8Array.from(matcher.word(random));
    return { word, mutation: mutate(word, random) };
  });
  const property = fc.property(words, ({ word, mutation }) => {
    compare(word);
    compare(mutation);
  });
  fc.assert(property, { numRuns: RUNS, seed: 2045 });
  expect(seen.accepted).toBeGreaterThan(RUNS);
  expect(seen.refused).toBeGreaterThan(RUNS / 4);
});

test(`parseContentType is content, on ${RUNS} fields of likely parts`, () => {
  const gap = fc.constantFrom('', ' ', '\r\n ', '(c)', ' (c(d)\\)) ', '(', '\r\n', ')');
  const piece = fc.constantFrom('text', '/', ';', 'a', '=', '*', '*0', "utf-8''", '%41', '%', '"b c"', '"', '\\', 'é', "'");
  const field = fc.array(fc.tuple(gap, piece), { maxLength: 12 }).map((parts) => `text/plain${parts.flat().join('')}`);
  fc.assert(
    fc.property(field, (text) => compare(Buffer.from(text))),
    { numRuns: RUNS, seed: 2231 },
  );
});
