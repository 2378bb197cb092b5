import { Dispatcher, deliverySettings, HostBook, newJob } from '@ehlo/delivery';
import { describe, expect, test } from 'vitest';
import { type RemoteSession, Runner, wallClock } from '../src/runner/index.ts';
import { ACCEPTED, refused, World, withResolvers } from './world.ts';

const HOUR = 3_600_000;

test('a message goes from the queue to a host, and out of the queue', async () => {
  const world = new World();
  await world.put(['joe@example.net', 'may@example.net']);
  world.runner.start();
  await world.time.runUntil(1000);
  expect(
    world.sent.map(({ address, transaction, content }) => [address, transaction.recipients.map((one) => one.address), content]),
  ).toEqual([['192.0.2.1', ['joe@example.net', 'may@example.net'], 'Subject: hello\r\n\r\ntext\r\n']]);
  expect([world.queue.size, world.runner.size, world.failures]).toEqual([0, 0, []]);
});

test('jobs that are put while it runs are found by the next look, or at once when it is told', async () => {
  const world = new World();
  world.runner.start();
  await world.time.runUntil(100);
  await world.put(['joe@example.net'], 'a\r\n', { id: 'one' });
  world.runner.poke();
  await world.time.runUntil(101);
  expect(world.sent).toHaveLength(1);
  await world.put(['joe@example.net'], 'b\r\n', { id: 'two' });
  await world.time.runUntil(999);
  expect(world.sent).toHaveLength(1);
  await world.time.runUntil(1000);
  expect(world.sent).toHaveLength(2);
});

test('who is refused is told of in a notice, which is queued by the same commit and sent', async () => {
  const world = new World({ outcome: (address) => (address.startsWith('joe') ? refused(550) : ACCEPTED) });
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(2000);
  const [, notice] = world.sent;
  expect(notice?.transaction).toMatchObject({ reversePath: '', recipients: [{ address: 'ann@example.org' }] });
  expect(notice?.content).toMatch(/^From: .*postmaster@mx\.example\.org/);
  expect(notice?.content).toMatch(/Final-Recipient: rfc822; ?joe@example\.net\r\n/i);
  // RFC 3461 6.2: the message comes back.
  expect(notice?.content).toContain('\r\nSubject: hello\r\n\r\ntext\r\n');
  expect(world.queue.size).toBe(0);
});

test('of a large message only the header goes back (RFC 3461 6.2)', async () => {
  const world = new World({ outcome: () => refused(550) });
  await world.put(['joe@example.net'], `Subject: large\r\n\r\n${'x'.repeat(70_000)}\r\n`, { size: 0 });
  world.runner.start();
  await world.time.runUntil(2000);
  const notice = world.sent.at(-1)!.content;
  expect(notice).toContain('Subject: large\r\n');
  expect(notice).not.toContain('xxx');
});

test('of a message whose header does not end nothing goes back', async () => {
  const world = new World({ outcome: () => refused(550) });
  await world.put(['joe@example.net'], 'no header at all');
  world.runner.start();
  await world.time.runUntil(2000);
  expect(world.sent).toHaveLength(2);
  expect(world.sent[1]!.content).not.toContain('no header at all');
});

// A commit that fails by what it is to say would be made again for ever, and what was accepted beside it sent again by the next holder.
test.each([
  ['joe@example.net', 'rfc 822', 1, 'Final-Recipient: rfc822; joe@example.net\r\nAction: failed\r\nStatus: 5.0.0\r\n'],
  ['j\0e@example.net', 'rfc822', 1, 'Final-Recipient: rfc822; j?e@example.net\r\nAction: failed\r\nStatus: 5.0.0\r\n'],
])('a notice of %j that can not say all is written without it', async (address, type, failures, text) => {
  const world = new World({ outcome: (one) => (one === address ? refused(550) : ACCEPTED) });
  const message = { id: 'm', reversePath: 'ann@example.org', arrived: world.time.now(), size: 6 };
  const recipients = [{ address, orcpt: { type, address: 'x' } }, { address: 'ann@example.net' }];
  await world.queue.put([newJob('j', message, 'example.net', recipients)], [new TextEncoder().encode('A: b\r\n')]);
  world.runner.start();
  await world.time.runUntil(60_000);
  expect([world.failures, world.queue.size, world.runner.size]).toEqual([Array(failures).fill('notice'), 0, 0]);
  expect(world.sent.at(-1)!.content).toContain(text);
});

