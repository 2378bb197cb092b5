// Engines without sockets: when their program is started, and when it is given another task.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ClientCheck, Task } from '../src/client/check.ts';
import type { Peer } from '../src/client/peer.ts';
import type { Subject } from '../src/client/run.ts';
import { shimSubject } from '../src/client/shim.ts';
import { fromBytes } from '../src/octets.ts';

/** Sends the number of its process, and has sent all when the server has closed. Its argument says what it does then. */
const PROGRAM = `
const [behind] = process.argv.slice(2);
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const told = JSON.parse(line);
  if (behind === 'breaks' && told.end) return console.log('no JSON');
  const output = told.client ? btoa(String(process.pid)) : undefined;
  console.log(JSON.stringify({ output, done: told.end === true ? true : undefined, again: told.end === true && behind !== 'says nothing' }));
  if (told.end && behind === 'ends') process.exit();
});
`;

const PATIENCE = 60_000;
const TASK: Task = { from: 'ann@sender.example', to: ['bob@receiver.example'], content: 'A line.\r\n' };
let folder: string;
let subject: Subject;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ehlo-conform-'));
  writeFileSync(join(folder, 'shim.cjs'), PROGRAM);
});
afterEach(() => subject.close?.());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shim(behind: string): void {
  subject = shimSubject(`exec '${process.execPath}' '${join(folder, 'shim.cjs')}' '${behind}'`, PATIENCE);
}

/** Gives it a task; resolves to the process that has done it. */
async function work(): Promise<number> {
  let sent = '';
  const examine = async (peer: Peer): Promise<void> => {
    const seen = await peer.read(0);
    if (typeof seen !== 'string') sent = fromBytes(seen);
  };
  const exit = await subject.work(TASK, {} as ClientCheck, examine, 'smtp');
  expect(exit).toBe(0);
  return Number(sent);
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const gone = (pid: number) => expect.poll(() => lives(pid), { timeout: PATIENCE }).toBe(false);

test('a program that takes another task is given it, and stopped when there is none', async () => {
  shim('goes on');
  const first = await work();
  expect([await work(), await work()]).toEqual([first, first]);
  const several = await Promise.all([work(), work()]);
  expect(several).toContain(first);
  expect(new Set(several).size).toBe(2);
  subject.close?.();
  for (const pid of several) await gone(pid);
});

test.each(['says nothing', 'ends'])('a program that %s behind its task is started anew', async (behind) => {
  shim(behind);
  const first = await work();
  await gone(first);
  expect(await work()).not.toBe(first);
});

test('a program that breaks is not given another', async () => {
  shim('breaks');
  await expect(work()).rejects.toThrow('--shim: this is no JSON: no JSON');
  await expect(work()).rejects.toThrow('--shim: this is no JSON: no JSON');
});
