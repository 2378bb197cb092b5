// What was damaged is told and set aside; the rest goes on.
import { describe, expect, test } from 'vitest';
import { openSpool, type Spool } from '../src/spool/index.ts';
import { decode, encode, flip, found, jobOf, later, left, lost, NONE, octetsOf, over, three } from './spool/damage.ts';
import { Dice, SimulatedDisk } from './spool/simulated-disk.ts';

/** Says of the lines of jobs of a message that they have almost 4 GiB. */
function longer(disk: SimulatedDisk, path: string): void {
  const octets = disk.octets(path).slice();
  octets['ehlo-spool-1 01234567 '.length] = 'f'.charCodeAt(0);
  disk.damage(path, octets);
}

describe('a message file', () => {
  test.each([
    ['whose first line is another', (disk: SimulatedDisk) => flip(disk, 'spool/q/00/2', 'ehlo'), 'first line'],
    ['whose lines of jobs are others', (disk: SimulatedDisk) => flip(disk, 'spool/q/00/2', 'joe@'), 'line of a job'],
    ['whose first line says that it is longer', (disk: SimulatedDisk) => longer(disk, 'spool/q/00/2'), 'first line'],
    ['that is empty', (disk: SimulatedDisk) => disk.damage('spool/q/00/2', new Uint8Array(0)), 'first line'],
  ])('%s is put away when the spool is opened; nothing is told twice', async (_, damage, words) => {
    const disk = await left(three);
    damage(disk);
    const first = await found(disk);
    expect([...first.jobs.keys()]).toEqual(['a', 'c']);
    expect(first.told).toEqual([expect.stringMatching(new RegExp(`^q/00/2: .*${words}.*corrupt/q-00-2`))]);
    expect(disk.files).toContain('spool/corrupt/q-00-2');
    expect(await octetsOf(first.spool, 'm-c')).toBe('text of c');
    await first.spool.close();
    const second = await found(disk);
    expect([[...second.jobs.keys()], second.told]).toEqual([['a', 'c'], []]);
  });

  test('that is too short is put away, and its jobs stay without their content: their senders are told', async () => {
    const disk = await left(three);
    disk.damage('spool/q/00/2', disk.octets('spool/q/00/2').slice(0, -1));
    const first = await found(disk);
    expect([...first.jobs.keys()]).toEqual(['a', 'b', 'c']);
    expect(first.told).toEqual([
      expect.stringMatching(/^q\/00\/2: .*not as long.*corrupt\/q-00-2 now; the senders of its jobs b are told$/),
    ]);
    expect(first.jobs.get('b')).toEqual(lost('b'));
    await expect(octetsOf(first.spool, 'm-b')).rejects.toMatchObject({ code: 'damaged' });
    await first.spool.close();
    const second = await found(disk);
    expect([second.jobs.get('b'), second.told]).toEqual([lost('b'), []]);
    await over(second.spool, 'b');
    await second.spool.close();
    const third = await found(disk);
    expect([[...third.jobs.keys()], third.told]).toEqual([['a', 'c'], []]);
  });

  test('of whose jobs one line is damaged: nothing is left of that one, and the senders of the others are told', async () => {
    const { message } = jobOf('b');
    const disk = await left(async (spool) => {
      const many = ['a', 'b', 'c'].map((id) => ({ ...jobOf(id), message }));
      await spool.put(many, [encode('text of b')]);
    });
    flip(disk, 'spool/q/00/1', '"id":"b"');
    const { jobs, told } = await found(disk);
    expect([...jobs.values()].map(({ id, message: { damaged } }) => [id, damaged])).toEqual([
      ['a', true],
      ['c', true],
    ]);
    expect(told).toEqual([
      expect.stringMatching(/the line of a job at octet .*corrupt\/q-00-1 now; the senders of its jobs a, c are told$/),
    ]);
  });

  test('whose content is another breaks off before its end, and is put away; nobody is sent it, and its sender is told', async () => {
    const disk = await left(three);
    flip(disk, 'spool/q/00/2', 'text of b');
    const { spool, jobs, told } = await found(disk);
    expect([...jobs.keys()]).toEqual(['a', 'b', 'c']);
    const leases = await spool.take(10);
    const lease = leases.find(({ job }) => job.id === 'b')!;
    expect(await spool.begin(lease, { attempt: 1, recipients: [0], at: 2000 })).toBe(true);
    await expect(octetsOf(spool, 'm-b')).rejects.toMatchObject({ code: 'damaged' });
    expect(told).toEqual([expect.stringMatching(/content.*corrupt\/q-00-2 now; the senders of its jobs b are told$/)]);
    // What was under way is settled as ever, and nothing more is begun.
    expect(await spool.settle(lease, { ...later(lease.job), attempt: 1, due: 2000, release: false }, NONE)).toBe(true);
    expect(await spool.begin(lease, { attempt: 2, recipients: [0], at: 2000 })).toBe(false);
    await expect(octetsOf(spool, 'm-b')).rejects.toMatchObject({ code: 'damaged' });
    expect(told).toHaveLength(1);
    expect(await spool.settle(lease, { ...later(lease.job), attempt: 2 }, NONE)).toBe(true);
    expect((await spool.take(1)).map(({ job }) => job.id)).toEqual(['b']);
    await spool.close();
    const again = await found(disk);
    expect([again.jobs.get('b')?.message.damaged, again.jobs.get('b')?.begun, again.told]).toEqual([true, undefined, []]);
    await over(again.spool, 'b');
    await again.spool.close();
    expect([...(await found(disk)).jobs.keys()]).toEqual(['a', 'c']);
  });

  test('whose content and jobs are others: of the jobs that were in memory nothing is lost', async () => {
    const disk = new SimulatedDisk({ dice: new Dice(1) });
    const told: string[] = [];
    const spool = await openSpool('spool', { disk, now: () => 2000, failed: ({ message }) => told.push(message) });
    await three(spool);
    flip(disk, 'spool/q/00/2', 'text of b');
    flip(disk, 'spool/q/00/2', 'joe@');
    await expect(octetsOf(spool, 'm-b')).rejects.toMatchObject({ code: 'damaged' });
    expect(told).toEqual([expect.stringMatching(/corrupt\/q-00-2 now; the senders of its jobs b are told$/)]);
    await spool.close();
    expect((await found(disk)).jobs.get('b')).toEqual(lost('b'));
  });

  test('that is missing is told, once, and the senders of the jobs of which there is a record are told', async () => {
    const disk = await left(async (spool) => {
      await three(spool);
      for (const lease of await spool.take(10)) await spool.settle(lease, later(lease.job), NONE);
    });
    await disk.remove('spool/q/00/2');
    const { jobs, told, spool } = await found(disk);
    expect(told).toEqual(['q/00/2: it is missing; the senders of its jobs b are told']);
    expect(jobs.get('b')).toEqual({ ...lost('b'), tries: 1, attempt: 0 });
    await spool.close();
    const again = await found(disk);
    expect([[...again.jobs.keys()], again.told]).toEqual([['a', 'b', 'c'], []]);
  });

  test('that the disk does not give is left where it is, and is there again when the disk gives it', async () => {
    const disk = await left(async (spool) => {
      await three(spool);
      for (const lease of await spool.take(10)) await spool.settle(lease, later(lease.job), NONE);
    });
    let isBad = true;
    const bad = disk.restarted(
      { dice: new Dice(1), fault: (_, operation, path) => (isBad && operation === 'read' && path.endsWith('q/00/2') ? 'EIO' : null) },
      false,
    );
    const { jobs, told, spool } = await found(bad);
    expect([[...jobs.keys()], told]).toEqual([['a', 'c'], [expect.stringContaining('q/00/2 is left alone')]]);
    await spool.close();
    isBad = false;
    const again = await found(bad);
    expect([again.jobs.get('b')?.due, again.told]).toEqual([9000, []]);
  });

  test('beside which there are files of somebody else: they are put away', async () => {
    const disk = await left(three);
    for (const name of ['00/x', '00/300', '00/01']) await disk.create(`spool/q/${name}`);
    const { jobs, told } = await found(disk);
    expect([jobs.size, told.length]).toEqual([3, 3]);
    expect(disk.files).toEqual(expect.arrayContaining(['spool/corrupt/q-00-x', 'spool/corrupt/q-00-300', 'spool/corrupt/q-00-01']));
  });
});

