// The fields of a status or feedback part: short, and given whole.
import { trimmed } from './field.ts';
import type { ReportDeviation } from './report-deviation.ts';

/** Fields of a report part, unfolded, by their names in small letters; the first of a name counts. */
export interface FieldGroup {
  readonly fields: ReadonlyMap<string, string>;
  /** All of them, as they were written, in order. */
  readonly all: readonly (readonly [name: string, text: string])[];
}

/** Ours: so many fields and groups are read. */
const MOST_FIELDS = 100_000;

/** Reads groups of fields with blank lines between them. What is odd about the lines is told in `found`. */
export function fieldGroups(text: string, found: Set<ReportDeviation>): FieldGroup[] {
  if (/(?:^|[^\r])\n|\r(?!\n)/.test(text)) found.add('bare-lf');
  const groups: FieldGroup[] = [];
  let all: [name: string, text: string][] = [];
  let read = 0;
  let blank = 0;
  const close = (): void => {
    if (all.length > 0) groups.push(grouped(all));
    all = [];
  };
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (trimmed(line) === '') {
      blank++;
      close();
      continue;
    }
    if (blank > 1 && groups.length > 0) found.add('extra-blank-line');
    blank = 0;
    const colon = /^[!-9;-~]+[ \t]*:/.exec(line);
    const last = all.at(-1);
    if (colon === null || /^[ \t]/.test(line)) {
      if (!/^[ \t]/.test(line)) found.add('no-colon');
      if (last !== undefined) last[1] = `${last[1]}${/^[ \t]/.test(line) ? '' : ' '}${line}`;
      continue;
    }
    if (++read > MOST_FIELDS) {
      found.add('cut');
      break;
    }
    all.push([trimmed(colon[0].slice(0, -1)), line.slice(colon[0].length)]);
  }
  close();
  return groups.map(({ all: raw }) => grouped(raw.map(([name, value]) => [name, clean(value, found)])));
}

function grouped(all: readonly (readonly [name: string, text: string])[]): FieldGroup {
  const fields = new Map<string, string>();
  for (const [name, text] of all) if (!fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), text);
  return { fields, all };
}

/** A value without the white space around it; control characters, of C1 too, become spaces. */
function clean(text: string, found: Set<ReportDeviation>): string {
  if (!CONTROL.test(text)) return trimmed(text);
  found.add('control');
  return trimmed(text.replaceAll(CONTROLS, ' '));
}

/** Tabs are white space. */
const CONTROL = /[^\P{Cc}\t]/u;
export const CONTROLS: RegExp = /[^\P{Cc}\t]/gu;

/** A text without the comment at its end (RFC 3464 2.1.1), and without the white space around it. Comments nest. */
export function withoutComment(text: string): string {
  let end = trimmed(text);
  while (end.endsWith(')')) {
    let depth = 0;
    let i = end.length;
    do {
      i--;
      if (end[i] === ')') depth++;
      else if (end[i] === '(') depth--;
    } while (i > 0 && depth > 0);
    if (depth > 0) break;
    end = trimmed(end.slice(0, i));
  }
  return end;
}
