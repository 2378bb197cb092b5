import { SmtpUsageError } from './error.ts';

/**
 * What an option may be: one of some words; `switch` true or false, `text` a string that is not empty, `number`, `port` 0 to 65535, `list` an array,
 * `values` one of objects, `set` a Set, `call` a function, `object`; a table where it has options of its own; `any` where it is judged by whoever
 * uses it, and `given` where that has to see, too, that it is undefined.
 */
export type OptionKind =
  | readonly string[]
  | 'switch'
  | 'text'
  | 'number'
  | 'port'
  | 'list'
  | 'values'
  | 'set'
  | 'call'
  | 'object'
  | 'any'
  | 'given'
  | OptionTable;

/** The options that there are, by their names. */
export interface OptionTable {
  readonly [name: string]: OptionKind;
}

/** What is meant by names that there are not, in small letters. */
export interface OtherNames {
  readonly [name: string]: string;
}

/** The table of an interface: it has every name, and no other. */
export type TableOf<T> = { readonly [name in keyof Required<T>]: OptionKind };

/**
 * The options that were given, without those that are undefined. Throws `SmtpUsageError` `bad-option` for a name that the table does not have,
 * with the nearest that it has, and for a value that is not of its kind: an option that is misspelt must not do less than was meant.
 * `others` has names that other programs use, in small letters, and what is meant by each; `path` is where they stand among other options.
 *
 * @example
 * ```ts
 * import { checkOptions } from '@ehlo/engine';
 * checkOptions<{ host?: string | undefined; port?: number }>({ host: 'text', port: 'port' }, { host: undefined, port: 25 })
 * // → { port: 25 }
 * ```
 */
export function checkOptions<T extends object>(table: TableOf<T>, given: T, others: OtherNames = {}, path = ''): T {
  const at = path === '' ? '' : `${path}.`;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    bad(`${path || 'what stands for the options'} is ${kindOf(given)}; it must be an object`);
  const values = given as { readonly [name: string]: unknown };
  // What is inherited is meant, too.
  for (const name in values) {
    if (values[name] !== undefined && !Object.hasOwn(table, name))
      bad(`there is no option ${at}${name}${didYouMean(name, Object.keys(table), at, others)}; ${listed(table, path)}`);
  }
  const options: { [name: string]: unknown } = {};
  for (const [name, kind] of Object.entries<OptionKind>(table)) {
    const value = values[name];
    if (value !== undefined || (kind === 'given' && name in values)) options[name] = checkValue(kind, value, others, at + name);
  }
  return options as T;
}

/** A table of numbers. */
export function numbers(names: readonly string[]): OptionTable {
  return Object.fromEntries(names.map((name) => [name, 'number']));
}

function checkValue(kind: OptionKind, value: unknown, others: OtherNames, path: string): unknown {
  if (typeof kind === 'object' && !isWords(kind)) {
    // An object of a class, such as certificates that can be replaced, knows by itself what it is.
    const isInstance = typeof value === 'object' && value !== null && !Array.isArray(value) && !isPlain(value);
    return isInstance ? value : checkOptions(kind, value as object, others, path);
  }
  const [fits, must] = isWords(kind)
    ? ([(kind as readonly unknown[]).includes(value), `one of ${kind.join(', ')}`] as const)
    : KINDS[kind](value);
  if (fits) return value;
  const hint = isWords(kind) && typeof value === 'string' ? didYouMean(value, kind, '') : '';
  // A value is shown only where it can be no secret.
  const mayShow = typeof value !== 'bigint' && (isWords(kind) || kind === 'switch' || kind === 'port');
  const shown = mayShow ? JSON.stringify(value) : kindOf(value);
  return bad(`${path} is ${shown}; it must be ${must}${hint}`);
}

const KINDS: { readonly [kind in Extract<OptionKind, string>]: (value: unknown) => readonly [boolean, string] } = {
  switch: (value) => [typeof value === 'boolean', 'true or false'],
  text: (value) => [typeof value === 'string' && value !== '', 'a string that is not empty'],
  number: (value) => [typeof value === 'number', 'a number'],
  port: (value) => [Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535, 'a whole number from 0 to 65535'],
  list: (value) => [Array.isArray(value), 'an array'],
  values: (value) => [
    Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null),
    'an array of objects that are imported, not of names',
  ],
  call: (value) => [typeof value === 'function', 'a function'],
  set: (value) => [typeof (value as { readonly has?: unknown } | null)?.has === 'function', 'a Set'],
  object: (value) => [typeof value === 'object' && value !== null, 'an object'],
  any: () => [true, ''],
  given: () => [true, ''],
};

/** `: did you mean …?`, or nothing where no name is near. */
export function didYouMean(name: string, names: readonly string[], at: string, others: OtherNames = {}): string {
  const small = name.toLowerCase();
  const nearest = (text: string): string | undefined =>
    names.find((one) => one.toLowerCase() === text) ?? names.find((one) => isNear(text, one.toLowerCase()));
  const other = Object.hasOwn(others, small) ? others[small] : undefined;
  const near = nearest(small) ?? (other === undefined ? nearest(small.replace(/^on/, '')) : undefined);
  const meant = near === undefined ? other : at + near;
  return meant === undefined ? '' : `: did you mean ${meant}?`;
}

function listed(table: object, path: string): string {
  return `${path === '' ? 'there are' : `${path} has`} ${Object.keys(table).join(', ')}`;
}

/** Whether one is the other with two letters wrong, missing or too many at the most; fewer in short names. Two that are exchanged count as one. */
function isNear(a: string, b: string): boolean {
  let earlier: number[] = [];
  let before = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(before[j]! + 1, row[j - 1]! + 1, before[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, earlier[j - 2]! + 1);
    }
    earlier = before;
    before = row;
  }
  return before[b.length]! <= Math.min(2, Math.floor(b.length / 3));
}

function isWords(kind: OptionKind): kind is readonly string[] {
  return Array.isArray(kind);
}

/** Whether it is an object of no class; its realm does not matter. */
export function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What a value is, in words that tell nothing of it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Promise) return 'a promise, which has to be awaited';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function bad(text: string): never {
  throw new SmtpUsageError('bad-option', text);
}
