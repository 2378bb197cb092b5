import { Nfa } from './automaton.ts';
import type { Dfa } from './dfa.ts';
import { type Expression, type Grammar, parseAbnf } from './parse-abnf.ts';

/** What stands in for a rule: a function of the automaton that its ABNF gives (compiled only when asked for). */
export type Replacement = (original: () => Dfa) => Dfa;

/** Replacements by rule name; names are case-insensitive (RFC 5234 2.1). */
export type Replacements = Readonly<Record<string, Replacement>>;

/** RFC 5234 Appendix B.1; a grammar's own rule of the same name comes first. */
export const coreRules: Grammar = parseAbnf(`
ALPHA  = %x41-5A / %x61-7A
BIT    = "0" / "1"
CHAR   = %x01-7F
CR     = %x0D
CRLF   = CR LF
CTL    = %x00-1F / %x7F
DIGIT  = %x30-39
DQUOTE = %x22
HEXDIG = DIGIT / "A" / "B" / "C" / "D" / "E" / "F"
HTAB   = %x09
LF     = %x0A
LWSP   = *(WSP / CRLF WSP)
OCTET  = %x00-FF
SP     = %x20
VCHAR  = %x21-7E
WSP    = SP / HTAB
`);

/** A rule has no automaton: it is recursive, unknown, or prose. */
export class AbnfCompileError extends Error {
  override readonly name = 'AbnfCompileError';
}

/**
 * Gives, rule name by rule name, the exact minimal automaton of the grammar's rules. Each rule is compiled once.
 *
 * Replacements hold wherever the rule is referred to, too. The function throws AbnfCompileError for a rule that is recursive,
 * undefined, or a prose-val (`<…>`) without a replacement.
 */
export function compiler(grammar: Grammar, replacements: Replacements = {}): (rule: string) => Dfa {
  const replaced = new Map(Object.entries(replacements).map(([name, replacement]) => [name.toLowerCase(), replacement]));
  for (const name of replaced.keys()) if (!grammar.has(name)) throw new AbnfCompileError(`no rule "${name}" to replace`);
  const finished = new Map<string, Dfa>();
  const open: string[] = [];

  const compile = (name: string): Dfa => {
    const key = name.toLowerCase();
    const known = finished.get(key);
    if (known !== undefined) return known;
    const rule = grammar.get(key) ?? coreRules.get(key);
    if (rule === undefined)
      throw new AbnfCompileError(`the rule "${name}" is not defined${open.length > 0 ? ` (used by ${open.at(-1)})` : ''}`);
    if (open.includes(rule.name)) {
      const path = [...open.slice(open.indexOf(rule.name)), rule.name].join(' > ');
      throw new AbnfCompileError(`the rule "${rule.name}" is recursive (${path}), so it has no finite automaton`);
    }
    const original = (): Dfa => {
      open.push(rule.name);
      try {
        return compileExpression(rule.expression, compile);
      } finally {
        open.pop();
      }
    };
    const replacement = replaced.get(key);
    const dfa = replacement === undefined ? original() : replacement(original);
    finished.set(key, dfa);
    return dfa;
  };
  return compile;
}

/** The automaton of one rule of a small ABNF text; the first rule where none is named. */
export function compileAbnf(text: string, rule?: string): Dfa {
  const grammar = parseAbnf(text);
  return compiler(grammar)(rule ?? [...grammar.keys()][0] ?? '');
}

function compileExpression(expression: Expression, compile: (rule: string) => Dfa): Dfa {
  const nfa = new Nfa();
  const start = nfa.state();
  const end = nfa.state();
  build(nfa, start, expression, end, compile);
  return nfa.determinise(start, end);
}

/** Thompson's construction between two given states. */
function build(nfa: Nfa, from: number, expression: Expression, to: number, compile: (rule: string) => Dfa): void {
  switch (expression.kind) {
    case 'alternation':
      for (const alternative of expression.of) build(nfa, from, alternative, to, compile);
      return;
    case 'concatenation':
      return sequence(nfa, from, expression.of, to, compile);
    case 'repetition':
      return repeat(nfa, from, expression, to, compile);
    case 'reference':
      return nfa.embed(from, compile(expression.name), to);
    case 'string':
      return string(nfa, from, expression.text, expression.caseSensitive, to);
    case 'range':
      return nfa.range(from, expression.low, expression.high, to);
    case 'prose':
      throw new AbnfCompileError(`<${expression.text}> is prose: replace the rule that holds it`);
  }
}

function sequence(nfa: Nfa, from: number, of: readonly Expression[], to: number, compile: (rule: string) => Dfa): void {
  let at = from;
  for (const element of of) {
    const next = nfa.state();
    build(nfa, at, element, next, compile);
    at = next;
  }
  nfa.epsilon(at, to);
}

type Repetition = Extract<Expression, { kind: 'repetition' }>;

/** `min` copies, then either a loop or `max - min` copies that may each be the last. */
function repeat(nfa: Nfa, from: number, { min, max, of }: Repetition, to: number, compile: (rule: string) => Dfa): void {
  const body = compileExpression(of, compile);
  // A fresh first state: what leads to `from` from elsewhere must not come back round into the loop, nor leave it early.
  let at = nfa.state();
  nfa.epsilon(from, at);
  for (let copy = 0; copy < (max === Number.POSITIVE_INFINITY ? min : max); copy++) {
    if (copy >= min) nfa.epsilon(at, to);
    const next = nfa.state();
    nfa.embed(at, body, next);
    at = next;
  }
  if (max === Number.POSITIVE_INFINITY) nfa.embed(at, body, at);
  nfa.epsilon(at, to);
}

/** RFC 5234 2.3: letters of a quoted string match in both cases; RFC 7405: `%s"…"` only as written. */
function string(nfa: Nfa, from: number, text: string, caseSensitive: boolean, to: number): void {
  let at = from;
  for (const character of text) {
    const next = nfa.state();
    const cases = caseSensitive ? [character] : [character.toLowerCase(), character.toUpperCase()];
    for (const c of new Set(cases)) nfa.range(at, c.charCodeAt(0), c.charCodeAt(0), next);
    at = next;
  }
  nfa.epsilon(at, to);
}
