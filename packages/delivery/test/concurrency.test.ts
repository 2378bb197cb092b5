// Sessions: how many there are, for how long, and what they grow and shrink by.
import { describe, expect, test } from 'vitest';
import { type DeliveryOutcome, HostBook, type Order } from '../src/index.ts';
import { explainStep, stepsAtRest } from '../src/words.ts';
import { ONE_HOST, Runner, refused, type World } from './run.ts';

/** A runner whose sessions stay open and whose transactions are answered by hand. */
class Slow extends Runner {
  readonly waiting: Order[] = [];

  override answer(order: Order): ReturnType<Runner['answer']> {
    if (order.type !== 'send') return super.answer(order);
    this.waiting.push(order);
    return null;
  }

  /** The oldest transaction comes to its end. */
  finish(at: number): this {
    const order = this.waiting.shift()!;
    const fact = super.answer(order);
    this.dispatcher.tick(at);
    this.dispatcher.tell(fact!);
    return this.run(at);
  }

  get opened(): number {
    return this.of('open').length;
  }
}

function filled(count: number, world: World = {}, options: ConstructorParameters<typeof Runner>[1] = {}): Slow {
  const runner = new Slow({ dns: ONE_HOST, ...world }, options);
  for (let i = 0; i < count; i++) runner.add('example.net', [`joe${i}@example.net`], { id: `m${i}` }, `j${String(i).padStart(3, '0')}`);
  return runner.run(0);
}

describe('a destination', () => {
  test('has two sessions at first, and one more with each success', () => {
    const runner = filled(20);
    expect(runner.opened).toBe(2);
    runner.finish(0);
    expect(runner.opened).toBe(3);
    runner.finish(0);
    expect(runner.opened).toBe(4);
    expect(runner.waiting).toHaveLength(4);
  });

  test('has no more than the settings say, and with the last job none is opened', () => {
    const runner = filled(20, {}, { sessions: { first: 2, most: 3, host: 20, source: 20, total: 20 } });
    for (let i = 0; i < 10; i++) runner.finish(0);
    expect(runner.opened).toBe(3);
    expect(filled(1).opened).toBe(1);
  });

  test('has fewer when the host wants that', () => {
    const runner = filled(40, { send: () => [refused(451, 'rate limit exceeded', 'mail')] });
    runner.finish(0).finish(0);
    // A session that is free goes on; no new one takes the place of others.
    expect(runner.opened).toBe(2);
  });

  test('uses a session for as many messages as the settings say', () => {
    const runner = filled(
      7,
      {},
      { sessions: { first: 1, most: 1, host: 1, source: 1, total: 1 }, session: { messages: 3, age: 300_000, idle: 5000 } },
    );
    for (let i = 0; i < 7; i++) runner.finish(0);
    expect([runner.opened, runner.of('close').length]).toEqual([3, 2]);
    expect(runner.dispatcher.size).toBe(0);
  });

  test('leaves a session that is old', () => {
    const runner = filled(3, {}, { sessions: { first: 1, most: 1, host: 1, source: 1, total: 1 } });
    runner.finish(299_999).finish(300_000);
    expect([runner.opened, runner.of('close').length]).toEqual([2, 1]);
  });

  test('connects from each source by turns', () => {
    const runner = filled(4, {}, { sources: ['192.0.2.101', '192.0.2.102'] });
    expect(runner.of('open').map(({ source }) => source)).toEqual(['192.0.2.101', '192.0.2.102']);
  });
});

test('who waits for room gets it when a session ends, though another that waited has nothing left to do', () => {
  const zone = (name: string, rr: string) => {
    if (rr === 'MX') return { mx: [{ preference: 10, exchange: `mx.${name}` }] };
    return rr === 'A' ? { addresses: [`192.0.2.${name.charCodeAt(3)}`] } : { status: 'empty' as const };
  };
  const runner = new Slow({ dns: zone }, { sessions: { first: 1, most: 1, host: 1, source: 1, total: 1 } });
  for (const name of ['a', 'b', 'c']) runner.add(`${name}.example`, [`joe@${name}.example`], { id: name }, name).run(0);
  expect(runner.of('open').map(({ target }) => target.host)).toEqual(['mx.a.example']);
  // The job of the second is another's now.
  runner.dispatcher.tell({ type: 'lost', job: 'b' });
  runner.run(0).finish(0).run(5000);
  expect(runner.of('open').map(({ target }) => target.host)).toEqual(['mx.a.example', 'mx.c.example']);
});

test('connections that fail at once are one failure of their host: its pause doubles with the next', () => {
  const hosts = new HostBook();
  const dead = { first: 100, most: 1000 };
  const met = (at: number) => ({ at, status: '4.4.1', category: 'no-answer' });
  for (let i = 0; i < 20; i++) hosts.failed('192.0.2.1 25', 0, met(i), dead);
  expect(hosts.known('192.0.2.1 25').dead).toBe(100);
  hosts.failed('192.0.2.1 25', 100, met(101), dead);
  expect(hosts.known('192.0.2.1 25').dead).toBe(301);
});

