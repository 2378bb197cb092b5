// `ehlo relay`: the real command line, files, signals and ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '@ehlo/relay';
import { describe, expect } from 'vitest';
import { parseJson5 } from '../src/json5.ts';
import { relayLog } from '../src/relay-log.ts';
import { systemdSockets } from '../src/relay-sockets.ts';
import { Cli, Client, test } from './cli.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A configuration in a folder, with `change` in place of what stands there. */
function written(folder: string, change: object = {}): string {
  const file = join(folder, 'relay.json');
  writeFileSync(
    file,
    JSON.stringify({
      hostname: 'mx.example.org',
      postmaster: 'ann@example.org',
      listeners: [{ kind: 'mx', name: 'mx', host: '127.0.0.1', port: 0 }],
      domains: ['example.org'],
      recipients: ['ann@example.org'],
      routes: [{ to: 'host', domains: ['*'], hosts: ['127.0.0.1'], port: 1, tls: 'clear' }],
      queue: { kind: 'spool', folder: join(folder, 'spool') },
      // Nobody is asked.
      dns: { servers: ['127.0.0.1:1'] },
      log: { format: 'json' },
      ...change,
    }),
  );
  return file;
}

async function portOf(cli: Cli): Promise<number> {
  return (JSON.parse(await cli.line(/"event":"listening"/)) as { port: number }).port;
}

async function relay(file: string, use: (cli: Cli) => Promise<void>): Promise<Cli> {
  const cli = new Cli(['relay', '--config', file]);
  try {
    await use(cli);
  } finally {
    cli.child.kill('SIGKILL');
  }
  await cli.exited;
  return cli;
}

