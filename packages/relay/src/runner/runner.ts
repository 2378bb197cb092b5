import type { Dispatcher, Fact, JobId, Lease, Step } from '@ehlo/delivery';
import { Attempts } from './attempts.ts';
import { Crowd } from './crowd.ts';
import { Executor } from './executor.ts';
import type { Means } from './means.ts';

/** Ours: how long a runner that stops makes commits again that the queue can not take, and how often it looks whether it has; milliseconds. */
const COMMITS = 60_000;
const LOOK = 100;

/** Ours: for how long a job is put off that waits while others are due; milliseconds. */
const PUT_OFF = 60_000;
const NO_NOTICES: ReadonlyMap<JobId, readonly Uint8Array[]> = new Map();

export interface RunnerOptions {
  /** The name of this host: in notices. */
  readonly hostname: string;
  /** Jobs that are held at the same time. Where all of them wait for slow hosts while others are due, some are put off. Default 1,000. */
  readonly most?: number;
  /** Milliseconds between two looks into the queue for what is due by now, was put by others, or left by them. Default 1,000. */
  readonly poll?: number;
  /** Milliseconds between two renewals of all leases: no more than a third of the queue's lease. Default 10,000. */
  readonly renewal?: number;
  /** Milliseconds between two checks for jobs that have waited for long and take the room of others. Default 10,000. */
  readonly look?: number;
}

/**
 * Carries the orders of a dispatcher out: takes jobs from a queue and renews their leases, looks names up, opens sessions, sends, and
 * commits. Everything outside is given to it (`Means`), so that the same runner works on sockets and in a simulated world. Several may share
 * a queue.
 *
 * @example
 * ```ts
 * import { Dispatcher, deliverySettings } from '@ehlo/delivery';
 * import { type Means, MemoryQueue, Runner, wallClock } from '@ehlo/relay';
 * const means: Means = {
 *   queue: new MemoryQueue(wallClock),
 *   schedule: wallClock,
 *   lookUp: async () => ({ status: 'failed', security: 'indeterminate', ttl: 0 }),
 *   fetchPolicy: async () => ({ text: null }),
 *   open: async () => ({ stage: 'connect' }),
 *   boundary: () => 'b1',
 *   failed: (error, what) => console.error(what, error),
 * };
 * const dispatcher = new Dispatcher(deliverySettings({ hostname: 'mx.example.org' }), Math.random);
 * const runner = new Runner(dispatcher, means, { hostname: 'mx.example.org' });
 * runner.start();
 * await runner.stop();
 * [runner.state, runner.size]
 * // → ['stopped', 0]
 * ```
 */
export class Runner {
  readonly #dispatcher: Dispatcher;
  readonly #means: Means;
  readonly #most: number;
  readonly #poll: number;
  readonly #renewal: number;
  readonly #look: number;
  readonly #attempts: Attempts;
  readonly #executor: Executor;
  /** Of the jobs that the dispatcher has. */
  readonly #leases = new Map<JobId, Lease>();
  readonly #crowd = new Crowd();
  readonly #timers = new Map<'poll' | 'renewal' | 'look', () => void>();
  #state: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  /** `nothing`: the queue gave all that was due; it is asked again when somebody says so. */
  #taking: 'now' | 'open' | 'nothing' = 'now';
  /** When the dispatcher's deadline rings. */
  #alarm: { readonly at: number; readonly cancel: () => void } | null = null;
  #isPumping = false;

  constructor(
    dispatcher: Dispatcher,
    means: Means,
    { hostname, most = 1000, poll = 1000, renewal = 10_000, look = 10_000 }: RunnerOptions,
  ) {
    this.#dispatcher = dispatcher;
    this.#means = means;
    this.#most = most;
    this.#poll = poll;
    this.#renewal = renewal;
    this.#look = look;
    this.#attempts = new Attempts((error, what) => means.failed(error, what));
    this.#executor = new Executor(means, hostname, this.#attempts, this.#leases, (fact) => this.tell(fact));
  }

  get state(): 'new' | 'running' | 'stopping' | 'stopped' {
    return this.#state;
  }

  /** Jobs that are held. */
  get size(): number {
    return this.#leases.size;
  }

