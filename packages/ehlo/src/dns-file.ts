// `--dns FILE`: what the DNS says, from a file.
import { readFile } from 'node:fs/promises';
import { isIPv4, isIPv6 } from 'node:net';
import type { DnsAnswer, LookupOrder, Mx, Security, Tlsa } from '@ehlo/delivery';
import { didYouMean } from '@ehlo/engine';
import { Json5Error, type Place, parseJson5 } from './json5.ts';
import { RouteError, RouteFileError } from './route-options.ts';

/** What is asked, and what is answered: a `dns` fact without the number of its order. */
export type LookupQuestion = Pick<LookupOrder, 'name' | 'rr'>;
export type LookupAnswer = Omit<DnsAnswer, 'type' | 'to'>;

/** What a name has. */
interface ZoneName {
  readonly MX?: readonly Mx[];
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  readonly TLSA?: readonly Tlsa[];
  readonly TXT?: readonly string[];
  readonly CNAME?: string;
  /** Seconds. */
  readonly ttl?: number;
  readonly security?: Security;
  /** Nobody answers for this name. */
  readonly fails?: boolean;
}

/** Names in small letters, without a dot at the end. */
export type Zone = ReadonlyMap<string, ZoneName>;

/** Ours: where the file does not say for how long an answer may be kept. */
const TTL = 3600;
/** Ours: aliases in a row that are followed, as resolvers do. */
const MOST_ALIASES = 16;

const SECURITY: ReadonlySet<unknown> = new Set<Security>(['secure', 'insecure', 'bogus', 'indeterminate']);

/** Reads a value, or says what it must be. */
type Reader = (value: unknown) => { readonly value: unknown } | string;

const listOf =
  (what: string, one: (text: string) => unknown): Reader =>
  (value) => {
    const read = Array.isArray(value) ? value.map((text: unknown) => (typeof text === 'string' ? one(text) : null)) : [null];
    return read.includes(null) ? `a list of texts, each ${what}` : { value: read };
  };

/** Each field of a name; records are written as in a zone file (RFC 1035 5.1, RFC 6698 2.2). */
const FIELDS: { readonly [name in keyof Required<ZoneName>]: Reader } = {
  MX: listOf('a preference and a host, such as "10 mx.example.net" or "0 ."', (text) => {
    const [, preference, exchange] = /^(\d{1,5}) (\S+)$/.exec(text) ?? [];
    return exchange === undefined || Number(preference) > 65_535 ? null : { preference: Number(preference), exchange: nameOf(exchange) };
  }),
  A: listOf('an IPv4 address', (text) => (isIPv4(text) ? text : null)),
  AAAA: listOf('an IPv6 address', (text) => (isIPv6(text) ? text : null)),
  TLSA: listOf('usage, selector, matching type and data, such as "3 1 1 a0b1…"', (text) => {
    const [, usage, selector, matching, data] = /^(\d{1,3}) (\d{1,3}) (\d{1,3}) ((?:[0-9a-f]{2})+)$/i.exec(text) ?? [];
    return data === undefined
      ? null
      : { usage: Number(usage), selector: Number(selector), matching: Number(matching), data: data.toLowerCase() };
  }),
  TXT: listOf('the strings of a record, joined', (text) => text),
  CNAME: (value) => (typeof value === 'string' && value !== '' ? { value: nameOf(value) } : 'the name in its place'),
  ttl: (value) => (Number.isInteger(value) && (value as number) >= 0 ? { value } : 'a whole number of seconds'),
  security: (value) => (SECURITY.has(value) ? { value } : 'secure, insecure, bogus or indeterminate'),
  fails: (value) => (typeof value === 'boolean' ? { value } : 'true or false'),
};

/** Reads a file, JSON or JSON5. Throws `RouteError` with line and column. */
export async function readZone(file: string): Promise<Zone> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new RouteFileError(`--dns: ${file} can't be read: ${error.message}`);
  });
  const at = ({ line, column }: Place): string => `--dns: ${file}:${line}:${column}`;
  try {
    const { value, placeOf } = parseJson5(text);
    return zoneOf(value, (path, wrong) => {
      throw new RouteError(`${at(placeOf(path))}: ${wrong}`);
    });
  } catch (error) {
    if (error instanceof Json5Error) throw new RouteError(`${at(error.place)}: ${error.message}`);
    throw error;
  }
}

/** Checks what a file has; `fail` is told where it is wrong, and must throw. */
export function zoneOf(file: unknown, fail: (path: string, wrong: string) => never): Zone {
  if (!isRecord(file)) return fail('', 'it must be an object of names');
  const zone = new Map<string, ZoneName>();
  for (const [name, entry] of Object.entries(file)) {
    if (name === '$schema') continue;
    if (!isRecord(entry)) return fail(name, `${name} must be an object, such as { A: ["192.0.2.1"] }`);
    const read: { [field: string]: unknown } = {};
    for (const [field, value] of Object.entries(entry)) {
      const path = `${name}.${field}`;
      const reader = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof ZoneName] : null;
      if (reader === null) return fail(path, `there is no ${field}${didYouMean(field, Object.keys(FIELDS), '')}`);
      const found = reader(value);
      if (typeof found === 'string') return fail(path, `${field} of ${name} must be ${found}`);
      read[field] = found.value;
    }
    zone.set(nameOf(name), read as ZoneName);
  }
  return zone;
}

/** What the DNS of a file says: of a name that it does not have, that there is none, unless another stands below it (RFC 8020 2). */
export function answerFrom(zone: Zone, { name, rr }: LookupQuestion): LookupAnswer {
  const chain = [nameOf(name)];
  const entryOf = (): ZoneName | undefined => zone.get(chain.at(-1)!);
  for (let entry = entryOf(); entry?.CNAME !== undefined && rr !== 'CNAME' && chain.length <= MOST_ALIASES; entry = entryOf())
    chain.push(entry.CNAME);
  const entries = chain.flatMap((one) => zone.get(one) ?? []);
  const alias = chain.length === 1 ? {} : { alias: chain.at(-1)! };
  const security = entries.map((entry) => entry.security ?? 'insecure').reduce(weaker, entries.length === 0 ? 'insecure' : 'secure');
  const known = { security, ttl: Math.min(TTL, ...entries.map(({ ttl }) => ttl ?? TTL)), ...alias };
  const last = entryOf();
  if (entries.some(({ fails }) => fails) || security === 'bogus') return { ...known, status: 'failed' };
  if (last?.CNAME !== undefined) return rr === 'CNAME' ? { ...known, status: 'found', alias: last.CNAME } : { ...known, status: 'failed' };
  if (last === undefined)
    return { ...known, status: [...zone.keys()].some((one) => one.endsWith(`.${chain.at(-1)}`)) ? 'empty' : 'nxdomain' };
  const records = last[rr] ?? [];
  if (records.length === 0) return { ...known, status: 'empty' };
  return { ...known, status: 'found', [rr === 'A' || rr === 'AAAA' ? 'addresses' : rr.toLowerCase()]: records };
}

const WEAKEST: readonly Security[] = ['bogus', 'indeterminate', 'insecure', 'secure'];

/** A chain is as secure as its weakest link (RFC 4035 4.3). */
function weaker(one: Security, other: Security): Security {
  return WEAKEST[Math.min(WEAKEST.indexOf(one), WEAKEST.indexOf(other))]!;
}

function nameOf(text: string): string {
  return text.toLowerCase().replace(/\.$/, '');
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
