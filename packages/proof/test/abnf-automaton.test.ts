import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEAD, step } from '../src/abnf/automaton.ts';
import { AbnfCompileError, compileAbnf, compiler } from '../src/abnf/compile.ts';
import { simulate } from '../src/abnf/contract.ts';
import type { Dfa } from '../src/abnf/dfa.ts';
import { latin1 } from '../src/abnf/escape.ts';
import * as of from '../src/abnf/operations.ts';
import { parseAbnf } from '../src/abnf/parse-abnf.ts';

const rfc5321 = compiler(parseAbnf(readFileSync(new URL('../../grammar/abnf/rfc5321.abnf', import.meta.url), 'utf8')));

function accepts(dfa: Dfa, word: string): boolean {
  return of.contains(dfa, latin1(word));
}

/** Every word over an alphabet up to a length, shortest first. */
function words(alphabet: string, length: number): string[] {
  const all = [''];
  for (const word of all) if (word.length < length) all.push(...Array.from(alphabet, (letter) => word + letter));
  return all;
}

function language(dfa: Dfa, alphabet = 'ab', length = 6): string[] {
  return words(alphabet, length).filter((word) => accepts(dfa, word));
}

describe('compile', () => {
  test.each([
    ['*a', /^a*$/],
    ['*(a b)', /^(ab)*$/],
    ['2*3a', /^a{2,3}$/],
    ['[a] b', /^a?b$/],
    ['*a *b', /^a*b*$/],
    ['(a / *b) a', /^(a|b*)a$/],
    ['*(a / b) a (a / b)', /^[ab]*a[ab]$/],
    ['*(*a b)', /^(a*b)*$/],
    ['1*([a] [b])', /^(a?b?)+$/],
    ['2(a *b) / b', /^(ab*){2}$|^b$/],
    ['0a', /^$/],
  ])('%s', (text, same) => {
    const dfa = compileAbnf(`rule = ${text}\na = %s"a"\nb = %s"b"`);
    const all = words('ab', 7);
    expect(all.filter((word) => accepts(dfa, word))).toEqual(all.filter((word) => same.test(word)));
  });

  test('strings have no case unless %s says so (RFC 5234 2.3, RFC 7405)', () => {
    expect(language(compileAbnf('rule = "aB"'), 'abAB', 2)).toEqual(['ab', 'aB', 'Ab', 'AB']);
    expect(language(compileAbnf('rule = %s"aB"'), 'abAB', 2)).toEqual(['aB']);
  });

  test('is minimal and canonical: equal languages give equal arrays', () => {
    const one = compileAbnf('rule = *("a" / "b") "a"');
    const other = compileAbnf('rule = *"b" 1*("a" *"b") "a" / *"b" "a"');
    expect(one).toEqual(other);
    expect(one.states).toBe(2);
    expect(one.classes).toBe(3);
  });

  test('Domain of RFC 5321, which greedy ABNF tools get wrong', () => {
    const domain = rfc5321('Domain');
    for (const word of ['a', 'ab.example', 'a-b', 'a--b.c1', '1.2']) expect(accepts(domain, word), word).toBe(true);
    for (const word of ['', 'a-', '-a', 'a..b', '.a', 'a.', 'a.-b', 'a_b']) expect(accepts(domain, word), word).toBe(false);
    expect(domain.states).toBe(3);
  });

  test('a recursive rule is named, with the way back to it', () => {
    expect(() => rfc5321('comment')).toThrow(AbnfCompileError);
    expect(() => rfc5321('comment')).toThrow('the rule "comment" is recursive (comment > ccontent > comment)');
    expect(() => rfc5321('CFWS')).toThrow('comment > ccontent > comment');
    expect(rfc5321('Domain').states).toBe(3);
  });

  test('an undefined rule and prose are errors, unless replaced', () => {
    expect(() => compileAbnf('rule = missing')).toThrow('the rule "missing" is not defined (used by rule)');
    const grammar = parseAbnf('rule = 2thing\nthing = <a thing>');
    expect(() => compiler(grammar)('rule')).toThrow('<a thing> is prose');
    expect(language(compiler(grammar, { Thing: () => compileAbnf('x = "a"') })('rule'))).toEqual(['aa']);
    expect(() => compiler(grammar, { nothing: () => of.everything })).toThrow('no rule "nothing" to replace');
  });
});

