// A queue as a table, which answers at once: leases with fences, marks, and one commit for what a change says.
import {
  applyChange,
  type BegunAttempt,
  isAcceptance,
  isOver,
  isSettled,
  type Job,
  type JobChange,
  type JobId,
  type OrderId,
  putOf,
} from '@ehlo/delivery';
import type { MassLedger } from './mass-ledger.ts';

class Row {
  job: Job;
  /** The number of its first recipient. */
  readonly first: number;
  fence = 0;
  /** What its holder has written down, and not settled. */
  begun: BegunAttempt | null = null;
  /** Null: nobody has it. */
  holder: object | null = null;
  isOver = false;

  constructor(job: Job, first: number) {
    this.job = job;
    this.first = first;
  }
}

/** Of which job it is, and which of its leases. */
export interface MassLease {
  readonly row: Row;
  readonly fence: number;
  /** The order by which its holder has written an attempt down last; 0: none. */
  begun: OrderId;
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
    const job = row.begun === null ? row.job : { ...row.job, begun: row.begun };
    return { job, lease: { row, fence: row.fence, begun: 0 } };
  }

  holds(holder: object, { row, fence }: MassLease): boolean {
    return row.holder === holder && row.fence === fence;
  }

  /** A lease is over: it was not renewed. */
  free({ row, fence }: MassLease, now: number): void {
    if (row.fence !== fence || row.holder === null) return;
    row.holder = null;
    this.#ready(row.job.id, Math.max(now, row.job.due));
  }

  begin(holder: object, lease: MassLease, attempt: BegunAttempt): boolean {
    if (!this.holds(holder, lease)) return false;
    const { row } = lease;
    if (attempt.recipients.some((index) => row.job.recipients[index]!.state !== 'due')) return false;
    row.begun = attempt;
    for (const index of attempt.recipients) this.#ledger.marked(row.first + index, attempt.at);
    return true;
  }

  settle(change: JobChange, holder: object, lease: MassLease, now: number): boolean {
    const { row } = lease;
    // It is over: all that could be said of it has been.
    if (row.isOver) return true;
    const isOurs = this.holds(holder, lease);
    const before = row.job;
    const isNew = row.begun !== null || !isSettled(before, change);
    row.job = applyChange(before, change, { acceptances: !isOurs });
    if (row.job !== before) {
      if (isOurs) row.begun = null;
      for (const one of change.recipients) {
        if (before.recipients[one.index]!.state === 'due' && (isOurs || isAcceptance(one)) && isNew)
          this.#ledger.settled(row.first + one.index, one, now);
      }
    }
    const put = isOurs && isNew ? change.put : putOf(before, change, { acceptances: true });
    for (const { job, content } of put) this.#put(job, content, row, now);
    if (isOver(row.job)) this.#end(row);
    else if (isOurs && change.release) {
      row.holder = null;
      this.#ready(change.job, row.job.due);
    }
    return isOurs;
  }

  #end(row: Row): void {
    row.isOver = true;
    row.holder = null;
    this.#rows.delete(row.job.id);
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
