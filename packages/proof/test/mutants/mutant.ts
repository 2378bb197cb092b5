// A change of one part of a table: planted in the table that the engine reads, in place, and taken back.

/** What of a table is another. */
export type Kind = 'row' | 'guard' | 'effect' | 'reply' | 'phase' | 'question' | 'cause' | 'timer';

export interface TableMutant {
  readonly kind: Kind;
  /** The row or rule as it can be read, and what has become of it. */
  readonly name: string;
  /** The entries `phase trigger` of the table by which it may be seen; null: by any. */
  readonly at: readonly string[] | null;
  /** Plants it; what is given back takes it away. */
  plant(): () => void;
}

/** A list without its entry `at`. */
export function without<T>(list: readonly T[], at: number): T[] {
  return list.filter((_, i) => i !== at);
}

/** A list in which the entries `at` and `at + 1` have changed places. */
export function swapped<T>(list: readonly T[], at: number): T[] {
  return [...list.slice(0, at), list[at + 1]!, list[at]!, ...list.slice(at + 2)];
}
