// The regular rules of MIME fields, on every (state, octet) pair. Those with comments are compared elsewhere, with a reader of their own.
import { readFileSync } from 'node:fs';
import { attribute, extendedText, extendedValue, MIME_LETTER, mediaType, parseTransferEncoding, token } from '@ehlo/message/mime';
import { describe, test } from 'vitest';
import { compiler } from '../src/abnf/compile.ts';
import type { Recogniser } from '../src/abnf/contract.ts';
import { parseAbnf } from '../src/abnf/parse-abnf.ts';
import { Results } from './oracle.ts';

const mime = parseAbnf(readFileSync(new URL('../../message/abnf/mime.abnf', import.meta.url), 'utf8'));
const compiled = compiler(mime);

const RULES: Readonly<Record<string, readonly [rule: string, recogniser: Recogniser]>> = {
  token: ['token', token],
  mediaType: ['media-type', mediaType],
  attribute: ['attribute', attribute],
  extendedText: ['extended-other-values', extendedText],
  extendedValue: ['extended-initial-value', extendedValue],
};

const results = new Results('oracle-message');

describe('every (state, octet) pair of MIME', () => {
  test.each(Object.entries(RULES))('%s is %s', (name, [rule, recogniser]) =>
    results.conform(rule, name, compiled(rule), recogniser, 'greedy'),
  );

  test('parseTransferEncoding is mechanism, without white space and comments', () => {
    const mechanism: Recogniser = (bytes, from, to) => {
      const word = bytes.slice(from, to);
      const plain = word.every((octet) => octet > 0x20 && octet !== 0x28);
      return plain && parseTransferEncoding(word, { tolerate: MIME_LETTER }).ok ? to : ~to;
    };
    results.conform('mechanism', 'parseTransferEncoding', compiled('mechanism'), mechanism, 'whole');
  });
});

describe('long words at random, and mutations of them', () => {
  test.each(Object.entries(RULES))('%s is %s', (_, [rule, recogniser]) => results.random(rule, compiled(rule), 300, 'greedy', recogniser));
});

test('the results are the ones that are stated', () => results.held());
