// Law 3: work is linear in the octets, whatever they are. Octets are counted, not seconds.
import { describe, expect, test } from 'vitest';
import * as grammar from '../src/index.ts';
import { ANYTHING, encodeUtf8, LETTER } from '../src/index.ts';
import { parseProxy } from '../src/proxy.ts';
import { parseReceived, parseReturnPath } from '../src/trace.ts';
import { type Parser, reads } from './reads.ts';

/** What repeats, in the ways in which syntax nests or lists. */
const SHAPES: Readonly<Record<string, readonly [repeated: string, end: string]>> = {
  quotes: ['"', ''],
  'a quoted string': ['a b', '"@b>'],
  commas: ['@a,', ''],
  colons: ['1:', ''],
  dots: ['a.', 'a'],
  'dots alone': ['.', '@b'],
  'at-signs': ['@', ''],
  brackets: ['[', ']'],
  'closed brackets': ['[]', ''],
  backslashes: ['\\', '"'],
  spaces: [' ', '\r\n'],
  hyphens: ['-', 'a'],
  underscores: ['_.', 'a>'],
  parentheses: ['(', ''],
  comments: ['(', ')'],
  'comments and folds': [' (\r\n a)', ''],
  parameters: [' X-1=2', ''],
  'one parameter': [' SIZE=1', ''],
  attributes: [' A=+20', '\r\n'],
  'clauses of a trace field': [' a b', ';'],
  digits: ['1', ''],
  'lines of a reply': ['250-a\r\n', '250 a\r\n'],
  'enhanced codes': ['250-2.0.0 a\r\n', '250 2.0.0 a\r\n'],
  'continuation octets': ['\x80', ''],
  'characters beyond ASCII': ['\xc3\xa9', '@b>'],
  'lead octets': ['\xf0', ''],
};

const LOOSE = { ...LETTER, tolerate: ANYTHING };
const commands: readonly string[] = [
  '',
  'EHLO ',
  'HELO',
  'MAIL FROM:<',
  'MAIL FROM:',
  'MAIL FROM:<"',
  'MAIL FROM:<a@b>',
  'RCPT TO:<@a',
  'RCPT TO:<a@',
  'VRFY ',
  'EXPN "',
  'NOOP',
  'AUTH PLAIN ',
  'AUTH ',
  'BDAT ',
  'ETRN @',
  'XCLIENT',
  'XFORWARD A=',
  'BURL ',
];
const addresses: readonly string[] = ['', 'a', '"', 'a@', 'a@[', 'a@[IPv6:', '.'];

/** Every parser of octets, with what may stand before the shape. */
const PARSERS: Readonly<Record<string, readonly [Parser, readonly string[]]>> = {
  'parseCommand, to the letter': [(bytes) => grammar.parseCommand(bytes, LETTER), commands],
  'parseCommand, lenient': [(bytes) => grammar.parseCommand(bytes, LOOSE), commands],
  'parseCommand, lenient, ASCII': [(bytes) => grammar.parseCommand(bytes, { ...LOOSE, utf8: false }), commands],
  parseVerb: [grammar.parseVerb, ['', 'NOOP']],
  'parseMailbox, to the letter': [(bytes) => grammar.parseMailbox(bytes, LETTER), addresses],
  'parseMailbox, lenient': [(bytes) => grammar.parseMailbox(bytes, LOOSE), addresses],
  'parsePath, lenient': [(bytes) => grammar.parsePath(bytes, grammar.FORWARD_PATH, LOOSE), ['', '<', '<@a', '<a@', '<"']],
  parseReply: [grammar.parseReply, ['', '250', '250 ', '250 2.0.0 ']],
  parseEhlo: [(bytes) => grammar.parseEhlo(bytes, LOOSE), ['', '250 ', '250 a ', '250-a\r\n', '250-a\r\n250 A']],
  parseGreeting: [grammar.parseGreeting, ['', '220 ', '220-[', '220 a ']],
  decodeBase64: [grammar.decodeBase64, ['', 'AAAA']],
  parseReceived: [
    parseReceived,
    [
      '',
      'Received:',
      'Received: from a',
      'Received: from a (',
      'Received: from a by b',
      'Received: from a by b id <',
      'Received: from a by b;',
    ],
  ],
  parseReturnPath: [parseReturnPath, ['', 'Return-Path:', 'Return-Path: <', 'Return-Path: <"']],
  parseProxy: [parseProxy, ['', 'PROXY ', 'PROXY TCP4 ', '\r\n\r\n\0\r\nQUIT\n', '\r\n\r\n\0\r\nQUIT\n\x21\x11\x10\x00']],
};

