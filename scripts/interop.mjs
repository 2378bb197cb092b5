// Takes mail from programs of others over real sockets and holds every stored file against a recording of the wire,
// or, under TLS, against what they were given; and sends mail to servers of others.
// Options: --install (or CI in the environment) installs what is missing; any other word picks the scenarios whose names have it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authClients } from './interop/auth.mjs';
import { browser } from './interop/browser.mjs';
import { browserMail } from './interop/browser-mail.mjs';
import { clients } from './interop/clients.mjs';
import { eximScenarios } from './interop/exim.mjs';
import { extensionScenarios } from './interop/extensions.mjs';
import { haproxyScenarios } from './interop/haproxy.mjs';
import { judge } from './interop/judge.mjs';
import { bareLineFeed } from './interop/mx.mjs';
import { nginxScenarios } from './interop/nginx.mjs';
import { postfixScenarios } from './interop/postfix.mjs';
import { provide, versions } from './interop/programs.mjs';
import { startRelay } from './interop/relay.mjs';
import { sending } from './interop/sending.mjs';
import { startServer } from './interop/server.mjs';
import { terminalScenarios } from './interop/terminal.mjs';
import { testingScenarios } from './interop/testing.mjs';
import { tlsClients } from './interop/tls.mjs';
import { workers } from './interop/workers.mjs';

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
  ...eximScenarios,
  ...sending,
  ...postfixScenarios,
  ...haproxyScenarios,
  ...nginxScenarios,
  ...extensionScenarios,
  ...terminalScenarios,
  ...testingScenarios,
  { name: 'mx: a bare LF is refused, and the session goes on', run: bareLineFeed },
];

const chosen = scenarios.filter(({ name }) => words.every((word) => name.includes(word)));
// A name that nobody has is told before anything is looked for or installed.
const wrong =
  chosen.length === 0
    ? `no scenario has a name with ${words.join(' and ')}`
    : provide(args.includes('--install') || Boolean(process.env.CI));

if (wrong !== null) {
  console.error(`interop: ${wrong}`);
  report(0, 1, 0);
} else {
  console.log(`with ${versions().join(', ')}`);
  await runAll(chosen);
}

async function runAll(some) {
  let failed = 0;
  let skipped = 0;
  for (const { name, run, root = false } of some) {
    if (root && process.getuid() !== 0 && !process.env.CI) {
      console.log(`skip           ${name}: only root can start it`);
      skipped++;
      continue;
    }
    const start = performance.now();
    const why = await run().then(
      () => null,
      (error) => error,
    );
    console.log(`${why === null ? 'ok  ' : 'FAIL'}  ${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s  ${name}`);
    if (why === null) continue;
    failed++;
    console.log(`      ${String(why.stack ?? why).replaceAll('\n', '\n      ')}`);
  }
  report(some.length - failed - skipped, failed, skipped);
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
