// The grammar of the extensions, and of RFC 6531 over all of it.
import * as grammar from '@ehlo/grammar';
import {
  type Deviation,
  decodeBase64,
  decodeUtf8,
  decodeUtf8Address,
  decodeXtext,
  LETTER,
  PARAMETERS,
  type Parameter,
  parseReply,
  type Rule,
} from '@ehlo/grammar';
import { parseEnhanced } from '@ehlo/grammar/codes';
import { parseReturnPath } from '@ehlo/grammar/trace';
import { describe, expect, test } from 'vitest';
import { compileAbnf, compiler } from '../src/abnf/compile.ts';
import type { Recogniser } from '../src/abnf/contract.ts';
import { deviationProblems } from '../src/abnf/deviations.ts';
import type { Dfa } from '../src/abnf/dfa.ts';
import { latin1 } from '../src/abnf/escape.ts';
import { ENVID_CHARACTERS, extensionLimits, ORCPT_CHARACTERS, SAMPLES, xtextOf } from '../src/abnf/extension-prose.ts';
import { concatenation, distances, intersection, union } from '../src/abnf/operations.ts';
import { proseLimits, registeredTags } from '../src/abnf/prose.ts';
import { commandOf, deviationsOf, extended, international, ours, Results, rfc5321 } from './oracle.ts';

const limits = { ...proseLimits, ...extensionLimits };
const ascii = compiler(ours(extended), { ...limits, ...registeredTags });
const utf8 = compiler(ours(international), limits);
const registered = compiler(ours(international), { ...limits, ...registeredTags });

const results = new Results('oracle-extensions');

/** The rules that RFC 6531 widens, as it widens them. */
const WIDENED = {
  atom: 'Atom',
  domain: 'Domain',
  dotString: 'Dot-string',
  esmtpParam: 'esmtp-param',
  forwardPath: 'rcpt-path',
  hostName: 'host-name',
  localPart: 'Local-part',
  mailbox: 'Mailbox',
  path: 'Path',
  quotedString: 'Quoted-string',
  reversePath: 'Reverse-path',
  string: 'String',
} as const satisfies Partial<Record<keyof typeof grammar, string>>;
const RECOGNISERS = Object.entries(WIDENED) as [keyof typeof WIDENED, string][];
const RULES: Readonly<Record<keyof typeof WIDENED, Rule>> = grammar;

/** The commands whose form RFC 6531 changes, and those of the extensions with their rules. */
const ADDRESSED = ['mail', 'rcpt', 'vrfy', 'expn'] as const;
const COMMANDS = {
  auth: 'auth-line',
  bdat: 'bdat-cmd',
  etrn: 'etrn',
  xclient: 'xclient',
  xforward: 'xforward',
  starttls: 'starttls',
} as const;
/** Of what a parameter means only this is beyond the grammar of an attribute: the same one twice. */
const TWICE = new Set(['duplicate-parameter']);

describe('every (state, octet) pair of RFC 6531', () => {
  test.each(RECOGNISERS)('%s is %s', (name, rule) => results.conform(rule, `${name}, UTF-8`, utf8(rule), widened(name), 'greedy'));

  // Without address literals, in which no octet beyond ASCII can stand: the ASCII half of the oracle has them, at every pair.
  test.each(ADDRESSED)('parseCommand and %s', (verb) =>
    results.conform(verb, 'parseCommand, UTF-8', withoutBracket(registered(verb)), unlessBracket(commandOf(verb)), 'whole'),
  );

  test('parseReturnPath is Return-path-line', () =>
    results.conform(
      'Return-path-line',
      'parseReturnPath',
      withoutBracket(registered('Return-path-line')),
      unlessBracket(returnPath),
      'whole',
    ));
});

describe('every (state, octet) pair of the extensions', () => {
  test.each(Object.entries(COMMANDS))('parseCommand and %s', (verb, rule) =>
    results.conform(rule, 'parseCommand', ascii(rule), commandOf(verb, LETTER, TWICE), 'whole'),
  );

  // The name is read by the function that reads it in EHLO, where every kind of literal is tried.
  test('parseCommand and lhlo', () =>
    results.conform('lhlo', 'parseCommand', withoutBracket(ascii('lhlo')), unlessBracket(commandOf('lhlo')), 'whole'));
});

