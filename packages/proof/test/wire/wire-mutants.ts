// What is changed in a reply: its class, its form, whether it comes, and what EHLO lists.
import type { WireMutant } from './mutant-server.ts';

const says = (reply: string): WireMutant => ({ name: reply.trim(), changes: () => reply });

/** What EHLO lists in place of a keyword, or beside all others. */
const LISTED: readonly string[] = [
  'SIZE x',
  'AUTH',
  'AUTH plain=',
  'LIMITS',
  'LIMITS =1',
  'LIMITS X',
  'LIMITS COLOUR=1',
  'PIPELINING x',
  '8BITMIME x',
  'ENHANCEDSTATUSCODES x',
  'DSN x',
  'SMTPUTF8 x',
  'REQUIRETLS x',
  'REQUIRETLS',
  'BINARYMIME',
  'SMTPUTF8',
  'STARTTLS',
  'FUTURERELEASE 1 2030-01-01T00:00:00Z',
  'FUTURERELEASE x',
  'ETRN',
  'XCOLOUR',
  'COLOUR',
  '-SIZE',
  'S_ZE',
];

/** A keyword is listed as the mutant wants it: in its place, or last. */
function listed(line: string): WireMutant {
  const keyword = line.split(' ', 1)[0]!;
  return {
    name: `250 ${line}`,
    changes: (reply) => {
      if (!reply.startsWith('250-')) return reply;
      const lines = reply.split('\r\n').filter((one) => one !== '' && one.slice(4).split(' ', 1)[0] !== keyword);
      const all = [...lines.map((one) => one.slice(4)), line];
      return all.map((one, i) => `250${i === all.length - 1 ? ' ' : '-'}${one}\r\n`).join('');
    },
  };
}

/** EHLO does not list a keyword. */
function without(keyword: string): WireMutant {
  return {
    name: `without ${keyword}`,
    changes: (reply) => {
      const lines = reply.split('\r\n').filter((one) => one !== '' && one.slice(4).split(' ', 1)[0] !== keyword);
      return lines.map((one, i) => `${one.slice(0, 3)}${i === lines.length - 1 ? ' ' : '-'}${one.slice(4)}\r\n`).join('');
    },
  };
}

export const WIRE_MUTANTS: readonly WireMutant[] = [
  ...[
    '220 x\r\n',
    '250 2.0.0 OK\r\n',
    '250 mx.example\r\n',
    '354 go\r\n',
    '421 4.0.0 bye\r\n',
    '450 4.0.0 later\r\n',
    '503 5.5.1 no\r\n',
    '554 5.0.0 no\r\n',
    '200\r\n',
    '999 x\r\n',
    'OK\r\n',
    '',
  ].map(says),
  { name: 'twice', changes: (reply) => reply + reply },
  { name: 'no space behind the code', changes: (reply) => reply.replace(/^([0-9]{3})[ -]/gm, '$1_') },
  { name: 'a line too long', changes: (reply) => reply.replace(/\r\n$/, `${'x'.repeat(600)}\r\n`) },
  { name: 'beyond ASCII', changes: (reply) => reply.replace(/\r\n$/, ' \u00c3\u00bc\r\n') },
  { name: 'a control character', changes: (reply) => reply.replace(/\r\n$/, ' \x07\r\n') },
  { name: 'LF for CRLF', changes: (reply) => reply.replaceAll('\r\n', '\n') },
  { name: 'another code in its last line', changes: (reply) => reply.replace(/[0-9]{3}( .*\r\n)$/, '299$1') },
  { name: 'no name', changes: (reply) => reply.replace(/^([0-9]{3}[- ])\S+/, '$1') },
  { name: 'a name that is none', changes: (reply) => reply.replace(/^([0-9]{3}[- ])\S+/, '$1_') },
  { name: 'the name alone', changes: (reply) => reply.replace(/^([0-9]{3})[- ](\S+)[\s\S]*$/, '$1 $2\r\n') },
  { name: 'keywords behind HELO', changes: (reply) => reply.replace(/^250 (.*)\r\n$/, '250-$1\r\n250 SIZE\r\n') },
  ...LISTED.map(listed),
  ...['PIPELINING', 'ENHANCEDSTATUSCODES', '8BITMIME', 'CHUNKING', 'AUTH'].map(without),
];
