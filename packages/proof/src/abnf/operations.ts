import { DEAD, Nfa, step } from './automaton.ts';
import type { Dfa } from './dfa.ts';
import { minimise } from './minimise.ts';

/** Every sequence of octets, the empty one included. */
export const everything: Dfa = minimise({
  states: 1,
  classes: 1,
  classOf: new Uint8Array(256),
  next: Int32Array.of(0),
  accepting: Uint8Array.of(1),
});

/** No word at all. */
export const nothing: Dfa = minimise({ ...everything, accepting: Uint8Array.of(0) });

/** The words of any of the languages; none for no language. */
export function union(...dfas: readonly Dfa[]): Dfa {
  const nfa = new Nfa();
  const start = nfa.state();
  const end = nfa.state();
  for (const dfa of dfas) nfa.embed(start, dfa, end);
  return nfa.determinise(start, end);
}

/** One word of each language after the other; the empty word for no language. */
export function concatenation(...dfas: readonly Dfa[]): Dfa {
  const nfa = new Nfa();
  const start = nfa.state();
  let end = start;
  for (const dfa of dfas) {
    const next = nfa.state();
    nfa.embed(end, dfa, next);
    end = next;
  }
  return nfa.determinise(start, end);
}

export function intersection(a: Dfa, b: Dfa): Dfa {
  return product(a, b, (inA, inB) => inA && inB);
}

/** The words of `a` that are not in `b`. */
export function difference(a: Dfa, b: Dfa): Dfa {
  return product(a, b, (inA, inB) => inA && !inB);
}

/** The words of exactly one of the two. */
export function symmetricDifference(a: Dfa, b: Dfa): Dfa {
  return product(a, b, (inA, inB) => inA !== inB);
}

export function complement(dfa: Dfa): Dfa {
  return difference(everything, dfa);
}

/** Every sequence of at most `octets` octets: intersect with it to apply a limit of RFC 5321 4.5.3.1. */
export function lengthAtMost(octets: number): Dfa {
  const next = Int32Array.from({ length: octets + 1 }, (_, state) => (state < octets ? state + 1 : DEAD));
  return minimise({ states: octets + 1, classes: 1, classOf: new Uint8Array(256), next, accepting: new Uint8Array(octets + 1).fill(1) });
}

export function isEmpty(dfa: Dfa): boolean {
  return !dfa.accepting.includes(1);
}

export function contains(dfa: Dfa, word: Uint8Array): boolean {
  let state = 0;
  for (let at = 0; at < word.length && state !== DEAD; at++) state = step(dfa, state, word[at] as number);
  return state !== DEAD && dfa.accepting[state] === 1;
}

/** The two accept the same words. */
export function equal(a: Dfa, b: Dfa): boolean {
  return isEmpty(symmetricDifference(a, b));
}

/** 1 for each state from which a word is accepted. All 1, but for the start of the empty language. */
export function liveStates(dfa: Dfa): Uint8Array {
  return Uint8Array.from(distances(dfa), (distance) => (distance === UNREACHABLE ? 0 : 1));
}

/** For each state the length of the shortest word accepted from it. */
export function distances(dfa: Dfa): Int32Array {
  return towardsAcceptance(dfa).distance;
}

/** For each state a shortest word that leads to it from the start. */
export function accessWords(dfa: Dfa): Uint8Array[] {
  const bytes = representatives(dfa);
  const words: (Uint8Array | undefined)[] = new Array(dfa.states).fill(undefined);
  words[0] = new Uint8Array(0);
  const queue = [0];
  for (const state of queue) {
    for (const byte of bytes) {
      const target = step(dfa, state, byte);
      if (target === DEAD || words[target] !== undefined) continue;
      words[target] = append(words[state] as Uint8Array, byte);
      queue.push(target);
    }
  }
  return words as Uint8Array[];
}

/** For each state a shortest word accepted from it (null only in the empty language). */
export function acceptWords(dfa: Dfa): (Uint8Array | null)[] {
  const { distance, via } = towardsAcceptance(dfa);
  return Array.from(distance, (length, from) => {
    if (length === UNREACHABLE) return null;
    const word = new Uint8Array(length);
    for (let at = 0, state = from; at < length; at++) {
      word[at] = via[state] as number;
      state = step(dfa, state, via[state] as number);
    }
    return word;
  });
}

