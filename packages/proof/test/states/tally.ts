/** What was changed where: how often it could be, and how often it was. */
export class Tally {
  readonly #times = new Map<string, number>();
  readonly #seen = new Map<string, number>();

  add(name: string, changes: Iterable<string>): void {
    count(this.#times, name);
    for (const change of new Set(changes)) count(this.#seen, `${name} ${change}`);
  }

  /** Those that were never changed. */
  never(name: string, changes: readonly string[]): string[] {
    return changes.filter((change) => !this.#seen.has(`${name} ${change}`));
  }

  /** Those that were changed each time. */
  always(name: string, changes: readonly string[]): string[] {
    return changes.filter((change) => this.#seen.get(`${name} ${change}`) === this.#times.get(name));
  }
}

function count(into: Map<string, number>, name: string): void {
  into.set(name, (into.get(name) ?? 0) + 1);
}
