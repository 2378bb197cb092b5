import { entryOf } from './maps.ts';
import type { DeliverySettings } from './settings.ts';

/** Sessions of one kind, and the walks that wait for one of them to end. */
class Tally<T> {
  readonly most: number;
  count = 0;
  /** Null: none. */
  #waiting: Set<T> | null = null;

  constructor(most: number) {
    this.most = most;
  }

  get isFull(): boolean {
    return this.count >= this.most;
  }

  get isUnused(): boolean {
    return this.count === 0 && this.#waiting === null;
  }

  wait(who: T): void {
    this.#waiting ??= new Set();
    this.#waiting.add(who);
  }

  /** Takes out the one that has waited longest. */
  next(): T | undefined {
    if (this.#waiting === null) return undefined;
    const [first] = this.#waiting;
    this.#waiting.delete(first!);
    if (this.#waiting.size === 0) this.#waiting = null;
    return first;
  }
}

/** The room that a session takes. */
export interface Entrance<T> {
  readonly host: string;
  readonly source: string;
  readonly tallies: readonly [total: Tally<T>, host: Tally<T>, source: Tally<T>];
}

/** How many sessions there are: in all, with each host, from each source; and what waits for one to end. */
export class Entrances<T> {
  readonly #settings: DeliverySettings;
  readonly #total: Tally<T>;
  readonly #hosts = new Map<string, Tally<T>>();
  readonly #sources = new Map<string, Tally<T>>();

  constructor(settings: DeliverySettings) {
    this.#settings = settings;
    this.#total = new Tally(settings.sessions.total);
  }

  /** Room for one more session, and the source from which it may begin; null: `who` waits until one ends. */
  take(host: string, who: T): Entrance<T> | null {
    const { sessions, sources } = this.#settings;
    const source =
      sources.length < 2 ? (sources[0] ?? '') : sources.reduce((best, one) => (this.#countOf(one) < this.#countOf(best) ? one : best));
    const tallies: Entrance<T>['tallies'] = [
      this.#total,
      entryOf(this.#hosts, host, () => new Tally<T>(sessions.host)),
      entryOf(this.#sources, source, () => new Tally<T>(sessions.source)),
    ];
    const full = tallies.find(({ isFull }) => isFull);
    if (full !== undefined) {
      full.wait(who);
      this.#forget(host, tallies[1]);
      return null;
    }
    for (const tally of tallies) tally.count++;
    return { host, source, tallies };
  }

  /** One has ended: those that have waited for that may begin, while there is room for them. */
  give({ host, tallies }: Entrance<T>, begin: (who: T) => void): void {
    for (const tally of tallies) tally.count--;
    for (const tally of tallies) {
      // One that has no work any more takes no room: the next one may begin. One that meets another limit waits for that.
      while (!tally.isFull) {
        const next = tally.next();
        if (next === undefined) break;
        begin(next);
      }
    }
    this.#forget(host, tallies[1]);
  }

  /** A host without sessions is not kept. */
  #forget(host: string, tally: Tally<T>): void {
    if (tally.isUnused && this.#hosts.get(host) === tally) this.#hosts.delete(host);
  }

  #countOf(source: string): number {
    return this.#sources.get(source)?.count ?? 0;
  }
}
