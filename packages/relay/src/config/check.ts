// Reads a configuration: all that is wrong at once, each with its place, what it is, and what it must be.

import { didYouMean } from '@ehlo/engine';
import type { RelayConfig } from './config.ts';
import { FORMS } from './forms.ts';
import type { Kind, Option, Section } from './kinds.ts';
import { CONFIG } from './table.ts';
import { together } from './together.ts';
import { millisecondsOf, octetsOf } from './units.ts';

/** What is wrong. */
export interface ConfigProblem {
  /** Where it stands, by names and numbers with dots between: `listeners.0.port`. Empty: the whole. */
  readonly path: string;
  /** What it is, and what to do. Never a secret. */
  readonly text: string;
}

/** A configuration that can not be taken; the message has every problem, one a line. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ text }) => text).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads a configuration as JSON has it. Throws `ConfigError` with all that is wrong: options that there are not, with the nearest that there
 * is; values of another kind; and what contradicts each other.
 *
 * @example
 * ```ts
 * import { readConfig } from '@ehlo/relay';
 * const { listeners, limits } = readConfig({
 *   hostname: 'mx.example.org',
 *   postmaster: 'ann@example.net',
 *   listeners: [{ kind: 'mx' }],
 *   queue: { kind: 'memory' },
 * });
 * [listeners[0]?.port, limits.messageSize]
 * // → [25, 36700160]
 * ```
 */
export function readConfig(value: unknown): RelayConfig {
  const problems: ConfigProblem[] = [];
  const read = readSection(CONFIG, value, '', problems);
  // What is wrong in itself would be told a second time, and otherwise.
  const config = problems.length === 0 ? together(read as unknown as RelayConfig, problems) : null;
  if (config === null || problems.length > 0) throw new ConfigError(problems);
  return config;
}

type Values = { readonly [name: string]: unknown };

function readSection({ options }: Section, value: unknown, path: string, problems: ConfigProblem[], by?: string): Values {
  if (!isObject(value)) {
    problems.push({ path, text: `${path === '' ? 'the configuration' : path} is ${shown(value)}; it must be an object` });
    return {};
  }
  const names = [...(by === undefined ? [] : [by]), ...Object.keys(options)];
  const inner = (name: string): string => (path === '' ? name : `${path}.${name}`);
  // An editor finds the schema by it.
  const unknown = Object.keys(value).filter((name) => !names.includes(name) && !(path === '' && name === '$schema'));
  for (const name of unknown) {
    const hint = didYouMean(name, names, '');
    problems.push({
      path: inner(name),
      text: `there is no option ${inner(name)}${hint}${hint === '' ? `; there are ${names.join(', ')}` : ''}`,
    });
  }
  const read: { [name: string]: unknown } = by === undefined ? {} : { [by]: value[by] };
  for (const [name, option] of Object.entries(options)) {
    const given = Object.hasOwn(value, name) ? value[name] : option.default;
    if (given !== undefined) read[name] = readValue(option.kind, given, inner(name), problems);
    else if (option.required === true) problems.push({ path, text: `${inner(name)} is missing: ${lowered(option)}` });
  }
  return read;
}

function readValue(kind: Kind, value: unknown, path: string, problems: ConfigProblem[]): unknown {
  const bad = (must: string): undefined => void problems.push({ path, text: `${path} is ${shown(value)}; it must be ${must}` });
  switch (kind.is) {
    case 'text': {
      const { must, example, fits } = FORMS[kind.form];
      return typeof value === 'string' && fits(value) ? value : bad(`${must}, such as ${JSON.stringify(example)}`);
    }
    case 'number': {
      const fits = Number.isInteger(value) && (value as number) >= kind.least && (value as number) <= kind.most;
      const range = kind.most === Number.MAX_SAFE_INTEGER ? `of at least ${kind.least}` : `from ${kind.least} to ${kind.most}`;
      return fits ? value : bad(`a whole number ${range}`);
    }
    case 'switch':
      return typeof value === 'boolean' ? value : bad('true or false');
    case 'word': {
      if (kind.words.includes(value as string)) return value;
      return bad(`one of ${kind.words.join(', ')}${typeof value === 'string' ? didYouMean(value, kind.words, '') : ''}`);
    }
    case 'duration': {
      const read = millisecondsOf(value);
      const range = kind.most === Number.MAX_SAFE_INTEGER ? `at least ${kind.least}ms` : `from ${kind.least}ms to ${kind.most}ms`;
      return read !== null && read >= kind.least && read <= kind.most
        ? read
        : bad(`a time with its unit, ${range}, such as "30s", "5m", "4h" or "5d"`);
    }
    case 'octets': {
      const read = octetsOf(value);
      return read !== null && read >= kind.least
        ? read
        : bad(`a number of octets, at least ${kind.least}, or one with its unit, such as "35MiB"`);
    }
    case 'secret': {
      const [name, ...more] = isObject(value) ? Object.keys(value) : [];
      const fits = isObject(value) && more.length === 0 && (name === 'file' || name === 'env') && FORMS.text.fits(String(value[name]));
      if (fits && typeof value[name] === 'string') return value;
      problems.push({
        path,
        text: `${path} must say where the secret stands: { "file": "/etc/ehlo/secret" } or { "env": "NAME" }; it is never written here`,
      });
      return undefined;
    }
    case 'list': {
      if (!Array.isArray(value)) return bad('a list, in square brackets');
      if (value.length < (kind.least ?? 0)) return bad(`a list of at least ${kind.least}`);
      return value.map((one, i) => readValue(kind.of, one, `${path}.${i}`, problems));
    }
    case 'map':
      return readMap(kind, value, path, problems);
    case 'section':
      return readSection(kind.section, value, path, problems);
    case 'variant': {
      const words = Object.keys(kind.of);
      const chosen = isObject(value) ? value[kind.by] : undefined;
      const section = typeof chosen === 'string' && Object.hasOwn(kind.of, chosen) ? kind.of[chosen] : undefined;
      if (section !== undefined) return readSection(section, value, path, problems, kind.by);
      const where = isObject(value) ? `${path}.${kind.by}` : path;
      const hint = typeof chosen === 'string' ? didYouMean(chosen, words, '') : '';
      const must = isObject(value) ? `one of ${words.join(', ')}${hint}` : `an object with ${kind.by}, one of ${words.join(', ')}`;
      problems.push({ path: where, text: `${where} is ${shown(isObject(value) ? chosen : value)}; it must be ${must}` });
      return undefined;
    }
  }
}

function readMap({ key, of }: Extract<Kind, { is: 'map' }>, value: unknown, path: string, problems: ConfigProblem[]): unknown {
  if (!isObject(value)) {
    problems.push({ path, text: `${path} is ${shown(value)}; it must be an object whose names are each ${FORMS[key].must}` });
    return {};
  }
  const entries = Object.entries(value).map(([name, one]): [string, unknown] => {
    const inner = `${path}.${name}`;
    if (!FORMS[key].fits(name)) {
      const text = `${inner} has the name ${JSON.stringify(name)}; it must be ${FORMS[key].must}, such as ${JSON.stringify(FORMS[key].example)}`;
      problems.push({ path: inner, text });
    }
    return [name, readValue(of, one, inner, problems)];
  });
  return Object.fromEntries(entries);
}

function lowered({ words }: Option): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}