// Servers take what RFC 5321 does not let anybody write: whoever was taken is told.
test('a sender whose path is not of the letter is told', async () => {
  const world = new World({ outcome: (one) => (one.startsWith('joe@') ? refused(550) : ACCEPTED) });
  await world.put(['joe@example.net'], 'a\r\n', { reversePath: 'john..doe@example.org' });
  world.runner.start();
  await world.time.runUntil(60_000);
  expect([world.failures, world.queue.size]).toEqual([[], 0]);
  expect(world.sent.at(-1)!.transaction.recipients.map(({ address }) => address)).toEqual(['john..doe@example.org']);
});

test('where nobody can be told by such a reverse-path, what came of the message is recorded all the same', async () => {
  const world = new World({ outcome: () => refused(550) });
  await world.put(['joe@example.net'], 'a\r\n', { reversePath: 'no path' });
  world.runner.start();
  await world.time.runUntil(60_000);
  expect([world.failures, world.queue.size, world.runner.size, world.sent.length]).toEqual([['notice', 'notice'], 0, 0, 1]);
});

test('who is refused is told of without the message where that can not be read', async () => {
  const world = new World({ outcome: (address) => (address.startsWith('joe') ? refused(550) : ACCEPTED) });
  const content = world.queue.content.bind(world.queue);
  world.queue.content = async function* (id) {
    yield* content(id);
    // Its last octets have another checksum: nothing that was read is to be trusted.
    if (id === 'm') throw new Error('EIO');
  };
  await world.put(['joe@example.net'], 'Subject: hello\r\n\r\ntext\r\n', { size: 0 });
  await world.queue.operate('j-m', 'bounce');
  world.runner.start();
  await world.time.runUntil(60_000);
  expect([world.failures, world.sent.length, world.queue.size, world.runner.size]).toEqual([['notice'], 1, 0, 0]);
  const [notice] = world.sent;
  expect(notice!.transaction.recipients[0]!.address).toBe('ann@example.org');
  expect(notice!.content).toMatch(/Final-Recipient: rfc822; ?joe@example\.net\r\n/i);
  expect(notice!.content).not.toContain('Subject: hello');
});

test('a commit that fails with the look at the message is made again with the message', async () => {
  const world = new World();
  const { queue } = world;
  const [content, settle] = [queue.content.bind(queue), queue.settle.bind(queue)];
  let isGone = true;
  queue.content = async function* (id) {
    if (isGone) throw new Error('the database is gone');
    yield* content(id);
  };
  queue.settle = async (...args) => {
    if (!isGone) return settle(...args);
    isGone = false;
    throw new Error('the database is gone');
  };
  await world.put(['joe@example.net']);
  await queue.operate('j-m', 'bounce');
  world.runner.start();
  await world.time.runUntil(60_000);
  expect([world.failures, world.sent.length, queue.size]).toEqual([['notice', 'settle'], 1, 0]);
  expect(world.sent[0]!.content).toContain('Subject: hello\r\n\r\ntext\r\n');
});

test('what is deferred is tried again when its pause is over', async () => {
  let tries = 0;
  const world = new World({ outcome: () => (++tries < 3 ? refused(451) : ACCEPTED) });
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(5 * HOUR);
  expect([tries, world.queue.size]).toEqual([3, 0]);
});

test('the end of a message waits until its attempt is written down', async () => {
  const world = new World();
  const { promise, resolve } = withResolvers();
  const begin = world.queue.begin.bind(world.queue);
  world.queue.begin = async (...args) => {
    await promise;
    return begin(...args);
  };
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(1000);
  expect(world.sent).toEqual([]);
  resolve();
  await world.time.runUntil(2000);
  expect(world.sent).toHaveLength(1);
});

test.each([
  ['is refused', async () => false],
  ['fails', async () => Promise.reject(new Error('disk full'))],
])('a message whose mark %s never ends', async (_, begin) => {
  const world = new World();
  world.queue.begin = begin;
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(20_000);
  expect([world.sent, world.queue.size]).toEqual([[], 1]);
});

