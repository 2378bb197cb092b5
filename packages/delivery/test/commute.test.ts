// Answers to orders that are open at the same moment commute: which of them comes first makes no difference to any job. Which hosts are met at
// that moment may differ with it (a session that is there already is used), and so what is known of each: then every recipient comes to an end
// all the same, if not to the same one.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Chance } from '../src/chance.ts';
import type { DeliveryOutcome, Fact, Job, Order } from '../src/index.ts';
import { applyChange, Dispatcher, deliverySettings, FINAL_STATES, newJob } from '../src/index.ts';

/** Whether hosts can be reached each by itself, or all or none at a time. */
type Failing = 'each' | 'together';

/** What is said depends on who is asked, for what, and when; never on what was asked before. */
class World {
  readonly jobs = new Map<string, Job>();
  readonly #chance: Chance;
  readonly #dispatcher: Dispatcher;
  readonly #fails: Failing;
  #now = 0;

  constructor(seed: number, fails: Failing) {
    this.#fails = fails;
    this.#chance = new Chance(() => (seed % 1000) / 1000);
    const settings = deliverySettings({ hostname: 'mx.example.org', allow: ['documentation'], keep: 10 * 86_400_000, dane: false });
    this.#dispatcher = new Dispatcher(settings, () => 0.5);
  }

  add(job: Job): void {
    this.jobs.set(job.id, job);
    this.#dispatcher.add(job);
  }

  /** Through all times until nothing is due; `next` says which of so many open orders is answered. */
  run(next: (open: number) => number): void {
    for (let turn = 0; turn < 2000; turn++) {
      this.#moment(next);
      const { deadline } = this.#dispatcher;
      if (deadline > 6 * 86_400_000) return;
      this.#now = deadline;
    }
  }

  #moment(next: (open: number) => number): void {
    const open: Order[] = [];
    for (;;) {
      this.#dispatcher.tick(this.#now);
      for (let order = this.#dispatcher.nextOrder(); order !== null; order = this.#dispatcher.nextOrder()) open.push(order);
      const [order] = open.splice(next(open.length), 1);
      if (order === undefined) return;
      // What became of a transaction is not known before its marks are.
      const marks = order.type === 'send' ? order.parts.map(({ begin }) => begin) : [];
      const waits = open.find(({ id }) => marks.includes(id));
      if (waits !== undefined) {
        open.splice(open.indexOf(waits), 1);
        open.push(order);
      }
      const fact = this.#answer(waits ?? order);
      if (fact !== null) this.#dispatcher.tell(fact);
    }
  }

