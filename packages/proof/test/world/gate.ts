/** Whether a process lives and moves: what comes to it waits while it stands still, and is gone when it is dead. */
export class Gate {
  #state: 'open' | 'standing' | 'dead' = 'open';
  readonly #waiting: (() => void)[] = [];

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  pass(call: () => void): void {
    if (this.#state === 'open') call();
    else if (this.#state === 'standing') this.#waiting.push(call);
  }

  /** What comes of a promise, as this process sees it. */
  of<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.pass(() => resolve(value)),
        (error: unknown) => this.pass(() => reject(error)),
      );
    });
  }

  stand(): void {
    if (this.#state === 'open') this.#state = 'standing';
  }

  goOn(): void {
    if (this.#state !== 'standing') return;
    this.#state = 'open';
    for (const call of this.#waiting.splice(0)) this.pass(call);
  }

  kill(): void {
    this.#state = 'dead';
    this.#waiting.length = 0;
  }
}
