// The JSON Schema of the configuration (draft 2020-12), from the same table.

import { FORMS } from './forms.ts';
import type { Kind, Option, Section } from './kinds.ts';
import { CONFIG } from './table.ts';

/** A JSON Schema, as JSON. */
export interface JsonSchema {
  readonly [name: string]: unknown;
}

/**
 * The JSON Schema of the configuration: for editors, and for other programs that check a configuration.
 *
 * @example
 * ```ts
 * import { configSchema } from '@ehlo/relay';
 * configSchema().required
 * // → ['hostname', 'postmaster', 'listeners', 'queue']
 * ```
 */
export function configSchema(): JsonSchema {
  const { properties, ...rest } = ofSection(CONFIG) as { readonly properties: object };
  const withSchema = { $schema: { type: 'string', description: 'Where this schema is, for editors.' }, ...properties };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'The configuration of ehlo relay',
    ...rest,
    properties: withSchema,
  };
}

function ofSection({ options, words }: Section, by?: readonly [name: string, word: string]): JsonSchema {
  const entries = Object.entries(options);
  const required = [...(by === undefined ? [] : [by[0]]), ...entries.filter(([, { required }]) => required === true).map(([name]) => name)];
  const properties = Object.fromEntries([
    ...(by === undefined ? [] : [[by[0], { const: by[1] }]]),
    ...entries.map(([name, option]) => [name, ofOption(option)]),
  ]);
  return { type: 'object', description: words, properties, ...(required.length === 0 ? {} : { required }), additionalProperties: false };
}

function ofOption({ kind, words, default: usual, source }: Option): JsonSchema {
  const description = source === undefined ? words : `${words} (${source})`;
  return { ...ofKind(kind), description, ...(usual === undefined ? {} : { default: usual }) };
}

function ofKind(kind: Kind): JsonSchema {
  switch (kind.is) {
    case 'text':
      return { type: 'string', minLength: 1, examples: [FORMS[kind.form].example] };
    case 'number':
      return { type: 'integer', minimum: kind.least, ...(kind.most === Number.MAX_SAFE_INTEGER ? {} : { maximum: kind.most }) };
    case 'switch':
      return { type: 'boolean' };
    case 'word':
      return { enum: kind.words };
    case 'duration':
      return { type: 'string', pattern: '^[0-9]{1,9}(ms|s|m|h|d)$' };
    case 'octets':
      return {
        anyOf: [
          { type: 'integer', minimum: kind.least },
          { type: 'string', pattern: '^[0-9]{1,9}(KiB|MiB|GiB)$' },
        ],
      };
    case 'secret': {
      const one = (name: string): JsonSchema => {
        return { type: 'object', properties: { [name]: { type: 'string', minLength: 1 } }, required: [name], additionalProperties: false };
      };
      return { anyOf: [one('file'), one('env')] };
    }
    case 'list':
      return { type: 'array', items: ofKind(kind.of), ...(kind.least === undefined || kind.least === 0 ? {} : { minItems: kind.least }) };
    case 'map':
      return { type: 'object', additionalProperties: ofKind(kind.of) };
    case 'section':
      return ofSection(kind.section);
    case 'variant':
      return { anyOf: Object.entries(kind.of).map(([word, section]) => ofSection(section, [kind.by, word])) };
  }
}
