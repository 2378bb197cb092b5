// Random worlds: names that fail, hosts that lie down, queues that can't write, crashes, answers in any order, time that jumps.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeliveryOutcome, Fact, Job, Order } from '../src/index.ts';
import { applyChange, Dispatcher, deliverySettings, isOver, newJob } from '../src/index.ts';

const DOMAINS = ['a.example', 'b.example', 'c.example', 'null.example', 'gone.example', 'deaf.example'];
const HOSTS: { readonly [domain: string]: readonly string[] } = {
  'a.example': ['10 x.example', '10 y.example', '20 z.example'],
  'b.example': ['10 x.example', '10 y.example', '20 z.example'],
  'c.example': ['10 z.example'],
  'null.example': ['0 '],
  'deaf.example': ['10 w.example'],
};
const ADDRESSES: { readonly [host: string]: string } = {
  'x.example': '192.0.2.1',
  'y.example': '192.0.2.2',
  'z.example': '192.0.2.3',
  'w.example': '192.0.2.4',
};

/** A number from 0 to 1 from a seed, again and again. */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Row {
  job: Job;
  holder: number;
}

/** One relay and its queue, with faults by a seed. */
class Life {
  readonly roll: () => number;
  readonly rows = new Map<string, Row>();
  readonly accepted = new Map<string, number>();
  readonly begun = new Set<string>();
  readonly unknowns = new Map<string, number>();
  readonly notices: Job[] = [];
  dispatcher: Dispatcher;
  open: Order[] = [];
  relay = 1;
  now = 0;
  orders = 0;
  readonly unknown: 'retry' | 'once';

  constructor(seed: number, unknown: 'retry' | 'once') {
    this.roll = dice(seed);
    this.unknown = unknown;
    this.dispatcher = this.#machine();
  }

