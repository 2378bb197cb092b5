import { DEAD, step } from './automaton.ts';
import { type Contract, type Recogniser, simulate } from './contract.ts';
import type { Dfa } from './dfa.ts';
import { distinguisher } from './distinguish.ts';
import { escapeBytes } from './escape.ts';
import { acceptWords, accessWords, append, representatives } from './operations.ts';

export interface Disagreement {
  /** The octets of the window, escaped. */
  readonly word: string;
  /** `end` or `~index`, relative to the window. */
  readonly expected: string;
  readonly got: string;
  /** The window lay between other octets; false: the word was the whole array. */
  readonly surrounded: boolean;
}

export interface Report {
  readonly rule: string;
  readonly states: number;
  /** Every (state, octet) pair of the automaton: states × 256. */
  readonly pairs: number;
  readonly words: number;
  /** How many words disagreed in all. */
  readonly failures: number;
  /** The first ten. */
  readonly disagreements: readonly Disagreement[];
}

/**
 * Compares a recogniser with the automaton on every reachable (state, octet) pair.
 *
 * For each state a shortest word w leads there; for each octet b the words w, w b, and w b followed by suffixes are tried, each alone
 * in its array and again between octets that would continue it. The suffixes identify the state that b must lead to among all
 * states (W-method), so a recogniser with no more states than the automaton passes only if it accepts the same language; what
 * has hidden extra states is left to random words, but for one that is a single step behind a pair, unless `steps` is 1: that squares the work.
 */
export function conformance(rule: string, dfa: Dfa, recogniser: Recogniser, contract: Contract, steps: 1 | 2 = 2): Report {
  const probe = new Probe(dfa, recogniser, contract);
  const { identify, cover } = distinguisher(dfa, contract);
  const accept = acceptWords(dfa);
  const bytes = representatives(dfa);
  const tryState = (word: Uint8Array, state: number): void => {
    probe.try(word);
    for (const suffix of identify[state] as readonly Uint8Array[]) probe.try(word, suffix);
  };
  accessWords(dfa).forEach((access, state) => {
    tryState(access, state);
    const wrongTurns = failureIsHidden(dfa, contract, access)
      ? cover
      : successors(dfa, state).map((target) => accept[target] as Uint8Array);
    const tryDead = (word: Uint8Array): void => {
      probe.try(word);
      for (const suffix of wrongTurns) probe.try(word, suffix);
    };
    for (let byte = 0; byte < 256; byte++) {
      const word = append(access, byte);
      const target = step(dfa, state, byte);
      if (target === DEAD) {
        tryDead(word);
        continue;
      }
      tryState(word, target);
      probe.try(word, accept[target] as Uint8Array);
      // Two steps deep with one octet of each class: finds a state too many that is entered by one octet and left by another.
      if (steps === 1 || !bytes.includes(byte)) continue;
      for (const second of bytes) {
        const third = step(dfa, target, second);
        if (third === DEAD) probe.try(append(word, second));
        else tryState(append(word, second), third);
      }
    }
  });
  return { rule, states: dfa.states, pairs: dfa.states * 256, ...probe.result() };
}

/** Compares on words given one by one: the function returns the disagreement, or null. */
export function comparer(dfa: Dfa, recogniser: Recogniser, contract: Contract): (word: Uint8Array) => Disagreement | null {
  const probe = new Probe(dfa, recogniser, contract);
  return (word) => probe.try(word);
}

/** One line for a test's output. */
export function formatReport({ rule, states, pairs, words, failures }: Report): string {
  return `${rule}: ${states} states, ${pairs} pairs, ${words} words, ${failures} disagreements`;
}

/** Whether an octet that wrongly goes on after this word changes no answer by itself. */
function failureIsHidden(dfa: Dfa, contract: Contract, access: Uint8Array): boolean {
  return contract === 'whole' || (contract === 'longest' && simulate(dfa, contract, access, 0, access.length) >= 0);
}

/** A state itself (the octet was skipped) and where its other octets lead: the likely wrong turns. */
function successors(dfa: Dfa, state: number): number[] {
  const all = new Set([state]);
  for (const byte of representatives(dfa)) all.add(step(dfa, state, byte));
  all.delete(DEAD);
  return [...all];
}

