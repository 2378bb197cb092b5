// What the socket says, as JSON: the README has the forms.

import type { Job, JobCounts, JobId, Step } from '@ehlo/delivery';
import type { JobState } from './selection.ts';

/** A line of `GET /v1/jobs`. */
export interface ShownJob {
  readonly state: JobState;
  readonly job: Job;
}

/** A step, and what it says in words. */
export interface ShownStep extends Step {
  readonly text: string;
}

/** A line of `GET /v1/why`. */
export interface JobSteps extends ShownJob {
  /** For each recipient in order, oldest step first. */
  readonly steps: readonly (readonly ShownStep[])[];
}

/**
 * What became of a wish. `done`: it is in the queue. `told`: this relay has the job, and does it when what is under way is over. `leased`: another
 * relay has it, or this one that stops; nothing was done. `gone`: there is no such job any more.
 */
export type WishResult = 'done' | 'told' | 'leased' | 'gone';

/** A line of the answer to a wish. */
export interface WishTold {
  readonly id: JobId;
  readonly result: WishResult;
}

/** The answer to `GET /v1/status`. */
export interface ControlStatus {
  /** The version of this protocol. */
  readonly version: 1;
  readonly hostname: string;
  /** `stopping`: it drains; nothing new begins. */
  readonly state: 'new' | 'running' | 'stopping' | 'stopped';
  /** When it was started, and the time now. */
  readonly started: number;
  readonly now: number;
  /** Jobs that it has, and orders that are under way. */
  readonly leased: number;
  readonly open: number;
  /** Of the whole queue, as of at most `age` milliseconds ago; null: it could not be counted. */
  readonly queue: (JobCounts & { readonly age: number }) | null;
}
