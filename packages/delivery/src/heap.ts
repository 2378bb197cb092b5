/** What has a place in a heap. */
export interface Entry {
  /** Its place; -1: it is in none. Kept by the heap. */
  place: number;
}

/**
 * A binary heap whose entries know their places, so that one is taken out of the middle, too. Putting in and taking out cost O(log n);
 * `steps` counts the comparisons.
 */
export class Heap<T extends Entry> {
  readonly #before: (a: T, b: T) => boolean;
  readonly #list: T[] = [];
  #steps = 0;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#list.length;
  }

  get steps(): number {
    return this.#steps;
  }

  get first(): T | undefined {
    return this.#list[0];
  }

  /** Puts an entry in, or to its place anew where it has changed. */
  put(entry: T): void {
    if (entry.place < 0) {
      entry.place = this.#list.length;
      this.#list.push(entry);
    }
    this.#settle(entry);
  }

  remove(entry: T): void {
    const { place } = entry;
    if (place < 0) return;
    entry.place = -1;
    const last = this.#list.pop()!;
    if (last === entry) return;
    this.#set(last, place);
    this.#settle(last);
  }

  shift(): T | undefined {
    const first = this.#list[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** In no order. */
  [Symbol.iterator](): Iterator<T> {
    return this.#list[Symbol.iterator]();
  }

  #settle(entry: T): void {
    this.#rise(entry);
    this.#sink(entry);
  }

  #rise(entry: T): void {
    while (entry.place > 0) {
      const parent = this.#list[(entry.place - 1) >> 1]!;
      if (!this.#less(entry, parent)) return;
      this.#swap(entry, parent);
    }
  }

  #sink(entry: T): void {
    for (;;) {
      const left = this.#list[2 * entry.place + 1];
      const right = this.#list[2 * entry.place + 2];
      if (left === undefined) return;
      const child = right !== undefined && this.#less(right, left) ? right : left;
      if (!this.#less(child, entry)) return;
      this.#swap(child, entry);
    }
  }

  #less(a: T, b: T): boolean {
    this.#steps++;
    return this.#before(a, b);
  }

  #swap(a: T, b: T): void {
    const { place } = a;
    this.#set(a, b.place);
    this.#set(b, place);
  }

  #set(entry: T, place: number): void {
    entry.place = place;
    this.#list[place] = entry;
  }
}
