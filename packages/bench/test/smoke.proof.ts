// Each row once, with as little work as it takes: the measurements themselves throw unless every command got the reply that was
// due and every octet arrived. Nothing here is timed.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { BARS, type Bar, type Found, find } from '../src/bars.ts';
import { CONTENDERS } from '../src/contender.ts';
import { measureEngine } from '../src/engine.ts';
import { measureGrammar } from '../src/grammar.ts';
import { measureMessage } from '../src/message.ts';
import { PEERS } from '../src/peers.ts';
import { plotOf } from '../src/plot.ts';
import { profileRow, timesOf } from '../src/profile.ts';
import { profilePlotOf } from '../src/profile-plot.ts';
import type { Effort } from '../src/row.ts';
import { Run } from '../src/run.ts';
import { shown } from '../src/statistics.ts';
import {
  barTable,
  comparison,
  engineTable,
  grammarTable,
  idleTable,
  messageTable,
  peerTable,
  profileTable,
  type Result,
  sendingTable,
  sourceTable,
  storageTable,
} from '../src/tables.ts';

const effort: Effort = { rounds: 1, warmUp: 1, milliseconds: 0, idle: 5 };
const run = new Run(effort, [], 1 / 32);

describe.concurrent('on sockets', () => {
  test.each([...run.messages, ...run.bodies, ...run.sessions].map((row) => ({ row, name: row.name })))('$name', async ({ row }) => {
    const samples = await run.row(row.name);
    expect(CONTENDERS.map((name) => samples[name].length)).toEqual([1, 1, 1]);
    expect(comparison([{ row, samples }], 'peer')).toContain(row.name);
  });

  test('idle connections, in each runtime', async () => {
    expect(idleTable(await run.idle(), 'peer')).toMatch(/node .*KiB .*KiB .*KiB.*\n.*deno .*KiB .*\n.*bun .*KiB /);
  });

  test('sending', async () => {
    expect(sendingTable(await run.sending())).toMatch(
      /next behind the dot .*\n.*nodemailer .*\n.*upyo .*\n.*floor, a command at a time .*\n.*floor, next behind /,
    );
  });

  test('storage', async () => {
    expect(storageTable(await run.storage())).toContain('synced');
  });
});

/** As the table shows it. */
async function barsOf(one: Run): Promise<string> {
  const found: (readonly [Bar, Found])[] = [];
  for (const bar of BARS) found.push([bar, await find(bar, one)]);
  return barTable(found);
}

test('bars, of what was measured', async () => {
  const lines = (await barsOf(run)).split('\n').slice(2);
  expect(lines.length).toBe(BARS.length);
  // Only one is by a program that npm has not.
  expect(lines.filter((line) => line.includes('not measured')).length).toBe(1);
  for (const line of lines) expect(line).toMatch(/\| +(yes|no) \|$|not measured/);
});

test('a bar is reached by the median of the rounds', async () => {
  const bar = { what: 'it', other: 'floor', unit: 'ms' } as const;
  const figures = async () => ({ ehlo: [1, 4, 30], other: [1, 2, 10] });
  expect(await find({ ...bar, by: 'ratio', bound: { most: 2 }, figures }, run)).toEqual({ ehlo: 4, other: 2, value: 2, isReached: true });
  expect(await find({ ...bar, by: 'ratio', bound: { least: 2.1 }, figures }, run)).toMatchObject({ isReached: false });
  expect(await find({ ...bar, by: 'difference', bound: { most: 1.9 }, figures }, run)).toMatchObject({ value: 2, isReached: false });
  expect(await find({ ...bar, by: 'itself', bound: { most: 4 }, figures }, run)).toMatchObject({ value: 4, isReached: true });
});

test('profiles', async () => {
  const rows = [run.messages[0]!, run.sessions[0]!];
  const shown = profileTable([await profileRow(rows[0]!, effort), await profileRow(rows[1]!, effort)]);
  for (const name of [...rows.map(({ name }) => name), '… floor']) expect(shown).toContain(`| ${name}`);
});

test('a profile is shared out by whose code ran: natives are their caller’s, and what was waited for is nobody’s', () => {
  const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
    id,
    callFrame: { functionName, url },
    children,
  });
  const profile = {
    nodes: [
      node(1, '(root)', '', [2, 3, 4, 5]),
      node(2, '(idle)', ''),
      node(3, '(garbage collector)', ''),
      node(4, 'emit', 'node:events', [6, 7]),
      node(5, 'main', 'file:///w/packages/bench/dist/servers/ehlo.js'),
      node(6, 'run', 'file:///w/packages/driver/dist/pump.js', [8]),
      node(7, 'writeBuffer', ''),
      node(8, 'now', ''),
    ],
    startTime: 1000,
    // The first comes before the time; a long wait makes no sample longer.
    samples: [6, 2, 3, 4, 5, 6, 7, 7, 8, 2],
    timeDeltas: [1, 99, 1, 1, 1, 1, 1, 50_000, 1, 1],
  };
  const none = { engine: 0, grammar: 0, adapter: 0 };
  expect(timesOf(profile, 1050, 70)).toEqual({ write: 20, Node: 10, driver: 20, garbage: 10, other: 10, ...none });
});

const DEBIAN = ['/usr/sbin/smtp-sink', '/usr/bin/aiosmtpd', '/usr/bin/go', '/usr/share/gocode/src/github.com/emersion/go-sasl'];

test.runIf(DEBIAN.every((path) => existsSync(path)))('beside programs of Debian’s', async () => {
  const beside = new Run(effort, PEERS, 1 / 32);
  // One of each kind.
  const rows = [beside.messages[0]!, beside.bodies.at(-1)!, beside.sessions.at(-1)!];
  const results: Result[] = [];
  for (const row of rows) results.push({ row, samples: await beside.row(row.name) });
  for (const { samples } of results) expect(PEERS.map((name) => samples[name]?.length)).toEqual([1, 1, 1]);
  expect(peerTable(results)).toContain('CPU, go-smtp : ehlo');
  const [bar] = BARS.filter(({ other }) => other === 'smtp-sink');
  expect((await find(bar!, beside)).isReached).not.toBeNull();
  const source = await beside.source();
  expect(sourceTable(source, source)).toContain('smtp-source');
});

test('the plots are those of the page', async () => {
  const page = new URL('../../../docs/performance.md', import.meta.url);
  const text = await readFile(page, 'utf8');
  expect(await readFile(new URL('performance.svg', page), 'utf8')).toBe(plotOf(text));
  expect(await readFile(new URL('profile.svg', page), 'utf8')).toBe(profilePlotOf(text));
});

test('the engine alone', () => {
  const table = engineTable(measureEngine(effort));
  for (const shape of ['lines76', 'dots76', 'dots4', 'prose', 'nolf']) expect(table).toContain(shape);
});

test('the parsers alone', () => {
  expect(grammarTable(measureGrammar(effort))).toMatch(/ehlo .*\n.*smtp-address-parser .*\n.*nodemailer .*\n.*MAIL commands/);
});

test('header fields', async () => {
  const table = messageTable(await measureMessage(effort));
  for (const name of [
    'lists, ehlo',
    'lists, nodemailer',
    'lists, postal-mime',
    'headers, ehlo',
    'headers, postal-mime',
    'headers, mailparser',
  ]) {
    expect(table).toContain(name);
  }
});

test('figures have three digits that count', () => {
  expect([0.1234, 1.234, 12.34, 123.4, 1234.5, 1_234_567].map(shown)).toEqual(['0.123', '1.23', '12.3', '123', '1,230', '1,230,000']);
});
