import { DEAD, type Dfa, step } from './automaton.ts';
import { acceptWords, distances } from './operations.ts';

/** A number in [0, 1). Zero must always be allowed and gives the plainest choice, so that a shrinking source gives plain words. */
export type Random = () => number;

/** A random source that reads octets and gives zeros when they are used up: an array of a property-testing library becomes choices. */
export function randomFrom(octets: ArrayLike<number>): Random {
  let at = 0;
  return () => (octets[at++] ?? 0) / 256;
}

/**
 * Gives a function that walks the automaton to a random word of the language, of up to `length` octets where the language has words
 * so short, and seldom much shorter. Throws RangeError for the empty language.
 */
export function wordsOf(dfa: Dfa): (random: Random, length: number) => Uint8Array {
  const accept = acceptWords(dfa);
  if (accept[0] === null) throw new RangeError('the language is empty');
  const distance = distances(dfa);
  const moves = movesOf(dfa);
  const endless = endlessStates(dfa);
  return (random, length) => {
    const word: number[] = [];
    let state = 0;
    for (;;) {
      const left = length - word.length - 1;
      const possible = (moves[state] as readonly Move[]).filter(({ to }) => (distance[to] as number) <= left);
      // While a long word is wanted, keep to where words have no end; the rest is reached at the end by the shortest way.
      const lasting = possible.filter(({ to }) => endless[to] === 1);
      const choices = lasting.length > 0 && random() > 1 / 64 ? lasting : possible;
      if (choices.length === 0 || (dfa.accepting[state] === 1 && random() < 1 / 64)) break;
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

/** 1 for states from which words of any length are accepted: take away, again and again, states that lead nowhere but out. */
function endlessStates(dfa: Dfa): Uint8Array {
  const endless = new Uint8Array(dfa.states).fill(1);
  for (let changed = true; changed; ) {
    changed = false;
    for (let state = 0; state < dfa.states; state++) {
      if (endless[state] === 0) continue;
      const on = dfa.next.subarray(state * dfa.classes, (state + 1) * dfa.classes).some((to) => to !== DEAD && endless[to] === 1);
      if (!on) {
        endless[state] = 0;
        changed = true;
      }
    }
  }
  return endless;
}
