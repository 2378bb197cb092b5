// A message that is put away while the spool is open, and what stands in the way of that.
import type { Lease } from '@ehlo/delivery';
import { describe, expect, test } from 'vitest';
import { openSpool, type Spool } from '../src/spool/index.ts';
import { encode, flip, found, jobOf, later, lost, NONE, octetsOf, over } from './spool/damage.ts';
import { FailingDisk } from './spool/failing-disk.ts';
import { Dice, SimulatedDisk } from './spool/simulated-disk.ts';

/** A spool with message `m-b`, the first, and what it tells. */
async function opened(disk: SimulatedDisk, clock: { now: number } = { now: 2000 }): Promise<{ spool: Spool; told: string[] }> {
  const told: string[] = [];
  const spool = await openSpool('spool', { disk, now: () => clock.now, failed: ({ message }) => told.push(message) });
  await spool.put([jobOf('b')], [encode('text of b')]);
  return { spool, told };
}

const FILE = 'spool/q/00/1';

/** A message of two recipients of which the first was delivered to, and whose content is another now. */
async function halfDelivered(disk: SimulatedDisk): Promise<{ spool: Spool; told: string[] }> {
  const { spool, told } = await opened(disk);
  const two = { ...jobOf('two'), recipients: ['ann', 'joe'].map((name) => ({ address: `${name}@example.net`, state: 'due' as const })) };
  await spool.put([two], [encode('text of two')]);
  const lease = (await spool.take(10)).find(({ job }) => job.id === 'two')!;
  await spool.settle(lease, { ...later(lease.job), recipients: [{ index: 0, state: 'relayed' }], due: 2000 }, NONE);
  flip(disk, 'spool/q/00/2', 'text of two');
  return { spool, told };
}