test.each(['lookUp', 'open'] as const)('%s that throws is the failure of that order alone, and is told', async (name) => {
  const world = new World();
  Object.assign(world.means, {
    [name]: () => {
      throw new Error('broken');
    },
  });
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(1000);
  expect(new Set(world.failures)).toEqual(new Set([name === 'open' ? 'open' : 'lookup']));
  expect(world.queue.size).toBe(1);
});

test('a session that breaks its promise leaves an outcome that nobody knows: the message is sent again after a pause', async () => {
  let sends = 0;
  const world = new World({
    before: async () => {
      if (++sends === 1) throw new Error('bug');
    },
  });
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(1000);
  expect([sends, world.queue.size, world.failures]).toEqual([1, 1, ['send']]);
  await world.time.runUntil(5 * HOUR);
  expect([world.sent.length, world.queue.size]).toEqual([1, 0]);
});

test('a session that fails to close, or whose end is an error, is told of, and nothing else happens', async () => {
  const world = new World();
  const open = world.means.open.bind(world.means);
  Object.assign(world.means, {
    open: async (...given: Parameters<typeof open>) => {
      const session = (await open(...given)) as RemoteSession;
      const close = (): void => {
        throw new Error('broken');
      };
      return { ...session, close, ended: session.ended.then(() => Promise.reject(new Error('reset'))) };
    },
  });
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(60_000);
  await world.runner.stop();
  expect([world.sent.length, world.queue.size, world.runner.state]).toEqual([1, 0, 'stopped']);
  expect(world.failures).toContain('close');
});

test('a commit that fails is made again', async () => {
  const world = new World();
  const settle = world.queue.settle.bind(world.queue);
  let commits = 0;
  world.queue.settle = async (...args) => {
    if (++commits === 1) throw new Error('connection lost');
    return settle(...args);
  };
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(60_000);
  expect([commits, world.sent.length, world.queue.size]).toEqual([2, 1, 0]);
});

test('a commit whose answer is lost is made again, though the message of which its notice tells is gone', async () => {
  const world = new World({ outcome: (address) => (address.startsWith('joe') ? refused(550) : ACCEPTED) });
  const settle = world.queue.settle.bind(world.queue);
  let commits = 0;
  world.queue.settle = async (...args) => {
    const isDone = await settle(...args);
    if (++commits === 1) throw new Error('answer lost');
    return isDone;
  };
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(60_000);
  expect([world.failures, world.sent.length, world.queue.size, world.runner.size]).toEqual([['settle'], 2, 0, 0]);
});

test('leases are renewed as long as a transaction runs', async () => {
  const { promise, resolve } = withResolvers();
  const world = new World({ before: () => promise });
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(10 * 60_000);
  expect(await world.queue.take(10)).toEqual([]);
  resolve();
  await world.time.runUntil(11 * 60_000);
  expect([world.sent.length, world.queue.size]).toEqual([1, 0]);
});

test('a job that another has taken is left alone, and what was accepted counts all the same', async () => {
  const { promise, resolve } = withResolvers();
  const world = new World({ behind: () => promise });
  await world.put(['joe@example.net']);
  world.queue.renew = async () => new Set();
  world.runner.start();
  await world.time.runUntil(60_000);
  const [lease] = await world.queue.take(1);
  expect(lease?.job.begun?.recipients).toEqual([0]);
  resolve();
  await world.time.runUntil(61_000);
  expect([world.queue.size, world.runner.size]).toEqual([0, 0]);
});

test('who asked to be told of success is, though the lease was lost meanwhile (RFC 3461 5.2.2)', async () => {
  const { promise, resolve } = withResolvers();
  const world = new World({ behind: () => promise });
  const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 4 };
  await world.queue.put([newJob('j', message, 'example.net', [{ address: 'joe@example.net', notify: ['SUCCESS'] }])], [new Uint8Array(4)]);
  world.queue.renew = async () => new Set();
  world.runner.start();
  await world.time.runUntil(60_000);
  expect((await world.queue.take(1)).map(({ job }) => job.id)).toEqual(['j']);
  resolve();
  await world.time.runUntil(70_000);
  expect(world.sent.map(({ transaction }) => transaction.recipients[0]!.address)).toEqual(['joe@example.net', 'ann@example.org']);
});

