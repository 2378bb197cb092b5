// Two whole grammars, compared.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compareGrammars, type Grammar, parseAbnf } from '../src/index.ts';

const abnf = (...names: string[]): Grammar =>
  names.reduce<Grammar>(
    (base, name) => parseAbnf(readFileSync(new URL(`../../grammar/abnf/${name}.abnf`, import.meta.url), 'utf8'), base),
    new Map(),
  );

test('RFC 6531 takes nothing away from RFC 5321 and its extensions; what it adds has octets beyond ASCII, but for its own parameter and replies', () => {
  const { different, onlyInSecond, undecided } = compareGrammars(abnf('rfc5321', 'extensions'), abnf('rfc5321', 'extensions', 'rfc6531'));
  expect(different.length).toBeGreaterThan(20);
  expect(different.filter(({ onlyInFirst }) => onlyInFirst !== null)).toEqual([]);
  const ascii = different.filter(({ onlyInSecond: word }) => !word!.includes('\\xc2\\x80')).map(({ rule }) => rule);
  expect(ascii).toEqual(['ext-grammar', 'ext-ehlo-line', 'ext-mail-param', 'ext-reply']);
  expect(onlyInSecond).toContain('UTF8-non-ascii');
  expect(undecided).toEqual([]);
});