describe('a record of the log', () => {
  const settled = async (spool: Spool): Promise<void> => {
    await three(spool);
    for (const id of ['a', 'b', 'c']) {
      const [lease] = await spool.take(1);
      expect(lease!.job.id).toBe(id);
      await spool.settle(lease!, later(lease!.job), NONE);
    }
  };

  test('that is damaged in the middle: its job is held as it was before, and told; the others are as they were', async () => {
    const disk = await left(settled);
    flip(disk, 'spool/log/1', '"tries":1');
    const { jobs, told, spool } = await found(disk);
    expect([...jobs.values()].map(({ id, held, tries }) => [id, held, tries])).toEqual([
      ['a', true, undefined],
      ['b', undefined, 1],
      ['c', undefined, 1],
    ]);
    expect(told).toEqual([expect.stringMatching(/^log\/1: the record at octet 0 /), expect.stringMatching(/^job a of q\/00\/1: .* held$/)]);
    expect(await spool.operate('a', 'release')).toBe(true);
    await spool.close();
    // An operator has looked at it: that counts.
    expect((await found(disk)).jobs.get('a')?.held).toBe(undefined);
  });

  test('that is torn at the end, and was acknowledged to nobody, is cut and not told', async () => {
    const disk = await left(settled);
    const whole = disk.octets('spool/log/1');
    for (const cut of [1, 20, 100]) {
      const torn = disk.restarted({ dice: new Dice(1) });
      torn.damage('spool/log/1', whole.slice(0, -cut));
      const { jobs, told } = await found(torn);
      expect([jobs.get('b')?.tries, jobs.get('c')?.tries, told]).toEqual([1, undefined, []]);
    }
  });

  test('whose name has become a control character is about nobody, and the spool opens', async () => {
    const disk = await left(settled);
    const octets = disk.octets('spool/log/1').slice();
    octets[Buffer.from(octets).indexOf('"id":"') + '"id":"'.length] = 1;
    disk.damage('spool/log/1', octets);
    const { told } = await found(disk);
    expect(told[0]).toContain('log/1: the record at octet');
  });

  test('of which nobody knows what it was about is told, and content that it may have named is kept', async () => {
    const disk = await left(async (spool) => {
      await three(spool);
      const [lease] = await spool.take(1);
      const content = { of: 'm-a', at: 0, arrived: 0, to: 'ann@example.org', recipients: [] };
      await spool.settle(
        lease!,
        { ...later(lease!.job), put: [{ job: jobOf('notice'), content }] },
        new Map([['notice', [encode('sorry')]]]),
      );
      await spool.operate('b', 'hold');
    });
    // Whom it is about stands in it twice.
    flip(disk, 'spool/log/1', '{"n":1');
    const known = await found(disk.restarted({ dice: new Dice(1) }));
    expect([known.jobs.get('a')?.held, known.told[2]]).toEqual([true, expect.stringContaining('job a of q/00/1')]);
    flip(disk, 'spool/log/1', '"key":[1');
    const { jobs, told } = await found(disk);
    expect([...jobs.keys()]).toEqual(['a', 'b', 'c']);
    expect(told).toEqual([expect.stringContaining('log/1'), expect.stringContaining('corrupt/q-00-4')]);
    expect(decode(disk.octets('spool/corrupt/q-00-4'))).toContain('sorry');
  });
});