test.each([
  ['refused', refused(550), 0],
  ['accepted', ACCEPTED, 1],
])('a job that another has taken and whose commit fails is let go, unless a server has taken the message: %s', async (_, outcome, size) => {
  const world = new World({ outcome: () => outcome });
  await world.put(['joe@example.net']);
  const leases = [...(await world.queue.take(1))];
  world.queue.take = async () => leases.splice(0);
  world.queue.renew = async () => new Set();
  world.queue.settle = async () => {
    throw new Error('the database is gone');
  };
  world.runner.start();
  await world.time.runUntil(5 * 60_000);
  expect(world.runner.size).toBe(size);
  // Nothing is left of one that is let go: it keeps nobody from stopping.
  const stopping = world.runner.stop();
  await world.time.runUntil(5 * 60_000 + 1000);
  expect(world.runner.state).toBe(size === 0 ? 'stopped' : 'stopping');
  await world.time.runUntil(7 * 60_000);
  await stopping;
});

test('stop waits for the transaction that has begun, begins no other, and gives the rest back', async () => {
  const { promise, resolve } = withResolvers();
  const world = new World({ behind: () => promise }, { sessions: { first: 1, most: 1, host: 1, source: 1, total: 1 } });
  await world.put(['joe@example.net'], 'a\r\n', { id: 'one' });
  await world.put(['may@example.net'], 'b\r\n', { id: 'two' });
  world.runner.start();
  await world.time.runUntil(10);
  const stopping = world.runner.stop();
  await world.time.runUntil(20);
  expect(world.runner.state).toBe('stopping');
  resolve();
  await stopping;
  expect([world.sent.length, world.queue.size, world.runner.state, world.closed]).toEqual([1, 1, 'stopped', 1]);
  const [lease] = await world.queue.take(10);
  expect([lease?.job.message.id, lease?.job.begun]).toEqual(['two', undefined]);
});

test('a transaction that outlasts a lease while its runner stops is not begun by the next one, which has the rest at once', async () => {
  const { promise, resolve } = withResolvers();
  const world = new World({ behind: () => promise }, { sessions: { first: 1, most: 1, host: 1, source: 1, total: 1 } });
  const next = new World({}, {}, world);
  await world.put(['joe@example.net'], 'a\r\n', { id: 'one' });
  await world.put(['may@example.net'], 'b\r\n', { id: 'two' });
  world.runner.start();
  await world.time.runUntil(10);
  const stopping = world.runner.stop();
  next.runner.start();
  await world.time.runUntil(10 * 60_000);
  expect([world.runner.state, world.runner.size, next.sent.map(({ content }) => content)]).toEqual(['stopping', 1, ['b\r\n']]);
  resolve();
  await stopping;
  await world.time.runUntil(11 * 60_000);
  expect([world.sent.length, next.sent.length, world.queue.size, world.failures]).toEqual([1, 1, 0, []]);
});

test('a commit that fails while it stops is made again before it has stopped', async () => {
  const { promise, resolve } = withResolvers();
  const world = new World({ behind: () => promise });
  const settle = world.queue.settle.bind(world.queue);
  let commits = 0;
  world.queue.settle = async (...args) => {
    if (++commits < 4) throw new Error('connection lost');
    return settle(...args);
  };
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(10);
  const stopping = world.runner.stop();
  resolve();
  await world.time.runUntil(60_000);
  await stopping;
  expect([commits, world.sent.length, world.queue.size]).toEqual([4, 1, 0]);
});

test('a queue that takes no commit for a minute does not keep it from stopping: the mark says that an attempt was made', async () => {
  const world = new World();
  world.queue.settle = async () => Promise.reject(new Error('disk full'));
  await world.put(['joe@example.net']);
  world.runner.start();
  await world.time.runUntil(10);
  const stopping = world.runner.stop();
  await world.time.runUntil(59_000);
  expect(world.runner.state).toBe('stopping');
  await world.time.runUntil(120_000);
  await stopping;
  const [lease] = await world.queue.take(10);
  expect([world.runner.state, lease?.job.begun?.recipients]).toEqual(['stopped', [0]]);
});

