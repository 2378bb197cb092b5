/**
 * The sessions of a server that have had their share of a turn of the loop, and go on one after the other, one in each turn: between two
 * of them the loop reads, writes and accepts. Node accepts one connection a turn, so it is the turn that has to be short, not the share.
 * A timer would not do where there is another way: Node carries out those that are due before it looks at anything else.
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
