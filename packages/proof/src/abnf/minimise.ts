import type { Dfa } from './dfa.ts';

/**
 * The smallest automaton of the same language in its one canonical numbering: states in breadth-first order by octet, classes in the
 * order of their first octet, nothing unreachable or dead.
 */
export function minimise(dfa: Dfa): Dfa {
  const blockOf = equivalence(dfa);
  const sink = blockOf[dfa.states] as number;
  const { order, numberOf } = breadthFirst(dfa, blockOf, sink);
  const columns = Array.from({ length: dfa.classes }, (_, column) =>
    order.map((state) => {
      const target = dfa.next[state * dfa.classes + column] as number;
      return target < 0 ? -1 : (numberOf[blockOf[target] as number] as number);
    }),
  );
  const { classOf, kept } = mergeClasses(dfa.classOf, columns);
  const next = new Int32Array(order.length * kept.length);
  kept.forEach((column, c) => {
    column.forEach((target, state) => {
      next[state * kept.length + c] = target;
    });
  });
  const accepting = Uint8Array.from(order, (state) => dfa.accepting[state] as number);
  return { states: order.length, classes: kept.length, classOf, next, accepting };
}

/** One state of each block reachable from the start, the start first; `numberOf` is a block's number, -1 for the dead one. */
function breadthFirst(dfa: Dfa, blockOf: Int32Array, sink: number): { order: number[]; numberOf: Int32Array } {
  const numberOf = new Int32Array(dfa.states + 1).fill(-1);
  const order = [0];
  if (blockOf[0] !== sink) numberOf[blockOf[0] as number] = 0;
  const firstBytes = firstOctets(dfa.classOf);
  for (const state of order) {
    for (const byte of firstBytes) {
      const target = dfa.next[state * dfa.classes + (dfa.classOf[byte] as number)] as number;
      if (target < 0) continue;
      const block = blockOf[target] as number;
      if (block === sink || numberOf[block] !== -1) continue;
      numberOf[block] = order.push(target) - 1;
    }
  }
  return { order, numberOf };
}

/** Classes whose columns are equal become one; the classes kept are numbered by their first octet. */
function mergeClasses(classOf: Uint8Array, columns: readonly number[][]): { classOf: Uint8Array; kept: number[][] } {
  const keys = columns.map((column) => column.join(','));
  const numbers = new Map<string, number>();
  const kept: number[][] = [];
  const merged = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const column = classOf[byte] as number;
    const key = keys[column] as string;
    let number = numbers.get(key);
    if (number === undefined) {
      number = kept.push(columns[column] as number[]) - 1;
      numbers.set(key, number);
    }
    merged[byte] = number;
  }
  return { classOf: merged, kept };
}

function firstOctets(classOf: Uint8Array): number[] {
  const seen = new Set<number>();
  const first: number[] = [];
  for (let byte = 0; byte < 256; byte++) {
    const number = classOf[byte] as number;
    if (seen.has(number)) continue;
    seen.add(number);
    first.push(byte);
  }
  return first;
}

/** Hopcroft's partition refinement. The result has one entry more than there are states: the last is the dead state's block. */
function equivalence(dfa: Dfa): Int32Array {
  const { classes } = dfa;
  const states = dfa.states + 1;
  const { offsets, sources } = predecessors(dfa);
  const partition = new Partition(dfa);
  const waiting: number[] = [];
  const isWaiting = new Uint8Array(states * classes);
  const wait = (block: number, column: number): void => {
    isWaiting[block * classes + column] = 1;
    waiting.push(block * classes + column);
  };
  for (let block = 0; block < partition.blocks; block++) for (let column = 0; column < classes; column++) wait(block, column);
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    isWaiting[item] = 0;
    const column = item % classes;
    const into: number[] = [];
    for (const state of partition.members((item - column) / classes)) {
      const slot = column * (states + 1) + state;
      for (let i = offsets[slot] as number; i < (offsets[slot + 1] as number); i++) into.push(sources[i] as number);
    }
    for (const [old, fresh] of partition.split(into)) {
      const smaller = partition.size(fresh) <= partition.size(old) ? fresh : old;
      for (let c = 0; c < classes; c++) wait(isWaiting[old * classes + c] === 1 ? fresh : smaller, c);
    }
  }
  return partition.blockOf;
}

