import { SmtpUsageError } from './error.ts';

/**
 * The kind of an option's value: one of a list of words, or (in brackets) a list of these; a number within limits, an integer if it has a maximum; a
 * table, for an object with options of its own; or a name. `switch`: true or false. `string`. `text`: a string that is not empty. `number`: the caller
 * checks its range. `list`: an array. `values`: an array of objects. `set`: a Set. `call`: a function. `object`. `signal`: an AbortSignal. `any`: the
 * caller validates it. `given`: the same, and undefined is passed to the caller, too.
 */
export type OptionKind =
  | readonly string[]
  | readonly [readonly string[]]
  | readonly [least: number, most?: number]
  | 'switch'
  | 'string'
  | 'text'
  | 'number'
  | 'list'
  | 'values'
  | 'set'
  | 'call'
  | 'object'
  | 'signal'
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

/** The table of an interface: it has every name and no other, and no kind that does not suit the option's type. */
export type TableOf<T> = { readonly [name in keyof Required<T>]: 'any' | 'given' | KindOf<NonNullable<T[name]>> };

type KindOf<T> = [T] extends [boolean]
  ? 'switch'
  : [T] extends [string]
    ? string extends T
      ? 'text' | 'string'
      : readonly T[]
    : [T] extends [number]
      ? 'number' | readonly [least: number, most?: number]
      : ObjectKind<T>;

type ObjectKind<T> = T extends (...given: never[]) => unknown
  ? 'call'
  : T extends ReadonlySet<unknown>
    ? 'set'
    : T extends readonly (infer One)[]
      ? 'list' | 'values' | ([One] extends [string] ? readonly [readonly One[]] : never)
      : T extends object
        ? 'object' | TableOf<T> | (T extends { readonly aborted: boolean } ? 'signal' : never)
        : never;

/**
 * The options that were given, without those that are undefined. Throws `SmtpUsageError` `bad-option` for a name that the table does not have,
 * with the nearest that it has, and for a value that is not of its kind, `bad-limit` for a number below the least or above the most. A
 * misspelt option must not be silently ignored.
 * `others` has names that other programs use, in small letters, and what is meant by each; `path` is where they stand among other options.
 *
 * @example
 * ```ts
 * import { checkOptions } from '@ehlo/engine';
 * checkOptions<{ host?: string | undefined; port?: number }>({ host: 'text', port: [0, 65_535] }, { host: undefined, port: 25 })
 * // → { port: 25 }
 * ```
 */
export function checkOptions<T extends object>(table: TableOf<T>, given: T, others: OtherNames = {}, path = ''): T {
  const at = path === '' ? '' : `${path}.`;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    bad(`${path || 'the options argument'} is ${kindOf(given)}; it must be an object`);
  const values = given as { readonly [name: string]: unknown };
  const kinds = table as object as OptionTable;
  // Inherited properties count, too.
  for (const name in values) {
    if (values[name] !== undefined && !Object.hasOwn(kinds, name))
      bad(`there is no option ${at}${name}${didYouMean(name, Object.keys(kinds), at, others)}; ${listed(kinds, path)}`);
  }
  const options: { [name: string]: unknown } = {};
  for (const name in kinds) {
    const value = values[name];
    const kind = kinds[name]!;
    if (value !== undefined || (kind === 'given' && name in values)) options[name] = checkValue(kind, value, others, at + name);
  }
  return options as T;
}

/** A table of numbers. */
export function numbers<Name extends string>(names: readonly Name[]): { readonly [name in Name]: 'number' } {
  return Object.fromEntries(names.map((name) => [name, 'number'])) as { readonly [name in Name]: 'number' };
}

function checkValue(kind: OptionKind, value: unknown, others: OtherNames, path: string): unknown {
  if (isTable(kind)) {
    const isInstance = typeof value === 'object' && value !== null && !Array.isArray(value) && !isPlain(value);
    return isInstance ? ofInstance(kind, value, others, path) : checkOptions(kind as TableOf<object>, value as object, others, path);
  }
  if (isListOfWords(kind)) {
    const list = checkValue('list', value, others, path) as readonly unknown[];
    return list.map((one, i) => checkValue(kind[0], one, others, `${path}.${i}`));
  }
  const [must, fits] = typeof kind === 'string' ? KINDS[kind] : isRange(kind) ? within(kind) : oneOf(kind);
  if (fits(value)) return value;
  const code = typeof value === 'number' && isRange(kind) ? 'bad-limit' : 'bad-option';
  const hint = isWords(kind) && typeof value === 'string' ? didYouMean(value, kind, '') : '';
  throw new SmtpUsageError(code, `${path} is ${shown(value, typeof kind === 'object' || kind === 'switch')}; it must be ${must}${hint}`);
}

