// The tables of options of docs/relay.md, from the same table.

import { FORMS } from './forms.ts';
import type { Kind, Option, Section } from './kinds.ts';
import { CONFIG } from './table.ts';

/** Every section with its options, as Markdown. */
export function configDocument(): string {
  return sectionsOf(CONFIG, '', []).map(tableOf).join('\n\n');
}

interface Placed {
  readonly section: Section;
  readonly path: string;
}

/** A section, and those in it, in the order in which they are met. */
function sectionsOf(section: Section, path: string, by: readonly string[]): readonly Placed[] {
  const inner = Object.entries(section.options).flatMap(([name, { kind }]) => ofKind(kind, path === '' ? name : `${path}.${name}`));
  return [{ section, path: [path, ...by].filter((part) => part !== '').join(', ') }, ...inner];
}

function ofKind(kind: Kind, path: string): readonly Placed[] {
  switch (kind.is) {
    case 'list':
      return ofKind(kind.of, `${path}[]`);
    case 'map':
      return ofKind(kind.of, `${path}.*`);
    case 'section':
      return sectionsOf(kind.section, path, []);
    case 'variant':
      return Object.entries(kind.of).flatMap(([word, section]) => sectionsOf(section, path, [`${kind.by} "${word}"`]));
    default:
      return [];
  }
}

function tableOf({ section: { title, words, options }, path }: Placed): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const { words, source } = option;
    const said = source === undefined ? words : `${words} ${source}.`;
    return `| \`${name}\` | ${typeOf(option.kind)} | ${usualOf(option)} | ${escaped(said)} |`;
  });
  const table = rows.length === 0 ? [] : ['', '| option | | default | |', '|---|---|---|---|', ...rows];
  return [`### ${title}${path === '' ? '' : `: \`${path}\``}`, '', words, ...table].join('\n');
}

function usualOf({ default: usual, required }: Option): string {
  if (required === true) return 'required';
  return usual === undefined ? '' : `\`${JSON.stringify(usual)}\``;
}

function typeOf(kind: Kind): string {
  switch (kind.is) {
    case 'text':
      return escaped(FORMS[kind.form].must.replace(/,.*/, ''));
    case 'number':
      return kind.most === Number.MAX_SAFE_INTEGER ? `number ≥ ${kind.least}` : `${kind.least} to ${kind.most}`;
    case 'switch':
      return 'true, false';
    case 'word':
      return kind.words.map((one) => `\`"${one}"\``).join(', ');
    case 'duration':
      return 'time';
    case 'octets':
      return 'size';
    case 'secret':
      return '`{ file }` or `{ env }`';
    case 'list':
      return `list of: ${typeOf(kind.of)}`;
    case 'map':
      return `by ${escaped(FORMS[kind.key].must.replace(/,.*/, ''))}: ${typeOf(kind.of)}`;
    case 'section':
      return kind.section.title.toLowerCase();
    case 'variant':
      return `one by \`${kind.by}\``;
  }
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/[*<]/g, '\\$&');
}
