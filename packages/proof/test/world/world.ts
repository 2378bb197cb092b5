// A world of names, hosts, relays and a queue in which mail enters for some days, everything goes wrong, and time is simulated.

import { deliverySettings, type Job, newJob } from '@ehlo/delivery';
import { MemoryQueue } from '@ehlo/relay';
import { Chance } from './chance.ts';
import { Internet } from './internet.ts';
import { Ledger, type Sums } from './ledger.ts';
import { connectTo } from './line.ts';
import { Relay } from './relay.ts';
import { SharedQueue } from './shared-queue.ts';
import { SpoolQueue } from './spool-queue.ts';
import { WorldTime } from './world-time.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface WorldOptions {
  readonly seed: number;
  readonly messages: number;
  /** Days in which they enter. */
  readonly days: number;
  /** Kinds of faults that there are. */
  readonly faults: readonly string[];
  /** A message and a recipient, by a space: their story is told. */
  readonly about?: string;
  /** What is behind the relays: a queue in memory that two share, which nothing befalls, or one relay's spool, which its crashes befall. Default `memory`. */
  readonly queue?: 'memory' | 'spool';
}

export interface Outcome extends Sums {
  /** When the last job was over: milliseconds of the world. */
  readonly until: number;
  readonly story: readonly string[];
}

/** Runs a world to its end: until no job is due, leased or waiting. The same options lead to the same outcome, to the last event. */
export async function runWorld(options: WorldOptions): Promise<Outcome> {
  const world = new World(options);
  return world.run();
}

