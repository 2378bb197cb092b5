// Who waits for a session, with whom, and what a session does when what follows from one job concerns it, too.
import { expect, test } from 'vitest';
import {
  applyChange,
  type DeliveryOptions,
  Dispatcher,
  deliverySettings,
  type Fact,
  type Message,
  newJob,
  type Order,
} from '../src/index.ts';

const ACCEPTED = { status: 'accepted', reply: { code: 250, lines: ['ok'] } } as const;
const SESSIONS = { first: 1, most: 1, host: 1, source: 1000, total: 2 };

type Sending = Extract<Order, { type: 'send' }>;

/** Everything is answered at once, but transactions: they end by hand. */
class Machine {
  readonly dispatcher: Dispatcher;
  readonly under: Sending[] = [];

  constructor(options: Partial<DeliveryOptions>) {
    const base = { hostname: 'me.example', preset: 'test', sts: false, dane: false, families: ['ipv4'] } as const;
    this.dispatcher = new Dispatcher(deliverySettings({ ...base, ...options }), () => 0.5);
    this.dispatcher.tick(1000);
  }

  get busy(): readonly string[] {
    return this.under.flatMap(({ parts }) => parts.map(({ job }) => job));
  }

  run(answer: (order: Order) => Fact | null = (order) => this.answer(order)): void {
    for (let order = this.dispatcher.nextOrder(); order !== null; order = this.dispatcher.nextOrder()) {
      const fact = answer(order);
      if (fact !== null) this.dispatcher.tell(fact);
    }
  }

  answer(order: Order): Fact | null {
    const to = order.id;
    switch (order.type) {
      case 'lookup': {
        const found = { type: 'dns', to, status: 'found', security: 'insecure', ttl: 3600 } as const;
        const mx = [
          { preference: 10, exchange: 'x.example' },
          { preference: 20, exchange: 'y.example' },
        ];
        return order.rr === 'MX' ? { ...found, mx } : { ...found, addresses: [order.name === 'y.example' ? '192.0.2.2' : '192.0.2.1'] };
      }
      case 'open':
        return { type: 'opened', to, extensions: order.target.host === 'y.example' ? { SMTPUTF8: [] } : {}, tls: false, verified: false };
      case 'begin':
        return { type: 'begun', to, result: 'done' };
      case 'send':
        expect(this.under.some(({ session }) => session === order.session)).toBe(false);
        this.under.push(order);
        return null;
      case 'settle':
        return { type: 'settled', to, result: 'done' };
      default:
        return null;
    }
  }

  add(id: string, domain: string, more: Partial<Message> = {}): void {
    const message = { id: `m${id}`, reversePath: 'x@y.example', arrived: 1000, size: 0, ...more };
    this.dispatcher.add(newJob(id, message, domain, [{ address: `u@${domain}` }]));
    this.run();
  }

  /** The transaction of a job is over. */
  end(job: string, open = false): void {
    const place = this.under.findIndex(({ parts }) => parts.some((part) => part.job === job));
    const [{ id: to, transaction }] = this.under.splice(place, 1) as [Sending];
    this.dispatcher.tell({ type: 'outcomes', to, outcomes: transaction.recipients.map(() => ACCEPTED), open });
    this.run();
  }
}

test('who waits for a host that has no session any more is not forgotten, though no more sessions may be had just then', () => {
  const host = (name: string, port = 25) => ({ domains: [`${name}${port}.example`], hosts: [{ host: name, port }] });
  const machine = new Machine({ sessions: SESSIONS, routes: [host('a'), host('a', 2525), host('b'), host('c')] });
  machine.add('first', 'a25.example');
  machine.add('waits for a', 'a2525.example');
  machine.add('second', 'b25.example');
  machine.add('waits for any', 'c25.example');
  expect(machine.busy).toEqual(['first', 'second']);
  // The place is another's; the one who waits for the host waits for any from now on.
  machine.end('first');
  expect(machine.busy).toEqual(['second', 'waits for any']);
  machine.end('second');
  machine.end('waits for any');
  expect(machine.busy).toEqual(['waits for a']);
  machine.end('waits for a');
  expect(machine.dispatcher.size).toBe(0);
});

