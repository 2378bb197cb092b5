import { DEAD, step } from './automaton.ts';
import type { Dfa } from './dfa.ts';
import { acceptWords, distances } from './operations.ts';

/** A number in [0, 1). Zero must always be allowed and gives the plainest choice, so that a shrinking source gives plain words. */
export type Random = () => number;

/** A random source that reads octets and gives zeros when they are used up: an array of a property-testing library becomes choices. */
export function randomFrom(octets: ArrayLike<number>): Random {
  let at = 0;
  return () => (octets[at++] ?? 0) / 256;
}

/**
 * Gives a function that walks the automaton to a random word of the language: of `length` octets or seldom fewer, where the language
 * has words so long and so short. Throws RangeError for the empty language.
 */
export function wordsOf(dfa: Dfa): (random: Random, length: number) => Uint8Array {
  const accept = acceptWords(dfa);
  if (accept[0] === null) throw new RangeError('the language is empty');
  const shortest = distances(dfa);
  const longest = longestWays(dfa);
  const moves = movesOf(dfa);
  return (random, length) => {
    const word: number[] = [];
    let state = 0;
    for (;;) {
      const left = length - word.length - 1;
      const possible = (moves[state] as readonly Move[]).filter(({ to }) => (shortest[to] as number) <= left);
      // Keep to where the octets wanted can still be had, or as many as there are.
      const most = Math.min(left, Math.max(...possible.map(({ to }) => longest[to] as number)));
      const lasting = possible.filter(({ to }) => (longest[to] as number) >= most);
      const choices = random() >= SELDOM ? lasting : possible;
      if (choices.length === 0 || (dfa.accepting[state] === 1 && random() < SELDOM)) break;
      const { to, octets } = choices[Math.floor(random() * choices.length)] as Move;
      word.push(octets[Math.floor(random() * octets.length)] as number);
      state = to;
    }
    return Uint8Array.from([...word, ...(accept[state] as Uint8Array)]);
  };
}

/** A word with one octet deleted, replaced, doubled or inserted, or with two neighbours exchanged. */
export function mutate(word: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(random() * (word.length + 1));
  const before = word.subarray(0, at);
  const here = word.subarray(at, at + 1);
  const after = word.subarray(at + 1);
  const octet = random() < 0.5 ? Math.floor(random() * 256) : (LIKELY[Math.floor(random() * LIKELY.length)] as number);
  switch (Math.floor(random() * 5)) {
    case 0:
      return Uint8Array.of(...before, ...after);
    case 1:
      return Uint8Array.of(...before, octet, ...after);
    case 2:
      return Uint8Array.of(...before, ...here, ...here, ...after);
    case 3:
      return Uint8Array.of(...before, octet, ...here, ...after);
    default:
      return Uint8Array.of(...before, ...after.subarray(0, 1), ...here, ...after.subarray(1));
  }
}

/** How often a walk may end early, or take a way that must end. */
const SELDOM = 1 / 256;

/** Octets that mean something somewhere in the syntax of SMTP. */
const LIKELY: readonly number[] = Array.from('\0\t\r\n "\\<>@.,:;[]()=-+09AFZafz\x7f\x80\xff', (character) => character.charCodeAt(0));

interface Move {
  readonly to: number;
  readonly octets: readonly number[];
}

/** For each state the states it leads to, with the octets that do. */
function movesOf(dfa: Dfa): Move[][] {
  return Array.from({ length: dfa.states }, (_, state) => {
    const octetsTo = new Map<number, number[]>();
    for (let byte = 0; byte < 256; byte++) {
      const to = step(dfa, state, byte);
      if (to === DEAD) continue;
      const octets = octetsTo.get(to);
      if (octets === undefined) octetsTo.set(to, [byte]);
      else octets.push(byte);
    }
    return [...octetsTo].map(([to, octets]) => ({ to, octets }));
  });
}

/** For each state the length of the longest word accepted from it: Infinity where a cycle can be reached, as every state can accept. */
function longestWays(dfa: Dfa): Float64Array {
  const longest = new Float64Array(dfa.states).fill(Number.POSITIVE_INFINITY);
  const leadFrom: Set<number>[] = Array.from({ length: dfa.states }, () => new Set());
  const pending = new Int32Array(dfa.states);
  const targetsOf = (state: number): Set<number> => new Set(dfa.next.subarray(state * dfa.classes, (state + 1) * dfa.classes));
  const ready: number[] = [];
  for (let state = 0; state < dfa.states; state++) {
    const targets = targetsOf(state);
    targets.delete(DEAD);
    for (const target of targets) leadFrom[target]?.add(state);
    pending[state] = targets.size;
    if (targets.size === 0) ready.push(state);
  }
  // From the ends backwards: a state is settled once all that it leads to are. States of a cycle, or before one, never are.
  for (const state of ready) {
    let most = 0;
    for (const target of targetsOf(state)) if (target !== DEAD) most = Math.max(most, 1 + (longest[target] as number));
    longest[state] = most;
    for (const before of leadFrom[state] as Set<number>) {
      const left = (pending[before] as number) - 1;
      pending[before] = left;
      if (left === 0) ready.push(before);
    }
  }
  return longest;
}
