import { describe, expect, test } from 'vitest';
import * as grammar from '../src/index.ts';
import { ANYTHING, DIALECT, encodeUtf8, formatCommand, LETTER, octets, POSTEL, parseCommand, STRICT } from '../src/index.ts';
import { parseReturnPath } from '../src/trace.ts';

const parse = (line: string, tolerate = STRICT) => parseCommand(octets(line), { ...DIALECT, tolerate, utf8: false });

test.each([
  ['MAIL FROM:<>', ''],
  ['mail from:<a@b.example> BODY=8bitmime SIZE=12', 'a@b.example'],
  ['MAIL FROM:<"a@b"@c>', '"a@b"@c'],
  ['MAIL FROM:<"abc"@c>', 'abc@c'],
  ['MAIL FROM:<@x,@y:a@[IPv6:::1]>', 'a@[IPv6:::1]'],
])('%s', (line, address) => {
  const parsed = parse(line);
  expect(parsed.ok && parsed.value.verb === 'MAIL' && parsed.value.reversePath.address).toBe(address);
});

test.each([
  ['MAIL FROM: <a@b>', 'space-after-colon', POSTEL],
  ['MAIL FROM :<a@b>', 'space-before-colon', ANYTHING],
  ['MAIL FROM:a@b', 'missing-angle-brackets', ANYTHING],
  ['MAIL FROM:a@b SIZE=1', 'missing-angle-brackets', ANYTHING],
  ['MAIL FROM:<a.@b>', 'misplaced-dot-local', POSTEL],
  ['MAIL FROM:<a@b_c>', 'underscore-domain', POSTEL],
  ['MAIL FROM:<a@b.>', 'trailing-dot-domain', POSTEL],
  ['MAIL FROM:<a@[X-y:z]>', 'unregistered-literal-tag', ANYTHING],
  [`MAIL FROM:<${'a'.repeat(65)}@b>`, 'long-local-part', POSTEL],
  [`MAIL FROM:<a@${'b'.repeat(256)}>`, 'long-domain', ANYTHING],
  [`MAIL FROM:<@${'b'.repeat(250)}:abc@d>`, 'long-path', ANYTHING],
  ['MAIL  FROM:<a@b>', 'extra-space', POSTEL],
  ['DATA ', 'trailing-white-space', STRICT],
  ['HELO [127.0.0.1]', 'literal-in-helo', POSTEL],
  ['EHLO a_b', 'underscore-domain', POSTEL],
  ['EHLO a.', 'trailing-dot-domain', POSTEL],
  ['EHLO my_computer at home', 'text-after-hello', POSTEL],
  ['EHLO my computer!', 'text-after-hello', POSTEL],
  ['EHLO !', 'free-form-hello', POSTEL],
  ['EHLO [127.0.0.1] joe', 'text-after-hello', STRICT],
  ['NOOP one two', 'free-text-argument', STRICT],
  ['VRFY joe@example.org', 'free-text-argument', STRICT],
] as const)('%s is reported as %s, and refused by the letter', (line, deviation, tolerate) => {
  const parsed = parse(line, tolerate);
  expect(parsed).toMatchObject({ ok: true });
  expect(parsed.ok && parsed.deviations).toContain(deviation);
  expect(parseCommand(octets(line), LETTER).ok).toBe(false);
});

test.each([
  ['MAIL FROM:<a@b> FOO=1', 'unknown-parameter', 16],
  ['MAIL FROM:<a@b> __proto__', 'syntax', 16],
  ['MAIL FROM:<a@b> constructor=1', 'unknown-parameter', 16],
  ['RCPT TO:<a@b> SIZE=1', 'misplaced-parameter', 14],
  ['MAIL FROM:<a@b> NOTIFY=NEVER', 'misplaced-parameter', 16],
  ['MAIL FROM:<a@b> SIZE=1 SIZE=2', 'duplicate-parameter', 23],
  ['MAIL FROM:<a@b> SIZE=x', 'parameter-value', 21],
  ['MAIL FROM:<a@b> SIZE', 'parameter-value', 20],
  ['MAIL FROM:<a@b> AUTH=a+0D+0A@b', 'parameter-value', 21],
  ['MAILFROM:<a@b>', 'unknown-verb', 0],
  ['STARTTLSx', 'unknown-verb', 0],
  ['QUIT now', 'unexpected-argument', 4],
  ['MAIL FROM:<a\rb@c>', 'syntax', 12],
  ['RCPT TO:<>', 'syntax', 9],
  ['EHLO', 'syntax', 4],
  ['AUTH PLAIN =AAA', 'base64', 11],
  ['VRFY a\u00e9', 'syntax', 6],
] as const)('%s fails with %s at %d', (line, code, offset) => {
  expect(parse(line)).toMatchObject({ ok: false, code, offset });
});

test('offsets count from the start of the line', () => {
  const bytes = octets('xxxxRCPT TO:<a@>yyyy');
  expect(parseCommand(bytes, LETTER, 4, 16)).toMatchObject({ ok: false, offset: 11 });
});

test('a declared size beyond every number still is a number', () => {
  const parsed = parse('MAIL FROM:<> SIZE=99999999999999999999');
  expect(parsed.ok && parsed.value.verb === 'MAIL' && parsed.value.parameters.size).toBe(Number.MAX_SAFE_INTEGER);
});

