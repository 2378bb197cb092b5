/** A value that must not reach a log: it shows only when asked for by `expose()`. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  expose(): T {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }
}

/** A password that opens nothing, whoever knows it: it stands for that of a user who does not exist. */
export class Decoy extends Secret<string> {}