describe('long words at random, and mutations of them', () => {
  test.each(RECOGNISERS)('%s is %s, with UTF-8', (name, rule) => results.random(rule, utf8(rule), 300, 'greedy', widened(name)));
  test.each(ADDRESSED)('parseCommand and %s, with UTF-8', (verb) => results.random(verb, registered(verb), 70, 'whole', commandOf(verb)));
  test.each(Object.entries(COMMANDS))('parseCommand and %s', (verb, rule) =>
    results.random(rule, ascii(rule), 300, 'whole', commandOf(verb, LETTER, TWICE)),
  );
  test('parseReturnPath is Return-path-line', () =>
    results.random('Return-path-line', registered('Return-path-line'), 70, 'whole', returnPath));
});

/** The rule of every parameter, by extension and keyword; the list holds no parameter without one. */
const VALUES: Readonly<Record<string, string>> = {
  'SIZE SIZE': 'mail-size',
  '8BITMIME BODY': 'mail-body',
  'BINARYMIME BODY': 'mail-body',
  'SMTPUTF8 SMTPUTF8': 'smtputf8-param',
  'DSN RET': 'ret-param',
  'DSN ENVID': 'envid-parameter',
  'DSN NOTIFY': 'notify-param',
  'DSN ORCPT': 'orcpt-parameter',
  'DELIVERBY BY': 'by-parameter',
  'FUTURERELEASE HOLDFOR': 'hold-for-param',
  'FUTURERELEASE HOLDUNTIL': 'hold-until-param',
  'MT-PRIORITY MT-PRIORITY': 'mail-mtpriority',
  'RRVS RRVS': 'rrvs-param',
  'REQUIRETLS REQUIRETLS': 'requiretls-param',
  'AUTH AUTH': 'mail-auth',
};
const NAMED = PARAMETERS.map((parameter): [string, Parameter] => [`${parameter.extension} ${parameter.keyword}`, parameter]);

describe('values of parameters', () => {
  test('each parameter has its rule', () => expect(NAMED.map(([name]) => name)).toEqual(Object.keys(VALUES)));

  test.each(NAMED)('%s', (name, parameter) => {
    const rule = VALUES[name] as string;
    const dfa = languageOf(rule, name);
    // Without literals in the Mailbox of AUTH, which parseMailbox reads: that one is compared with all of them elsewhere.
    const recogniser = name === 'AUTH AUTH' ? unlessLiteral(parameter) : parameterOf(parameter);
    results.conform(rule, `codec of ${parameter.extension}`, dfa, recogniser, 'whole');
  });

  test.each(NAMED)('%s, at random', (name, parameter) => {
    const rule = VALUES[name] as string;
    const dfa = name === 'AUTH AUTH' ? submitter(ascii('Mailbox')) : languageOf(rule, name);
    const octets =
      name === 'DSN ENVID' ? `ENVID=`.length + ENVID_CHARACTERS : name === 'DSN ORCPT' ? 'ORCPT='.length + ORCPT_CHARACTERS : 0;
    // ORCPT counts characters; an automaton, octets: with characters beyond ASCII it is short words that are compared.
    if (octets === 0) results.random(rule, dfa, 60, 'whole', parameterOf(parameter));
    else {
      const narrow = intersection(dfa, compileAbnf('x = *%x00-7F'));
      results.random(rule, narrow, octets + 6, 'whole', parameterOf(parameter), { octets, distances: distances(narrow) });
      results.random(rule, dfa, 100, 'whole', parameterOf(parameter));
    }
  });
});

describe('encodings and codes', () => {
  const text =
    (accepts: (text: string) => boolean): Recogniser =>
    (bytes, from, to) =>
      accepts(grammar.latin1(bytes, from, to)) ? to : ~to;
  const encodings: readonly (readonly [rule: string, by: string, recogniser: Recogniser])[] = [
    // Where no response is given at all, decodeBase64 is not asked.
    ['base64', 'decodeBase64', (bytes, from, to) => (to > from && decodeBase64(bytes, from, to) !== null ? to : ~to)],
    ['xtext', 'decodeXtext', text((value) => decodeXtext(value) !== null)],
    ['utf-8-enc-addr', 'decodeUtf8Address', bareValue((value) => decodeUtf8Address(value) !== null)],
    ['dsn-xtext', 'decodeXtext, to the letter', text((value) => toTheLetter((found) => decodeXtext(value, found) ?? undefined))],
    ['status-code', 'parseEnhanced', text((value) => parseEnhanced(value) !== null)],
  ];
  test.each(encodings)('%s is %s', (rule, by, recogniser) => results.conform(rule, by, ascii(rule), recogniser, 'whole'));
  test.each(encodings)('%s is %s, at random', (rule, _, recogniser) => results.random(rule, ascii(rule), 200, 'whole', recogniser));

  test('parseReply finds the enhanced codes of enhanced-reply-line', () => {
    const sampled: Recogniser = (bytes, from, to) => {
      const reply = parseReply(bytes, from, to);
      const known = reply.ok && SAMPLES.some(([code, enhanced]) => Number(code) === reply.value.code && enhanced === reply.value.enhanced);
      return known ? to : ~to;
    };
    results.conform('enhanced-reply-line', 'parseReply', ascii('enhanced-reply-line'), sampled, 'whole');
  });

  test('parseReply finds every enhanced code on a line of its class', () => {
    const line = ['2', '4', '5'].map((digit) =>
      intersection(
        concatenation(
          compileAbnf(`code = "${digit}" %x30-35 DIGIT " "`),
          ascii('status-code'),
          compileAbnf('rest = [ " " *( HTAB / %x20-7E ) ] CRLF'),
        ),
        compileAbnf(`agrees = "${digit}" 3OCTET "${digit}" *OCTET`),
      ),
    );
    const found: Recogniser = (bytes, from, to) => {
      const reply = parseReply(bytes, from, to);
      return reply.ok && reply.value.enhanced !== undefined && bytes[from + 3] === 0x20 ? to : ~to;
    };
    results.conform('enhanced-reply-line', 'parseReply, one line', union(...line), found, 'whole');
  });
});

