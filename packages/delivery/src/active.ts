import type { OperatorWish } from './fact.ts';
import type { Entry } from './heap.ts';
import type { EpochMs, Job, JobId, Message, Said } from './job.ts';
import type { DomainRoute } from './route.ts';
import { MOST_STEPS, type Step, type StepName } from './step.ts';

/** Where a try stands. */
export type Stage = 'routing' | 'ready' | 'sending' | 'settling';

interface Parting {
  readonly said: Said;
  readonly orElse: 'failed' | 'due';
}

/** Most tries leave no host for another. */
const NO_HOSTS: ReadonlySet<string> = new Set();
const NO_PARTING: ReadonlyMap<number, Parting> = new Map();

/** A job that is being tried. */
export class Active implements Entry {
  /** In the heap of its destination. */
  place = -1;
  stage: Stage = 'routing';
  job: Job;
  /** The number of the transaction that was begun last. */
  attempt: number;
  /** Those that have the same go in one transaction. */
  readonly envelope: string;
  /** When the job was due for this try. */
  readonly due: EpochMs;
  /** When this try began: what a recipient expires by. */
  readonly started: EpochMs;
  /** Places of the recipients that this try still owes something. */
  left: readonly number[];
  /** Hosts that this try does not go to any more. */
  skipped: ReadonlySet<string> = NO_HOSTS;
  /** What was met at the last host that was left for another. */
  parting: ReadonlyMap<number, Parting> = NO_PARTING;
  /** Another holds the lease. */
  isLost = false;
  /** The commit that is under way gives the lease back. */
  isGivenBack = false;
  /** The operator's wish, until what is under way is over. */
  wish: Exclude<OperatorWish['what'], 'release'> | null = null;
  readonly steps: Step[] = [];
  /** Where it waits. */
  queue: { remove(active: Active): void } | null = null;
  route: DomainRoute | null = null;
  /** The job is dropped, or is tried anew. */
  isOver = false;

  constructor(job: Job, started: EpochMs) {
    this.job = job;
    this.attempt = Math.max(job.attempt ?? 0, job.begun?.attempt ?? 0);
    this.due = job.due;
    this.started = started;
    this.envelope = envelopeOf(job.message);
    this.left = dueOf(job);
  }

  get id(): JobId {
    return this.job.id;
  }

  get message(): Message {
    return this.job.message;
  }

  get tries(): number {
    return this.job.tries ?? 0;
  }

  /** Whether something is out that will be answered, and has to be committed. */
  get isUnderWay(): boolean {
    return this.stage === 'sending' || this.stage === 'settling';
  }

  /** Whether a by-time of mode N has come, and somebody is due of whom that was not told. */
  owesDelay(now: EpochMs): boolean {
    const { by } = this.message;
    return by?.mode === 'N' && now >= by.until && this.left.some((index) => this.job.recipients[index]!.told !== true);
  }

  step(at: EpochMs, what: StepName, detail: Step['detail'] = {}, recipient?: number): void {
    if (this.steps.length < MOST_STEPS) this.steps.push(recipient === undefined ? { at, what, detail } : { at, what, detail, recipient });
  }
}

/** Places of the recipients of a job that are due. */
export function dueOf({ recipients }: Job): readonly number[] {
  if (recipients.length === 1 && recipients[0]!.state === 'due') return ONE;
  const due: number[] = [];
  for (let index = 0; index < recipients.length; index++) if (recipients[index]!.state === 'due') due.push(index);
  return due;
}

/** Most jobs have one recipient. */
const ONE: readonly number[] = [0];

/** What MAIL says is the same for all of a transaction: copies for a list have the content of a message, and another reverse-path. */
function envelopeOf({ id, reversePath, envid, ret, by }: Message): string {
  return `${id} ${reversePath} ${envid} ${ret} ${by?.until}`;
}
