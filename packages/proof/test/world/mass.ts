// A world of tables: the machine of delivery alone, with two relays and one queue, for as much mail as a large site has in five days.
import {
  type DeliverySettings,
  Dispatcher,
  type DnsAnswer,
  deliverySettings,
  type Fact,
  type JobId,
  newJob,
  type Order,
  type OrderId,
  PolicyBook,
  type Recipient,
} from '@ehlo/delivery';
import { Chance } from './chance.ts';
import { FAULTS, LINE_FAULTS, SERVER_FAULTS } from './faults.ts';
import { CountedChance } from './host.ts';
import { type Domain, Internet } from './internet.ts';
import { MassLedger, type MassSums } from './mass-ledger.ts';
import { type MassLease, MassQueue } from './mass-queue.ts';
import { HostTable, TableSession } from './table.ts';

const SECOND = 1000;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** Seconds. */
const LEASE = 300;
/** Once in so many calls. */
const SELDOM = 40;
const DOMAINS = 1000;
/** Of them with a fault, but for the largest, of which one fault would be the whole story. */
const SHARE = 0.25;
const SOUND = 10;

/** What is the runner's, and not the machine's. */
const OTHERS: ReadonlySet<string> = new Set(['relay is restarted', 'renew fails']);
export const MASS_FAULTS: readonly string[] = FAULTS.filter((fault) => !OTHERS.has(fault));

export interface MassOptions {
  readonly seed: number;
  readonly messages: number;
  /** In which they enter. */
  readonly days: number;
  readonly faults: readonly string[];
  /** The number of a recipient, whose story is told. */
  readonly about?: number;
}

export interface MassOutcome extends MassSums {
  /** Seconds until the last job was over. */
  readonly until: number;
  readonly orders: number;
  /** Comparisons of times by both machines. */
  readonly steps: number;
  readonly story: readonly string[];
}

/** The table of each kind of host that there may be: made once, for any number of worlds. */
export async function hostTables(faults: readonly string[]): Promise<ReadonlyMap<string, HostTable>> {
  const tables = new Map<string, HostTable>();
  for (const fault of ['', 'no TLS', ...faults.filter((one) => one in SERVER_FAULTS || one in LINE_FAULTS)]) {
    const line = fault in LINE_FAULTS ? (fault as keyof typeof LINE_FAULTS) : null;
    tables.set(fault, await HostTable.of(SERVER_FAULTS[fault] ?? [], line, fault !== 'no TLS'));
  }
  return tables;
}

/** Runs a world to its end: until no job is due, leased or waiting. */
export function runMass(options: MassOptions, tables: ReadonlyMap<string, HostTable>): MassOutcome {
  return new MassWorld(options, tables).run();
}

/** A relay's process, until it dies. */
interface Process {
  readonly dispatcher: Dispatcher;
  readonly sessions: Map<OrderId, TableSession>;
  readonly leases: Map<JobId, MassLease>;
}

interface MassRelay {
  readonly policies: PolicyBook;
  readonly address: string;
  process: Process | null;
  /** What has come while it stands still; null: it goes on. */
  inbox: Fact[] | null;
  /** How far its clock is ahead: seconds. */
  ahead: number;
  /** When its machine is asked next. */
  wake: number;
  isDirty: boolean;
}

/** An answer of DNS as a fact, of one shape: many shapes would cost more than all else about a look-up. */
function factOf({ status, security, ttl, alias, mx, addresses, tlsa, txt }: Omit<DnsAnswer, 'type' | 'to'>, to: OrderId): DnsAnswer {
  return { type: 'dns', to, status, security, ttl, alias, mx, addresses, tlsa, txt } as DnsAnswer;
}

/** Whether it can take jobs. */
function isAble({ process, inbox }: MassRelay): boolean {
  return process !== null && inbox === null;
}

class MassWorld {
  readonly #options: MassOptions;
  readonly #tables: ReadonlyMap<string, HostTable>;
  readonly #chance: Chance;
  readonly #faults: ReadonlySet<string>;
  readonly #ledger: MassLedger;
  readonly #queue: MassQueue;
  readonly #internet: Internet;
  readonly #hosts: ReadonlyMap<Domain, { readonly table: HostTable; readonly chance: CountedChance }>;
  readonly #settings: DeliverySettings;
  readonly #relays: readonly MassRelay[];
  /** What happens in each second. */
  readonly #calendar = new Map<number, (() => void)[]>();
  #second = 0;
  #entered = 0;
  #orders = 0;
  #steps = 0;

