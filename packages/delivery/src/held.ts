import type { Active } from './active.ts';
import type { Entry } from './heap.ts';
import type { EpochMs, Job, JobId } from './job.ts';
import { packJob, unpackJob } from './pack.ts';

/** A job that the machine holds: few octets, as there may be a million. */
export class Held implements Entry {
  place = -1;
  at: EpochMs;
  #active: Active | null = null;
  /** Packed while nothing is done with it. */
  #job: Job | string;

  constructor(job: Job) {
    this.#job = job;
    this.at = job.due;
  }

  get job(): Job {
    return typeof this.#job === 'string' ? unpackJob(this.#job) : this.#job;
  }

  set job(job: Job) {
    this.#job = job;
  }

  /** The try that is under way; one that gives way to another is over. */
  get active(): Active | null {
    return this.#active;
  }

  set active(active: Active | null) {
    if (this.#active !== null) this.#active.isOver = true;
    this.#active = active;
  }

  get id(): JobId {
    return this.job.id;
  }

  /** Nothing is done with it until it rings. */
  sleep(until: EpochMs): void {
    this.active = null;
    this.at = until;
    if (typeof this.#job !== 'string') this.#job = packJob(this.#job);
  }

  /** Whether it may be for one of these domains: said without a look at all of it. */
  mayBeFor(domains: readonly string[]): boolean {
    const job = this.#job;
    return domains.some((one) => (typeof job === 'string' ? job.includes(`"${one}"`) : job.domain === one));
  }

  wake(): void {
    this.#job = this.job;
  }
}
