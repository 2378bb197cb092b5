// A spool whose octets on the disk are made others, and what is found of it then.

import { type Job, type JobChange, newJob } from '@ehlo/delivery';
import { openSpool, type Spool } from '../../src/spool/index.ts';
import { Dice, SimulatedDisk } from './simulated-disk.ts';

export const NONE: ReadonlyMap<string, readonly Uint8Array[]> = new Map();
export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const decode = (octets: Uint8Array): string => new TextDecoder().decode(octets);
export const jobOf = (id: string): Job =>
  newJob(id, { id: `m-${id}`, reversePath: 'ann@example.org', arrived: 1000, size: 4 }, 'example.net', [{ address: 'joe@example.net' }]);
export const later = ({ id }: Job): JobChange => ({ job: id, tries: 1, attempt: 0, recipients: [], due: 9000, release: true, put: [] });

/** A job whose content is lost. */
export const lost = (id: string): Job => ({ ...jobOf(id), message: { ...jobOf(id).message, damaged: true } });

/** Brings a job to its end. */
export async function over(spool: Spool, id: string): Promise<void> {
  const lease = (await spool.take(10)).find(({ job }) => job.id === id)!;
  await spool.settle(lease, { ...later(lease.job), recipients: [{ index: 0, state: 'failed' }], due: null }, NONE);
}

/** A disk with what a spool has left, and the names of its files. */
export async function left(use: (spool: Spool) => Promise<void>): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ dice: new Dice(1) });
  const spool = await openSpool('spool', { disk, now: () => 2000 });
  await use(spool);
  await spool.close();
  return disk;
}

/** What is found on a disk: its jobs, and what was told. */
export async function found(disk: SimulatedDisk): Promise<{ spool: Spool; jobs: Map<string, Job>; told: string[] }> {
  const told: string[] = [];
  const spool = await openSpool('spool', { disk, now: () => 2000, failed: ({ message }) => told.push(message) });
  const jobs = new Map<string, Job>();
  const all: Job[] = [];
  for await (const job of spool.find({})) all.push(job);
  for (const job of all.sort((a, b) => (a.id < b.id ? -1 : 1))) jobs.set(job.id, job);
  return { spool, jobs, told };
}

export async function octetsOf(spool: Spool, id: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const bytes of spool.content(id)) parts.push(bytes);
  return decode(Buffer.concat(parts));
}

export const three = async (spool: Spool): Promise<void> => {
  for (const id of ['a', 'b', 'c']) await spool.put([jobOf(id)], [encode(`text of ${id}`)]);
};

/** Other octets in a file, from the first place where the text stands. */
export function flip(disk: SimulatedDisk, path: string, text: string): void {
  const octets = disk.octets(path).slice();
  const at = Buffer.from(octets).indexOf(text);
  if (at === -1) throw new Error(`${path} has no ${text}`);
  octets[at]! ^= 1;
  disk.damage(path, octets);
}
