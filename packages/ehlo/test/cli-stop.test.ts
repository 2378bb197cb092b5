// How `ehlo serve` stops.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { Client, test, until } from './cli.ts';

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('nothing is open: ends at once, with 0', async ({ run }) => {
    const cli = run();
    await cli.port();
    cli.child.kill(signal);
    expect(await cli.exited).toBe(0);
    expect(cli.errors).toMatch(/^ehlo: stopping; .*\n$/);
  });

  test('before it listens: ends at once, with 0, and never listens', async ({ run, folder }) => {
    const users = join(folder, 'users');
    execFileSync('mkfifo', [users]);
    const cli = run(['--users', users]);
    const writer = await until('the file is being read', () => openToWrite(users));
    cli.child.kill(signal);
    await cli.told(/stopped/);
    closeSync(writer); // a read that is under way ends with its process, or the other way round
    expect(await cli.exited).toBe(0);
    expect([cli.lines, cli.errors]).toEqual([[], 'ehlo: stopped before it listens\n']);
  });

  test('an open transaction ends and is acknowledged; then 421, and nobody new', async ({ run, stored }) => {
    const cli = run(['--raw']);
    const port = await cli.port();
    const [idle, busy] = [new Client(port), new Client(port)];
    await idle.reply();
    await busy.data();
    busy.socket.write('Subject: the last\r\n');
    cli.child.kill(signal);
    expect(await idle.reply()).toMatch(/^421 4\.3\.2 /);
    await cli.told(/stopping/);
    expect(await refused(port)).toBe('ECONNREFUSED');
    expect(await busy.say('\r\nText\r\n.')).toMatch(/^250 2\.6\.0 /);
    expect(await busy.say('MAIL FROM:<sender@client.example>')).toMatch(/^421 4\.3\.2 /);
    expect(await cli.exited).toBe(0);
    expect([...stored().values()]).toEqual(['Subject: the last\r\n\r\nText\r\n']);
  });

  test('a second one: ends at once, and what is not acknowledged is not stored', async ({ run, stored, folder }) => {
    const cli = run();
    const busy = new Client(await cli.port());
    await busy.data();
    // More than is written at once: a file is made for it.
    busy.socket.write('Text\r\n'.repeat(20_000));
    await until('the message has begun', () => readdirSync(join(folder, 'mail', 'tmp'))[0]);
    cli.child.kill(signal);
    await cli.told(/./);
    expect(cli.child.exitCode).toBe(null);
    cli.child.kill(signal);
    expect(await cli.exited).toBe(1);
    expect(await busy.reply()).toBe('');
    expect(stored().size).toBe(0);
  });
});

test('a reader of standard error that has gone: it is no failure', async ({ run }) => {
  const cli = run();
  await cli.port();
  cli.child.stderr!.destroy();
  cli.child.kill('SIGTERM');
  expect(await cli.exited).toBe(0);
});

/** Opens a pipe as soon as somebody reads it. */
function openToWrite(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

/** Tries to connect until nobody listens any more: not every runtime has closed a listener when it says so. */
async function refused(port: number): Promise<string> {
  let outcome = '';
  void (async () => {
    while (outcome !== 'ECONNREFUSED') outcome = await attempt(port);
  })();
  return await until('no new connection', () => (outcome === 'ECONNREFUSED' ? outcome : undefined));
}

/** The error of a connection, if there is one. */
async function attempt(port: number): Promise<string> {
  const socket = createConnection(port, '127.0.0.1');
  return await new Promise((resolve) => {
    socket.on('connect', () => {
      socket.destroy();
      resolve('');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
}
