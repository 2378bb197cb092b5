// An independent reader and writer of ABNF that is not regular: by all ways at once, rules within rules at any depth.
import { type Random, wordsOf } from '../src/abnf/arbitrary.ts';
import { DEAD, step } from '../src/abnf/automaton.ts';
import { AbnfCompileError, compiler, type Replacements } from '../src/abnf/compile.ts';
import type { Dfa } from '../src/abnf/dfa.ts';
import type { Expression, Grammar } from '../src/abnf/parse-abnf.ts';

/** Where words that begin at an octet may end, in no order. */
type Ends = ReadonlySet<number>;

/** Reads and writes the words of one rule. Rules that are regular are automata; the others are expanded as they stand. */
export class Matcher {
  readonly #grammar: Grammar;
  readonly #rule: string;
  readonly #compile: (rule: string) => Dfa;
  readonly #automata = new Map<string, Automaton | null>();

  constructor(grammar: Grammar, rule: string, replacements: Replacements = {}) {
    this.#grammar = grammar;
    this.#rule = rule;
    this.#compile = compiler(grammar, replacements);
  }

  matches(bytes: Uint8Array): boolean {
    return this.#rules(this.#rule, bytes, 0, new Map()).has(bytes.length);
  }

  /** A random word; repetitions and regular parts are short, and shortest where the source gives zeros. */
  word(random: Random): number[] {
    return this.#write({ kind: 'reference', name: this.#rule }, random);
  }

  #ends(expression: Expression, bytes: Uint8Array, from: number, known: Map<string, Ends>): Ends {
    switch (expression.kind) {
      case 'alternation':
        return new Set(expression.of.flatMap((one) => [...this.#ends(one, bytes, from, known)]));
      case 'concatenation': {
        let ends: Ends = new Set([from]);
        for (const one of expression.of) ends = this.#after(one, bytes, ends, known);
        return ends;
      }
      case 'repetition': {
        let ends: Ends = new Set([from]);
        const all = new Set(expression.min === 0 ? ends : []);
        for (let count = 1; count <= expression.max && ends.size > 0; count++) {
          // What has been reached with enough repetitions before leads nowhere new.
          ends = new Set([...this.#after(expression.of, bytes, ends, known)].filter((end) => count < expression.min || !all.has(end)));
          if (count >= expression.min) for (const end of ends) all.add(end);
        }
        return all;
      }
      case 'reference':
        return this.#rules(expression.name, bytes, from, known);
      case 'string': {
        const text = String.fromCharCode(...bytes.subarray(from, from + expression.text.length));
        const same = expression.caseSensitive ? text === expression.text : text.toLowerCase() === expression.text.toLowerCase();
        return new Set(same ? [from + expression.text.length] : []);
      }
      case 'range': {
        const byte = bytes[from] ?? -1;
        return new Set(byte >= expression.low && byte <= expression.high ? [from + 1] : []);
      }
      case 'prose':
        throw new Error(`<${expression.text}> is prose`);
    }
  }

  #after(expression: Expression, bytes: Uint8Array, starts: Ends, known: Map<string, Ends>): Ends {
    return new Set([...starts].flatMap((start) => [...this.#ends(expression, bytes, start, known)]));
  }

  #rules(name: string, bytes: Uint8Array, from: number, known: Map<string, Ends>): Ends {
    const key = `${name.toLowerCase()} ${from}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const automaton = this.#automaton(name);
    const ends = automaton === null ? this.#ends(this.#expression(name), bytes, from, known) : endsOf(automaton.dfa, bytes, from);
    known.set(key, ends);
    return ends;
  }

  #write(expression: Expression, random: Random): number[] {
    switch (expression.kind) {
      case 'alternation':
        return this.#write(expression.of[Math.floor(random() * expression.of.length)] as Expression, random);
      case 'concatenation':
        return expression.of.flatMap((one) => this.#write(one, random));
      case 'repetition': {
        const word: number[] = [];
        for (let count = 0; count < expression.max && (count < expression.min || random() >= 0.5); count++) {
          word.push(...this.#write(expression.of, random));
        }
        return word;
      }
      case 'reference': {
        const automaton = this.#automaton(expression.name);
        if (automaton === null) return this.#write(this.#expression(expression.name), random);
        return [...automaton.word(random, Math.floor(random() * 24))];
      }
      case 'string':
        return Array.from(expression.text, (letter) => (random() < 0.5 ? letter : letter.toLowerCase()).charCodeAt(0));
      case 'range':
        return [expression.low + Math.floor(random() * (expression.high + 1 - expression.low))];
      case 'prose':
        throw new Error(`<${expression.text}> is prose`);
    }
  }

  #expression(name: string): Expression {
    const rule = this.#grammar.get(name.toLowerCase());
    if (rule === undefined) throw new Error(`no rule ${name}`);
    return rule.expression;
  }

  /** Null for a rule that is not regular. */
  #automaton(name: string): Automaton | null {
    const key = name.toLowerCase();
    const known = this.#automata.get(key);
    if (known !== undefined) return known;
    let automaton: Automaton | null = null;
    try {
      const dfa = this.#compile(key);
      automaton = { dfa, word: wordsOf(dfa) };
    } catch (error) {
      if (!(error instanceof AbnfCompileError && / is recursive /.test(error.message))) throw error;
    }
    this.#automata.set(key, automaton);
    return automaton;
  }
}

interface Automaton {
  readonly dfa: Dfa;
  readonly word: (random: Random, length: number) => Uint8Array;
}

function endsOf(dfa: Dfa, bytes: Uint8Array, from: number): Ends {
  const ends = new Set<number>();
  let state = 0;
  for (let at = from; state !== DEAD; at++) {
    if (dfa.accepting[state] === 1) ends.add(at);
    if (at >= bytes.length) break;
    state = step(dfa, state, bytes[at] as number);
  }
  return ends;
}
