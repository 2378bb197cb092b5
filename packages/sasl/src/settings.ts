/** What a setting must be, and whether a value is that. */
type Rule = readonly [must: string, fits: (value: unknown) => boolean];

/** The settings that a function takes, by their names. */
export interface Rules {
  readonly [name: string]: Rule;
}

/** More than this no program asks for; it bounds the time that a line in a file can cost. */
const MOST_ITERATIONS = 10_000_000;

export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= MOST_ITERATIONS;
}

export const ITERATIONS_RULE: Rule = [`a whole number from 1 to ${MOST_ITERATIONS}`, isCount];
export const TEXT_RULE: Rule = ['a string', (value) => typeof value === 'string'];

/** Throws a `RangeError` for a setting that there is not, and for a value that one can't have: a setting that is misspelt must not do less than was meant. */
export function checkSettings(given: object, rules: Rules): void {
  if (typeof given !== 'object' || given === null)
    throw new RangeError(`what stands for the settings is ${kindOf(given)}; it must be an object`);
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (value === undefined) continue;
    if (rule === undefined) throw new RangeError(`there is no option ${name}; there are ${Object.keys(rules).join(', ')}`);
    checkSetting(name, value, rule);
  }
}

/** Throws a `RangeError` for a value that is not what it must be. */
export function checkSetting(name: string, value: unknown, [must, fits]: Rule): void {
  if (!fits(value)) throw new RangeError(`${name} is ${typeof value === 'number' ? value : kindOf(value)}; it must be ${must}`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
