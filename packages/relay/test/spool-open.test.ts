// What the disk does not do when a spool is opened.
import { describe, expect, test } from 'vitest';
import { openSpool, type Spool } from '../src/spool/index.ts';
import { flip, found, jobOf, lost, over, three } from './spool/damage.ts';
import { FailingDisk } from './spool/failing-disk.ts';

describe('a spool is opened', () => {
  /** A disk with the messages of `use`, which fails from now on as it is wished. */
  async function failing(use: (spool: Spool) => Promise<void>): Promise<FailingDisk> {
    const disk = new FailingDisk();
    const spool = await openSpool('spool', { disk, now: () => 2000 });
    await use(spool);
    await spool.close();
    return disk;
  }

  test('though what is damaged can not be put away: it stays, its senders are told, and it is put away at the next opening', async () => {
    const { message } = jobOf('b');
    const disk = await failing(async (spool) => {
      await three(spool);
      await spool.put([{ ...jobOf('d'), message }], []);
    });
    flip(disk, 'spool/q/00/2', 'joe@');
    await disk.create('spool/q/00/x');
    disk.fails = (operation, path) => operation === 'rename' && path.includes('corrupt');
    const { spool, jobs, told } = await found(disk);
    expect(told).toEqual([
      expect.stringMatching(/^q\/00\/x: it is no message of this spool; it can not be put into spool\/corrupt: EIO/),
      expect.stringMatching(/^q\/00\/2: the line .*could not be put away .*EIO.*its senders are told/),
    ]);
    expect([...jobs.values()].map(({ id, message: { damaged } }) => [id, damaged])).toEqual([
      ['a', undefined],
      ['c', undefined],
      ['d', true],
    ]);
    await over(spool, 'd');
    await spool.close();
    disk.fails = null;
    const again = await found(disk);
    expect([[...again.jobs.keys()], again.told.length]).toEqual([['a', 'c'], 2]);
    expect(disk.files).toEqual(expect.arrayContaining(['spool/corrupt/q-00-2', 'spool/corrupt/q-00-x']));
  });

  test('though the log has no room to say that a message is damaged: its sender is told all the same', async () => {
    const disk = await failing(three);
    disk.damage('spool/q/00/2', disk.octets('spool/q/00/2').slice(0, -1));
    disk.fails = (operation, path) => operation === 'write' && path.includes('/log-');
    const { spool, jobs, told } = await found(disk);
    expect([jobs.get('b'), told]).toEqual([lost('b'), [expect.stringMatching(/^q\/00\/2: .*the log of the spool, .*can not be written/)]]);
    expect(disk.files).toContain('spool/q/00/2');
    disk.fails = null;
    await over(spool, 'b');
    await spool.close();
    expect([...(await found(disk)).jobs.keys()]).toEqual(['a', 'c']);
  });

  test('though a message can not be read when what became of its job is looked at: it is left until the next opening', async () => {
    const disk = await failing(async (spool) => {
      await three(spool);
      const leases = await spool.take(3);
      for (const lease of leases) await spool.begin(lease, { attempt: 1, recipients: [0], at: 2000 });
    });
    let reads = 0;
    disk.fails = (operation, path) => operation === 'read' && path.endsWith('q/00/2') && ++reads === 2;
    const { spool, jobs, told } = await found(disk);
    expect([[...jobs.keys()], told]).toEqual([['a', 'c'], [expect.stringMatching(/^q\/00\/2 is left alone .*EIO/)]]);
    await spool.close();
    disk.fails = null;
    expect((await found(disk)).jobs.get('b')?.begun?.attempt).toBe(1);
  });

  test.each([
    ['its folders', 'list', 'spool/q', /^the spool spool can not be opened: .*list spool\/q; see what the system says of this disk/],
    ['its log', 'read', 'spool/log/1', /^the spool spool can not be opened: .*read spool\/log\/1; see what the system says of this disk/],
  ])('not where the disk does not give %s: the error says what, where, and what to do', async (_, operation, path, words) => {
    const disk = await failing(three);
    disk.fails = (one, at) => one === operation && at.startsWith(path);
    await expect(openSpool('spool', { disk })).rejects.toMatchObject({
      name: 'SpoolError',
      code: 'disk',
      message: expect.stringMatching(words),
    });
  });
});
