// Reads OpenMetrics text, version 1.0.0, and takes nothing but that: its ABNF, and what the words beside it demand of names, suffixes, buckets and order.

interface ReadSample {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly value: number;
}

interface ReadFamily {
  readonly name: string;
  type: string;
  unit: string;
  help: string;
  readonly samples: ReadSample[];
}

const NAME = '[A-Za-z_:][A-Za-z0-9_:]*';
const LABEL = '[A-Za-z_][A-Za-z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\s\\S])*"';
/** realnumber, and the words for what is no finite number. */
const NUMBER = '[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN]';
const DESCRIPTOR = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) ([\\s\\S]*)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL}(?:,${LABEL})*)?)\\})? (${NUMBER})$`);

/** Suffixes that samples of a type have. */
const SUFFIXES: { readonly [type: string]: readonly string[] } = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum'],
  info: ['_info'],
};

/** Throws where a text is none. */
export function readOpenMetrics(text: string): readonly ReadFamily[] {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.pop() !== '# EOF') throw new Error('it does not end as it must');
  const families: ReadFamily[] = [];
  const told = new Set<string>();
  for (const line of lines) {
    const [, what, name, rest] = DESCRIPTOR.exec(line) ?? [];
    if (what !== undefined) descriptor(families, what, name!, rest!);
    else sample(families.at(-1), line, told);
  }
  for (const family of families) check(family);
  return families;
}

function descriptor(families: ReadFamily[], what: string, name: string, rest: string): void {
  let family = families.at(-1);
  if (family?.name !== name) {
    if (families.some((one) => one.name === name)) throw new Error(`${name} is told apart`);
    family = { name, type: '', unit: '', help: '', samples: [] };
    families.push(family);
  }
  if (family.samples.length > 0) throw new Error(`${name}: ${what} comes behind its samples`);
  const key = what.toLowerCase() as 'type' | 'unit' | 'help';
  if (family[key] !== '') throw new Error(`${name}: ${what} twice`);
  family[key] = key === 'help' ? unescaped(rest) : rest;
}

function sample(family: ReadFamily | undefined, line: string, told: Set<string>): void {
  const [, name, list = '', number] = SAMPLE.exec(line) ?? [];
  if (name === undefined || family === undefined) throw new Error(`no sample: ${JSON.stringify(line)}`);
  const suffixes = SUFFIXES[family.type];
  if (suffixes === undefined) throw new Error(`${family.name} has no type that is known: ${family.type}`);
  if (!suffixes.some((suffix) => name === `${family.name}${suffix}`))
    throw new Error(`${name} is no sample of ${family.name}, a ${family.type}`);
  const pairs = [...list.matchAll(new RegExp(LABEL, 'g'))].map(([one]): [string, string] => {
    const at = one.indexOf('=');
    return [one.slice(0, at), unescaped(one.slice(at + 2, -1))];
  });
  const labels = Object.fromEntries(pairs);
  if (Object.keys(labels).length !== pairs.length) throw new Error(`${line}: a label twice`);
  const key = `${name} ${JSON.stringify([...pairs].sort())}`;
  if (told.has(key)) throw new Error(`${line}: twice`);
  told.add(key);
  family.samples.push({ name, labels, value: numberOf(number!) });
}

function check({ name, type, unit, samples }: ReadFamily): void {
  if (unit !== '' && !name.endsWith(`_${unit}`)) throw new Error(`${name} does not end with its unit, ${unit}`);
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name}: a counter is not negative`);
  if (type === 'info' && samples.some(({ value }) => value !== 1)) throw new Error(`${name}: an info is 1`);
  if (type === 'histogram') for (const group of grouped(samples)) checkHistogram(name, group);
}

/** Buckets grow in bound and in number to the last, which is of all. */
function checkHistogram(name: string, group: readonly ReadSample[]): void {
  const buckets = group.filter((one) => one.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => numberOf(labels.le ?? ''));
  const values = buckets.map(({ value }) => value);
  const grows = (list: readonly number[], strictly: boolean): boolean =>
    list.every((one, i) => i === 0 || (strictly ? one > list[i - 1]! : one >= list[i - 1]!));
  if (buckets.length === 0 || !grows(bounds, true) || !grows(values, false)) throw new Error(`${name}: its buckets do not grow`);
  if (bounds.at(-1) !== Number.POSITIVE_INFINITY) throw new Error(`${name}: the last bucket has a bound`);
  if (buckets.some(({ labels }) => labels.le !== '+Inf' && !/[.e]/.test(labels.le!)))
    throw new Error(`${name}: a bound is a number with a point`);
  const count = group.find((one) => one.name === `${name}_count`)?.value;
  if (count !== values.at(-1)) throw new Error(`${name}: ${count} in all, and ${values.at(-1)} in its buckets`);
  if (!group.some((one) => one.name === `${name}_sum`)) throw new Error(`${name}: no sum`);
}

/** Samples with the same labels, but for the bounds, stand together. */
function grouped(samples: readonly ReadSample[]): readonly (readonly ReadSample[])[] {
  const groups = new Map<string, ReadSample[]>();
  let last = '';
  for (const one of samples) {
    const { le: _, ...labels } = one.labels;
    const key = JSON.stringify(labels);
    if (key !== last && groups.has(key)) throw new Error(`${one.name}: a metric is told apart`);
    last = key;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

function numberOf(text: string): number {
  const word = text.toLowerCase();
  if (word === 'nan') return Number.NaN;
  const [, sign = '', rest] = /^([+-]?)(inf|infinity)$/.exec(word) ?? [];
  if (rest !== undefined) return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

const ESCAPES: { readonly [character: string]: string } = { '\\': '\\', '"': '"', n: '\n' };

function unescaped(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (_, character: string) => ESCAPES[character] ?? `\\${character}`);
}