  constructor(options: MassOptions, tables: ReadonlyMap<string, HostTable>) {
    this.#options = options;
    this.#tables = tables;
    this.#chance = new Chance(options.seed);
    this.#faults = new Set(options.faults);
    this.#ledger = new MassLedger(options.about ?? null);
    this.#queue = new MassQueue(this.#ledger, (id, at) => this.#at(at / SECOND, () => this.#take(id)));
    const time = { now: () => this.#now, in: () => () => {} };
    this.#internet = new Internet(DOMAINS, this.#faults, this.#chance, time, { stored: () => {} }, { most: 1, share: SHARE, sound: SOUND });
    this.#hosts = new Map(this.#internet.domains.map((domain) => [domain, this.#hostOf(domain)]));
    this.#settings = deliverySettings({ hostname: 'relay.example', preset: 'mta', allow: ['documentation'] });
    this.#relays = [1, 2].map((number) => {
      const address = `198.51.100.${number}`;
      return { policies: new PolicyBook(), address, process: null, inbox: null, ahead: 0, wake: Number.POSITIVE_INFINITY, isDirty: false };
    });
  }

  get #now(): number {
    return this.#second * SECOND;
  }

  run(): MassOutcome {
    const { messages, days } = this.#options;
    for (const relay of this.#relays) {
      this.#start(relay);
      this.#trouble(relay);
    }
    this.#enter();
    for (const last = (days + 30) * DAY; this.#second < last; this.#second++) {
      this.#pass();
      if (this.#entered < messages) continue;
      if (this.#queue.size === 0) break;
      if (this.#queue.size === this.#queue.held) this.#queue.releaseHeld(this.#now);
    }
    for (const { process } of this.#relays) this.#steps += process?.dispatcher.steps ?? 0;
    return { ...this.#ledger.sums(), until: this.#second, orders: this.#orders, steps: this.#steps, story: this.#ledger.story };
  }

  /** One second. */
  #pass(): void {
    const calls = this.#calendar.get(this.#second);
    for (const relay of this.#relays) if (relay.wake <= this.#second) relay.isDirty = true;
    for (let i = 0; calls !== undefined && i < calls.length; i++) calls[i]!();
    for (const relay of this.#relays) if (relay.isDirty) this.#pump(relay);
    this.#calendar.delete(this.#second);
  }

  /** A call in a second that is not over yet. */
  #at(second: number, call: () => void): void {
    const at = Math.max(this.#second + 1, Math.ceil(second));
    const calls = this.#calendar.get(at);
    if (calls === undefined) this.#calendar.set(at, [call]);
    else calls.push(call);
  }

  #enter(): void {
    const { messages, days } = this.#options;
    let at = 0;
    // By the hour: what enters later needs no place yet.
    const hour = (from: number): void => {
      for (; this.#entered + this.#coming < messages && at < from + HOUR; this.#coming++) {
        at += (-Math.log(1 - this.#chance.next()) * days * DAY) / messages;
        this.#at(at, this.#put);
      }
      if (this.#entered + this.#coming < messages) this.#at(from + HOUR, () => hour(from + HOUR));
    };
    hour(0);
  }

  #coming = 0;

  readonly #put = (): void => {
    const chance = this.#chance;
    const number = this.#entered++;
    this.#coming--;
    const id = `m${number}`;
    const reversePath = chance.is(0.05) ? '' : `s${number}@${this.#someDomain()}`;
    const message = { id, reversePath, arrived: this.#now, size: 1000 };
    const byDomain = new Map<string, (Recipient & { readonly state: 'due' })[]>();
    for (let index = chance.is(0.95) ? 1 : 2 + chance.below(2); index > 0; index--) {
      const domain = this.#someDomain();
      const address = `r${number}-${index}@${domain}`;
      const recipient: Recipient & { readonly state: 'due' } = chance.is(0.1)
        ? { address, state: 'due', notify: 'NEVER' }
        : { address, state: 'due' };
      const others = byDomain.get(domain);
      if (others === undefined) byDomain.set(domain, [recipient]);
      else others.push(recipient);
    }
    for (const [domain, recipients] of byDomain) {
      const job = newJob(`${id}-${domain}`, message, domain, recipients);
      // An operator holds one of a thousand, until all others are over.
      this.#queue.put(chance.is(0.001) ? { ...job, held: true } : job);
    }
  };

  /** Few domains have most of the mail. */
  #someDomain(): string {
    return this.#internet.domains[Math.floor(DOMAINS ** this.#chance.next()) - 1]!.name;
  }

  #hostOf(domain: Domain): { readonly table: HostTable; readonly chance: CountedChance } {
    const fault = domain.faults.find((one) => this.#tables.has(one)) ?? '';
    const line = fault in LINE_FAULTS ? (fault as keyof typeof LINE_FAULTS) : null;
    return { table: this.#tables.get(fault)!, chance: new CountedChance(SERVER_FAULTS[fault] ?? [], line) };
  }

  #fails(fault: string): boolean {
    return this.#faults.has(fault) && this.#chance.is(1 / SELDOM);
  }

  /** A job is due: a relay that goes on takes it. */
  #take(id: JobId): void {
    const one = this.#relays[this.#chance.below(2)]!;
    const relay = isAble(one) ? one : this.#relays.find(isAble);
    if (relay === undefined || this.#fails('take fails')) {
      this.#at(this.#second + 10, () => this.#take(id));
      return;
    }
    const process = relay.process!;
    const taken = this.#queue.take(id, process, this.#now);
    if (taken === null) return;
    process.leases.set(id, taken.lease);
    this.#tick(relay);
    process.dispatcher.add(taken.job);
    relay.isDirty = true;
  }

  #start(relay: MassRelay): void {
    const dispatcher = new Dispatcher(this.#settings, this.#chance.next, { policies: relay.policies });
    relay.process = { dispatcher, sessions: new Map(), leases: new Map() };
  }

  #tick({ process, ahead }: MassRelay): void {
    process!.dispatcher.tick((this.#second + ahead) * SECOND);
  }

  /** All that its machine wants done now. */
  #pump(relay: MassRelay): void {
    relay.isDirty = false;
    relay.wake = Number.POSITIVE_INFINITY;
    const { process } = relay;
    if (process === null || relay.inbox !== null) return;
    const { dispatcher } = process;
    this.#tick(relay);
    for (let order = dispatcher.nextOrder(); order !== null; order = dispatcher.nextOrder()) {
      this.#orders++;
      this.#carryOut(relay, process, order);
    }
    relay.wake = Math.max(this.#second + 1, Math.ceil(dispatcher.deadline / SECOND) - relay.ahead);
  }

  /** What comes of an order, so many milliseconds later; what comes to who stands still waits, and what comes to the dead is gone. */
  #later(relay: MassRelay, process: Process, ms: number, fact: Fact): void {
    this.#at(this.#second + ms / SECOND, () => {
      if (relay.process !== process) return;
      if (relay.inbox !== null) relay.inbox.push(fact);
      else this.#tell(relay, process, fact);
    });
  }

  #tell(relay: MassRelay, { dispatcher }: Process, fact: Fact): void {
    this.#tick(relay);
    dispatcher.tell(fact);
    relay.isDirty = true;
  }

  #carryOut(relay: MassRelay, process: Process, order: Order): void {
    const { dispatcher, sessions, leases } = process;
    const to = order.id;
    switch (order.type) {
      case 'lookup': {
        const { answer, pause } = this.#internet.answerTo(order);
        const fact = factOf(answer, to);
        if (pause > 0) this.#later(relay, process, pause, fact);
        else dispatcher.tell(fact);
        return;
      }
      case 'policy':
        dispatcher.tell({ type: 'policy', to, text: this.#internet.policyOf(order.domain) });
        return;
      case 'open': {
        const domain = this.#internet.domainOf(order.target.host);
        if (domain === null) return this.#later(relay, process, SECOND, { type: 'failed', to, stage: 'connect' });
        const { table, chance } = this.#hosts.get(domain)!;
        const opened = table.open(order, chance, domain.host.tls, this.#now, relay.address);
        if (!(opened instanceof TableSession)) return this.#later(relay, process, opened.ms, { ...opened.refusal, type: 'failed', to });
        sessions.set(to, opened);
        const { extensions, tls, verified } = opened.opened;
        return this.#later(relay, process, opened.ms, { type: 'opened', to, extensions, tls, verified });
      }
      case 'begin': {
        const attempt = { attempt: order.attempt, recipients: order.recipients, at: this.#now };
        const lease = leases.get(order.job);
        const result = this.#fails('begin fails')
          ? 'failed'
          : lease !== undefined && this.#queue.begin(process, lease, attempt)
            ? 'done'
            : 'lost';
        if (result === 'done') lease!.begun = to;
        dispatcher.tell({ type: 'begun', to, result });
        return;
      }
      case 'send':
        return this.#send(relay, process, order);
      case 'settle': {
        const lease = leases.get(order.job)!;
        if (this.#fails('settle fails')) return void dispatcher.tell({ type: 'settled', to, result: 'failed' });
        const isOurs = this.#queue.settle(order.change, process, lease, this.#now);
        const isTold = !this.#fails('settle answers nothing');
        dispatcher.tell({ type: 'settled', to, result: !isTold ? 'failed' : isOurs ? 'done' : 'lost' });
        return;
      }
      case 'close':
        sessions.delete(order.session);
        return;
      case 'drop': {
        const lease = leases.get(order.job);
        leases.delete(order.job);
        // What it did not give back comes back when its lease is over.
        if (lease !== undefined && this.#queue.holds(process, lease))
          this.#at(this.#second + LEASE, () => this.#queue.free(lease, this.#now));
      }
    }
  }

  #send(relay: MassRelay, process: Process, { id: to, session: open, parts, transaction }: Extract<Order, { type: 'send' }>): void {
    const { sessions, leases } = process;
    const isBegun = parts.every(({ job, begin }) => leases.get(job)?.begun === begin);
    const end = sessions.get(open)!.send(transaction, this.#now, () => isBegun && !this.#fails('content fails'));
    for (const copy of end.stored) {
      for (const place of copy) {
        const { job, index } = transaction.recipients[place]!;
        this.#ledger.taken(leases.get(job)!.row.first + index, this.#now);
      }
    }
    if (!end.open) sessions.delete(open);
    this.#later(relay, process, end.ms, { type: 'outcomes', to, outcomes: end.outcomes, open: end.open });
  }

  /** What befalls a relay, every few hours, until the mail that has entered is old. */
  #trouble(relay: MassRelay): void {
    const own = ['relay crashes', 'relay stands still', 'clock ahead', 'clock back'].filter((fault) => this.#faults.has(fault));
    if (own.length === 0) return;
    this.#at(this.#second + (1 + this.#chance.next() * 10) * HOUR, () => {
      if (this.#second > (this.#options.days + 8) * DAY) return;
      this.#befall(relay, this.#chance.of(own));
    });
  }

  #befall(relay: MassRelay, fault: string): void {
    const pause = 1 + Math.floor(this.#chance.next() * HOUR);
    const until = (mend: () => void): void =>
      this.#at(this.#second + pause, () => {
        mend();
        this.#trouble(relay);
      });
    if (fault === 'relay crashes') {
      const { leases } = relay.process!;
      this.#steps += relay.process!.dispatcher.steps;
      relay.process = null;
      this.#at(this.#second + LEASE, () => this.#freeAll(leases));
      until(() => this.#start(relay));
    } else if (fault === 'relay stands still') {
      const { leases } = relay.process!;
      relay.inbox = [];
      this.#at(this.#second + LEASE, () => relay.inbox !== null && this.#freeAll(leases));
      until(() => this.#goOn(relay));
    } else {
      relay.ahead = fault === 'clock ahead' ? pause : -pause;
      until(() => {
        relay.ahead = 0;
        relay.isDirty = true;
      });
    }
  }

  #freeAll(leases: ReadonlyMap<JobId, MassLease>): void {
    for (const lease of leases.values()) this.#queue.free(lease, this.#now);
  }

  /** What has come meanwhile, and what was lost, in either order. */
  #goOn(relay: MassRelay): void {
    const process = relay.process!;
    const came = relay.inbox!;
    relay.inbox = null;
    const lost = [...process.leases]
      .filter(([, lease]) => !this.#queue.holds(process, lease))
      .map(([job]): Fact => ({ type: 'lost', job }));
    for (const fact of this.#chance.is(0.5) ? [...came, ...lost] : [...lost, ...came]) this.#tell(relay, process, fact);
    relay.isDirty = true;
  }
}
