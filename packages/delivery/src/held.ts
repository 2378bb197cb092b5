import type { Active } from './active.ts';
import type { Entry } from './heap.ts';
import type { EpochMs, Job, JobId } from './job.ts';
import { domainOfPacked, packJob, unpackJob } from './pack.ts';

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

  /** Said without a look at all of it. */
  get domain(): string {
    return typeof this.#job === 'string' ? domainOfPacked(this.#job) : this.#job.domain;
  }

  wake(): void {
    this.#job = this.job;
  }
}
