// `ehlo serve`: what it prints, and what it stores.
import { readdirSync, rmSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { Client, type Event, test, until } from './cli.ts';

const HAS_IPV6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
const ESCAPE = '\u001b';

describe('what it prints', () => {
  test('first where it listens, then the conversation, and what was stored', async ({ run, stored }) => {
    // Some colour libraries take CI for a terminal.
    const cli = run(['--hostname', 'mx.example.org'], { CI: 'true' });
    const client = new Client(await cli.port());
    expect(cli.lines[0]).toMatch(/^listening on 127\.0\.0\.1:[1-9]\d*$/);
    await client.data();
    expect(await client.say('Subject: hello\r\n\r\nText\r\n.')).toMatch(/^250 2\.6\.0 Message accepted, queued as \w+$/);
    await client.say('QUIT');
    await cli.line(/closed: quit/);
    const [file] = stored().keys();
    const said = cli.lines.slice(1).map((line) => line.replace(/:\d+$/, ':PORT'));
    expect(said).toEqual([
      '[1] connected from 127.0.0.1:PORT',
      '[1] S: 220 mx.example.org ESMTP Service ready',
      '[1] C: EHLO client.example',
      ...said.filter((line) => line.startsWith('[1] S: 250-')),
      expect.stringMatching(/^\[1\] S: 250 [A-Z0-9]+/),
      '[1] C: MAIL FROM:<sender@client.example>',
      '[1] S: 250 2.1.0 Sender OK',
      '[1] C: RCPT TO:<one@mx.example>',
      '[1] S: 250 2.1.5 Recipient OK',
      '[1] C: DATA',
      '[1] S: 354 Start mail input; end with <CRLF>.<CRLF>',
      expect.stringMatching(new RegExp(`^\\[1\\] stored 24 octets as .*${file}$`)),
      expect.stringMatching(/^\[1\] S: 250 2\.6\.0 Message accepted, queued as \w+$/),
      '[1] C: QUIT',
      '[1] S: 221 2.0.0 mx.example.org Service closing transmission channel',
      '[1] closed: quit',
    ]);
    expect(cli.lines.join('\n')).not.toContain(ESCAPE);
    expect(cli.errors).toBe('');
  });

  test('--json: an object a line', async ({ run, stored }) => {
    const cli = run(['--json']);
    const client = new Client(await cli.port());
    await client.data('one@mx.example', '"two of them"@mx.example');
    const id = / queued as (\w+)$/.exec(await client.say('Subject: hello\r\n\r\n..\r\n.'))?.[1];
    await client.say('QUIT');
    const closed = await cli.event('closed');
    expect(closed).toEqual({ event: 'closed', session: 1, cause: 'quit' });
    const events = cli.lines.map((line) => JSON.parse(line) as Event);
    expect(events[0]).toEqual({ event: 'listening', host: '127.0.0.1', port: expect.any(Number) });
    expect(events[1]).toEqual({
      event: 'connected',
      session: 1,
      address: '127.0.0.1',
      port: client.socket.localPort ?? expect.any(Number),
    });
    const { file, ...message } = await cli.event('message');
    expect(message).toEqual({
      event: 'message',
      session: 1,
      id,
      reversePath: '<sender@client.example>',
      forwardPaths: ['<one@mx.example>', '<"two of them"@mx.example>'],
      parameters: {},
      recipientParameters: [{}, {}],
      protocol: 'ESMTP',
      peer: { address: '127.0.0.1', port: client.socket.localPort ?? expect.any(Number) },
      forwarded: null,
      identity: null,
      size: 21,
      deviations: [],
    });
    expect([...stored().keys()]).toEqual([basename(file as string)]);
    expect(basename(file as string)).toContain(`.${id}.`);
    expect(events).toContainEqual({ event: 'trace', session: 1, from: 'client', line: 'DATA' });
  });

  test('--quiet: only where it listens', async ({ run, stored }) => {
    const cli = run(['--quiet']);
    const client = new Client(await cli.port());
    await client.data();
    await client.say('Text\r\n.');
    await client.say('BOGUS');
    await client.say('QUIT');
    cli.child.kill('SIGTERM');
    expect(await cli.exited).toBe(0);
    expect(cli.lines).toEqual([expect.stringMatching(/^listening on /)]);
    expect(stored().size).toBe(1);
  });

  test.for([
    ['text', []],
    ['--json', ['--json']],
  ] as const)('%s: no credential, neither behind AUTH nor where a client sends it blindly', async ([, options], { run }) => {
    const cli = run(options);
    const client = new Client(await cli.port());
    await client.reply();
    await client.say('EHLO client.example');
    await client.say('AUTH PLAIN AHVzZXIAc2VjcmV0');
    await client.say('auth login');
    await client.say('dXNlcg==');
    await client.say('c2VjcmV0');
    await client.say('QUIT');
    await cli.line(/closed/);
    const shown = cli.lines.join('\n');
    expect(shown).toContain('AUTH PLAIN ***');
    expect(shown).not.toMatch(/AHVzZXIAc2VjcmV0|dXNlcg|c2VjcmV0/i);
  });

  test('the host name, if none is given, greets', async ({ run }) => {
    const client = new Client(await run().port());
    const name = /^220 (\S+) /.exec(await client.reply())?.[1];
    expect([hostname(), '[127.0.0.1]']).toContain(name);
  });

  test('a reader that goes away (ehlo serve | head -1) is no reason to fall', async ({ run, stored }) => {
    const cli = run();
    const client = new Client(await cli.port());
    cli.child.stdout!.destroy();
    await client.data();
    for (let n = 0; n < 20; n++) {
      expect(await client.say('Text\r\n.')).toMatch(/^250 /);
      await client.again();
    }
    expect(await client.say('Text\r\n.')).toMatch(/^250 /);
    expect(stored().size).toBe(21);
    cli.child.kill('SIGTERM');
    expect(await cli.exited).toBe(0);
  });

  test.skipIf(!HAS_IPV6)('IPv6', async ({ run, stored }) => {
    const cli = run(['--host', '::1', '--hostname', 'mx.example.org']);
    const client = new Client(await cli.port(), '::1');
    expect(cli.lines[0]).toMatch(/^listening on \[::1\]:\d+$/);
    await client.data();
    await client.say('Text\r\n.');
    const [content] = stored().values();
    expect(content).toMatch(/^Return-Path: <sender@client\.example>\r\nReceived: from client\.example \(\[IPv6:::1\]\)/);
  });
});

describe('what it stores', () => {
  test('every octet, with --raw, and nothing else', async ({ run, stored }) => {
    const client = new Client(await run(['--raw']).port());
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet).filter((octet) => octet !== 10 && octet !== 13));
    const content = `${`${all}\r\n.${all}\r\n..\r\n\r\n`.repeat(500)}${all}\r\n`;
    await client.data();
    expect(await client.say(`${content.replaceAll(/^\./gm, '..')}.`)).toMatch(/^250 /);
    const [file] = stored().values();
    expect(file === content).toBe(true);
  });

  test('an empty message', async ({ run, stored }) => {
    const cli = run(['--raw', '--json']);
    const client = new Client(await cli.port());
    await client.data();
    expect(await client.say('.')).toMatch(/^250 /);
    expect([...stored().values()]).toEqual(['']);
    expect((await cli.event('message')).size).toBe(0);
  });

  test('trace fields in front, in place of a Return-Path that came along, and then the same octets', async ({ run, stored }) => {
    const client = new Client(await run(['--hostname', 'mx.example.org']).port());
    await client.data('one@mx.example', 'two@mx.example');
    await client.say('Return-Path: <not@mine.example>\r\n\r\n..Text\r\n.');
    const [file] = stored().values();
    expect(file?.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')).toEqual([
      'Return-Path: <sender@client.example>',
      expect.stringMatching(
        /^Received: from client\.example \(\[127\.0\.0\.1\]\) by mx\.example\.org with ESMTP id \w+; \w{3}, \d{1,2} \w{3} \d{4} [\d:]{8} [+-]\d{4}$/,
      ),
      'X-Envelope-To: <one@mx.example>',
      'X-Envelope-To: <two@mx.example>',
      '',
      '.Text',
      '',
    ]);
  });

  test('--size: what is larger is refused by 552, and leaves nothing', async ({ run, stored, folder }) => {
    const client = new Client(await run(['--raw', '--size', '65536']).port());
    await client.reply();
    expect(await client.say('EHLO client.example')).toContain('250-SIZE 65536\r\n');
    expect(await client.say('MAIL FROM:<a@client.example> SIZE=65537')).toMatch(/^552 5\.3\.4 /);
    const line = `${'x'.repeat(62)}\r\n`;
    await client.again();
    expect(await client.say(`${line.repeat(1024)}x\r\n.`)).toMatch(/^552 5\.3\.4 /);
    expect(stored().size).toBe(0);
    await client.again();
    expect(await client.say(`${line.repeat(1024)}.`)).toMatch(/^250 /);
    expect([...stored().values()]).toEqual([line.repeat(1024)]);
    await until('no draft is left', () => (readdirSync(join(folder, 'mail', 'tmp')).length === 0 ? true : undefined));
  });

  test('sink keeps a bare LF, and says so', async ({ run, stored }) => {
    const cli = run(['--raw']);
    const client = new Client(await cli.port());
    await client.data();
    const content = 'one\r\ntwo\nstill two\r\nthree\rstill three\r\n';
    expect(await client.say(`${content}.`)).toMatch(/^250 /);
    expect([...stored().values()]).toEqual([content]);
    await cli.line(/note: bare-cr in line 3 of the message/);
    await cli.line(/note: bare-lf in line 2 of the message/);
  });

  test('mx refuses it, by the line; and goes on', async ({ run, stored }) => {
    const client = new Client(await run(['--raw', '--preset', 'mx']).port());
    await client.data();
    expect(await client.say('one\r\ntwo\nstill two\r\nthree\r\n.')).toMatch(/^550 5\.6\.0 Line 2 .* LF without CR/);
    await client.again();
    // Smuggling (CVE-2023-51764): an end that is none is no end, and what follows is no command.
    expect(await client.say('one\r\ntwo\n.\r\nMAIL FROM:<smuggler@client.example>\r\n.')).toMatch(/^550 5\.6\.0 Line 2 /);
    expect(stored().size).toBe(0);
    await client.again();
    expect(await client.say('one\r\n.')).toMatch(/^250 /);
    expect([...stored().values()]).toEqual(['one\r\n']);
  });
});

