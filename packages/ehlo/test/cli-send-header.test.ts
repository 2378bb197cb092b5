// `ehlo send -t`: the envelope is that of the header (RFC 5321 Appendix B).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from './sending.ts';

const byHeader = (port: number, ...more: readonly string[]): string[] => ['send', '-t', '--server', `127.0.0.1:${port}`, ...more];
const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join('');

const LETTER = lines(
  'Return-Path: <bounces@a.example>',
  'To: Friends: ann@b.example, "B" <bob@b.example>;',
  'Bcc: carl@b.example,',
  '\tann@b.example',
  'Subject: hello',
  '',
  'Bcc: in the body',
);

/** What arrives of it. */
const ARRIVES =
  /^To: Friends: ann@b\.example, "B" <bob@b\.example>;\r\nSubject: hello\r\nDate: \w{3}, .* [+-]\d{4}\r\nMessage-ID: <[\w-]{36}@[\w.-]+>\r\nFrom: (.*)\r\n\r\nBcc: in the body\r\n$/;

describe('to ehlo serve', () => {
  test.for(['a file', 'standard input'])(
    '%s: recipients of all fields, each once; Bcc and Return-Path are taken out',
    async (where, { run, stored, folder }) => {
      const server = run(['--raw']);
      const file = join(folder, 'letter.eml');
      writeFileSync(file, LETTER);
      const port = await server.port();
      const cli = where === 'a file' ? run(byHeader(port, file)) : run(byHeader(port), {}, LETTER);
      expect([await cli.exited, cli.errors]).toEqual([0, '']);
      expect(cli.lines.map((line) => line.split(/ +/)[1])).toEqual(['ann@b.example', 'bob@b.example', 'carl@b.example']);
      await server.line(/C: MAIL FROM:<bounces@a\.example>/);
      expect(ARRIVES.exec([...stored().values()].join(''))?.[1]).toBe('bounces@a.example');
    },
  );

  test('--from is the sender, whatever the header says; what is there is left, line ends with LF alone are mended', async ({
    run,
    stored,
  }) => {
    const server = run(['--raw']);
    const message = 'Date: Thu, 1 Jan 1970 00:00:00 +0000\nMessage-ID: <1@a.example>\nFrom: boss@a.example\nTo:\n ann@b.example\n\nhi\n';
    const cli = run(byHeader(await server.port(), '--from', 'joe@a.example'), {}, message);
    expect([await cli.exited, cli.errors]).toEqual([0, '']);
    await server.line(/C: MAIL FROM:<joe@a\.example>/);
    expect([...stored().values()]).toEqual([message.replaceAll('\n', '\r\n')]);
  });

  test('a null sender, and a body in many pieces', async ({ run, stored }) => {
    const server = run(['--raw', '--quiet']);
    const body = `${'x'.repeat(70)}\r\n`.repeat(10_000);
    const cli = run(byHeader(await server.port(), '--from', '<>'), {}, `From: ann@a.example\r\nBcc: bob@b.example\r\n\r\n${body}`);
    expect([await cli.exited, cli.errors]).toEqual([0, '']);
    const [text] = [...stored().values()];
    expect(text?.endsWith(`\r\n\r\n${body}`)).toBe(true);
    // Appendix B: where no other destination is left, an empty Bcc is put.
    expect(text).toMatch(/^From: ann@a\.example\r\nBcc:\r\nDate: .*\r\nMessage-ID: /);
  });

  test('the plan is that of the message as it would be sent', async ({ run, folder }) => {
    const file = join(folder, 'letter.eml');
    writeFileSync(file, LETTER);
    const cli = run(byHeader(await run([]).port(), '--dry-run', file));
    expect(await cli.exited).toBe(0);
    expect(cli.lines[0]).toMatch(/^MAIL FROM:<bounces@a\.example> SIZE=[12]\d\d$/);
    expect(cli.lines.slice(1, 4)).toEqual(['RCPT TO:<ann@b.example>', 'RCPT TO:<bob@b.example>', 'RCPT TO:<carl@b.example>']);
  });
});

describe('nothing is sent where it is not sure to whom, or by whom', () => {
  test.for([
    ['no recipient', lines('From: ann@a.example', 'Subject: x'), /no address in To, Cc or Bcc/],
    [
      'one who can not be read',
      lines('From: ann@a.example', 'To: bob@b.example', 'Cc: "carl'),
      /^ehlo: Cc: a quoted string that is closed/,
    ],
    ['no sender', lines('To: bob@b.example'), /no address in Sender or From \(--from names the sender\)/],
    ['several authors', lines('From: a@a.example, b@a.example', 'To: bob@b.example'), /From: several mailboxes, and no Sender \(--from/],
    ['no domain', lines('From: ann@a.example', 'To: bob'), /To: an address without a domain/],
    ['neither author nor sender', lines('Return-Path: <>', 'To: bob@b.example'), /there is no From, and no sender to make one of/],
    [
      'a Bcc that is signed',
      lines('DKIM-Signature: v=1; d=a.example; s=k; h=Bcc; b=', 'From: ann@a.example', 'To: bob@b.example', 'Bcc: carl@b.example'),
      /Bcc is signed/,
    ],
    ['a header that others read otherwise', lines('From: ann@a.example', 'To : bob@b.example'), /white space between the name/],
    ['no header', '', /no address in To, Cc or Bcc/],
  ] as const)('%s', async ([, header, said], { run, folder }) => {
    for (const input of ['file', 'input']) {
      const file = join(folder, 'letter.eml');
      writeFileSync(file, `${header}\r\nbody\r\n`);
      // Nobody listens there: who connects fails otherwise.
      const cli = input === 'file' ? run(byHeader(9, file)) : run(byHeader(9), {}, `${header}\r\nbody\r\n`);
      expect([await cli.exited, cli.lines]).toEqual([1, []]);
      expect(cli.errors).toMatch(said);
      expect(cli.errors.split('\n')).toHaveLength(2);
    }
  });
});

test('-t with --to is refused, and a --from that is no address', async ({ run }) => {
  const both = run(byHeader(9, '--to', 'ann@b.example'), {}, LETTER);
  expect([await both.exited, both.errors]).toEqual([2, 'ehlo: recipients stand in the header (-t) or in --to, not in both\n']);
  const from = run(byHeader(9, '--from', 'nobody'), {}, LETTER);
  expect([await from.exited, from.errors]).toEqual([2, expect.stringContaining('--from is no address')]);
});

test('a file that is not there, and a signal while the header is awaited', async ({ run, folder }) => {
  const none = run(byHeader(9, join(folder, 'none')));
  expect([await none.exited, none.errors]).toEqual([66, `ehlo: there is no file ${join(folder, 'none')}\n`]);
  const waiting = run(byHeader(9), {}, null);
  // No pipe holds so much: once it is all written, most of it was read.
  const header = `X: ${'x'.repeat(990)}\r\n`.repeat(900);
  await new Promise((resolve) => waiting.child.stdin!.write(header, resolve));
  waiting.child.kill('SIGTERM');
  expect([await waiting.exited, waiting.errors]).toEqual([75, 'ehlo: stopped before anything was sent\n']);
});
