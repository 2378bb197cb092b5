// Families of metrics as OpenMetrics text, version 1.0.0.

/** A family, and how it is counted. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  /** The last part of the name, where it has a unit. */
  readonly unit?: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** A value: of a histogram, the numbers of values in each bucket and their sum. */
export interface Sample {
  readonly labels: { readonly [name: string]: string };
  readonly value: number | Distribution;
}

/** Values by their sizes. */
export interface Distribution {
  /** The upper bounds of buckets, growing; one without a bound follows. */
  readonly bounds: readonly number[];
  /** How many values lie in each bucket and in none before it; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The text of all families, to its end. */
export function openMetrics(families: readonly Family[]): string {
  return `${families.map(familyText).join('')}# EOF\n`;
}

function familyText({ name, type, unit, help, samples }: Family): string {
  const head = [`# TYPE ${name} ${type}`, ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]), `# HELP ${name} ${escaped(help)}`];
  return `${[...head, ...samples.flatMap((sample) => sampleLines(name, type, sample))].join('\n')}\n`;
}

const SUFFIXES: { readonly [type in Family['type']]: string } = { counter: '_total', gauge: '', histogram: '', info: '_info' };

function sampleLines(name: string, type: Family['type'], { labels, value }: Sample): readonly string[] {
  if (typeof value === 'number') return [`${name}${SUFFIXES[type]}${labelText(labels)} ${numberText(value)}`];
  let below = 0;
  const buckets = value.counts.map((count, i) => {
    below += count;
    const le = i < value.bounds.length ? canonical(value.bounds[i]!) : '+Inf';
    return `${name}_bucket${labelText({ ...labels, le })} ${below}`;
  });
  return [...buckets, `${name}_count${labelText(labels)} ${below}`, `${name}_sum${labelText(labels)} ${numberText(value.sum)}`];
}

function labelText(labels: Sample['labels']): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return all.length === 0 ? '' : `{${all.join(',')}}`;
}

const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function escaped(text: string): string {
  return text.replaceAll(/[\\"\n]/g, (character) => ESCAPES[character]!);
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

/** Bounds are numbers with a point, so that each is written in one way only. */
function canonical(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
