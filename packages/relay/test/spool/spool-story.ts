// What is done with a spool on a simulated disk, what was acknowledged of it, and whether that is what is found afterwards.

import { applyChange, isOver, type Job, type JobChange, type Lease, newJob, type RecipientChange } from '@ehlo/delivery';
import { openSpool, type Spool, SpoolError } from '../../src/spool/index.ts';
import { Dice, SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts';

export interface StoryOptions {
  readonly seed: number;
  /** Things that are done. */
  readonly deeds: number;
  /** How the disk fails, by operations since the story began. */
  readonly fault?: SimulatedDiskOptions['fault'];
  /** The operation at which the power fails, or the process dies. */
  readonly dies?: number;
  readonly isPowerFailure?: boolean;
  /** Octets of a file of the log: small, so that it is cleaned often. */
  readonly logSize?: number;
  /** No message is put where there are so many jobs: few of them, so that little of the log counts. Default: always. */
  readonly jobs?: number;
}

/** A job as it was acknowledged last, and as it may be: a call was under way, or has failed. Null: there is none. */
interface Account {
  acknowledged: Job | null;
  possible: { readonly job: Job | null; readonly born: readonly Job[] }[];
}

const NOW = 1_000_000;
const FOLDER = 'spool';

export class Story {
  readonly #options: StoryOptions;
  readonly #dice: Dice;
  readonly #accounts = new Map<string, Account>();
  readonly #contents = new Map<string, Uint8Array>();
  /** Messages whose put was rejected, or not answered: all of their jobs are there, or none. */
  readonly #puts = new Map<string, readonly string[]>();
  readonly #busy = new Set<string>();
  readonly #violations: string[] = [];
  /** What the spool has told. */
  readonly told: Error[] = [];
  disk: SimulatedDisk;
  /** Operations of the disk, all of its lives together. */
  steps = 0;
  /** The disk fails no more. */
  #isHealed: boolean;
  #now = NOW;
  #count = 0;
  #leases: Lease[] = [];

  constructor(options: StoryOptions) {
    this.#options = options;
    this.#isHealed = options.fault === undefined;
    this.#dice = new Dice(options.seed);
    this.disk = new SimulatedDisk({ dice: this.#dice, ...(options.dies === undefined ? {} : { dies: options.dies }), ...this.#faults() });
  }

  /** Does what is to be done, until the power fails or the end; looks whether all is there, once more after a power failure in any case, and does a little more. */
  async run(): Promise<readonly string[]> {
    const { deeds, dies, isPowerFailure = true } = this.#options;
    const first = await this.#life(deeds);
    if (first !== 'died' && dies !== undefined && dies < this.disk.steps) this.#wrong('it lives on without power');
    this.steps = this.disk.steps;
    this.#isHealed = true;
    this.disk.powerOff();
    await later();
    this.disk = this.disk.restarted({ dice: this.#dice }, isPowerFailure);
    await this.#life(deeds >> 1);
    this.disk.powerOff();
    await later();
    this.disk = this.disk.restarted({ dice: this.#dice });
    await this.#life(0);
    return this.#violations;
  }

  #faults(): Pick<SimulatedDiskOptions, 'fault'> {
    const { fault } = this.#options;
    return fault === undefined ? {} : { fault: (...of) => (this.#isHealed ? null : fault(...of)) };
  }

  async #life(deeds: number): Promise<'died' | 'lived'> {
    const { disk } = this;
    const living = (async () => {
      const spool = await this.#open();
      if (spool === null) return 'lived';
      await this.#look(spool);
      const doings: Promise<void>[] = [];
      for (let deed = 0; deed < deeds; deed++) {
        if (this.#dice.is(12)) {
          // What is under way has one time.
          await Promise.all(doings);
          this.#now += this.#dice.below(700);
        }
        const doing = this.#do(spool);
        doings.push(doing);
        if (!this.#dice.is(3)) await doing;
      }
      await Promise.all(doings);
      this.#isHealed = true;
      for (let deed = 0; deed < 6; deed++) await this.#do(spool);
      if (this.#dice.is(2)) await spool.close();
      return 'lived';
    })();
    const result = await Promise.race([living, disk.died.then(() => 'died' as const)]);
    await later();
    this.#busy.clear();
    this.#leases = [];
    return result as 'died' | 'lived';
  }

  async #open(): Promise<Spool | null> {
    for (let tries = 0; ; tries++) {
      const told = this.told.length;
      try {
        const spool = await openSpool(FOLDER, {
          now: () => this.#now,
          lease: 1000,
          logSize: this.#options.logSize ?? 200,
          disk: this.disk,
          failed: (error) => this.told.push(error),
        });
        // What the disk did not give was left alone.
        if (this.#isHealed || this.told.length === told) return spool;
        await spool.close();
      } catch (error) {
        if (this.#isHealed || tries > 100) {
          this.#wrong(`it can not be opened: ${(error as Error).message}`);
          return null;
        }
      }
    }
  }

  /** Every job that was acknowledged is there as it was, octet for octet, and nothing else. */
  async #look(spool: Spool): Promise<void> {
    const found = new Map<string, Job>();
    for await (const job of spool.find({})) {
      if (found.has(job.id)) this.#wrong(`${job.id} is there twice`);
      found.set(job.id, job);
    }
    for (const [id, jobs] of this.#puts) {
      const there = jobs.filter((one) => found.has(one));
      if (there.length > 0 && there.length < jobs.length) this.#wrong(`of message ${id} there are only ${there}`);
    }
    this.#puts.clear();
    for (const [id, account] of [...this.#accounts]) {
      const job = found.get(id) ?? null;
      const states = [{ job: account.acknowledged, born: [] as readonly Job[] }, ...account.possible];
      const now = states.find((one) => same(one.job, job));
      if (now === undefined) this.#wrong(`${id} is ${JSON.stringify(job)}, and was ${JSON.stringify(account)}`);
      for (const state of account.possible) {
        for (const { id: born } of state.born) {
          if ((now === state) !== found.has(born))
            this.#wrong(`${born} is ${found.has(born) ? '' : 'not '}there, and ${id} is ${JSON.stringify(job)}`);
          this.#accounts.set(born, { acknowledged: found.get(born) ?? null, possible: [] });
        }
      }
      account.acknowledged = job;
      account.possible = [];
    }
    for (const [id, job] of found) {
      if (this.#accounts.get(id) === undefined) this.#wrong(`${id} has come from nowhere`);
      await this.#read(spool, job);
    }
  }

  async #read(spool: Spool, { message, id }: Job): Promise<void> {
    const parts: Uint8Array[] = [];
    try {
      for await (const bytes of spool.content(message.id)) parts.push(bytes);
    } catch (error) {
      // It may be over by now, or the disk fails.
      const isOurs = !this.#isHealed || this.#accounts.get(id)?.acknowledged === null || this.#busy.has(id);
      if (!isOurs) this.#wrong(`the content of ${message.id} can not be read: ${(error as Error).message}`);
      return;
    }
    const octets = Buffer.concat(parts);
    if (!octets.equals(this.#contents.get(message.id) ?? new Uint8Array(0))) this.#wrong(`the content of ${message.id} is another`);
  }

  async #do(spool: Spool): Promise<void> {
    const deed = this.#dice.below(12);
    if (deed < 3) await (this.#alive < (this.#options.jobs ?? Number.POSITIVE_INFINITY) ? this.#put(spool) : this.#take(spool));
    else if (deed < 5) await this.#take(spool);
    else if (deed < 7) await this.#begin(spool);
    else if (deed < 10) await this.#settle(spool);
    else if (deed < 11) await this.#operate(spool);
    else await this.#attempt(() => spool.renew(this.#leases));
  }

  get #alive(): number {
    return [...this.#accounts.values()].filter(({ acknowledged }) => acknowledged !== null).length;
  }

  async #put(spool: Spool): Promise<void> {
    const number = this.#count++;
    const jobs = Array.from({ length: 1 + this.#dice.below(3) }, (_, index) => this.#job(`j${number}-${index}`, `m${number}`));
    const octets = new Uint8Array(this.#dice.is(8) ? 70_000 : this.#dice.below(300)).fill(number);
    this.#contents.set(`m${number}`, octets);
    this.#puts.set(
      `m${number}`,
      jobs.map(({ id }) => id),
    );
    for (const job of jobs) this.#accounts.set(job.id, { acknowledged: null, possible: [{ job, born: [] }] });
    const isPut = await this.#attempt(() => spool.put(jobs, parts(octets)));
    if (isPut === undefined) return;
    this.#puts.delete(`m${number}`);
    for (const job of jobs) this.#is(job.id, job);
  }

  async #take(spool: Spool): Promise<void> {
    const leases = await this.#attempt(() => spool.take(1 + this.#dice.below(4)));
    for (const lease of leases ?? []) {
      const account = this.#accounts.get(lease.job.id);
      const isKnown =
        this.#busy.has(lease.job.id) ||
        [{ job: account?.acknowledged ?? null }, ...(account?.possible ?? [])].some(({ job }) => same(job, lease.job));
      if (!isKnown) this.#wrong(`${lease.job.id} was taken as ${JSON.stringify(lease.job)}, and was ${JSON.stringify(account)}`);
      this.#leases = [...this.#leases.filter(({ job }) => job.id !== lease.job.id), lease];
      if (this.#dice.is(4)) await this.#read(spool, lease.job);
    }
  }

  async #begin(spool: Spool): Promise<void> {
    await this.#change(async (lease, job) => {
      const recipients = job.recipients.flatMap(({ state }, index) => (state === 'due' ? [index] : []));
      const begun = { attempt: (job.attempt ?? 0) + 1, recipients, at: this.#now };
      const after = { ...job, begun };
      this.#accounts.get(job.id)!.possible.push({ job: after, born: [] });
      if (await this.#attempt(() => spool.begin(lease, begun))) this.#is(job.id, after);
    });
  }

  async #settle(spool: Spool): Promise<void> {
    await this.#change(async (lease, job) => {
      const dice = this.#dice;
      const open = job.recipients.flatMap(({ state }, index) => (state === 'due' ? [index] : []));
      const recipients = open
        .filter(() => dice.is(2))
        .map((index): RecipientChange => ({ index, state: dice.of(['relayed', 'failed', 'due']) }));
      const rest = { tries: (job.tries ?? 0) + 1, attempt: job.begun?.attempt ?? job.attempt ?? 0, recipients };
      const isLast = isOver(applyChange(job, { ...rest, job: job.id, due: 0, release: true, put: [] }));
      const born: Job[] = [];
      const notices = new Map<string, readonly Uint8Array[]>();
      const put: JobChange['put'][number][] = [];
      if (dice.is(3)) {
        const notice = this.#job(`${job.id}/n${this.#count++}`);
        const isCopy = dice.is(3);
        born.push(notice);
        // It may be taken before its commit is answered.
        this.#busy.add(notice.id);
        const octets = new Uint8Array(dice.below(200)).fill(7);
        this.#contents.set(notice.message.id, isCopy ? this.#contents.get(job.message.id)! : octets);
        if (!isCopy) notices.set(notice.id, [octets]);
        put.push({ job: notice, content: isCopy ? 'same' : { of: job.message.id, at: 0, arrived: 0, to: '', recipients: [] } });
      }
      const change: JobChange = {
        ...rest,
        job: job.id,
        due: isLast ? null : this.#now + dice.below(2) * 100,
        release: dice.is(2) || isLast,
        put,
      };
      const after = isLast ? null : applyChange(job, change);
      this.#accounts.get(job.id)!.possible.push({ job: after, born });
      const isOurs = await this.#attempt(() => spool.settle(lease, change, notices));
      for (const one of born) this.#busy.delete(one.id);
      if (isOurs === undefined) return;
      if (!isOurs) return this.#wrong(`${job.id}: the lease is another's`);
      this.#is(job.id, after);
      for (const one of born) this.#accounts.set(one.id, { acknowledged: one, possible: [] });
      if (change.release) this.#leases = this.#leases.filter((one) => one.job.id !== job.id);
    });
  }

  async #operate(spool: Spool): Promise<void> {
    const free = [...this.#accounts].filter(
      ([id, { acknowledged }]) => acknowledged !== null && !this.#busy.has(id) && !this.#leases.some(({ job }) => job.id === id),
    );
    if (free.length === 0) return;
    const [id, account] = this.#dice.of(free);
    const job = account.acknowledged!;
    const what = this.#dice.of(['hold', 'release', 'retry', 'delete', 'bounce'] as const);
    const { held: _held, ...rest } = job;
    const due = Math.min(job.due, this.#now);
    const after = { hold: { ...rest, held: true as const }, release: rest, retry: { ...job, due }, bounce: { ...rest, due }, delete: null }[
      what
    ];
    this.#busy.add(id);
    account.possible.push({ job: after, born: [] });
    if (await this.#attempt(() => spool.operate(id, what))) this.#is(id, after);
    this.#busy.delete(id);
  }

  /** One thing after the other is done with a job that is held. */
  async #change(work: (lease: Lease, job: Job) => Promise<void>): Promise<void> {
    const held = this.#leases.filter(
      ({ job, until }) => until > this.#now && !this.#busy.has(job.id) && this.#accounts.get(job.id)?.acknowledged,
    );
    if (held.length === 0) return;
    const lease = this.#dice.of(held);
    const { id } = lease.job;
    this.#busy.add(id);
    await work(lease, this.#accounts.get(id)!.acknowledged!);
    this.#busy.delete(id);
  }

  #is(id: string, job: Job | null): void {
    this.#accounts.set(id, { acknowledged: job, possible: [] });
  }

  #job(id: string, message = `m-${id}`): Job {
    const recipients = Array.from({ length: 1 + this.#dice.below(3) }, (_, index) => ({ address: `r${index}@example.net` }));
    return newJob(id, { id: message, reversePath: 'ann@example.org', arrived: this.#now, size: 0 }, 'example.net', recipients);
  }

  /** Undefined: it was rejected, as it may be where the disk fails. */
  async #attempt<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      const mayFail = !this.#isHealed && error instanceof SpoolError && (error.code === 'full' || error.code === 'disk');
      if (!mayFail) this.#wrong(`rejected: ${(error as Error).stack}`);
      return undefined;
    }
  }

  #wrong(what: string): void {
    this.#violations.push(what);
  }
}

/** Everything that can settle has. */
function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function* parts(octets: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += 30_000) yield octets.subarray(at, at + 30_000);
}

function same(a: Job | null, b: Job | null): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