describe('a message that is damaged', () => {
  test('is put away where somebody has taken the folder for it', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const { spool, told } = await halfDelivered(disk);
    await disk.remove('spool/corrupt');
    await expect(octetsOf(spool, 'm-two')).rejects.toMatchObject({ code: 'damaged' });
    expect(told).toEqual([expect.stringMatching(/corrupt\/q-00-2 now; the senders of its jobs two are told$/)]);
    expect(disk.files).toContain('spool/corrupt/q-00-2');
    expect(disk.files).not.toContain('spool/q/00/2');
    await spool.close();
  });

  test('and can not be put away stays until the next opening; its senders are told, and it does not come back', async () => {
    const disk = new FailingDisk();
    const { spool, told } = await halfDelivered(disk);
    disk.fails = (operation, path) => operation === 'rename' && path.includes('corrupt');
    await expect(octetsOf(spool, 'm-two')).rejects.toMatchObject({ code: 'damaged' });
    disk.fails = null;
    expect(told).toEqual([expect.stringMatching(/content has another checksum; it could not be put away/)]);
    const lease = (await spool.take(10)).find(({ job }) => job.id === 'two')!;
    expect(lease.job).toMatchObject({ message: { damaged: true }, recipients: [{ state: 'relayed' }, { state: 'due' }] });
    await spool.settle(lease, { ...later(lease.job), recipients: [{ index: 1, state: 'failed' }], due: null }, NONE);
    await spool.close();
    expect([...(await found(disk)).jobs.keys()]).toEqual(['b']);
    expect(disk.files).not.toContain('spool/q/00/2');
  });

  test('and can not be put away stays where nothing else is left of a job of it, and is looked at again at the next opening', async () => {
    const disk = new FailingDisk();
    const { spool, told } = await opened(disk);
    await spool.release(await spool.take(1));
    flip(disk, FILE, 'joe@');
    disk.fails = (operation, path) => operation === 'rename' && path.includes('corrupt');
    expect(await spool.take(1)).toEqual([]);
    disk.fails = null;
    expect(told).toEqual([expect.stringMatching(/could not be put away .*; nothing is left of its jobs b$/)]);
    await spool.close();
    expect(disk.files).toContain(FILE);
    expect((await found(disk)).told).toEqual([expect.stringMatching(/as it was written; it is corrupt\/q-00-1 now/)]);
  });

  test('and of which the log can not say so, for once: its sender is told all the same, and nothing of it is begun', async () => {
    const disk = new FailingDisk();
    const clock = { now: 2000 };
    const { spool, told } = await opened(disk, clock);
    const [lease] = await spool.take(1);
    flip(disk, FILE, 'text of b');
    // A log file keeps the path that it was written under.
    disk.fails = (operation, path) => operation === 'write' && path.includes('/log-');
    await expect(octetsOf(spool, 'm-b')).rejects.toMatchObject({ code: 'damaged' });
    disk.fails = null;
    expect(told).toEqual([expect.stringMatching(/it could not be put away .*; its senders are told as soon as the disk allows it$/)]);
    expect(await spool.begin(lease!, { attempt: 1, recipients: [0], at: 2000 })).toBe(false);
    clock.now += 40_000;
    expect((await spool.take(1)).map(({ job }) => job)).toEqual([lost('b')]);
    // What was not written down is found again.
    await spool.close();
    const again = await found(disk);
    await expect(octetsOf(again.spool, 'm-b')).rejects.toMatchObject({ code: 'damaged' });
    expect([again.told.length, disk.files.includes('spool/corrupt/q-00-1')]).toEqual([1, true]);
    await over(again.spool, 'b');
    expect(again.spool.size).toBe(0);
  });

  test('and of which the log can not say so while its jobs wait: they are due as soon as that is known, but for one that is held', async () => {
    const disk = new FailingDisk();
    const { spool } = await opened(disk);
    const [lease] = await spool.take(1);
    await spool.settle(lease!, later(lease!.job), NONE);
    await spool.put([{ ...jobOf('c'), message: jobOf('b').message }], [encode('text of b')]);
    await spool.operate('c', 'hold');
    flip(disk, FILE, 'text of b');
    disk.fails = (operation, path) => operation === 'write' && path.includes('/log-');
    await expect(octetsOf(spool, 'm-b')).rejects.toMatchObject({ code: 'damaged' });
    expect(spool.due).toBe(2000);
    // The disk works again.
    disk.fails = null;
    const [again] = await spool.take(2);
    expect(again!.job).toEqual({ ...lost('b'), tries: 1, attempt: 0 });
    await spool.settle(again!, { ...later(again!.job), recipients: [{ index: 0, state: 'failed' }], due: null }, NONE);
    expect(await spool.count()).toMatchObject({ due: 0, waiting: 0, held: 1 });
    await spool.close();
  });

  test('gets no more jobs than such whose sender is told', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const { spool } = await opened(disk);
    flip(disk, FILE, 'text of b');
    await expect(octetsOf(spool, 'm-b')).rejects.toMatchObject({ code: 'damaged' });
    const more = { ...jobOf('more'), message: jobOf('b').message };
    await spool.put([more], [encode('text of b')]);
    const damaged = lost('b').message;
    expect((await spool.take(10)).map(({ job }) => [job.id, job.message])).toEqual([
      ['b', damaged],
      ['more', damaged],
    ]);
    await spool.close();
    const { jobs } = await found(disk);
    expect([...jobs.values()].map(({ message }) => message)).toEqual([damaged, damaged]);
  });

  test('in the line of a job that is read later: nobody is sent what stands there now, and the sender of its other job is told', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const told: string[] = [];
    const spool = await openSpool('spool', { disk, now: () => 2000, failed: ({ message }) => told.push(message) });
    await spool.put([{ ...jobOf('a'), message: jobOf('b').message }, jobOf('b')], [encode('text of b')]);
    await spool.release(await spool.take(2));
    // The first line is JSON still, with another recipient.
    flip(disk, FILE, 'joe@');
    expect(await spool.take(1)).toEqual([]);
    expect((await spool.take(1)).map(({ job }) => job)).toEqual([lost('b')]);
    expect(told).toEqual([
      expect.stringMatching(
        /the line of a job at octet 53 .*corrupt\/q-00-1 now; the senders of its jobs b are told; nothing is left of its jobs a$/,
      ),
    ]);
    await spool.close();
    const again = await found(disk);
    expect([[...again.jobs.values()], again.told]).toEqual([[lost('b')], []]);
  });

  test('while a copy of it comes into being: whichever is first, the copy stays, and its sender is told', async () => {
    const copy = { ...jobOf('copy'), message: { ...jobOf('b').message, expansions: 1 } };
    for (let turns = 0; turns < 80; turns++) {
      const disk = new SimulatedDisk({ dice: new Dice(1) });
      const { spool, told } = await opened(disk);
      const [lease] = await spool.take(1);
      flip(disk, FILE, 'text of b');
      const reading = octetsOf(spool, 'm-b').catch(() => {});
      for (let turn = 0; turn < turns; turn++) await null;
      const expanded = { ...later(lease!.job), recipients: [{ index: 0, state: 'expanded' as const }], due: null };
      await spool.settle(lease!, { ...expanded, put: [{ job: copy, content: 'same' }] }, NONE);
      await reading;
      // Where the copy was there before anybody had looked.
      await octetsOf(spool, 'm-b').catch(() => {});
      expect(told).toEqual([expect.stringMatching(/corrupt\/q-00-1 now; the senders of its jobs (b|copy|b, copy) are told$/)]);
      await spool.close();
      const { jobs } = await found(disk);
      expect([...jobs].map(([id, { message }]) => [id, message.damaged])).toEqual([['copy', true]]);
    }
  });

  test('and of whose only job nothing is left, while another is put to it: whichever is first, what was put stays', async () => {
    const more = { ...jobOf('more'), message: jobOf('b').message };
    for (let turns = 0; turns < 40; turns++) {
      const disk = new SimulatedDisk({ dice: new Dice(1) });
      const { spool, told } = await opened(disk);
      // Its value is in memory no more.
      await spool.release(await spool.take(1));
      flip(disk, FILE, 'joe@');
      const putting = spool.put([more], [encode('text of b')]);
      for (let turn = 0; turn < turns; turn++) await null;
      await spool.take(1);
      await putting;
      await octetsOf(spool, 'm-b').catch(() => {});
      expect(told).toEqual([expect.stringMatching(/corrupt\/q-00-1 now; .*nothing is left of its jobs b$/)]);
      await spool.close();
      const { jobs } = await found(disk);
      expect([...jobs].map(([id, { message }]) => [id, message.damaged])).toEqual([['more', true]]);
    }
  });
});