test('a session that was given work by what follows from a job that it can not take begins no second transaction', () => {
  const session = { messages: 2, age: 1e9, idle: 1e6 };
  const machine = new Machine({ sessions: { ...SESSIONS, first: 2, most: 2, host: 20 }, session });
  // The second host takes SMTPUTF8; its session is used up.
  for (const id of ['u1', 'u2']) {
    machine.add(id, 'd.example', { smtpUtf8: true });
    machine.end(id, true);
  }
  machine.add('j0', 'd.example');
  machine.add('u3', 'd.example', { smtpUtf8: true, priority: 9 });
  for (const id of ['j2', 'j3', 'j4']) machine.add(id, 'd.example');
  machine.end('j0', true);
  while (machine.under.length > 0) machine.end(machine.busy[0]!, true);
  expect(machine.dispatcher.size).toBe(0);
});

test('a question keeps the names that it has asked for, however many are asked for meanwhile', () => {
  const machine = new Machine({ sts: true });
  const asked: Order[] = [];
  const hold = (order: Order): Fact | null => {
    if (order.type !== 'lookup') return null;
    asked.push(order);
    return null;
  };
  // Each has two names, and 50,000 are kept.
  const COUNT = 26_000;
  for (let i = 0; i < COUNT; i++) {
    const domain = `d${i}.example`;
    machine.dispatcher.add(newJob(`j${i}`, { id: `m${i}`, reversePath: '', arrived: 0, size: 0 }, domain, [{ address: `u@${domain}` }]));
  }
  machine.run(hold);
  for (let at = 0; at < asked.length && at < 4 * COUNT; at++) {
    const { id: to, rr } = asked[at] as Extract<Order, { type: 'lookup' }>;
    const answer = { type: 'dns', to, security: 'insecure', ttl: 3600 } as const;
    machine.dispatcher.tell(rr === 'A' ? { ...answer, status: 'found', addresses: ['192.0.2.1'] } : { ...answer, status: 'empty' });
    machine.run(hold);
  }
  // MX and TXT, and then A.
  expect(asked.length).toBe(3 * COUNT);
});

test.each(['hold', 'delete', 'bounce'] as const)('%s of a job that another has begun tells first that nobody knows', (what) => {
  // However soon a job goes back to the queue that is not due.
  const { dispatcher } = new Machine({ keep: 0 });
  const message = { id: 'm', reversePath: 'x@y.example', arrived: 0, size: 0 };
  const begun = { attempt: 1, recipients: [0], at: 5 };
  const job = { ...newJob('j', message, 'd.example', [{ address: 'u@d.example' }]), attempt: 0, begun };
  dispatcher.add(job);
  dispatcher.tell({ type: 'operator', job: 'j', what });
  const first = dispatcher.nextOrder() as Extract<Order, { type: 'settle' }>;
  expect(applyChange(job, first.change).recipients[0]).toMatchObject({ state: 'due', unknown: 1, last: { category: 'unknown' } });
  dispatcher.tell({ type: 'settled', to: first.id, result: 'done' });
  const second = dispatcher.nextOrder();
  expect(second).toMatchObject(what === 'hold' ? { type: 'settle', change: { held: true } } : { type: 'settle', change: { due: null } });
});

test('a walk that loses its room to another goes on where it was: no host is tried without end', () => {
  const names = ['a', 'b', 'c'];
  const hostsOf = (name: string) => ['bad', 'good'].map((host) => ({ host: `${host}.${name}.example`, tls: 'name' as const }));
  const machine = new Machine({
    sessions: { ...SESSIONS, total: 1 },
    routes: names.map((name) => ({ domains: [`${name}.example`], hosts: hostsOf(name) })),
  });
  const message = { id: 'm', reversePath: 'x@y.example', arrived: 1000, size: 0 };
  for (const name of names) machine.dispatcher.add(newJob(name, message, `${name}.example`, [{ address: `joe@${name}.example` }]));
  const opened: string[] = [];
  machine.run((order) => {
    const to = order.id;
    if (order.type === 'lookup') {
      const addresses = [order.name.startsWith('bad') ? '192.0.2.1' : '192.0.2.2'];
      return { type: 'dns', to, status: 'found', security: 'insecure', ttl: 3600, addresses };
    }
    if (order.type === 'send') return { type: 'outcomes', to, outcomes: [ACCEPTED], open: false };
    if (order.type !== 'open') return machine.answer(order);
    opened.push(order.target.host);
    if (opened.length > 100) throw new Error('it never ends');
    // What fails by TLS says nothing of the host for other mail: it is not marked as dead.
    if (order.target.host.startsWith('bad')) return { type: 'failed', to, stage: 'tls', result: 'certificate-expired' };
    return { type: 'opened', to, extensions: {}, tls: true, verified: true };
  });
  expect(opened.sort()).toEqual(names.flatMap((name) => hostsOf(name).map(({ host }) => host)).sort());
  expect(machine.dispatcher.size).toBe(0);
});
