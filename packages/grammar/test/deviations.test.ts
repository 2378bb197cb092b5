import { describe, expect, test } from 'vitest';
import * as grammar from '../src/index.ts';
import {
  ANYTHING,
  DANGERS,
  DEVIATIONS,
  type Deviation,
  type Dialect,
  encodeUtf8,
  LETTER,
  type Parsed,
  POSTEL,
  STRICT,
} from '../src/index.ts';

type Reader = (text: string, dialect: Dialect) => Parsed<unknown>;

const command: Reader = (line, dialect) => grammar.parseCommand(encodeUtf8(line), { ...LETTER, ...dialect });
const mailbox: Reader = (text, dialect) => grammar.parseMailbox(encodeUtf8(text), dialect);
const path: Reader = (text, dialect) => grammar.parsePath(encodeUtf8(text), grammar.FORWARD_PATH, dialect);
const ehlo: Reader = (text, dialect) => grammar.parseEhlo(encodeUtf8(text), dialect);
const long = (letter: string, count: number): string => letter.repeat(count);

/** Words that show each deviation; `bare-lf-line` is about the end of a line, which is the engine's to find. */
const WORDS: Readonly<Record<Exclude<Deviation, 'bare-lf-line'>, readonly (readonly [Reader, string])[]>> = {
  'trailing-white-space': [
    [command, 'DATA '],
    [command, 'QUIT\t '],
    [command, 'MAIL FROM:<a@b> '],
  ],
  'free-text-argument': [
    [command, 'NOOP one two'],
    [command, 'VRFY joe@example.org'],
    [command, 'EXPN é@b SMTPUTF8'],
  ],
  'text-after-hello': [
    [command, 'EHLO a.b joe'],
    [command, 'HELO a.b joe'],
  ],
  'literal-in-helo': [[command, 'HELO [127.0.0.1]']],
  'free-form-hello': [
    [command, 'EHLO !'],
    [command, 'HELO -a'],
  ],
  'extra-space': [
    [command, 'MAIL  FROM:<a@b>'],
    [command, 'EHLO  a'],
    [command, 'BDAT 1  LAST'],
    [command, 'MAIL FROM:<a@b>  SIZE=100'],
    [command, 'RCPT TO:<a@b>  NOTIFY=NEVER   ORCPT=rfc822;a@b'],
    [command, 'MAIL   FROM:<>  SIZE=100 BODY=7BIT  RET=FULL'],
  ],
  'space-before-colon': [
    [command, 'MAIL FROM :<a@b>'],
    [command, 'RCPT TO  :<a@b>'],
  ],
  'space-after-colon': [
    [command, 'MAIL FROM: <a@b>'],
    [command, 'RCPT TO:  <a@b>'],
  ],
  'lower-case-hexchar': [
    [command, 'MAIL FROM:<a@b> ENVID=a+2b'],
    [command, 'RCPT TO:<a@b> ORCPT=rfc822;a+2Bb+2bc'],
    [command, 'XCLIENT NAME=a+2fb ADDR=+2f'],
    [command, 'XFORWARD NAME=+5b'],
  ],
  'utf8-in-xtext': [
    [command, 'RCPT TO:<a@b> ORCPT=rfc822;+C3+A9@b'],
    [command, 'RCPT TO:<a@b> ORCPT=RFC822;+E2+82+AC+2B@b'],
  ],
  'hold-until-offset': [
    [command, 'MAIL FROM:<a@b> HOLDUNTIL=2030-01-01T00:00:00+01:00'],
    [command, 'MAIL FROM:<a@b> HOLDUNTIL=2030-01-01T00:00:00.5-23:59'],
  ],
  'missing-angle-brackets': [
    [command, 'MAIL FROM:a@b'],
    [command, 'RCPT TO:a@b NOTIFY=NEVER'],
    [path, 'a@b'],
  ],
  'misplaced-dot-local': [
    [mailbox, 'a.@b'],
    [mailbox, '.a@b'],
    [mailbox, 'a..b@c'],
    [mailbox, 'é.@b.é'],
    [path, '<.@[1.2.3.4]>'],
  ],
  'underscore-domain': [
    [mailbox, 'a@b_c'],
    [mailbox, 'a@_dmarc.b'],
    [mailbox, 'é@b_ü'],
    [command, 'EHLO a_b'],
  ],
  'trailing-dot-domain': [
    [mailbox, 'a@b.'],
    [mailbox, 'a@é.'],
    [command, 'EHLO a.'],
  ],
  'long-local-part': [
    [mailbox, `${long('a', 65)}@b`],
    [mailbox, `"${long('a', 63)}"@b`],
  ],
  'long-domain': [
    [mailbox, `a@${long('b', 256)}`],
    [command, `EHLO ${long('b', 256)}`],
  ],
  'long-path': [[path, `<@${long('b', 250)}:abc@d>`]],
  'unregistered-literal-tag': [
    [mailbox, 'a@[X-y:z]'],
    [path, '<a@[IPv5:1]>'],
  ],
  'odd-ehlo-name': [
    [ehlo, '250 [127.0.0.1]\r\n'],
    [ehlo, '250 a_b\r\n'],
    [ehlo, '250-mx! hello\r\n250 SIZE\r\n'],
  ],
  'odd-ehlo-line': [
    [ehlo, '250-a\r\n250-SIZE=10\r\n250 SIZE 1\r\n'],
    [ehlo, '250-a\r\n250 \r\n'],
    [ehlo, '250-a\r\n250 \t\r\n'],
  ],
  'odd-ehlo-space': [
    [ehlo, '250-a\r\n250 SIZE  1\r\n'],
    [ehlo, '250-a\r\n250-STARTTLS \r\n250 SIZE 1\r\n'],
    [ehlo, '250-a\r\n250-SIZE\t1\t\r\n250  HELP\r\n'],
  ],
  'auth-equals': [
    [ehlo, '250-a\r\n250-AUTH=LOGIN PLAIN\r\n250 SIZE 1\r\n'],
    [ehlo, '250-a\r\n250 auth=\r\n'],
  ],
};