test('a mail directory that is taken away while it runs is made again', async ({ run, stored, folder }) => {
  const cli = run(['--raw']);
  const client = new Client(await cli.port());
  await client.data();
  expect(await client.say('one\r\n.')).toMatch(/^250 2\.6\.0 /);
  rmSync(join(folder, 'mail'), { recursive: true });
  await client.again();
  expect(await client.say('two\r\n.')).toMatch(/^250 2\.6\.0 /);
  expect([...stored().values()]).toEqual(['two\r\n']);
});

test('a message is shown as a tree, a compressed report too', async ({ run }) => {
  const packed = gzipSync('{"organization-name":"Example","policies":[]}').toString('base64');
  const report = ['Subject: x', 'Content-Type: application/tlsrpt+gzip', 'Content-Transfer-Encoding: base64', '', packed, ''].join('\r\n');
  const top = ['From: a@b.example', 'Content-Type: multipart/report; report-type=tlsrpt; boundary=r', '', '--r', ''].join('\r\n');
  const cli = run(['message', '--json', '-'], {}, `${top}${report}\r\n--r--\r\n`);
  expect(await cli.exited).toBe(1);
  expect(JSON.parse(cli.lines.join(''))).toMatchObject({
    report: { type: 'tlsrpt', content: { organization: 'Example' } },
    envelope: { reversePath: 'a@b.example' },
  });
});
