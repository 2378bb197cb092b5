import { readFile } from 'node:fs/promises';
import { AbnfSyntaxError, compareGrammars, type Grammar, type GrammarDifference, parseAbnf } from '@ehlo/proof';
import { colours } from './colours.ts';
import { jsonLine } from './json-line.ts';
import { MessageError } from './send-message.ts';

/** The options of `ehlo abnf`. */
export interface AbnfCommandOptions {
  readonly depth: number;
  readonly json: boolean;
}

/** Shows which rules of two grammars differ, each with a shortest word. Resolves to whether none does. */
export async function abnfCommand(
  first: string,
  second: string,
  { depth, json }: AbnfCommandOptions,
  write: (line: string) => void,
): Promise<boolean> {
  const found = compareGrammars(await grammarOf(first), await grammarOf(second), depth);
  if (json) write(jsonLine(found));
  else show(found, depth, write);
  return found.different.length + found.onlyInFirst.length + found.onlyInSecond.length === 0;
}

/** The rules of a file, or of several with commas between, of which each may extend those before. */
async function grammarOf(files: string): Promise<Grammar> {
  let grammar: Grammar = new Map();
  for (const file of files.split(',')) {
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new MessageError(`${file} can't be read: ${error.message}`);
    });
    try {
      grammar = parseAbnf(text, grammar);
    } catch (error) {
      if (!(error instanceof AbnfSyntaxError)) throw error;
      throw new Error(`${file}: ${error.message}`);
    }
  }
  return grammar;
}

const { bold, dim, green, red } = colours;

function show(
  { same, different, onlyInFirst, onlyInSecond, bounded, undecided }: GrammarDifference,
  depth: number,
  write: (line: string) => void,
): void {
  for (const { rule, onlyInFirst: lost, onlyInSecond: won, through, rewritten } of different) {
    const own = rewritten || through.length === 0;
    write(`${bold(rule)}${own ? '' : dim(` by ${through.join(', ')}`)}${bounded.includes(rule) ? dim(` (to a depth of ${depth})`) : ''}`);
    if (lost !== null) write(`  ${red('-')} ${lost}`);
    if (won !== null) write(`  ${green('+')} ${won}`);
  }
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['only in the first', onlyInFirst],
    ['only in the second', onlyInSecond],
    [`refer to themselves, compared to a depth of ${depth}`, bounded],
  ];
  for (const [what, rules] of lists) if (rules.length > 0) write(`${what}: ${rules.join(', ')}`);
  for (const { rule, because } of undecided) write(`not compared: ${rule}: ${because}`);
  write(`${different.length} rules differ, ${same.length} are the same`);
}
