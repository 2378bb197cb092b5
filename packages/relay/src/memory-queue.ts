import {
  applyChange,
  type BegunAttempt,
  type EpochMs,
  isOver,
  type Job,
  type JobChange,
  type JobCounts,
  type JobId,
  type JobQuery,
  type Lease,
  type MessageId,
  putOf,
  type Queue,
} from '@ehlo/delivery';
import { type Entry, Heap } from '@ehlo/delivery/heap';
import { fitsQuery } from './fits-query.ts';
import { operated } from './operated.ts';

export interface MemoryQueueOptions {
  /** The clock of leases and of what is due. */
  readonly now: () => EpochMs;
  /** Milliseconds that a lease lasts. Default 30,000. */
  readonly lease?: number;
}

/** A job in the queue. */
class Kept implements Entry {
  place = -1;
  job: Job;
  fence = 0;
  /** The end of its lease; 0: no lease. */
  until: EpochMs = 0;
  wish: Lease['wish'];

  constructor(job: Job) {
    this.job = job;
  }

  /** When it can be taken. */
  get at(): EpochMs {
    return this.job.held === true ? Number.POSITIVE_INFINITY : Math.max(this.job.due, this.until);
  }
}

interface Content {
  readonly octets: readonly Uint8Array[];
  /** Jobs that need it. */
  jobs: number;
}

/**
 * A queue in memory, which nothing outlives: for tests, for simulations, and as the model that other queues are held against. Taking and
 * settling a job cost O(log n).
 *
 * @example
 * ```ts
 * import { newJob } from '@ehlo/delivery';
 * import { MemoryQueue } from '@ehlo/relay';
 * const queue = new MemoryQueue({ now: () => 0 });
 * const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 0 };
 * await queue.put([newJob('j', message, 'example.net', [{ address: 'joe@example.net' }])], []);
 * [(await queue.take(10)).length, (await queue.take(10)).length]
 * // → [1, 0]
 * ```
 */
export class MemoryQueue implements Queue {
  readonly #now: () => EpochMs;
  readonly #lease: number;
  readonly #jobs = new Map<JobId, Kept>();
  readonly #contents = new Map<MessageId, Content>();
  readonly #due = new Heap<Kept>((a, b) => a.at < b.at);

  constructor({ now, lease = 30_000 }: MemoryQueueOptions) {
    this.#now = now;
    this.#lease = lease;
  }

  /** Jobs that are not over. */
  get size(): number {
    return this.#jobs.size;
  }

  /** When a job can be taken at the earliest; infinite where there is none. */
  get due(): EpochMs {
    return this.#due.first?.at ?? Number.POSITIVE_INFINITY;
  }