/** For each class and state (the dead one is the last), the states that step into it: `sources[offsets[slot]..offsets[slot + 1])`. */
function predecessors(dfa: Dfa): { offsets: Int32Array; sources: Int32Array } {
  const states = dfa.states + 1;
  const target = (state: number, column: number): number => {
    const next = state === dfa.states ? -1 : (dfa.next[state * dfa.classes + column] as number);
    return next < 0 ? dfa.states : next;
  };
  const offsets = new Int32Array(dfa.classes * (states + 1) + 1);
  const sources = new Int32Array(dfa.classes * states);
  for (let column = 0, filled = 0; column < dfa.classes; column++) {
    const base = column * (states + 1);
    const counts = new Int32Array(states);
    for (let state = 0; state < states; state++) (counts[target(state, column)] as number)++;
    for (let state = 0; state < states; state++) {
      offsets[base + state] = filled;
      filled += counts[state] as number;
    }
    offsets[base + states] = filled;
    const place = offsets.slice(base, base + states);
    for (let state = 0; state < states; state++) {
      const to = target(state, column);
      sources[place[to] as number] = state;
      (place[to] as number)++;
    }
  }
  return { offsets, sources };
}

/** Blocks as runs of one permutation of the states, so that a split costs what it moves. */
class Partition {
  readonly blockOf: Int32Array;
  readonly #elements: Int32Array;
  readonly #position: Int32Array;
  readonly #begin: number[] = [];
  readonly #end: number[] = [];

  constructor(dfa: Dfa) {
    const states = dfa.states + 1;
    const accepting = (state: number): boolean => state < dfa.states && dfa.accepting[state] === 1;
    const all = Array.from({ length: states }, (_, state) => state);
    const refusing = all.filter((state) => !accepting(state));
    this.#elements = Int32Array.from([...refusing, ...all.filter(accepting)]);
    this.#position = new Int32Array(states);
    this.#elements.forEach((state, position) => {
      this.#position[state] = position;
    });
    this.blockOf = Int32Array.from(all, (state) => (accepting(state) ? 1 : 0));
    this.#push(0, refusing.length);
    if (refusing.length < states) this.#push(refusing.length, states);
  }

  get blocks(): number {
    return this.#begin.length;
  }

  size(block: number): number {
    return (this.#end[block] as number) - (this.#begin[block] as number);
  }

  members(block: number): Int32Array {
    return this.#elements.subarray(this.#begin[block], this.#end[block]);
  }

  /** Cuts `states` (each at most once) out of their blocks; gives pairs of old block and the new one cut from it. */
  split(states: readonly number[]): [old: number, fresh: number][] {
    const moved = new Map<number, number>();
    for (const state of states) {
      const block = this.blockOf[state] as number;
      const count = moved.get(block) ?? 0;
      this.#swap(state, (this.#begin[block] as number) + count);
      moved.set(block, count + 1);
    }
    const pairs: [number, number][] = [];
    for (const [old, count] of moved) {
      if (count === this.size(old)) continue;
      const begin = this.#begin[old] as number;
      const fresh = this.#push(begin, begin + count);
      this.#begin[old] = begin + count;
      for (const state of this.members(fresh)) this.blockOf[state] = fresh;
      pairs.push([old, fresh]);
    }
    return pairs;
  }

  #push(begin: number, end: number): number {
    this.#begin.push(begin);
    return this.#end.push(end) - 1;
  }

  #swap(state: number, position: number): void {
    const other = this.#elements[position] as number;
    const from = this.#position[state] as number;
    this.#elements[position] = state;
    this.#elements[from] = other;
    this.#position[state] = position;
    this.#position[other] = from;
  }
}
