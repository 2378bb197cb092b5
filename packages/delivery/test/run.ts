// A world of tables for tests of the machine: names, hosts that answer, and a queue that takes everything.
import type { DeliveryOutcome, DnsAnswer, Fact, Job, JobChange, Opened, Order, SendOrder } from '../src/index.ts';
import { applyChange, type DeliveryOptions, Dispatcher, deliverySettings, newJob } from '../src/index.ts';

const MESSAGE = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 1000 };
const OPTIONS: DeliveryOptions = { hostname: 'mx.example.org', jitter: 0, allow: ['documentation'], sts: false };

/** What a world has; what is absent is answered as an empty zone, a host without extensions, and an acceptance. */
export interface World {
  dns?: (name: string, rr: string) => Partial<DnsAnswer> | undefined;
  policy?: (domain: string) => string | null;
  open?: (order: Extract<Order, { type: 'open' }>) => Partial<Extract<Fact, { type: 'failed' }>> | Partial<Opened> | undefined;
  send?: (order: SendOrder) => readonly DeliveryOutcome[] | undefined;
  /** Whether the host ends the session with a transaction. */
  ends?: (order: SendOrder) => boolean;
}

const ACCEPTED: DeliveryOutcome = { status: 'accepted', reply: { code: 250, lines: ['OK'] } };

export function refused(code: number, text = 'no', stage = 'rcpt'): DeliveryOutcome {
  return { status: 'refused', stage, permanent: code >= 500, reply: { code, lines: [text] } };
}

/** Carries out all orders, at once, until there are none. */
export class Runner {
  readonly dispatcher: Dispatcher;
  readonly orders: Order[] = [];
  readonly jobs = new Map<string, Job>();
  /** Jobs that came into being. */
  readonly born: Job[] = [];
  readonly world: World;
  readonly dropped = new Set<string>();

  constructor(world: World, options: Partial<DeliveryOptions> = {}, random: () => number = () => 0) {
    this.world = world;
    this.dispatcher = new Dispatcher(deliverySettings({ ...OPTIONS, ...options }), random);
  }

  add(
    domain: string,
    recipients: readonly string[] | readonly Job['recipients'][number][],
    message: Partial<Job['message']> = {},
    id = 'j',
  ): this {
    const whole = { ...MESSAGE, ...message };
    return this.addJob(
      newJob(
        id,
        whole,
        domain,
        recipients.map((one) => (typeof one === 'string' ? { address: one } : { ...one, state: 'due' as const })),
      ),
    );
  }

  addJob(job: Job): this {
    this.jobs.set(job.id, job);
    this.dropped.delete(job.id);
    this.dispatcher.add(job);
    return this;
  }

  /** Until nothing is left to be done now. */
  run(at: number): this {
    this.dispatcher.tick(at);
    for (let order = this.dispatcher.nextOrder(); order !== null; order = this.dispatcher.nextOrder()) {
      this.orders.push(order);
      const fact = this.answer(order);
      if (fact !== null) this.dispatcher.tell(fact);
    }
    return this;
  }

  /** From deadline to deadline; jobs that were dropped are given back when they are due. */
  runUntil(end: number): this {
    for (;;) {
      const waiting = [...this.dropped]
        .map((id) => this.jobs.get(id)!)
        .filter((job) => job.recipients.some(({ state }) => state === 'due'));
      const next = Math.min(this.dispatcher.deadline, ...waiting.map(({ due }) => due));
      if (next > end) return this.run(end);
      for (const job of waiting.filter(({ due }) => due <= next)) this.addJob(job);
      this.run(next);
    }
  }

  of<T extends Order['type']>(type: T): Extract<Order, { type: T }>[] {
    return this.orders.filter((order): order is Extract<Order, { type: T }> => order.type === type);
  }

  get changes(): JobChange[] {
    return this.of('settle').map(({ change }) => change);
  }

  states(id = 'j'): string[] {
    return this.jobs.get(id)!.recipients.map(({ state }) => state);
  }

  answer(order: Order): Fact | null {
    const to = order.id;
    switch (order.type) {
      case 'lookup': {
        const found = this.world.dns?.(order.name, order.rr) ?? { status: 'empty' };
        return { type: 'dns', to, status: 'found', security: 'insecure', ttl: 300, ...found };
      }
      case 'policy':
        return { type: 'policy', to, text: this.world.policy?.(order.domain) ?? null };
      case 'open': {
        const answer = this.world.open?.(order) ?? {};
        if ('stage' in answer) return { ...answer, type: 'failed', to, stage: answer.stage! };
        return { type: 'opened', to, extensions: {}, tls: false, verified: false, ...answer } as Opened;
      }
      case 'begin':
        return { type: 'begun', to, result: 'done' };
      case 'send': {
        const outcomes = this.world.send?.(order) ?? order.transaction.recipients.map(() => ACCEPTED);
        return { type: 'outcomes', to, outcomes, open: this.world.ends?.(order) !== true };
      }
      case 'settle': {
        this.jobs.set(order.job, applyChange(this.jobs.get(order.job)!, order.change));
        for (const { job } of order.change.put) {
          this.born.push(job);
          this.jobs.set(job.id, job);
        }
        return { type: 'settled', to, result: 'done' };
      }
      case 'drop':
        this.dropped.add(order.job);
        return null;
      default:
        return null;
    }
  }
}

/** A zone: MX of each domain as `10 host`, addresses of each host. */
export function zone(table: {
  readonly [name: string]: { readonly mx?: readonly string[]; readonly a?: readonly string[]; readonly aaaa?: readonly string[] };
}): NonNullable<World['dns']> {
  return (name, rr) => {
    const entry = table[name];
    if (entry === undefined) return { status: 'nxdomain' };
    if (rr === 'MX' && entry.mx !== undefined) {
      return { mx: entry.mx.map((one) => ({ preference: Number(one.split(' ')[0]), exchange: one.split(' ')[1]! })) };
    }
    if (rr === 'A' && entry.a !== undefined) return { addresses: entry.a };
    if (rr === 'AAAA' && entry.aaaa !== undefined) return { addresses: entry.aaaa };
    return { status: 'empty' };
  };
}

export const ONE_HOST = zone({ 'example.net': { mx: ['10 mx.example.net'] }, 'mx.example.net': { a: ['192.0.2.1'] } });