const CASES = Object.entries(WORDS).flatMap(([name, words]) =>
  words.map(([reader, word]) => [name as Deviation, word.slice(0, 60), reader, word] as const),
);

describe.each(CASES)('%s: %s', (name, _, reader, word) => {
  const taking = (tolerate: Iterable<Deviation>): Dialect => ({ tolerate: new Set(tolerate), utf8: true });

  test('the letter refuses it, by its name', () => {
    const refused = reader(word, taking([]));
    expect(refused.ok).toBe(false);
    if (!refused.ok && refused.code === 'deviation') expect(refused.message).toContain(`(${name})`);
  });

  test('whoever takes it is told of it, and it alone need be taken', () => {
    const taken = reader(word, taking([name]));
    expect(taken).toMatchObject({ ok: true, deviations: [name] });
  });

  test('whoever takes all but it refuses it', () => {
    expect(reader(word, taking([...ANYTHING].filter((other) => other !== name))).ok).toBe(false);
  });
});

test('each deviation has its words, its danger, and a place: STRICT within POSTEL within ANYTHING', () => {
  const names = Object.keys(DEVIATIONS).sort();
  expect([...Object.keys(WORDS), 'bare-lf-line'].sort()).toEqual(names);
  expect(Object.keys(DANGERS).sort()).toEqual(names);
  expect([...ANYTHING].sort()).toEqual(names);
  expect([...STRICT].every((name) => POSTEL.has(name))).toBe(true);
  for (const name of names as Deviation[]) expect(`${DEVIATIONS[name].what} ${DANGERS[name]}`.length).toBeGreaterThan(30);
});

