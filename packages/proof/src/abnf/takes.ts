import { coreRules } from './compile.ts';
import type { Expression, Grammar } from './parse-abnf.ts';

/**
 * Whether a word is one of a rule, also of one that refers to itself and has no automaton: by the ends that each rule can have at each place, which
 * are few, for words are short. A rule that begins with itself takes nothing by that.
 */
export function takes(grammar: Grammar, key: string, word: Uint8Array): boolean {
  return new Reader(grammar, word).rule(key, 0).has(word.length);
}

const NONE: ReadonlySet<number> = new Set();

class Reader {
  readonly #grammar: Grammar;
  readonly #word: Uint8Array;
  readonly #known: Map<string, ReadonlySet<number>> = new Map();

  constructor(grammar: Grammar, word: Uint8Array) {
    this.#grammar = grammar;
    this.#word = word;
  }

  /** Where a rule that begins here may end. */
  rule(name: string, from: number): ReadonlySet<number> {
    const key = name.toLowerCase();
    const place = `${key} ${from}`;
    const known = this.#known.get(place);
    if (known !== undefined) return known;
    this.#known.set(place, NONE);
    const rule = this.#grammar.get(key) ?? coreRules.get(key);
    const ends = rule === undefined ? NONE : this.#ends(rule.expression, from);
    this.#known.set(place, ends);
    return ends;
  }

  #ends(expression: Expression, from: number): ReadonlySet<number> {
    switch (expression.kind) {
      case 'alternation':
        return new Set(expression.of.flatMap((one) => [...this.#ends(one, from)]));
      case 'concatenation':
        return expression.of.reduce<ReadonlySet<number>>((places, one) => this.#behind(one, places), new Set([from]));
      case 'repetition':
        return this.#repeated(expression, from);
      case 'reference':
        return this.rule(expression.name, from);
      case 'range': {
        const octet = this.#word[from];
        return octet !== undefined && octet >= expression.low && octet <= expression.high ? new Set([from + 1]) : NONE;
      }
      case 'string':
        return this.#says(expression, from) ? new Set([from + expression.text.length]) : NONE;
      case 'prose':
        return NONE;
    }
  }

  #behind(expression: Expression, places: ReadonlySet<number>): ReadonlySet<number> {
    return new Set([...places].flatMap((place) => [...this.#ends(expression, place)]));
  }

  #repeated({ min, max, of }: Extract<Expression, { kind: 'repetition' }>, from: number): ReadonlySet<number> {
    let places: ReadonlySet<number> = new Set([from]);
    const ends = new Set<number>(min === 0 ? places : NONE);
    for (let count = 1; count <= max && places.size > 0; count++) {
      places = this.#behind(of, places);
      if (count < min) continue;
      const before = ends.size;
      for (const place of places) ends.add(place);
      if (ends.size === before) break;
    }
    return ends;
  }

  #says({ text, caseSensitive }: Extract<Expression, { kind: 'string' }>, from: number): boolean {
    const said = String.fromCharCode(...this.#word.subarray(from, from + text.length));
    return caseSensitive ? said === text : said.toLowerCase() === text.toLowerCase();
  }
}