/** The recognisers by name, as they stand in the module: none is forgotten. */
const RULES = Object.entries(grammar).filter(
  (entry): entry is [string, grammar.Rule] =>
    typeof entry[1] === 'function' && /^(bytes, from, to|\(bytes, from, to)/.test(String(entry[1])),
);
const RULE_PARSERS = RULES.map(([name, rule]): [string, readonly [Parser, readonly string[]]] => [
  name,
  [(bytes) => [rule(bytes, 0, bytes.length), rule(bytes, 0, bytes.length, true)], ['', '<a@', '250-a\r\n', '"']],
]);

test('recognisers are found by their parameters', () => expect(RULES.length).toBeGreaterThanOrEqual(20));

const SMALL = 2000;
const LARGE = 100_000;
/** Every octet may be looked at so many times: by the letter, by each deviation in turn, to measure, and to make the value. */
const READS = 40;

describe.each([...Object.entries(PARSERS), ...RULE_PARSERS])('%s', (_, [parse, prefixes]) => {
  test.each(Object.entries(SHAPES))('%s', (_, shape) => {
    for (const prefix of prefixes) {
      const [once, twice] = [SMALL, 2 * SMALL].map((size) => reads(parse, bytesOf(prefix, shape, size))) as [number, number];
      expect(twice, `${prefix}…: ${once} octets read of ${SMALL}, ${twice} of ${2 * SMALL}`).toBeLessThanOrEqual(2.2 * once + 200);
      expect(twice).toBeLessThanOrEqual(READS * 2 * SMALL);
      // A recursion that is as deep as the text is long does not return from this one.
      parse(bytesOf(prefix, shape, LARGE));
    }
  });
});

const TEXTS: Readonly<Record<string, (text: string) => unknown>> = {
  decodeXtext: grammar.decodeXtext,
  decodeUtf8Address: grammar.decodeUtf8Address,
  parseAddressLiteral: grammar.parseAddressLiteral,
  formatAddressLiteral: grammar.formatAddressLiteral,
  isHostName: grammar.isHostName,
  formatMailbox: (text) => grammar.formatMailbox(text, text),
  formatReply: (text) => grammar.formatReply({ code: 250, lines: [text] }),
  encodeXtext: grammar.encodeXtext,
  encodeUtf8Address: grammar.encodeUtf8Address,
  ...Object.fromEntries(
    grammar.PARAMETERS.map(({ keyword, codec }) => [`the value of ${keyword}`, (text: string) => codec.parse(encodeUtf8(text), [])]),
  ),
};

test.each(Object.entries(TEXTS))('%s returns from every shape', (_, read) => {
  for (const shape of Object.values(SHAPES)) {
    for (const prefix of ['', '+', '\\x{', '[', '[IPv6:', 'rfc822;', 'utf-8;', '"']) read(prefix + textOf(shape, LARGE));
  }
});

function textOf([repeated, end]: readonly [string, string], size: number): string {
  const count = Math.floor(size / (repeated.length + (end === ')' || end === ']' ? 1 : 0)));
  // What nests is closed as often as it is opened.
  return repeated.repeat(count) + (end === ')' || end === ']' ? end.repeat(count) : end);
}

function bytesOf(prefix: string, shape: readonly [string, string], size: number): Uint8Array {
  return grammar.octets(prefix + textOf(shape, size));
}

test('the counter counts', () => {
  const quadratic: Parser = (bytes) => {
    for (let at = 0; at < bytes.length; at++) bytes.subarray(at).indexOf(0);
  };
  expect(reads(quadratic, encodeUtf8('x'.repeat(100)))).toBe(5050);
  expect(reads((bytes) => bytes[3], encodeUtf8('abcd'))).toBe(1);
  expect(reads((bytes) => bytes.subarray(1).indexOf(0x64, 1), encodeUtf8('abcde'))).toBe(2);
});