test('a clock that is set back stops neither renewals nor looks into the queue', async () => {
  const { promise, resolve } = withResolvers();
  let back = 0;
  const behind = (time: World['time']): World['means']['schedule'] => {
    const now = (): number => time.now() - back;
    const at = (when: number, call: () => void): (() => void) => time.at(when + back, () => (now() < when ? at(when, call) : call()));
    return { now, at, in: (pause, call) => time.in(pause, call) };
  };
  const world = new World({ before: () => promise, seen: { queue: (queue) => queue, schedule: behind } });
  await world.put(['joe@example.net'], 'a\r\n', { id: 'one' });
  world.runner.start();
  await world.time.runUntil(10);
  back = HOUR;
  await world.time.runUntil(5 * 60_000);
  expect(await world.queue.take(10)).toEqual([]);
  await world.put(['joe@example.net'], 'b\r\n', { id: 'two', arrived: 0 });
  await world.time.runUntil(5 * 60_000 + 2000);
  expect(world.runner.size).toBe(2);
  resolve();
  await world.time.runUntil(6 * 60_000);
  expect([world.sent.length, world.queue.size]).toEqual([2, 0]);
});

test.each(['connect', 'tls'] as const)('an opening that stop gives up (%s) says nothing of the host', async (stage) => {
  const world = new World();
  const hosts = new HostBook();
  const settings = deliverySettings({ hostname: 'mx.example.org', allow: ['documentation'], sts: false, dane: false });
  const open: World['means']['open'] = (_, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve({ stage }), { once: true }));
  const runner = new Runner(new Dispatcher(settings, () => 0, { hosts }), { ...world.means, open }, { hostname: 'mx.example.org' });
  await world.put(['joe@example.net']);
  runner.start();
  await world.time.runUntil(10);
  expect(runner.open).toBe(1);
  await runner.stop();
  expect(hosts.known('192.0.2.1 25')).toMatchObject({ dead: 0, triedAt: 0, brokenTls: 0 });
});

describe('places that are all held by mail for a slow host', () => {
  const slow = async (count: number, domain: (index: number) => string, tables: ConstructorParameters<typeof World>[0] = {}) => {
    const world = new World(tables);
    const { promise, resolve } = withResolvers();
    const open = world.means.open.bind(world.means);
    const lookUp = world.means.lookUp.bind(world.means);
    Object.assign(world.means, {
      // However many domains: their host is one.
      lookUp: async (order: Parameters<typeof lookUp>[0]) =>
        order.rr === 'MX' && order.name.endsWith('slow.example')
          ? { status: 'found', security: 'insecure', ttl: 60, mx: [{ preference: 0, exchange: 'mx.slow.example' }] }
          : lookUp(order),
      open: async (...given: Parameters<typeof open>) => {
        const session = (await open(...given)) as RemoteSession;
        const send: RemoteSession['send'] = async (...what) => {
          await promise;
          return session.send(...what);
        };
        return given[0].target.host.endsWith('slow.example') ? { ...session, send } : session;
      },
    });
    const put = async (id: string, to: string): Promise<void> => {
      const message = { id, reversePath: 'ann@example.org', arrived: world.time.now(), size: 3 };
      await world.queue.put([newJob(id, message, to, [{ address: `joe@${to}` }])], [new TextEncoder().encode('a\r\n')]);
    };
    for (let index = 0; index < count; index++) await put(`s${index}`, domain(index));
    world.runner.start();
    await world.time.runUntil(500);
    expect([world.sent.length, world.runner.size]).toEqual([0, 100]);
    return { world, put, quicken: resolve };
  };

  test.each([
    ['of one domain', 300, () => 'slow.example', 60_000],
    ['of many domains', 100, (index: number) => `${index}.slow.example`, 90_000],
  ])('%s are made free for others that are due, and nothing is lost or counts as a try', async (_, count, domain, until) => {
    const { world, put, quicken } = await slow(count, domain);
    await put('good', 'good.example');
    await world.time.runUntil(until);
    expect(world.sent.flatMap(({ transaction }) => transaction.recipients.map(({ address }) => address))).toEqual(['joe@good.example']);
    for await (const job of world.queue.find({})) expect(job.tries ?? 0).toBe(0);
    quicken();
    await world.time.runUntil(until + 10 * 60_000);
    expect([world.sent.length, world.queue.size, world.runner.size, world.failures]).toEqual([count + 1, 0, 0, []]);
  });

  test('are made free no sooner where leases are renewed more often', async () => {
    const { world, put } = await slow(300, () => 'slow.example', { renewal: 1000 });
    await put('good', 'good.example');
    await world.time.runUntil(15_000);
    expect(world.sent).toEqual([]);
    await world.time.runUntil(60_000);
    expect(world.sent).toHaveLength(1);
  });

  test('are kept where nobody else is due', async () => {
    const { world } = await slow(100, () => 'slow.example');
    const settles: string[] = [];
    const settle = world.queue.settle.bind(world.queue);
    world.queue.settle = async (...args) => {
      settles.push(args[0].job.id);
      return settle(...args);
    };
    await world.time.runUntil(10 * 60_000);
    expect([settles, world.runner.size]).toEqual([[], 100]);
  });

  test('are kept where the queue can not say who is due, until it can', async () => {
    const { world, put } = await slow(150, () => 'slow.example');
    const count = world.queue.count.bind(world.queue);
    world.queue.count = async () => Promise.reject(new Error('not now'));
    await put('good', 'good.example');
    await world.time.runUntil(60_000);
    expect([world.sent.length, world.runner.size, new Set(world.failures)]).toEqual([0, 100, new Set(['count'])]);
    world.queue.count = count;
    await world.time.runUntil(120_000);
    expect(world.sent).toHaveLength(1);
  });
});

