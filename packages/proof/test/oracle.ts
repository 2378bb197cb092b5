// What the oracle's tests share: the grammars, the recognisers behind parseCommand, random words, and the stated results.
import { readFileSync } from 'node:fs';
import { type CommandDialect, LETTER, parseCommand } from '@ehlo/grammar';
import fc from 'fast-check';
import { afterAll, expect } from 'vitest';
import { mutate, randomFrom, wordsOf } from '../src/abnf/arbitrary.ts';
import { comparer, conformance, formatReport } from '../src/abnf/conformance.ts';
import { type Contract, type Limit, type Recogniser, simulate } from '../src/abnf/contract.ts';
import { deviate, type GrammarDeviation } from '../src/abnf/deviations.ts';
import type { Dfa } from '../src/abnf/dfa.ts';
import { escapeBytes } from '../src/abnf/escape.ts';
import { type Grammar, parseAbnf } from '../src/abnf/parse-abnf.ts';

const read = (name: string): string => readFileSync(new URL(`../../grammar/abnf/${name}`, import.meta.url), 'utf8');

// Two expressions of RFC 5321 get a name: what EHLO and what RCPT take (4.1.1.1, 4.1.1.3).
const NAMED = `
host-name = Domain / address-literal
rcpt-path = "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path
`;
export const rfc5321: Grammar = parseAbnf(NAMED, parseAbnf(read('rfc5321.abnf')));
/** With the extensions, addresses still in ASCII. */
export const extended: Grammar = parseAbnf(read('extensions.abnf'), rfc5321);
/** With the extensions, and RFC 6531 over all of it. */
export const international: Grammar = parseAbnf(read('rfc6531.abnf'), extended);

const deviations = JSON.parse(read('deviations.json')) as readonly GrammarDeviation[];

/** A grammar as we read it: with the deviations that concern rules of it. */
export function ours(grammar: Grammar): Grammar {
  return deviate(grammar, deviationsOf(grammar));
}

export function deviationsOf(grammar: Grammar): GrammarDeviation[] {
  return deviations.filter(({ rule }) => grammar.has(rule.toLowerCase()));
}

/** Refusals for what a well-formed parameter means (RFC 5321 4.1.1.11, RFC 6531 3.4), which the grammar does not know. */
const MEANING: ReadonlySet<string> = new Set([
  'unknown-parameter',
  'misplaced-parameter',
  'duplicate-parameter',
  'parameter-value',
  'smtputf8',
]);

/** Command lines have no recogniser of their own; parseCommand, kept to the letter, tells which are words. */
export function commandOf(verb: string, dialect: CommandDialect = LETTER, meaning: ReadonlySet<string> = MEANING): Recogniser {
  return (bytes, from, to) => {
    if (to - from < 2 || bytes[to - 2] !== 0x0d || bytes[to - 1] !== 0x0a) return ~to;
    const parsed = parseCommand(bytes, dialect, from, to - 2);
    return (parsed.ok ? parsed.value.verb.toLowerCase() === verb : meaning.has(parsed.code)) ? to : ~to;
  };
}

/** One line of the table in docs/grammar.md. */
interface Result {
  readonly rule: string;
  /** Whose grammar it is, and what reads it. */
  readonly by: string;
  readonly states: number;
  readonly pairs: number;
  readonly words: number;
  readonly disagreements: number;
}

/** Collects what was compared, prints it, and holds the list that docs/grammar.md is written from. */
export class Results {
  readonly #name: string;
  readonly #exact: Result[] = [];
  readonly #lines: string[] = [];

  constructor(name: string) {
    this.#name = name;
    afterAll(() => console.log(this.#lines.join('\n')));
  }

  /** Every (state, octet) pair. */
  conform(rule: string, by: string, dfa: Dfa, recogniser: Recogniser, contract: Contract, steps: 1 | 2 = 2): void {
    const report = conformance(rule, dfa, recogniser, contract, steps);
    const { states, pairs, words, failures } = report;
    this.#exact.push({ rule, by, states, pairs, words, disagreements: failures });
    this.#lines.push(`${formatReport(report)} (${by})`);
    expect(report.disagreements).toEqual([]);
  }

  /** A thousand words, and as many mutations, of one to three edits. */
  random(rule: string, dfa: Dfa, length: number, contract: Contract, recogniser: Recogniser, limit?: Limit): void {
    const compare = limit === undefined ? comparer(dfa, recogniser, contract) : limitedComparer(dfa, recogniser, limit);
    const octets = randomWords(dfa, length, (word, mutation) => {
      expect(compare(word)).toBeNull();
      expect(compare(mutation)).toBeNull();
    });
    this.#lines.push(`${rule}: ${WORDS} words of ${Math.round(octets / WORDS)} octets on average at random, ${WORDS} mutations`);
  }

  note(line: string): void {
    this.#lines.push(line);
  }

  /** The results are stated beside the tests (`npm run proofs -- test/oracle -u` in this package states them anew): the figures of docs/grammar.md cannot grow old. */
  async held(): Promise<void> {
    const rows = this.#exact.map((result) => {
      const cells = Object.entries(result).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`);
      return `  { ${cells.join(', ')} }`;
    });
    await expect(`[\n${rows.join(',\n')}\n]\n`).toMatchFileSnapshot(`./${this.#name}.json`);
  }
}

const WORDS = 1000;

/** Calls back for each word and a mutation of it; gives the octets of all words. */
function randomWords(dfa: Dfa, length: number, compare: (word: Uint8Array, mutation: Uint8Array) => void): number {
  const makeWord = wordsOf(dfa);
  let octets = 0;
  const choices = fc.tuple(
    fc.uint8Array({ minLength: 2 * length, maxLength: 4 * length, size: 'max' }),
    fc.nat(length),
    fc.integer({ min: 1, max: 3 }),
  );
  const pairs = choices.map(([source, wanted, edits]) => {
    const random = randomFrom(source);
    const word = makeWord(random, wanted);
    let mutation = word;
    for (let edit = 0; edit < edits; edit++) mutation = mutate(mutation, random);
    return { word, mutation };
  });
  const property = fc.property(pairs, ({ word, mutation }) => {
    octets += word.length;
    compare(word, mutation);
  });
  // One seed, so that a build fails for what changed; what is exact is the other half of these tests.
  // The time bounds the search for a shorter counterexample; the thousand words take a tenth of a second.
  fc.assert(property, { numRuns: WORDS, seed: 5321, interruptAfterTimeLimit: 10_000 });
  return octets;
}

function limitedComparer(dfa: Dfa, recogniser: Recogniser, limit: Limit): (word: Uint8Array) => string | null {
  return (word) => {
    const expected = simulate(dfa, 'whole', word, 0, word.length, limit) >= 0;
    return recogniser(word, 0, word.length) >= 0 === expected ? null : `${expected ? 'refused' : 'accepted'} ${escapeBytes(word)}`;
  };
}
