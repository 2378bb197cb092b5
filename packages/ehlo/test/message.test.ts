import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { formatTlsReport } from '@ehlo/message/report';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect } from 'vitest';
import { jsonLine } from '../src/json-line.ts';
import { visible } from '../src/message-text.ts';
import { timeText } from '../src/message-trace.ts';
import { MOST_HEADER_OCTETS, MOST_PARTS, readMessage, type ShownMessage } from '../src/read-message.ts';
import { test } from './cli.ts';

const BIN = fileURLToPath(new URL('../bin/ehlo.js', import.meta.url));
const schema = JSON.parse(readFileSync(new URL('../../../docs/message.schema.json', import.meta.url), 'utf8')) as object;
const validate = new Ajv2020({ strict: false, allowUnionTypes: true }).compile(schema);

function run(args: readonly string[], input: string | Uint8Array = '', env: NodeJS.ProcessEnv = {}) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [BIN, 'message', ...args], {
    input,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
    maxBuffer: 256 * 1024 * 1024,
  });
  return { stdout, stderr, status };
}

/** What `--json` says of a message, held against the schema. */
async function shown(input: string | Uint8Array): Promise<ShownMessage> {
  const octets = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  const object = JSON.parse(jsonLine(await readMessage(pieces(octets, 65_536)))) as ShownMessage;
  expect(validate(object), JSON.stringify(validate.errors)).toBe(true);
  return object;
}

const crlf = (...lines: readonly string[]): string => lines.map((line) => `${line}\r\n`).join('');

const LETTER = crlf(
  'Return-Path: <ann@example.org>',
  'Received: from mx1.example.net (mx1.example.net [192.0.2.5])',
  ' by mx2.example.net with ESMTPS id A2 for <joe@example.net>; Mon, 16 Nov 2026 09:15:12 +0100',
  'Received: from mail.example.org (mail.example.org [192.0.2.7])',
  ' by mx1.example.net with ESMTPS id A1; Mon, 16 Nov 2026 08:15:02 +0000',
  'Received: from laptop by mail.example.org with ESMTPSA; Mon, 16 Nov 2026 09:15:05 +0100',
  'Date: Mon, 16 Nov 2026 09:14 +0100',
  'From: ann@example.org <ann@example.org>',
  'To: "Joe Q. Public" <joe@example.net>',
  'Subject: =?utf-8?q?caf=C3=A9?=',
  '',
  'hi',
);

