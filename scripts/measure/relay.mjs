// Messages a second through `ehlo relay` and through Postfix, durable in and out, in turns: smtp-source in front, the same sink behind, both queues in one file
// system, and what each costs of the processors. `npm run measure:relay`, as root, where Postfix is installed; `-- --messages N --rounds N --octets N`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { postfix } from '../interop/postfix.mjs';
import { find } from '../interop/programs.mjs';
import { freePort, scenario } from '../interop/stage.mjs';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
    octets: { type: 'string', default: '4096' },
  },
});
const MESSAGES = Number(values.messages);
/** Clients at a time, and sessions with the sink. */
const CLIENTS = 20;
/** Ticks of the clock by which Linux counts processor time (proc(5)). */
const TICK = 10;

const { run } = scenario('measure', async (stage) => {
  let taken = 0;
  const handler = {
    async message({ body }) {
      for await (const _ of body);
      taken++;
      return true;
    },
  };
  const limits = { transactions: 999_999_999, idleCommands: 999_999_999 };
  const sink = await stage.serve('sink', handler, { port: 0, starttls: 'off', limits });
  const behind = sink.address.port;
  const port = await freePort();
  const config = {
    hostname: 'relay.example',
    postmaster: 'postmaster@behind.example',
    listeners: [{ kind: 'mx', host: '127.0.0.1', port }],
    relayFrom: ['127.0.0.1'],
    routes: [{ to: 'host', domains: ['*'], hosts: ['127.0.0.1'], port: behind }],
    delivery: { sessionsPerHost: CLIENTS, sessionsPerDomain: CLIENTS },
    queue: { kind: 'spool', folder: stage.path('spool') },
    log: { level: 'error' },
  };
  await stage.mailer(config, [port]);
  const submit = await postfix(stage, `smtp:[127.0.0.1]:${behind}`, [
    'transport_maps =',
    'smtp_connection_cache_destinations = static:all',
  ]);
  const mailers = [
    { name: 'ehlo relay', port, processes: () => matching(/ relay --config /, stage.folder) },
    { name: 'Postfix', port: submit.port, processes: () => withChildren(masterOf(stage)) },
  ];
  for (const { port } of mailers) await send(port, 200);
  await until(() => taken >= 400);
  const rounds = mailers.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, mailer] of mailers.entries()) {
      const before = { taken, cpu: cpuOf(mailer), at: performance.now() };
      await send(mailer.port, MESSAGES);
      await until(() => taken - before.taken >= MESSAGES);
      const seconds = (performance.now() - before.at) / 1000;
      rounds[i].push({ rate: MESSAGES / seconds, cpu: (cpuOf(mailer) - before.cpu) / MESSAGES });
    }
  }
  console.log(`${MESSAGES} messages of ${values.octets} octets, ${CLIENTS} clients, the median of ${values.rounds} rounds in turns`);
  const rows = mailers.map(({ name }, i) => ({
    name,
    rate: median(rounds[i].map(({ rate }) => rate)),
    cpu: median(rounds[i].map(({ cpu }) => cpu)),
  }));
  for (const { name, rate, cpu } of rows)
    console.log(`| ${name} | ${Math.round(rate)} messages a second | ${cpu.toFixed(2)} ms of processor time each |`);
  const [ours, theirs] = rows;
  console.log(`ratio: ${(ours.rate / theirs.rate).toFixed(2)} of its rate, ${(ours.cpu / theirs.cpu).toFixed(2)} of its processor time`);
});
await run();

async function send(port, count) {
  const args = [
    '-s',
    `${CLIENTS}`,
    '-m',
    `${count}`,
    '-l',
    values.octets,
    '-f',
    'ann@client.example',
    '-t',
    'joe@behind.example',
    '-d',
    `127.0.0.1:${port}`,
  ];
  const source = spawn(find('smtp-source'), args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(source, 'exit');
  if (code !== 0) throw new Error(`smtp-source has ended with ${code}`);
}

async function until(holds) {
  while (!holds()) await pause(2);
}

/** Milliseconds of all its processes, of those that have ended, too. */
function cpuOf({ processes }) {
  let sum = 0;
  for (const { own, ended } of processes()) sum += own + ended;
  return sum;
}

/** The process table: parent, command line, and milliseconds of its own and of children that it has waited for. */
function table() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
          .replace(/^.*\) /s, '')
          .split(' ');
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
        const [user, system, usersEnded, systemsEnded] = fields.slice(11, 15).map((ticks) => Number(ticks) * TICK);
        return [{ pid: Number(pid), parent: Number(fields[1]), command, own: user + system, ended: usersEnded + systemsEnded }];
      } catch {
        return [];
      }
    });
}

function matching(pattern, folder) {
  return table().filter(({ command }) => pattern.test(command) && command.includes(folder));
}

function withChildren(master) {
  return table().filter(({ pid, parent }) => pid === master || parent === master);
}

function masterOf(stage) {
  return Number(readFileSync(`${stage.path('queue')}/pid/master.pid`, 'latin1'));
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
