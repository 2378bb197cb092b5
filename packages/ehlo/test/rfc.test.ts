import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { rfcCommand, SectionError } from '../src/rfc-command.ts';

interface Requirement {
  readonly id: string;
  readonly rfc: number;
  readonly section: string;
  readonly testable_in_engine: boolean;
  readonly testable_in_message?: boolean;
  readonly testable_in_delivery?: boolean;
}

interface Section {
  readonly requirements: readonly { readonly id: string; readonly vectors: readonly string[] }[];
  readonly rows: readonly { readonly table: string; readonly on: string }[];
}

const vectors = (name: string) => JSON.parse(readFileSync(new URL(`../../../test-vectors/${name}`, import.meta.url), 'utf8'));
const { requirements } = vectors('requirements.json') as { requirements: Requirement[] };
const { notVectors } = vectors('not-vectors.json') as { notVectors: { ids: string[] }[] };
const told = new Set(notVectors.flatMap(({ ids }) => ids));
const testable = requirements.filter(
  ({ rfc, testable_in_engine, testable_in_message, testable_in_delivery }) =>
    rfc === 5321 && (testable_in_engine || testable_in_message === true || testable_in_delivery === true),
);
const states = vectors('states.json') as { readonly [table: string]: { readonly rows: readonly object[] } };
const deliveries = readdirSync(new URL('../../../test-vectors/delivery/', import.meta.url)).flatMap(
  (file) => (vectors(`delivery/${file}`) as { deliveries: { name: string; steps: { shows?: string[] }[] }[] }).deliveries,
);

/** Rows that no RFC asks for, by what they are of. */
const OF_NO_RFC: readonly (readonly [of: string, why: string])[] = [
  ['XCLIENT', 'of Postfix'],
  ['XFORWARD', 'of Postfix'],
];

function asked(rfc?: string, section?: string, json = false): string {
  const lines: string[] = [];
  rfcCommand(rfc, section, { json }, (line) => lines.push(line));
  return lines.join('\n');
}

describe.each([...new Set(testable.map(({ section }) => section))])('RFC 5321 %s', (section) => {
  test('has its requirements, each with a vector or a reason why there is none', () => {
    const found = JSON.parse(asked('5321', section, true)) as Record<string, Section>;
    const due = testable.filter((one) => one.section === section).map(({ id }) => id);
    const shown = found[section]!.requirements.filter(({ id, vectors }) => vectors.length > 0 || told.has(id)).map(({ id }) => id);
    expect(due.filter((id) => !shown.includes(id))).toEqual([]);
    const said = asked('5321', section);
    expect(due.filter((id) => !said.includes(id))).toEqual([]);
  });
});

test('a section is shown with the vectors that show it and the lines that name it', () => {
  const said = asked('5321', '4.5.2');
  expect(said).toMatch(/5321-4\.5\.2-\d+ MUST/);
  expect(said).toContain('test-vectors/client/data.json: client-stuffing');
  expect(said).toMatch(/packages\/engine\/src\/server\/dot-reader\.ts:\d+ .*RFC 5321 4\.5\.2/);
});

/** All sections at once, as the command reads them. */
const index = JSON.parse(gunzipSync(readFileSync(new URL('../dist/rfc-index.json.gz', import.meta.url))).toString()) as {
  readonly [rfc: string]: { readonly [section: string]: Section };
};
const sections = Object.values(index).flatMap((of) => Object.values(of));

test('a requirement that a delivery shows names each delivery that shows it', () => {
  const known = new Map(sections.flatMap(({ requirements }) => requirements.map(({ id, vectors }) => [id, vectors] as const)));
  const due = deliveries.flatMap(({ name, steps }) => steps.flatMap(({ shows = [] }) => shows.map((id) => [id, name] as const)));
  expect(
    due.filter(([id, name]) => !known.get(id)!.some((vector) => vector.startsWith('delivery/') && vector.endsWith(`: ${name}`))),
  ).toEqual([]);
  expect(asked('5321', '3.9')).toMatch(/5321-3\.9-01 .*\n +test-vectors\/delivery\//);
});

test('every row of every table is in a section, but those that no RFC asks for', () => {
  const shown = new Set(sections.flatMap(({ rows }) => rows.map((row) => JSON.stringify(row))));
  const all = ['server', 'client', 'transaction'].flatMap((table) =>
    states[table]!.rows.map((row) => ({ table, ...row }) as Section['rows'][number]),
  );
  const rowless = all.filter((row) => !shown.has(JSON.stringify(row)));
  expect(rowless.filter(({ on }) => !OF_NO_RFC.some(([of]) => of === on))).toEqual([]);
  expect(new Set(rowless.map(({ on }) => on))).toEqual(new Set(OF_NO_RFC.map(([of]) => of)));
});

test('the tables of the client have their rows, too, and each says of which table it is', () => {
  expect(asked('5321', '3.1')).toContain('client: greeting in connect: does tellGreeting, sayHello; then hello');
  expect(asked('5321', '4.1.1.4')).toContain('transaction: DATA refused in data: does refuseAtData, leaveHalfOpen; then over');
  expect(asked('3207', '4.2')).toContain('server: secured in tls: does secure; then greeted');
});

test('a verb has its rows of the state machine, and their order has those that refuse it', () => {
  expect(asked('5321', '4.1.1.3')).toContain('RCPT in mail, rcpt: if room-for-commands, room-for-refusals');
  expect(asked('5321', '4.1.4')).toMatch(/RCPT in ready: if .*; refused by mailFirst/);
});

test('a row that closes says why, in every table', () => {
  expect(asked('5321', '4.1.1.10')).toMatch(/server: QUIT in .*; then closed \(quit\)$/m);
  expect(asked('5321', '3.8')).toMatch(/server: lost in .*: then closed \(lost\)$/m);
  expect(asked('5321', '3.8')).toMatch(/transaction: .*then closed \(/);
});

test('the sections below are shown, too, and a line that names two sections stands at both', () => {
  const titles = asked('RFC 5321', '§ 4.5.3.1')
    .split('\n')
    .filter((line) => line.startsWith('RFC'));
  expect(titles.slice(0, 2)).toEqual(['RFC 5321 4.5.3.1', 'RFC 5321 4.5.3.1.1']);
  expect(titles.at(-1)).toBe('RFC 5321 4.5.3.1.10');
  const line = 'packages/grammar/src/command.ts';
  for (const section of ['4.1.1.6', '4.1.1.7']) expect(asked('5321', section)).toContain(line);
});

test('each line that is named holds what is said of it', () => {
  const all = JSON.parse(asked('5321', '4', true).replace(/^$/, '{}')) as Record<
    string,
    { sources: { file: string; line: number; text: string }[] }
  >;
  for (const { file, line, text } of Object.values(all).flatMap(({ sources }) => sources)) {
    const source = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8').split('\n');
    expect(source[line - 1]!.trim(), `${file}:${line}`).toBe(text);
  }
});

test('without a section, or an RFC, there is a list; what is not there is told', () => {
  expect(asked('5321')).toMatch(/^4\.1\.1\.4 +\d+ +\d+ +\d+$/m);
  expect(asked()).toMatch(/^RFC 3030 +\d+ +\d+ +\d+$/m);
  expect(JSON.parse(asked('3030', undefined, true))[0]).toHaveProperty('vectors');
  expect(() => asked('5321', '9.9')).toThrow(/^nothing here is about RFC 5321, section 9\.9; there is: /);
  expect(() => asked('1')).toThrow(SectionError);
});