/** A text, or yes and no, are shown only where they can be no secret. */
function shown(value: unknown, mayShow: boolean): string {
  if (typeof value === 'number' || (mayShow && typeof value === 'boolean')) return String(value);
  return mayShow && typeof value === 'string' ? JSON.stringify(value) : kindOf(value);
}

/** What a value must be, and whether one is. */
type Rule = readonly [must: string, fits: (value: unknown) => boolean];

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);
const any: Rule = ['', () => true];

const KINDS: { readonly [kind in Extract<OptionKind, string>]: Rule } = {
  switch: ['true or false', (value) => typeof value === 'boolean'],
  string: ['a string', (value) => typeof value === 'string'],
  text: ['a string that is not empty', (value) => typeof value === 'string' && value !== ''],
  number: ['a number', (value) => typeof value === 'number'],
  list: ['an array', isArray],
  values: ['an array of objects that are imported, not of names', (value) => isArray(value) && value.every(isObject)],
  call: ['a function', (value) => typeof value === 'function'],
  set: ['a Set', (value) => isObject(value) && 'has' in value],
  object: ['an object', (value) => isObject(value) && !isArray(value)],
  signal: ['an AbortSignal, such as that of an AbortController', isSignal],
  any,
  given: any,
};

function isSignal(value: unknown): boolean {
  const { aborted, addEventListener } = (value ?? {}) as { readonly aborted?: unknown; readonly addEventListener?: unknown };
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}

/**
 * The options of an object of a class. It may have other members, but none of its own whose name is close to that of an option; methods of its class
 * may have any name. An object with none of these options, such as a Map, is rejected.
 */
function ofInstance(table: OptionTable, value: object, others: OtherNames, path: string): object {
  const members = value as { readonly [name: string]: unknown };
  const names = Object.keys(table);
  const odd = Object.keys(value).find((name) => !Object.hasOwn(table, name) && didYouMean(name, names, '') !== '');
  if (odd !== undefined) bad(`there is no option ${path}.${odd}${didYouMean(odd, names, `${path}.`, others)}; ${listed(table, path)}`);
  const options: { [name: string]: unknown } = {};
  for (const [name, kind] of Object.entries(table)) {
    const member = members[name];
    if (member === undefined) continue;
    const checked = checkValue(kind, member, others, `${path}.${name}`);
    options[name] = typeof checked === 'function' ? checked.bind(value) : checked;
  }
  if (Object.keys(options).length === 0) bad(`${path} is ${classOf(value)} without any of its options; ${listed(table, path)}`);
  return options;
}

function classOf(value: object): string {
  const { name } = (value.constructor ?? {}) as { readonly name?: unknown };
  return typeof name === 'string' && name !== '' ? `a ${name}` : 'an object';
}

/** One of some words. */
function oneOf(words: readonly string[]): Rule {
  return [`one of ${words.join(', ')}`, (value) => (words as readonly unknown[]).includes(value)];
}

/** A number, whole where it has a most. */
function within([least, most]: readonly [number, number?]): Rule {
  if (most === undefined) return [`a number, at least ${least}`, (value) => typeof value === 'number' && value >= least];
  const fits = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  return [`a whole number from ${least} to ${most}`, fits];
}

function isTable(kind: OptionKind): kind is OptionTable {
  return typeof kind === 'object' && !isArray(kind);
}

function isRange(kind: OptionKind): kind is readonly [number, number?] {
  return isArray(kind) && typeof kind[0] === 'number';
}

function isListOfWords(kind: OptionKind): kind is readonly [readonly string[]] {
  return isArray(kind) && isArray(kind[0]);
}

function isWords(kind: OptionKind): kind is readonly string[] {
  return isArray(kind) && typeof kind[0] === 'string';
}

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

/**
 * Whether one is the other but for one place: two letters of it are wrong, missing or too many at the most, one in short names, or two that
 * stand side by side are exchanged.
 */
function isNear(a: string, b: string): boolean {
  const long = Math.max(a.length, b.length);
  let from = 0;
  while (from < long && a[from] === b[from]) from++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - from && a.at(-1 - end) === b.at(-1 - end)) end++;
  const [ours, theirs] = [a, b].map((text) => text.slice(from, text.length - end)) as [string, string];
  return long - from - end <= Math.max(1, Math.min(2, Math.floor(b.length / 3))) || (ours.length === 2 && theirs === ours[1]! + ours[0]!);
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
