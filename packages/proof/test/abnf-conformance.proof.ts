import { describe, expect, test } from 'vitest';
import { mutate, randomFrom, wordsOf } from '../src/abnf/arbitrary.ts';
import { DEAD, step } from '../src/abnf/automaton.ts';
import { compileAbnf } from '../src/abnf/compile.ts';
import { comparer, conformance, formatReport } from '../src/abnf/conformance.ts';
import { type Contract, type Recogniser, recogniserOf, simulate } from '../src/abnf/contract.ts';
import { deviate, deviationProblems } from '../src/abnf/deviations.ts';
import type { Dfa } from '../src/abnf/dfa.ts';
import { distinguisher } from '../src/abnf/distinguish.ts';
import { escapeBytes, latin1 } from '../src/abnf/escape.ts';
import { contains, nothing } from '../src/abnf/operations.ts';
import { parseAbnf } from '../src/abnf/parse-abnf.ts';

const CONTRACTS: readonly Contract[] = ['greedy', 'longest', 'whole'];
const GRAMMARS: readonly (readonly [string, Dfa])[] = [
  ['Domain', compileAbnf('Domain = sub *("." sub)\nsub = LD [*(LD / "-") LD]\nLD = ALPHA / DIGIT')],
  ['a line', compileAbnf('line = "A" [SP 1*2DIGIT] *("," "b") CRLF')],
  ['counted', compileAbnf('counted = 2*3("a" "b") ["c"]')],
];
const CASES = GRAMMARS.flatMap(([name, dfa]) => CONTRACTS.map((contract) => [name, contract, dfa] as const));

/** The automaton with one step led elsewhere. */
function misled(dfa: Dfa, state: number, byte: number, target: number): Dfa {
  const next = new Int32Array(dfa.states * 256);
  for (let from = 0; from < dfa.states; from++) for (let b = 0; b < 256; b++) next[from * 256 + b] = step(dfa, from, b);
  next[state * 256 + byte] = target;
  return { states: dfa.states, classes: 256, classOf: Uint8Array.from({ length: 256 }, (_, b) => b), next, accepting: dfa.accepting };
}

describe('conformance', () => {
  test.each(CASES)('%s (%s): the automaton agrees with itself', (name, contract, dfa) => {
    const report = conformance(name, dfa, recogniserOf(dfa, contract), contract);
    expect(report).toMatchObject({ rule: name, states: dfa.states, pairs: dfa.states * 256, failures: 0, disagreements: [] });
  });

  test.each(CASES)('%s (%s): every wrong step of one octet at one state is found', (name, contract, dfa) => {
    for (let state = 0; state < dfa.states; state++) {
      for (const byte of [0x0a, 0x2e, 0x30, 0x61, 0x62, 0xff]) {
        for (let target = DEAD; target < dfa.states; target++) {
          if (target === step(dfa, state, byte)) continue;
          const wrong = recogniserOf(misled(dfa, state, byte, target), contract);
          const report = conformance(name, dfa, wrong, contract);
          if (report.failures === 0) expect.fail(`state ${state}, octet ${byte} led to ${target} unnoticed`);
        }
      }
    }
  });

  test.each(CASES)('%s (%s): a state that accepts wrongly, or not, is found', (name, contract, dfa) => {
    for (let state = 0; state < dfa.states; state++) {
      const accepting = dfa.accepting.slice();
      accepting[state] = 1 - (accepting[state] as number);
      expect(conformance(name, dfa, recogniserOf({ ...dfa, accepting }, contract), contract).failures).toBeGreaterThan(0);
    }
  });

  const [, domain] = GRAMMARS[0] as readonly [string, Dfa];
  const right = recogniserOf(domain, 'greedy');

  test('the report shows the word, the octets escaped, and both answers', () => {
    const noDigits: Recogniser = (bytes, from, to) => {
      const digit = bytes.subarray(from, to).findIndex((byte) => byte >= 0x30 && byte <= 0x39);
      return right(bytes, from, digit < 0 ? to : from + digit);
    };
    const report = conformance('Domain', domain, noDigits, 'greedy');
    expect(report.disagreements).toHaveLength(10);
    expect(report.failures).toBeGreaterThan(10);
    expect(report.disagreements[0]).toEqual({ word: '"0"', expected: '1', got: '~0', surrounded: false });
    expect(formatReport(report)).toMatch(/^Domain: 3 states, 768 pairs, \d+ words, \d+ disagreements$/);
  });

  test.each<[string, Recogniser]>([
    ['reads past `to`', (bytes, from) => right(bytes, from, bytes.length)],
    ['reads from 0', (bytes, _, to) => right(bytes, 0, to)],
    ['looks at the octet before `from`', (bytes, from, to) => (bytes[from - 1] === 0x61 ? ~from : right(bytes, from, to))],
    ['is right only from 0', (bytes, from, to) => right(bytes, from, to) - from],
    ['takes a letter too many', (bytes, from, to) => (bytes[from] === 0xe9 ? right(bytes, from + 1, to) : right(bytes, from, to))],
    ['always answers the end', (_, __, to) => to],
  ])('a recogniser that %s is found', (_, recogniser) => {
    expect(conformance('Domain', domain, recogniser, 'greedy').failures).toBeGreaterThan(0);
  });

  test('an exception is a disagreement', () => {
    const report = conformance(
      'Domain',
      domain,
      () => {
        throw new RangeError('odd');
      },
      'greedy',
    );
    expect(report.disagreements[0]).toEqual({ word: '""', expected: '~0', got: 'threw RangeError: odd', surrounded: false });
  });

  test('a counter that stops too late is found', () => {
    const upTo = (max: number): Dfa => compileAbnf(`x = 1*${max}("a" ":") "b"`);
    for (const contract of CONTRACTS)
      expect(conformance('x', upTo(6), recogniserOf(upTo(7), contract), contract).failures).toBeGreaterThan(0);
  });

  test('comparer takes given words', () => {
    const compare = comparer(domain, (_, __, to) => to, 'greedy');
    expect(['a', 'a.b', 'a.'].map((word) => compare(latin1(word)))).toEqual([
      null,
      null,
      { word: '"a."', expected: '~2', got: '2', surrounded: false },
    ]);
  });
});

