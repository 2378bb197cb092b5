import type { JobId, Lease } from '@ehlo/delivery';

/** Ours: looks in a row that find a job waiting before it may be put off: fewer where so many of its domain have waited for longer. */
const LOOKS = 6;
const LOOKS_OF_CROWD = 2;
const CROWD = 20;

/** Jobs that are held and wait: for a session, or for an answer. A host that is slow keeps as many of them waiting as there are places. */
export class Crowd {
  #looks: ReadonlyMap<JobId, number> = new Map();

  /**
   * A look at all that wait now, in the order in which they were taken: which have waited for long, those first before which the most of their domain
   * wait.
   */
  look(waiting: Iterable<Lease>): readonly Lease[] {
    const looks = new Map<JobId, number>();
    const domains = new Map<string, number>();
    const long: { readonly lease: Lease; readonly before: number }[] = [];
    for (const lease of waiting) {
      const { id, domain } = lease.job;
      const before = domains.get(domain) ?? 0;
      domains.set(domain, before + 1);
      const count = (this.#looks.get(id) ?? 0) + 1;
      looks.set(id, count);
      if (count >= (before < CROWD ? LOOKS : LOOKS_OF_CROWD)) long.push({ lease, before });
    }
    this.#looks = looks;
    return long.sort((a, b) => b.before - a.before).map(({ lease }) => lease);
  }
}
