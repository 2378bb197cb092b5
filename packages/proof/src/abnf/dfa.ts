/**
 * A deterministic automaton over octets. State 0 starts; every state is reachable and can still accept (except state 0 of the
 * empty language), and no two states are equivalent: two automata of one language are equal array by array.
 */
export interface Dfa {
  readonly states: number;
  /** Octets that no state tells apart share a class. */
  readonly classes: number;
  readonly classOf: Uint8Array;
  /** `next[state * classes + class]`, or DEAD. */
  readonly next: Int32Array;
  readonly accepting: Uint8Array;
}
