import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/ehlo.js', import.meta.url));
const schema = JSON.parse(readFileSync(new URL('../../../docs/parse.schema.json', import.meta.url), 'utf8')) as object;
const validate = new Ajv2020({ strict: false }).compile(schema);

function parse(args: readonly string[], input: string | Buffer = '') {
  const { stdout, stderr, status } = spawnSync(process.execPath, [BIN, 'parse', ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { stdout, stderr, status };
}

/** Each line is what the schema says. */
function objects(stdout: string): { readonly [name: string]: unknown }[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const object = JSON.parse(line) as { readonly [name: string]: unknown };
      expect(validate(object), JSON.stringify([validate.errors, object])).toBe(true);
      return object;
    });
}

test('shows the tree of a command', () => {
  expect(parse(['MAIL FROM:<"a b"@c.example> SIZE=1'])).toEqual({
    status: 0,
    stderr: '',
    stdout: [
      'command: MAIL FROM:<"a b"@c.example> SIZE=1',
      '  verb "MAIL"',
      '  reversePath',
      '    localPart "a b"',
      '    domain "c.example"',
      '    address "\\"a b\\"@c.example"',
      '    route []',
      '  parameters',
      '    size 1',
      'canonical: MAIL FROM:<"a b"@c.example> SIZE=1',
      '',
    ].join('\n'),
  });
});

test('a parameter that nothing here knows is wrong, or kept where that is wanted', () => {
  const line = 'RCPT TO:<joe@example.org> NOTIFY=NEVER XRULE=7';
  expect(parse([line, '--json']).status).toBe(1);
  const { stdout, status } = parse([line, '--json', '--keep-unknown']);
  expect(status).toBe(0);
  expect(objects(stdout)).toMatchObject([
    {
      value: { parameters: { notify: 'NEVER', unknown: [{ keyword: 'XRULE', value: Buffer.from('7').toString('base64') }] } },
      canonical: line,
    },
  ]);
});

test('points at the octet that can not continue, with the rule and its section', () => {
  expect(parse(['RCPT TO:<joe@example-.com>'])).toEqual({
    status: 1,
    stderr: '',
    stdout: [
      'command: not a valid recipient address',
      '  RCPT TO:<joe@example-.com>',
      '                       ^ octet 22',
      'rule Forward-path, RFC 5321 4.1.1.3',
      '',
    ].join('\n'),
  });
});

test('a deviation is refused by its name, or taken and reported', () => {
  expect(parse(['MAIL FROM: <a@b>']).stdout).toContain('space-after-colon');
  const [taken] = objects(parse(['--dialect', 'postel', '--json', 'MAIL FROM: <a@b>']).stdout);
  expect(taken).toMatchObject({ ok: true, canonical: 'MAIL FROM:<a@b>', deviations: ['space-after-colon'] });
});

test.each([
  ['EHLO [IPv6:::1]', 'command'],
  ['AUTH PLAIN AGEAYg==', 'command'],
  ['BDAT 10 LAST', 'command'],
  ['ETRN @example.org', 'command'],
  ['XCLIENT NAME=spike.example ADDR=192.0.2.1 __proto__=x', 'command'],
  ['MAIL FROM:<> RET=HDRS ENVID=a+2Bb BY=120;NT MT-PRIORITY=-3 REQUIRETLS HOLDFOR=60 AUTH=<> BODY=BINARYMIME SMTPUTF8', 'command'],
  ['RCPT TO:<a@b> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40b RRVS=2014-04-03T23:01:00Z;R', 'command'],
  ['a@b.example', 'mailbox'],
  ['<a@b.example>', 'path'],
  ['<>', 'path'],
  ['<Postmaster>', 'forward-path'],
  ['[192.0.2.1]', 'host'],
  ['[X-new:abc]', 'host'],
  ['550 5.1.1 no', 'reply'],
  ['5.7.1', 'enhanced'],
  ['Received: from a ([192.0.2.1]) by b with ESMTP id x for <c@d>; 1 Jan 2026 00:00:00 +0100', 'received'],
  ['Return-Path: <>', 'return-path'],
  ['PROXY TCP6 ::1 ::2 1 25', 'proxy'],
  ['PROXY UNKNOWN', 'proxy'],
])('%s is taken for a %s', (text, kind) => {
  const { stdout, status } = parse(['--json', text]);
  expect(objects(stdout)).toMatchObject([{ ok: true, kind }]);
  expect(status).toBe(0);
});

