/**
 * The sessions of a server that have used their quota. They continue one per turn of the event loop, which reads, writes and accepts between two of
 * them. Node accepts one connection per turn, so it is the turn that must be short, not the quota. A timer is used only where there is nothing
 * better: Node runs all timers that are due before it does anything else.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Calls it in a turn to come. */
  add(call: () => void): void {
    if (this.#waiting.push(call) === 1) this.#schedule();
  }

  #schedule(): void {
    inTurn(() => this.#next());
  }

  #next(): void {
    const call = this.#waiting.shift();
    if (this.#waiting.length > 0) this.#schedule();
    call?.();
  }
}

/** Resolves in the next turn of the loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => inTurn(resolve));
}

function inTurn(call: () => void): void {
  if (typeof setImmediate === 'function') setImmediate(call);
  else setTimeout(call, 0);
}
