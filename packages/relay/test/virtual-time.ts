import type { Schedule } from '../src/runner/index.ts';

/** Time that passes when everything that can be done now is done. */
export class VirtualTime implements Schedule {
  #now = 0;
  #calls: { at: number; call: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  at(time: number, call: () => void): () => void {
    const one = { at: time, call };
    this.#calls.push(one);
    return () => {
      this.#calls = this.#calls.filter((other) => other !== one);
    };
  }

  in(pause: number, call: () => void): () => void {
    return this.at(this.#now + pause, call);
  }

  async runUntil(end: number): Promise<void> {
    for (;;) {
      await idle();
      const next = [...this.#calls].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#calls = this.#calls.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = end;
  }
}

/** All promises that can settle have. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