  /** Orders that are under way. */
  get open(): number {
    return this.#attempts.size;
  }

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#every('poll', this.#poll, () => this.poke());
    this.#every('renewal', this.#renewal, () => this.#attempts.keep(this.#renew()));
    this.#every('look', this.#look, () => this.#attempts.keep(this.#makeRoom()));
    this.#pump();
  }

  /** There may be something in the queue: it was put just now. */
  poke(): void {
    if (this.#taking === 'nothing') this.#taking = 'now';
    this.#take();
  }

  /** Tells the dispatcher what comes by itself, `back` or `operator`; false: nobody waits for it. */
  tell(fact: Fact): boolean {
    this.#dispatcher.tick(this.#means.schedule.now());
    const isKnown = this.#dispatcher.tell(fact);
    this.#pump();
    return isKnown;
  }

  /** Whether a job is held here. */
  holds(job: JobId): boolean {
    return this.#leases.has(job);
  }

  /** `Dispatcher.why`. */
  why(job: JobId, recipient: number): readonly Step[] {
    return this.#dispatcher.why(job, recipient);
  }

  /**
   * Begins nothing new, and gives back at once what it has not begun; resolves when every transaction whose attempt is written down is settled. Until then
   * its leases are renewed. Where the queue can not take what came of one, that is told again for a minute, and the job is given back with the mark of its
   * attempt.
   */
  async stop(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'stopping';
      this.#timers.get('poll')?.();
      this.#executor.close();
      this.#giveBack();
    }
    await this.#attempts.none();
    await this.#commitsMade();
    await this.#executor.hangUp();
    const leases = [...this.#leases.values()];
    this.#leases.clear();
    await this.#release(leases);
    this.#alarm?.cancel();
    for (const cancel of this.#timers.values()) cancel();
    this.#state = 'stopped';
  }

  /** Until the queue has taken every commit, or has had the time for it. */
  async #commitsMade(): Promise<void> {
    const { schedule } = this.#means;
    let isOver = false;
    const cancel = schedule.in(COMMITS, () => {
      isOver = true;
    });
    while (this.#executor.unsettled > 0 && !isOver) {
      await new Promise<void>((resolve) => void schedule.in(LOOK, resolve));
      await this.#attempts.none();
    }
    cancel();
  }

  /** While it stops: what has no transaction and no commit under way is for another. */
  #giveBack(): void {
    const leases = [...this.#leases.values()].filter(({ job }) => !this.#executor.isUnsettled(job.id));
    if (leases.length === 0) return;
    for (const { job } of leases) this.#leases.delete(job.id);
    this.#attempts.keep(this.#release(leases));
  }

  async #release(leases: readonly Lease[]): Promise<void> {
    if (leases.length > 0) await this.#attempts.of('release', () => this.#means.queue.release(leases));
  }

  #pump(): void {
    if (this.#isPumping || this.#state === 'new' || this.#state === 'stopped') return;
    this.#isPumping = true;
    this.#dispatcher.tick(this.#means.schedule.now());
    for (let order = this.#dispatcher.nextOrder(); order !== null; order = this.#dispatcher.nextOrder()) this.#executor.carryOut(order);
    this.#isPumping = false;
    if (this.#state === 'stopping') this.#giveBack();
    this.#sleep(this.#dispatcher.deadline);
    this.#take();
  }

  /** The alarm is set anew only where it must ring earlier: one that rings for nothing costs less. */
  #sleep(until: number): void {
    if (until >= (this.#alarm?.at ?? Number.POSITIVE_INFINITY)) return;
    this.#alarm?.cancel();
    const ring = (): void => {
      this.#alarm = null;
      this.#pump();
    };
    this.#alarm = { at: until, cancel: this.#means.schedule.at(until, ring) };
  }

  #every(name: 'poll' | 'renewal' | 'look', pause: number, call: () => void): void {
    const again = (): void => {
      call();
      this.#every(name, pause, call);
    };
    this.#timers.set(name, this.#means.schedule.in(pause, again));
  }

  get #hasRoom(): boolean {
    return (this.#most - this.#leases.size) * 4 >= this.#most;
  }

  /** Jobs for the room that there is, of which some has to be there: a look into the queue for each job that ends would cost more than the job. */
  #take(): void {
    const room = this.#most - this.#leases.size;
    if (this.#state !== 'running' || this.#taking !== 'now' || !this.#hasRoom) return;
    this.#taking = 'open';
    this.#attempts.keep(
      this.#attempts
        .of('take', () => this.#means.queue.take(room))
        .then((leases) => {
          this.#taking = leases === null || leases.length < room ? 'nothing' : 'now';
          for (const lease of leases ?? []) this.#add(lease);
          this.#pump();
        }),
    );
  }

  /**
   * Jobs that have waited for long make room for as many as are due, and for enough that some are taken: one slow host must not keep the mail for all
   * others waiting.
   */
  async #makeRoom(): Promise<void> {
    const { queue } = this.#means;
    const long = this.#crowd.look([...this.#leases.values()].filter(({ job }) => !this.#executor.isUnsettled(job.id)));
    if (this.#state !== 'running' || this.#hasRoom || long.length === 0) return;
    const counts = await this.#attempts.of('count', () => queue.count?.());
    // Where the queue can not be asked, it may be able to at the next look.
    if (counts === null || counts?.due === 0 || this.#state !== 'running') return;
    for (const lease of long.slice(0, Math.max(counts?.due ?? this.#most, this.#most / 4))) this.#putOff(lease);
    this.#pump();
    this.poke();
  }

  /** It is due a little later. It was no try: nothing was begun with it. */
  #putOff(lease: Lease): void {
    const { id, due, tries = 0, attempt = 0 } = lease.job;
    if (this.#leases.get(id) !== lease || this.#executor.isUnsettled(id)) return;
    const until = Math.max(due, this.#means.schedule.now() + PUT_OFF);
    const change = { job: id, tries, attempt, recipients: [], due: until, release: true, put: [] };
    this.#dispatcher.tell({ type: 'lost', job: id });
    this.#attempts.keep(this.#attempts.of('settle', () => this.#means.queue.settle(lease, change, NO_NOTICES)).then(() => {}));
  }

  #add(lease: Lease): void {
    // Its lease was lost while a transaction ran, and is here again: that comes to its end first.
    const isHere = this.#leases.has(lease.job.id);
    if (!isHere && this.#state === 'running') {
      this.#leases.set(lease.job.id, lease);
      this.#dispatcher.tick(this.#means.schedule.now());
      this.#dispatcher.add(lease.job);
      if (lease.wish !== undefined) this.#dispatcher.tell({ type: 'operator', job: lease.job.id, what: lease.wish });
      return;
    }
    this.#taking = 'nothing';
    this.#attempts.keep(this.#release([lease]));
  }

  /** Where the queue can't be asked, nothing is lost yet: `begin` and `settle` find out. */
  async #renew(): Promise<void> {
    const leases = [...this.#leases.values()];
    if (leases.length === 0) return;
    const held = await this.#attempts.of('renew', () => this.#means.queue.renew(leases));
    if (held === null) return;
    for (const lease of leases) {
      const { id } = lease.job;
      if (!held.has(id) && this.#leases.get(id)?.fence === lease.fence) this.tell({ type: 'lost', job: id });
    }
  }
}
