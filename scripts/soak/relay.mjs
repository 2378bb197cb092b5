// Many messages through `ehlo relay` and its spool: clients in front, a server behind that refuses, defers and breaks off, and kill -9 in between. Each message
// that was acknowledged is delivered or its sender is told; a second copy comes only where nobody could know of the first. `--messages 2000` for less.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect, reject, serve } from '../../packages/ehlo/dist/index.js';

const { values } = parseArgs({ options: { messages: { type: 'string', default: '200000' } } });
const MESSAGES = Number(values.messages);
const KILLS = Math.min(30, Math.ceil(MESSAGES / 500));
/** Clients at a time, messages of each session, and sessions of the relay with the server behind it. */
const CLIENTS = 8;
const EACH = 50;
const SESSIONS = 10;
/** Of the server behind. */
const LIMITS = { transactions: 999_999, idleCommands: 999_999 };
/** Milliseconds after which nothing comes any more. */
const PATIENCE = 120_000;

/** What the server behind does with a message, by its name; all but `taken` and `refused` the first time only. */
const FATES = [
  ['refused', 2],
  ['deferred', 8],
  ['broken', 1],
  ['taken, and broken', 1],
];

function fateOf(id) {
  let rest = digestOf(id).readUInt16BE(0) % 100;
  for (const [fate, share] of FATES) {
    if (rest < share) return fate;
    rest -= share;
  }
  return 'taken';
}

/** What the server behind has seen. */
class Behind {
  /** How many copies of each message there are, and who was told of which. */
  copies = new Map();
  told = new Map();
  /** Of these a second copy may come: their first answer was lost, or may have been. */
  excused = new Set();
  wrong = 0;
  #met = new Set();

  async start() {
    this.server = await serve(
      {
        host: '127.0.0.1',
        port: 0,
        hostname: 'behind.example',
        starttls: 'off',
        limits: LIMITS,
        sessionData: () => ({ ids: [], isLost: false }),
      },
      {
        rcpt: ({ forwardPath: { localPart } }, session) => {
          if (!session.envelope.reversePath.address) return true;
          const fate = fateOf(localPart);
          if (fate === 'refused') return reject(550, '5.1.1', 'Nobody');
          if (fate === 'taken' || fate === 'taken, and broken' || this.#met.has(localPart)) return true;
          this.#met.add(localPart);
          if (fate === 'deferred') return reject(451, '4.2.1', 'Later');
          session.abort();
          return true;
        },
        message: async ({ envelope, body }, session) => {
          const content = Buffer.from(await body.bytes()).toString('latin1');
          const [{ forwardPath }] = envelope.recipients;
          const id = forwardPath.localPart;
          if (!envelope.reversePath.address) {
            this.told.set(id, (this.told.get(id) ?? 0) + 1);
            return true;
          }
          if (!content.endsWith(contentOf(id))) this.wrong++;
          this.copies.set(id, (this.copies.get(id) ?? 0) + 1);
          session.data.ids.push(id);
          if (session.data.isLost) this.excused.add(id);
          if (fateOf(id) === 'taken, and broken' && !this.#met.has(id)) {
            this.#met.add(id);
            session.abort();
          }
          return true;
        },
        // What a session has delivered that did not end with QUIT may not be known: the relay was killed, or we broke off.
        notice: ({ type, cause }, { data }) => {
          if (type !== 'closed' || cause === 'quit') return;
          data.isLost = true;
          for (const id of data.ids) this.excused.add(id);
        },
      },
    );
    return this.server.address.port;
  }

  knows(id) {
    return this.copies.has(id) || this.told.has(id);
  }
}

/** The process of the relay. */
class Relay {
  kills = 0;
  #config;
  #port;
  #child;
  #gone;

  constructor(config, port) {
    this.#config = config;
    this.#port = port;
  }

