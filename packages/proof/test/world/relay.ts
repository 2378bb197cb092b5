import { type DeliverySettings, Dispatcher, PolicyBook } from '@ehlo/delivery';
import { type Means, Runner, type Schedule } from '@ehlo/relay/runner';
import type { Chance } from './chance.ts';
import { Gate } from './gate.ts';
import type { Pause } from './line.ts';
import type { SharedQueue } from './shared-queue.ts';
import { WallClock, type WorldTime } from './world-time.ts';

/** What a relay meets outside, by its gate: what comes to it waits while it stands still. */
export interface Outside {
  lookUp: Means['lookUp'];
  fetchPolicy: Means['fetchPolicy'];
  open(order: Parameters<Means['open']>[0], address: string, pause: Pause): ReturnType<Means['open']>;
}

/** A machine that relays mail: one process after the other, over the queue that all share. */
export class Relay {
  readonly name: string;
  readonly clock: WallClock;
  /** RFC 8461 3.3: policies outlive a process. */
  readonly #policies = new PolicyBook();
  readonly #address: string;
  readonly #settings: DeliverySettings;
  readonly #time: WorldTime;
  readonly #queue: SharedQueue;
  readonly #chance: Chance;
  readonly #outside: Outside;
  /** What the means of its processes have failed at. */
  readonly failures = new Map<string, number>();
  #gate = new Gate();
  #runner: Runner | null = null;

  constructor(
    name: string,
    address: string,
    settings: DeliverySettings,
    time: WorldTime,
    queue: SharedQueue,
    chance: Chance,
    outside: Outside,
  ) {
    this.name = name;
    this.#address = address;
    this.#settings = settings;
    this.#time = time;
    this.#queue = queue;
    this.#chance = chance;
    this.#outside = outside;
    this.clock = new WallClock(time);
  }

  start(): void {
    this.#gate = new Gate();
    const gate = this.#gate;
    const pause: Pause = (ms) => new Promise((resolve) => this.#time.in(ms, () => gate.pass(resolve)));
    const schedule: Schedule = {
      now: () => this.clock.now(),
      at: (time, call) => this.clock.at(time, () => gate.pass(call)),
      in: (ms, call) => this.clock.in(ms, () => gate.pass(call)),
    };
    const queue = this.#queue;
    const means: Means = {
      queue: {
        put: (jobs, content) => queue.put(jobs, content),
        take: (most) => gate.of(queue.take(most)),
        renew: (leases) => gate.of(queue.renew(leases)),
        begin: (lease, attempt) => gate.of(queue.begin(lease, attempt)),
        settle: (lease, change, notices) => gate.of(queue.settle(lease, change, notices)),
        release: (leases) => gate.of(queue.release(leases)),
        content: (id) => queue.content(id),
        find: (query) => queue.find(query),
        operate: (id, what) => queue.operate(id, what),
      },
      schedule,
      lookUp: (order) => gate.of(this.#outside.lookUp(order)),
      fetchPolicy: (order) => gate.of(this.#outside.fetchPolicy(order)),
      open: (order) => this.#outside.open(order, this.#address, pause),
      boundary: () => `b${this.#chance.below(0x7fffffff)}`,
      failed: (_, what) => this.failures.set(what, (this.failures.get(what) ?? 0) + 1),
    };
    const dispatcher = new Dispatcher(this.#settings, this.#chance.next, { policies: this.#policies });
    this.#runner = new Runner(dispatcher, means, { hostname: 'relay.example', most: 2000, poll: 60_000, renewal: 60_000, look: 60_000 });
    this.#runner.start();
  }

  /** A message was put. */
  poke(): void {
    this.#gate.pass(() => this.#runner?.poke());
  }

  /** kill -9: nothing of the process is left. */
  crash(): void {
    this.#gate.kill();
    this.#runner = null;
  }

  standStill(): void {
    this.#gate.stand();
  }

  goOn(): void {
    this.#gate.goOn();
  }

  async stop(): Promise<void> {
    await this.#runner?.stop();
    this.#runner = null;
  }

  get isRunning(): boolean {
    return this.#runner !== null;
  }
}
