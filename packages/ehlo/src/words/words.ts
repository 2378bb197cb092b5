// The words of options and limits: `docs/options.md`, the docstrings of the interfaces and `--help` are made of them (scripts/options.mjs).
// Nothing that a program imports imports this folder.

/** What is said of an option. */
export interface Words {
  /** What it is, in one sentence, without the capital and the full stop. */
  readonly what: string;
  /** What there is to know beyond that, in whole sentences. */
  readonly more?: string;
  /** The type, where the table leaves the check to the caller; in Markdown. */
  readonly type?: string;
  readonly unit?: string;
  /** What holds where it is left out; absent: nothing does, or it has to be given. */
  readonly default?: string;
  /** The section of the standard that it is from; "ours" where a number is from none. */
  readonly source?: string;
}

/** The words of every option of an interface: the compiler names those that lack them. */
export type WordsOf<T> = { readonly [name in keyof Required<T>]: Words };

/** The words of an option in whole sentences, as a docstring has them. */
export function sentencesOf({ what, more, unit, default: without, source }: Words): string {
  const facts = [unit, without === undefined ? undefined : `default: ${without}`, source].filter((fact) => fact !== undefined).join('; ');
  return [what, more, facts]
    .filter((part): part is string => part !== undefined && part !== '')
    .map(sentence)
    .join(' ');
}

/** The words of an option in a line of `--help`. */
export function helpOf({ what }: Words): string {
  return what.replaceAll('`', '');
}

/** With its capital, unless it begins with a name in quotes, and with its full stop. */
function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}${/[.…]$/.test(text) ? '' : '.'}`;
}
