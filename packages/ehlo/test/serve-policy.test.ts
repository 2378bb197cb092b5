// The options of `ehlo serve` that say how it receives: LMTP, Unix sockets, proxies, extensions, limits; and what it says of them.

import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Client, test } from './cli.ts';

async function greeted(port: number | string): Promise<Client> {
  const client = new Client(typeof port === 'number' ? port : connect(port));
  await client.reply();
  return client;
}

describe('LMTP on a Unix socket', () => {
  test('a reply for each recipient; the socket has its mode, and one that nobody listens on is replaced', async ({
    run,
    folder,
    stored,
  }) => {
    const path = join(folder, 'lmtp.sock');
    const stale = createServer().listen(path);
    // The process that left it is gone without a word.
    await new Promise((resolve) => stale.once('listening', resolve));
    (stale as unknown as { _handle: { close(): void } })._handle.close();
    const cli = run(['serve', '--lmtp', '--unix', path, '--unix-mode', '660', '--maildir', join(folder, 'mail')]);
    await cli.line(/^listening on .*lmtp\.sock$/);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    const client = await greeted(path);
    expect(await client.say('EHLO client.example')).toMatch(/^500 Command /);
    expect(await client.say('LHLO client.example')).toMatch(/^250-.*PIPELINING/s);
    expect(await client.again('a@mx.example', 'b@mx.example')).toMatch(/^354 /);
    expect(await client.say('Subject: x\r\n\r\nText\r\n.')).toMatch(/^250 /);
    expect(await client.reply()).toMatch(/^250 /);
    expect([...stored().values()]).toEqual([expect.stringMatching(/with LMTP id /)]);
  });

  test('a socket that somebody listens on is left alone', async ({ run, folder }) => {
    const path = join(folder, 'busy.sock');
    const busy = createServer().listen(path);
    await new Promise((resolve) => busy.once('listening', resolve));
    const cli = run(['serve', '--unix', path, '--maildir', join(folder, 'mail')]);
    expect(await cli.exited).toBe(2);
    expect(cli.errors).toMatch(/Unix socket.*EADDRINUSE.*--unix/);
    busy.close();
  });
});

test('--proxy: the session is that of the client whom the header names', async ({ run }) => {
  const cli = run(['--proxy', 'v1']);
  const client = new Client(await cli.port());
  client.socket.write('PROXY TCP4 192.0.2.7 192.0.2.8 4321 25\r\n');
  expect(await client.reply()).toMatch(/^220 /);
  await cli.line(/connected from 192\.0\.2\.7:4321/);
  const other = new Client(await cli.port());
  expect(await other.say('EHLO client.example')).toBe('');
  await cli.told(/no session: 127\.0\.0\.1: no PROXY header/);
});

test('--trust-xclient: only who is named may speak for others', async ({ run }) => {
  const port = await run(['--trust-xclient', '127.0.0.0/8', '--trust-xforward', '192.0.2.1']).port();
  const client = await greeted(port);
  const hello = await client.say('EHLO proxy.example');
  expect(hello).toMatch(/^250[- ]XCLIENT /m);
  expect(hello).not.toMatch(/XFORWARD/);
  expect(await client.say('XCLIENT ADDR=192.0.2.7')).toMatch(/^220 /);
});