test('a host is left alone at the port that does not answer, and at no other', () => {
  const routes = [
    { domains: ['here.example'], hosts: [{ host: '192.0.2.1', port: 24, protocol: 'lmtp' as const }] },
    { domains: ['*'], hosts: [{ host: '192.0.2.1', port: 25 }] },
  ];
  const runner = new Runner({ open: ({ target }) => (target.port === 24 ? { stage: 'connect' } : undefined) }, { routes });
  runner.add('here.example', ['joe@here.example'], { id: 'm1' }, 'j1');
  runner.run(0);
  runner.add('there.example', ['joe@there.example'], { id: 'm2' }, 'j2');
  runner.run(0);
  expect(runner.of('open').map(({ target }) => target.port)).toEqual([24, 25]);
});

test('a job behind a host that is left alone says which, when, what it met, and until when; it was no try', () => {
  const routes = [{ domains: ['*'], hosts: [{ host: '192.0.2.1', port: 25 }] }];
  const text = 'connect ECONNREFUSED 192.0.2.1:25';
  const runner = new Runner({ open: () => ({ stage: 'connect', text }) }, { routes, keep: 0 });
  runner.add('here.example', ['joe@here.example'], { id: 'm1' }, 'j1').run(1000);
  runner.add('there.example', ['joe@there.example'], { id: 'm2' }, 'j2').run(61_000);
  expect(runner.of('open')).toHaveLength(1);
  const job = runner.jobs.get('j2')!;
  expect([job.tries, job.recipients[0]]).toEqual([
    0,
    { address: 'joe@there.example', state: 'due', last: { at: 1000, status: '4.4.1', category: 'no-answer', host: '192.0.2.1', text } },
  ]);
  expect(stepsAtRest(job, 0).map(explainStep)).toEqual([
    '192.0.2.1 was not to be had: connect ECONNREFUSED 192.0.2.1:25 (4.4.1, no-answer). (RFC 5321 4.5.4.1)',
    'It waits for its next try, at 1970-01-01T00:05:01Z; 0 have failed. (RFC 5321 4.5.4.1)',
  ]);
});

// RFC 5321 4.5.4.1: "The sender MUST delay retrying a particular destination after one attempt has failed."
describe('a host that has done nothing in a session, and', () => {
  const MINUTE = 60_000;
  const many = Array.from({ length: 50 }, (_, i) => `j${i}`);
  const lost: DeliveryOutcome = { status: 'unsent', stage: 'mail', cause: 'lost', reply: null };
  const addMany = (world: World): Runner => {
    const runner = new Runner({ dns: ONE_HOST, ...world });
    for (const id of many) runner.add('example.net', [`${id}@example.net`], { id: `m${id}` }, id);
    return runner.run(0);
  };

  test.each<[string, World]>([
    ['ends it with 421', { send: () => [refused(421, 'rate limit exceeded', 'mail')], ends: () => true }],
    ['ends it without a word', { send: () => [lost], ends: () => true }],
  ])('%s, is not connected to again at once: what waits for it waits longer', (_, world) => {
    const runner = addMany(world);
    expect([runner.of('open').length, runner.of('send').length]).toEqual([1, 1]);
    const dues = [...runner.jobs.values()].map(({ due }) => due);
    expect(Math.min(...dues)).toBeGreaterThanOrEqual(30 * MINUTE);
    // The pause grows from one such session to the next.
    for (let hour = 1; hour < 24; hour++) runner.runUntil(hour * 60 * MINUTE);
    expect(runner.of('open').length).toBeLessThan(30);
    runner.world.send = () => undefined;
    runner.world.ends = () => false;
    runner.runUntil(60 * 60 * MINUTE);
    expect(many.flatMap((id) => runner.states(id)).filter((state) => state !== 'relayed')).toEqual([]);
  });

  test('takes one message each time, is connected to for the next at once', () => {
    let count = 0;
    const runner = addMany({
      send: () => (count++ % 2 === 0 ? undefined : [refused(421, 'one at a time', 'mail')]),
      ends: () => count % 2 === 0,
    });
    expect(runner.of('open').length).toBeGreaterThan(20);
  });

  test('has refused the message for good, is connected to for the next one', () => {
    const runner = addMany({ send: () => [refused(550)], ends: () => true });
    expect(runner.of('open').length).toBe(50);
  });

  test('wants less, and does not end the session, is given the next message by it: what it said was said of one', () => {
    const runner = addMany({ send: () => [refused(450, '4.7.0 rate limit exceeded')] });
    expect([runner.of('open').length, runner.of('send').length]).toEqual([1, 50]);
  });

  test('has said so of one message: the sender of another is not shown it', () => {
    const runner = addMany({ send: () => [refused(421, 'enough from joe', 'mail')], ends: () => true });
    const said = many.map((id) => runner.jobs.get(id)!.recipients[0]!.last!);
    expect(said.map(({ status, reply }) => [status, reply?.lines[0] ?? null]).slice(0, 3)).toEqual([
      ['4.0.0', 'enough from joe'],
      ['4.0.0', null],
      ['4.0.0', null],
    ]);
  });

  test('takes one connection, is not asked for another after each message', () => {
    let open = 0;
    const runner = new Slow({ dns: ONE_HOST, open: () => (open++ === 0 ? undefined : { stage: 'greeting' as const }) });
    for (const id of many) runner.add('example.net', [`${id}@example.net`], { id: `m${id}` }, id);
    runner.run(0);
    for (let i = 0; i < 50; i++) runner.finish(1000 * i);
    expect([runner.opened, runner.of('send').length]).toEqual([2, 50]);
  });
});
