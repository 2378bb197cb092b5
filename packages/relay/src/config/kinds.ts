// What an option of the configuration may be. A table of options is made of these, and all that is known of them follows from it.

import type { FormName } from './forms.ts';

/** The kind of a value. */
export type Kind =
  | { readonly is: 'text'; readonly form: FormName }
  | { readonly is: 'number'; readonly least: number; readonly most: number }
  | { readonly is: 'switch' }
  | { readonly is: 'word'; readonly words: readonly string[] }
  /** A number with its unit: `30s`, `5m`, `4h`, `5d`, `500ms`. Its value: milliseconds. */
  | { readonly is: 'duration'; readonly least: number; readonly most: number }
  /** A number of octets, or one with its unit: `64KiB`, `35MiB`, `1GiB`. */
  | { readonly is: 'octets'; readonly least: number }
  /** Where a secret stands: `{ "file": … }` or `{ "env": … }`. Never the secret itself. */
  | { readonly is: 'secret' }
  | { readonly is: 'list'; readonly of: Kind; readonly least?: number }
  | { readonly is: 'map'; readonly key: FormName; readonly of: Kind }
  | { readonly is: 'section'; readonly section: Section }
  /** One of several sections, by a word in it. */
  | { readonly is: 'variant'; readonly by: string; readonly of: { readonly [word: string]: Section } };

/** An option, whole. */
export interface Option {
  readonly kind: Kind;
  /** One sentence, for the page and the schema. */
  readonly words: string;
  /** As it would stand in the configuration. Neither this nor `required`: it may be left out, and then there is none. */
  readonly default?: unknown;
  readonly required?: true;
  /** Where the rule or the number comes from. */
  readonly source?: string;
}

/** Options that stand together. */
export interface Section {
  /** What it is called on the page. */
  readonly title: string;
  readonly words: string;
  readonly options: { readonly [name: string]: Option };
}

/** The options of an interface, each with a row. */
export type OptionsOf<T> = { readonly [name in keyof Required<T>]: Option };

/** Names one of a variant's sections; is written down by itself. */
export const SECRET: Kind = { is: 'secret' };
export const SWITCH: Kind = { is: 'switch' };

export function text(form: FormName): Kind {
  return { is: 'text', form };
}

export function number(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind {
  return { is: 'number', least, most };
}

export function word(...words: readonly string[]): Kind {
  return { is: 'word', words };
}

export function duration(least = 0, most: number = Number.MAX_SAFE_INTEGER): Kind {
  return { is: 'duration', least, most };
}

export function octets(least = 0): Kind {
  return { is: 'octets', least };
}

export function list(of: Kind, least = 0): Kind {
  return { is: 'list', of, least };
}

export function map(key: FormName, of: Kind): Kind {
  return { is: 'map', key, of };
}

export function section(of: Section): Kind {
  return { is: 'section', section: of };
}
