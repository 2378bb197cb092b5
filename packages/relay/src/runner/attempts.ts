import type { Means } from './means.ts';

/** Work that is under way, none of which ever rejects: what fails is told, and stands as null. */
export class Attempts {
  readonly #open = new Set<Promise<void>>();
  readonly #failed: Means['failed'];

  constructor(failed: Means['failed']) {
    this.#failed = failed;
  }

  get size(): number {
    return this.#open.size;
  }

  /** What the call comes to; null if it throws or rejects. */
  async of<T>(what: string, call: () => Promise<T> | T): Promise<T | null> {
    try {
      return await call();
    } catch (error) {
      this.#failed(error, what);
      return null;
    }
  }

  /** Counts work as open until it has ended. */
  keep(work: Promise<void>): void {
    const open = work.finally(() => this.#open.delete(open));
    this.#open.add(open);
  }

  /** Until nothing is open, what begins in the meantime included. */
  async none(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }
}
