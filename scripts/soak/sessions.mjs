// Many messages over real sockets to each runtime's server, among clients that reset, that do not read, and kill -9. What was acknowledged is stored,
// octet for octet; the heap does not grow, and no descriptor is left. `--messages 2000` for less, `--only node,bun`.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { connect } from '../../packages/ehlo/dist/index.js';
import { dial, reach } from '../storm/clients.mjs';
import { PROGRAMS } from '../storm/program.mjs';
import { slopeOf } from './figures.mjs';
import { Host } from './host.mjs';
import { records } from './records.mjs';

const { values } = parseArgs({ options: { messages: { type: 'string', default: '200000' }, only: { type: 'string' } } });
const MESSAGES = Number(values.messages);
/** Clients at a time, and messages of each session. */
const ABREAST = 16;
const EACH = 50;
/** How often the server is killed while the first half is sent. */
const KILLS = 5;
/** How often the heap is looked at while the second half is sent; the first looks see it become warm. */
const LOOKS = 12;
const WARM = 4;
/** What the heap may have grown by while the second half was sent, by the line that fits best: with 200000 messages ten octets for each. */
const GROWTH = 1_048_576;

let broken = 0;
for (const runtime of Object.keys(PROGRAMS)) if (values.only === undefined || values.only.split(',').includes(runtime)) await soak(runtime);
console.log(broken === 0 ? 'every bound was held' : `${broken} bounds were broken`);
process.exitCode = broken === 0 ? 0 : 1;

function judged(what, value, holds) {
  console.log(`  ${holds ? 'held  ' : 'BROKEN'}  ${String(value).padStart(9)}  ${what}`);
  if (!holds) broken++;
}

async function soak(runtime) {
  const folder = mkdtempSync(`${tmpdir()}/soak-`);
  const host = new Host(runtime, `${folder}/stored`);
  const told = { accepted: new Map(), unknown: new Set(), not: new Set() };
  console.log(`${runtime}: ${MESSAGES} messages`);
  try {
    const begun = performance.now();
    await host.start();
    await withKills(host, told);
    const { heaps, files } = await withLooks(host, told);
    const seconds = (performance.now() - begun) / 1000;
    await host.stop();
    stored(`${folder}/stored`, told);
    const growth = (slopeOf(heaps.slice(WARM)) * MESSAGES) / 2;
    judged('KiB of heap more behind half of them', Math.round(growth / 1024), growth <= GROWTH);
    judged('descriptors more than before', files, files <= 0);
    console.log(`  ${Math.round(MESSAGES / seconds)} messages a second, ${told.unknown.size} of which nobody knows, ${host.kills} kills`);
  } finally {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The first half: the server is killed again and again, and begins anew on the same file. */
async function withKills(host, told) {
  const part = Math.floor(MESSAGES / 2 / KILLS);
  for (let i = 0; i < KILLS; i++) {
    const sending = sendAll(host, `k${i}`, part, told);
    await host.killBehind(told, Math.floor(part / 2));
    await sending;
  }
}

/** The second half, with one process: what it keeps. */
async function withLooks(host, told) {
  const part = Math.floor(MESSAGES / 2 / LOOKS);
  const heaps = [];
  let before = null;
  for (let i = 0; i < LOOKS; i++) {
    const strangers = [resets(host), slow(host)];
    await sendAll(host, `l${i}`, part, told);
    await Promise.all(strangers);
    await host.emptied();
    heaps.push({ at: i * part, octets: await host.ask('heap') });
    before ??= i + 1 === WARM ? await host.files() : null;
  }
  return { heaps, files: (await host.files(before)) - before };
}

/** So many messages, in sessions of some each, several at a time. A session that ends is another's turn. */
async function sendAll(host, prefix, count, told) {
  let next = 0;
  const client = async () => {
    while (next < count) {
      const ids = Array.from({ length: Math.min(EACH, count - next) }, () => `${prefix}-${next++}`);
      try {
        await session(host, ids, told);
      } catch {
        // There was no session: none of them was begun.
        for (const id of ids) told.not.add(id);
      }
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, client));
}

async function session(host, ids, told) {
  const client = await connect({ port: await host.port(), starttls: 'off', hostname: 'soak.example' });
  for (const id of ids) {
    const message = contentOf(id);
    const { outcomes } = await client.send({ reversePath: `${id}@soak.example`, recipients: ['stored@mx.example'] }, message);
    const [{ status }] = outcomes;
    if (status === 'accepted') told.accepted.set(id, createHash('sha256').update(message).digest('hex'));
    else (status === 'unknown' ? told.unknown : told.not).add(id);
  }
  await client.close();
}

/** Lines with dots, of a length that follows from the name. */
function contentOf(id) {
  const digest = createHash('sha256').update(id).digest('hex');
  return `Subject: ${id}\r\n\r\n${`.${digest}\r\n..\r\n`.repeat(1 + (digest.charCodeAt(0) % 16))}`;
}

/** Clients that reset at each stage of a session. */
async function resets(host) {
  for (let i = 0; i < 40; i++) {
    const socket = await dial(await host.port());
    if (socket === null) continue;
    await reach(socket, i % 5);
    socket.resetAndDestroy();
  }
}

/** A client that has much said to it, and reads none of it for a while. */
async function slow(host) {
  const socket = await dial(await host.port());
  if (socket === null) return;
  socket.pause();
  socket.write('EHLO soak.example\r\n'.repeat(3000));
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.destroy();
}

/** What was acknowledged is stored, once and octet for octet; what certainly was not accepted is not. */
function stored(path, { accepted, not }) {
  const found = new Map();
  let twice = 0;
  for (const { id, octets } of records(path)) {
    if (found.has(id)) twice++;
    found.set(id, createHash('sha256').update(octets).digest('hex'));
  }
  const lost = [...accepted].filter(([id, hash]) => found.get(id) !== hash).length;
  const extra = [...not].filter((id) => found.has(id)).length;
  judged('acknowledged messages', accepted.size, accepted.size > MESSAGES / 2);
  judged('of them not stored, or not octet for octet', lost, lost === 0);
  judged('stored twice', twice, twice === 0);
  judged('stored, and told to be unsent or refused', extra, extra === 0);
}
