// Authentication-Results is not regular, as comments nest: it is compared with a reader of its own, on words made from its ABNF.
import { readFileSync } from 'node:fs';
import { MIME_LETTER, parseAuthenticationResults } from '@ehlo/message/mime';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { mutate, randomFrom } from '../src/abnf/arbitrary.ts';
import { escapeBytes } from '../src/abnf/escape.ts';
import { type Grammar, parseAbnf } from '../src/abnf/parse-abnf.ts';
import { Matcher } from './matcher.ts';

const abnf = (name: string): string => readFileSync(new URL(`../../message/abnf/${name}.abnf`, import.meta.url), 'utf8');
const grammar = ['rfc5322', 'rfc6532', 'mime', 'rfc8601'].reduce(
  (before: Grammar | undefined, name) => parseAbnf(abnf(name), before),
  undefined,
)!;
/** RFC 5322 3 alone, without the obsolete forms; the local part without white space around it. */
const LETTER = `
quoted-pair = "\\" ( VCHAR / WSP )
FWS         = [ *WSP CRLF ] 1*WSP
ctext       = %d33-39 / %d42-91 / %d93-126 / UTF8-non-ascii
qtext       = %d33 / %d35-91 / %d93-126 / UTF8-non-ascii
local-part  = dot-atom-text / quoted-text
`;
const matcher = new Matcher(new Map([...grammar, ...parseAbnf(LETTER)]), 'authres-payload');
const RUNS = 2000;

const seen = { accepted: 0, refused: 0 };

afterAll(() => console.log(`authres-payload: words and mutations ${JSON.stringify(seen)}, 0 disagreements (parseAuthenticationResults)`));

function compare(word: Uint8Array): void {
  const text = Buffer.from(word).toString('latin1');
  // A line end behind it is that of the field; lines of white space alone are RFC 822's, which are taken.
  if (/[\r\n]$|\r\n[ \t]+\r\n/.test(text)) return;
  const expected = matcher.matches(word);
  seen[expected ? 'accepted' : 'refused']++;
  const parsed = parseAuthenticationResults(word, { tolerate: MIME_LETTER });
  if (parsed.ok !== expected) expect.fail(`${expected ? 'refused' : 'accepted'} ${escapeBytes(word)} ${parsed.ok ? '' : parsed.message}`);
}

test(`parseAuthenticationResults is authres-payload, on ${RUNS} words and a mutation of each`, () => {
  const words = fc.uint8Array({ minLength: 100, maxLength: 400, size: 'max' }).map((source) => {
    const random = randomFrom(source);
    const word = Uint8Array.from(matcher.word(random));
    return { word, mutation: mutate(word, random) };
  });
  const property = fc.property(words, ({ word, mutation }) => {
    compare(word);
    compare(mutation);
  });
  fc.assert(property, { numRuns: RUNS, seed: 8601 });
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(RUNS / 5);
});
