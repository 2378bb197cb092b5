import { AbnfCompileError, compiler } from './compile.ts';
import type { Dfa } from './dfa.ts';
import { escapeBytes } from './escape.ts';
import { difference, shortestWord } from './operations.ts';
import type { AbnfRule, Expression, Grammar } from './parse-abnf.ts';
import { takes } from './takes.ts';

/** A rule of two grammars whose language is not the same. */
export interface RuleDifference {
  readonly rule: string;
  /** A shortest word, escaped, that the rule of one grammar has and that of the other has not; null where there is none. */
  readonly onlyInFirst: string | null;
  readonly onlyInSecond: string | null;
  /** Rules that this one refers to and that differ: where there are none, or `rewritten`, the difference is of this rule's own. */
  readonly through: readonly string[];
  /** Whether the rule itself is written in another way. */
  readonly rewritten: boolean;
}

/** Two grammars, compared rule by rule. */
export interface GrammarDifference {
  /** Rules of both that have the same words. */
  readonly same: readonly string[];
  readonly different: readonly RuleDifference[];
  readonly onlyInFirst: readonly string[];
  readonly onlyInSecond: readonly string[];
  /** Rules that refer to themselves, or to one that does: words were compared up to so deep a nesting, and equality is not shown by that. */
  readonly bounded: readonly string[];
  /** Rules that could not be compared, and why: they are prose, or refer to what is not there. */
  readonly undecided: readonly { readonly rule: string; readonly because: string }[];
}

/** How often a rule may stand within itself. */
export const DEPTH = 2;

/** How deep the other grammar is looked into before it is said that it has no such word. */
const DEEP = 4;

/**
 * Compares the languages of the rules that two grammars have by the same name. Rules are compiled to automata, so that "the same" is proven, and
 * of what differs the witness is a shortest one. A rule that refers to itself has no finite automaton: it is expanded `depth` times, and told.
 *
 * @example
 * ```ts
 * import { compareGrammars, parseAbnf } from '@ehlo/proof';
 * const old = parseAbnf('domain = label 1*("." label)\nlabel = 1*ALPHA\n');
 * const now = parseAbnf('domain = label *("." label)\nlabel = 1*(ALPHA)\n');
 * compareGrammars(old, now).different
 * // → [{ rule: 'domain', onlyInFirst: null, onlyInSecond: '"A"', through: [], rewritten: true }]
 * ```
 */
export function compareGrammars(first: Grammar, second: Grammar, depth: number = DEPTH): GrammarDifference {
  const [one, other] = [new Side(first, depth), new Side(second, depth)];
  const shared = [...first.keys()].filter((key) => second.has(key));
  const same: string[] = [];
  const found: { readonly key: string; readonly onlyInFirst: string | null; readonly onlyInSecond: string | null }[] = [];
  const undecided: { readonly rule: string; readonly because: string }[] = [];
  for (const key of shared) {
    const rule = first.get(key)!.name;
    try {
      const [onlyInFirst, onlyInSecond] = [witness(key, one, other), witness(key, other, one)];
      if (onlyInFirst === null && onlyInSecond === null) same.push(rule);
      else found.push({ key, onlyInFirst, onlyInSecond });
    } catch (error) {
      if (!(error instanceof AbnfCompileError)) throw error;
      undecided.push({ rule, because: error.message });
    }
  }
  const keys = new Set(found.map(({ key }) => key));
  const nameOf = (key: string): string => first.get(key)!.name;
  return {
    same,
    different: found.map(({ key, ...words }) => {
      const [a, b] = [first.get(key)!.expression, second.get(key)!.expression];
      const through = [...new Set([...references(a), ...references(b)])].filter((name) => name !== key && keys.has(name));
      return { rule: nameOf(key), ...words, through: through.map(nameOf), rewritten: normal(a) !== normal(b) };
    }),
    onlyInFirst: [...first].filter(([key]) => !second.has(key)).map(([, { name }]) => name),
    onlyInSecond: [...second].filter(([key]) => !first.has(key)).map(([, { name }]) => name),
    bounded: shared.filter((key) => one.isBounded(key) || other.isBounded(key)).map(nameOf),
    undecided,
  };
}

