import { compiler, type Replacements } from './compile.ts';
import { latin1 } from './escape.ts';
import { contains, difference, isEmpty, shortestWord } from './operations.ts';
import { type Grammar, parseAbnf } from './parse-abnf.ts';

/** A difference on purpose between a recogniser and the RFC's grammar, as `deviations.json` lists them. */
export interface GrammarDeviation {
  /** The rule that is read otherwise. */
  readonly rule: string;
  /** Its definition as we read it: exactly what is accepted instead. May bring rules of its own. */
  readonly abnf: string;
  readonly reason: string;
  /** The section, erratum or survey that gives the ground. */
  readonly source: string;
  /** Words that we accept and the RFC does not, octets as characters; at least one if there are any. */
  readonly adds: readonly string[];
  /** Words that the RFC accepts and we do not; at least one if there are any. */
  readonly drops: readonly string[];
}

/** The grammar with every deviation in the place of the rule it redefines. */
export function deviate(grammar: Grammar, deviations: readonly GrammarDeviation[]): Grammar {
  const rules = new Map(grammar);
  for (const { abnf } of deviations) for (const [key, rule] of parseAbnf(abnf)) rules.set(key, rule);
  return rules;
}

/** What is wrong with the list: a deviation that differs in nothing, or whose words are not the words it differs in. */
export function deviationProblems(grammar: Grammar, deviations: readonly GrammarDeviation[], replacements: Replacements): string[] {
  const before = compiler(grammar, replacements);
  return deviations.flatMap((deviation) => {
    const { rule } = deviation;
    if (!parseAbnf(deviation.abnf).has(rule.toLowerCase())) return [`${rule}: its abnf does not define it`];
    const after = compiler(deviate(grammar, [deviation]), replacements)(rule);
    const sides = [
      { name: 'adds', words: deviation.adds, dfa: difference(after, before(rule)) },
      { name: 'drops', words: deviation.drops, dfa: difference(before(rule), after) },
    ];
    if (sides.every(({ dfa }) => isEmpty(dfa))) return [`${rule}: no longer differs from the RFC`];
    return sides.flatMap(({ name, words, dfa }) => {
      const wrong = words
        .filter((word) => !contains(dfa, latin1(word)))
        .map((word) => `${rule}: ${JSON.stringify(word)} is not in what it ${name}`);
      if (words.length === 0 && !isEmpty(dfa)) {
        const shortest = String.fromCharCode(...(shortestWord(dfa) as Uint8Array));
        wrong.push(`${rule}: "${name}" is empty, but it ${name} ${JSON.stringify(shortest)}`);
      }
      return wrong;
    });
  });
}
