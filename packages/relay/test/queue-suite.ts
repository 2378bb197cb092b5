// What every queue keeps to, whatever it is made of.

import { type Job, type JobChange, newJob, type Queue } from '@ehlo/delivery';
import { describe, expect, test } from 'vitest';

/** A queue, empty, with a clock that is moved by hand; leases last 30 seconds. */
export interface QueueUnderTest {
  readonly queue: Queue;
  /** Moves the clock of leases and of what is due. */
  advance(ms: number): void | Promise<void>;
  readonly now: () => number;
}

const octets = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];

async function* stream(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield* octets(part);
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const bytes of content) text += new TextDecoder().decode(bytes);
  return text;
}

const NONE: ReadonlyMap<string, readonly Uint8Array[]> = new Map();

/** A commit that changes nothing but what is said. */
export function changeOf({ id }: Job, change: Partial<JobChange> = {}): JobChange {
  return { job: id, tries: 1, attempt: 1, recipients: [], due: 0, release: true, put: [], ...change };
}

/** The tests of a queue: `open` makes one for each. */
export function describeQueue(name: string, open: () => QueueUnderTest | Promise<QueueUnderTest>): void {
  describe(name, () => {
    const jobOf = (id: string, at: number, message = `m-${id}`): Job =>
      newJob(id, { id: message, reversePath: 'ann@example.org', arrived: at, size: 4 }, 'example.net', [
        { address: 'joe@example.net' },
        { address: 'may@example.net' },
      ]);
    const relayed = (index: number) => ({ index, state: 'relayed' as const });

    test('a job that was put is taken once, as it was', async () => {
      const { queue, now } = await open();
      const job = jobOf('a', now());
      expect(await queue.put([job], stream('te', 'xt'))).toBe('m-a');
      const [lease, ...others] = await queue.take(10);
      expect([lease?.job, others, await queue.take(10)]).toEqual([job, [], []]);
      expect(await textOf(queue.content('m-a'))).toBe('text');
    });

    test('no more are taken than asked for, those that are due first', async () => {
      const { queue, now, advance } = await open();
      await queue.put([{ ...jobOf('late', now()), due: now() + 5000 }], stream('a'));
      await queue.put([{ ...jobOf('b', now()), due: now() + 20 }], stream('b'));
      await queue.put([{ ...jobOf('c', now()), due: now() + 10 }], stream('c'));
      await advance(100);
      expect((await queue.take(1)).map(({ job }) => job.id)).toEqual(['c']);
      expect((await queue.take(5)).map(({ job }) => job.id)).toEqual(['b']);
      expect(await queue.take(5)).toEqual([]);
      await advance(5000);
      expect((await queue.take(5)).map(({ job }) => job.id)).toEqual(['late']);
    });

    test('a job that is there already stays as it is', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      await queue.put([{ ...jobOf('a', now()), domain: 'example.org' }], stream('other'));
      const leases = await queue.take(10);
      expect(leases.map(({ job }) => job.domain)).toEqual(['example.net']);
      expect(await textOf(queue.content('m-a'))).toBe('text');
    });

    test('a lease ends by its time, and lasts as long as it is renewed', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [first] = await queue.take(1);
      await advance(20_000);
      expect([...(await queue.renew([first!]))]).toEqual(['a']);
      await advance(20_000);
      expect(await queue.take(1)).toEqual([]);
      await advance(11_000);
      const [second] = await queue.take(1);
      expect(second!.fence).toBeGreaterThan(first!.fence);
      expect([[...(await queue.renew([first!]))], [...(await queue.renew([second!]))]]).toEqual([[], ['a']]);
    });

    test('a mark is there for whoever takes the job next, and only the holder makes it', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [first] = await queue.take(1);
      const mark = { attempt: 1, recipients: [0, 1], at: now() };
      expect(await queue.begin(first!, mark)).toBe(true);
      await advance(31_000);
      expect(await queue.begin(first!, { ...mark, attempt: 2 })).toBe(false);
      const [second] = await queue.take(1);
      expect(second!.job.begun).toEqual(mark);
      expect(await queue.begin(first!, { ...mark, attempt: 2 })).toBe(false);
    });

    test('a commit changes the job, takes the mark away and gives the lease back; a second one changes nothing', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [lease] = await queue.take(1);
      await queue.begin(lease!, { attempt: 1, recipients: [0, 1], at: now() });
      const change = changeOf(lease!.job, { recipients: [relayed(0)], due: now() });
      expect([await queue.settle(lease!, change, NONE), await queue.settle(lease!, change, NONE)]).toEqual([true, true]);
      const [next] = await queue.take(1);
      expect(next!.job.recipients.map(({ state }) => state)).toEqual(['relayed', 'due']);
      expect([next!.job.begun, next!.job.tries, next!.job.attempt]).toEqual([undefined, 1, 1]);
    });

    test('a commit that keeps the lease keeps it', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [lease] = await queue.take(1);
      await queue.settle(lease!, changeOf(lease!.job, { recipients: [relayed(0)], due: now(), release: false }), NONE);
      expect(await queue.take(1)).toEqual([]);
      expect(await queue.begin(lease!, { attempt: 2, recipients: [1], at: now() })).toBe(true);
    });

    test('whoever has lost the lease can still say what was accepted, and nothing else', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [first] = await queue.take(1);
      await advance(31_000);
      const [second] = await queue.take(1);
      const notice = { ...jobOf('a/notice', now()), message: { ...first!.job.message, id: 'a/notice', reversePath: '' } };
      const change = changeOf(first!.job, {
        recipients: [relayed(0), { index: 1, state: 'failed' }],
        due: null,
        put: [{ job: notice, content: 'same' }],
      });
      expect(await queue.settle(first!, change, NONE)).toBe(false);
      await queue.release([second!]);
      const leases = await queue.take(10);
      expect(leases.map(({ job }) => [job.id, job.recipients.map(({ state }) => state)])).toEqual([['a', ['relayed', 'due']]]);
    });

    test('whoever has lost the lease puts the notice of what was accepted, once, and no other', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [first] = await queue.take(1);
      await advance(31_000);
      await queue.take(1);
      const notice = (id: string, action: 'relayed' | 'failed') => {
        const recipients = [{ address: 'joe@example.net', action, status: '2.0.0' }];
        return { job: jobOf(id, now()), content: { of: 'm-a', at: 0, arrived: 0, to: 'ann@example.org', recipients } };
      };
      const put = [notice('a/yes', 'relayed'), notice('a/no', 'failed')];
      const change = changeOf(first!.job, { recipients: [relayed(0), { index: 1, state: 'failed' }], due: null, put });
      const notices = new Map([
        ['a/yes', octets('yes')],
        ['a/no', octets('no')],
      ]);
      expect(await queue.settle(first!, change, notices)).toBe(false);
      const [yes, ...others] = await queue.take(10);
      expect([yes?.job.id, others, await textOf(queue.content('m-a/yes'))]).toEqual(['a/yes', [], 'yes']);
      await queue.settle(yes!, changeOf(yes!.job, { recipients: [relayed(0), relayed(1)], due: null }), NONE);
      expect(await queue.settle(first!, change, notices)).toBe(false);
      expect(await queue.take(10)).toEqual([]);
    });

    test('no attempt begins for a recipient of whom it was told meanwhile that a server has taken the message', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [first] = await queue.take(1);
      await advance(31_000);
      const [second] = await queue.take(1);
      await queue.settle(first!, changeOf(first!.job, { recipients: [relayed(0)] }), NONE);
      expect(await queue.begin(second!, { attempt: 1, recipients: [0, 1], at: now() })).toBe(false);
      expect(await queue.begin(second!, { attempt: 1, recipients: [1], at: now() })).toBe(true);
    });

    test('a job all of whose recipients are reported as taken by who has lost the lease is over', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [first] = await queue.take(1);
      await advance(31_000);
      const [second] = await queue.take(1);
      expect(await queue.settle(first!, changeOf(first!.job, { recipients: [relayed(0), relayed(1)], due: null }), NONE)).toBe(false);
      expect([...(await queue.renew([second!]))]).toEqual([]);
      await advance(31_000);
      expect(await queue.take(1)).toEqual([]);
      await expect(textOf(queue.content('m-a'))).rejects.toThrow('m-a');
    });

    test('who has a lease that is over still commits, as long as nobody else has taken the job', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [lease] = await queue.take(1);
      await advance(31_000);
      const change = changeOf(lease!.job, { recipients: [{ index: 0, state: 'failed' }], due: now() });
      expect(await queue.settle(lease!, change, NONE)).toBe(true);
      const [next] = await queue.take(1);
      expect(next!.job.recipients.map(({ state }) => state)).toEqual(['failed', 'due']);
    });

    test('a job that is over is gone, and its content with the last job of the message', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now(), 'm'), jobOf('b', now(), 'm')], stream('text'));
      const leases = await queue.take(10);
      const over = { recipients: [relayed(0), relayed(1)], due: null };
      await queue.settle(leases[0]!, changeOf(leases[0]!.job, over), NONE);
      expect(await textOf(queue.content('m'))).toBe('text');
      await queue.settle(leases[1]!, changeOf(leases[1]!.job, over), NONE);
      await expect(textOf(queue.content('m'))).rejects.toThrow('m');
      expect(await queue.settle(leases[1]!, changeOf(leases[1]!.job, over), NONE)).toBe(true);
    });

    test('what a commit puts is there with it: copies with the same content, notices with their own', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [lease] = await queue.take(1);
      const copy = jobOf('a/copy', now());
      const notice = jobOf('a/notice', now());
      const about = { of: 'm-a', at: 0, arrived: 0, to: 'ann@example.org', recipients: [] };
      const put = [
        { job: copy, content: 'same' as const },
        { job: notice, content: about },
      ];
      const change = changeOf(lease!.job, { recipients: [relayed(0), relayed(1)], due: null, put });
      const notices = new Map([['a/notice', [...octets('no'), ...octets('tice')]]]);
      await queue.settle(lease!, change, notices);
      await queue.settle(lease!, change, notices);
      const leases = await queue.take(10);
      expect(leases.map(({ job }) => job.id).sort()).toEqual(['a/copy', 'a/notice']);
      expect([await textOf(queue.content('m-a/copy')), await textOf(queue.content('m-a/notice'))]).toEqual(['text', 'notice']);
    });

    test('a copy with the content of the message and an envelope of its own keeps that, however it is written again', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [lease] = await queue.take(1);
      const { job } = lease!;
      const copy = { ...job, id: 'a/0.0', message: { ...job.message, reversePath: 'owner@example.org', expansions: 1 } };
      const put = [{ job: copy, content: 'same' as const }];
      await queue.settle(lease!, changeOf(job, { recipients: [{ index: 0, state: 'expanded' }], due: now() + 60_000, put }), NONE);
      const [first] = await queue.take(10);
      expect(first!.job).toEqual(copy);
      await queue.begin(first!, { attempt: 1, recipients: [0], at: now() });
      await queue.settle(first!, changeOf(copy, { recipients: [relayed(0)], due: now() }), NONE);
      await queue.operate('a/0.0', 'hold');
      await queue.operate('a/0.0', 'release');
      await advance(60_000);
      const leases = await queue.take(10);
      const envelopes = leases.map((one) => [one.job.id, one.job.message] as const);
      expect(new Map(envelopes)).toEqual(
        new Map([
          ['a', job.message],
          ['a/0.0', copy.message],
        ]),
      );
      for (const one of leases)
        await queue.settle(one, changeOf(one.job, { tries: 2, recipients: [relayed(0), relayed(1)], due: null }), NONE);
      await expect(textOf(queue.content('m-a'))).rejects.toThrow('m-a');
    });

    test('a commit that is made again puts nothing, though what the first has put is over', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [lease] = await queue.take(1);
      const put = [{ job: jobOf('a/copy', now()), content: 'same' as const }];
      const change = changeOf(lease!.job, { recipients: [{ index: 0, state: 'failed' }], due: now() + 1000, put });
      await queue.settle(lease!, change, NONE);
      const [copy] = await queue.take(10);
      await queue.settle(copy!, changeOf(copy!.job, { recipients: [relayed(0), relayed(1)], due: null }), NONE);
      await queue.settle(lease!, change, NONE);
      expect(await queue.take(10)).toEqual([]);
    });

    test('jobs that are given back are there at once, and the fence of the old lease is past', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      const [first] = await queue.take(1);
      await queue.release([first!]);
      expect(await queue.begin(first!, { attempt: 1, recipients: [0], at: now() })).toBe(false);
      const [second] = await queue.take(1);
      expect(second?.job).toEqual(first!.job);
    });

    test('an operator holds, releases, hurries, fails and deletes what nobody holds', async () => {
      const { queue, now } = await open();
      await queue.put([{ ...jobOf('a', now()), due: now() + 60_000 }], stream('text'));
      expect([await queue.operate('a', 'hold'), await queue.operate('none', 'hold')]).toEqual([true, false]);
      expect(await queue.operate('a', 'release')).toBe(true);
      expect(await queue.take(1)).toEqual([]);
      await queue.operate('a', 'retry');
      const [lease] = await queue.take(1);
      expect(await queue.operate('a', 'delete')).toBe(false);
      await queue.release([lease!]);
      await queue.operate('a', 'bounce');
      const [bounced] = await queue.take(1);
      expect(bounced!.wish).toBe('bounce');
      await queue.release([bounced!]);
      const [again] = await queue.take(1);
      expect(again!.wish).toBe('bounce');
      await queue.release([again!]);
      expect(await queue.operate('a', 'delete')).toBe(true);
      expect(await queue.take(1)).toEqual([]);
      await expect(textOf(queue.content('m-a'))).rejects.toThrow();
    });

    test('what is held is not taken until it is released; to hurry it changes when it is due then', async () => {
      const { queue, now, advance } = await open();
      await queue.put([jobOf('a', now()), { ...jobOf('b', now(), 'm-a'), due: now() + 2e9 }], stream('text'));
      for (const id of ['a', 'b']) await queue.operate(id, 'hold');
      await advance(1e9);
      expect([await queue.operate('a', 'retry'), await queue.operate('b', 'retry')]).toEqual([true, true]);
      expect(await queue.take(2)).toEqual([]);
      for (const id of ['a', 'b']) await queue.operate(id, 'release');
      expect((await queue.take(2)).map(({ job }) => job.id).sort()).toEqual(['a', 'b']);
    });

    test('what is held can be given up', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now())], stream('text'));
      await queue.operate('a', 'hold');
      await queue.operate('a', 'bounce');
      expect((await queue.take(1)).map(({ job, wish }) => [job.held, wish])).toEqual([[undefined, 'bounce']]);
    });

    test('what its sender holds back is hurried to that time, and no further (RFC 4865 4)', async () => {
      const { queue, now, advance } = await open();
      const job = jobOf('a', now());
      await queue.put([{ ...job, message: { ...job.message, release: now() + 5000 }, due: now() + 60_000 }], stream('text'));
      await queue.operate('a', 'retry');
      expect(await queue.take(1)).toEqual([]);
      await advance(5000);
      expect((await queue.take(1)).map((lease) => lease.job.id)).toEqual(['a']);
    });

    test('jobs are counted by what may be done with them, where the queue counts them', async () => {
      const { queue, now } = await open();
      if (queue.count === undefined) return;
      expect(await queue.count()).toEqual({ leased: 0, due: 0, waiting: 0, held: 0, oldest: null });
      const dues: readonly (readonly [string, number])[] = [
        ['a', -3000],
        ['b', -2000],
        ['c', -1000],
        ['d', 0],
        ['later', 60_000],
      ];
      for (const [id, by] of dues) await queue.put([{ ...jobOf(id, now()), due: now() + by }], stream('text'));
      await queue.operate('b', 'hold');
      const taken = await queue.take(1);
      expect(taken.map(({ job }) => job.id)).toEqual(['a']);
      expect(await queue.count()).toEqual({ leased: 1, due: 2, waiting: 1, held: 1, oldest: now() - 1000 });
    });

    test('jobs are found by name, message, domain, hold and time', async () => {
      const { queue, now } = await open();
      await queue.put([jobOf('a', now(), 'm'), { ...jobOf('b', now(), 'm'), domain: 'example.org', due: now() + 1000 }], stream('text'));
      await queue.operate('a', 'hold');
      const found = async (query: Parameters<Queue['find']>[0]): Promise<string[]> => {
        const ids: string[] = [];
        for await (const { id } of queue.find(query)) ids.push(id);
        return ids.sort();
      };
      expect(await found({})).toEqual(['a', 'b']);
      expect(await found({ job: 'a' })).toEqual(['a']);
      expect(await found({ job: 'a', domain: 'example.org' })).toEqual([]);
      expect(await found({ message: 'm', domain: 'example.org' })).toEqual(['b']);
      expect(await found({ held: true })).toEqual(['a']);
      expect(await found({ held: false })).toEqual(['b']);
      expect(await found({ dueBefore: now() + 1 })).toEqual(['a']);
      expect(await found({ message: 'other' })).toEqual([]);
    });
  });
}