test.each([
  ['a hexchar of RFC 4954, which takes small letters', 'MAIL FROM:<a@b> AUTH=a+2bb@c'],
  ['an offset of nothing is UTC', 'MAIL FROM:<a@b> HOLDUNTIL=2030-01-01T00:00:00+00:00'],
  ['UTF-8 where it belongs', 'RCPT TO:<a@b> ORCPT=utf-8;\\x{E9}@b'],
])('the letter takes %s', (_, line) => {
  expect(command(line, LETTER)).toMatchObject({ ok: true, deviations: [] });
});

test('deviations of parameters are told together, each once', () => {
  const line = 'RCPT  TO:<a@b>  ORCPT=rfc822;+c3+a9+2b';
  const taken = command(line, { ...LETTER, tolerate: ANYTHING });
  expect(taken).toMatchObject({ ok: true, deviations: ['extra-space', 'utf8-in-xtext', 'lower-case-hexchar'] });
});

test('no deviation is so wide that octets which are no UTF-8 pass', () => {
  const broken = [[0xff], [0xc3], [0xf7, 0xbf, 0xbf, 0xbf], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xe9, 0x2e], [0xf4, 0x90, 0x80, 0x80]];
  const around = (text: string, octets: readonly number[]): Uint8Array => {
    const [before = '', after = ''] = text.split('*');
    return Uint8Array.of(...encodeUtf8(before), ...octets, ...encodeUtf8(after));
  };
  for (const octets of broken) {
    for (const text of ['.*@b', 'a.*@b', '*.@b', 'a@*', 'a@_*', 'a@b.*.', '"*"@b']) {
      for (const utf8 of [true, false]) expect(grammar.parseMailbox(around(text, octets), { tolerate: ANYTHING, utf8 }).ok).toBe(false);
    }
    for (const line of [
      'MAIL FROM:*@b SMTPUTF8',
      'MAIL FROM:<.*@b> SMTPUTF8',
      'RCPT TO:<a@b_*>',
      'VRFY * x',
      'EXPN * SMTPUTF8',
      'MAIL FROM:<> X=*',
      'EHLO *',
    ]) {
      expect(grammar.parseCommand(around(line, octets), { ...LETTER, tolerate: ANYTHING }).ok).toBe(false);
    }
  }
});

/** Names that every object has: as names on the wire they mean nothing. */
const INHERITED = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__proto__'] as const;

describe.each(INHERITED)('%s is no more than a name', (name) => {
  const plain = name.startsWith('_') ? 'proto' : name;

  test('of a parameter', () => {
    // "_" is in no keyword (RFC 5321 4.1.2).
    const code = name === '__proto__' ? 'syntax' : 'unknown-parameter';
    for (const verb of ['MAIL FROM:<a@b>', 'RCPT TO:<a@b>']) {
      for (const value of ['', '=1']) expect(command(`${verb} ${name}${value}`, LETTER)).toMatchObject({ ok: false, code });
    }
  });

  test('of an attribute', () => {
    for (const verb of ['XCLIENT', 'XFORWARD'] as const) {
      const parsed = grammar.parseCommand(encodeUtf8(`${verb} ${name}=a NAME=b`), LETTER);
      expect(parsed.ok && parsed.value.verb === verb && [...parsed.value.attributes]).toEqual([
        [name.toUpperCase(), 'a'],
        ['NAME', 'b'],
      ]);
    }
  });

  test('of a keyword in the answer to EHLO', () => {
    const parsed = grammar.parseEhlo(encodeUtf8(`250-a\r\n250 ${plain} 1\r\n`));
    expect(parsed.ok && parsed.value.lines).toEqual([{ keyword: plain.toUpperCase(), parameters: ['1'] }]);
  });

  test('of a verb, a value or a mechanism', () => {
    expect(command(name, LETTER)).toMatchObject({ ok: false, code: 'unknown-verb' });
    for (const { codec } of grammar.PARAMETERS) expect([undefined, name]).toContain(codec.parse(encodeUtf8(name), []));
    expect(Object.getPrototypeOf({}) as unknown).toBe(Object.prototype);
  });
});
