import {
  applyChange,
  type BegunAttempt,
  isOver,
  type Job,
  type JobChange,
  type JobId,
  type Lease,
  putOf,
  type Queue,
} from '@ehlo/delivery';
import type { Chance } from './chance.ts';
import type { OwnFault } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { CountedQueue } from './spool-queue.ts';

/** How often each fault shows: once in so many calls. */
const SELDOM = 40;

/** The queue that all relays share, with its faults; everything that it commits is written into the ledger. */
export class SharedQueue implements Queue {
  readonly #inner: CountedQueue;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  readonly #faults: ReadonlySet<string>;
  readonly #now: () => number;
  /** Jobs as they were committed. */
  readonly #jobs = new Map<JobId, Job>();
  /** Commits that nobody has answered yet. */
  readonly #open = new Map<JobId, JobChange>();

  constructor(inner: CountedQueue, ledger: Ledger, chance: Chance, faults: ReadonlySet<string>, now: () => number) {
    this.#inner = inner;
    this.#ledger = ledger;
    this.#chance = chance;
    this.#faults = faults;
    this.#now = now;
  }

  get size(): number {
    return this.#inner.size;
  }

  /** A commit whose answer is lost is asked for: what fails is not there. */
  async put(jobs: readonly Job[], content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
    this.#fail('put fails');
    for (const job of jobs) this.#born(job);
    return this.#inner.put(jobs, content);
  }

  async take(most: number): Promise<readonly Lease[]> {
    this.#fail('take fails');
    const leases = await this.#inner.take(most);
    this.#fail('take answers nothing');
    return leases;
  }

  async renew(leases: readonly Lease[]): Promise<ReadonlySet<JobId>> {
    this.#fail('renew fails');
    const held = await this.#inner.renew(leases);
    this.#fail('renew answers nothing');
    return held;
  }

  async begin(lease: Lease, attempt: BegunAttempt): Promise<boolean> {
    this.#fail('begin fails');
    const isBegun = await this.#inner.begin(lease, attempt);
    if (isBegun) {
      const { message, recipients } = lease.job;
      for (const index of attempt.recipients) this.#ledger.marked(message.id, recipients[index]!.address, this.#now());
    }
    this.#fail('begin answers nothing');
    return isBegun;
  }

  async settle(lease: Lease, change: JobChange, notices: ReadonlyMap<JobId, readonly Uint8Array[]>): Promise<boolean> {
    this.#fail('settle fails');
    const before = this.#jobs.get(change.job);
    this.#open.set(change.job, change);
    const isOurs = await this.#inner.settle(lease, change, notices).finally(() => this.#open.delete(change.job));
    if (before !== undefined) this.#settled(before, change, isOurs);
    this.#fail('settle answers nothing');
    return isOurs;
  }

  /** After a crash: what was committed, though nobody was told. */
  async recover(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    for (const [id, change] of open) {
      const before = this.#jobs.get(id);
      if (before === undefined) continue;
      let found: Job | null = null;
      for await (const job of this.#inner.find({ job: id })) found = job;
      const isSame = (job: Job): boolean => (isOver(job) ? found === null : found !== null && isLike(found, job));
      if (isSame(applyChange(before, change))) this.#settled(before, change, true);
      else if (isSame(applyChange(before, change, { acceptances: true }))) this.#settled(before, change, false);
    }
  }

  async release(leases: readonly Lease[]): Promise<void> {
    this.#fail('release fails');
    await this.#inner.release(leases);
  }

  async *content(id: string): AsyncGenerator<Uint8Array> {
    this.#fail('content fails');
    yield* this.#inner.content(id);
  }

  find(query: Parameters<Queue['find']>[0]): AsyncIterable<Job> {
    return this.#inner.find(query);
  }

  operate(id: JobId, what: Parameters<Queue['operate']>[1]): Promise<boolean> {
    return this.#inner.operate(id, what);
  }

  #born(job: Job): void {
    this.#jobs.set(job.id, job);
    this.#ledger.born(job);
  }

  #settled(before: Job, change: JobChange, isOurs: boolean): void {
    const after = applyChange(before, change, { acceptances: !isOurs });
    const { message } = before;
    for (const [index, { address, state }] of after.recipients.entries()) {
      if (state !== before.recipients[index]!.state) this.#ledger.settled(message.id, address, state, this.#now());
    }
    for (const { job, content } of putOf(before, change, { acceptances: !isOurs })) {
      if (this.#jobs.has(job.id)) continue;
      this.#born(job);
      if (content === 'same') continue;
      const failed = content.recipients.filter(({ action }) => action === 'failed');
      for (const { address } of failed) this.#ledger.noticed(content.of, address, this.#now());
    }
    if (isOver(after)) this.#jobs.delete(after.id);
    else this.#jobs.set(after.id, after);
  }

  #fail(fault: OwnFault): void {
    if (this.#faults.has(fault) && this.#chance.is(1 / SELDOM)) throw new Error(fault);
  }
}

/** Whether two values of a job agree in what a commit changes. */
function isLike(a: Job, b: Job): boolean {
  const of = ({ recipients, tries, attempt, due }: Job): string =>
    JSON.stringify([recipients.map(({ state, told }) => [state, told]), tries, attempt, due]);
  return of(a) === of(b);
}
