// Many machines as docs/many-relays.md has them: HAProxy in front, three relays, one PostgreSQL behind; to Postfix, and to a server of ours. One relay
// after the other is killed, or stopped for longer than its lease.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openPostgres } from '@ehlo/relay/postgres';
import { connect } from 'ehlo';
import { shown } from './manual.mjs';
import { postfix } from './postfix.mjs';
import { database, written } from './postgres.mjs';
import { freePort, scenario } from './stage.mjs';

const EHLO = fileURLToPath(new URL('../../packages/ehlo/bin/ehlo.js', import.meta.url));
const MESSAGES = 150;
const CLIENTS = 8;
/** Longer than the lease of half a minute. */
const STILL = 40_000;

export const manyRelaysScenarios = [
  { ...scenario('Postfix, HAProxy and PostgreSQL: three relays, one killed or stopped every few seconds', many), root: true },
];

async function many(stage) {
  const { url } = await database(stage);
  const queue = await openPostgres({ url });
  stage.later(() => queue.close());
  const client = await written(stage, url);
  const copies = new Map();
  const sink = await stage.serve('sink', {
    async message({ body }) {
      const text = Buffer.from(await body.bytes()).toString('latin1');
      const id = /^X-Id: (\S+)/m.exec(text)?.[1] ?? `a notice: ${text}`;
      copies.set(id, (copies.get(id) ?? 0) + 1);
      await delay(Math.random() * 300);
      return true;
    },
  });
  const mailer = await postfix(stage, `smtp:[127.0.0.1]:${sink.address.port}`, [
    'transport_maps =',
    'smtpd_recipient_restrictions = permit_mynetworks, reject',
  ]);
  const ports = { direct: sink.address.port, postfix: mailer.port };
  const relays = [];
  for (let number = 0; number < 3; number++) relays.push(relay(stage, await freePort(), url, ports));
  await Promise.all(relays.map(({ start }) => start()));
  const front = await haproxy(stage, relays);

  const acknowledged = new Set();
  let tries = 0;
  const sender = async () => {
    while (acknowledged.size < MESSAGES) {
      // Of a message that is not acknowledged nobody knows whether it was taken: it is sent again as another, so that each can be counted.
      const id = `m${tries++}`;
      const to = tries % 2 === 0 ? 'direct' : 'postfix';
      if (await send(front, `joe@${to}.example`, id)) acknowledged.add(id);
      await delay(100);
    }
  };
  const senders = Promise.all(Array.from({ length: CLIENTS }, sender));
  const isDone = async () => {
    if (acknowledged.size < MESSAGES) return false;
    const { leased, due, waiting } = await queue.count();
    return leased + due + waiting === 0;
  };
  let kills = 0;
  let stops = 0;
  const end = performance.now() + 600_000;
  while (!(await isDone())) {
    assert(performance.now() < end, `${acknowledged.size} messages are acknowledged, ${copies.size} have arrived`);
    await delay(3000);
    const awake = relays.filter((one) => !one.isStill());
    const one = awake[(kills + stops) % awake.length];
    // One stands still while the others are killed.
    if (kills % 12 === 0 && awake.length === relays.length) {
      stops++;
      one.stop();
      void delay(STILL).then(() => one.goOn());
    } else {
      kills++;
      await one.kill();
      await one.start();
    }
  }
  await senders;
  await delay(relays.some((one) => one.isStill()) ? STILL : 3000);
  assert.equal(await isDone(), true);
  const lost = [...acknowledged].filter((id) => !copies.has(id));
  assert.deepEqual(lost, []);
  const notices = [...copies.keys()].filter((id) => !/^m\d+$/.test(id));
  assert.deepEqual(notices, []);
  const arrived = [...copies.values()].reduce((sum, count) => sum + count, 0);
  const { rows } = await client.query('SELECT count(*)::int AS attempts FROM attempt');
  assert(arrived <= rows[0].attempts, `${arrived} copies of ${rows[0].attempts} attempts`);
  const duplicates = arrived - copies.size;
  console.log(`many relays: ${acknowledged.size} messages acknowledged, ${tries - acknowledged.size} not and sent as others, ${kills} relays killed,
  ${stops} stopped, ${duplicates} second copies, none lost`);
}

/** Whether a message was acknowledged. */
async function send(port, to, id) {
  const text = `X-Id: ${id}\r\nFrom: <ann@sender.example>\r\n\r\nhello\r\n`;
  try {
    const client = await connect({ host: '127.0.0.1', port, hostname: 'client.example', starttls: 'off' });
    const { outcomes } = await client.send({ reversePath: '', recipients: [to] }, Buffer.from(text));
    await client.close().catch(() => {});
    return outcomes[0].status === 'accepted';
  } catch {
    return false;
  }
}

/** `ehlo relay`, in a process of its own. */
function relay(stage, port, url, { direct, postfix: behind }) {
  const route = (domain, to) => ({ to: 'host', domains: [domain], hosts: ['127.0.0.1'], port: to, tls: 'clear' });
  const config = stage.file(
    `relay-${port}.json`,
    JSON.stringify({
      hostname: 'relay.example',
      postmaster: 'ann@direct.example',
      listeners: [{ kind: 'mx', host: '127.0.0.1', port, proxies: ['127.0.0.1'] }],
      relayFrom: ['127.0.0.1'],
      routes: [route('direct.example', direct), route('postfix.example', behind)],
      delivery: { preset: 'test', expiry: '1h', noticeExpiry: '1h', delayed: '0s' },
      queue: { kind: 'postgres', url },
    }),
  );
  let child = null;
  let isStill = false;
  let said = '';
  stage.logs.push(() => `ehlo relay on ${port}: ${said.slice(-3000)}`);
  const one = {
    port,
    isStill: () => isStill,
    async start() {
      child = spawn(process.execPath, [EHLO, 'relay', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text) => {
          said += text;
        });
      }
      while (!(await listens(port))) {
        if (child.exitCode !== null) throw new Error(`the relay ended with ${child.exitCode}`);
        await delay(50);
      }
    },
    async kill() {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    stop() {
      isStill = true;
      child.kill('SIGSTOP');
    },
    goOn() {
      isStill = false;
      child.kill('SIGCONT');
    },
  };
  stage.later(() => one.kill());
  return one;
}

async function listens(port) {
  const socket = connectTo(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** As docs/many-relays.md shows it, but for addresses. */
async function haproxy(stage, relays) {
  const port = await freePort();
  const ready = await freePort();
  const page = shown('many-relays.md', 'haproxy', [
    ['bind :25', `bind 127.0.0.1:${port}`],
    ...relays.map((one, number) => [`10.0.0.${number + 5}:2525`, `127.0.0.1:${one.port}`]),
  ]);
  const config = stage.file('haproxy.cfg', `${page}\nfrontend ready\n  bind 127.0.0.1:${ready}\n`);
  await stage.daemon('haproxy', ['-db', '-f', config], [ready]);
  return port;
}
