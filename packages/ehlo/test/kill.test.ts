// kill -9 under load: what was acknowledged is on disk, whole; what is in new/ is whole; and the next server goes on from there.
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'vitest';
import { Client, test, until } from './cli.ts';

const ROUNDS = 8;
const CLIENTS = 20;

/** Lines to cut payloads from; some begin with dots. */
const LINES = Array.from({ length: 4000 }, () => '.'.repeat(randomInt(3)) + randomBytes(randomInt(60)).toString('base64'));

/** What clients have been told, over all rounds: the numbers of messages by their queue ids. */
class Ledger {
  readonly acknowledged: Map<string, number> = new Map();
  sent = 0;

  /** A message that says itself what it has to be. */
  next(): { readonly number: number; readonly content: string } {
    const number = this.sent++;
    const from = randomInt(LINES.length);
    const size = randomInt(10) === 0 ? LINES.length : randomInt(300);
    const payload = LINES.slice(from, from + size)
      .map((line) => `${line}\r\n`)
      .join('');
    return { number, content: `Check: ${number} ${payload.length} ${digest(payload)}\r\n\r\n${payload}` };
  }
}

/** Sends one message after the other until the connection is gone; the next envelope goes out along with each message. */
function sendOn(port: number, ledger: Ledger): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const envelope = 'MAIL FROM:<sender@client.example>\r\nRCPT TO:<one@mx.example>\r\nDATA\r\n';
  let pending = -1;
  let rest = '';
  socket.write(`EHLO client.example\r\n${envelope}`);
  socket.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\r\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const id = /^250 .* queued as (\w+)$/.exec(line)?.[1];
      if (id !== undefined) ledger.acknowledged.set(id, pending);
      else if (line.startsWith('354')) {
        const { number, content } = ledger.next();
        pending = number;
        socket.write(`${content.replaceAll(/^\./gm, '..')}.\r\n${envelope}`, 'latin1');
      } else if (!/^2[25]0[ -]/.test(line)) socket.destroy(new Error(line));
    }
  });
  return new Promise((resolve, reject) => {
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!['ECONNRESET', 'EPIPE'].includes(error.code ?? '')) reject(error);
    });
    socket.on('close', () => resolve());
  });
}

test(`kill -9 under load, ${ROUNDS} times`, async ({ folder, run }) => {
  const ledger = new Ledger();
  const numbers = new Map<string, number>(); // by file name: every file in new/ that was found whole
  let drafts = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const cli = run(round % 2 === 0 ? ['--quiet'] : ['--raw']);
    const port = await cli.port();
    const before = ledger.acknowledged.size;
    const senders = Array.from({ length: CLIENTS }, () => sendOn(port, ledger));
    const patience = randomInt(300);
    await until('mail flows', () => (ledger.acknowledged.size > before + CLIENTS ? true : undefined));
    await wait(patience);
    cli.child.kill('SIGKILL');
    expect(await cli.exited).toBe('SIGKILL');
    await Promise.all(senders);

    for (const name of readdirSync(join(folder, 'mail', 'new'))) {
      if (!numbers.has(name)) numbers.set(name, numberOf(readFileSync(join(folder, 'mail', 'new', name), 'latin1'), name));
    }
    const stored = new Map([...numbers].map(([name, number]) => [name.split('.')[1]!, number]));
    const lost = [...ledger.acknowledged].filter(([id, number]) => stored.get(id) !== number);
    expect(lost, `acknowledged, but not stored, in round ${round}, killed after ${patience} ms`).toEqual([]);
    drafts = readdirSync(join(folder, 'mail', 'tmp')).length;
  }
  // Each round was cut in the middle of things, and no message was stored twice under load.
  expect(drafts).toBeGreaterThan(0);
  expect(ledger.acknowledged.size).toBeGreaterThan(ROUNDS * CLIENTS);
  expect(new Set(numbers.values()).size).toBe(numbers.size);

  const cli = run(['--raw']);
  const client = new Client(await cli.port());
  await client.data();
  expect(await client.say('the last\r\n.')).toMatch(/^250 /);
  expect(await client.say('QUIT')).toMatch(/^221 /);
  cli.child.kill('SIGTERM');
  expect(await cli.exited).toBe(0);
  expect(readdirSync(join(folder, 'mail', 'new')).length).toBe(numbers.size + 1);
});

/** The number that a file gives itself; throws if it is not whole. */
function numberOf(file: string, name: string): number {
  const check = /^(?:Return-Path: [\s\S]*?\r\n)?Check: (\d+) (\d+) (\w{64})\r\n\r\n/.exec(file);
  const payload = file.slice(check?.[0].length ?? 0);
  const found = [payload.length, digest(payload)].join(' ');
  const stated = check?.slice(2).join(' ');
  if (found !== stated) throw new Error(`${name} is not whole: it states ${stated}, and has ${found}`);
  return Number(check![1]);
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}