  /** All jobs are of one message. */
  async put(jobs: readonly Job[], content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<MessageId> {
    const octets: Uint8Array[] = [];
    for await (const bytes of content) octets.push(bytes.slice());
    const [first] = jobs;
    if (first === undefined) throw new RangeError('a message without a job has nowhere to go');
    for (const job of jobs) this.#keep(job, octets);
    return first.message.id;
  }

  async take(most: number): Promise<readonly Lease[]> {
    const leases: Lease[] = [];
    const now = this.#now();
    for (let kept = this.#due.first; kept !== undefined && kept.at <= now && leases.length < most; kept = this.#due.first) {
      kept.fence++;
      kept.until = now + this.#lease;
      this.#due.put(kept);
      leases.push({ job: kept.job, fence: kept.fence, until: kept.until, ...(kept.wish === undefined ? {} : { wish: kept.wish }) });
    }
    return leases;
  }

  async renew(leases: readonly Lease[]): Promise<ReadonlySet<JobId>> {
    const held = leases.flatMap((lease) => this.#held(lease) ?? []);
    for (const kept of held) {
      kept.until = this.#now() + this.#lease;
      this.#due.put(kept);
    }
    return new Set(held.map(({ job }) => job.id));
  }

  async begin(lease: Lease, attempt: BegunAttempt): Promise<boolean> {
    const kept = this.#held(lease);
    // The previous holder may have reported meanwhile that a server has accepted it.
    const isOpen = kept !== null && attempt.recipients.every((index) => kept.job.recipients[index]?.state === 'due');
    if (isOpen) kept.job = { ...kept.job, begun: attempt };
    return isOpen;
  }

  async settle(lease: Lease, change: JobChange, notices: ReadonlyMap<JobId, readonly Uint8Array[]>): Promise<boolean> {
    const kept = this.#jobs.get(change.job);
    // It is over: this is the second time, or another has brought it to its end.
    if (kept === undefined) return true;
    const isOurs = kept.fence === lease.fence;
    const put = putOf(kept.job, change, { acceptances: !isOurs });
    kept.job = applyChange(kept.job, change, { acceptances: !isOurs });
    for (const { job, content } of put) {
      const octets = content === 'same' ? this.#contents.get(kept.job.message.id)?.octets : notices.get(job.id);
      this.#keep(job, octets ?? []);
    }
    if (isOurs ? change.due === null : isOver(kept.job)) this.#over(kept);
    else if (isOurs) {
      if (change.release) {
        kept.until = 0;
        kept.wish = undefined;
      }
      this.#due.put(kept);
    }
    return isOurs;
  }

  async release(leases: readonly Lease[]): Promise<void> {
    for (const lease of leases) {
      const kept = this.#held(lease);
      if (kept === null) continue;
      kept.until = 0;
      this.#due.put(kept);
    }
  }

  async *content(id: MessageId): AsyncGenerator<Uint8Array> {
    const content = this.#contents.get(id);
    if (content === undefined) throw new RangeError(`there is no content of ${id}`);
    yield* content.octets;
  }

  async *find(query: JobQuery): AsyncGenerator<Job> {
    // A copy: the caller may change the queue while it iterates.
    const kept = query.job === undefined ? [...this.#jobs.values()] : [this.#jobs.get(query.job)].flatMap((one) => one ?? []);
    for (const { job } of kept) if (fitsQuery(job, query)) yield job;
  }

  /** Costs a look at every job. */
  async count(): Promise<JobCounts> {
    const counts = { leased: 0, due: 0, waiting: 0, held: 0 };
    const now = this.#now();
    let oldest: EpochMs | null = null;
    for (const { job, until } of this.#jobs.values()) {
      const state = until > now ? 'leased' : job.held === true ? 'held' : job.due > now ? 'waiting' : 'due';
      counts[state]++;
      if (state === 'due') oldest = Math.min(oldest ?? job.due, job.due);
    }
    return { ...counts, oldest };
  }

  async operate(id: JobId, what: 'hold' | 'release' | 'retry' | 'delete' | 'bounce'): Promise<boolean> {
    const kept = this.#jobs.get(id);
    if (kept === undefined || kept.until > this.#now()) return false;
    if (what === 'delete') {
      this.#over(kept);
      return true;
    }
    kept.job = operated(kept.job, what, this.#now());
    if (what === 'bounce') kept.wish = 'bounce';
    this.#due.put(kept);
    return true;
  }

  /** A job that is there already stays as it is. */
  #keep(job: Job, octets: readonly Uint8Array[]): void {
    if (this.#jobs.has(job.id)) return;
    const kept = new Kept(job);
    this.#jobs.set(job.id, kept);
    this.#due.put(kept);
    const content = this.#contents.get(job.message.id);
    if (content === undefined) this.#contents.set(job.message.id, { octets, jobs: 1 });
    else content.jobs++;
  }

  #held({ job, fence }: Lease): Kept | null {
    const kept = this.#jobs.get(job.id);
    return kept !== undefined && kept.fence === fence && kept.until > this.#now() ? kept : null;
  }

  /** The content goes with the last job of its message. */
  #over(kept: Kept): void {
    const { id, message } = kept.job;
    this.#due.remove(kept);
    this.#jobs.delete(id);
    const content = this.#contents.get(message.id);
    if (content !== undefined && --content.jobs === 0) this.#contents.delete(message.id);
  }
}
