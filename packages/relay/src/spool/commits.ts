import type { EpochMs, Job, JobChange, JobId, KeptPolicy, Lease, PolicyBook } from '@ehlo/delivery';
import { type Cleaning, cleanOldest, isCleaningDue } from './cleaner.ts';
import { briefOf, type Jobs, type Kept } from './jobs.ts';
import type { Log, Place } from './log.ts';
import type { MessageFile, MessageStore } from './message-store.ts';
import { jobIn, type LogRecord, type Put } from './record.ts';
import type { Room } from './room.ts';
import { isDamaged, SpoolError } from './spool-error.ts';

/** What a spool is made of, once it is open. */
export interface SpoolParts {
  readonly log: Log;
  readonly store: MessageStore;
  readonly jobs: Jobs;
  readonly policies: PolicyBook;
  readonly room: Room;
  readonly now: () => EpochMs;
  /** Octets of a log file. */
  readonly logSize: number;
  readonly failed: (error: Error) => void;
}

/** A job that a commit brings into being, and its message file. */
export interface Coming {
  readonly job: Job;
  readonly file: MessageFile;
}

/** What becomes of the jobs of a message that can't be read. */
type Fates = Record<'stays' | 'unreadable' | 'over', JobId[]>;

/** How a commit is written: the job as a whole, the change alone, or its end. */
export type Form = 'job' | 'over' | JobChange;

/** Values of jobs that are kept in memory without a lease: those that were put last are taken next. Ours, as is how long they may be. */
const MOST_FRESH = 2000;
const MOST_FRESH_OCTETS = 4096;

/** What is written down, and what it does to the jobs in memory once it is durable: not before, and not if it is not. */
export class Commits {
  readonly #parts: SpoolParts;
  /** Work that only `idle` waits for. */
  readonly #background = new Set<Promise<void>>();
  #isCleaning = false;

  constructor(parts: SpoolParts) {
    this.#parts = parts;
  }

  /** Something was put, and is durable. */
  add({ job, file }: Coming, where: Place): void {
    const { jobs } = this.#parts;
    if (jobs.get(job.id) !== undefined) return;
    const kept = jobs.add(briefOf(job), file, where);
    if (jobs.loaded < MOST_FRESH && where.length <= MOST_FRESH_OCTETS) jobs.load(kept, job);
  }

  /** Jobs whose content is there already. */
  async putAll(put: readonly Coming[]): Promise<void> {
    const where = await this.#append({ put: put.map(putOf) });
    for (const one of put) this.add(one, where);
  }

