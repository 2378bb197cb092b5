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
  type NewJob,
  type PolicyBook,
  putOf,
  type Queue,
} from '@ehlo/delivery';
import { fitsQuery } from '../fits-query.ts';
import { operated } from '../operated.ts';
import { type Coming, type Commits, type Form, type SpoolParts, withoutContent } from './commits.ts';
import type { Kept } from './jobs.ts';
import type { MessageFile } from './message-store.ts';
import { Reserved } from './reserved.ts';
import { isDamaged, SpoolError } from './spool-error.ts';

/** What is put and read, as the types of `Queue` have it, or all at once. */
type Octets = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Leases of this process: they are in memory, and end with it. */
export interface Leasing {
  /** Milliseconds that one lasts. */
  readonly lease: number;
  /** Larger than every fence of the processes before. */
  readonly fence: number;
}

/**
 * A queue of files, for one process (`openSpool`). What it has in memory of a job that waits is where its value stands and when it is due. Taking a
 * job costs O(log n), and a read where the job was not put just now. What is written at the same time shares one sync.
 */
export class Spool implements Queue {
  readonly #parts: SpoolParts;
  readonly #commits: Commits;
  readonly #lease: number;
  readonly #end: () => Promise<void>;
  readonly #reserved = new Reserved();
  /** What is under way: `close` waits for it. */
  readonly #work = new Set<Promise<unknown>>();
  #fence: number;
  #closing: Promise<void> | null = null;

  /** `end` lets files and folder go. */
  constructor(parts: SpoolParts, commits: Commits, { lease, fence }: Leasing, end: () => Promise<void>) {
    this.#parts = parts;
    this.#commits = commits;
    this.#lease = lease;
    this.#fence = fence;
    this.#end = end;
  }

  /** Jobs that are not over. */
  get size(): number {
    return this.#parts.jobs.size;
  }

  /** When a job can be taken at the earliest; infinite where there is none. */
  get due(): EpochMs {
    return this.#parts.jobs.first?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Policies of MTA-STS that outlive the process (RFC 8461 3.3), for the `policies` of a `Dispatcher`: each is written down when it is set. */
  get policies(): PolicyBook {
    return this.#parts.policies;
  }

  /** All jobs are of one message. Rejects with a `SpoolError`, whose code is `full` where the disk has no room beside the reserve, or as the content does. */
  put(jobs: readonly Job[], content: Octets): Promise<MessageId> {
    const [first] = jobs;
    if (first === undefined) return Promise.reject(new RangeError('a message without a job has nowhere to go'));
    const { id } = first.message;
    const names = [`message ${id}`, ...jobs.map((job) => `job ${job.id}`)];
    return this.#working(() => this.#reserved.while(names, () => this.#put(id, jobs, content)));
  }

  take(most: number): Promise<readonly Lease[]> {
    return this.#working(async () => {
      const { jobs, now } = this.#parts;
      const at = now();
      const taking: Promise<Lease | null>[] = [];
      for (let kept = jobs.first; kept !== undefined && kept.at <= at && taking.length < most; kept = jobs.first) {
        kept.fence = ++this.#fence;
        kept.until = at + this.#lease;
        jobs.sort(kept);
        taking.push(this.#leased(kept, kept.fence, kept.until));
      }
      return (await Promise.all(taking)).flatMap((lease) => lease ?? []);
    });
  }

