import { DEAD, step } from './automaton.ts';
import { type Contract, showsFailure, simulateFrom } from './contract.ts';
import type { Dfa } from './dfa.ts';
import { acceptWords, append, representatives } from './operations.ts';

/**
 * Suffixes that tell states apart by what a recogniser returns (the identification sets of Chow's W-method, per state).
 *
 * A recogniser that was left in the wrong state is caught by a suffix on which the right and the wrong state answer differently.
 */
export interface Distinguisher {
  /** For each state, suffixes that together tell it from every other state. */
  readonly identify: readonly (readonly Uint8Array[])[];
  /** Few suffixes of which every state that goes on accepts at least one: they show a state where there should be none. */
  readonly cover: readonly Uint8Array[];
}

export function distinguisher(dfa: Dfa, contract: Contract): Distinguisher {
  const accept = acceptWords(dfa);
  return {
    identify: new SplittingTree(dfa, contract, accept).suffixes(),
    cover: contract === 'greedy' ? [] : coverOf(dfa, accept),
  };
}

interface Split {
  readonly parent: Split | null;
  readonly depth: number;
  readonly members: readonly number[];
  suffix: Uint8Array | null;
}

/** Inner nodes carry a suffix that splits their states by outcome; leaves end as single states. */
class SplittingTree {
  readonly #dfa: Dfa;
  readonly #contract: Contract;
  readonly #showsFailure: boolean;
  readonly #accept: readonly (Uint8Array | null)[];
  readonly #bytes: readonly number[];
  readonly #leafOf: Split[];

  constructor(dfa: Dfa, contract: Contract, accept: readonly (Uint8Array | null)[]) {
    this.#dfa = dfa;
    this.#contract = contract;
    this.#showsFailure = showsFailure(dfa, contract);
    this.#accept = accept;
    this.#bytes = representatives(dfa);
    const members = Array.from({ length: dfa.states }, (_, state) => state);
    const root: Split = { parent: null, depth: 0, members, suffix: null };
    this.#leafOf = members.map(() => root);
    let open = this.#split(root, new Uint8Array(0)) ?? [root];
    for (let progress = true; progress; ) {
      progress = false;
      // A leaf that no suffix splits yet waits until the states it leads to are split.
      open = open.flatMap((leaf) => {
        if (leaf.members.length === 1) return [];
        const parts = this.#splitOnce(leaf);
        progress ||= parts !== null;
        return parts ?? [leaf];
      });
    }
  }

  suffixes(): Uint8Array[][] {
    return this.#leafOf.map((leaf) => {
      const path: Uint8Array[] = [];
      for (let node: Split | null = leaf; node !== null; node = node.parent) if (node.suffix !== null) path.push(node.suffix);
      return path;
    });
  }

  /** Of the suffixes octet + (what tells two successors apart), the one that makes most parts. */
  #splitOnce(leaf: Split): Split[] | null {
    let best: { suffix: Uint8Array; parts: number } | null = null;
    for (const byte of this.#bytes) {
      const tail = this.#tail(leaf.members.map((state) => step(this.#dfa, state, byte)));
      if (tail === null) continue;
      const suffix = append(Uint8Array.of(byte), ...tail);
      const parts = new Set(leaf.members.map((state) => this.#outcome(state, suffix))).size;
      if (parts > (best?.parts ?? 1)) best = { suffix, parts };
    }
    return best === null ? null : this.#split(leaf, best.suffix);
  }

  #tail(targets: readonly number[]): Uint8Array | null {
    const first = targets[0] as number;
    for (const other of targets) {
      if (other === first) continue;
      if (other === DEAD || first === DEAD) return this.#accept[other === DEAD ? first : other] as Uint8Array;
      let a = this.#leafOf[first] as Split;
      let b = this.#leafOf[other] as Split;
      if (a === b) continue;
      while (a !== b) {
        if (a.depth >= b.depth) a = a.parent as Split;
        else b = b.parent as Split;
      }
      return a.suffix as Uint8Array;
    }
    return null;
  }

  #split(node: Split, suffix: Uint8Array): Split[] | null {
    const parts = new Map<number, number[]>();
    for (const state of node.members) {
      const outcome = this.#outcome(state, suffix);
      const part = parts.get(outcome);
      if (part === undefined) parts.set(outcome, [state]);
      else part.push(state);
    }
    if (parts.size < 2) return null;
    node.suffix = suffix;
    return [...parts.values()].map((members) => {
      const leaf: Split = { parent: node, depth: node.depth + 1, members, suffix: null };
      for (const state of members) this.#leafOf[state] = leaf;
      return leaf;
    });
  }

  #outcome(state: number, suffix: Uint8Array): number {
    const outcome = simulateFrom(this.#dfa, state, this.#contract, suffix, 0, suffix.length);
    return outcome >= 0 || this.#showsFailure ? outcome : -1;
  }
}

/** Greedy set cover by shortest words that are not empty. */
function coverOf(dfa: Dfa, accept: readonly (Uint8Array | null)[]): Uint8Array[] {
  const candidates = new Map<string, Uint8Array>();
  for (let state = 0; state < dfa.states; state++) {
    for (const byte of representatives(dfa)) {
      const target = step(dfa, state, byte);
      if (target === DEAD) continue;
      const word = append(Uint8Array.of(byte), ...(accept[target] as Uint8Array));
      candidates.set(word.join(','), word);
    }
  }
  const reach = [...candidates.values()].map((word) => ({
    word,
    states: Array.from({ length: dfa.states }, (_, state) => state).filter(
      (state) => simulateFrom(dfa, state, 'whole', word, 0, word.length) >= 0,
    ),
  }));
  const uncovered = new Set<number>(reach.flatMap(({ states }) => states));
  const cover: Uint8Array[] = [];
  while (uncovered.size > 0) {
    const gain = reach.map(({ states }) => states.reduce((sum, state) => sum + (uncovered.has(state) ? 1 : 0), 0));
    const { word, states } = reach[gain.indexOf(Math.max(...gain))] as (typeof reach)[number];
    cover.push(word);
    for (const state of states) uncovered.delete(state);
  }
  return cover;
}
