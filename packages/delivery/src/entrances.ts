import { entryOf } from './maps.ts';
import type { DeliverySettings } from './settings.ts';

/** How many sessions there are: in all, with each host, from each source; and who waits for one to end. */
export class Entrances<T> {
  readonly #settings: DeliverySettings;
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Map<string, Set<T>>();

  constructor(settings: DeliverySettings) {
    this.#settings = settings;
  }

  /** A source from which one more session may begin; null: `who` waits until one ends. */
  take(host: string, who: T): string | null {
    const { sources } = this.#settings;
    const list = sources.length === 0 ? [''] : sources;
    const source = list.reduce((best, one) => (this.#count(`source ${one}`) < this.#count(`source ${best}`) ? one : best));
    const limits = this.#limits(host, source);
    const full = limits.find(([name, most]) => this.#count(name) >= most);
    if (full === undefined) {
      for (const [name] of limits) this.#counts.set(name, this.#count(name) + 1);
      return source;
    }
    entryOf(this.#waiting, full[0], () => new Set<T>()).add(who);
    return null;
  }

  /** One has ended: those that have waited for that may begin, while there is room for them. */
  give(host: string, source: string, begin: (who: T) => void): void {
    const { sessions } = this.#settings;
    const limits = this.#limits(host, source);
    for (const [name] of limits) {
      const count = this.#count(name) - 1;
      if (count === 0) this.#counts.delete(name);
      else this.#counts.set(name, count);
    }
    for (const [name, most] of limits) {
      // Who finds no work any more takes no room: the next one may.
      while (this.#count(name) < most && this.#count('total') < sessions.total) {
        const waiting = this.#waiting.get(name);
        const first = waiting?.values().next();
        if (waiting === undefined || first === undefined || first.done === true) break;
        waiting.delete(first.value);
        if (waiting.size === 0) this.#waiting.delete(name);
        begin(first.value);
      }
    }
  }

  #limits(host: string, source: string): readonly (readonly [name: string, most: number])[] {
    const { sessions } = this.#settings;
    return [
      ['total', sessions.total],
      [`host ${host}`, sessions.host],
      [`source ${source}`, sessions.source],
    ];
  }

  #count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }
}
