// What is wrong for an option by its kind, and what is said of it: where it stands, what was given, what is possible, and which word was meant.
import type { OptionKind } from '../../../engine/src/index.ts';

/** A value that is wrong, what the error says behind the option's name, and its code. */
export interface WrongValue {
  readonly value: unknown;
  readonly said: string;
  readonly code: 'bad-option' | 'bad-limit';
}

const option = (value: unknown, said: string): WrongValue => ({ value, said, code: 'bad-option' });
const limit = (value: number, must: string): WrongValue => ({ value, said: `is ${value}; it must be ${must}`, code: 'bad-limit' });

const OBJECTS = 'an array of objects that are imported, not of names';
const SIGNAL = 'an AbortSignal, such as that of an AbortController';
const TEXT = 'a string that is not empty';

const KINDS: { readonly [kind in Extract<OptionKind, string>]: readonly WrongValue[] } = {
  switch: [option('yes', 'is "yes"; it must be true or false'), option(1, 'is 1; it must be true or false')],
  string: [option(5, 'is 5; it must be a string'), option(null, 'is null; it must be a string')],
  text: [option('', `is a string; it must be ${TEXT}`), option(5, `is 5; it must be ${TEXT}`)],
  number: [option('5', 'is a string; it must be a number')],
  list: [option('a', 'is a string; it must be an array'), option({}, 'is an object; it must be an array')],
  values: [option('a', `is a string; it must be ${OBJECTS}`), option(['a'], `is an array; it must be ${OBJECTS}`)],
  set: [option(['a'], 'is an array; it must be a Set'), option('a', 'is a string; it must be a Set')],
  call: [option({}, 'is an object; it must be a function'), option(true, 'is a boolean; it must be a function')],
  object: [option(true, 'is a boolean; it must be an object'), option('a', 'is a string; it must be an object')],
  signal: [option({}, `is an object; it must be ${SIGNAL}`), option(null, `is null; it must be ${SIGNAL}`)],
  any: [],
  given: [],
};

/** The wrong values of a kind; none where whoever uses the option judges it. */
export function wrongValues(kind: OptionKind): readonly WrongValue[] {
  if (typeof kind === 'string') return KINDS[kind];
  if (isList(kind)) return typeof kind[0] === 'number' ? beyond(kind as readonly [number, number?]) : words(kind as readonly string[]);
  return [option(5, 'is a number; it must be an object'), option([], 'is an array; it must be an object')];
}

function words(kind: readonly string[] | readonly [readonly string[]]): readonly WrongValue[] {
  const [inner] = kind;
  if (typeof inner !== 'string') {
    const [{ value, said }] = words(inner!) as [WrongValue];
    return [...KINDS.list, option([inner![0], value], said)];
  }
  const must = `it must be one of ${kind.join(', ')}`;
  const near = misspelt(inner);
  return [
    option(near, `is ${JSON.stringify(near)}; ${must}: did you mean ${inner}?`),
    option(true, `is true; ${must}`),
    option(5, `is 5; ${must}`),
  ];
}

function beyond([least, most]: readonly [number, number?]): readonly WrongValue[] {
  const must = most === undefined ? `a number, at least ${least}` : `a whole number from ${least} to ${most}`;
  const above = most === undefined ? [] : [limit(most + 1, must), limit(least + 0.5, must)];
  const text = option(String(least), `is "${least}"; it must be ${must}`);
  return [text, limit(least - 1, must), limit(Number.NaN, must), ...above];
}

/** The name with one letter too many. */
export function misspelt(name: string): string {
  return `${name.slice(0, 1)}${name}`;
}

function isList(kind: OptionKind): kind is Extract<OptionKind, readonly unknown[]> {
  return Array.isArray(kind);
}