test('--trust-xclient unix: an empty path in a PROXY header is no Unix socket', async ({ run }) => {
  const client = new Client(await run(['--proxy', 'v2', '--trust-xclient', 'unix']).port());
  // Version 2, PROXY, AF_UNIX and SOCK_STREAM, and two paths that are empty.
  client.socket.write(Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x31\0\xd8', 'latin1'), Buffer.alloc(216)]));
  expect(await client.reply()).toMatch(/^220 /);
  expect(await client.say('EHLO proxy.example')).not.toMatch(/XCLIENT/);
});

test('--trust-xclient unix: who comes by the Unix socket may', async ({ run, folder }) => {
  const path = join(folder, 'trusted.sock');
  const cli = run(['serve', '--unix', path, '--trust-xclient', 'unix', '--maildir', join(folder, 'mail')]);
  await cli.line(/^listening on .*trusted\.sock$/);
  const client = await greeted(path);
  expect(await client.say('EHLO proxy.example')).toMatch(/^250[- ]XCLIENT /m);
});

test('--limit-tls-timeout holds for the handshake on --tls-port, too', async ({ run }) => {
  const cli = run(['--tls-self-signed', '--tls-port', '0', '--limit-tls-timeout', '1000']);
  const line = await cli.line(/^listening on .*TLS/i);
  const client = new Client(Number(/:(\d+)/.exec(line)![1]));
  expect(await client.reply()).toBe('');
  await cli.told(/no session: .*handshake in time/);
});

test('extensions and limits', async ({ run }) => {
  const cli = run(['--preset', 'mx', '--smtputf8', '--dsn', '--no-chunking', '--limit-recipients', '100', '--size', '65536']);
  const client = await greeted(await cli.port());
  const hello = await client.say('EHLO client.example');
  for (const offered of [/SMTPUTF8/, /DSN/, /SIZE 65536/]) expect(hello).toMatch(offered);
  for (const off of [/CHUNKING/, /MT-PRIORITY/]) expect(hello).not.toMatch(off);
  await client.say('MAIL FROM:<a@b.example> RET=HDRS');
  for (let i = 0; i < 100; i++) await client.say(`RCPT TO:<r${i}@mx.example>`);
  expect(await client.say('RCPT TO:<more@mx.example>')).toMatch(/^452 4\.5\.3 /);
});

test('--require-tls and --require-auth', async ({ run }) => {
  const cli = run(['--require-tls', '--tls-self-signed', '--require-auth', '--user', 'joe:x', '--allow-cleartext-auth']);
  const client = await greeted(await cli.port());
  await client.say('EHLO client.example');
  expect(await client.say('MAIL FROM:<a@b.example>')).toMatch(/^530 5\.7\.0 .*STARTTLS/);
  const open = await greeted(await run(['--require-auth', '--user', 'joe:x']).port());
  await open.say('EHLO client.example');
  expect(await open.say('MAIL FROM:<a@b.example>')).toMatch(/^530 5\.7\.0 /);
  expect(await open.say(`AUTH PLAIN ${Buffer.from('\0joe\0x').toString('base64')}`)).toMatch(/^235 /);
  expect(await open.say('MAIL FROM:<a@b.example>')).toMatch(/^250 /);
});

test('--json: a message with its parameters, and with what trusted peers have said of its sender', async ({ run }) => {
  const cli = run(['--json', '--trust-xclient', '127.0.0.1', '--trust-xforward', '127.0.0.1']);
  const client = await greeted(await cli.port());
  await client.say('EHLO proxy.example');
  await client.say('XCLIENT ADDR=192.0.2.7 PORT=4321 NAME=relay.example LOGIN=joe');
  await client.say('EHLO relay.example');
  await client.say('MAIL FROM:<a@b.example> RET=HDRS ENVID=QQ314+2B159');
  await client.say('RCPT TO:<one@mx.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Alias@old.example');
  await client.say('RCPT TO:<two@mx.example>');
  await client.say('DATA');
  await client.say('Subject: x\r\n\r\nText\r\n.');
  expect(await cli.event('message')).toMatchObject({
    parameters: { ret: 'HDRS', envid: 'QQ314+159' },
    recipientParameters: [{ notify: ['SUCCESS', 'DELAY'], orcpt: { type: 'rfc822', address: 'Alias@old.example' } }, {}],
    protocol: 'ESMTPA',
    peer: { address: '192.0.2.7', port: 4321, name: 'relay.example' },
    forwarded: null,
    identity: 'joe',
  });
  const filter = await greeted(await cli.port());
  await filter.say('EHLO filter.example');
  await filter.say('XFORWARD ADDR=IPv6:2001:db8::7 SOURCE=REMOTE');
  await filter.again();
  await filter.say('Subject: x\r\n\r\nText\r\n.');
  await cli.line(/"event":"message","session":2,.*"forwarded":{"address":"2001:db8::7","source":"REMOTE"}/);
});

test('a message that goes round in circles is refused', async ({ run, stored }) => {
  const client = new Client(await run(['--hops', '3']).port());
  const received = 'Received: from a.example by b.example; 1 Jan 2026 00:00:00 +0000\r\n';
  await client.data();
  expect(await client.say(`${received.repeat(4)}\r\nText\r\n.`)).toMatch(/^554 5\.4\.6 Routing loop/);
  await client.again();
  expect(await client.say(`${received.repeat(3)}\r\nText\r\n.`)).toMatch(/^250 /);
  expect(stored().size).toBe(1);
});

test('a message that has passed here again and again is refused', async ({ run, stored }) => {
  const client = new Client(await run(['--hostname', 'mx.example']).port());
  const received = 'Received: from a.example by mx.example with SMTP; 1 Jan 2026 00:00:00 +0000\r\n';
  await client.data();
  expect(await client.say(`${received.repeat(11)}\r\nText\r\n.`)).toBe('554 5.4.6 Routing loop detected: it has passed here 11 times');
  await client.again();
  expect(await client.say(`${received.repeat(10)}\r\nText\r\n.`)).toMatch(/^250 /);
  expect(stored().size).toBe(1);
});

test('there is one Return-Path, at the very top, whatever the client has written (RFC 5321 4.4)', async ({ run, stored }) => {
  const client = new Client(await run().port());
  await client.data();
  expect(await client.say('Received: x\r\nReturn-Path: <old@example.net>\r\nSubject: x\r\n\r\nReturn-Path: y\r\n.')).toMatch(/^250 /);
  const [file = ''] = stored().values();
  expect(file.match(/^[\w-]+:/gm)).toEqual(['Return-Path:', 'Received:', 'X-Envelope-To:', 'Received:', 'Subject:', 'Return-Path:']);
});

test('a header beyond all measure is refused', async ({ run, stored }) => {
  const client = new Client(await run().port());
  await client.data();
  expect(await client.say(`${'A: 1\r\n'.repeat(1001)}\r\nText\r\n.`)).toBe('554 5.6.0 The header can not be taken: more than 1000 fields');
  expect(stored().size).toBe(0);
});

test('the fields on top of a message hold addresses beyond ASCII as UTF-8', async ({ run, stored }) => {
  const client = await greeted(await run().port());
  await client.say('EHLO client.example');
  for (const path of ['MAIL FROM:<j\u00f6rg@client.example> SMTPUTF8', 'RCPT TO:<\u65e5\u672c@mx.example>'])
    expect(await client.say(Buffer.from(path).toString('latin1'))).toMatch(/^250 /);
  await client.say('DATA');
  expect(await client.say('Subject: x\r\n\r\nText\r\n.')).toMatch(/^250 /);
  const [file = ''] = stored().values();
  const text = Buffer.from(file, 'latin1').toString();
  expect(text).toMatch(/^Return-Path: <j\u00f6rg@client\.example>\r\n/);
  expect(text).toMatch(/with UTF8SMTP id [\s\S]*X-Envelope-To: <\u65e5\u672c@mx\.example>\r\n/);
});

test('what is left of messages that were never finished is swept away, in time', async ({ run, folder }) => {
  const drafts = join(folder, 'mail', 'tmp');
  mkdirSync(drafts, { recursive: true });
  for (const name of ['old', 'young']) writeFileSync(join(drafts, name), '');
  const long = new Date(Date.now() - 37 * 3_600_000);
  utimesSync(join(drafts, 'old'), long, long);
  await run().port();
  expect(readdirSync(drafts)).toEqual(['young']);
});

describe('--explain', () => {
  test('prints the policy and what EHLO will be answered, and listens to nobody', async ({ run, folder }) => {
    const cli = run(['--explain', '--hostname', 'mx.example.org', '--tls-self-signed', '--user', 'joe:secret', '--limit-faults', '7'], {});
    expect(await cli.exited).toBe(0);
    const text = cli.lines.join('\n');
    expect(text).toMatch(/^mx\.example\.org: SMTP, preset sink$/m);
    expect(text).toMatch(/^ {2}faults +7 faults: /m);
    const [clear = '', tls = ''] = text.split('and under TLS:');
    expect(clear).toMatch(/250-STARTTLS/);
    expect(clear).not.toMatch(/250.AUTH/);
    expect(tls).toMatch(/250-AUTH .*PLAIN/);
    expect(tls).not.toMatch(/STARTTLS/);
    expect(text).not.toMatch(/secret/);
    expect(folder).toBeTruthy();
  });

  test('does not wait for a greeting that is held back', async ({ run }) => {
    const cli = run(['--explain', '--limit-greeting-delay', '60000']);
    expect(await cli.exited).toBe(0);
    expect(cli.lines.join('\n')).toMatch(/250-PIPELINING[\s\S]*greetingDelay|greetingDelay +60000[\s\S]*250-PIPELINING/);
  });

  test('--json: as one object', async ({ run }) => {
    const cli = run(['--explain', '--json', '--lmtp']);
    expect(await cli.exited).toBe(0);
    const explanation = JSON.parse(cli.lines[0]!) as { protocol: string; hello: { clear: string[]; tls: null } };
    expect([explanation.protocol, explanation.hello.tls]).toEqual(['lmtp', null]);
    expect(explanation.hello.clear).toContain('250-PIPELINING');
  });

  test('FUTURERELEASE, where it may be offered', async ({ run }) => {
    const submission = run(['--explain', '--preset', 'submission', '--futurerelease', '--user', 'joe:x', '--allow-cleartext-auth']);
    expect(await submission.exited).toBe(0);
    expect(submission.lines.join('\n')).toMatch(/250.FUTURERELEASE 999999999 9999-12-31T23:59:59Z/);
    const sink = run(['--explain', '--no-futurerelease']);
    expect(await sink.exited).toBe(0);
    expect(sink.lines.join('\n')).not.toMatch(/FUTURERELEASE/);
  });
});

test('an extension that is switched off takes along what is nothing without it', async ({ run }) => {
  const cli = run(['--explain', '--no-chunking', '--no-8bitmime']);
  expect(await cli.exited).toBe(0);
  expect(cli.lines.join('\n')).not.toMatch(/CHUNKING|BINARYMIME|8BITMIME|SMTPUTF8/);
});

test('users in clear on a Unix socket alone, whatever --host is', async ({ run, folder }) => {
  const path = join(folder, 'users.sock');
  const cli = run(['serve', '--unix', path, '--host', '0.0.0.0', '--user', 'joe:secret', '--maildir', join(folder, 'mail')]);
  await cli.line(/^listening on .*users\.sock$/);
});

test.each([
  ['submission without users', ['--preset', 'submission'], /name users by --user or --users/],
  ['a mode without its socket', ['--unix-mode', '660'], /--unix-mode .* name one by --unix/],
  ['LMTP that is another preset', ['--lmtp', '--preset', 'submission'], /--lmtp is --preset lmtp/],
  ['two sizes', ['--size', '100000', '--limit-message-size', '100000'], /--size and --limit-message-size are the same/],
  ['a contradiction', ['--no-chunking', '--binarymime'], /BINARYMIME cannot be offered without CHUNKING/],
  ['a network that is none', ['--trust-xclient', '192.0.2.0/33'], /no address or network.*--trust-xclient/],
  [
    'an extension without the one that it needs',
    ['--binarymime', '--no-chunking', '--preset', 'mx'],
    /BINARYMIME cannot be offered without CHUNKING/,
  ],
  ['what is for submission only', ['--futurerelease', '--preset', 'mx'], /FUTURERELEASE must not be offered but for submission/],
  ['TLS that is required and not to be had', ['--require-tls'], /--require-tls needs a certificate/],
  ['AUTH that is required of nobody', ['--require-auth'], /--require-auth needs users/],
  ['a limit below the least of the standard', ['--limit-recipients', '5'], /recipients is 5.*at least 100/],
  ['a mode that is none', ['--unix', '/tmp/x', '--unix-mode', '9'], /mode in octal/],
])('%s is told', async (_, args, message) => {
  const { Cli } = await import('./cli.ts');
  const cli = new Cli(['serve', ...args]);
  expect(await cli.exited).toBe(2);
  expect(cli.errors).toMatch(message);
});
