import type { EpochMs, Job, JobId, Lease, MessageId } from '@ehlo/delivery';
import { type Entry, Heap } from '@ehlo/delivery/heap';
import type { Place } from './log.ts';
import type { MessageFile } from './message-store.ts';

/** A message of which some job is not over. */
export interface KeptMessage {
  readonly id: MessageId;
  readonly file: MessageFile;
  jobs: number;
}

/** What of a job is in memory always. `due` is infinite where an operator holds it. */
export interface JobBrief {
  readonly id: JobId;
  readonly message: MessageId;
  readonly due: EpochMs;
}

/** A job that waits or is held: where its value is, and what is needed to choose it. The value is read when it is needed. */
export class Kept implements Entry {
  place = -1;
  readonly id: JobId;
  readonly message: KeptMessage;
  /** Where its value stands; `file` 0: in its message file. */
  where: Place;
  /** When it is due; infinite: an operator holds it. */
  due: EpochMs = 0;
  fence = 0;
  /** The end of its lease; 0: no lease. */
  until: EpochMs = 0;
  wish: Lease['wish'];
  /** Its value, where it is in memory. */
  job: Job | null = null;
  /** Something about it was written after its value: the value must stay in memory. */
  isChanged = false;
  /** The last that was begun with it; null: all is over. */
  turn: Promise<unknown> | null = null;

  constructor(id: JobId, message: KeptMessage, where: Place) {
    this.id = id;
    this.message = message;
    this.where = where;
  }

  /** When it can be taken. */
  get at(): EpochMs {
    return Math.max(this.due, this.until);
  }

  /** Does one thing after the other. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.turn;
    const now = before === null ? work() : before.then(work, work);
    this.turn = now;
    try {
      return await now;
    } finally {
      if (this.turn === now) this.turn = null;
    }
  }
}

/** All jobs that are not over, and their messages. */
export class Jobs {
  readonly #jobs = new Map<JobId, Kept>();
  readonly #messages = new Map<MessageId, KeptMessage>();
  readonly #due = new Heap<Kept>((a, b) => a.at < b.at);
  readonly #unused: (file: MessageFile) => void;
  #written = 0;
  #octets = 0;
  #loaded = 0;

  /** `unused` is told of a file when no job needs it any more. */
  constructor(unused: (file: MessageFile) => void) {
    this.#unused = unused;
  }

  /** Octets of the log that hold the values of jobs. */
  get written(): number {
    return this.#written;
  }

  /** Octets of the values of all jobs, wherever they stand. */
  get octets(): number {
    return this.#octets;
  }

  /** Jobs whose values are in memory. */
  get loaded(): number {
    return this.#loaded;
  }

  get size(): number {
    return this.#jobs.size;
  }

  /** The one that can be taken first. */
  get first(): Kept | undefined {
    return this.#due.first;
  }

  get(id: JobId): Kept | undefined {
    return this.#jobs.get(id);
  }

  message(id: MessageId): KeptMessage | undefined {
    return this.#messages.get(id);
  }

  [Symbol.iterator](): Iterator<Kept> {
    return this.#jobs.values();
  }

  /** Adds a new job without a lease, whose value is at that place. */
  add({ id, message, due }: JobBrief, file: MessageFile, where: Place): Kept {
    const kept = new Kept(id, this.need(message, file), where);
    kept.due = due;
    this.#written += writtenOf(where);
    this.#octets += where.length;
    this.#jobs.set(id, kept);
    this.#due.put(kept);
    return kept;
  }

  /** Its value is in memory from now on. */
  load(kept: Kept, job: Job): void {
    if (kept.job === null) this.#loaded++;
    kept.job = job;
  }

  unload(kept: Kept): void {
    if (kept.job !== null) this.#loaded--;
    kept.job = null;
  }

  /** Its value stands there now. */
  move(kept: Kept, where: Place): void {
    this.#written += writtenOf(where) - writtenOf(kept.where);
    this.#octets += where.length - kept.where.length;
    kept.where = where;
  }

  /** Anew to its place among those that wait. */
  sort(kept: Kept): void {
    this.#due.put(kept);
  }

  /** Nobody takes it before it is sorted in again. */
  withdraw(kept: Kept): void {
    this.#due.remove(kept);
  }

  /** It is over, or was set aside. */
  remove(kept: Kept): void {
    this.#due.remove(kept);
    this.#jobs.delete(kept.id);
    this.unload(kept);
    this.#written -= writtenOf(kept.where);
    this.#octets -= kept.where.length;
    this.spare(kept.message);
  }

  /** One more needs a message; `spare` is its end. The file that it has is its own, or that of the message whose content it has, too. */
  need(id: MessageId, file: MessageFile): KeptMessage {
    let message = this.#messages.get(id);
    if (message === undefined) {
      message = { id, file, jobs: 0 };
      file.messages++;
      this.#messages.set(id, message);
    }
    message.jobs++;
    return message;
  }

  spare(message: KeptMessage): void {
    if (--message.jobs > 0) return;
    this.#messages.delete(message.id);
    if (--message.file.messages === 0) this.#unused(message.file);
  }
}

function writtenOf({ file, length }: Place): number {
  return file === 0 ? 0 : length;
}

export function briefOf({ id, message, held, due }: Job): JobBrief {
  return { id, message: message.id, due: held === true ? Number.POSITIVE_INFINITY : due };
}
