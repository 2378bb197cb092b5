// The values of RFC 5322 against its own ABNF: without comments they are regular, and every (state, octet) pair is tried; with comments, which
// nest, they are compared with an independent reader on random words.
import { readFileSync } from 'node:fs';
import { ADDRESS_LETTER, type AddressDeviation, OBSOLETE_ADDRESS, parseAddressList, parseNamedMailbox } from '@ehlo/message/address';
import { type DateDeviation, OBSOLETE_DATE, parseDate } from '@ehlo/message/date';
import { type MessageIdDeviation, OBSOLETE_ID, parseMessageIds } from '@ehlo/message/message-id';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutate, randomFrom } from '../src/abnf/arbitrary.ts';
import { compileAbnf, compiler } from '../src/abnf/compile.ts';
import type { Recogniser } from '../src/abnf/contract.ts';
import type { Dfa } from '../src/abnf/dfa.ts';
import { escapeBytes } from '../src/abnf/escape.ts';
import { traceLimits } from '../src/abnf/extension-prose.ts';
import { complement, contains, intersection } from '../src/abnf/operations.ts';
import { type Grammar, parseAbnf } from '../src/abnf/parse-abnf.ts';
import { Matcher } from './matcher.ts';
import { ours, Results, rfc5321 } from './oracle.ts';

const read = (name: string): string => readFileSync(new URL(`../../message/abnf/${name}`, import.meta.url), 'utf8');
const rfc5322: Grammar = parseAbnf(read('rfc6532.abnf'), parseAbnf(read('rfc5322.abnf')));

/** Where we differ on purpose: behind a backslash NUL, CR and LF are not taken, as programs end a text or a line there. */
const OURS = 'obs-qp = "\\" obs-NO-WS-CTL';
const IDS = `
ids     = 1*msg-id
old-ids = *phrase 1*( msg-id *phrase )
`;
/** RFC 5322 3 alone. */
const LETTER = `
quoted-pair  = "\\" ( VCHAR / WSP )
FWS          = [ *WSP CRLF ] 1*WSP
ctext        = %d33-39 / %d42-91 / %d93-126 / UTF8-non-ascii
qtext        = %d33 / %d35-91 / %d93-126 / UTF8-non-ascii
dtext        = %d33-90 / %d94-126 / UTF8-non-ascii
phrase       = 1*word
angle-addr   = [CFWS] "<" addr-spec ">" [CFWS]
mailbox-list = mailbox *( "," mailbox )
address-list = address *( "," address )
group-list   = mailbox-list / CFWS
local-part   = dot-atom / quoted-string
domain       = dot-atom / domain-literal
id-left      = dot-atom-text
id-right     = dot-atom-text / no-fold-literal
`;
const NO_COMMENTS = 'CFWS = FWS';

const over = (...texts: readonly string[]): Grammar => new Map([...rfc5322, ...texts.flatMap((text) => [...parseAbnf(text)])]);
const obsolete = over(OURS, IDS);
const letter = over(OURS, IDS, LETTER);
const without = (grammar: Grammar): Grammar => new Map([...grammar, ...parseAbnf(NO_COMMENTS)]);

const results = new Results('oracle-values');

/** RFC 5322 3.2.2: no line of white space alone, which two FWS in a row would be; the obsolete forms have it. */
const blankLine = compileAbnf('blank = *OCTET CRLF 1*WSP CRLF *OCTET');
const noBlankLine = complement(blankLine);

const noParenthesis = compileAbnf('others = *( %x00-27 / %x29-FF )');
const words = (grammar: Grammar, rule: string): Dfa => {
  const all = intersection(compiler(without(grammar))(rule), noParenthesis);
  return grammar === letter ? intersection(all, noBlankLine) : all;
};

/** Words without parentheses; nor with the line end of a field, which the parsers leave out. */
function recogniser(parses: (bytes: Uint8Array) => boolean): Recogniser {
  return (bytes, from, to) => {
    const word = bytes.slice(from, to);
    return word.includes(0x28) || (word.at(-1) === 0x0a && word.at(-2) === 0x0d) || !parses(word) ? ~to : to;
  };
}

const addresses = (tolerate: ReadonlySet<AddressDeviation>) => (bytes: Uint8Array) => parseAddressList(bytes, { tolerate }).ok;
const ids = (tolerate: ReadonlySet<MessageIdDeviation>) => (bytes: Uint8Array) => parseMessageIds(bytes, tolerate).ok;

/** A list of one mailbox. */
const mailbox = (tolerate: ReadonlySet<AddressDeviation>) => (bytes: Uint8Array) => parseNamedMailbox(bytes, { tolerate }).ok;

const RULES: readonly (readonly [rule: string, by: string, grammar: Grammar, parses: (bytes: Uint8Array) => boolean])[] = [
  ['address-list', 'parseAddressList, letter', letter, addresses(ADDRESS_LETTER)],
  ['address-list', 'parseAddressList, obsolete', obsolete, addresses(OBSOLETE_ADDRESS)],
  ['mailbox', 'parseNamedMailbox, letter', letter, mailbox(ADDRESS_LETTER)],
  ['ids', 'parseMessageIds, letter', letter, ids(new Set())],
  ['old-ids', 'parseMessageIds, obsolete', obsolete, ids(OBSOLETE_ID)],
];

