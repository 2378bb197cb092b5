// `ehlo send` that composes the message: what others read of it, and what it does not write.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { expect } from 'vitest';
import { test, to } from './sending.ts';

const parse = async (text: string): Promise<Email> => await PostalMime.parse(Buffer.from(text, 'latin1'));

test('subject, fields, text, HTML and files arrive as they were given, each line within its bounds', async ({ run, stored, folder }) => {
  const [text, picture] = [join(folder, 'text.txt'), join(folder, 'naïve "é".bin')];
  writeFileSync(text, `.dot\n${'long '.repeat(300)}\nümläut\n`);
  writeFileSync(
    picture,
    Uint8Array.from({ length: 3000 }, (_, i) => i & 0xff),
  );
  const server = run(['--raw']);
  const parts = [
    '--subject',
    'Grüße, @all',
    '--header',
    'X-Mark: one',
    '--header',
    'X-Mark: two',
    '--header',
    'Reply-To: Jörg <j@a.example>',
  ];
  const cli = run(
    to(
      await server.port(),
      '--to',
      '"two words"@b.example',
      ...parts,
      '--body',
      `@${text}`,
      '--html',
      '<p>ü</p>',
      '--attach',
      picture,
      '--attach',
      text,
    ),
  );
  expect([await cli.exited, cli.errors]).toEqual([0, '']);
  const [octets] = [...stored().values()];
  const mail = await parse(octets!);
  expect(mail.subject).toBe('Grüße, @all');
  expect(mail.from).toEqual({ name: '', address: 'joe@a.example' });
  expect(mail.to?.map(({ address }) => address)).toEqual(['ann@b.example', '"two words"@b.example']);
  expect(mail.replyTo).toEqual([{ name: 'Jörg', address: 'j@a.example' }]);
  expect(mail.headers.filter(({ key }) => key === 'x-mark').map(({ value }) => value)).toEqual(['one', 'two']);
  expect(mail.text?.replaceAll('\r\n', '\n').trimEnd()).toBe(`.dot\n${'long '.repeat(300)}\nümläut`);
  expect(mail.html?.trim()).toBe('<p>ü</p>');
  expect(mail.attachments.map(({ filename, content }) => [filename, new Uint8Array(content as ArrayBuffer).length])).toEqual([
    ['naïve "é".bin', 3000],
    ['text.txt', Buffer.byteLength(`.dot\n${'long '.repeat(300)}\nümläut\n`)],
  ]);
  expect(new Uint8Array(mail.attachments[0]!.content as ArrayBuffer).every((octet, i) => octet === (i & 0xff))).toBe(true);
  expect(mail.messageId).toMatch(/^<[0-9a-f-]{36}@.+>$/);
  expect(Math.max(...octets!.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
});

test('to a server of others; the text comes by standard input', async ({ run }) => {
  const got: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _, done) {
      const parts: Buffer[] = [];
      stream
        .on('data', (part: Buffer) => parts.push(part))
        .on('end', () => {
          got.push(Buffer.concat(parts).toString('latin1'));
          done();
        });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const port = (server.server.address() as AddressInfo).port;
  const cli = run(to(port, '--subject', 'hello', '--body', '-'), {}, 'from standard input\n');
  expect([await cli.exited, cli.errors]).toEqual([0, '']);
  expect(await parse(got[0]!)).toMatchObject({ subject: 'hello', text: 'from standard input\n', to: [{ address: 'ann@b.example' }] });
  await new Promise<void>((resolve) => void server.close(resolve));
});

test('From, To, Date and Message-ID of --header stand in place of those that would be', async ({ run, stored }) => {
  const fields = ['From: Shop <shop@a.example>', 'To: Friends: ;', 'Date: Mon, 16 Nov 2026 09:14:00 +0100', 'Message-ID: <mine@a.example>'];
  const cli = run([
    'send',
    '--server',
    `127.0.0.1:${await run(['--raw']).port()}`,
    '--from',
    '<>',
    '--to',
    'ann@b.example',
    '--body',
    '@@ all',
    ...fields.flatMap((field) => ['--header', field]),
  ]);
  expect([await cli.exited, cli.errors]).toEqual([0, '']);
  const [octets] = [...stored().values()];
  for (const field of ['From: Shop <shop@a.example>', 'To: Friends:;', ...fields.slice(2)]) expect(octets!.split('\r\n')).toContain(field);
  expect(octets).not.toContain('ann@b.example');
  expect((await parse(octets!)).text?.trim()).toBe('@ all');
});

test('alone, --subject is a message with an empty text', async ({ run, stored }) => {
  const cli = run(to(await run(['--raw']).port(), '--subject', ''));
  expect(await cli.exited).toBe(0);
  const [octets] = [...stored().values()];
  expect(octets).toMatch(/\r\n\r\n(?:\r\n)?$/);
  expect(octets).toMatch(/^Content-Type: text\/plain/m);
});

test.for<[string, string[], RegExp]>([
  ['a subject of two lines', to(1, '--subject', 'a\r\nBcc: eve@e.example'), /--subject is one line: it has a CR, LF or NUL/],
  ['a file beside it', to(1, '--subject', 'x', 'letter.eml'), /read from a file, or composed of --subject/],
  ['an envelope of a header', ['send', '--server', 'x', '-t', '--subject', 'x'], /-t reads the header of a message/],
])('a mistake: %s', async ([, args, why], { run }) => {
  const cli = run(args, {}, '');
  expect(await cli.exited).toBe(2);
  expect(cli.errors).toMatch(why);
  expect(cli.errors).toMatch(/^ehlo: [^\n]+\n$/);
});

test('a file that is not there: exit code 66, and nobody is asked', async ({ run }) => {
  const cli = run(to(1, '--body', '@none'));
  expect(await cli.exited).toBe(66);
  expect(cli.errors).toMatch(/^ehlo: --body: .*none/);
});
