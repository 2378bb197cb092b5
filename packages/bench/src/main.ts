// Measures this server beside a peer and beside bare sockets, and prints the tables of docs/performance.md; --write puts them there. --profile
// prints where the time goes, instead.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { BARS, type Bar, type Found, find } from './bars.ts';
import { measureEngine } from './engine.ts';
import { measureGrammar } from './grammar.ts';
import { measureMessage } from './message.ts';
import { described, PEERS } from './peers.ts';
import { plotOf } from './plot.ts';
import { onOneProcessor } from './processor.ts';
import { type ProfiledRow, profileRow } from './profile.ts';
import { profilePlotOf } from './profile-plot.ts';
import type { Effort, Row } from './row.ts';
import { Run } from './run.ts';
import {
  barTable,
  comparison,
  conditions,
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
} from './tables.ts';

const { values } = parseArgs({
  options: {
    profile: { type: 'boolean' },
    quick: { type: 'boolean' },
    write: { type: 'boolean' },
    peers: { type: 'boolean' },
    only: { type: 'string' },
  },
});
const PAGE = new URL('../../../docs/performance.md', import.meta.url);
const effort: Effort = values.quick
  ? { rounds: 9, warmUp: 10, milliseconds: 60, idle: 500 }
  : { rounds: 20, warmUp: 15, milliseconds: 200, idle: 2000 };
// On one processor each write of a profile would seem to last until the client has done its part.
const isOnOne = !values.profile && onOneProcessor();
const run = new Run(effort, values.peers ? PEERS : []);
const only = new RegExp(values.only ?? '');
const peer = `smtp-server ${version('smtp-server')}`;

/** Each section as its heading, its words, and its table. */
const sections: [title: string, words: string, table: () => Promise<string>][] = [
  [
    'Messages',
    'Messages a second · CPU of the server for 1,000 of them; in the last row, commands.',
    async () => comparison(await results(run.messages), peer),
  ],
  [
    'Bodies',
    'MiB a second · MiB per second of the server’s CPU, on the wire. One connection, one large message after the other.',
    async () => comparison(await results(run.bodies), peer),
  ],
  [
    'Sessions',
    'Connect, greeting, EHLO, QUIT, close, 20 at a time · CPU of the server for 1,000. In the second row each brings a message, a command at a time.',
    async () => comparison(await results(run.sessions), peer),
  ],
  [
    'Idle connections',
    `Resident memory for each of ${effort.idle} connections behind EHLO, in each runtime: Deno ${version('deno')}, Bun ${version('bun')}. Their floors are of their own sockets; smtp-server uses \`node:net\`, which they have, too.`,
    async () => idleTable(await run.idle(), peer),
  ],
  [
    'Storage',
    'Messages of 1 KiB a second · CPU for 1,000, each one synced to disk before it is answered.',
    async () => storageTable(await run.storage()),
  ],
  [
    'Sending',
    `Messages of 4 KiB a second over five connections · CPU of the client for 1,000 of them, to the same server; ehlo, nodemailer ${version('nodemailer')} and upyo ${version('@upyo/smtp')} by their pools. The floor says a command at a time, or the next message’s commands behind the dot: that of the last column says as much at a time. upyo composes each message; the others are given one that is made.`,
    async () => sendingTable(await run.sending()),
  ],
  ['Engine', 'The session alone, in memory, no socket.', async () => engineTable(measureEngine(effort))],
  [
    'Grammar',
    'The parsers alone: ten typical addresses; and MAIL with four parameters. nodemailer parses addresses of header fields, which is another task.',
    async () => grammarTable(measureGrammar(effort)),
  ],
  [
    'Header fields',
    `Address lists as headers have them; and the header of a message split into fields. postal-mime ${version('postal-mime')} and mailparser ${version('mailparser')} have no part that only splits: they are given a message without a body, and decode what they split. Of delivery reports no other library that is kept says what they say.`,
    async () => messageTable(await measureMessage(effort)),
  ],
];

/** Programs of Debian's, which npm has not: only with `--peers`. */
const peers: typeof sections = [
  [
    'Servers of Debian’s',
    `The rows of messages, bodies and sessions, in the same rounds, beside ${PEERS.map(described).join(', ')}: Postfix’s (C), a library of Python’s, one of Go’s. Their processor time is known to a hundredth of a second.`,
    async () => peerTable(await results([...run.messages, ...run.bodies, ...run.sessions])),
  ],
  [
    'smtp-source',
    'Messages of 4 KiB a second over five connections · CPU of the client for 1,000 of them, to the same server: Postfix’s smtp-source (C), which keeps its connections.',
    async () => sourceTable((await run.sending()).ehlo, await run.source()),
  ],
];
if (values.peers) sections.push(...peers);
sections.push([
  'Bars',
  'What the project demands of itself, by the figures above: CPU for 1,000, of a command for one; rates of bodies in a second of the server’s CPU. What is compared is compared within each round.',
  async () => {
    const found: (readonly [Bar, Found])[] = [];
    for (const bar of BARS) found.push([bar, await find(bar, run)]);
    return barTable(found);
  },
]);
if (values.profile) sections.splice(0, sections.length, ['By whose code runs', 'Microseconds of the server’s CPU for each.', profiles]);

const parts = [conditions(effort, isOnOne)];
console.log(parts[0]);
for (const [title, words, table] of sections) {
  if (!only.test(title)) continue;
  const part = `## ${title}\n\n${words}\n\n${await table()}`;
  parts.push(part);
  console.log(`\n${part}`);
}
// The page is whole or not at all.
if (values.write && values.only === undefined) await write(values.profile ? 'profile' : 'bench', parts.join('\n\n'));

/** The version of a peer. */
function version(name: string): string {
  return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
}

async function results(rows: readonly Row[]): Promise<Result[]> {
  const all: Result[] = [];
  for (const row of rows) all.push({ row, samples: await run.row(row.name) });
  return all;
}

async function profiles(): Promise<string> {
  const rows: ProfiledRow[] = [];
  for (const row of [...run.messages, ...run.sessions]) rows.push(await profileRow(row, effort));
  return profileTable(rows);
}

/** Puts the text between the markers of the page, and draws it. */
async function write(mark: 'bench' | 'profile', text: string): Promise<void> {
  const old = await readFile(PAGE, 'utf8');
  const [begin, end] = [`<!-- begin:${mark} -->`, `<!-- end:${mark} -->`];
  const [before, after] = [old.indexOf(begin) + begin.length, old.indexOf(end)];
  const page = `${old.slice(0, before)}\n\n${text}\n\n${old.slice(after)}`;
  await writeFile(PAGE, page);
  await writeFile(new URL('performance.svg', PAGE), plotOf(page));
  await writeFile(new URL('profile.svg', PAGE), profilePlotOf(page));
}