  /** The value of a job, which says that its content is lost where that is known; null: it can't be read, and was set aside or is held. */
  async value(kept: Kept): Promise<Job | null> {
    try {
      return this.knowing(await readValue(kept, this.#parts), kept.message.file);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      if (kept.where.file > 0) await this.#hold(kept, error);
      else await this.setAside(kept.message.file, error, [kept.id]);
      return null;
    }
  }

  /** A job of a message file, with what is known of that. */
  knowing(job: Job, { number }: MessageFile): Job {
    return this.#parts.store.isLost(number) && job.message.damaged !== true ? withoutContent(job) : job;
  }

  /** What a job is from now on, and what comes into being with it. Its lease is left as it is. */
  async commit(kept: Kept, after: Job, form: Form, put: readonly Coming[], wish?: Lease['wish']): Promise<void> {
    const { jobs } = this.#parts;
    const where = await this.#append(recordOf(kept, after, form, put, wish));
    for (const one of put) this.add(one, where);
    // It was set aside meanwhile.
    if (jobs.get(kept.id) !== kept) return;
    if (form === 'over') {
      jobs.remove(kept);
      return;
    }
    kept.due = briefOf(after).due;
    kept.isChanged = form !== 'job';
    if (form === 'job') {
      jobs.move(kept, where);
      kept.wish = wish;
    }
    if (kept.until > 0 || kept.isChanged) jobs.load(kept, after);
    else jobs.unload(kept);
    jobs.sort(kept);
  }

  async begin(kept: Kept, job: Job, begun: NonNullable<Job['begun']>): Promise<void> {
    await this.#append({ ...keyOf(kept), begun });
    kept.isChanged = true;
    this.#parts.jobs.load(kept, { ...job, begun });
  }

  /** Nobody holds it any more. */
  free(kept: Kept): void {
    const { jobs } = this.#parts;
    kept.until = 0;
    if (!kept.isChanged) jobs.unload(kept);
    jobs.sort(kept);
  }

  /** Writes a policy; no call waits for it. */
  policy(domain: string, kept: KeptPolicy): void {
    this.#beside(async () => void (await this.#append({ sts: domain, kept })));
  }

  /** The file no longer counts: its writer was told that it could not be written. */
  async vain({ number }: MessageFile): Promise<void> {
    await this.#parts.log.append({ n: number, gone: true }).catch(() => {});
  }

  /** Removes a file that is no longer needed; if that fails, it is removed when the spool is opened next. */
  remove(file: MessageFile): void {
    this.#beside(() => this.#parts.store.remove(file));
  }

  /** Resolves when no background work is under way. */
  async idle(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  /** The record of a job is damaged, its message is not: as at an opening it is held as it was put, if it was put with its message, and else left out. */
  async #hold(kept: Kept, error: SpoolError): Promise<void> {
    const { jobs, store, failed } = this.#parts;
    const { id, message } = kept;
    const { file } = message;
    const { jobs: lines, why } = await store.front(file.number).catch((cause: unknown) => {
      if (isDamaged(cause)) return { jobs: [], why: cause.message };
      throw cause;
    });
    const line = lines.find(({ job }) => job.id === id);
    if (line !== undefined) {
      await this.commit(kept, { ...line.job, held: true }, 'job', [], kept.wish);
      this.free(kept);
      failed(new SpoolError('damaged', `${error.message}; job ${id} of ${store.name(file.number)} is held as it was put`, error));
    } else if (why !== null) await this.setAside(file, new SpoolError('damaged', `${store.path(file.number)}: ${why}`), [id]);
    // Content without a job is kept, so that an operator can look at it.
    else if (file.messages === 1 && message.jobs === 1) await this.setAside(file, error, [id]);
    else {
      jobs.remove(kept);
      failed(new SpoolError('damaged', `${error.message}${fateOf([], [id])}`, error));
    }
  }

  /**
   * Puts a message away that can't be read. Of its jobs those stay whose values can be, so that their senders are told; the others are left out, as are
   * those that are `unreadable`. Where that fails it stays where it is, and is looked at again when the spool is opened next.
   */
  async setAside(file: MessageFile, error: SpoolError, unreadable: readonly JobId[] = []): Promise<void> {
    const { jobs, store, failed } = this.#parts;
    const isNew = store.lose(file.number);
    const fates: Fates = { stays: [], unreadable: [...unreadable], over: [] };
    // Its file is needed until all is done.
    file.messages++;
    for (const kept of this.#of(file)) if (unreadable.includes(kept.id)) jobs.remove(kept);
    try {
      if (isNew) await this.#keepAll(file, fates);
      const aside = isNew ? await store.setAside(store.name(file.number)) : null;
      if (aside !== null || fates.stays.length > 0 || fates.unreadable.length > 0)
        failed(
          new SpoolError(
            'damaged',
            `${error.message}${aside === null ? '' : `; it is ${aside} now`}${fateOf(fates.stays, fates.unreadable)}`,
            error,
          ),
        );
      if (isNew && file.messages === 1) await this.vain(file);
    } catch (cause) {
      // What could not be written down is said when they are taken.
      for (const kept of this.#of(file)) this.#hasten(kept);
      const why = `it could not be put away (${(cause as Error).message}), and stays until the spool is opened again; its senders are told as soon as the disk allows it`;
      failed(new SpoolError('damaged', `${error.message}; ${why}${fateOf([], fates.unreadable)}`, cause));
      return;
    }
    if (--file.messages === 0) this.remove(file);
  }

  /** It is due now, but where an operator holds it. */
  #hasten(kept: Kept): void {
    const { jobs, now } = this.#parts;
    if (kept.due !== Number.POSITIVE_INFINITY) kept.due = Math.min(kept.due, now());
    jobs.sort(kept);
  }

  #of(file: MessageFile): Kept[] {
    return [...this.#parts.jobs].filter(({ message }) => message.file === file);
  }

  /** All jobs of a message that is lost, and those that came into being while it was not known to be. */
  async #keepAll(file: MessageFile, fates: Fates): Promise<void> {
    const done = new Set<Kept>();
    for (;;) {
      const news = this.#of(file).filter((kept) => !done.has(kept));
      if (news.length === 0) return;
      for (const kept of news) done.add(kept);
      const all = await Promise.allSettled(news.map((kept) => kept.inTurn(() => this.#fate(kept))));
      for (const [index, one] of all.entries()) if (one.status === 'fulfilled') fates[one.value].push(news[index]!.id);
      const failure = all.find((one) => one.status === 'rejected');
      if (failure !== undefined) throw failure.reason;
    }
  }

  /** A job stays without its content where its value can be read: it is written down anew. */
  async #fate(kept: Kept): Promise<keyof Fates> {
    const { jobs } = this.#parts;
    if (jobs.get(kept.id) !== kept) return 'over';
    try {
      await this.commit(kept, withoutContent(await readValue(kept, this.#parts)), 'job', [], kept.wish);
      return 'stays';
    } catch (error) {
      if (!isDamaged(error)) throw error;
      jobs.remove(kept);
      return 'unreadable';
    }
  }

  async #append(record: LogRecord): Promise<Place> {
    const where = await this.#parts.log.append(record);
    const { logSize } = this.#parts;
    const cleaning: Cleaning = { ...this.#parts, rewrite: (kept, isStale) => this.#rewrite(kept, isStale) };
    if (!this.#isCleaning && isCleaningDue(cleaning, logSize)) this.#beside(() => this.#clean(cleaning));
    return where;
  }

  async #clean(cleaning: Cleaning): Promise<void> {
    this.#isCleaning = true;
    try {
      while (isCleaningDue(cleaning, this.#parts.logSize)) await cleanOldest(cleaning);
    } finally {
      this.#isCleaning = false;
    }
  }

  /** Nobody waits for it; where it fails, it is told. */
  #beside(work: () => Promise<void>): void {
    const working: Promise<void> = work()
      .catch(this.#parts.failed)
      .finally(() => this.#background.delete(working));
    this.#background.add(working);
  }

  /** The value of a job once more, at the end of the log. */
  #rewrite(kept: Kept, isStale: () => boolean): Promise<void> {
    return kept.inTurn(async () => {
      if (this.#parts.jobs.get(kept.id) !== kept || !isStale()) return;
      const job = await this.value(kept);
      if (job !== null) await this.commit(kept, job, 'job', [], kept.wish);
    });
  }
}

/** A job whose content is lost: it is due, so that its sender is told. */
export function withoutContent(job: Job): Job {
  return { ...job, message: { ...job.message, damaged: true }, due: job.message.arrived };
}

/** What becomes of the jobs of a message that was set aside. */
function fateOf(stay: readonly JobId[], without: readonly JobId[]): string {
  const told = stay.length === 0 ? '' : `; the senders of its jobs ${stay.join(', ')} are told`;
  return without.length === 0 ? told : `${told}; nothing is left of its jobs ${without.join(', ')}`;
}

/** From the log, or from its message file. */
export async function readValue(kept: Kept, { log, store }: Pick<SpoolParts, 'log' | 'store'>): Promise<Job> {
  const { where, message, id, job } = kept;
  if (job !== null) return job;
  if (where.file === 0) return store.job(message.file.number, where);
  const value = jobIn(await log.read(where), id);
  if (value === null) throw new SpoolError('damaged', `log/${where.file}: the record at octet ${where.at} is not about ${id}`);
  return value;
}

function recordOf(kept: Kept, job: Job, form: Form, coming: readonly Coming[], wish: Lease['wish']): LogRecord {
  const put = coming.length === 0 ? {} : { put: coming.map(putOf) };
  if (form === 'over') return { ...keyOf(kept), over: true, ...put };
  if (form === 'job') return { ...keyOf(kept), job, ...(wish === undefined ? {} : { wish }), ...put };
  const { put: _put, ...change } = form;
  return { ...keyOf(kept), change, ...put };
}

function keyOf({ id, message }: Kept): { readonly n: number; readonly id: JobId } {
  return { n: message.file.number, id };
}

function putOf({ job, file }: Coming): Put {
  return { n: file.number, job };
}