describe('every (state, octet) pair, without comments', () => {
  // A list has so many states that the second step would take an hour; what a list is made of has it.
  test.each(RULES)('%s by %s', (rule, by, grammar, parses) =>
    results.conform(rule, by, words(grammar, rule), recogniser(parses), 'whole', rule === 'address-list' ? 1 : 2),
  );

  test('date-time by parseDate, letter', () => {
    const grammar = ours(new Map([...rfc5321, ...parseAbnf(NO_COMMENTS)]));
    const dfa = intersection(compiler(grammar, traceLimits)('date-time'), noParenthesis);
    // Which day of the week it is no small automaton knows.
    const tolerate = new Set<DateDeviation>(['odd-weekday']);
    results.conform(
      'date-time',
      'parseDate, letter',
      dfa,
      recogniser((bytes) => parseDate(bytes, tolerate).ok),
      'whole',
    );
  });
});

const RUNS = 3000;

describe('words with comments, and a mutation of each', () => {
  test.each(RULES)('%s by %s', (rule, _, grammar, parses) => {
    const matcher = new Matcher(grammar, rule);
    const seen = { accepted: 0, refused: 0 };
    const compare = (word: Uint8Array): void => {
      if (word.at(-1) === 0x0a && word.at(-2) === 0x0d) return;
      const expected = matcher.matches(word) && !(grammar === letter && contains(blankLine, word));
      seen[expected ? 'accepted' : 'refused']++;
      if (parses(word) !== expected) expect.fail(`${expected ? 'refused' : 'accepted'} ${escapeBytes(word)}`);
    };
    const sources = fc.uint8Array({ minLength: 100, maxLength: 400, size: 'max' });
    const property = fc.property(sources, (source) => {
      const random = randomFrom(source);
      const word = Uint8Array.from(matcher.word(random)).slice(0, 400);
      compare(word);
      compare(mutate(word, random));
    });
    fc.assert(property, { numRuns: RUNS, seed: 5322, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false });
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(100);
    results.note(`${rule}: words with comments, and mutations: ${JSON.stringify(seen)}, 0 disagreements`);
  });
});

// 4.3: "other multi-character (usually between 3 and 5) alphabetic time zones" are read as -0000. A year and an hour without anything between
// them, which obs-year and obs-hour allow, are one number to everybody; five digits are ours.
const OLD_DATE = `
obs-year = [CFWS] 2*5DIGIT CFWS
year     = ( FWS 4*5DIGIT FWS ) / obs-year
zone     = ( FWS ( "+" / "-" ) 4DIGIT ) / ( [FWS] ( obs-zone / 3*5ALPHA ) )
`;
/** Dates that every calendar and clock has. */
const VALID = `
obs-day    = [CFWS] ( ["0"] %x31-39 / "1" DIGIT / "2" %x30-38 ) [CFWS]
day        = obs-day
obs-year   = [CFWS] ( 2*3DIGIT / ( "19" / "20" ) 2DIGIT ) CFWS
year       = obs-year
obs-hour   = [CFWS] ( ( "0" / "1" ) DIGIT / "2" %x30-33 ) [CFWS]
hour       = obs-hour
obs-minute = [CFWS] %x30-35 DIGIT [CFWS]
minute     = obs-minute
obs-second = [CFWS] ( %x30-35 DIGIT / "60" ) [CFWS]
second     = obs-second
zone       = ( FWS ( "+" / "-" ) 2DIGIT %x30-35 DIGIT ) / ( [FWS] ( obs-zone / 3*5ALPHA ) )
`;

test('obsolete dates with comments: what is valid is read, what is no date-time is not', () => {
  const wide = new Matcher(over(OURS, OLD_DATE), 'date-time');
  const valid = new Matcher(over(OURS, OLD_DATE, VALID), 'date-time');
  const tolerate = new Set<DateDeviation>([...OBSOLETE_DATE, 'odd-weekday']);
  const seen = { accepted: 0, refused: 0 };
  const compare = (word: Uint8Array): void => {
    const [must, may] = [valid.matches(word), wide.matches(word)];
    const { ok } = parseDate(word, tolerate);
    if (must) seen.accepted++;
    if (!may) seen.refused++;
    if ((must && !ok) || (!may && ok)) expect.fail(`${ok ? 'accepted' : 'refused'} ${escapeBytes(word)}`);
  };
  const property = fc.property(fc.uint8Array({ minLength: 100, maxLength: 400, size: 'max' }), (source) => {
    const random = randomFrom(source);
    const word = Uint8Array.from(valid.word(random));
    compare(word);
    compare(mutate(word, random));
  });
  fc.assert(property, { numRuns: RUNS, seed: 5322 });
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(RUNS / 5);
  results.note(`date-time, obsolete: words with comments, and mutations: ${JSON.stringify(seen)}, 0 disagreements`);
});

test('the results are the ones that are stated', () => results.held());
