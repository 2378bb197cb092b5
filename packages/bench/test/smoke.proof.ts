// Each row once, with as little work as it takes: the measurements themselves throw unless every command got the reply that was
// due and every octet arrived. Nothing here is timed.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { measureIdle, measureSessions } from '../src/connections.ts';
import { CONTENDERS } from '../src/contender.ts';
import { measureEngine } from '../src/engine.ts';
import { measureGrammar } from '../src/grammar.ts';
import { measureMessage } from '../src/message.ts';
import { BESIDE, measurePeers, measureSource } from '../src/peers.ts';
import { plotOf } from '../src/plot.ts';
import { profileRow, profileSessions, timesOf } from '../src/profile.ts';
import { type Effort, measure } from '../src/row.ts';
import { bodyRows, messageRows } from '../src/rows.ts';
import { measureSending } from '../src/sending.ts';
import { shown } from '../src/statistics.ts';
import { measureStorage } from '../src/storage.ts';
import {
  comparison,
  engineTable,
  grammarTable,
  idleTable,
  messageTable,
  peerTable,
  profileTable,
  sendingTable,
  sourceTable,
  storageTable,
} from '../src/tables.ts';

const effort: Effort = { rounds: 1, milliseconds: 0, idle: 5 };

describe.concurrent('on sockets', () => {
  test.each([...messageRows(), ...bodyRows(1 / 32)].map((row) => ({ row, name: row.name })))('$name', async ({ row }) => {
    const samples = await measure(row, effort);
    expect(CONTENDERS.map((name) => samples[name].length)).toEqual([1, 1, 1]);
    expect(comparison([{ row, samples }], 'peer')).toContain(row.name);
  });

  test('sessions and idle connections', async () => {
    const sessions = await measureSessions(effort);
    expect(CONTENDERS.map((name) => sessions[name].length)).toEqual([1, 1, 1]);
    const idle = await measureIdle(effort);
    expect(idleTable(idle, 'peer')).toMatch(/KiB .*KiB .*KiB/);
  });

  test('sending', async () => {
    expect(sendingTable(await measureSending(effort))).toMatch(
      /next behind the dot .*\n.*nodemailer .*\n.*floor, a command at a time .*\n.*floor, next behind /,
    );
  });

  test('storage', async () => {
    expect(storageTable(await measureStorage(effort))).toContain('synced');
  });
});

test('profiles', async () => {
  const [row] = messageRows();
  const shown = profileTable([await profileRow(row!, effort), await profileSessions(effort)]);
  for (const name of [row!.name, 'sessions', '… floor']) expect(shown).toContain(`| ${name}`);
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

test.runIf(existsSync('/usr/sbin/smtp-sink') && existsSync('/usr/bin/aiosmtpd'))('beside programs of Debian’s', async () => {
  const [row] = messageRows();
  const samples = await measurePeers(row!, effort);
  expect(BESIDE.map((name) => samples[name].length)).toEqual([1, 1, 1, 1]);
  expect(peerTable([{ row: row!, samples }])).toContain('CPU, aiosmtpd : ehlo');
  const source = await measureSource(effort, 2);
  expect(sourceTable(source, source)).toContain('smtp-source');
});

test('the plot is that of the page', async () => {
  const page = new URL('../../../docs/performance.md', import.meta.url);
  expect(await readFile(new URL('performance.svg', page), 'utf8')).toBe(plotOf(await readFile(page, 'utf8')));
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