describe('operations', () => {
  const evenA = compileAbnf('rule = *(*"b" "a" *"b" "a") *"b"');
  const endsInB = compileAbnf('rule = *("a" / "b") "b"');
  const all = words('ab', 6);
  const isEven = (word: string): boolean => word.replaceAll('b', '').length % 2 === 0;
  const isB = (word: string): boolean => word.endsWith('b');

  test.each([
    ['union', of.union(evenA, endsInB), (word: string) => isEven(word) || isB(word)],
    ['intersection', of.intersection(evenA, endsInB), (word: string) => isEven(word) && isB(word)],
    ['difference', of.difference(evenA, endsInB), (word: string) => isEven(word) && !isB(word)],
    ['symmetric difference', of.symmetricDifference(evenA, endsInB), (word: string) => isEven(word) !== isB(word)],
    ['complement', of.complement(evenA), (word: string) => !isEven(word)],
    ['length', of.lengthAtMost(3), (word: string) => word.length <= 3],
  ])('%s', (_, dfa, same) => {
    expect(all.filter((word) => accepts(dfa, word))).toEqual(all.filter(same));
  });

  test('the complement of the complement is the language; a language without itself is empty', () => {
    expect(of.complement(of.complement(endsInB))).toEqual(endsInB);
    expect(of.complement(of.everything)).toEqual(of.nothing);
    expect(of.isEmpty(of.difference(endsInB, endsInB))).toBe(true);
    expect(of.isEmpty(endsInB)).toBe(false);
    expect(of.equal(evenA, evenA)).toBe(true);
    expect(of.equal(evenA, endsInB)).toBe(false);
  });

  test('concatenation', () => {
    const dfa = of.concatenation(compileAbnf('x = *"a"'), compileAbnf('x = *"b"'), compileAbnf('x = "a"'));
    expect(dfa).toEqual(compileAbnf('x = *"a" *"b" "a"'));
    expect(language(of.concatenation())).toEqual(['']);
    expect(of.concatenation(endsInB, of.nothing)).toEqual(of.nothing);
    expect(of.union()).toEqual(of.nothing);
  });

  test('access words lead to their states, accept words on from there to acceptance; both are shortest', () => {
    const dfa = rfc5321('Mailbox');
    const access = of.accessWords(dfa);
    const accept = of.acceptWords(dfa);
    const distance = of.distances(dfa);
    for (let state = 0; state < dfa.states; state++) {
      let at = 0;
      for (const byte of access[state] as Uint8Array) at = step(dfa, at, byte);
      expect(at).toBe(state);
      expect(accept[state]?.length).toBe(distance[state]);
      for (const byte of accept[state] as Uint8Array) at = step(dfa, at, byte);
      expect(dfa.accepting[at]).toBe(1);
    }
    expect(of.liveStates(dfa).every((live) => live === 1)).toBe(true);
    expect(String.fromCharCode(...(of.shortestWord(dfa) as Uint8Array))).toBe('!@0');
    expect(of.shortestWord(of.nothing)).toBeNull();
    expect([...of.liveStates(of.nothing)]).toEqual([0]);
  });
});

describe('simulate', () => {
  const domain = rfc5321('Domain');
  const run = (contract: 'greedy' | 'longest' | 'whole', text: string, from = 0, to = text.length): number =>
    simulate(domain, contract, latin1(text), from, to);

  test.each([
    ['a.b', 3, 3, 3],
    ['a.b ', 3, 3, ~4],
    ['a.', ~2, 1, ~2],
    ['a..b', ~2, 1, ~4],
    ['-', ~0, ~0, ~1],
    ['', ~0, ~0, ~0],
  ])('%j', (text, greedy, longest, whole) => {
    expect(run('greedy', text)).toBe(greedy);
    expect(run('longest', text)).toBe(longest);
    expect(run('whole', text)).toBe(whole);
  });

  test('keeps to its window', () => {
    expect(run('longest', 'xxa.bxx', 2, 4)).toBe(3);
    expect(run('greedy', 'xxa.bxx', 2, 4)).toBe(~4);
    expect(run('greedy', 'xxa.bxx', 2, 5)).toBe(5);
  });

  test('a limit counts as the product with a counter does', () => {
    const octets = 5;
    const product = of.intersection(domain, of.lengthAtMost(octets));
    const limit = { octets, distances: of.distances(domain) };
    for (const word of words('a-.', 7)) {
      const bytes = latin1(word);
      for (const contract of ['greedy', 'longest', 'whole'] as const) {
        const expected = simulate(product, contract, bytes, 0, bytes.length);
        expect(simulate(domain, contract, bytes, 0, bytes.length, limit), `${contract} ${word}`).toBe(expected);
      }
    }
  });
});

test('DEAD is no state', () => {
  expect(step(compileAbnf('rule = "a"'), 0, 0x62)).toBe(DEAD);
});
