import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { colours } from './colours.ts';
import { jsonLine } from './json-line.ts';

/** What is known of a section of an RFC. */
interface Section {
  readonly requirements: readonly Requirement[];
  readonly rows: readonly Row[];
  readonly sources: readonly SourceLine[];
}

/** A row of a state machine, as test-vectors/states.json has it. */
interface Row {
  readonly table: 'server' | 'client' | 'transaction';
  readonly from: readonly string[];
  readonly on: string;
  readonly guards?: readonly string[];
  readonly checks?: readonly string[];
  readonly when?: readonly string[];
  readonly asks?: string;
  readonly effect?: string;
  readonly effects?: readonly string[];
  readonly reply?: string;
  readonly refuse?: string;
  readonly to?: string;
  readonly cause?: string;
  readonly close?: string;
  readonly misuse?: string;
}

interface Requirement {
  readonly id: string;
  readonly level: string;
  readonly actor: string;
  readonly statement: string;
  /** `server/rcpt.json: rcpt-moved`: transcripts and cases that show it. */
  readonly vectors: readonly string[];
}

interface SourceLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** RFC → section → what is known of it; made by scripts/rfc-index.mjs. */
type Index = { readonly [rfc: string]: { readonly [section: string]: Section } };

/** An RFC or a section that nothing here is about, and what there is instead. */
export class SectionError extends Error {}

/** The options of `ehlo rfc`. */
export interface RfcCommandOptions {
  readonly json: boolean;
}

/**
 * Shows what there is of a section of an RFC and of those below it: what it asks for, which test vectors show that, the rows of the state machine
 * that carry it out, and the lines of the source that name it. Without a section: the sections, with counts; without an RFC: the RFCs. A SectionError names what there is instead.
 */
export function rfcCommand(
  rfc: string | undefined,
  section: string | undefined,
  options: RfcCommandOptions,
  write: (line: string) => void,
): void {
  const index = JSON.parse(gunzipSync(readFileSync(new URL('../dist/rfc-index.json.gz', import.meta.url))).toString()) as Index;
  if (rfc === undefined) {
    const counts = Object.entries(index).map(([number, sections]) => [`RFC ${number}`, Object.values(sections)] as const);
    return list(counts, options, write);
  }
  const number = rfc.replace(/^RFC ?/i, '');
  const sections = index[number];
  if (sections === undefined)
    throw new SectionError(`nothing here is about RFC ${number}; there is something of RFC ${Object.keys(index).join(', ')}`);
  const names = Object.keys(sections).sort(bySection);
  if (section === undefined)
    return list(
      names.map((name) => [name, [sections[name]!]] as const),
      options,
      write,
    );
  const wanted = section.replace(/^§ ?/, '');
  const found = names.filter((name) => name === wanted || name.startsWith(`${wanted}.`));
  if (found.length === 0) throw new SectionError(`nothing here is about RFC ${number}, section ${wanted}; there is: ${names.join(', ')}`);
  if (options.json) return write(jsonLine(Object.fromEntries(found.map((name) => [name, sections[name]]))));
  for (const name of found) show(`RFC ${number} ${name}`, sections[name]!, write);
}

function list(
  entries: readonly (readonly [string, readonly Section[]])[],
  { json }: RfcCommandOptions,
  write: (line: string) => void,
): void {
  const counted = entries.map(([name, sections]) => {
    const requirements = sections.flatMap((section) => section.requirements);
    const vectors = new Set(requirements.flatMap((requirement) => requirement.vectors)).size;
    return { name, requirements: requirements.length, vectors, sources: sections.flatMap((section) => section.sources).length };
  });
  if (json) return write(jsonLine(counted));
  write(colours.dim(`${''.padEnd(10)} requirements  vectors  source lines`));
  for (const { name, requirements, vectors, sources } of counted)
    write(`${name.padEnd(10)} ${String(requirements).padStart(12)}  ${String(vectors).padStart(7)}  ${String(sources).padStart(12)}`);
}

/** The shortest list of vectors is the most telling: more of them only fill the screen. */
const VECTORS_SHOWN = 5;

function show(title: string, { requirements, rows, sources }: Section, write: (line: string) => void): void {
  write(colours.bold(title));
  for (const { id, level, actor, statement, vectors } of requirements) {
    write(`  ${colours.cyan(id)} ${colours.yellow(level)} ${colours.dim(`(${actor})`)} ${statement}`);
    for (const vector of vectors.slice(0, VECTORS_SHOWN)) write(`    test-vectors/${vector}`);
    if (vectors.length > VECTORS_SHOWN) write(colours.dim(`    and ${vectors.length - VECTORS_SHOWN} more (--json has all)`));
  }
  for (const row of rows) write(`  ${colours.magenta(`${row.table}: ${row.on} in ${row.from.join(', ')}`)}: ${carriedOut(row)}`);
  for (const { file, line, text } of sources) write(`  ${colours.green(`${file}:${line}`)} ${text}`);
  write('');
}

/** What a row does, in the names of the state machine. */
function carriedOut({ guards = [], checks = [], when = [], effect, effects = [], ...row }: Row): string {
  const conditions = [...guards, ...checks, ...when];
  const done = effect === undefined ? effects : [effect];
  const parts = [
    conditions.length === 0 ? '' : `if ${conditions.join(', ')}`,
    row.refuse === undefined ? '' : `refused by ${row.refuse}`,
    row.misuse === undefined ? '' : `throws ${row.misuse}`,
    row.asks === undefined ? '' : `asks ${row.asks}`,
    done.length === 0 ? '' : `does ${done.join(', ')}`,
    row.reply === undefined ? '' : `says ${row.reply}`,
    row.to === undefined ? '' : `then ${row.to}${row.cause === undefined ? '' : ` (${row.cause})`}`,
    row.close === undefined ? '' : `then closed (${row.close})`,
  ];
  return parts.filter((part) => part !== '').join('; ') || 'stays';
}

/** 4.2 before 4.10, numbers before appendices. */
function bySection(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