/** A shortest word of the language, or null. */
export function shortestWord(dfa: Dfa): Uint8Array | null {
  return acceptWords(dfa)[0] ?? null;
}

/** One octet of each class, a letter, digit or printable octet where the class has one. */
export function representatives(dfa: Dfa): number[] {
  const best: number[] = new Array(dfa.classes).fill(-1);
  for (const byte of BY_LEGIBILITY) {
    const c = dfa.classOf[byte] as number;
    if (best[c] === -1) best[c] = byte;
  }
  return best;
}

export function append(word: Uint8Array, ...bytes: readonly number[]): Uint8Array {
  const longer = new Uint8Array(word.length + bytes.length);
  longer.set(word);
  longer.set(bytes, word.length);
  return longer;
}

const BY_LEGIBILITY: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte).sort((a, b) => rank(a) - rank(b) || a - b);

function rank(byte: number): number {
  if (byte >= 0x61 && byte <= 0x7a) return 0;
  if (byte >= 0x30 && byte <= 0x39) return 1;
  return byte > 0x20 && byte < 0x7f ? 2 : 3;
}

const UNREACHABLE = 0x7fffffff;

/** Backwards breadth-first from the accepting states: how far each state is, and the octet of a first step. */
function towardsAcceptance(dfa: Dfa): { distance: Int32Array; via: Int16Array } {
  const before: { from: number; byte: number }[][] = Array.from({ length: dfa.states }, () => []);
  for (const byte of representatives(dfa)) {
    for (let from = 0; from < dfa.states; from++) {
      const target = step(dfa, from, byte);
      if (target !== DEAD) (before[target] as { from: number; byte: number }[]).push({ from, byte });
    }
  }
  const distance = new Int32Array(dfa.states).fill(UNREACHABLE);
  const via = new Int16Array(dfa.states).fill(-1);
  const queue: number[] = [];
  for (let state = 0; state < dfa.states; state++) if (dfa.accepting[state] === 1) queue.push(state);
  for (const state of queue) distance[state] = 0;
  for (const state of queue) {
    for (const { from, byte } of before[state] as { from: number; byte: number }[]) {
      if (distance[from] !== UNREACHABLE) continue;
      distance[from] = (distance[state] as number) + 1;
      via[from] = byte;
      queue.push(from);
    }
  }
  return { distance, via };
}

/** Runs both at once; a side that is dead stays dead, and the pair goes on while `keep` may still hold. */
function product(a: Dfa, b: Dfa, keep: (inA: boolean, inB: boolean) => boolean): Dfa {
  const { classOf, bytes } = commonClasses(a, b);
  const numbers = new Map<number, number>();
  const pairs: [p: number, q: number][] = [];
  const number = (p: number, q: number): number => {
    if ((p === DEAD && q === DEAD) || (p === DEAD && !keep(false, true)) || (q === DEAD && !keep(true, false))) return DEAD;
    const key = (p + 1) * (b.states + 1) + q + 1;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, pairs.length);
    return pairs.push([p, q]) - 1;
  };
  number(0, 0);
  const next: number[] = [];
  for (const [p, q] of pairs) {
    for (const byte of bytes) next.push(number(p === DEAD ? DEAD : step(a, p, byte), q === DEAD ? DEAD : step(b, q, byte)));
  }
  const accepting = Uint8Array.from(pairs, ([p, q]) =>
    keep(p !== DEAD && a.accepting[p] === 1, q !== DEAD && b.accepting[q] === 1) ? 1 : 0,
  );
  return minimise({ states: pairs.length, classes: bytes.length, classOf, next: Int32Array.from(next), accepting });
}

/** The coarsest classes that refine both; `bytes` holds one octet of each. */
function commonClasses(a: Dfa, b: Dfa): { classOf: Uint8Array; bytes: number[] } {
  const numbers = new Map<number, number>();
  const bytes: number[] = [];
  const classOf = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const key = (a.classOf[byte] as number) * 256 + (b.classOf[byte] as number);
    let known = numbers.get(key);
    if (known === undefined) {
      known = bytes.push(byte) - 1;
      numbers.set(key, known);
    }
    classOf[byte] = known;
  }
  return { classOf, bytes };
}
