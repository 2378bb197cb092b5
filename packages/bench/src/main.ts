// Measures this server beside a peer and beside bare sockets, and prints the tables of docs/performance.md; --write puts them there. --profile
// prints where the time goes, instead.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { measureIdle, measureSessions } from './connections.ts';
import { measureEngine } from './engine.ts';
import { measureGrammar } from './grammar.ts';
import { measureMessage } from './message.ts';
import { measurePeerSessions, measurePeers, measureSource, type PeerSamples } from './peers.ts';
import { plotOf } from './plot.ts';
import { type ProfiledRow, profileRow, profileSessions } from './profile.ts';
import { type Effort, measure, type Row } from './row.ts';
import { bodyRows, messageRows } from './rows.ts';
import { CONNECTIONS, measureSending } from './sending.ts';
import { measureStorage } from './storage.ts';
import {
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
import { session } from './workload.ts';

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
const effort: Effort = values.quick ? { rounds: 3, milliseconds: 200, idle: 500 } : { rounds: 5, milliseconds: 1000, idle: 2000 };
const only = new RegExp(values.only ?? '');
const peer = `smtp-server ${version('smtp-server')}`;

/** Each section as its heading, its words, and its table. */
const sections: [title: string, words: string, table: () => Promise<string>][] = [
  ['Messages', 'Messages a second · CPU of the server for 1,000 of them; in the last row, commands.', () => compared(messageRows())],
  [
    'Bodies',
    'MiB a second · MiB per second of the server’s CPU, on the wire. One connection, one large message after the other.',
    () => compared(bodyRows()),
  ],
  ['Sessions', 'Connect, greeting, EHLO, QUIT, close, 20 at a time · CPU of the server for 1,000.', sessions],
  [
    'Idle connections',
    `Resident memory for each of ${effort.idle} connections behind EHLO.`,
    async () => idleTable(await measureIdle(effort), peer),
  ],
  [
    'Storage',
    'Messages of 1 KiB a second · CPU for 1,000, each one synced to disk before it is answered.',
    async () => storageTable(await measureStorage(effort)),
  ],
  [
    'Sending',
    `Messages of 4 KiB a second over five connections · CPU of the client for 1,000 of them, to the same server; ehlo and nodemailer ${version('nodemailer')} by their pools. The floor says a command at a time, or the next message’s commands behind the dot: that of the last column says as much at a time.`,
    async () => sendingTable(await measureSending(effort)),
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
    'Messages, or sessions, a second · CPU of the server for 1,000 of them: Postfix’s smtp-sink (C) and aiosmtpd (Python), as Debian has them. Their processor time is known to a hundredth of a second.',
    async () => {
      const results: { readonly row: Pick<Row, 'name' | 'unit'>; readonly samples: PeerSamples }[] = [];
      for (const row of messageRows()) results.push({ row, samples: await measurePeers(row, effort) });
      results.push({ row: { name: 'sessions', unit: 'sessions' }, samples: await measurePeerSessions(effort, session()) });
      return peerTable(results);
    },
  ],
  [
    'smtp-source',
    'Messages of 4 KiB a second over five connections · CPU of the client for 1,000 of them, to the same server: Postfix’s smtp-source (C), which keeps its connections.',
    async () => sourceTable((await measureSending(effort)).ehlo, await measureSource(effort, CONNECTIONS)),
  ],
];
if (values.peers) sections.push(...peers);
if (values.profile) sections.splice(0, sections.length, ['By whose code runs', 'Microseconds of the server’s CPU for each.', profiles]);

const parts = [conditions(effort.rounds, effort.milliseconds)];
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

async function compared(rows: readonly Row[]): Promise<string> {
  const results: Result[] = [];
  for (const row of rows) results.push({ row, samples: await measure(row, effort) });
  return comparison(results, peer);
}

async function sessions(): Promise<string> {
  return comparison([{ row: { name: 'sessions', unit: 'sessions' }, samples: await measureSessions(effort) }], peer);
}

async function profiles(): Promise<string> {
  const rows: ProfiledRow[] = [];
  for (const row of messageRows()) rows.push(await profileRow(row, effort));
  rows.push(await profileSessions(effort));
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
}
