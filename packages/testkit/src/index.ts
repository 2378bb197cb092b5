export { mutate, type Random, randomFrom, wordsOf } from './abnf/arbitrary.ts';
export type { Dfa } from './abnf/automaton.ts';
export { AbnfCompileError, compileAbnf, compiler, type Replacement, type Replacements } from './abnf/compile.ts';
export { comparer, conformance, type Disagreement, formatReport, type Report } from './abnf/conformance.ts';
export { type Contract, type Limit, type Recogniser, recogniserOf, simulate } from './abnf/contract.ts';
export { deviate, deviationProblems, type GrammarDeviation } from './abnf/deviations.ts';
export { escapeBytes } from './abnf/escape.ts';
export { type AbnfRule, AbnfSyntaxError, type Expression, type Grammar, parseAbnf } from './abnf/parse-abnf.ts';
export { lengthLimits, PATH_OCTETS, proseLimits, registeredTags } from './abnf/prose.ts';