test('mail that was acknowledged is there when the relay is started again after a crash', async ({ folder }) => {
  const file = written(folder);
  await relay(file, async (cli) => {
    const client = new Client(await portOf(cli));
    await client.reply();
    await client.say('EHLO client.example');
    await client.say('MAIL FROM:<may@example.net>');
    expect(await client.say('RCPT TO:<joe@example.org>')).toBe('550 5.1.1 No such user here');
    expect(await client.say('RCPT TO:<may@example.net>')).toBe('550 5.7.1 Relaying denied');
    await client.say('RCPT TO:<ann@example.org>');
    await client.say('DATA');
    expect(await client.say('Subject: hello\r\n\r\nhello\r\n.')).toMatch(/^250 2\.\d\.0 Queued as /);
  });
  const server = createServer((socket) => socket.on('error', () => {}).end('220 mx.example.net\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const asked = new Promise<void>((resolve) => server.once('connection', () => resolve()));
  const again = written(folder, {
    delivery: { preset: 'test' },
    routes: [{ to: 'host', domains: ['*'], hosts: ['127.0.0.1'], port, tls: 'clear' }],
  });
  await relay(again, async () => await asked);
  server.close();
});

test('SIGHUP reads the configuration again; what is wrong is told with its line, and what was read before stays', async ({ folder }) => {
  const file = written(folder);
  await relay(file, async (cli) => {
    const port = await portOf(cli);
    const client = new Client(port);
    await client.reply();
    await client.say('EHLO client.example');
    await client.say('MAIL FROM:<may@example.net>');
    expect(await client.say('RCPT TO:<joe@example.org>')).toMatch(/^550 /);
    writeFileSync(file, '{\n  "hostnam": "mx.example.org"\n}');
    cli.child.kill('SIGHUP');
    await cli.told(/relay\.json:2:3: there is no option hostnam: did you mean hostname\?/);
    expect(await client.say('RCPT TO:<ann@example.org>')).toMatch(/^250 /);
    written(folder, { recipients: ['ann@example.org', 'joe@example.org'] });
    cli.child.kill('SIGHUP');
    await cli.line(/"event":"reloaded"/);
    expect(await client.say('RCPT TO:<joe@example.org>')).toMatch(/^250 /);
  });
});

test('SIGTERM stops it when what has begun has ended', async ({ folder }) => {
  const cli = new Cli(['relay', '--config', written(folder)]);
  const port = await portOf(cli);
  cli.child.kill('SIGTERM');
  expect(await cli.exited).toBe(0);
  expect(cli.errors).toMatch(/^ehlo: stopping: /);
  await expect(
    new Promise((resolve, reject) => connect(port, '127.0.0.1').once('connect', resolve).once('error', reject)),
  ).rejects.toThrow();
});

test('a second signal stops it at once', async ({ folder }) => {
  const cli = new Cli(['relay', '--config', written(folder)]);
  const client = new Client(await portOf(cli));
  await client.reply();
  await client.say('EHLO client.example');
  await client.say('MAIL FROM:<may@example.net>');
  await client.say('RCPT TO:<ann@example.org>');
  expect(await client.say('DATA')).toMatch(/^354 /);
  cli.child.kill('SIGTERM');
  await cli.told(/stopping/);
  cli.child.kill('SIGTERM');
  expect(await cli.exited).toBe(1);
});

test('each route delivers in its own way; the queue is looked at by its socket', async ({ folder }) => {
  const posted: (readonly [authorization: string | undefined, recipient: string | undefined, text: string])[] = [];
  const web = createWebServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    request.on('end', () => {
      posted.push([request.headers.authorization, request.headers['ehlo-recipient'] as string, text]);
      response.end();
    });
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const { port } = web.address() as { port: number };
  writeFileSync(join(folder, 'token'), 'Bearer 4711\n');
  const run = join(folder, 'run');
  mkdirSync(run, { mode: 0o700 });
  const file = written(folder, {
    domains: ['dir.example', 'web.example', 'program.example'],
    recipients: ['ann@dir.example', 'ann@web.example', 'ann@program.example'],
    postmaster: 'ann@dir.example',
    routes: [
      { to: 'maildir', domains: ['dir.example'], folder: `${folder}/mail/{domain}/{local}` },
      { to: 'http', domains: ['web.example'], url: `http://127.0.0.1:${port}/in`, authorization: { file: join(folder, 'token') } },
      {
        to: 'command',
        domains: ['program.example'],
        command: ['/bin/sh', '-c', 'cat > "$1" && echo "$RECIPIENT" >> "$1"', 'x', `${folder}/{local}`],
      },
    ],
    control: { socket: join(run, 'control.sock') },
  });
  await relay(file, async (cli) => {
    const client = new Client(await portOf(cli));
    await client.reply();
    await client.say('EHLO client.example');
    await client.say('MAIL FROM:<may@example.net>');
    for (const domain of ['dir', 'web', 'program']) expect(await client.say(`RCPT TO:<ann@${domain}.example>`)).toMatch(/^250 /);
    await client.say('DATA');
    await client.say('Subject: hello\r\n\r\nhello\r\n.');
    for (const job of ['0', '1', '2']) await cli.line(new RegExp(`"event":"final","job":"[^"]*\\.${job}"`));
    const asked = new Cli(['queue', 'status', '--socket', join(run, 'control.sock')]);
    expect(await asked.exited).toBe(0);
    expect(asked.lines[0]).toMatch(/^relay mx\.example\.org: running/);
    expect(JSON.stringify(cli.lines)).not.toContain('4711');
  });
  web.close();
  const stored = readdirSync(join(folder, 'mail/dir.example/ann/new'));
  expect(stored).toHaveLength(1);
  expect(readFileSync(join(folder, 'mail/dir.example/ann/new', stored[0]!), 'latin1')).toMatch(
    /^Return-Path: <may@example\.net>\r\nReceived: /,
  );
  expect(posted).toEqual([['Bearer 4711', expect.stringMatching(/^ann(?:@|%40)web\.example$/), expect.stringMatching(/\r\nhello\r\n$/)]]);
  expect(readFileSync(join(folder, 'ann'), 'latin1')).toMatch(/hello\r\nann@program\.example\n$/);
});

describe('what can not be', () => {
  test('a configuration that is wrong: each problem with its place', async ({ folder }) => {
    const file = join(folder, 'relay.json5');
    writeFileSync(file, "{\n  hostname: 'mx',\n  listeners: [\n    { kind: 'smtp' },\n  ],\n}");
    const cli = new Cli(['relay', '--config', file]);
    expect(await cli.exited).toBe(78);
    expect(cli.errors.split('\n').map((line) => line.replace(folder, ''))).toEqual([
      'ehlo: /relay.json5:2:3: hostname is "mx"; it must be a full host name or an address literal, such as "mx.example.org"',
      expect.stringMatching(/^ehlo: \/relay\.json5:1:1: postmaster is missing: who reads mail to postmaster/),
      'ehlo: /relay.json5:4:7: listeners.0.kind is "smtp"; it must be one of mx, submission, lmtp: did you mean lmtp?',
      'ehlo: /relay.json5:1:1: queue is missing: where mail waits.',
      '',
    ]);
  });

  test('a file of users that is not there, a port in use, a spool that another has, no file', async ({ folder }) => {
    const submission = { kind: 'submission', tls: 'off', host: '127.0.0.1', port: 0 };
    const users = new Cli(['relay', '--config', written(folder, { listeners: [submission], users: { file: '/nowhere/users' } })]);
    expect([await users.exited, users.errors]).toEqual([
      78,
      expect.stringMatching(/relay\.json:1:\d+: users\.file: the file \/nowhere\/users is not there\n$/),
    ]);
    await relay(written(folder), async (first) => {
      const port = await portOf(first);
      const listeners = [{ kind: 'mx', name: 'mx', host: '127.0.0.1', port }];
      const taken = new Cli(['relay', '--config', written(folder, { listeners, queue: { kind: 'memory' } })]);
      expect([await taken.exited, taken.errors]).toEqual([
        69,
        `ehlo: listener mx: port ${port} on 127.0.0.1 is in use: another server runs there\n`,
      ]);
      const locked = new Cli(['relay', '--config', written(folder)]);
      expect(await locked.exited).toBe(69);
      expect(locked.errors).toContain('spool');
    });
    const none = new Cli(['relay', '--config', join(folder, 'none')]);
    expect([await none.exited, none.errors]).toEqual([78, `ehlo: --config: there is no file ${join(folder, 'none')}\n`]);
  });
});

test('--check says what is open, and ends', async ({ folder }) => {
  const cli = new Cli(['relay', '--config', written(folder), '--check']);
  expect(await cli.exited).toBe(0);
  expect(cli.lines.at(-1)).toBe('Nothing is open that is not named.');
  expect(existsSync(join(folder, 'spool'))).toBe(false);
});

test('--print-schema prints what is in docs', async () => {
  const cli = new Cli(['relay', '--print-schema']);
  expect(await cli.exited).toBe(0);
  expect(`${cli.lines.join('\n')}\n`).toBe(readFileSync(`${ROOT}docs/relay.schema.json`, 'utf8'));
});

test('the configurations of the page and of the example are ones', () => {
  const page = readFileSync(`${ROOT}docs/relay.md`, 'utf8');
  const blocks = [...page.matchAll(/```json5\n([\s\S]*?)```/g)].map(([, text]) => text!);
  expect(blocks).toHaveLength(4);
  for (const text of [...blocks, readFileSync(`${ROOT}examples/relay/relay.json5`, 'utf8')]) readConfig(parseJson5(text).value);
});

test('what a relay tells can neither end a line nor move the cursor', () => {
  const lines: string[] = [];
  const now = (): Date => new Date(0);
  const tell = relayLog({ format: 'text', level: 'info' }, (line) => lines.push(line), now);
  tell('info', 'queued', { from: 'a\r\nb@example.org', to: ['x', 'y'], empty: '', text: 'two words' });
  tell('debug', 'closed');
  relayLog({ format: 'json', level: 'warn' }, (line) => lines.push(line), now)('warn', 'failed', { error: 'x\ny' });
  expect(lines).toEqual([
    '1970-01-01T00:00:00.000Z info queued from=a\\\\x0d\\\\x0ab@example.org to=x,y empty="" text="two words"'.replaceAll('\\\\', '\\'),
    '{"time":"1970-01-01T00:00:00.000Z","level":"warn","event":"failed","error":"x\\ny"}',
  ]);
});

test.skipIf((process.env.EHLO_RUNTIME ?? 'node') !== 'node')('a socket that listens already is taken by its name', async ({ folder }) => {
  const opened = createServer();
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  const { port } = opened.address() as { port: number };
  const { fd } = (opened as unknown as { readonly _handle: { readonly fd: number } })._handle;
  // Its own port would need a right that nobody here has.
  const file = written(folder, { listeners: [{ kind: 'mx', name: 'mx', host: '192.0.2.1', port: 25 }] });
  const bin = fileURLToPath(new URL('../bin/ehlo.js', import.meta.url));
  const child = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.execPath, bin, 'relay', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit', fd],
    env: { PATH: process.env.PATH, LISTEN_FDS: '1', LISTEN_FDNAMES: 'mx' },
  });
  await once(child.stdout!, 'data');
  // The relay has one of its own: this one is not needed any more.
  opened.close();
  const client = new Client(port);
  expect(await client.reply()).toBe('220 mx.example.org ESMTP Service ready');
  client.socket.destroy();
  written(folder, { listeners: [{ kind: 'mx', name: 'mx', host: '192.0.2.1', port: 25, proxies: ['192.0.2.2'] }] });
  let said = '';
  child.stdout!.on('data', (text) => {
    said += text;
  });
  child.kill('SIGHUP');
  while (!said.includes('not-reloaded')) await once(child.stdout!, 'data');
  expect(said).toContain('takes a restart');
  const later = new Client(port);
  expect(await later.reply()).toBe('220 mx.example.org ESMTP Service ready');
  later.socket.destroy();
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
});

test('sockets of systemd are taken by their names, and only by the process that they are for', () => {
  const env = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'mx:submission' };
  expect([...systemdSockets(env, 7)]).toEqual([
    ['mx', 3],
    ['submission', 4],
  ]);
  expect([...systemdSockets(env, 8), ...systemdSockets({}, 7), ...systemdSockets({ ...env, LISTEN_FDS: 'x' }, 7)]).toEqual([]);
});
