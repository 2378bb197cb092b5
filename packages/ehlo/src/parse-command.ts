import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ANYTHING, type CommandDialect, type Deviation, DIALECT, LETTER, type Parsed, POSTEL, STRICT } from '@ehlo/grammar';
import { colours as pc } from './colours.ts';
import { jsonLine } from './json-line.ts';
import { guessKind, KINDS, type Kind } from './parse-kinds.ts';

/** The options of `ehlo parse`. */
export interface ParseCommandOptions {
  readonly as?: string;
  readonly dialect: 'letter' | 'strict' | 'postel' | 'anything';
  readonly json: boolean;
  readonly escaped: boolean;
  readonly keepUnknown: boolean;
}

const TOLERATED: { readonly [name in ParseCommandOptions['dialect']]: ReadonlySet<Deviation> } = {
  letter: LETTER.tolerate,
  strict: STRICT,
  postel: POSTEL,
  anything: ANYTHING,
};

/** Reads one text, or with `--as` one a line from standard input. Returns whether all of them were valid. */
export async function parseTextCommand(
  argument: string | undefined,
  options: ParseCommandOptions,
  input: Readable,
  write: (text: string) => void,
): Promise<boolean> {
  const dialect: CommandDialect = { ...DIALECT, tolerate: TOLERATED[options.dialect], keepUnknown: options.keepUnknown };
  const kind = KINDS.find(({ name }) => name === options.as);
  if (argument === undefined && kind !== undefined) return parseLines(input, kind, dialect, options.escaped, write);
  const bytes = argument === undefined ? await readAll(input) : Buffer.from(argument, 'utf8');
  const text = withoutBom(bytes);
  const octets = options.escaped ? unescaped(text.toString('latin1').replace(/\r?\n$/, '')) : text;
  const item = kind ?? guessKind(octets);
  const given = complete(octets, item, argument === undefined);
  const parsed = item.parse(given, dialect);
  write(options.json ? `${jsonLine(result(item, parsed))}\n` : show(item, given, parsed));
  return parsed.ok;
}

/** One item a line, one JSON object a line. */
async function parseLines(
  input: Readable,
  kind: Kind,
  dialect: CommandDialect,
  escaped: boolean,
  write: (text: string) => void,
): Promise<boolean> {
  let valid = true;
  let batch = '';
  // latin1 keeps every octet; crlfDelay makes CR LF one line end even across chunks.
  input.setEncoding('latin1');
  let isFirst = true;
  for await (const given of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = isFirst ? withoutBom(Buffer.from(given, 'latin1')).toString('latin1') : given;
    isFirst = false;
    // A line without anything says nothing: a file may begin, end and be parted by some.
    if (line === '') continue;
    const octets = escaped ? unescaped(line) : Buffer.from(line, 'latin1');
    const parsed = kind.parse(escaped ? octets : complete(octets, kind, false), dialect);
    if (!parsed.ok) valid = false;
    batch += `${jsonLine(result(kind, parsed))}\n`;
    if (batch.length > BATCH) {
      write(batch);
      batch = '';
    }
  }
  if (batch !== '') write(batch);
  return valid;
}

const BATCH = 65_536;

/** What some editors write before a text in UTF-8 is no part of it. */
function withoutBom(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(BOM) ? bytes.subarray(3) : bytes;
}

const BOM: Buffer = Buffer.from([0xef, 0xbb, 0xbf]);

/** A text without its last line end, or with one where it belongs to the kind. */
function complete(octets: Uint8Array, kind: Kind, fromFile: boolean): Uint8Array {
  const text = Buffer.from(octets).toString('latin1');
  if (kind.lines) return text.includes('\n') ? octets : Buffer.from(`${text}\r\n`, 'latin1');
  return fromFile ? Buffer.from(text.replace(/\r?\n$/, ''), 'latin1') : octets;
}

async function readAll(input: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of input) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** `\r`, `\n`, `\\` and `\xNN` as the octets they stand for. */
function unescaped(text: string): Buffer {
  const plain = text.replaceAll(/\\(?:x([0-9a-fA-F]{2})|([rn\\]))/g, (_, hex: string | undefined, letter: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return letter === 'r' ? '\r' : letter === 'n' ? '\n' : '\\';
  });
  return Buffer.from(plain, 'latin1');
}

/** What `--json` prints; docs/parse.schema.json describes it. */
function result(kind: Kind, parsed: Parsed<unknown, string>): object {
  if (!parsed.ok) return { ...parsed, kind: kind.name };
  const { value, deviations } = parsed;
  return { ok: true, kind: kind.name, value: plain(value), canonical: kind.canonical(value as never), deviations };
}

/** A value as JSON can hold it: octets as base64, maps as pairs of name and value (names from the wire are no keys). */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Map) return [...value].map(([name, entry]) => ({ name, value: plain(entry) }));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]));
}

/** The result for people: the tree; or what was expected, and where. */
function show(kind: Kind, octets: Uint8Array, parsed: Parsed<unknown, string>): string {
  const shown = [...octets].map(visible);
  if (parsed.ok) {
    const canonical = kind.canonical(parsed.value as never);
    const deviations = parsed.deviations.map((name) => pc.yellow(`deviation: ${name}`));
    const lines = [pc.bold(`${kind.name}: ${shown.join('')}`), ...tree(plain(parsed.value), 1)];
    if (canonical !== null) lines.push(`canonical: ${[...Buffer.from(canonical)].map(visible).join('')}`);
    return `${[...lines, ...deviations].join('\n')}\n`;
  }
  const before = shown.slice(0, parsed.offset).join('').length;
  return [
    pc.red(`${kind.name}: ${parsed.message}`),
    `  ${shown.join('')}`,
    `  ${' '.repeat(before)}${pc.red('^')} octet ${parsed.offset + 1}${parsed.offset >= octets.length ? ', where it ends' : ''}`,
    `rule ${parsed.rule}, ${parsed.section}`,
    '',
  ].join('\n');
}

function visible(octet: number): string {
  if (octet === 0x0d) return '\\r';
  if (octet === 0x0a) return '\\n';
  return octet < 0x20 || octet > 0x7e ? `\\x${octet.toString(16).padStart(2, '0')}` : String.fromCharCode(octet);
}

function tree(value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (typeof value !== 'object' || value === null) return [`${indent}${jsonLine(value)}`];
  return Object.entries(value).flatMap(([name, entry]) => {
    const nested = Array.isArray(entry) ? entry.some((item) => typeof item === 'object') : typeof entry === 'object' && entry !== null;
    if (nested) return [`${indent}${pc.cyan(name)}`, ...tree(entry, depth + 1)];
    return [`${indent}${pc.cyan(name)} ${jsonLine(entry)}`];
  });
}