test('a message for people: envelope, the way with its delays, each field with its standard, and the content', () => {
  const { stdout, stderr, status } = run([], LETTER);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  // As the README shows it.
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(`${/^\$ ehlo message [^\n]*\n(.*?)^```/ms.exec(readme)?.[1]}`).toBe(stdout);
  expect(stdout.split('\n').slice(0, 9)).toEqual([
    'message: 567 octets',
    'envelope that the header asks for (RFC 5321 Appendix B)',
    '  from ann@example.org (Return-Path)',
    '  to   joe@example.net',
    'trace: 3 hops in 7 s, first to last (RFC 5321 4.4)',
    '  start                          laptop -> mail.example.org with ESMTPSA, 2026-11-16T08:15:05.000Z',
    '   -3 s <<<<<<<                  mail.example.org (mail.example.org [192.0.2.7]) -> mx1.example.net with ESMTPS, 2026-11-16T08:15:02.000Z',
    '  +10 s ######################## mx1.example.net (mx1.example.net [192.0.2.5]) -> mx2.example.net with ESMTPS, 2026-11-16T08:15:12.000Z',
    'header',
  ]);
  expect(stdout).toContain('  Subject: =?utf-8?q?caf=C3=A9?=\n    RFC 5322 3.6.5: what it is about; one at the most\n    says café\n');
  expect(stdout).toMatch(/content\n {2}text\/plain 4 octets\n$/);
});

test('--json is an object on one line', () => {
  const { stdout, status } = run(['--json'], LETTER);
  expect(stdout.split('\n')).toHaveLength(2);
  expect([validate(JSON.parse(stdout)), status]).toEqual([true, 0]);
});

test('the same from a file, and where lines end with LF alone, which is told once', ({ folder }) => {
  const file = join(folder, 'a.eml');
  writeFileSync(file, LETTER);
  expect(run([file])).toEqual(run([], LETTER));
  const { stdout, status } = run([], LETTER.replaceAll('\r\n', '\n'));
  expect(status).toBe(0);
  expect(stdout).toContain('  from ann@example.org (Return-Path)\n  to   joe@example.net\n');
  expect(stdout.match(/deviation bare-lf: /g)).toHaveLength(1);
});

describe('what each field says, or why it says nothing', () => {
  test('a field that can not be read is told with the rule and its section, and is exit code 1', async () => {
    const message = crlf('Date: 32 Nov 2026 09:14 +0100', 'From: ann@example.org', 'To: "x', '', '');
    const { content, valid } = await shown(message);
    expect(valid).toBe(false);
    expect(content.fields.map(({ name, failure }) => [name, failure?.section ?? null])).toEqual([
      ['Date', 'RFC 5322 3.3'],
      ['From', null],
      ['To', 'RFC 5322 3.4'],
    ]);
    const { stdout, status } = run([], message);
    expect(status).toBe(1);
    expect(stdout).toContain("it can't be read: no valid date, octet 2 of the value (date-time, RFC 5322 3.3)");
  });

  test('deviations have their words and their danger; they are no fault', async () => {
    const { content, valid } = await shown(
      crlf('Date: 1 Jan 26 00:00 GMT', 'From: a@b.example <a@b.example>', 'Message-ID : <x@y>', '', ''),
    );
    expect(valid).toBe(true);
    expect(content.fields.map(({ deviations }) => deviations.map(({ name }) => name))).toEqual([
      ['old-year', 'old-zone'],
      ['odd-phrase'],
      ['space-before-colon'],
    ]);
    expect(content.fields[1]?.deviations[0]?.danger).toBe('Some programs take a part of it for the address.');
  });

  test('what RFC 5322 3.6 has once, and what it has to have', async () => {
    const { content, valid } = await shown(crlf('From: a@b.example, c@d.example', 'Subject: 1', 'Subject: 2', '', ''));
    expect(valid).toBe(false);
    expect(content.problems.map(({ code, field }) => [code, field])).toEqual([
      ['missing-field', 'Date'],
      ['repeated-field', 'Subject'],
      ['missing-field', 'Sender'],
    ]);
  });

  test.for([
    ['Sender: a@b.example, c@d.example', 'RFC 5322 3.4'],
    ['Message-ID: <1@a.example> <2@a.example>', 'RFC 5322 3.6.4'],
    ['List-Id: nothing', 'RFC 2919 2'],
    ['Delivered-To: nobody', 'RFC 5321 4.1.2'],
    ['Return-Path: x', 'RFC 5321 4.1.2'],
  ] as const)('%s can not be read', async ([line, section]) => {
    const field = (await shown(crlf(line, '', ''))).content.fields[0]!;
    expect([field.parsed, field.failure?.section]).toEqual([null, section]);
  });

  test.for([
    ['Authentication-Results: mx.example; spf=pass smtp.mailfrom=a.example', { authservId: 'mx.example', version: 1 }],
    ['List-Unsubscribe: <https://a.example/u>, <mailto:u@a.example>', ['https://a.example/u', 'mailto:u@a.example']],
    ['References: <1@a.example> <2@a.example>', ['1@a.example', '2@a.example']],
    [
      'DKIM-Signature: v=1; d=a.example; s=k; l=3; h=From:From; b=x',
      { domain: 'a.example', selector: 'k', fields: [{ name: 'from', times: 2 }], bodyLength: 3 },
    ],
    ['Resent-Date: Thu, 1 Jan 1970 01:00:00 +0100', { date: '1970-01-01T00:00:00.000Z', offset: 60, leap: false }],
    ['Delivered-To: Joe@Example.org', 'Joe@Example.org'],
    ['Auto-Submitted: auto-replied', { keyword: 'auto-replied', parameters: [] }],
    ['Bcc:', []],
    ['X-Other: =?utf-8?q?=E2=82=AC?=', '€'],
  ] as const)('%s', async ([line, parsed]) => {
    const field = (await shown(crlf(line, '', ''))).content.fields[0]!;
    expect(field.failure).toBe(null);
    expect(field.parsed).toEqual(typeof parsed === 'object' && !Array.isArray(parsed) ? expect.objectContaining(parsed) : parsed);
  });
});

test('delays: none without a date, and none behind one; a loop is told', async () => {
  const { trace } = await shown(
    crlf('Received: by c; Thu, 1 Jan 1970 00:01:00 +0000', 'Received: by b', 'Received: by a; Thu, 1 Jan 1970 00:00:00 +0000', '', ''),
  );
  expect(trace.hops.map(({ by, delay }) => [by, delay])).toEqual([
    ['a', null],
    ['b', null],
    ['c', null],
  ]);
  expect(trace.duration).toBe(60_000);
  expect((await shown(`${'Received: by a; Thu, 1 Jan 1970 00:00:00 +0000\r\n'.repeat(101)}\r\n`)).trace.loop).toBe(true);
});

test('times for people', () => {
  const times = [0, 350, 1000, 61_000, 3_600_000, 90_061_000, -3000];
  expect(times.map(timeText)).toEqual(['0 s', '350 ms', '1 s', '1 min 1 s', '1 h', '1 d 1 h', '-3 s']);
});

describe('parts', () => {
  const NESTED = crlf(
    'Date: Thu, 1 Jan 1970 00:00:00 +0000',
    'From: a@b.example',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=o',
    '',
    '--o',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'hi',
    '--o',
    'Content-Type: application/pdf',
    'Content-Disposition: attachment; filename=my report.pdf',
    'Content-Transfer-Encoding: base64',
    '',
    'AAAA',
    '--o',
    'Content-Type: message/rfc822',
    '',
    'Subject: inner',
    '',
    'x',
    '--o--',
  );

  test('are a tree, messages within it too', async () => {
    const { content } = await shown(NESTED);
    expect(content.parts.map(({ type, encoding, octets, filename }) => [type, encoding, octets, filename])).toEqual([
      ['text/plain', 'quoted-printable', 2, null],
      ['application/pdf', 'base64', 4, 'my report.pdf'],
      ['message/rfc822', '7bit', null, null],
    ]);
    expect(content.parts[2]?.parts.map(({ type, octets, problems }) => [type, octets, problems.length])).toEqual([['text/plain', 1, 2]]);
    const { stdout } = run([], NESTED);
    expect(stdout).toContain('    application/pdf attachment, "my report.pdf", base64, 4 octets\n      Content-Disposition: ');
    expect(stdout).toContain('      text/plain 1 octet\n        header\n          Date: a message has one (RFC 5322 3.6)\n');
  });

  test('any pieces of the same octets give the same tree', async () => {
    const octets = new TextEncoder().encode(NESTED);
    const whole = await readMessage(pieces(octets, octets.length));
    for (const size of [1, 2, 7, 64]) expect(await readMessage(pieces(octets, size))).toEqual(whole);
  });
});

async function* pieces(octets: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, void> {
  for (let i = 0; i < octets.length; i += size) yield octets.subarray(i, i + size);
}

describe('reports', () => {
  const report = (type: string, media: string, ...lines: readonly string[]): string =>
    crlf(
      'Date: Thu, 1 Jan 1970 00:00:00 +0000',
      'From: MAILER-DAEMON@mx.example',
      `Content-Type: multipart/report; report-type=${type}; boundary=r`,
      '',
      '--r',
      '',
      'Sorry.',
      '--r',
      `Content-Type: ${media}`,
      ...lines,
      '--r--',
    );

  test('a delivery status: each status with its meaning, the times as texts', async () => {
    const status = report(
      'delivery-status',
      'message/delivery-status',
      '',
      'Reporting-MTA: dns; mx.example',
      'Arrival-Date: Thu, 1 Jan 1970 00:00:01 +0000',
      '',
      'Final-Recipient: rfc822; joe@example.org',
      'Action: delayed',
      'Status: 4.4.7',
      'Diagnostic-Code: smtp; 450 4.4.7 still \u001b[31mtrying',
    );
    expect((await shown(status)).report).toMatchObject({
      type: 'delivery-status',
      content: {
        action: 'delayed',
        arrival: '1970-01-01T00:00:01.000Z',
        recipients: [{ status: '4.4.7', meaning: 'Delivery time expired', finalRecipient: { text: 'joe@example.org' } }],
      },
      text: 'Sorry.',
    });
    const { stdout } = run([], status);
    expect(stdout).toContain('report: delivery-status (RFC 3464)\n  reportingMta dns; mx.example\n');
    expect(stdout).toContain(
      '    -\n      finalRecipient rfc822; joe@example.org\n      action delayed\n      status 4.4.7\n      meaning Delivery time expired\n',
    );
    expect(stdout).not.toContain('\u001b');
  });

  test('a complaint', async () => {
    const arf = report(
      'feedback-report',
      'message/feedback-report',
      '',
      'Feedback-Type: abuse',
      'User-Agent: x/1',
      'Version: 1',
      'Source-IP: 192.0.2.1',
    );
    expect((await shown(arf)).report).toMatchObject({
      type: 'feedback-report',
      content: { feedbackType: 'abuse', sourceIp: '192.0.2.1' },
      deviations: [],
    });
  });

  const TLS = formatTlsReport({ organization: 'Example', start: 0, end: 1000, contact: 'a@b.example', id: '1', policies: [] });
  const packed = (octets: Uint8Array): string =>
    report('tlsrpt', 'application/tlsrpt+gzip', 'Content-Transfer-Encoding: base64', '', Buffer.from(octets).toString('base64'));

  test('a TLS report is decompressed', async () => {
    expect((await shown(packed(gzipSync(TLS)))).report).toMatchObject({
      failure: null,
      content: { organization: 'Example', start: '1970-01-01T00:00:00.000Z' },
    });
  });

  test('one that is cut, none, or a bomb is told', async () => {
    expect((await shown(packed(gzipSync(TLS).subarray(0, 30)))).report?.failure).toMatch(/gzip, or cut/);
    expect((await shown(packed(gzipSync('none')))).report?.failure).toBe('JSON was expected');
    expect((await shown(packed(gzipSync(Buffer.alloc(20_000_000))))).report?.failure).toBe(
      'more than 16777216 octets when it is decompressed',
    );
  });
});

describe('hostile and huge', () => {
  test('no control character of a message reaches the terminal, nor in JSON; a text is shown in one way only', () => {
    const nasty = crlf('Subject: \u001b[2J\u009b1m\u202eevil\u2028 \\u{1b}', `X-\u001b[0m: 1`, 'Content-Type: text/\u001b[1m', '', '');
    const { stdout } = run([], nasty);
    expect(stdout).toContain(String.raw`Subject: \u{1b}[2J\u{9b}1m\u{202e}evil\u{2028} \\u{1b}`);
    for (const args of [[], ['--json']]) expect(run(args, nasty).stdout.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(visible('a'.repeat(3000))).toMatch(/^a{2000} … \(1000 characters more\)$/);
  });

  test('a body of any size is counted, not kept', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(62).concat('\r\n').repeat(16_384));
    const times = 128;
    async function* body(): AsyncGenerator<Uint8Array, void, void> {
      yield new TextEncoder().encode('From: a@b.example\r\n\r\n');
      for (let i = 0; i < times; i++) yield chunk;
    }
    const before = process.memoryUsage().arrayBuffers;
    const { content } = await readMessage(body());
    expect(content.octets).toBe(times * chunk.length);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((times * chunk.length) / 2);
  });

  test('a header beyond the limits is exit code 1; so are headers of parts beyond them all', async () => {
    const { refused, valid } = await shown('X: 1\r\n'.repeat(1001));
    expect([refused, valid]).toEqual(['more than 1000 fields', false]);
    const part = crlf('--b', ...Array.from({ length: 16 }, () => `X: ${'x'.repeat(60_000)}`), '');
    const many = await shown(`${crlf('Content-Type: multipart/mixed; boundary=b', '')}${part.repeat(6)}`);
    expect(many.content.parts.map(({ cut }) => cut)).toEqual([false, false, false, false, true, true]);
    expect(many.valid).toBe(false);
    expect(part.length * 5).toBeGreaterThan(MOST_HEADER_OCTETS);
  });

  test('messages in each other, and parts without end, are cut and told', async () => {
    const deep = await shown(`${crlf('Content-Type: message/rfc822', '').repeat(1000)}x`);
    expect(deep.deviations.map(({ name }) => name)).toContain('too-deep');
    const wide = await shown(crlf('Content-Type: multipart/mixed; boundary=b', '', ...Array.from({ length: 3000 }, () => '--b\r\n')));
    expect(wide.content.parts).toHaveLength(MOST_PARTS);
    expect(wide.deviations.map(({ name }) => name)).toContain('too-many-parts');
  });

  test('octets of any kind, and none', async () => {
    const every = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
    expect((await shown(every)).octets).toBe(4096);
    expect(await shown('')).toMatchObject({ octets: 0, valid: false, content: { fields: [] } });
  });
});

test('colours stand in a terminal only', () => {
  const { stdout } = run([], LETTER, { CI: '1' });
  expect(stdout).not.toContain('\u001b');
  expect(run([], LETTER, { FORCE_COLOR: '1' }).stdout).toContain('\u001b[1mmessage: 567 octets\u001b[22m');
  expect(run([], LETTER, { FORCE_COLOR: '1', NO_COLOR: '1' }).stdout).toBe(stdout);
});

test('what can not be read, and wrong options', ({ folder }) => {
  expect(run([join(folder, 'none')])).toMatchObject({ status: 66, stdout: '', stderr: `ehlo: there is no file ${join(folder, 'none')}\n` });
  expect(run([folder])).toMatchObject({ status: 66, stdout: '' });
  expect(run(['--jsno'])).toMatchObject({ status: 2, stdout: '' });
});