// UTF-8 in xtext is no printable ASCII (RFC 3461 4.2), but it is met; RFC 6533 3 has a type for it.
test.each([
  ['rfc822;+E7+94+A8@+C3+BC.example', { type: 'utf-8', address: '用@ü.example' }],
  ['rfc822;a+2Bb@c', { type: 'rfc822', address: 'a+b@c' }],
  ['rfc822;+C3@c', null],
  ['rfc822;+C3+BC+0D@c', null],
  ['rfc822;%41+C3+BC@c', { type: 'utf-8', address: '%41ü@c' }],
  ['x400;+C3+BC@c', null],
] as const)('ORCPT=%s', (value, orcpt) => {
  const parsed = parse(`RCPT TO:<a@b> ORCPT=${value}`, POSTEL);
  expect(parsed.ok && parsed.value.verb === 'RCPT' ? parsed.value.parameters.orcpt : null).toEqual(orcpt);
});

test('what is read can be a text as well as octets', () => {
  const { parsePath, REVERSE_PATH } = grammar;
  const both = (text: string): [unknown, unknown][] => [
    [grammar.parseMailbox(text), grammar.parseMailbox(encodeUtf8(text))],
    [parsePath(`<${text}>`, REVERSE_PATH), parsePath(encodeUtf8(`<${text}>`), REVERSE_PATH)],
    [grammar.parseVerb(text), grammar.parseVerb(encodeUtf8(text))],
    [grammar.parseCommand(`RCPT TO:<${text}>`, LETTER), grammar.parseCommand(encodeUtf8(`RCPT TO:<${text}>`), LETTER)],
    [grammar.parseReply(`250 ${text}\r\n`), grammar.parseReply(encodeUtf8(`250 ${text}\r\n`))],
    [grammar.parseEhlo(`250 ${text}\r\n`), grammar.parseEhlo(encodeUtf8(`250 ${text}\r\n`))],
    [grammar.parseGreeting(`220 ${text}\r\n`), grammar.parseGreeting(encodeUtf8(`220 ${text}\r\n`))],
    [parseReturnPath(`Return-Path: <${text}>\r\n`), parseReturnPath(encodeUtf8(`Return-Path: <${text}>\r\n`))],
  ];
  for (const text of ['joe@example.org', '\u7528\u6237@example.org', 'QUIT', 'mx.example', 'a b', '']) {
    for (const [read, expected] of both(text)) expect(read).toEqual(expected);
  }
  expect(grammar.parseMailbox('\u7528\u6237@example.org')).toMatchObject({ ok: true, value: { localPart: '\u7528\u6237' } });
});

describe('parameters that are not in force', () => {
  const keeping = { ...LETTER, keepUnknown: true };

  test('are refused, unless they are kept', () => {
    expect(parseCommand('MAIL FROM:<> XRULE=7', LETTER)).toMatchObject({ ok: false, code: 'unknown-parameter', offset: 13 });
  });

  test('are kept as they came: the keyword, and the octets of the value', () => {
    expect(parseCommand('MAIL FROM:<> xRule=a+2b SIZE=10 X-FLAG XRULE=\u00e9', keeping)).toEqual({
      ok: true,
      value: {
        verb: 'MAIL',
        reversePath: grammar.NULL_PATH,
        parameters: {
          size: 10,
          unknown: [
            { keyword: 'XRULE', value: octets('a+2b') },
            { keyword: 'X-FLAG', value: octets('') },
            { keyword: 'XRULE', value: encodeUtf8('\u00e9') },
          ],
        },
      },
      deviations: [],
    });
  });

  test('are not there where all are known', () => {
    const parsed = parseCommand('RCPT TO:<a@b> NOTIFY=NEVER', keeping);
    expect(parsed.ok && parsed.value.verb === 'RCPT' && parsed.value.parameters).toEqual({ notify: 'NEVER' });
  });

  test('are written again as they came', () => {
    const line = 'RCPT TO:<a@b> NOTIFY=NEVER X-A=1 X-B X-A=\u00e9';
    const parsed = parseCommand(line, keeping);
    expect(parsed.ok && formatCommand(parsed.value)).toEqual(encodeUtf8(line));
  });

  test.each([
    ['MAIL FROM:<> X=', 'syntax'],
    ['MAIL FROM:<> X=a=b', 'syntax'],
    ['MAIL FROM:<> -X=a', 'syntax'],
    ['MAIL FROM:<> NOTIFY=NEVER X=a', 'misplaced-parameter'],
    ['MAIL FROM:<> SIZE=a X=a', 'parameter-value'],
  ])('%s is none that could be kept', (line, code) => {
    expect(parseCommand(line, keeping)).toMatchObject({ ok: false, code });
  });

  test('are the caller\u2019s: no view of what was read', () => {
    const line = encodeUtf8('MAIL FROM:<> X=abc');
    const parsed = parseCommand(line, keeping);
    line.fill(0);
    expect(parsed.ok && parsed.value.verb === 'MAIL' && parsed.value.parameters.unknown).toEqual([{ keyword: 'X', value: octets('abc') }]);
  });
});

test.each([
  ['2030-01-01T00:30:60+01:00', '2029-12-31T23:30:60Z'],
  ['2030-12-31T23:59:00.25-00:01', '2031-01-01T00:00:00.25Z'],
  ['2030-01-01T00:00:00-00:00', '2030-01-01T00:00:00Z'],
  ['2030-01-01T00:00:00Z', '2030-01-01T00:00:00Z'],
])('HOLDUNTIL %s is written in UTC (RFC 4865 3)', (holdUntil, written) => {
  expect(grammar.formatParameters('MAIL', { holdUntil })).toBe(` HOLDUNTIL=${written}`);
});