test('what deviations.json says of the extensions is what differs, and nothing else', () => {
  const rows = deviationsOf(extended).filter(({ rule }) => !rfc5321.has(rule.toLowerCase()));
  expect(deviationProblems(extended, rows, limits)).toEqual([]);
  results.note(`${rows.length} differences on purpose`);
});

test('the results are the ones that are stated', () => results.held());

function widened(name: keyof typeof WIDENED): Recogniser {
  const rule: Rule = RULES[name];
  return (bytes, from, to) => rule(bytes, from, to, true);
}

function withoutBracket(dfa: Dfa): Dfa {
  return intersection(dfa, compileAbnf('others = *( %x00-5A / %x5C-FF )'));
}

function unlessBracket(recogniser: Recogniser): Recogniser {
  return (bytes, from, to) => (bytes.subarray(from, to).includes(0x5b) ? ~to : recogniser(bytes, from, to));
}

function returnPath(bytes: Uint8Array, from: number, to: number): number {
  return parseReturnPath(bytes.subarray(from, to)).ok ? to : ~to;
}

/** A whole esmtp-param with its keyword, as it stands in the command: the codec alone sees the value. */
function parameterOf({ keyword, codec }: Parameter): Recogniser {
  return (bytes, from, to) => {
    if (grammar.esmtpParam(bytes, from, to, true) !== to) return ~to;
    const end = grammar.esmtpKeyword(bytes, from, to);
    const value = bytes.subarray(Math.min(end + 1, to), to);
    const isNamed = grammar.latin1(bytes, from, end).toUpperCase() === keyword;
    return isNamed && toTheLetter((found) => codec.parse(value, found)) ? to : ~to;
  };
}

/** The value of an esmtp-param alone. */
function bareValue(accepts: (text: string) => boolean): Recogniser {
  return (bytes, from, to) => {
    const param = Uint8Array.of(...latin1('X='), ...bytes.subarray(from, to));
    const whole = grammar.esmtpParam(param, 0, param.length, true) === param.length;
    return whole && accepts(decodeUtf8(param, 2, param.length)) ? to : ~to;
  };
}

/** Whether something is read, and without a deviation. */
function toTheLetter(read: (found: Deviation[]) => unknown): boolean {
  const found: Deviation[] = [];
  return read(found) !== undefined && found.length === 0;
}

function unlessLiteral(parameter: Parameter): Recogniser {
  const recogniser = parameterOf(parameter);
  return (bytes, from, to) => (/\[|\+5b/i.test(grammar.latin1(bytes, from, to)) ? ~to : recogniser(bytes, from, to));
}

/** The words of a parameter that are an esmtp-param too: xtext may be empty, and addr-type hold "=", a value may not. */
function languageOf(rule: string, name: string): Dfa {
  if (name === 'AUTH AUTH') return submitter(withoutBracket(ascii('Mailbox')));
  const words = intersection((rule === 'smtputf8-param' ? utf8 : ascii)(rule), utf8('esmtp-param'));
  // RFC 6152 2 has the first two values of body-value alone.
  return name === '8BITMIME BODY' ? intersection(words, compileAbnf('two = "BODY=" ( "7BIT" / "8BITMIME" )')) : words;
}

/** RFC 4954 5: the decoded value "MUST be" a Mailbox or "<>". */
function submitter(mailbox: Dfa): Dfa {
  return concatenation(compileAbnf('keyword = "AUTH="'), xtextOf(union(mailbox, compileAbnf('nobody = "<>"'))));
}