test('a runner that was never started stops', async () => {
  const world = new World();
  await world.runner.stop();
  world.runner.start();
  expect(world.runner.state).toBe('stopped');
});

test('an operator fails a job that nobody holds: its sender is told', async () => {
  const world = new World();
  await world.put(['joe@example.net']);
  expect(await world.queue.operate('j-m', 'bounce')).toBe(true);
  world.runner.start();
  await world.time.runUntil(5000);
  expect(world.sent.map(({ transaction }) => transaction.recipients[0]!.address)).toEqual(['ann@example.org']);
  expect(world.queue.size).toBe(0);
});

test('an operator fails a job that another had begun before it died: its sender is told', async () => {
  const world = new World();
  await world.put(['joe@example.net']);
  const [lease] = await world.queue.take(1);
  await world.queue.begin(lease!, { attempt: 1, recipients: [0], at: 0 });
  await world.time.runUntil(31_000);
  expect(await world.queue.operate('j-m', 'bounce')).toBe(true);
  world.runner.start();
  await world.time.runUntil(35_000);
  expect(world.sent.map(({ transaction }) => transaction.recipients[0]!.address)).toEqual(['ann@example.org']);
  expect(world.queue.size).toBe(0);
});

test('two runners share a queue, and each message is sent once', async () => {
  const one = new World();
  const two = new World({}, {}, one);
  for (let index = 0; index < 300; index++) await one.put(['joe@example.net'], `${index}\r\n`, { id: `m${index}` });
  one.runner.start();
  two.runner.start();
  await one.time.runUntil(10_000);
  const contents = [...one.sent, ...two.sent].map(({ content }) => content);
  expect([contents.length, new Set(contents).size, one.queue.size]).toEqual([300, 300, 0]);
  expect(two.sent.length).toBeGreaterThan(0);
});

test('a message that has to be 7-bit is made so on its way (RFC 6152 3)', async () => {
  const world = new World();
  const text = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngrüße\r\n';
  await world.put(['joe@example.net'], text, { body: '8BITMIME', convertible: true });
  world.runner.start();
  await world.time.runUntil(1000);
  expect(world.sent[0]!.content).toContain('Content-Transfer-Encoding: base64\r\n\r\nZ3LDvMOfZQ0K\r\n');
  expect(world.sent[0]!.transaction.parameters).not.toHaveProperty('body');
});

test('the wall clock calls once, not before its time, and never what was taken back', async () => {
  const called: string[] = [];
  const { promise, resolve } = withResolvers();
  const start = wallClock.now();
  wallClock.at(start + 5, () => {
    called.push(wallClock.now() >= start + 5 ? 'in time' : 'too early');
    resolve();
  });
  wallClock.at(start, () => called.push('taken back'))();
  wallClock.at(start + 1e13, () => called.push('far away'))();
  wallClock.in(1e13, () => called.push('far away'))();
  wallClock.in(0, () => called.push('taken back'))();
  await new Promise<void>((done) => void wallClock.in(1, done));
  await promise;
  expect(called).toEqual(['in time']);
});
