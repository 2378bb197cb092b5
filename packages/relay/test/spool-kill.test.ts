import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Job } from '@ehlo/delivery';
import { afterEach, expect, test } from 'vitest';
import { openSpool } from '../src/spool/index.ts';

const VICTIM = fileURLToPath(new URL('spool/victim.mjs', import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** What a process has said before it was killed, at so many lines. */
async function killed(folder: string, first: number, lines: number, meanwhile: () => Promise<void> = async () => {}): Promise<string[]> {
  const child = spawn(process.execPath, [VICTIM, folder, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const ended = once(child, 'exit');
  const said: string[] = [];
  let isKilled = false;
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (said.length < lines || isKilled) continue;
    isKilled = true;
    child.kill('SIGSTOP');
    await meanwhile();
    child.kill('SIGKILL');
  }
  await ended;
  return said;
}

test('a process that was killed has lost nothing that it had said, and its lock is free', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-spool-'));
  const put = new Set<string>();
  const over = new Set<string>();
  const begun = new Set<string>();
  for (const [round, lines] of [1, 30, 47, 120].entries()) {
    const said = await killed(folder, round * 10_000, lines, async () => {
      // It stands still, and has the spool.
      await expect(openSpool(folder)).rejects.toMatchObject({ code: 'locked' });
    });
    for (const line of said) {
      const [what, id = ''] = line.split(' ');
      (what === 'put' ? put : what === 'begun' ? begun : over).add(id);
    }
    const told: string[] = [];
    const spool = await openSpool(folder, { failed: ({ message }) => told.push(message) });
    const jobs = new Map<string, Job>();
    for await (const job of spool.find({})) jobs.set(job.id, job);
    // Of what was begun, the end may be written down though nobody was told.
    expect([...put].filter((id) => !jobs.has(id) && !over.has(id) && !begun.has(id))).toEqual([]);
    expect([...over].filter((id) => jobs.has(id))).toEqual([]);
    expect([...begun].filter((id) => jobs.has(id) && jobs.get(id)!.begun === undefined)).toEqual([]);
    for (const { id, message } of jobs.values()) {
      const parts: Uint8Array[] = [];
      for await (const bytes of spool.content(message.id)) parts.push(bytes);
      expect(Buffer.concat(parts).toString()).toBe(`text ${id.slice(1)}`);
    }
    expect(told).toEqual([]);
    await spool.close();
  }
  expect([put.size, over.size].every((size) => size > 20)).toBe(true);
});
