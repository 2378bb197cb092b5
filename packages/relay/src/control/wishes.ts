// Passes an operator's action to the holder of the job.

import type { Job, JobId, OperatorWish, Queue } from '@ehlo/delivery';
import type { Runner } from '../runner/index.ts';
import type { WishResult } from './view.ts';

export type Wish = OperatorWish['what'];

export const WISHES: ReadonlySet<string> = new Set<Wish>(['retry', 'hold', 'release', 'delete', 'bounce']);

/** As much of a runner as is looked at and told. */
export type Told = Pick<Runner, 'tell' | 'poke' | 'holds' | 'why' | 'state' | 'size' | 'open'>;

/** Brings wishes to the runner, which tells its dispatcher, or to the queue. */
export class Wishes {
  readonly #queue: Queue;
  readonly #runner: Told;
  /** Of this request: hosts of a domain are forgotten once. */
  readonly #domains = new Set<string>();

  constructor(queue: Queue, runner: Told) {
    this.#queue = queue;
    this.#runner = runner;
  }

  async wish({ id, domain }: Pick<Job, 'id' | 'domain'>, what: Wish): Promise<WishResult> {
    if (this.#isTold(id, what)) return 'told';
    if (await this.#queue.operate(id, what)) {
      if (what === 'retry') this.#back(domain);
      if (what !== 'hold' && what !== 'delete') this.#runner.poke();
      return 'done';
    }
    // It was taken in between.
    if (this.#isTold(id, what)) return 'told';
    for await (const job of this.#queue.find({ job: id })) if (job.id === id) return 'leased';
    return 'gone';
  }

  /** A runner that stops gives its jobs back as they are: nothing could come of it. */
  #isTold(job: JobId, what: Wish): boolean {
    return this.#runner.state === 'running' && this.#runner.holds(job) && this.#runner.tell({ type: 'operator', job, what });
  }

  /** Whoever asks for it knows more of the hosts than their state does. */
  #back(name: string): void {
    if (this.#domains.has(name) || this.#domains.size >= MOST_DOMAINS) return;
    this.#domains.add(name);
    this.#runner.tell({ type: 'back', name });
  }
}

/** Ours: it costs a look at every job that the runner has. */
const MOST_DOMAINS = 100;
