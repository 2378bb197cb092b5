// docs/options.md, and the docstrings of the interfaces, from the sections.
import { readFileSync } from 'node:fs';
import { sentencesOf, type Words } from '../../../ehlo/src/words/words.ts';
import type { OptionKind } from '../../../engine/src/index.ts';
import { SECTIONS, type Section } from './sections.ts';

/** Characters of a line of source. */
const WIDTH = 140;

/** The tables of docs/options.md. */
export function optionsDocument(): string {
  return SECTIONS.map(({ title, intro, table, words }) => {
    // The words stand in the order in which they are best read.
    const rows = Object.entries(words).flatMap(([name, its]) => (table === null || name in table ? [row(name, table?.[name], its)] : []));
    return [`## ${title}`, intro, ['| option | may be | default | what it is |', '|---|---|---|---|', ...rows].join('\n')].join('\n\n');
  }).join('\n\n');
}

/** Every source file of an interface, with the docstrings that its members have to have. */
export function* documentedSources(
  read: (file: string) => string = (file) => readFileSync(file, 'utf8'),
): Generator<[file: string, text: string]> {
  const files = new Map<string, string>();
  for (const section of SECTIONS) {
    for (const [file, name] of section.interfaces) files.set(file, withDocstrings(files.get(file) ?? read(file), file, name, section));
  }
  yield* files;
}

function row(name: string, kind: OptionKind | undefined, { what, more, type, unit, default: without, source }: Words): string {
  const text = sentencesOf({ what, ...(more === undefined ? {} : { more }), ...(source === undefined ? {} : { source }) });
  return `| \`${name}\` | ${[type ?? kindText(kind ?? 'any'), unit].filter((part) => part !== undefined).join(', ')} | ${without ?? ''} | ${text} |`;
}

const KINDS: { readonly [kind in Extract<OptionKind, string>]: string } = {
  switch: 'true, false',
  string: 'text',
  text: 'text',
  number: 'number',
  list: 'list',
  values: 'list',
  set: 'Set',
  call: 'function',
  object: 'object',
  signal: 'AbortSignal',
  any: '',
  given: '',
};

function kindText(kind: OptionKind): string {
  if (typeof kind === 'string') return KINDS[kind];
  if (!isList(kind)) return 'options';
  const [least, most] = kind as readonly [number, number?];
  if (typeof least === 'object') return `list of ${kindText(least)}`;
  if (typeof least !== 'number') return kind.map((word) => `\`'${word}'\``).join(', ');
  return most === undefined ? `number, at least ${least}` : `whole number, ${least} to ${most}`;
}

function isList(kind: OptionKind): kind is readonly string[] | readonly [number, number?] {
  return Array.isArray(kind);
}

/** The source with the words of each member of an interface as its docstring. */
function withDocstrings(source: string, file: string, name: string, { words, file: ofWords }: Section): string {
  const at = source.search(new RegExp(`^(?:export )?interface ${name}\\b`, 'm'));
  if (at < 0) throw new Error(`${file} has no interface ${name}`);
  const end = source.indexOf('\n}', at);
  const body = source.slice(at, end).replace(MEMBER, (_, start: string, member: string) => {
    if (words[member] === undefined) throw new Error(`${member} of ${name} (${file}) has no words: add them to ${ofWords}`);
    return `\n${docstring(sentencesOf(words[member]))}${start}${member}`;
  });
  return source.slice(0, at) + body + source.slice(end);
}

/** A member of an interface: the docstring before it, if there is one, and its name. */
const MEMBER = /\n(?: {2}\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?( {2}(?:readonly )?)(\w+)(?=\??[:(])/g;

/** What stands on one line: a name in backquotes, and a section, too. */
const WORD = /(?:`[^`]*`|RFC \d+(?: \d[\d.]*)?|\S)+/g;

function docstring(text: string): string {
  if (`  /** ${text} */`.length <= WIDTH) return `  /** ${text} */\n`;
  const lines: string[] = [];
  let line = '   *';
  for (const word of text.match(WORD)!) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '   *';
    }
    line += ` ${word}`;
  }
  return `  /**\n${[...lines, line].join('\n')}\n   */\n`;
}

/** Every sentence of the words that is long enough to be known by. */
export function wordSentences(): readonly string[] {
  const all = SECTIONS.flatMap(({ words }) => Object.values(words).flatMap(({ what, more = '' }) => [what, more]));
  return [...new Set(all)].filter((text) => text.length > 30);
}