/** A shortest word that a rule of one side has, and that of the other has not, however deep it is looked into. */
function witness(key: string, from: Side, other: Side): string | null {
  const words = from.compile(key);
  const word = shortestWord(difference(words, other.compile(key)));
  if (word === null) return null;
  if (!other.isBounded(key)) return escapeBytes(word);
  const deep = shortestWord(difference(words, other.deep.compile(key)));
  if (deep === null) return null;
  // What was not found by expansion may be there all the same, deeper.
  if (other.takes(key, deep)) throw new AbnfCompileError(`it may differ in words that are nested more than ${DEEP} deep`);
  return escapeBytes(deep);
}

/** A grammar whose rules can be compiled: those that refer to themselves as far as they are expanded. */
class Side {
  readonly compile: (rule: string) => Dfa;
  readonly #grammar: Grammar;
  readonly #depth: number;
  readonly #reach: ReadonlyMap<string, ReadonlySet<string>>;
  #deep: Side | null = null;

  constructor(grammar: Grammar, depth: number) {
    this.#grammar = grammar;
    this.#depth = depth;
    this.#reach = new Map([...grammar.keys()].map((key) => [key, reachable(grammar, key)]));
    const rules = new Map<string, AbnfRule>();
    for (const [key, rule] of grammar) {
      if (!this.#isRecursive(key)) {
        rules.set(key, rule);
        continue;
      }
      const isWithin = (name: string): boolean => this.#isRecursive(name) && this.#reach.get(name)!.has(key);
      for (let level = 0; level <= depth; level++) {
        const name = level === depth ? key : nested(key, level);
        rules.set(name, { name, expression: expanded(rule.expression, isWithin, level) });
      }
    }
    this.compile = compiler(rules);
  }

  /** Whether what a rule takes depends on how deep it is expanded. */
  isBounded(key: string): boolean {
    return this.#isRecursive(key) || [...this.#reach.get(key)!].some((name) => this.#isRecursive(name));
  }

  /** The same, expanded as deep as anything is. */
  get deep(): Side {
    this.#deep ??= this.#depth >= DEEP ? this : new Side(this.#grammar, DEEP);
    return this.#deep;
  }

  /** Whether a word is one of a rule, however deep that refers to itself. */
  takes(key: string, word: Uint8Array): boolean {
    return takes(this.#grammar, key, word);
  }

  #isRecursive(key: string): boolean {
    return this.#reach.get(key)?.has(key) === true;
  }
}

/** The name of a rule as it stands within itself: with so many levels left. */
function nested(key: string, level: number): string {
  return `${key}#${level}`;
}

/** A level deeper; where there is none left, no word. */
function expanded(expression: Expression, isWithin: (name: string) => boolean, level: number): Expression {
  const inner = (of: Expression): Expression => expanded(of, isWithin, level);
  switch (expression.kind) {
    case 'alternation':
    case 'concatenation':
      return { kind: expression.kind, of: expression.of.map(inner) };
    case 'repetition':
      return { ...expression, of: inner(expression.of) };
    case 'reference': {
      const key = expression.name.toLowerCase();
      if (!isWithin(key)) return expression;
      return level === 0 ? { kind: 'alternation', of: [] } : { kind: 'reference', name: nested(key, level - 1) };
    }
    default:
      return expression;
  }
}

/** Keys of the rules that are reached from a rule, by one reference or more. */
function reachable(grammar: Grammar, from: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [from];
  for (const key of open) {
    const rule = grammar.get(key);
    for (const name of rule === undefined ? [] : references(rule.expression)) {
      if (seen.has(name)) continue;
      seen.add(name);
      open.push(name);
    }
  }
  return seen;
}

function references(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'alternation':
    case 'concatenation':
      return expression.of.flatMap(references);
    case 'repetition':
      return references(expression.of);
    case 'reference':
      return [expression.name.toLowerCase()];
    default:
      return [];
  }
}

/** How a rule is written, but for the case of what it refers to. */
function normal(expression: Expression): string {
  return JSON.stringify(expression, (key, value: unknown) => (key === 'name' ? (value as string).toLowerCase() : value));
}
