import { readFileSync } from 'node:fs';
import * as grammar from '@ehlo/grammar';
import { LETTER, parseCommand, parseMailbox, parsePath, parseReply, REVERSE_PATH, type Rule } from '@ehlo/grammar';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { mutate, randomFrom, wordsOf } from '../src/abnf/arbitrary.ts';
import type { Dfa } from '../src/abnf/automaton.ts';
import { compiler } from '../src/abnf/compile.ts';
import { comparer, conformance, formatReport } from '../src/abnf/conformance.ts';
import { type Contract, type Limit, type Recogniser, simulate } from '../src/abnf/contract.ts';
import { deviate, deviationProblems, type GrammarDeviation } from '../src/abnf/deviations.ts';
import { escapeBytes } from '../src/abnf/escape.ts';
import { distances } from '../src/abnf/operations.ts';
import { parseAbnf } from '../src/abnf/parse-abnf.ts';
import { lengthLimits, PATH_OCTETS, proseLimits, registeredTags } from '../src/abnf/prose.ts';

const read = (name: string): string => readFileSync(new URL(`../../grammar/abnf/${name}`, import.meta.url), 'utf8');

// Two expressions of RFC 5321 get a name: what EHLO and what RCPT take (4.1.1.1, 4.1.1.3).
const NAMED = `
host-name = Domain / address-literal
rcpt-path = "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path
`;
const printed = parseAbnf(NAMED, parseAbnf(read('rfc5321.abnf')));
const deviations = JSON.parse(read('deviations.json')) as readonly GrammarDeviation[];
const ours = deviate(printed, deviations);
const syntax = compiler(ours, proseLimits);
const limited = compiler(ours, { ...proseLimits, ...lengthLimits });
const registered = compiler(ours, { ...proseLimits, ...registeredTags });
const limitedRegistered = compiler(ours, { ...proseLimits, ...registeredTags, ...lengthLimits });

type RuleName = { [Name in keyof typeof grammar]: (typeof grammar)[Name] extends Rule ? Name : never }[keyof typeof grammar];

/** Every exported recogniser with its rule in RFC 5321: the compiler asks for a line when one is added. */
const RULES: Readonly<Record<RuleName, string>> = {
  addressLiteral: 'address-literal',
  atom: 'Atom',
  domain: 'Domain',
  dotString: 'Dot-string',
  esmtpParam: 'esmtp-param',
  forwardPath: 'rcpt-path',
  hostName: 'host-name',
  ipv4Address: 'IPv4-address-literal',
  ipv6Address: 'IPv6-addr',
  localPart: 'Local-part',
  mailbox: 'Mailbox',
  path: 'Path',
  quotedString: 'Quoted-string',
  replyLine: 'Reply-line',
  reversePath: 'Reverse-path',
  string: 'String',
};
const RECOGNISERS = Object.entries(RULES) as [RuleName, string][];
const RECOGNISER: Readonly<Record<RuleName, Rule>> = grammar;

/** Command lines have no recogniser of their own; parseCommand, kept to the letter, tells which are words. */
const COMMANDS = ['ehlo', 'helo', 'mail', 'rcpt', 'data', 'rset', 'vrfy', 'expn', 'help', 'noop', 'quit'] as const;

/** Refusals for what a well-formed parameter means (RFC 5321 4.1.1.11), which the grammar does not know. */
const MEANING: ReadonlySet<string> = new Set(['unknown-parameter', 'duplicate-parameter', 'parameter-value']);

const TIMEOUT = 60_000;
const lines: string[] = [];

afterAll(() => {
  console.log(lines.join('\n'));
});

