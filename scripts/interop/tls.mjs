// The clients of others under TLS. No relay can see inside: what was stored is held against what the client was given.
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './clients.mjs';
import { find } from './programs.mjs';
import { startServer } from './server.mjs';

const CERTS = fileURLToPath(new URL('../../packages/node/test/certs/', import.meta.url));
const CA = join(CERTS, 'ca.crt');
const PYTHON = fileURLToPath(new URL('send-tls.py', import.meta.url));
const FROM = 'sender@client.example';
const TO = 'one@mx.example';
const CONTENT = ['From: <sender@client.example>', 'Subject: secret', '', '.', '..', '.a', '', '...', 'last', '.', ''].join('\r\n');
const STUFFED = CONTENT.replaceAll(/^\./gm, '..');

/** What each client is told to do: { name, send({ port, tlsPort, file, folder }), judge }. `judge` has the files that were stored. */
const clients = [
  ...[
    ['STARTTLS', '--tls', 'port'],
    ['from the start', '--tlsc', 'tlsPort'],
  ].map(([how, option, port]) => ({
    name: `swaks: ${how}`,
    send: (to) =>
      run('swaks', ['--server', `localhost:${to[port]}`, '--timeout', '60', '--from', FROM, '--to', TO, option, ...swaksTrust(to)]),
    judge: ([stored]) => assert.equal(stored, CONTENT),
  })),
  ...[
    ['STARTTLS', (to) => ['--ssl-reqd', '--url', `smtp://localhost:${to.port}/client.example`]],
    ['from the start', (to) => ['--url', `smtps://localhost:${to.tlsPort}/client.example`]],
  ].map(([how, options]) => ({
    name: `curl: ${how}`,
    send: (to) =>
      run('curl', [
        ...['--silent', '--show-error', '--max-time', '60', '--cacert', CA, '--ipv4', '--mail-from', FROM, '--mail-rcpt', TO],
        ...['--upload-file', to.file, ...options(to)],
      ]),
    judge: ([stored]) => assert.equal(stored, CONTENT),
  })),
  ...[
    ['STARTTLS', 'starttls', 'port'],
    ['from the start', 'ssl', 'tlsPort'],
  ].map(([how, mode, port]) => ({
    name: `smtplib: ${how}`,
    messages: 21,
    send: (to) => run('python3', [PYTHON, mode, String(to[port]), CA, to.file]),
    judge(stored) {
      const large = `Subject: large\r\n\r\n${'...large\r\n'.repeat(200_000)}`;
      assert.deepEqual(stored.map((content) => content === CONTENT || content === large).filter(Boolean).length, 21);
      assert.equal(stored.filter((content) => content === large).length, 1);
    },
  })),
  ...[
    ['STARTTLS', 'on', 'port'],
    ['from the start', 'off', 'tlsPort'],
  ].map(([how, starttls, port]) => ({
    name: `msmtp: ${how}`,
    send: (to) =>
      run(
        'msmtp',
        [
          ...['--file=/dev/null', '--host=127.0.0.1', `--port=${to[port]}`, `--from=${FROM}`, '--tls=on', `--tls-starttls=${starttls}`],
          ...[`--tls-trust-file=${CA}`, '--tls-host-override=localhost', TO],
        ],
        CONTENT,
      ),
    // It adds fields of its own to the header.
    judge: ([stored]) => assert.equal(stored.slice(stored.indexOf('\r\n\r\n')), CONTENT.slice(CONTENT.indexOf('\r\n\r\n'))),
  })),
  ...[
    ['STARTTLS', (to) => ['-starttls', 'smtp', '-connect', `127.0.0.1:${to.port}`]],
    ['from the start', (to) => ['-connect', `127.0.0.1:${to.tlsPort}`]],
  ].flatMap(([how, options]) =>
    ['-tls1_2', '-tls1_3'].map((version) => ({
      name: `openssl s_client: ${how}, ${version.slice(1)}`,
      send: (to) =>
        run(
          'openssl',
          // -ign_eof: lines that begin with Q or R are no commands of its own, and the end of the input is not that of the session.
          ['s_client', '-quiet', '-ign_eof', '-verify_return_error', '-CAfile', CA, '-servername', 'localhost', version, ...options(to)],
          `EHLO client.example\r\nMAIL FROM:<${FROM}>\r\nRCPT TO:<${TO}>\r\nDATA\r\n${STUFFED}.\r\nQUIT\r\n`,
        ),
      judge: ([stored]) => assert.equal(stored, CONTENT),
    })),
  ),
  {
    name: 'posttls-finger: STARTTLS, verified',
    messages: 0,
    async send(to) {
      const config = join(to.folder, 'main.cf');
      writeFileSync(config, 'compatibility_level = 3.6\n');
      const args = ['-c', '-l', 'secure', '-F', CA, '-L', 'summary', `[127.0.0.1]:${to.port}`, 'localhost'];
      assert.match(await run('posttls-finger', args, '', { MAIL_CONFIG: to.folder }), /Verified TLS connection established/);
    },
    judge: () => {},
  },
];

/** It takes a last line with only a dot for the end of data, and sends that. */
function swaksTrust(to) {
  writeFileSync(to.file, `${CONTENT}.\r\n`, 'latin1');
  return ['--tls-verify', '--tls-ca-path', CA, '--tls-sni', 'localhost', '--data', `@${to.file}`];
}

/** posttls-finger comes with Postfix, but not with every build of it. */
export const tlsClients = clients
  .filter(({ name }) => !name.startsWith('posttls-finger') || find('posttls-finger') !== undefined)
  .map((client) => ({ name: `TLS, ${client.name}`, run: () => receive(client) }));

async function receive({ send, judge, messages = 1 }) {
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
  const file = join(folder, 'message.eml');
  writeFileSync(file, CONTENT, 'latin1');
  const server = await startServer('--raw', '--cert', join(CERTS, 'server.crt'), '--key', join(CERTS, 'server.key'), '--tls-port', '0');
  try {
    await send({ port: server.port, tlsPort: server.tlsPort, file, folder });
    assert.equal(await server.stop(), 0, server.errors);
    const files = server.list('new');
    assert.equal(files.length, messages);
    assert.deepEqual(server.list('tmp'), []);
    judge(files.map((name) => server.read(name)));
  } finally {
    await server.stop();
    server.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}
