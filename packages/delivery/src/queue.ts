// What keeps jobs: types alone. One test suite tells whether an implementation does.

import type { BegunAttempt, EpochMs, Job, JobChange, JobId, MessageId } from './job.ts';

/** A job that one relay holds, until a time by the queue's clock. */
export interface Lease {
  readonly job: Job;
  /** Grows with every lease of the job: what an older one wants written is refused. */
  readonly fence: number;
  readonly until: EpochMs;
  /** By an operator, of a job that nobody held: its sender is told that it failed (`operator` fact). */
  readonly wish?: 'bounce';
}

/** Which jobs to look for. What is absent does not matter. */
export interface JobQuery {
  readonly job?: JobId;
  readonly message?: MessageId;
  readonly domain?: string;
  readonly held?: boolean;
  readonly dueBefore?: EpochMs;
}

/** How many jobs there are, each counted once. */
export interface JobCounts {
  /** A relay has them. */
  readonly leased: number;
  /** To be taken now. */
  readonly due: number;
  /** Due later. */
  readonly waiting: number;
  readonly held: number;
  /** Since when the first of `due` is due; null: there is none. */
  readonly oldest: EpochMs | null;
}

export interface Queue {
  /** Takes a message in. Resolved: it is durable, and may be acknowledged (RFC 5321 6.1). Jobs that are there already are left as they are. */
  put(jobs: readonly Job[], content: AsyncIterable<Uint8Array>): Promise<MessageId>;
  /** Jobs that are due and that nobody holds, those that are due first. A holder that died has left `begun` in its job. */
  take(most: number): Promise<readonly Lease[]>;
  /** Those that are still held. */
  renew(leases: readonly Lease[]): Promise<ReadonlySet<JobId>>;
  /** Durable when resolved; false: the lease is another's, or one of the recipients is final: whoever held the job before has told so. */
  begin(lease: Lease, attempt: BegunAttempt): Promise<boolean>;
  /**
   * One commit: `applyChange`, and what the change puts (`putOf`), with the octets of each notice. Acceptances are written always, with the notices of
   * nothing else, the rest by the fence; false: it was another's. A second commit of the same change (`isSettled`) puts nothing.
   */
  settle(lease: Lease, change: JobChange, notices: ReadonlyMap<JobId, readonly Uint8Array[]>): Promise<boolean>;
  /** Gives jobs back as they are, with their wishes: others may take them at once. */
  release(leases: readonly Lease[]): Promise<void>;
  content(id: MessageId): AsyncIterable<Uint8Array>;
  find(query: JobQuery): AsyncIterable<Job>;
  /** Without it, whoever wants to know has to look at each job. */
  count?(): Promise<JobCounts>;
  /** An operator's wish for a job that nobody holds; false: there is none, or a relay holds it, which is told by an `operator` fact. */
  operate(id: JobId, what: 'hold' | 'release' | 'retry' | 'delete' | 'bounce'): Promise<boolean>;
}
