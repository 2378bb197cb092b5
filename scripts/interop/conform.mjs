// Servers are examined by `@ehlo/conform`: ours, of which nothing may be wrong, and those of others, whose counts and verdicts
// must stay what they were when each violation was looked up. EHLO_CONFORM=write writes them anew, to be looked at again.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { conform, reportOf } from '@ehlo/conform';
import { dialer, serverChecks } from '@ehlo/conform/node';
import { CERTS, startAiosmtpd, startExim, startGoSmtp, startOpenSmtpd, startPostfix, USER } from './peers.mjs';

const FILE = new URL('conform.json', import.meta.url);
const OURS = fileURLToPath(new URL('conform-server.mjs', import.meta.url));
const at = (path) => fileURLToPath(new URL(`../../packages/ehlo/node_modules/${path}`, import.meta.url));
const RUNTIMES = {
  Node: [process.execPath],
  Deno: [at('deno/deno'), 'run', '-A', '--no-lock', '--cached-only'],
  Bun: [at('bun/bin/bun.exe'), 'run'],
};
const ADDRESSES = { from: 'conform@client.example', to: ['ann@mx.example', 'bob@mx.example'] };

/** How many checks are run at a time: all of these servers take as many sessions, and more, from one address. */
const SESSIONS = 8;
/** How long an answer is waited for, in milliseconds: as long as `ehlo conform` does. Where a server says nothing all of it passes. */
const PATIENCE = 15_000;

/** How each of our servers is examined. */
const KINDS = [
  { protocol: 'smtp', tls: 'none', port: 0 },
  { protocol: 'smtp', tls: 'starttls', user: USER, port: 0 },
  { protocol: 'submission', tls: 'starttls', user: USER, port: 1 },
  { protocol: 'lmtp', tls: 'none', port: 2 },
];

/** Servers of others, each as it comes. */
const PEERS = {
  Postfix: { start: startPostfix, tls: 'starttls', user: USER, root: true },
  Exim: { start: startExim, tls: 'starttls', user: USER, root: true },
  OpenSMTPD: { start: startOpenSmtpd, tls: 'none', root: true },
  'go-smtp': { start: startGoSmtp, tls: 'starttls', user: USER },
  aiosmtpd: { start: () => startAiosmtpd('plain'), tls: 'starttls', user: USER },
  'smtp-server': { start: startSmtpServer, tls: 'starttls', user: USER },
};

export const conformScenarios = [
  ...Object.keys(RUNTIMES).map((runtime) => ({ name: `conform: ehlo on ${runtime}`, run: () => examineOurs(runtime) })),
  ...Object.entries(PEERS).map(([name, { root = false }]) => ({ name: `conform: ${name}`, root, run: () => examinePeer(name) })),
];

async function examineOurs(runtime) {
  const [binary, ...options] = RUNTIMES[runtime];
  const child = spawn(binary, [...options, OURS, join(CERTS, 'server.crt'), join(CERTS, 'server.key')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(child.stdout, 'data');
    const ports = `${line}`.trim().split(' ').map(Number);
    for (const { port, ...kind } of KINDS) {
      const findings = await examine(ports[port], kind);
      const of = (verdict) => findings.filter((finding) => finding.verdict === verdict);
      assert.deepEqual(
        of('violates').map(({ id }) => id),
        [],
      );
      assert.deepEqual(
        of('inconclusive').map(({ id, because }) => `${id}: ${because}`),
        [],
      );
      const skipped = of('skipped').map(({ because }) => because);
      assert.deepEqual(
        skipped.filter((because) => !/is (?:not )?offered|^needs |^takes minutes/.test(because)),
        [],
      );
    }
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}

async function examinePeer(name) {
  const { start, tls, user } = PEERS[name];
  const peer = await start();
  let findings;
  try {
    findings = await examine(peer.port, { protocol: 'smtp', tls, user });
  } finally {
    await peer.stop();
  }
  const { counts } = reportOf({}, findings);
  const verdicts = createHash('sha256')
    .update(findings.map(({ id, verdict }) => `${id} ${verdict}\n`).join(''))
    .digest('hex');
  const kept = JSON.parse(readFileSync(FILE, 'utf8'));
  if (process.env.EHLO_CONFORM === 'write')
    return writeFileSync(FILE, `${JSON.stringify({ ...kept, [name]: { counts, verdicts } }, null, 2)}\n`);
  assert.deepEqual(
    { counts, verdicts },
    kept[name],
    'a verdict is another one: read what is violated against the RFC, then EHLO_CONFORM=write',
  );
}

async function examine(port, { protocol, tls, user }) {
  const dial = dialer({ host: '127.0.0.1', port, implicit: false, insecure: true });
  const credentials = user === undefined ? {} : { user };
  const options = {
    dial,
    protocol,
    tls,
    ...credentials,
    ...ADDRESSES,
    patience: PATIENCE,
    sessions: SESSIONS,
    slow: false,
    extensions: [],
    catalogue: serverChecks(),
  };
  const findings = [];
  for await (const finding of conform(options)) findings.push(finding);
  return findings;
}

/** smtp-server of npm, which takes everything. */
async function startSmtpServer() {
  const { SMTPServer } = createRequire(new URL('../../packages/ehlo/package.json', import.meta.url))('smtp-server');
  const server = new SMTPServer({
    name: 'peer.example',
    authOptional: true,
    cert: readFileSync(join(CERTS, 'server.crt')),
    key: readFileSync(join(CERTS, 'server.key')),
    onAuth: ({ username, password }, _session, done) =>
      username === USER.name && password === USER.password ? done(null, { user: username }) : done(new Error('wrong')),
    onData(stream, _session, done) {
      stream.resume().on('end', () => done(null, 'kept'));
    },
  });
  server.on('error', () => {});
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: server.server.address().port, stop: () => new Promise((resolve) => server.close(resolve)) };
}
