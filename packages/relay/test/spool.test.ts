import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Job, newJob } from '@ehlo/delivery';
import { afterEach, describe, expect, test } from 'vitest';
import { openSpool, type Spool } from '../src/spool/index.ts';
import { nodeDisk } from '../src/spool/node-disk.ts';
import { changeOf, describeQueue } from './queue-suite.ts';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'ehlo-spool-'));

const opened: Spool[] = [];
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
});

describeQueue('a spool', async () => {
  let at = 1_700_000_000_000;
  const queue = await openSpool(newFolder(), { now: () => at });
  opened.push(queue);
  return {
    queue,
    now: () => at,
    advance: (ms) => {
      at += ms;
    },
  };
});

const NONE: ReadonlyMap<string, readonly Uint8Array[]> = new Map();
const octets = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];
const jobOf = (id: string, message = `m-${id}`): Job =>
  newJob(id, { id: message, reversePath: 'ann@example.org', arrived: 1000, size: 4 }, 'example.net', [
    { address: 'joe@example.net' },
    { address: 'may@example.net' },
  ]);

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const bytes of content) text += new TextDecoder().decode(bytes);
  return text;
}

describe('a spool that is opened again', () => {
  const reopened = async (use: (spool: Spool) => Promise<void>, options = {}): Promise<Spool> => {
    const folder = newFolder();
    const told: Error[] = [];
    const spool = await openSpool(folder, { now: () => 2000, failed: (error) => told.push(error), ...options });
    await use(spool);
    await spool.close();
    const again = await openSpool(folder, { now: () => 2000, failed: (error) => told.push(error), ...options });
    expect(told).toEqual([]);
    return again;
  };

  test('has what was put, octet for octet, however long', async () => {
    const long = Array.from({ length: 40 }, (_, index) => new Uint8Array(10_000).fill(index));
    const spool = await reopened(async (first) => {
      await first.put([jobOf('short')], octets('text'));
      await first.put([jobOf('a', 'long'), jobOf('b', 'long')], long);
      await first.put([jobOf('empty')], []);
    });
    const leases = await spool.take(10);
    expect(leases.map(({ job }) => job).sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      jobOf('a', 'long'),
      jobOf('b', 'long'),
      jobOf('empty'),
      jobOf('short'),
    ]);
    const parts: Uint8Array[] = [];
    for await (const bytes of spool.content('long')) parts.push(bytes);
    expect(Buffer.concat(parts).equals(Buffer.concat(long))).toBe(true);
    expect([await textOf(spool.content('m-short')), await textOf(spool.content('m-empty'))]).toEqual(['text', '']);
    await spool.close();
  });

  test('has jobs as they were settled, those that were begun with their mark, and what commits have put', async () => {
    const spool = await reopened(async (first) => {
      await first.put([jobOf('a', 'm'), jobOf('b', 'm'), jobOf('c', 'm'), jobOf('d', 'm')], octets('text'));
      const [a, b, c, d] = [...(await first.take(10))].sort((one, two) => (one.job.id < two.job.id ? -1 : 1));
      const copy = { job: jobOf('copy', 'copied'), content: 'same' as const };
      const notice = { job: jobOf('notice'), content: { of: 'm', at: 0, arrived: 0, to: 'ann@example.org', recipients: [] } };
      await first.settle(
        a!,
        changeOf(a!.job, { recipients: [{ index: 0, state: 'relayed' }], due: 5000, put: [copy, notice] }),
        new Map([['notice', octets('sorry')]]),
      );
      await first.begin(b!, { attempt: 1, recipients: [0, 1], at: 2000 });
      await first.settle(b!, changeOf(b!.job, { recipients: [{ index: 1, state: 'relayed' }], due: 2000, release: false }), NONE);
      await first.begin(b!, { attempt: 2, recipients: [0], at: 2001 });
      await first.settle(
        c!,
        changeOf(c!.job, { due: null, recipients: [0, 1].map((index) => ({ index, state: 'relayed' as const })) }),
        NONE,
      );
      await first.release([d!]);
      await first.operate('d', 'hold');
    });
    const found: Record<string, Job> = {};
    for await (const job of spool.find({})) found[job.id] = job;
    expect(Object.keys(found).sort()).toEqual(['a', 'b', 'copy', 'd', 'notice']);
    expect([found.a?.due, found.a?.recipients.map(({ state }) => state)]).toEqual([5000, ['relayed', 'due']]);
    expect([found.b?.begun, found.b?.recipients.map(({ state }) => state)]).toEqual([
      { attempt: 2, recipients: [0], at: 2001 },
      ['due', 'relayed'],
    ]);
    expect(await Promise.all(['m', 'copied', 'm-notice'].map((id) => textOf(spool.content(id))))).toEqual(['text', 'text', 'sorry']);
    expect((await spool.take(10)).map(({ job }) => job.id).sort()).toEqual(['b', 'copy', 'notice']);
    await spool.close();
  });

  test('fences grow from process to process, and what an older one held can only be accepted', async () => {
    let old: Awaited<ReturnType<Spool['take']>>[number] | undefined;
    const spool = await reopened(async (first) => {
      await first.put([jobOf('a')], octets('text'));
      [old] = await first.take(1);
    });
    const [lease] = await spool.take(1);
    expect(lease!.fence).toBeGreaterThan(old!.fence);
    const change = changeOf(old!.job, {
      recipients: [
        { index: 0, state: 'relayed' },
        { index: 1, state: 'failed' },
      ],
      due: null,
    });
    expect([await spool.begin(old!, { attempt: 1, recipients: [0], at: 0 }), await spool.settle(old!, change, NONE)]).toEqual([
      false,
      false,
    ]);
    await spool.release([lease!]);
    expect((await spool.take(1))[0]?.job.recipients.map(({ state }) => state)).toEqual(['relayed', 'due']);
    await spool.close();
  });

  test('has the policies that were fetched', async () => {
    const kept = { id: '1', fetched: 1000, policy: { mode: 'enforce' as const, mx: ['mx.example.net'], maxAge: 86_400_000, lines: ['x'] } };
    const spool = await reopened(async (first) => first.policies.set('example.net', kept));
    expect(spool.policies.at('example.net', 2000)).toEqual(kept);
    await spool.close();
  });

  test('the log goes where nothing of it counts any more, and the files of messages that are over', async () => {
    const folder = newFolder();
    const spool = await openSpool(folder, { now: () => 2000, logSize: 1000 });
    await spool.put([jobOf('stays')], octets('stays'));
    await spool.operate('stays', 'hold');
    for (let round = 0; round < 60; round++) {
      await spool.put([jobOf(`j${round}`)], octets('text'));
      for (const lease of await spool.take(10)) {
        await spool.begin(lease, { attempt: 1, recipients: [0, 1], at: 2000 });
        await spool.settle(
          lease,
          changeOf(lease.job, { due: null, recipients: [0, 1].map((index) => ({ index, state: 'relayed' as const })) }),
          NONE,
        );
      }
    }
    await spool.close();
    expect(readdirSync(join(folder, 'log')).length).toBeLessThan(8);
    expect(readdirSync(join(folder, 'q/00'))).toEqual(['1']);
    const again = await openSpool(folder, { now: () => 2000 });
    for await (const job of again.find({})) expect(job).toEqual({ ...jobOf('stays'), held: true });
    expect(again.size).toBe(1);
    await again.close();
  });
});

describe('the lock of a spool', () => {
  test('a second one in the same folder is refused with what to do, and there is one when the first is closed', async () => {
    const folder = newFolder();
    const spool = await openSpool(folder);
    await expect(openSpool(folder)).rejects.toMatchObject({ code: 'locked', message: expect.stringContaining(folder) });
    await spool.close();
    const again = await openSpool(folder);
    await expect(spool.take(1)).rejects.toMatchObject({ code: 'closed' });
    await again.close();
  });

  test('of many that open at once, one gets it', async () => {
    const folder = newFolder();
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => openSpool(folder)));
    const open = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(open.length).toBe(1);
    expect(results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))).toEqual(Array(11).fill('locked'));
    await open[0]!.close();
  });
});

test('what fails on a file that is open says which', async () => {
  const path = join(newFolder(), 'file');
  const file = await nodeDisk.create(path);
  await file.close();
  const octet = new Uint8Array(1);
  for (const work of [file.size(), file.read(octet, 0), file.write(octet, 0), file.sync(), file.cut(0)])
    await expect(work).rejects.toThrow(path);
});