describe('every (state, octet) pair of the grammar', () => {
  test.each(RECOGNISERS)('%s is %s', (name, rule) => check(rule, syntax(rule), RECOGNISER[name], 'greedy'), TIMEOUT);

  test.each(COMMANDS)(
    'parseCommand and %s',
    (verb) => check(verb, registered(verb), commandOf(verb), 'whole'),
    TIMEOUT,
  );

  test('parseMailbox is Mailbox', () => check('Mailbox', registered('Mailbox'), wholeMailbox, 'whole'), TIMEOUT);

  function check(rule: string, dfa: Dfa, recogniser: Recogniser, contract: Contract): void {
    const report = conformance(rule, dfa, recogniser, contract);
    lines.push(formatReport(report));
    expect(report.disagreements).toEqual([]);
  }
});

describe('long words at random, and mutations of them', () => {
  test.each(RECOGNISERS)('%s is %s', (name, rule) => check(rule, syntax(rule), 300, 'greedy', RECOGNISER[name]), TIMEOUT);

  test.each(COMMANDS)(
    'parseCommand and %s, with the lengths of RFC 5321 4.5.3.1',
    (verb) => check(verb, limitedRegistered(verb), 300, 'whole', commandOf(verb)),
    TIMEOUT,
  );

  test('parseMailbox, with its lengths', () => check('Mailbox', limitedRegistered('Mailbox'), 340, 'whole', wholeMailbox), TIMEOUT);

  test(
    'parsePath, with its length',
    () => {
      const dfa = limitedRegistered('Reverse-path');
      const limit = { octets: PATH_OCTETS, distances: distances(dfa) };
      check(
        'Reverse-path',
        dfa,
        280,
        'whole',
        (bytes, from, to) => (parsePath(bytes.slice(from, to), REVERSE_PATH, LETTER).ok ? to : ~to),
        limit,
      );
    },
    TIMEOUT,
  );

  test(
    'parseReply, which takes a last line of code and SP alone (RFC 5321 4.2.1)',
    () => {
      const abnf = 'Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP [ textstring ] ] CRLF';
      const replies = compiler(new Map([...ours, ...parseAbnf(abnf)]), proseLimits);
      check('Reply-line', replies('Reply-line'), 300, 'whole', (bytes, from, to) => (parseReply(bytes, from, to).ok ? to : ~to));
    },
    TIMEOUT,
  );

  /** A thousand words and as many mutations, of one to three edits. */
  function check(rule: string, dfa: Dfa, length: number, contract: Contract, recogniser: Recogniser, limit?: Limit): void {
    const compare = limit === undefined ? comparer(dfa, recogniser, contract) : limitedComparer(dfa, recogniser, limit);
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
      expect(compare(word)).toBeNull();
      expect(compare(mutation)).toBeNull();
    });
    // One seed, so that a build fails for what changed; what is exact is the other half of this file.
    // The time bounds the search for a shorter counterexample; the thousand words take a tenth of a second.
    fc.assert(property, { numRuns: 1000, seed: 5321, interruptAfterTimeLimit: 10_000 });
    lines.push(`${rule}: 1000 words of ${Math.round(octets / 1000)} octets on average at random, 1000 mutations`);
  }

  function limitedComparer(dfa: Dfa, recogniser: Recogniser, limit: Limit): (word: Uint8Array) => string | null {
    return (word) => {
      const expected = simulate(dfa, 'whole', word, 0, word.length, limit) >= 0;
      return recogniser(word, 0, word.length) >= 0 === expected ? null : `${expected ? 'refused' : 'accepted'} ${escapeBytes(word)}`;
    };
  }
});

test('deviations.json lists what differs, and nothing else', () => {
  expect(deviationProblems(printed, deviations, proseLimits)).toEqual([]);
});

function wholeMailbox(bytes: Uint8Array, from: number, to: number): number {
  return parseMailbox(bytes.slice(from, to), LETTER).ok ? to : ~to;
}

function commandOf(verb: string): Recogniser {
  return (bytes, from, to) => {
    if (to - from < 2 || bytes[to - 2] !== 0x0d || bytes[to - 1] !== 0x0a) return ~to;
    const parsed = parseCommand(bytes, LETTER, from, to - 2);
    return (parsed.ok ? parsed.value.verb.toLowerCase() === verb : MEANING.has(parsed.code)) ? to : ~to;
  };
}