  #machine(): Dispatcher {
    const settings = deliverySettings({
      hostname: 'mx.example.org',
      preset: 'test',
      sts: false,
      unknown: this.unknown,
      keep: 2000,
      sessions: { first: 1, most: 3, host: 2, source: 4, total: 3 },
    });
    return new Dispatcher(settings, this.roll);
  }

  run(): void {
    for (let turn = 0; turn < 20_000; turn++) {
      const waiting = [...this.rows.values()].filter(({ job, holder }) => holder === 0 && !isOver(job) && job.held !== true);
      for (const row of waiting.filter(({ job }) => job.due <= this.now)) {
        row.holder = this.relay;
        this.dispatcher.add(row.job);
      }
      this.dispatcher.tick(this.now);
      for (let order = this.dispatcher.nextOrder(); order !== null; order = this.dispatcher.nextOrder()) {
        this.orders++;
        this.#look(order);
        this.open.push(order);
      }
      if (this.open.length > 0) {
        const [order] = this.open.splice(Math.floor(this.roll() * this.open.length), 1);
        const fact = this.#carryOut(order!);
        if (fact !== null) this.dispatcher.tell(fact);
        if (this.roll() < 0.002) this.#crash();
        continue;
      }
      const next = Math.min(this.dispatcher.deadline, ...waiting.map(({ job }) => job.due));
      if (next === Number.POSITIVE_INFINITY) return;
      this.now = Math.max(this.now, next) + (this.roll() < 0.01 ? 10_000 : 0);
    }
    throw new Error('it does not end');
  }

  #crash(): void {
    this.relay++;
    this.open = [];
    for (const row of this.rows.values()) row.holder = 0;
    this.dispatcher = this.#machine();
  }

  #look(order: Order): void {
    if (order.type !== 'send') return;
    for (const { job, index } of order.transaction.recipients) {
      const state = this.rows.get(job)!.job.recipients[index]!.state;
      expect(state, `${job} ${index} is sent again`).toBe('due');
    }
  }

  #carryOut(order: Order): Fact | null {
    const to = order.id;
    switch (order.type) {
      case 'lookup': {
        if (this.roll() < 0.05) return { type: 'dns', to, status: 'failed', security: 'indeterminate', ttl: 0 };
        const mx = HOSTS[order.name]?.map((one) => ({ preference: Number(one.split(' ')[0]), exchange: one.split(' ')[1]! }));
        const address = ADDRESSES[order.name];
        const base = { type: 'dns', to, security: 'insecure', ttl: 1 } as const;
        if (order.rr === 'MX' && mx !== undefined) return { ...base, status: 'found', mx };
        if (order.rr === 'A' && address !== undefined) return { ...base, status: 'found', addresses: [address] };
        return { ...base, status: order.name === 'gone.example' ? 'nxdomain' : 'empty' };
      }
      case 'open': {
        if (order.target.host === 'w.example' || this.roll() < 0.2)
          return { type: 'failed', to, stage: this.roll() < 0.5 ? 'connect' : 'tls' };
        return { type: 'opened', to, extensions: this.roll() < 0.5 ? { LIMITS: ['RCPTMAX=2'] } : {}, tls: true, verified: false };
      }
      case 'begin': {
        const row = this.rows.get(order.job)!;
        if (this.roll() < 0.05) return { type: 'begun', to, result: 'failed' };
        const name = `${order.job} ${order.attempt}`;
        expect(this.begun.has(name), `${name} is begun twice`).toBe(false);
        this.begun.add(name);
        row.job = { ...row.job, begun: { attempt: order.attempt, recipients: order.recipients, at: this.now } };
        return { type: 'begun', to, result: 'done' };
      }
      case 'send': {
        // The end leaves when the marks are there.
        const waits = order.parts.filter(({ begin }) => this.open.some(({ id }) => id === begin));
        if (waits.length > 0) {
          this.open.push(order);
          return null;
        }
        const isMarked = order.parts.every(({ job }) => this.rows.get(job)!.job.begun !== undefined);
        const outcomes = order.transaction.recipients.map(({ job, index }) => this.#outcome(`${job} ${index}`, isMarked));
        return { type: 'outcomes', to, outcomes, open: isMarked && this.roll() < 0.9 };
      }
      case 'settle': {
        const row = this.rows.get(order.job)!;
        const { change } = order;
        if (this.roll() < 0.03) return { type: 'settled', to, result: 'failed' };
        row.job = applyChange(row.job, change);
        if (change.release) row.holder = 0;
        for (const { job } of change.put) {
          if (this.rows.has(job.id)) continue;
          this.rows.set(job.id, { job, holder: 0 });
          this.notices.push(job);
        }
        return { type: 'settled', to, result: 'done' };
      }
      case 'drop': {
        const row = this.rows.get(order.job)!;
        expect(row.holder === this.relay && !isOver(row.job)).toBe(false);
        return null;
      }
      default:
        return null;
    }
  }

  #outcome(name: string, isMarked: boolean): DeliveryOutcome {
    const reply = (code: number, text: string) => ({ code, lines: [text] });
    const n = isMarked ? this.roll() : 1;
    if (n < 0.5) {
      this.accepted.set(name, (this.accepted.get(name) ?? 0) + 1);
      return { status: 'accepted', reply: reply(250, 'OK') };
    }
    if (n < 0.6) return { status: 'refused', stage: 'rcpt', permanent: false, reply: reply(451, 'later') };
    if (n < 0.65) return { status: 'refused', stage: 'rcpt', permanent: true, reply: reply(550, '5.1.1 nobody') };
    if (n < 0.7) return { status: 'refused', stage: 'rcpt', permanent: false, reply: reply(452, 'too many') };
    if (n < 0.8) return { status: 'unsent', stage: 'mail', cause: 'lost', reply: null };
    if (n < 0.85) return { status: 'unsent', stage: 'mail', cause: 'closing', reply: reply(421, 'busy') };
    if (n < 0.95) {
      // It has arrived, or not.
      if (this.roll() < 0.5) this.accepted.set(name, (this.accepted.get(name) ?? 0) + 1);
      this.unknowns.set(name, (this.unknowns.get(name) ?? 0) + 1);
      return { status: 'unknown', reply: null };
    }
    return { status: 'unsent', stage: 'data', cause: 'aborted', reply: null };
  }
}

describe('whatever happens', () => {
  test.each(['retry', 'once'] as const)(
    'every recipient ends in one state, and is never sent again then; what is unknown is for %s',
    (unknown) => {
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 1, max: 12 }), (seed, count) => {
          const life = new Life(seed, unknown);
          for (let i = 0; i < count; i++) {
            const domain = DOMAINS[Math.floor(life.roll() * DOMAINS.length)]!;
            const recipients = ['joe', 'bob', 'eve']
              .slice(0, 1 + Math.floor(life.roll() * 3))
              .map((name) => ({ address: `${name}@${domain}` }));
            // Every second one shares its message with the one before.
            const message = { id: `m${i >> 1}`, reversePath: 'ann@a.example', arrived: 0, size: 100 };
            const job = newJob(`j${i}`, message, domain, recipients);
            life.rows.set(job.id, { job, holder: 0 });
          }
          life.run();
          for (const { job } of life.rows.values()) expect(job.recipients.map(({ state }) => state)).not.toContain('due');
          for (const { job } of life.rows.values()) {
            for (const [index, recipient] of job.recipients.entries()) {
              const copies = life.accepted.get(`${job.id} ${index}`) ?? 0;
              // More than one copy only where an attempt was unknown, and not one more than were.
              expect(copies).toBeLessThanOrEqual(unknown === 'once' ? 1 : 1 + (recipient.unknown ?? 0));
              if (recipient.state === 'relayed') expect(copies).toBeGreaterThan(0);
            }
          }
          // Nothing is told to the null reverse-path.
          expect(life.notices.filter(({ recipients }) => recipients[0]?.address === '')).toEqual([]);
        }),
        { numRuns: 40 },
      );
    },
  );
});
