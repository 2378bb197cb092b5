// Takes mail from programs of others over real sockets and holds every stored file against a recording of the wire,
// or, under TLS, against what they were given; and sends mail to servers of others.
// Options: --install (or CI in the environment) installs what is missing; --messages=1000 has more sent by those among kill -9 and refusals; any other word
// picks the scenarios whose names have it, and only what these need is asked for.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authClients } from './interop/auth.mjs';
import { browser } from './interop/browser.mjs';
import { browserMail } from './interop/browser-mail.mjs';
import { clients } from './interop/clients.mjs';
import { conformScenarios } from './interop/conform.mjs';
import { conformClientScenarios } from './interop/conform-clients.mjs';
import { conformReportScenarios } from './interop/conform-report.mjs';
import { conformRunnerScenarios } from './interop/conform-runners.mjs';
import { dnsScenarios } from './interop/dns.mjs';
import { eximScenarios } from './interop/exim.mjs';
import { extensionScenarios } from './interop/extensions.mjs';
import { haproxyScenarios } from './interop/haproxy.mjs';
import { judge } from './interop/judge.mjs';
import { manyRelaysScenarios } from './interop/many-relays.mjs';
import { bareLineFeed } from './interop/mx.mjs';
import { nginxScenarios } from './interop/nginx.mjs';
import { outboundScenarios } from './interop/outbound.mjs';
import { outboundMailerScenarios } from './interop/outbound-mailers.mjs';
import { postfixScenarios } from './interop/postfix.mjs';
import { postgresScenarios } from './interop/postgres.mjs';
import { provide, versions } from './interop/programs.mjs';
import { recipeScenarios } from './interop/recipes.mjs';
import { startRelay } from './interop/relay.mjs';
import { relayBetweenScenarios } from './interop/relay-between.mjs';
import { relayFaultScenarios } from './interop/relay-faults.mjs';
import { relayKillScenarios } from './interop/relay-kills.mjs';
import { relayTlsScenarios } from './interop/relay-tls.mjs';
import { sending } from './interop/sending.mjs';
import { startServer } from './interop/server.mjs';
import { terminalScenarios } from './interop/terminal.mjs';
import { testingScenarios } from './interop/testing.mjs';
import { tlsClients } from './interop/tls.mjs';
import { webScenarios } from './interop/web.mjs';
import { webClientScenarios } from './interop/web-clients.mjs';
import { workers } from './interop/workers.mjs';

/** Scenarios at a time: most of what one does is to wait for a program. */
const TOGETHER = 2;
const RESULTS = 'packages/ehlo/.results';
const args = process.argv.slice(2);
const words = args.filter((arg) => !arg.startsWith('--'));
const scenarios = [
  ...clients.flatMap((client) => [received(client, true), received(client, false)]),
  ...tlsClients,
  ...authClients,
  browser,
  browserMail,
  workers,
  ...dnsScenarios,
  ...eximScenarios,
  ...sending,
  ...postfixScenarios,
  ...outboundScenarios,
  ...outboundMailerScenarios,
  ...relayBetweenScenarios,
  ...relayTlsScenarios,
  ...relayFaultScenarios,
  ...relayKillScenarios,
  ...haproxyScenarios,
  ...nginxScenarios,
  ...extensionScenarios,
  ...terminalScenarios,
  ...testingScenarios,
  ...webScenarios,
  ...webClientScenarios,
  ...conformScenarios,
  ...recipeScenarios,
  ...postgresScenarios,
  ...manyRelaysScenarios,
  ...conformClientScenarios,
  ...conformRunnerScenarios,
  ...conformReportScenarios,
  { name: 'mx: a bare LF is refused, and the session goes on', run: bareLineFeed },
];

const chosen = scenarios.filter(({ name }) => words.every((word) => name.includes(word)));
// A name that nobody has is told before anything is looked for or installed.
const wrong =
  chosen.length === 0
    ? `no scenario has a name with ${words.join(' and ')}`
    : provide(
        chosen.map(({ name }) => name),
        words.length === 0,
        args.includes('--install') || Boolean(process.env.CI),
      );

if (wrong !== null) {
  console.error(`interop: ${wrong}`);
  report(0, 1, 0);
} else {
  console.log(`with ${versions().join(', ')}`);
  await runAll(chosen);
}

async function runAll(some) {
  const waiting = [...some];
  const failures = [];
  let skipped = 0;
  const runEach = async () => {
    for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
      if (scenario.root && process.getuid() !== 0 && !process.env.CI) {
        console.log(`skip           ${scenario.name}: only root can start it`);
        skipped++;
        continue;
      }
      const why = await runOne(scenario);
      if (why !== null) failures.push(`${scenario.name}: ${String(why.message ?? why).split('\n', 1)[0]}`);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, runEach));
  // Said again at the end: what is read of a long log is its last lines.
  for (const failure of failures) console.log(`failed: ${failure}`);
  report(some.length - failures.length - skipped, failures.length, skipped);
}

/** Why it failed, or null. */
async function runOne({ name, run }) {
  const start = performance.now();
  const why = await run().then(
    () => null,
    (error) => error ?? new Error('it failed'),
  );
  console.log(`${why === null ? 'ok  ' : 'FAIL'}  ${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${name}`);
  if (why !== null) console.log(`      ${String(why.stack ?? why).replaceAll('\n', '\n      ')}`);
  return why;
}

function report(passed, failed, skipped) {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, 'interop.json'), `${JSON.stringify({ passed, failed, skipped })}\n`);
  console.log(`interop: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

/** A client sends through the relay; with `raw` whole files are compared, else what follows the trace fields. */
function received(client, raw) {
  return { name: `${client.name} (${raw ? 'raw' : 'with trace fields'})`, run: () => receive(client, raw) };
}

async function receive(client, raw) {
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
  const server = await startServer(...(raw ? ['--raw'] : []));
  const relay = await startRelay(server.port);
  try {
    await client.send(relay.port, folder);
    const code = await server.stop();
    const messages = judge(relay.recordings, server, raw);
    if (messages !== client.messages) throw new Error(`${messages} messages were accepted, ${client.messages} were to be sent`);
    if (code !== 0) throw new Error(`ehlo serve ended with ${code}: ${server.errors}`);
  } finally {
    await server.stop();
    await relay.close();
    server.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}