  /** Until it listens. */
  async start() {
    const args = ['packages/ehlo/bin/ehlo.js', 'relay', '--config', this.#config];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#gone = once(this.#child, 'exit');
    while (!(await listens(this.#port))) {
      if (this.#child.exitCode !== null) throw new Error('the relay does not start');
      await pause(20);
    }
  }

  async kill() {
    this.kills++;
    this.#child.kill('SIGKILL');
    await this.#gone;
  }

  /** Its exit code. */
  async stop() {
    this.#child.kill('SIGTERM');
    const [code] = await this.#gone;
    return code;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'soak-relay-'));
const behind = new Behind();
const accepted = [];
let unknown = 0;
let broken = 0;
try {
  const port = await freePort();
  const config = join(folder, 'relay.json');
  writeFileSync(
    config,
    JSON.stringify({
      hostname: 'relay.example',
      postmaster: 'postmaster@behind.example',
      listeners: [{ kind: 'mx', host: '127.0.0.1', port }],
      relayFrom: ['127.0.0.1'],
      routes: [{ to: 'host', domains: ['*'], hosts: ['127.0.0.1'], port: await behind.start() }],
      delivery: { preset: 'test', expiry: '5d', noticeExpiry: '5d', delayed: '0s', sessionsPerHost: SESSIONS, sessionsPerDomain: SESSIONS },
      queue: { kind: 'spool', folder: join(folder, 'spool') },
      log: { level: 'error' },
    }),
  );
  const relay = new Relay(config, port);
  await relay.start();
  const begun = performance.now();
  const sending = sendAll(port);
  for (let i = 1; i <= KILLS; i++) {
    await until(() => accepted.length >= (MESSAGES * i) / (KILLS + 1));
    await relay.kill();
    await relay.start();
  }
  await sending;
  await until(() => accepted.every((id) => behind.knows(id)));
  const seconds = (performance.now() - begun) / 1000;
  const code = await relay.stop();
  await behind.server.close({ now: true });

  const twice = [...behind.copies].filter(([, copies]) => copies > 1).map(([id]) => id);
  const again = twice.reduce((sum, id) => sum + behind.copies.get(id) - 1, 0);
  const left = readdirSync(join(folder, 'spool', 'q'), { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length;
  console.log(`relay: ${MESSAGES} messages, ${relay.kills} kills`);
  judged('messages acknowledged', accepted.length, (count) => count === MESSAGES);
  judged('of them neither delivered nor told of', accepted.filter((id) => !behind.knows(id)).length, (lost) => lost === 0);
  judged('delivered that were to be refused, or refused that were not', mistaken(), (count) => count === 0);
  judged('not octet for octet', behind.wrong, (count) => count === 0);
  judged('delivered twice, though the first time was known', twice.filter((id) => !behind.excused.has(id)).length, (count) => count === 0);
  judged('messages left in the spool', left, (count) => count === 0);
  judged('exit code', code, (code) => code === 0);
  console.log(
    `  ${Math.round(accepted.length / seconds)} messages a second in and out, ${unknown} of which the client does not know, ${again} second copies, ${behind.told.size} notices`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(broken === 0 ? 'every bound was held' : `${broken} bounds were broken`);
process.exit(broken === 0 ? 0 : 1);

function mistaken() {
  const delivered = [...behind.copies.keys()].filter((id) => fateOf(id) === 'refused');
  return delivered.length + [...behind.told.keys()].filter((id) => fateOf(id) !== 'refused').length;
}

function judged(what, value, holds) {
  const held = holds(value);
  console.log(`  ${held ? 'held  ' : 'BROKEN'}  ${String(value).padStart(9)}  ${what}`);
  if (!held) broken++;
}

/** So many messages, in sessions of some each, several at a time. What could not be sent is another session's. */
async function sendAll(port) {
  const ids = Array.from({ length: MESSAGES }, (_, i) => `m${i}`);
  const client = async () => {
    for (let some = ids.splice(0, EACH); some.length > 0; some = ids.splice(0, EACH)) ids.push(...(await session(port, some)));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** Those that were not sent. */
async function session(port, ids) {
  let client;
  try {
    client = await connect({ port, starttls: 'off', hostname: 'soak.example' });
  } catch {
    await pause(50);
    return ids;
  }
  const unsent = [];
  for (const id of ids) {
    const { outcomes } = await client.send({ reversePath: `${id}@soak.example`, recipients: [`${id}@behind.example`] }, contentOf(id));
    const [{ status }] = outcomes;
    if (status === 'accepted') accepted.push(id);
    else if (status === 'unknown') {
      unknown++;
      // It may be in the queue already, under a name of its own.
      behind.excused.add(id);
      unsent.push(id);
    } else unsent.push(id);
  }
  await client.close();
  return unsent;
}

/** Lines with dots, of a length that follows from the name. */
function contentOf(id) {
  const digest = digestOf(id).toString('hex');
  return `Subject: ${id}\r\n\r\n${`.${digest}\r\n..\r\n`.repeat(1 + (digest.charCodeAt(0) % 16))}`;
}

function digestOf(id) {
  return createHash('sha256').update(id).digest();
}

/** Until something is so; gives up when nothing comes any more. */
async function until(holds) {
  let last = 0;
  let since = performance.now();
  while (!holds()) {
    const seen = accepted.length + behind.copies.size + behind.told.size;
    if (seen !== last) since = performance.now();
    else if (performance.now() - since > PATIENCE) return;
    last = seen;
    await pause(20);
  }
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}
