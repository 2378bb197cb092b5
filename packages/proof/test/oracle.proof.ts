import * as grammar from '@ehlo/grammar';
import { LETTER, parseMailbox, parsePath, parseReply, REVERSE_PATH, type Rule } from '@ehlo/grammar';
import { describe, expect, test } from 'vitest';
import { compiler } from '../src/abnf/compile.ts';
import { deviationProblems } from '../src/abnf/deviations.ts';
import type { Dfa } from '../src/abnf/dfa.ts';
import { distances } from '../src/abnf/operations.ts';
import { parseAbnf } from '../src/abnf/parse-abnf.ts';
import { lengthLimits, PATH_OCTETS, proseLimits, registeredTags } from '../src/abnf/prose.ts';
import { commandOf, deviationsOf, international, ours, Results, rfc5321 } from './oracle.ts';

const letter = ours(rfc5321);
const syntax = compiler(letter, proseLimits);
const registered = compiler(letter, { ...proseLimits, ...registeredTags });
const limitedRegistered = compiler(letter, { ...proseLimits, ...registeredTags, ...lengthLimits });
/** RFC 5321 alone; the addresses of RFC 6531 stand in the tests of the extensions. */
const ASCII = { ...LETTER, utf8: false };

type RuleName = { [Name in keyof typeof grammar]: (typeof grammar)[Name] extends Rule ? Name : never }[keyof typeof grammar];

/** Every exported recogniser with its rule in RFC 5321: the compiler asks for a line when one is added. */
const RULES: Readonly<Record<RuleName, string>> = {
  addressLiteral: 'address-literal',
  atom: 'Atom',
  domain: 'Domain',
  dotString: 'Dot-string',
  ehloOkResponse: 'ehlo-ok-rsp',
  esmtpKeyword: 'esmtp-keyword',
  esmtpParam: 'esmtp-param',
  forwardPath: 'rcpt-path',
  greeting: 'Greeting',
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
  utf8NonAscii: 'UTF8-non-ascii',
};
const RECOGNISERS = Object.entries(RULES) as [RuleName, string][];
const RECOGNISER: Readonly<Record<RuleName, Rule>> = grammar;
const compiled = (rule: string): Dfa => (letter.has(rule.toLowerCase()) ? syntax : compiler(international))(rule);

const COMMANDS = ['ehlo', 'helo', 'mail', 'rcpt', 'data', 'rset', 'vrfy', 'expn', 'help', 'noop', 'quit'] as const;

const results = new Results('oracle');

describe('every (state, octet) pair of the grammar', () => {
  test.each(RECOGNISERS)('%s is %s', (name, rule) => results.conform(rule, name, compiled(rule), RECOGNISER[name], 'greedy'));

  test.each(COMMANDS)('parseCommand and %s', (verb) =>
    results.conform(verb, 'parseCommand', registered(verb), commandOf(verb, ASCII), 'whole'),
  );

  test('parseMailbox is Mailbox', () => results.conform('Mailbox', 'parseMailbox', registered('Mailbox'), wholeMailbox, 'whole'));
});

describe('long words at random, and mutations of them', () => {
  test.each(RECOGNISERS)('%s is %s', (name, rule) => results.random(rule, compiled(rule), 300, 'greedy', RECOGNISER[name]));

  test.each(COMMANDS)('parseCommand and %s, with the lengths of RFC 5321 4.5.3.1', (verb) =>
    results.random(verb, limitedRegistered(verb), 300, 'whole', commandOf(verb, ASCII)),
  );

  test('parseMailbox, with its lengths', () => results.random('Mailbox', limitedRegistered('Mailbox'), 340, 'whole', wholeMailbox));

  test('parsePath, with its length', () => {
    const dfa = limitedRegistered('Reverse-path');
    const limit = { octets: PATH_OCTETS, distances: distances(dfa) };
    const wholePath = (bytes: Uint8Array, from: number, to: number): number =>
      parsePath(bytes.slice(from, to), REVERSE_PATH, ASCII).ok ? to : ~to;
    results.random('Reverse-path', dfa, 280, 'whole', wholePath, limit);
  });

  test('parseReply, which takes a last line of code and SP alone (RFC 5321 4.2.1)', () => {
    const abnf = 'Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP [ textstring ] ] CRLF';
    const replies = compiler(new Map([...letter, ...parseAbnf(abnf)]), proseLimits);
    results.random('Reply-line', replies('Reply-line'), 300, 'whole', (bytes, from, to) => (parseReply(bytes, from, to).ok ? to : ~to));
  });
});

test('what deviations.json says of RFC 5321 is what differs, and nothing else', () => {
  const rows = deviationsOf(rfc5321);
  expect(deviationProblems(rfc5321, rows, proseLimits)).toEqual([]);
  results.note(`${rows.length} differences on purpose`);
});

test('the results are the ones that are stated', () => results.held());

function wholeMailbox(bytes: Uint8Array, from: number, to: number): number {
  return parseMailbox(bytes.slice(from, to), ASCII).ok ? to : ~to;
}
