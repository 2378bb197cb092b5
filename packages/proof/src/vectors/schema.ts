import type { Json } from './transcript.ts';

/** The part of JSON Schema (2020-12) that the schemas of the test vectors use. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: { readonly [name: string]: JsonSchema };
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean' | 'null';
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly [annotation: string]: unknown;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    '$schema $id $comment title description default examples ' +
    '$ref $defs type const enum oneOf properties required additionalProperties items minItems uniqueItems minLength pattern minimum maximum'
  ).split(' '),
);

/** Where `value` breaks `schema`, a line each. Throws an `Error` at a keyword that is not understood: it would hold nothing. */
export function violations(value: Json, schema: JsonSchema, root: JsonSchema = schema, path = '$'): readonly string[] {
  const unknown = Object.keys(schema).find((keyword) => !KEYWORDS.has(keyword));
  if (unknown !== undefined) throw new Error(`${path}: the keyword ${unknown} is not understood`);
  if (schema.$ref !== undefined) return violations(value, resolved(schema.$ref, root), root, path);
  const found: string[] = [];
  const check = (holds: boolean, message: string) => void (holds || found.push(`${path} ${message}`));
  if (schema.type !== undefined) {
    check(isA(value, schema.type), `is no ${schema.type}`);
    if (found.length > 0) return found;
  }
  if (schema.const !== undefined) check(value === schema.const, `is not ${JSON.stringify(schema.const)}`);
  if (schema.enum !== undefined) check(schema.enum.includes(value), `is none of ${JSON.stringify(schema.enum)}`);
  if (schema.oneOf !== undefined) found.push(...alternatives(value, schema.oneOf, root, path));
  if (typeof value === 'string') {
    check(value.length >= (schema.minLength ?? 0), 'is too short');
    check(schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value), `does not match ${schema.pattern}`);
  } else if (typeof value === 'number') {
    check(value >= (schema.minimum ?? value), `is below ${schema.minimum}`);
    check(value <= (schema.maximum ?? value), `is above ${schema.maximum}`);
  } else if (Array.isArray(value)) {
    check(value.length >= (schema.minItems ?? 0), 'has too few elements');
    check(schema.uniqueItems !== true || new Set(value.map((item) => JSON.stringify(item))).size === value.length, 'has an element twice');
    const { items } = schema;
    if (items !== undefined) found.push(...value.flatMap((item: Json, i) => violations(item, items, root, `${path}[${i}]`)));
  } else if (typeof value === 'object' && value !== null) found.push(...members(value as { [name: string]: Json }, schema, root, path));
  return found;
}

function members(value: { readonly [name: string]: Json }, schema: JsonSchema, root: JsonSchema, path: string): readonly string[] {
  const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name)).map((name) => `${path} has no ${name}`);
  const wrong = Object.entries(value).flatMap(([name, member]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties ?? true;
    if (typeof known === 'object') return violations(member, known, root, `${path}.${name}`);
    return known ? [] : [`${path} may not have ${name}`];
  });
  return [...missing, ...wrong];
}

function alternatives(value: Json, schemas: readonly JsonSchema[], root: JsonSchema, path: string): readonly string[] {
  const results = schemas.map((schema) => violations(value, schema, root, path));
  const fitting = results.filter((result) => result.length === 0).length;
  if (fitting === 1) return [];
  return [
    `${path} fits ${fitting} of ${schemas.length} alternatives${fitting === 0 ? `: ${results.map((result) => result[0]).join('; ')}` : ''}`,
  ];
}

function resolved(ref: string, root: JsonSchema): JsonSchema {
  const schema = root.$defs?.[ref.replace(/^#\/\$defs\//, '')];
  if (schema === undefined) throw new Error(`${ref} is not defined`);
  return schema;
}

function isA(value: Json, type: NonNullable<JsonSchema['type']>): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}
