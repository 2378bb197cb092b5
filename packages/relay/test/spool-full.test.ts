// A disk that is full: what is there can be delivered, and that makes room.
import { type Job, type JobChange, type Lease, newJob } from '@ehlo/delivery';
import { describe, expect, test } from 'vitest';
import { openSpool, type Spool, type SpoolOptions } from '../src/spool/index.ts';
import { Dice, SimulatedDisk } from './spool/simulated-disk.ts';

const NONE: ReadonlyMap<string, readonly Uint8Array[]> = new Map();
const LOG = 4000;
const jobOf = (id: string): Job =>
  newJob(id, { id: `m-${id}`, reversePath: 'ann@example.org', arrived: 1000, size: 4 }, 'example.net', [{ address: 'joe@example.net' }]);
const delivered = ({ id }: Job): JobChange => ({
  job: id,
  tries: 0,
  attempt: 1,
  recipients: [{ index: 0, state: 'relayed' }],
  due: null,
  release: true,
  put: [],
});
const open = (disk: SimulatedDisk, options: SpoolOptions = {}): Promise<Spool> =>
  openSpool('spool', { disk, now: () => 2000, logSize: LOG, ...options });

/** Puts messages of so many octets until the spool refuses one: how many it has taken, and the code. */
async function fill(spool: Spool, size: number, most = 1000): Promise<{ taken: number; code: unknown }> {
  for (let taken = 0; taken < most; taken++) {
    try {
      await spool.put([jobOf(`${size}-${taken}`)], [new Uint8Array(size)]);
    } catch (error) {
      return { taken, code: (error as { code?: unknown }).code };
    }
  }
  return { taken: most, code: 'none' };
}

async function settleAll(spool: Spool, leases: readonly Lease[]): Promise<number> {
  let settled = 0;
  for (const lease of leases) {
    try {
      await spool.settle(lease, delivered(lease.job), NONE);
      settled++;
    } catch (error) {
      expect(error).toMatchObject({ code: 'full' });
    }
  }
  return settled;
}

/** Somebody else takes all that is free. */
async function takenByOthers(disk: SimulatedDisk): Promise<void> {
  const free = await disk.free('');
  disk.room -= free;
}

describe.each([1, 2, 3, 4, 5])('with chance %i', (seed) => {
  test('no more is taken in than leaves room for what becomes of it: all is begun and settled, and there is room again', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(seed), room: 600_000 });
    const spool = await open(disk);
    const first = await fill(spool, 20_000);
    expect(first).toEqual({ taken: expect.any(Number), code: 'full' });
    expect(first.taken).toBeGreaterThan(3);
    expect((await fill(spool, 1000)).code).toBe('full');
    const leases = await spool.take(1000);
    for (const lease of leases) expect(await spool.begin(lease, { attempt: 1, recipients: [0], at: 2000 })).toBe(true);
    expect(await settleAll(spool, leases)).toBe(leases.length);
    expect([spool.size, (await fill(spool, 20_000)).taken]).toEqual([0, first.taken]);
    await spool.close();
  });

  test('whose rest somebody else has taken: what is settled makes room for more', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(seed), room: 600_000 });
    const spool = await open(disk, { reserve: 0 });
    await fill(spool, 2000, 40);
    const leases = await spool.take(1000);
    await takenByOthers(disk);
    expect(await settleAll(spool, leases)).toBe(40);
    expect(spool.size).toBe(0);
    await spool.close();
  });

  test('a record that has no room leaves the log as it was, however long it is', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(seed), room: 600_000 });
    const told: Error[] = [];
    const spool = await open(disk, { reserve: 0, failed: (error) => told.push(error) });
    await fill(spool, 2000, 4);
    const leases = await spool.take(1000);
    for (const lease of leases) await spool.begin(lease, { attempt: 1, recipients: [0], at: 2000 });
    await takenByOthers(disk);
    const [one, ...others] = leases;
    const long = { ...delivered(one!.job), due: 9000, recipients: [{ index: 0, state: 'due' as const, last: saidOf('x'.repeat(50_000)) }] };
    for (let round = 0; round < 3; round++) await expect(spool.settle(one!, long, NONE)).rejects.toMatchObject({ code: 'full' });
    // Too little for a second log, enough for a record.
    disk.room += 150;
    expect(await settleAll(spool, others)).toBe(3);
    await spool.close();
    const again = await open(disk.restarted({ dice: new Dice(seed), room: disk.room }), { failed: (error) => told.push(error) });
    expect([again.size, told]).toEqual([1, []]);
    await again.close();
  });

  test.each([true, false])('it is opened without any room, and goes on (power failure: %s)', async (isPowerFailure) => {
    const disk = new SimulatedDisk({ dice: new Dice(seed), room: 600_000 });
    const spool = await open(disk, { reserve: 0, logSize: 100_000 });
    await fill(spool, 2000, 40);
    for (const lease of await spool.take(1000)) await spool.begin(lease, { attempt: 1, recipients: [0], at: 2000 });
    disk.powerOff();
    const full = disk.restarted({ dice: new Dice(seed), room: 0 }, isPowerFailure);
    const used = -(await full.free(''));
    for (const path of full.files) if (path.startsWith('spool/tmp/')) await full.remove(path);
    full.room = -(await full.free(''));
    expect(full.room).toBeLessThanOrEqual(used);
    const again = await open(full, { logSize: 100_000 });
    const leases = await again.take(1000);
    expect(leases.map(({ job }) => job.begun?.attempt)).toEqual(Array(40).fill(1));
    // There is no spare room either: the first record needs a little, the others live on what it frees.
    full.room += 300;
    expect(await settleAll(again, leases)).toBe(40);
    await again.close();
    const last = await open(full.restarted({ dice: new Dice(seed), room: full.room }));
    expect(last.size).toBe(0);
    await last.close();
  });
});

test('content that is longer than the room is refused while it comes, and leaves nothing; what is allowed to one is not there for another', async () => {
  const room = 3_000_000;
  const disk = new SimulatedDisk({ dice: new Dice(1), room });
  const spool = await open(disk, { reserve: 1_000_000 });
  const before = disk.files.length;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(50_000);
  }
  await expect(spool.put([jobOf('a')], endless())).rejects.toMatchObject({ code: 'full' });
  expect(disk.files.length).toBe(before);
  expect(await disk.free('')).toBeGreaterThan(1_900_000);
  const many = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => spool.put([jobOf(`${index}`)], [new Uint8Array(400_000)])),
  );
  expect(many.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(1);
  expect(await disk.free('')).toBeGreaterThan(990_000);
  await spool.close();
});

function saidOf(text: string): NonNullable<Job['recipients'][number]['last']> {
  return { at: 2000, status: '4.0.0', category: 'other', reply: { code: 450, lines: [text] } };
}
