// A queue that several relays share, in Debian's PostgreSQL: what its tests say, what is there after a crash, and what relays that die or stand still leave.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newJob } from '@ehlo/delivery';
import { openPostgres } from '@ehlo/relay/postgres';
import { find } from './programs.mjs';
import { freePort, scenario, until } from './stage.mjs';

const RELAY = fileURLToPath(new URL('postgres-relay.mjs', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../packages/relay/', import.meta.url));
const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

export const postgresScenarios = [
  scenario('PostgreSQL: the tests of every queue, and a line that breaks at each statement', tested),
  scenario('PostgreSQL: it crashes while messages come in, and starts again', crashed),
  scenario('PostgreSQL: three relays, which are killed or stopped for twice a lease', killed),
];

async function tested(stage) {
  const { url } = await database(stage);
  const child = spawn(process.execPath, [VITEST, 'run', 'test/postgres-queue.test.ts'], {
    cwd: PACKAGE,
    env: { ...process.env, EHLO_POSTGRES: url, EHLO_RESULTS: 'postgres' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  }
  const [code] = await once(child, 'close');
  assert.equal(code, 0, said);
}

/** What was acknowledged is there; what was refused is not, unless the database was gone for too long to be asked. */
async function crashed(stage) {
  const server = await database(stage);
  const queue = await openPostgres({ url: server.url, patience: 5000, lease: 600_000 });
  stage.later(() => queue.close());
  const acknowledged = new Set();
  const refused = new Map();
  let isOver = false;
  const client = async (name) => {
    for (let number = 0; !isOver; number++) {
      const id = `${name}-${number}`;
      await queue.put([jobOf(id)], [Buffer.alloc(1000, id)]).then(
        () => acknowledged.add(id),
        (error) => refused.set(id, error),
      );
    }
  };
  const clients = ['a', 'b', 'c', 'd'].map(client);
  await until('messages', () => acknowledged.size > 20);
  const [lease] = await queue.take(1);
  for (let crash = 0; crash < 3; crash++) {
    const before = acknowledged.size;
    await server.crash();
    await until('a refusal', () => refused.size > 0);
    await server.start();
    await until('messages after the crash', () => acknowledged.size > before + 20);
  }
  isOver = true;
  await Promise.all(clients);
  const there = new Set();
  for await (const { id } of queue.find({})) there.add(id);
  assert.deepEqual(
    [...acknowledged].filter((id) => !there.has(id)),
    [],
  );
  for (const [id, error] of refused) {
    assert.equal(error.code, 'unreachable', error.stack);
    if (there.has(id)) assert.match(error.message, /the answer to COMMIT is lost/);
  }
  // A lease is as durable as what it is of.
  assert.equal(await queue.begin(lease, { attempt: 1, recipients: [0], at: Date.now() }), true);
  assert.deepEqual(
    (await queue.take(acknowledged.size + refused.size)).filter(({ job }) => job.id === lease.job.id),
    [],
  );
}

/** Relays of our own deliver to a server of ours: each message arrives, and as often as it may have been sent and nobody knew. */
async function killed(stage) {
  const MESSAGES = 500;
  const LEASE = 1500;
  /** Jobs that a relay has at once. */
  const MOST = 10;
  const { url } = await database(stage);
  const queue = await openPostgres({ url });
  stage.later(() => queue.close());
  const copies = new Map();
  const client = await written(stage, url);
  const sink = await stage.serve('sink', {
    async message({ envelope, body }) {
      let text = '';
      for await (const bytes of body) text += Buffer.from(bytes).toString('latin1');
      const id = /^X-Id: (\S+)/m.exec(text)[1];
      copies.set(id, (copies.get(id) ?? 0) + envelope.recipients.length);
      // The reply comes late at times: there are relays that die between.
      await delay(Math.random() * 200);
      return true;
    },
  });
  for (let number = 0; number < MESSAGES; number++)
    await queue.put([jobOf(`m${number}`)], [Buffer.from(`X-Id: m${number}\r\n\r\nhello\r\n`)]);
  const relays = [0, 1, 2].map(() => relay(stage, [url, sink.address.port, LEASE, MOST]));
  await Promise.all(relays.map(({ start }) => start()));
  const isDone = async () => {
    const { leased, due, waiting } = await queue.count();
    return leased + due + waiting === 0;
  };
  let troubles = 0;
  while (!(await isDone())) {
    const one = relays[troubles % 3];
    const before = copies.size;
    await until('deliveries', async () => copies.size > before + 3 || (await isDone()));
    if (troubles++ % 2 === 0) {
      await one.kill();
      await one.start();
    } else {
      one.stop();
      await delay(2 * LEASE);
      one.goOn();
    }
  }
  // A relay that has stood still may have something to say still; nothing comes of it.
  await delay(2 * LEASE);
  assert.equal(await isDone(), true);
  const { rows } = await client.query('SELECT id, count(*)::int AS attempts FROM attempt GROUP BY id');
  const attempts = new Map(rows.map((row) => [row.id, row.attempts]));
  let duplicates = 0;
  for (let number = 0; number < MESSAGES; number++) {
    const id = `m${number}`;
    const count = copies.get(id) ?? 0;
    assert(count > 0, `${id} is lost`);
    // One copy more than is known of takes an attempt that was written down and whose outcome nobody has committed.
    assert(count <= attempts.get(id), `${count} copies of ${attempts.get(id)} attempts of ${id}`);
    duplicates += count - 1;
  }
  assert(duplicates <= troubles * MOST, `${duplicates} duplicates, ${troubles} relays killed or stopped`);
  console.log(`PostgreSQL: ${MESSAGES} messages, ${troubles} relays killed or stopped, ${duplicates} duplicates, none lost`);
}

/** Attempts that were written down are counted by the database itself, from now on. */
export async function written(stage, url) {
  const { Client } = createRequire(new URL('package.json', `file://${PACKAGE}`))('pg');
  const client = new Client({ connectionString: url });
  await client.connect();
  stage.later(() => client.end());
  await client.query(`CREATE TABLE attempt (id text);
    CREATE FUNCTION attempted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO attempt VALUES (NEW.id); RETURN NEW; END $$;
    CREATE TRIGGER attempted AFTER UPDATE ON ehlo.job FOR EACH ROW
      WHEN (NEW.begun IS NOT NULL AND NEW.begun::text IS DISTINCT FROM OLD.begun::text) EXECUTE FUNCTION attempted()`);
  return client;
}

function jobOf(id) {
  const now = Date.now();
  return newJob(id, { id: `message-${id}`, reversePath: '', arrived: now, size: 1000 }, '[127.0.0.1]', [{ address: 'joe@[127.0.0.1]' }]);
}

/** A relay in a process of its own. */
function relay(stage, args) {
  let child = null;
  let said = '';
  const start = async () => {
    child = spawn(process.execPath, [RELAY, ...args.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    // It says that it runs.
    await once(child.stdout, 'data');
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  stage.logs.push(() => `relay: ${said.slice(-2000)}`);
  stage.later(kill);
  return { start, kill, stop: () => child.kill('SIGSTOP'), goOn: () => child.kill('SIGCONT') };
}

/** A server of its own on a free port, as the user `postgres` where this one is root, which it does not run for. */
export async function database(stage) {
  const folder = stage.path('postgres');
  const programs = dirname(realpathSync(find('postgres')));
  mkdirSync(folder);
  const isRoot = process.getuid() === 0;
  const [, uid, gid] = isRoot ? /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')).map(Number) : [];
  if (isRoot) chownSync(folder, uid, gid);
  const made = spawnSync(join(programs, 'initdb'), ['-D', join(folder, 'data'), '-U', 'relay', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    encoding: 'utf8',
    cwd: folder,
    ...(isRoot ? { uid, gid } : {}),
  });
  assert.equal(made.status, 0, made.stderr);
  const port = await freePort();
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '60' };
  const args = [
    '-D',
    join(folder, 'data'),
    '-p',
    `${port}`,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const start = async () => {
    const postgres = join(programs, 'postgres');
    const program = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', postgres] : ['postgres'];
    await stage.daemon(program[0], [...program.slice(1), ...args], [port]);
    // It listens before it has recovered, and then says that it is starting up.
    const isReady = () => spawnSync(join(programs, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', `${port}`, '-U', 'relay']).status === 0;
    await until('PostgreSQL', isReady);
  };
  const pidOf = () => Number(readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  await start();
  return {
    url: `postgres://relay@127.0.0.1:${port}/postgres`,
    port,
    start,
    /** As if the machine had stopped: nothing is written any more, and no client is told. */
    async crash() {
      const pid = pidOf();
      process.kill(pid, 'SIGQUIT');
      await until('its end', () => !isAlive(pid));
    },
  };
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