test.each([
  ['command', ['NOOP', 'NOOP \x01', 'MAIL FROM:<a@b> X=1'], [true, false, false]],
  ['mailbox', ['a@b', 'a b@c', '"a b"@c'], [true, false, true]],
  ['path', ['<a@b>', 'a@b'], [true, false]],
  ['domain', ['a.example', 'a_b', '-a'], [true, false, false]],
  ['enhanced', ['2.0.0', '2.00.0'], [true, false]],
  ['reply', ['250 ok', '250', '150 no'], [true, true, false]],
] as const)('--as %s reads one a line and answers each, in order', (kind, lines, ok) => {
  const { stdout, status } = parse(['--as', kind], `${lines.join('\n')}\n`);
  expect(objects(stdout).map((object) => object.ok)).toEqual(ok);
  expect(status).toBe(1 - Number(ok.every(Boolean)));
});

test('--escaped gives the octets of texts of several lines', () => {
  const input = `${String.raw`250-mx.example hi\r\n250-SIZE 10\r\n250 8BITMIME\r\n`}\n${String.raw`250-mx.example\r\n250 AUTH=LOGIN\r\n`}\n`;
  const [first, second] = objects(parse(['--as', 'ehlo', '--escaped', '--dialect', 'postel'], input).stdout);
  expect(first).toMatchObject({
    ok: true,
    value: { name: 'mx.example', lines: [{ keyword: 'SIZE', parameters: ['10'] }, { keyword: '8BITMIME' }] },
  });
  expect(second).toMatchObject({ ok: true, value: { lines: [{ keyword: 'AUTH', parameters: ['LOGIN'] }] }, deviations: ['auth-equals'] });
});

test('a PROXY header of version 2 from standard input, whatever its octets', () => {
  const header = Buffer.from([...Buffer.from('\r\n\r\n\0\r\nQUIT\n'), 0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0x10, 0xe1, 0, 25]);
  const [object] = objects(parse(['--json'], header).stdout);
  expect(object).toMatchObject({
    ok: true,
    kind: 'proxy',
    value: { length: 28, header: { source: { address: '192.0.2.1', port: 4321 } } },
  });
});

test.each([
  ['a byte order mark', '\u{feff}a@b.example\n', ['a@b.example']],
  ['empty lines', '\n\r\na@b.example\n\n\nb@c.example\r\n\r\n', ['a@b.example', 'b@c.example']],
  ['both', '\u{feff}\r\na@b.example', ['a@b.example']],
  ['nothing else', '\u{feff}\n\n', []],
])('lines with %s: what is no text is no item', (_, input, addresses) => {
  const { stdout, status } = parse(['--as', 'mailbox'], input);
  expect([status, objects(stdout).map(({ canonical }) => canonical)]).toEqual([0, addresses]);
});

test('a byte order mark before one text; elsewhere it is a character like any other', () => {
  expect(parse(['--json'], '\u{feff}a@b.example\n')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('"canonical":"a@b.example"'),
  });
  const { stdout } = parse(['--as', 'mailbox'], 'a@b.example\n\u{feff}a@b.example\n');
  expect(objects(stdout).map(({ canonical }) => canonical)).toEqual(['a@b.example', '\u{feff}a@b.example']);
});

test('a hundred thousand lines are read as they come', () => {
  const { stdout, status } = spawnSync(process.execPath, [BIN, 'parse', '--as', 'mailbox'], {
    input: 'joe@example.org\n'.repeat(100_000),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(stdout.split('\n')).toHaveLength(100_001);
  expect(status).toBe(0);
});

test('a wrong option is one clear line and exit code 2', () => {
  const { stderr, status } = parse(['--as', 'poem', 'x']);
  expect(stderr).toMatch(/^ehlo: option '--as <kind>' argument 'poem' is invalid\. Allowed choices are .*\n$/);
  expect(status).toBe(2);
});
