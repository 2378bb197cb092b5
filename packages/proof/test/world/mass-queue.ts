// A queue as a table, which answers at once: leases with fences, marks, and one commit for what a change says.
import { applyChange, type BegunAttempt, isAcceptance, isOver, isSettled, type Job, type JobChange, type JobId } from '@ehlo/delivery';
import type { MassLedger } from './mass-ledger.ts';

/** Who has a job, and which lease it is. */
export interface MassLease {
  readonly fence: number;
  /** The number of its first recipient. */
  readonly first: number;
}

class Row {
  job: Job;
  readonly first: number;
  fence = 0;
  /** Null: nobody has it. */
  holder: object | null = null;

  constructor(job: Job, first: number) {
    this.job = job;
    this.first = first;
  }
}

export class MassQueue {
  readonly #rows = new Map<JobId, Row>();
  readonly #held: Row[] = [];
  readonly #ledger: MassLedger;
  /** Calls when a job may be taken. */
  readonly #ready: (id: JobId, at: number) => void;

  constructor(ledger: MassLedger, ready: (id: JobId, at: number) => void) {
    this.#ledger = ledger;
    this.#ready = ready;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Jobs that an operator holds. */
  get held(): number {
    return this.#held.length;
  }

  put(job: Job): void {
    const row = new Row(job, this.#ledger.born(job));
    this.#rows.set(job.id, row);
    if (job.held === true) this.#held.push(row);
    else this.#ready(job.id, job.due);
  }

  /** An operator lets go of all. */
  releaseHeld(now: number): void {
    for (const row of this.#held.splice(0)) {
      const { held: _, ...job } = row.job;
      row.job = job;
      this.#ready(job.id, now);
    }
  }

  /** Null: it is gone, another has it, or it is due later. */
  take(id: JobId, holder: object, now: number): { readonly job: Job; readonly lease: MassLease } | null {
    const row = this.#rows.get(id);
    if (row === undefined || row.holder !== null || row.job.due > now) return null;
    row.holder = holder;
    row.fence++;
    return { job: row.job, lease: { fence: row.fence, first: row.first } };
  }

  holds(id: JobId, holder: object, { fence }: MassLease): boolean {
    const row = this.#rows.get(id);
    return row !== undefined && row.holder === holder && row.fence === fence;
  }

  /** A lease is over: it was not renewed. */
  free(id: JobId, { fence }: MassLease, now: number): void {
    const row = this.#rows.get(id);
    if (row === undefined || row.fence !== fence || row.holder === null) return;
    row.holder = null;
    this.#ready(id, Math.max(now, row.job.due));
  }

  begin(id: JobId, holder: object, lease: MassLease, attempt: BegunAttempt): boolean {
    if (!this.holds(id, holder, lease)) return false;
    const row = this.#rows.get(id)!;
    if (attempt.recipients.some((index) => row.job.recipients[index]!.state !== 'due')) return false;
    row.job = { ...row.job, begun: attempt };
    for (const index of attempt.recipients) this.#ledger.marked(row.first + index, attempt.at);
    return true;
  }

  settle(change: JobChange, holder: object, lease: MassLease, now: number): boolean {
    const row = this.#rows.get(change.job);
    // It is over: all that could be said of it has been.
    if (row === undefined) return true;
    const isOurs = this.holds(change.job, holder, lease);
    const before = row.job;
    const isNew = !isSettled(before, change);
    row.job = applyChange(before, change, { acceptances: !isOurs });
    if (row.job !== before) {
      for (const one of change.recipients) {
        if (before.recipients[one.index]!.state === 'due' && (isOurs || isAcceptance(one)) && isNew)
          this.#ledger.settled(row.first + one.index, one, now);
      }
    }
    if (isOurs && isNew) for (const { job, content } of change.put) this.#put(job, content, row, now);
    if (isOver(row.job)) this.#rows.delete(change.job);
    else if (isOurs && change.release) {
      row.holder = null;
      this.#ready(change.job, row.job.due);
    }
    return isOurs;
  }

  #put(job: Job, content: JobChange['put'][number]['content'], row: Row, now: number): void {
    if (this.#rows.has(job.id)) return;
    this.put(job);
    if (content === 'same') return;
    for (const { address, action } of content.recipients) {
      const index = row.job.recipients.findIndex((one) => one.address === address);
      if (action === 'failed') this.#ledger.noticed(row.first + index, now);
    }
  }
}
