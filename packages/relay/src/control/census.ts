// How many jobs there are, without a look at all of them each time.

import type { JobCounts, JobId, Queue } from '@ehlo/delivery';

/** Counts a queue, at most once in a while, however often it is asked. */
export class Census {
  readonly #queue: Queue;
  readonly #holds: (job: JobId) => boolean;
  readonly #now: () => number;
  readonly #pause: number;
  #last: { readonly at: number; readonly counts: Promise<JobCounts> } | null = null;

  /** `pause`: milliseconds for which a count stands. */
  constructor(queue: Queue, holds: (job: JobId) => boolean, now: () => number, pause: number) {
    this.#queue = queue;
    this.#holds = holds;
    this.#now = now;
    this.#pause = pause;
  }

  /** The counts, and milliseconds since they were begun. Rejects with what the queue says; the next to ask tries again. */
  async counts(): Promise<JobCounts & { readonly age: number }> {
    const now = this.#now();
    if (this.#last === null || now - this.#last.at >= this.#pause || now < this.#last.at) {
      const counts = this.#count(now);
      const last = { at: now, counts };
      this.#last = last;
      counts.catch(() => {
        if (this.#last === last) this.#last = null;
      });
    }
    const { at, counts } = this.#last;
    return { ...(await counts), age: this.#now() - at };
  }

  /** What other relays have can't be told from what is due, where the queue does not say it. */
  async #count(now: number): Promise<JobCounts> {
    if (this.#queue.count !== undefined) return await this.#queue.count();
    const counts = { leased: 0, due: 0, waiting: 0, held: 0 };
    let oldest: number | null = null;
    for await (const { id, held, due } of this.#queue.find({})) {
      const state = this.#holds(id) ? 'leased' : held === true ? 'held' : due > now ? 'waiting' : 'due';
      counts[state]++;
      if (state === 'due') oldest = Math.min(oldest ?? due, due);
    }
    return { ...counts, oldest };
  }
}
