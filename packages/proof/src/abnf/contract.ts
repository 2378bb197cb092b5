import { DEAD, step } from './automaton.ts';
import type { Dfa } from './dfa.ts';

/**
 * What a recogniser of a language answers about the window bytes[from, to).
 *
 * - `greedy` (the rules of `@ehlo/grammar`): it reads on while a word is still possible and stops at the first octet i that cannot
 *   continue one, or at `to`. It returns i if what was read is a word, else `~i`.
 * - `longest`: the end of the longest prefix that is a word; where no prefix is one, `~i` as above.
 * - `whole`: `to` if the window is a word, else any negative number.
 */
export type Contract = 'greedy' | 'longest' | 'whole';

/** See Contract. */
export type Recogniser = (bytes: Uint8Array, from: number, to: number) => number;

/** The most octets a word may have, with the `distances` of the automaton. */
export interface Limit {
  readonly octets: number;
  readonly distances: Int32Array;
}

/**
 * What a recogniser must return, by the automaton; `whole` refuses with `~to`.
 *
 * A limit counts octets beside the automaton (RFC 5321 4.5.3.1), without a product: a state is dead where even its shortest way to
 * acceptance would exceed it.
 */
export function simulate(dfa: Dfa, contract: Contract, bytes: Uint8Array, from: number, to: number, limit?: Limit): number {
  return simulateFrom(dfa, 0, contract, bytes, from, to, limit);
}

/** `simulate`, begun in another state. */
export function simulateFrom(
  dfa: Dfa,
  start: number,
  contract: Contract,
  bytes: Uint8Array,
  from: number,
  to: number,
  limit?: Limit,
): number {
  let state = start;
  let end = dfa.accepting[state] === 1 ? from : -1;
  let at = from;
  for (; at < to; at++) {
    const next = step(dfa, state, bytes[at] as number);
    if (next === DEAD || (limit !== undefined && at + 1 - from + (limit.distances[next] as number) > limit.octets)) break;
    state = next;
    if (dfa.accepting[state] === 1) end = at + 1;
  }
  if (contract === 'longest') return end >= 0 ? end : ~at;
  if (contract === 'whole') return end === to ? to : ~to;
  return end === at ? at : ~at;
}

/** A recogniser that answers by the automaton itself. */
export function recogniserOf(dfa: Dfa, contract: Contract): Recogniser {
  return (bytes, from, to) => simulate(dfa, contract, bytes, from, to);
}

/** Whether an answer always shows where reading failed: not where an earlier acceptance may be returned in its place. */
export function showsFailure(dfa: Dfa, contract: Contract): boolean {
  return contract === 'greedy' || (contract === 'longest' && isPrefixFree(dfa));
}

/** No word begins another one. */
function isPrefixFree(dfa: Dfa): boolean {
  for (let state = 0; state < dfa.states; state++) {
    if (dfa.accepting[state] !== 1) continue;
    for (let c = 0; c < dfa.classes; c++) if (dfa.next[state * dfa.classes + c] !== DEAD) return false;
  }
  return true;
}