class World {
  readonly #options: WorldOptions;
  readonly #chance: Chance;
  readonly #time = new WorldTime();
  readonly #ledger: Ledger;
  readonly #queue: SharedQueue;
  /** Null: the queue is in memory. */
  readonly #spool: SpoolQueue | null;
  readonly #internet: Internet;
  readonly #relays: readonly Relay[];
  readonly #faults: ReadonlySet<string>;
  /** Messages that were given to the queue, and those that it has taken. */
  #entered = 0;
  /** Messages that are being given, or will be once more. */
  #given = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.#faults = new Set(options.faults);
    this.#ledger = new Ledger(options.about ?? null);
    const now = (): number => this.#time.now();
    // Who has a spool sees its own clock.
    const clock = (): number => this.#relays[0]!.clock.now();
    this.#spool = options.queue === 'spool' ? new SpoolQueue(clock, options.seed, this.#faults) : null;
    const queue = this.#spool ?? new MemoryQueue({ now, lease: 5 * 60_000 });
    this.#queue = new SharedQueue(queue, this.#ledger, this.#chance, this.#faults, now);
    const domains = Math.max(20, Math.min(2000, Math.ceil(options.messages / 50)));
    const mailbox = { stored: (content: string, recipients: readonly string[]) => this.#stored(content, recipients) };
    this.#internet = new Internet(domains, this.#faults, this.#chance, this.#time, mailbox);
    const settings = deliverySettings({ hostname: 'relay.example', preset: 'mta', allow: ['documentation'] });
    const internet = this.#internet;
    this.#relays = (this.#spool === null ? ['one', 'two'] : ['one']).map(
      (name, index) =>
        new Relay(name, `198.51.100.${index + 1}`, settings, this.#time, this.#queue, this.#chance, {
          lookUp: (order) => internet.lookUp(order),
          fetchPolicy: async ({ domain }) => ({ text: internet.policyOf(domain) }),
          open: (order, address, pause) => connectTo(internet.hostOf(order.target.host), order, address, this.#time, pause),
        }),
    );
  }

  async run(): Promise<Outcome> {
    for (const relay of this.#relays) {
      await this.#start(relay);
      this.#trouble(relay);
    }
    this.#enter();
    await this.#time.run(() => this.#entered === this.#options.messages && this.#given === 0 && this.#queue.size === 0);
    const { violations, ...sums } = this.#ledger.sums();
    const damage = this.#spool?.damage ?? [];
    return {
      ...sums,
      violations: [...violations, ...damage.map((what) => `spool: ${what}`)],
      until: this.#time.now(),
      story: this.#ledger.story,
    };
  }

  async #start(relay: Relay): Promise<void> {
    await this.#spool?.open();
    await this.#queue.recover();
    relay.start();
  }

  /** The next message, at its time. */
  #enter(): void {
    const { messages, days } = this.#options;
    // Whole seconds: mail comes in bursts.
    const pause = Math.round((-Math.log(1 - this.#chance.next()) * days * DAY) / messages / 1000) * 1000;
    this.#time.in(pause, () => {
      this.#send(this.#entered++);
      if (this.#entered < messages) this.#enter();
    });
  }

  #send(number: number): void {
    const chance = this.#chance;
    const id = `m${number}`;
    const octets = new TextEncoder().encode(`X-Id: ${id}\r\n\r\nhello\r\n`);
    const reversePath = chance.is(0.05) ? '' : `s${number}@${chance.of(this.#internet.domains).name}`;
    const message: Job['message'] = { id, reversePath, arrived: this.#time.now(), size: octets.length };
    const byDomain = new Map<string, { address: string; notify?: 'NEVER' }[]>();
    for (let index = 1 + chance.below(3); index > 0; index--) {
      const { name } = chance.of(this.#internet.domains);
      const recipient = { address: `r${number}-${index}@${name}`, ...(chance.is(0.1) ? { notify: 'NEVER' as const } : {}) };
      byDomain.set(name, [...(byDomain.get(name) ?? []), recipient]);
    }
    const jobs = [...byDomain].map(([domain, recipients]) => newJob(`${id}-${domain}`, message, domain, recipients));
    this.#give(jobs, octets);
  }

  /** A client to whom a message is not acknowledged comes again with it (RFC 5321 4.5.4.1). */
  #give(jobs: readonly Job[], octets: Uint8Array): void {
    this.#given++;
    void this.#queue.put(jobs, [octets]).then(
      () => {
        this.#given--;
        this.#chance.of(this.#relays).poke();
      },
      () =>
        this.#time.in(HOUR / 2, () => {
          this.#given--;
          this.#give(jobs, octets);
        }),
    );
  }

  /** A host has taken a message: which one, its header says. */
  #stored(content: string, recipients: readonly string[]): void {
    const own = /^X-Id: (\S+)\r\n/.exec(content)?.[1];
    const notice = /^Message-ID: <(.+)@relay\.example>/m.exec(content)?.[1];
    // The name of a notice has a slash, which no Message-ID may have.
    const id = own ?? notice?.replace('.notice-', '/notice-') ?? '?';
    for (const address of recipients) this.#ledger.taken(id, address, this.#time.now());
  }

  /** What befalls a relay: some of it every few hours, until the mail that has entered is old. */
  #trouble(relay: Relay): void {
    const own = ['relay crashes', 'relay stands still', 'relay is restarted', 'clock ahead', 'clock back'].filter((fault) =>
      this.#faults.has(fault),
    );
    if (own.length === 0) return;
    const next = (): void => {
      this.#time.in((1 + this.#chance.next() * 10) * HOUR, () => {
        if (this.#time.now() < (this.#options.days + 8) * DAY) this.#befall(relay, this.#chance.of(own), next);
      });
    };
    next();
  }

  #befall(relay: Relay, fault: string, next: () => void): void {
    const chance = this.#chance;
    this.#ledger.tellAll(this.#time.now(), `relay ${relay.name}: ${fault}`);
    const later = (ms: number, call: () => void): void => {
      this.#time.in(ms, () => {
        call();
        next();
      });
    };
    switch (fault) {
      case 'relay crashes':
        relay.crash();
        this.#spool?.powerFails();
        return later(chance.next() * HOUR, () => void this.#start(relay));
      case 'relay stands still':
        relay.standStill();
        return later(chance.next() * HOUR, () => relay.goOn());
      case 'relay is restarted':
        void relay
          .stop()
          .then(() => this.#spool?.close())
          .then(() => later(60_000, () => void this.#start(relay)));
        return;
      case 'clock ahead':
        relay.clock.set(chance.next() * HOUR);
        return later(2 * HOUR, () => relay.clock.set(0));
      default:
        relay.clock.set(-chance.next() * HOUR);
        return later(2 * HOUR, () => relay.clock.set(0));
    }
  }
}