describe('distinguisher', () => {
  test.each(CASES)('%s (%s): the suffixes of a state tell it from every other', (_, contract, dfa) => {
    const { identify } = distinguisher(dfa, contract);
    for (let a = 0; a < dfa.states; a++) {
      for (let b = 0; b < dfa.states; b++) {
        if (a === b) continue;
        const shared = (identify[a] as readonly Uint8Array[]).filter((suffix) => identify[b]?.includes(suffix));
        const differ = shared.some((suffix) => answer(dfa, a, contract, suffix) !== answer(dfa, b, contract, suffix));
        expect(differ, `${a} and ${b}`).toBe(true);
      }
    }
  });

  function answer(dfa: Dfa, state: number, contract: Contract, suffix: Uint8Array): number {
    // The automaton begun in `state`: renumber so that it is state 0.
    const swap = (s: number): number => (s === DEAD ? DEAD : s === 0 ? state : s === state ? 0 : s);
    const next = new Int32Array(dfa.next.length);
    const accepting = new Uint8Array(dfa.states);
    for (let s = 0; s < dfa.states; s++) {
      accepting[swap(s)] = dfa.accepting[s] as number;
      for (let c = 0; c < dfa.classes; c++) next[swap(s) * dfa.classes + c] = swap(dfa.next[s * dfa.classes + c] as number);
    }
    return simulate({ ...dfa, next, accepting }, contract, suffix, 0, suffix.length);
  }
});

describe('words at random', () => {
  test('are words, mostly as long as asked, never longer where a shorter one exists', () => {
    const octets = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3) * 31) % 256);
    for (const [name, dfa] of GRAMMARS) {
      const word = wordsOf(dfa);
      for (let seed = 0; seed < 100; seed++) {
        const made = word(randomFrom(octets.subarray(seed * 17)), 80);
        expect(contains(dfa, made), `${name} ${escapeBytes(made)}`).toBe(true);
        expect(made.length).toBeLessThanOrEqual(80);
      }
    }
    expect(() => wordsOf(nothing)).toThrow(RangeError);
  });

  test('a source that has run dry gives the plainest word', () => {
    const [, domain] = GRAMMARS[0] as readonly [string, Dfa];
    expect(wordsOf(domain)(randomFrom([]), 80).length).toBeLessThanOrEqual(2);
  });

  test('mutations are one edit away', () => {
    const word = latin1('abc');
    const made = new Set<string>();
    for (let i = 0; i < 4000; i++)
      made.add(String.fromCharCode(...mutate(word, randomFrom([(i * 37) % 256, (i * 101) % 256, (i * 59) % 256, (i * 13) % 256]))));
    for (const near of ['bc', 'ac', 'ab', 'aabc', 'bac', 'acb']) expect(made, near).toContain(near);
    for (const text of made) expect(Math.abs(text.length - 3)).toBeLessThanOrEqual(1);
    expect(mutate(new Uint8Array(0), randomFrom([0, 200, 65, 100])).length).toBeLessThanOrEqual(1);
  });
});

describe('deviations', () => {
  const grammar = parseAbnf('name = label *("." label)\nlabel = 1*ALPHA');
  const dot = { rule: 'name', abnf: 'name = label *("." label) ["."]', reason: 'seen', source: 'a survey', adds: ['a.'], drops: [] };

  test('redefine a rule', () => {
    const report = conformance(
      'name',
      compileAbnf('n = 1*ALPHA *("." 1*ALPHA) ["."]'),
      recogniserOf(compileAbnf('n = 1*ALPHA *("." 1*ALPHA) ["."]'), 'greedy'),
      'greedy',
    );
    expect(report.failures).toBe(0);
    expect(deviate(grammar, [dot]).get('label')).toEqual(grammar.get('label'));
    expect(deviationProblems(grammar, [dot], {})).toEqual([]);
  });

  test.each([
    [{ ...dot, abnf: 'name = label / label 1*("." label)' }, 'name: no longer differs from the RFC'],
    [{ ...dot, adds: ['a.', 'a'] }, 'name: "a" is not in what it adds'],
    [{ ...dot, drops: ['a'] }, 'name: "a" is not in what it drops'],
    [{ ...dot, adds: [] }, 'name: "adds" is empty, but it adds "a."'],
    [{ ...dot, abnf: 'other = "a"' }, 'name: its abnf does not define it'],
  ])('a wrong entry is told: %j', (entry, problem) => {
    expect(deviationProblems(grammar, [entry], {})).toEqual([problem]);
  });
});

test('escapeBytes', () => {
  expect(escapeBytes(latin1('a"\\\r\n\t\x00\xff'))).toBe('"a\\"\\\\\\r\\n\\t\\x00\\xff"');
  expect(() => latin1('€')).toThrow(RangeError);
});