describe('a record of the log that is damaged', () => {
  /** Two jobs of a message, of which `a` has a record, and that one is damaged. */
  async function two(): Promise<{ disk: SimulatedDisk; spool: Spool; told: string[]; b: Lease }> {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const told: string[] = [];
    const spool = await openSpool('spool', { disk, now: () => 2000, failed: ({ message }) => told.push(message) });
    const { message } = jobOf('b');
    await spool.put([{ ...jobOf('a'), message }, jobOf('b')], [encode('text of b')]);
    const [a, b] = await spool.take(2);
    await spool.settle(a!, { ...later(a!.job), due: 2000 }, NONE);
    flip(disk, 'spool/log/1', '"tries":1');
    return { disk, spool, told, b: b! };
  }

  test('has its job held as it was put, and is told once; its message and the other jobs of that are as they were', async () => {
    const { disk, spool, told, b } = await two();
    expect(await spool.take(10)).toEqual([]);
    expect(told).toEqual([expect.stringMatching(/log\/1: the record at octet 0 .*; job a of q\/00\/1 is held as it was put$/)]);
    expect(await octetsOf(spool, 'm-b')).toBe('text of b');
    expect(await spool.begin(b, { attempt: 1, recipients: [0], at: 2000 })).toBe(true);
    const held = { ...jobOf('a'), message: jobOf('b').message, held: true };
    for await (const job of spool.find({ job: 'a' })) expect(job).toEqual(held);
    await spool.close();
    const again = await found(disk);
    expect([again.jobs.get('a'), again.jobs.get('b')?.message.damaged]).toEqual([held, undefined]);
    expect(await again.spool.operate('a', 'release')).toBe(true);
    expect((await again.spool.take(10)).map(({ job }) => job.id).sort()).toEqual(['a', 'b']);
  });

  test('is not taken for a new one by an operator who has not seen that it is damaged', async () => {
    const { spool, told } = await two();
    expect(await spool.operate('a', 'retry')).toBe(false);
    expect(told).toHaveLength(1);
    expect(await spool.operate('a', 'release')).toBe(true);
    expect((await spool.take(10)).map(({ job }) => job.id)).toEqual(['a']);
  });

  test('and whose message is damaged, too: nothing is left of its job, and the sender of the other is told', async () => {
    const { disk, spool, told } = await two();
    flip(disk, FILE, 'joe@');
    expect(await spool.take(10)).toEqual([]);
    expect(told).toEqual([
      expect.stringMatching(
        /the line of a job at octet 53 .*corrupt\/q-00-1 now; the senders of its jobs b are told; nothing is left of its jobs a$/,
      ),
    ]);
    await spool.close();
  });

  test.each([
    ['of a message of its own has its content put away', 'notice', /; it is corrupt\/q-00-2 now; nothing is left of its jobs born$/],
    ['of a message that has others leaves these as they were', 'same', /can not be read; nothing is left of its jobs born$/],
  ])('and by which a job came into being %s', async (_, kind, words) => {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const clock = { now: 2000 };
    const { spool, told } = await opened(disk, clock);
    const [lease] = await spool.take(1);
    const isNotice = kind === 'notice';
    const job = isNotice ? jobOf('born') : { ...jobOf('born'), message: { ...jobOf('b').message, expansions: 1 } };
    const content = isNotice ? { of: 'm-b', at: 0, arrived: 0, to: 'ann@example.org', recipients: [] } : ('same' as const);
    await spool.settle(lease!, { ...later(lease!.job), put: [{ job, content }] }, new Map([['born', [encode('sorry')]]]));
    const [born] = await spool.take(1);
    expect(born!.job.id).toBe('born');
    await spool.release([born!]);
    flip(disk, 'spool/log/1', '"put":[');
    expect(await spool.take(10)).toEqual([]);
    expect(told).toEqual([expect.stringMatching(words)]);
    expect([spool.size, disk.files.includes('spool/corrupt/q-00-2')]).toEqual([1, isNotice]);
    expect(await octetsOf(spool, 'm-b')).toBe('text of b');
    await spool.close();
  });
});