  renew(leases: readonly Lease[]): Promise<ReadonlySet<JobId>> {
    return this.#working(async () => {
      const { jobs, now } = this.#parts;
      const held = leases.flatMap((one) => this.#held(one) ?? []);
      for (const kept of held) {
        kept.until = now() + this.#lease;
        jobs.sort(kept);
      }
      return new Set(held.map(({ id }) => id));
    });
  }

  begin(lease: Lease, attempt: BegunAttempt): Promise<boolean> {
    return this.#withJob(lease.job.id, false, async (kept, job) => {
      // The previous holder may have reported meanwhile that a server has accepted it.
      const isLost = this.#parts.store.isLost(kept.message.file.number);
      const isOpen = !isLost && this.#held(lease) === kept && attempt.recipients.every((index) => job.recipients[index]?.state === 'due');
      if (isOpen) await this.#commits.begin(kept, job, attempt);
      return isOpen;
    });
  }

  settle(lease: Lease, change: JobChange, notices: ReadonlyMap<JobId, readonly Uint8Array[]>): Promise<boolean> {
    // Where there is none it is over: this is the second time, or another has brought it to its end.
    return this.#withJob(change.job, true, async (kept, job) => {
      if (kept.fence !== lease.fence) {
        const after = applyChange(job, change, { acceptances: true });
        const isNews = after.recipients.some(({ state }, index) => state !== job.recipients[index]?.state);
        const put = putOf(job, change, { acceptances: true });
        if (isNews) await this.#commit(kept, after, isOver(after) ? 'over' : 'job', put, notices, kept.wish);
        return false;
      }
      const form = change.due === null ? 'over' : change.release ? 'job' : change;
      const after = applyChange(job, change);
      // Its sender is told at once.
      const isLost = form === 'job' && this.#parts.store.isLost(kept.message.file.number);
      await this.#commit(kept, isLost ? withoutContent(after) : after, form, putOf(job, change), notices);
      if (form === 'job' && kept.fence === lease.fence) this.#commits.free(kept);
      return true;
    });
  }

  release(leases: readonly Lease[]): Promise<void> {
    return this.#working(async () => {
      for (const kept of leases.flatMap((lease) => this.#held(lease) ?? [])) this.#commits.free(kept);
    });
  }

  /** A block at a time. Where the octets are not those that were put it throws before the end, and the message is set aside. */
  async *content(id: MessageId): AsyncGenerator<Uint8Array> {
    this.#isOpen();
    const message = this.#parts.jobs.message(id);
    if (message === undefined) throw new RangeError(`there is no content of ${id}`);
    try {
      yield* this.#parts.store.content(message.file.number);
    } catch (error) {
      if (isDamaged(error) && this.#closing === null) await this.#working(() => this.#commits.setAside(message.file, error));
      throw error;
    }
  }

  /** One after the other is read, but those that are left out by what is in memory of them. */
  async *find(query: JobQuery): AsyncGenerator<Job> {
    const { jobs } = this.#parts;
    for (const kept of query.job === undefined ? jobs : [jobs.get(query.job)]) {
      if (kept === undefined || !mayFit(kept, query)) continue;
      const job = await this.#working(() => kept.inTurn(() => this.#value(kept)));
      if (job !== null && fitsQuery(job, query)) yield job;
    }
  }

  /** Costs a look at what is in memory of every job. */
  count(): Promise<JobCounts> {
    return this.#working(async () => {
      const counts = { leased: 0, due: 0, waiting: 0, held: 0 };
      const now = this.#parts.now();
      let oldest: EpochMs | null = null;
      for (const { due, until } of this.#parts.jobs) {
        const state = until > now ? 'leased' : due === Number.POSITIVE_INFINITY ? 'held' : due > now ? 'waiting' : 'due';
        counts[state]++;
        if (state === 'due') oldest = Math.min(oldest ?? due, due);
      }
      return { ...counts, oldest };
    });
  }

  operate(id: JobId, what: 'hold' | 'release' | 'retry' | 'delete' | 'bounce'): Promise<boolean> {
    return this.#withJob(id, false, async (kept, job) => {
      const { jobs, now } = this.#parts;
      if (kept.until > now()) return false;
      // It can't be taken before this is written.
      jobs.withdraw(kept);
      try {
        const after = what === 'delete' ? job : operated(job, what, now());
        await this.#commits.commit(kept, after, what === 'delete' ? 'over' : 'job', [], what === 'bounce' ? 'bounce' : kept.wish);
      } finally {
        if (jobs.get(id) === kept) jobs.sort(kept);
      }
      return true;
    });
  }

  /** Waits for what is under way, and lets the folder go. What is asked for afterwards is rejected. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      while (this.#work.size > 0) await Promise.allSettled(this.#work);
      await this.#commits.idle();
      await this.#end();
    })();
    return this.#closing;
  }

  async #put(id: MessageId, jobs: readonly Job[], content: Octets): Promise<MessageId> {
    const table = this.#parts.jobs;
    const news = jobs.filter((job) => table.get(job.id) === undefined);
    const known = table.message(id);
    if (news.length > 0 && known === undefined) {
      const { file, lines } = await this.#parts.store.write(news, this.#parts.room.within(content));
      for (const [index, job] of news.entries()) this.#commits.add({ job, file }, { file: 0, ...lines[index]! });
      return id;
    }
    // The content of a message that is here stays as it is.
    for await (const _ of content);
    if (news.length === 0 || known === undefined) return id;
    const { file } = table.need(id, known.file);
    try {
      await this.#commits.putAll(news.map((job) => ({ job: this.#commits.knowing(job, file), file })));
    } finally {
      table.spare(known);
    }
    return id;
  }

  /** The lease begins at once, although the value still has to be read. */
  #leased(kept: Kept, fence: number, until: EpochMs): Promise<Lease | null> {
    return kept.inTurn(async () => {
      try {
        const job = await this.#value(kept);
        // Another may have brought it to its end meanwhile.
        if (job === null) return null;
        this.#parts.jobs.load(kept, job);
        return { job, fence, until, ...(kept.wish === undefined ? {} : { wish: kept.wish }) };
      } catch (error) {
        // It is tried again when this lease is over.
        this.#parts.failed(error as Error);
        return null;
      }
    });
  }

  /** What a job is from now on, with what comes into being by it: what is there already stays as it is. */
  async #commit(
    kept: Kept,
    after: Job,
    form: Form,
    born: readonly NewJob[],
    notices: ReadonlyMap<JobId, readonly Uint8Array[]>,
    wish?: Lease['wish'],
  ): Promise<void> {
    const { file } = kept.message;
    const news = born.filter((one) => this.#parts.jobs.get(one.job.id) === undefined);
    const put = await this.#written(news, file, notices);
    try {
      await this.#commits.commit(kept, after, form, put, wish);
    } catch (error) {
      this.#unwritten(put, file);
      throw error;
    }
  }

  /** The content of each notice is durable before the commit that names it; alone, it is nothing. */
  async #written(news: readonly NewJob[], file: MessageFile, notices: ReadonlyMap<JobId, readonly Uint8Array[]>): Promise<Coming[]> {
    const put: Coming[] = [];
    try {
      for (const { job, content } of news) {
        const isSame = content === 'same';
        const own = isSame ? file : (await this.#parts.store.write([], notices.get(job.id) ?? [])).file;
        put.push({ job: this.#commits.knowing(job, own), file: own });
      }
    } catch (error) {
      this.#unwritten(put, file);
      throw error;
    }
    return put;
  }

  #unwritten(put: readonly Coming[], same: MessageFile): void {
    for (const { file } of put) if (file !== same) this.#commits.remove(file);
  }

  #held({ job, fence }: Lease): Kept | null {
    const kept = this.#parts.jobs.get(job.id);
    return kept !== undefined && kept.fence === fence && kept.until > this.#parts.now() ? kept : null;
  }

  /** Null: it is over, or can't be read and was set aside or is held. */
  async #value(kept: Kept): Promise<Job | null> {
    return this.#parts.jobs.get(kept.id) === kept ? this.#commits.value(kept) : null;
  }

  #withJob<T>(id: JobId, none: T, work: (kept: Kept, job: Job) => Promise<T>): Promise<T> {
    return this.#working(async () => {
      const kept = this.#parts.jobs.get(id);
      if (kept === undefined) return none;
      return kept.inTurn(async () => {
        const job = await this.#value(kept);
        return job === null ? none : work(kept, job);
      });
    });
  }

  async #working<T>(work: () => Promise<T>): Promise<T> {
    this.#isOpen();
    const working = work();
    this.#work.add(working);
    try {
      return await working;
    } finally {
      this.#work.delete(working);
    }
  }

  #isOpen(): void {
    if (this.#closing !== null) throw new SpoolError('closed', 'the spool is closed');
  }
}

/** Not where what is in memory of a job says that it is not looked for: then its value is not read. */
function mayFit({ message: { id }, due }: Kept, { message, held, dueBefore = Number.POSITIVE_INFINITY }: JobQuery): boolean {
  const isHeld = due === Number.POSITIVE_INFINITY;
  return (message === undefined || id === message) && (held === undefined || isHeld === held) && (isHeld || due <= dueBefore);
}
