// A log file that is cleaned away takes nothing along that counts, though lines of it can not be read any more.
import type { Job } from '@ehlo/delivery';
import { describe, expect, test } from 'vitest';
import { openSpool, type Spool } from '../src/spool/index.ts';
import { encode, flip, jobOf, later, NONE } from './spool/damage.ts';
import { Dice, SimulatedDisk } from './spool/simulated-disk.ts';

/** Log files this short are cleaned away soon. */
const LOG_SIZE = 500;

const open = async (disk: SimulatedDisk, told: string[] = []): Promise<Spool> =>
  openSpool('spool', { disk, now: () => 2000, logSize: LOG_SIZE, failed: ({ message }) => told.push(message) });

/** Writes about another job until a file of the log is gone. */
async function cleaned(spool: Spool, disk: SimulatedDisk, file: string): Promise<void> {
  await spool.put([jobOf('other')], [encode('other')]);
  while (disk.files.includes(file)) await spool.operate('other', 'hold');
}

async function jobsOf(spool: Spool): Promise<Map<string, Job>> {
  const jobs = new Map<string, Job>();
  for await (const job of spool.find({})) jobs.set(job.id, job);
  return jobs;
}

/** Two jobs of one message, `a` and `b`. */
async function two(disk: SimulatedDisk): Promise<Spool> {
  const spool = await open(disk);
  const { message } = jobOf('b');
  await spool.put([{ ...jobOf('a'), message }, jobOf('b')], [encode('text')]);
  return spool;
}

const LOG = 'spool/log/1';

describe('a job of which a line of the log can not be read', () => {
  /** `a` was settled, and nobody can read how. */
  async function damaged(): Promise<SimulatedDisk> {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const spool = await two(disk);
    const [lease] = await spool.take(1);
    await spool.settle(lease!, { ...later(lease!.job), due: 2000 }, NONE);
    await spool.operate('b', 'hold');
    await spool.close();
    flip(disk, LOG, '"tries":1');
    return disk;
  }

  test('is held by every opening, until an operator says what is to become of it', async () => {
    const disk = await damaged();
    for (let opening = 0; opening < 3; opening++) {
      const told: string[] = [];
      const spool = await open(disk, told);
      expect([await spool.take(10), (await jobsOf(spool)).get('a')?.held]).toEqual([[], true]);
      expect(told).toEqual([expect.stringMatching(/^log\/1: the record at octet 0/), expect.stringMatching(/^job a .* held$/)]);
      await spool.close();
    }
    const spool = await open(disk);
    expect(await spool.operate('a', 'release')).toBe(true);
    await spool.close();
    expect((await (await open(disk)).take(10)).map(({ job }) => job.id)).toEqual(['a']);
  });

  test('is held still when that line was cleaned away', async () => {
    const disk = await damaged();
    const spool = await open(disk);
    await cleaned(spool, disk, LOG);
    await spool.close();
    const told: string[] = [];
    const again = await open(disk, told);
    expect([await again.take(10), (await jobsOf(again)).get('a')?.held, told]).toEqual([[], true, []]);
  });

  test('and whose message the disk did not give is held when it does', async () => {
    const disk = await damaged();
    let isBad = true;
    const bad = disk.restarted(
      { dice: new Dice(1), fault: (_, operation, path) => (isBad && operation === 'read' && path.endsWith('q/00/1') ? 'EIO' : null) },
      false,
    );
    const spool = await open(bad);
    await cleaned(spool, bad, LOG);
    await spool.close();
    isBad = false;
    const again = await open(bad);
    expect([await again.take(10), (await jobsOf(again)).get('a')?.held]).toEqual([[], true]);
  });
});

describe('a line that is damaged while the spool is open', () => {
  test('by which an attempt was begun: it is begun still when the line was cleaned away', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const told: string[] = [];
    const spool = await open(disk, told);
    await spool.put([jobOf('a')], [encode('text')]);
    const [lease] = await spool.take(1);
    await spool.begin(lease!, { attempt: 1, recipients: [0], at: 2000 });
    flip(disk, LOG, '"begun"');
    await cleaned(spool, disk, LOG);
    expect(told).toEqual([expect.stringMatching(/^log\/1: the record at octet 0 .*, and goes$/)]);
    await spool.close();
    expect((await jobsOf(await open(disk))).get('a')?.begun?.attempt).toBe(1);
  });

  test('by which a job was over whose message has another: it does not come back when the line was cleaned away', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const spool = await two(disk);
    await spool.operate('a', 'delete');
    flip(disk, LOG, '"over"');
    await cleaned(spool, disk, LOG);
    await spool.close();
    expect([...(await jobsOf(await open(disk))).keys()].sort()).toEqual(['b', 'other']);
  });

  test('with the value of a job: that is held as it was put when the line was cleaned away', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const spool = await two(disk);
    const [lease] = await spool.take(1);
    await spool.settle(lease!, { ...later(lease!.job), due: 2000 }, NONE);
    flip(disk, LOG, '"tries":1');
    await cleaned(spool, disk, LOG);
    await spool.close();
    const again = await open(disk);
    expect((await again.take(10)).map(({ job }) => job.id)).toEqual(['b']);
    expect((await jobsOf(again)).get('a')).toMatchObject({ held: true });
  });
});
