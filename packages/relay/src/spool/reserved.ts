/** Names in use: a caller that needs one of them waits for it. */
export class Reserved {
  readonly #names = new Map<string, Promise<unknown>>();

  /** All names are taken in the same moment, so that no two can wait for each other. */
  async while<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    for (let other = this.#taken(names); other !== undefined; other = this.#taken(names)) await other.catch(() => {});
    const working = work();
    for (const name of names) this.#names.set(name, working);
    try {
      return await working;
    } finally {
      for (const name of names) this.#names.delete(name);
    }
  }

  #taken(names: readonly string[]): Promise<unknown> | undefined {
    for (const name of names) {
      const other = this.#names.get(name);
      if (other !== undefined) return other;
    }
    return undefined;
  }
}
