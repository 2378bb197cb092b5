import type { Dfa } from './dfa.ts';
import { minimise } from './minimise.ts';

/** The state from which no word is accepted; a Dfa does not number it. */
export const DEAD = -1;

/** The state after one more octet, or DEAD. */
export function step(dfa: Dfa, state: number, byte: number): number {
  return dfa.next[state * dfa.classes + (dfa.classOf[byte] as number)] as number;
}

/** A non-deterministic automaton under construction (Thompson's: one way in, one way out per expression). */
export class Nfa {
  readonly #epsilon: number[][] = [];
  readonly #edges: Edge[][] = [];

  state(): number {
    this.#edges.push([]);
    return this.#epsilon.push([]) - 1;
  }

  epsilon(from: number, to: number): void {
    (this.#epsilon[from] as number[]).push(to);
  }

  /** An edge for the octets low to high, both included. */
  range(from: number, low: number, high: number, to: number): void {
    (this.#edges[from] as Edge[]).push({ low, high, to });
  }

  /** A copy of a finished automaton between two states. */
  embed(from: number, dfa: Dfa, to: number): void {
    const base = this.#edges.length;
    for (let state = 0; state < dfa.states; state++) this.state();
    this.epsilon(from, base);
    for (let state = 0; state < dfa.states; state++) {
      if (dfa.accepting[state] === 1) this.epsilon(base + state, to);
      for (let low = 0, high = 0; low < 256; low = high) {
        const target = step(dfa, state, low);
        for (high = low + 1; high < 256 && step(dfa, state, high) === target; ) high++;
        if (target !== DEAD) this.range(base + state, low, high - 1, base + target);
      }
    }
  }

  /** Subset construction, then minimisation. */
  determinise(start: number, end: number): Dfa {
    const { classOf, classes } = this.#classes();
    const subsets = new Subsets();
    const next: number[] = [];
    subsets.number(this.#closure([start]));
    for (let subset = 0; subset < subsets.members.length; subset++) {
      const targets: number[][] = Array.from({ length: classes }, () => []);
      for (const state of subsets.members[subset] as readonly number[]) {
        for (const { low, high, to } of this.#edges[state] as Edge[]) {
          for (let c = classOf[low] as number; c <= (classOf[high] as number); c++) (targets[c] as number[]).push(to);
        }
      }
      for (const target of targets) next.push(target.length === 0 ? DEAD : subsets.number(this.#closure(target)));
    }
    const accepting = Uint8Array.from(subsets.members, (members) => (members.includes(end) ? 1 : 0));
    return minimise({ states: accepting.length, classes, classOf, next: Int32Array.from(next), accepting });
  }

  /** Octets fall into one class when no edge begins or ends between them. */
  #classes(): { classOf: Uint8Array; classes: number } {
    const begins = new Uint8Array(257);
    for (const edges of this.#edges) {
      for (const { low, high } of edges) {
        begins[low] = 1;
        begins[high + 1] = 1;
      }
    }
    const classOf = new Uint8Array(256);
    for (let byte = 1; byte < 256; byte++) classOf[byte] = (classOf[byte - 1] as number) + (begins[byte] as number);
    return { classOf, classes: (classOf[255] as number) + 1 };
  }

  #closure(states: readonly number[]): number[] {
    const closed = new Set<number>(states);
    for (const state of closed) for (const to of this.#epsilon[state] as number[]) closed.add(to);
    return [...closed].sort((a, b) => a - b);
  }
}

interface Edge {
  readonly low: number;
  readonly high: number;
  readonly to: number;
}

/** Numbers sets of states in the order they are met. */
class Subsets {
  readonly members: (readonly number[])[] = [];
  readonly #numbers = new Map<string, number>();

  number(states: readonly number[]): number {
    const key = states.join(',');
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.members.length);
    return this.members.push(states) - 1;
  }
}