const EMPTY = new Uint8Array(0);
const SHOWN = 10;

/** Calls the recogniser on a word in an array of its own and inside a larger one, and keeps count. */
class Probe {
  readonly #dfa: Dfa;
  readonly #recogniser: Recogniser;
  readonly #contract: Contract;
  readonly #before: Uint8Array;
  /** For each state, octets that would lengthen the longest word: bait for a recogniser that reads past `to`. */
  readonly #bait: readonly Uint8Array[];
  #buffer: Uint8Array = new Uint8Array(1024);
  #words = 0;
  #failures = 0;
  readonly #disagreements: Disagreement[] = [];

  constructor(dfa: Dfa, recogniser: Recogniser, contract: Contract) {
    this.#dfa = dfa;
    this.#recogniser = recogniser;
    this.#contract = contract;
    const accept = acceptWords(dfa);
    this.#bait = Array.from({ length: dfa.states }, (_, state) => baitFor(dfa, state, accept));
    // Before the window: the beginning of a word, and an octet that no rule of SMTP takes.
    this.#before = append(this.#bait[0] ?? EMPTY, 0xff, ...(this.#bait[0] ?? EMPTY));
  }

  try(head: Uint8Array, tail: Uint8Array = EMPTY): Disagreement | null {
    const length = head.length + tail.length;
    const from = this.#before.length;
    const to = from + length;
    this.#fill(head, tail);
    let state = 0;
    for (let at = from; at < to && state !== DEAD; at++) state = step(this.#dfa, state, this.#buffer[at] as number);
    const bait = this.#bait[state === DEAD ? 0 : state] ?? EMPTY;
    this.#buffer.set(bait, to);
    const shift = (end: number): number => (end >= 0 ? end - from : ~(~end - from));
    const expected = shift(simulate(this.#dfa, this.#contract, this.#buffer, from, to));
    this.#words += 1;
    // A parser behind the `whole` contract is slow and its words are many: every other word is surrounded, the rest alone.
    const both = this.#contract !== 'whole';
    const alone = both || this.#words % 2 === 1;
    const disagreement = alone ? this.#compare(this.#buffer.slice(from, to), 0, length, expected, (end) => end, false) : null;
    if (disagreement !== null || (alone && !both)) return disagreement;
    return this.#compare(this.#buffer, from, to, expected, shift, true);
  }

  result(): { words: number; failures: number; disagreements: readonly Disagreement[] } {
    return { words: this.#words, failures: this.#failures, disagreements: this.#disagreements };
  }

  #fill(head: Uint8Array, tail: Uint8Array): void {
    const from = this.#before.length;
    const room = from + head.length + tail.length + this.#dfa.states + 16;
    if (this.#buffer.length < room) this.#buffer = new Uint8Array(2 * room);
    this.#buffer.set(this.#before);
    this.#buffer.set(head, from);
    this.#buffer.set(tail, from + head.length);
  }

  #compare(
    bytes: Uint8Array,
    from: number,
    to: number,
    expected: number,
    relative: (end: number) => number,
    surrounded: boolean,
  ): Disagreement | null {
    let got: string;
    try {
      const end = relative(this.#recogniser(bytes, from, to));
      if (end === expected || (this.#contract === 'whole' && end < 0 && expected < 0)) return null;
      got = formatEnd(end);
    } catch (thrown) {
      got = `threw ${thrown}`;
    }
    const disagreement = { word: escapeBytes(bytes.subarray(from, to)), expected: formatEnd(expected), got, surrounded };
    this.#failures += 1;
    if (this.#disagreements.length < SHOWN) this.#disagreements.push(disagreement);
    return disagreement;
  }
}

function baitFor(dfa: Dfa, state: number, accept: readonly (Uint8Array | null)[]): Uint8Array {
  let best: Uint8Array | null = null;
  for (const byte of representatives(dfa)) {
    const target = step(dfa, state, byte);
    if (target === DEAD) continue;
    const rest = accept[target] as Uint8Array;
    if (best === null || rest.length + 1 < best.length) best = append(Uint8Array.of(byte), ...rest);
  }
  return best ?? EMPTY;
}

function formatEnd(end: number): string {
  return end < 0 ? `~${~end}` : String(end);
}
