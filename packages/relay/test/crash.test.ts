// What is found after a crash, and what happens then: two processes share a queue, and the first dies, or stands still, at each moment that matters.
import type { Queue } from '@ehlo/delivery';
import { expect, test } from 'vitest';
import type { MemoryQueue } from '../src/memory-queue.ts';
import type { Schedule } from '../src/runner/index.ts';
import type { VirtualTime } from './virtual-time.ts';
import { ACCEPTED, refused, type Tables, World } from './world.ts';

const MINUTE = 60_000;
/** Of the queue; and the first pause between tries (RFC 5321 4.5.4.1). */
const LEASE = 30_000;
const PAUSE = 30 * MINUTE;

/** Never resolves: nobody is there any more. */
const NEVER: Promise<never> = new Promise(() => {});

type Call = 'begin' | 'settle';

/** A process that can die: nothing that it does reaches the queue then, and no clock wakes it. */
class Mortal {
  isDead = false;
  /** Dies at this call: before it is carried out, or when it is and before its answer comes. */
  readonly #dies: { readonly call: Call; readonly when: 'before' | 'behind' } | null;

  constructor(dies: { readonly call: Call; readonly when: 'before' | 'behind' } | null = null) {
    this.#dies = dies;
  }

  queue(queue: MemoryQueue): Queue {
    const living = <T>(call: () => Promise<T>): Promise<T> => (this.isDead ? NEVER : call());
    const fatal = async <T>(name: Call, call: () => Promise<T>): Promise<T> => {
      if (this.isDead) return NEVER;
      if (this.#dies?.call !== name) return call();
      if (this.#dies.when === 'behind') await call();
      this.isDead = true;
      return NEVER;
    };
    return {
      put: (jobs, content) => living(() => queue.put(jobs, content)),
      take: (most) => living(() => queue.take(most)),
      renew: (leases) => living(() => queue.renew(leases)),
      begin: (lease, attempt) => fatal('begin', () => queue.begin(lease, attempt)),
      settle: (lease, change, notices) => fatal('settle', () => queue.settle(lease, change, notices)),
      release: (leases) => living(() => queue.release(leases)),
      content: (id) => queue.content(id),
      find: (query) => queue.find(query),
      operate: (id, what) => living(() => queue.operate(id, what)),
    };
  }

  schedule(time: VirtualTime): Schedule {
    const alive = (call: () => void) => (): void => (this.isDead ? undefined : call());
    return { now: () => time.now(), at: (at, call) => time.at(at, alive(call)), in: (pause, call) => time.in(pause, alive(call)) };
  }
}

/** A message goes to the first of two processes; the second begins when that has died. */
async function afterCrash(mortal: Mortal, tables: Tables = {}): Promise<{ first: World; second: World }> {
  const first = new World({ ...tables, seen: mortal });
  const second = new World(tables.outcome === undefined ? {} : { outcome: tables.outcome }, {}, first);
  await first.put(['joe@example.net']);
  first.runner.start();
  await first.time.runUntil(100);
  expect(mortal.isDead).toBe(true);
  second.runner.start();
  return { first, second };
}

const copies = ({ first, second }: { first: World; second: World }): number => first.sent.length + second.sent.length;

test('before the mark: as if not tried; sent when the lease is over', async () => {
  const worlds = await afterCrash(new Mortal({ call: 'begin', when: 'before' }));
  await worlds.first.time.runUntil(LEASE - 1000);
  expect(copies(worlds)).toBe(0);
  await worlds.first.time.runUntil(LEASE + 2000);
  expect([worlds.first.sent.length, worlds.second.sent.length, worlds.first.queue.size]).toEqual([0, 1, 0]);
});

test.each<[string, Mortal, (mortal: Mortal) => Tables, number]>([
  ['behind the mark, before the end has left', new Mortal({ call: 'begin', when: 'behind' }), () => ({}), 0],
  [
    'when the end has left, before the 250',
    new Mortal(),
    (mortal) => ({
      behind: () => {
        mortal.isDead = true;
        return NEVER;
      },
    }),
    1,
  ],
  ['with the 250, before the commit', new Mortal({ call: 'settle', when: 'before' }), () => ({}), 1],
])('%s: nobody knows, so it is sent after a pause, not at once', async (_, mortal, tables, taken) => {
  const worlds = await afterCrash(mortal, tables(mortal));
  await worlds.first.time.runUntil(LEASE + 2000);
  const found: (number | undefined)[] = [];
  for await (const { recipients, begun } of worlds.first.queue.find({})) found.push(recipients[0]?.unknown, begun?.attempt);
  expect(found).toEqual([1, undefined]);
  await worlds.first.time.runUntil(PAUSE + LEASE - 1000);
  expect(copies(worlds)).toBe(taken);
  await worlds.first.time.runUntil(PAUSE + LEASE + 5000);
  expect([worlds.first.sent.length, worlds.second.sent.length, worlds.first.queue.size]).toEqual([taken, 1, 0]);
});

test('who wants each message once at the most gets no second one, and the sender is told', async () => {
  const mortal = new Mortal({ call: 'begin', when: 'behind' });
  const first = new World({ seen: mortal });
  const second = new World({}, { unknown: 'once' }, first);
  await first.put(['joe@example.net']);
  first.runner.start();
  await first.time.runUntil(100);
  second.runner.start();
  await first.time.runUntil(PAUSE + LEASE + 5000);
  expect([...first.sent, ...second.sent].map(({ transaction }) => transaction.recipients[0]?.address)).toEqual(['ann@example.org']);
});

test('when the commit is made, and its answer is lost: it is over', async () => {
  const worlds = await afterCrash(new Mortal({ call: 'settle', when: 'behind' }));
  await worlds.first.time.runUntil(PAUSE + LEASE + 5000);
  expect([copies(worlds), worlds.first.queue.size]).toEqual([1, 0]);
});

test.each(['before', 'behind'] as const)('who is refused has one notice, where the process dies %s the commit of both', async (when) => {
  const outcome = (address: string): typeof ACCEPTED => (address.startsWith('joe') ? refused(550) : ACCEPTED);
  const worlds = await afterCrash(new Mortal({ call: 'settle', when }), { outcome });
  // There is never a failure without its notice: either both are in the queue, or neither.
  const jobs: string[] = [];
  for await (const { domain, recipients } of worlds.first.queue.find({})) jobs.push(`${domain} ${recipients[0]?.state}`);
  expect(jobs).toEqual([when === 'before' ? 'example.net due' : 'example.org due']);
  await worlds.first.time.runUntil(PAUSE + LEASE + 5000);
  const notices = worlds.second.sent.filter(({ transaction }) => transaction.reversePath === '');
  expect([notices.length, worlds.first.queue.size]).toEqual([1, 0]);
});

test('a message that was put, and the answer lost: it is found by its name, and put once', async () => {
  const world = new World();
  const isThere = async (): Promise<boolean> => {
    for await (const _ of world.queue.find({ message: 'm' })) return true;
    return false;
  };
  expect(await isThere()).toBe(false);
  await world.put(['joe@example.net']);
  expect(await isThere()).toBe(true);
  // Who does not look puts it again.
  await world.put(['joe@example.net']);
  expect(world.queue.size).toBe(1);
  world.runner.start();
  await world.time.runUntil(1000);
  expect(world.sent).toHaveLength(1);
});

test('a process that stands still for longer than its lease, and hears the 250 then: the acceptance counts, and nobody sends it again', async () => {
  let goOn = (): void => {};
  const stands = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const mortal = new Mortal();
  const first = new World({ seen: mortal, behind: () => stands });
  const second = new World({}, {}, first);
  await first.put(['joe@example.net']);
  first.runner.start();
  await first.time.runUntil(100);
  mortal.isDead = true;
  second.runner.start();
  await first.time.runUntil(LEASE + 5 * MINUTE);
  expect([first.sent.length, second.sent.length, first.queue.size]).toEqual([1, 0, 1]);
  mortal.isDead = false;
  goOn();
  await first.time.runUntil(PAUSE + LEASE + MINUTE);
  expect([first.sent.length, second.sent.length, first.queue.size]).toEqual([1, 0, 0]);
});