  #answer(order: Order): Fact | null {
    const to = order.id;
    const roll = (what: string): number => this.#chance.of(`${what} ${this.#now}`);
    switch (order.type) {
      case 'lookup': {
        const base = { type: 'dns', to, security: 'insecure', ttl: 300 } as const;
        const { name, rr } = order;
        if (roll(`${name} ${rr}`) < 0.1) return { ...base, status: 'failed' };
        if (rr === 'MX')
          return { ...base, status: 'found', mx: ['x', 'y'].map((host) => ({ preference: 10, exchange: `${host}.example` })) };
        if (rr === 'A') return { ...base, status: 'found', addresses: [name === 'x.example' ? '192.0.2.1' : '192.0.2.2'] };
        return { ...base, status: 'empty' };
      }
      case 'open':
        if (roll(this.#fails === 'each' ? order.target.address : 'hosts') < 0.3) return { type: 'failed', to, stage: 'connect' };
        return { type: 'opened', to, extensions: {}, tls: true, verified: false };
      case 'begin':
        return { type: 'begun', to, result: 'done' };
      case 'send': {
        const outcomes = order.transaction.recipients.map(({ job, index }) => this.#outcome(roll(`${job} ${index}`)));
        return { type: 'outcomes', to, outcomes, open: true };
      }
      case 'settle':
        this.jobs.set(order.job, applyChange(this.jobs.get(order.job)!, order.change));
        return { type: 'settled', to, result: 'done' };
      default:
        return null;
    }
  }

  #outcome(roll: number): DeliveryOutcome {
    if (roll < 0.4) return { status: 'accepted', reply: { code: 250, lines: ['OK'] } };
    if (roll < 0.6) return { status: 'refused', stage: 'rcpt', permanent: true, reply: { code: 550, lines: ['no'] } };
    return { status: 'refused', stage: 'rcpt', permanent: false, reply: { code: 451, lines: ['later'] } };
  }
}

/** The jobs as they end, for each of three orders of answers. */
function ends(seed: number, domains: readonly string[], any: Iterator<number>, fails: Failing): readonly (readonly Job[])[] {
  const ways = [() => 0, (open: number) => Math.max(open - 1, 0), (open: number) => (any.next().value as number) % Math.max(open, 1)];
  return ways.map((next) => {
    const world = new World(seed, fails);
    for (const [i, domain] of domains.entries()) {
      const message = { id: `m${i >> 1}`, reversePath: '', arrived: 0, size: 1 };
      world.add(newJob(`j${i}`, message, domain, [{ address: `joe@${domain}` }, { address: `bob@${domain}` }]));
    }
    world.run(next);
    return [...world.jobs.values()];
  });
}

const domains = fc.array(fc.constantFrom('a.example', 'b.example'), { minLength: 1, maxLength: 6 });

test('the first, the last or any answer first: every recipient ends alike, after as many tries', () => {
  fc.assert(
    fc.property(fc.nat(), domains, fc.infiniteStream(fc.nat()), (seed, domains, any) => {
      const [first, ...others] = ends(seed, domains, any, 'together').map((jobs) =>
        jobs.map(({ id, tries, recipients }) => [id, tries, ...recipients.map(({ state }) => state)]),
      );
      for (const other of others) expect(other).toEqual(first);
    }),
    { numRuns: 100 },
  );
});

test('the same where each host fails by itself: every recipient comes to an end', () => {
  fc.assert(
    fc.property(fc.nat(), domains, fc.infiniteStream(fc.nat()), (seed, domains, any) => {
      for (const job of ends(seed, domains, any, 'each').flat())
        for (const { state } of job.recipients) expect(FINAL_STATES).toContain(state);
    }),
    { numRuns: 100 },
  );
});

/** Due, tries and replies after a transaction whose mark could not be written, with the answer that is known first. */
function kept(first: 'begun' | 'outcomes', outcomes: readonly DeliveryOutcome[]): unknown {
  const dispatcher = new Dispatcher(deliverySettings({ hostname: 'mx.example.org', jitter: 0, sts: false, dane: false }), () => 0.5);
  dispatcher.add(
    newJob(
      'j',
      { id: 'm', reversePath: '', arrived: 0, size: 1 },
      '[8.8.8.8]',
      outcomes.map((_, index) => ({ address: `u${index}@[8.8.8.8]` })),
    ),
  );
  const facts: { begun?: Fact; outcomes?: Fact } = {};
  for (let order = dispatcher.nextOrder(); order !== null; order = dispatcher.nextOrder()) {
    const to = order.id;
    if (order.type === 'open') dispatcher.tell({ type: 'opened', to, extensions: {}, tls: false, verified: false });
    if (order.type === 'begin') facts.begun = { type: 'begun', to, result: 'failed' };
    if (order.type === 'send') {
      facts.outcomes = { type: 'outcomes', to, outcomes, open: true };
      dispatcher.tell(facts[first]!);
      dispatcher.tell(facts[first === 'begun' ? 'outcomes' : 'begun']!);
    }
    if (order.type === 'settle') {
      const { due, tries, recipients } = order.change;
      return [due! / 1000, tries, ...recipients.map(({ index, state, last }) => `${index} ${state} ${last?.reply?.code}`)];
    }
  }
  return null;
}

const UNSENT: DeliveryOutcome = { status: 'unsent', stage: 'data', cause: 'aborted', reply: null };
const LATER: DeliveryOutcome = { status: 'refused', stage: 'rcpt', permanent: false, reply: { code: 450, lines: ['later'] } };
const NEVER: DeliveryOutcome = { status: 'refused', stage: 'rcpt', permanent: true, reply: { code: 550, lines: ['no'] } };

test.each([
  ['all are deferred', [LATER, LATER], [1800, 1, '0 due 450', '1 due 450']],
  ['one is refused, one deferred', [NEVER, LATER], [1800, 1, '0 failed 550', '1 due 450']],
])('a mark that could not be written, and what a server has said before the end of the message: %s', (_, outcomes, expected) => {
  expect([kept('begun', outcomes), kept('outcomes', outcomes)]).toEqual([expected, expected]);
});

test('what was not sent as the mark could not be written is tried again soon, and what a server has said counts: what it wants later waits', () => {
  expect(kept('begun', [NEVER, UNSENT])).toEqual([5, 0, '0 failed 550']);
  expect(kept('begun', [LATER, UNSENT])).toEqual([1800, 0, '0 due 450']);
});
