// Values of the grammar: commands, paths, replies, PROXY headers, trace fields.
import {
  ANYTHING,
  DIALECT,
  formatCommand,
  formatPath,
  formatReply,
  LETTER,
  PARAMETERS,
  parseCommand,
  parseEhlo,
  parseMailbox,
  parsePath,
  parseReply,
  REVERSE_PATH,
} from '../../packages/grammar/dist/index.js';
import { formatProxy, parseProxy } from '../../packages/grammar/dist/proxy.js';
import { parseReceived, parseReturnPath } from '../../packages/grammar/dist/trace.js';
import { demand, octetsOf, roundTrip, same, spoken, textOf, texts } from './laws.mjs';

const dialects = [LETTER, { ...DIALECT, tolerate: ANYTHING }];

function command(input) {
  for (const dialect of dialects) {
    const parsed = parseCommand(input, dialect);
    if (!parsed.ok) demand(parsed.offset >= 0 && parsed.offset <= input.length, 'a place that is none', parsed);
  }
  // What is taken by the letter can be written, and is read as the same.
  const parsed = parseCommand(input, LETTER);
  if (!parsed.ok || parsed.value.verb === 'BDAT') return;
  const again = parseCommand(formatCommand(parsed.value), LETTER);
  demand(again.ok, 'a command that is written can not be read', textOf(input));
  same(withoutRoute(again.value), withoutRoute(parsed.value), 'a command changes');
}

/** RFC 5321 4.1.1.3, appendix C: a source route is taken, and not written. */
function withoutRoute({ reversePath, forwardPath, ...command }) {
  const path = reversePath ?? forwardPath;
  return path === undefined ? command : { ...command, path: path.address };
}

function address(input) {
  roundTrip(
    (octets) => {
      const parsed = parsePath(octets, REVERSE_PATH);
      // As above: a source route is not written.
      return parsed.ok ? { ok: true, value: { ...parsed.value, route: [] } } : parsed;
    },
    (path) => (path.address === '' ? '<>' : formatPath(path)),
    input,
    'a path',
  );
  roundTrip(parseMailbox, ({ address }) => address, input, 'a mailbox');
}

function reply(input) {
  const parsed = parseReply(input);
  if (parsed.ok) {
    const again = parseReply(formatReply(parsed.value, true));
    demand(again.ok && again.value.code === parsed.value.code, 'a reply changes', textOf(input));
  }
  parseEhlo(input);
}

/** A header is told as soon as it is whole, and what follows does not matter. */
function proxy(input) {
  const whole = parseProxy(input);
  if (whole === null || !whole.ok) return;
  const { header, length } = whole.value;
  demand(length > 0 && length <= input.length, 'a length that is none', length);
  same(parseProxy(input.subarray(0, length)), whole, 'what follows a header');
  for (let end = 0; end < length; end++) demand(parseProxy(input.subarray(0, end)) === null, 'a part of a header is told', end);
  if (header.tlvs.some(({ type }) => type === 3)) return;
  const again = parseProxy(formatProxy(header));
  demand(again?.ok === true, 'a header that is written can not be read');
  same(again.value.header, header, 'a header changes');
}

function trace(input) {
  const parsed = parseReceived(input);
  parseReturnPath(input);
  if (!parsed.ok) return;
  const { date } = parsed.value;
  demand(date === null || date === undefined || typeof date === 'number', 'a date that is none');
}

const V2 = '\r\n\r\n\0\r\nQUIT\n';
const PARAMETER_WORDS = PARAMETERS.map(({ keyword }) => ` ${keyword}=`);
const ADDRESS_WORDS = [
  '<',
  '>',
  '@',
  '"',
  '\\',
  '.',
  'a@b.example',
  '[192.0.2.1]',
  '[IPv6:2001:db8::1]',
  '[x:y]',
  '<@a.example:',
  'xn--',
  '\xc3\xbc',
];

export const VALUES = {
  command: {
    seeds: () =>
      spoken('server', 'in').flatMap((all) =>
        textOf(all)
          .split('\r\n')
          .filter((line) => line.length < 300)
          .slice(0, 4)
          .map(octetsOf),
      ),
    words: ['MAIL FROM:', 'RCPT TO:', 'EHLO ', 'BDAT ', ' LAST', ...ADDRESS_WORDS, ...PARAMETER_WORDS],
    run: command,
  },
  address: { seeds: () => texts('message/addresses.json', 'value', 'address', 'name').slice(0, 300), words: ADDRESS_WORDS, run: address },
  reply: {
    seeds: () => spoken('client', 'in'),
    words: ['250', '-', ' ', '\r\n', '5.1.1 ', 'PIPELINING', 'SIZE 1', 'AUTH PLAIN', 'AUTH=', '\n', '\r'],
    run: reply,
  },
  proxy: {
    seeds: () =>
      [
        'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n',
        'PROXY TCP6 ::1 ::2 1 2\r\nEHLO',
        'PROXY UNKNOWN\r\n',
        `${V2}\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x19\0\x1a`,
        `${V2}\x20\0\0\0`,
      ].map(octetsOf),
    words: [
      'PROXY ',
      'TCP4 ',
      'TCP6 ',
      'UNKNOWN',
      '\r\n',
      V2,
      '\x21\x11',
      '\x21\x21',
      '\x21\x31',
      '\x20\0',
      '\0\x0c',
      '\0\x24',
      '\x03\0\x04',
      '\x04\0\0',
      ' 65535',
      '192.0.2.1',
      '::1',
    ],
    run: proxy,
  },
  trace: {
    seeds: () => texts('trace/received.json', 'field', 'value', 'received'),
    words: [
      'Received:',
      'Return-Path:',
      ' from ',
      ' by ',
      ' with ',
      ' id ',
      ' for ',
      ' via ',
      '; ',
      ' Thu, 1 Jan 1970 00:00:00 +0000',
      '(',
      ')',
      '\r\n ',
      '\r\n',
      '[192.0.2.1]',
      '<a@b>',
    ],
    run: trace,
  },
};
