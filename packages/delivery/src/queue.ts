// What keeps jobs: types alone. One test suite tells whether an implementation does.

import type { BegunAttempt, EpochMs, Job, JobChange, JobId, MessageId } from './job.ts';

/** A job that one relay holds, until a time by the queue's clock. */
export interface Lease {
  readonly job: Job;
  /** Grows with every lease of the job: what an older one wants written is refused. */
  readonly fence: number;
  readonly until: EpochMs;
  /** By an operator, for a job without a lease: its sender is told that it failed (`operator` fact). */
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
  /** Due jobs without a lease, the earliest first. The job of a holder that died still has its `begun`. */
  take(most: number): Promise<readonly Lease[]>;
  /** Those that are still held. */
  renew(leases: readonly Lease[]): Promise<ReadonlySet<JobId>>;
  /** Durable when resolved; false: another holder has the lease, or a recipient is already final by a commit of the previous holder. */
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
  /** If absent, programs have to look at each job. */
  count?(): Promise<JobCounts>;
  /** An operator's action on a job without a lease; false: no such job, or a relay holds it: then give the relay an `operator` fact. */
  operate(id: JobId, what: 'hold' | 'release' | 'retry' | 'delete' | 'bounce'): Promise<boolean>;
}
