// The clients of others authenticate themselves, under TLS; what they send then is stored as from somebody who has.
import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from 'ehlo';
import { oauthBearer, xoauth2 } from 'ehlo/sasl';
import { run } from './clients.mjs';
import { find } from './programs.mjs';
import { startServer } from './server.mjs';

const CERTS = fileURLToPath(new URL('../../packages/node/test/certs/', import.meta.url));
const CA = join(CERTS, 'ca.crt');
const PYTHON = fileURLToPath(new URL('send-auth.py', import.meta.url));
const CYRUS = fileURLToPath(new URL('send-cyrus.py', import.meta.url));
const FROM = 'sender@client.example';
const TO = 'one@mx.example';
const USER = 'tim';
const PASSWORD = 'tanstaaf, =tanstaaf';
const MESSAGE = 'Subject: x\r\n\r\nx\r\n';
/** Made of the password by another implementation: gsasl --mkpasswd. */
const KEYS =
  '{SCRAM-SHA-256}10000,AAECAwQFBgcICQoLDA0ODw==,ewgxXrjw8lThUOVgOTYJXL8w70f0pAOyuGTXschlo9Q=,NCk9TqsoOIqK+4irsTnv29j9LleX97B/paAYH/xu7+Y=';

/** What is said of a wrong password; curl has words of its own. */
const REFUSED = /\b535\b|Login denied/;
const TLS = ['--cert', join(CERTS, 'server.crt'), '--key', join(CERTS, 'server.key')];

const PLACES = [
  ['STARTTLS', 'port'],
  ['TLS from the start', 'tlsPort'],
];

/**
 * What each client is told to do: { name, send(to, password), keys, messages }. With `keys` the server does not have the password.
 * `send` throws where the client is refused.
 */
const clients = [
  ...['PLAIN', 'LOGIN', 'CRAM-MD5'].flatMap((mechanism) => PLACES.map(([how, port]) => swaks(mechanism, how, port))),
  ...['PLAIN', 'LOGIN', 'CRAM-MD5'].flatMap((mechanism) => PLACES.map(([how, port]) => curl(mechanism, how, port))),
  ...['plain', 'login', 'cram-md5', 'scram-sha-1', 'scram-sha-256'].map((mechanism) => msmtp(mechanism, false)),
  ...['plain', 'login', 'scram-sha-256'].map((mechanism) => msmtp(mechanism, true)),
  ...['PLAIN', 'LOGIN', 'CRAM-MD5'].map(smtplib),
  ...['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'CRAM-MD5'].map((mechanism) => gsasl(mechanism, false)),
  gsasl('SCRAM-SHA-256-PLUS', true),
  ...['SCRAM-SHA-512', 'SCRAM-SHA-512-PLUS'].map((mechanism) => cyrus(mechanism, false)),
  ...['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'].map((mechanism) => cyrus(mechanism, true)),
];

function swaks(mechanism, how, port) {
  return {
    name: `swaks: ${mechanism}, ${how}`,
    async send(to, password) {
      const trust = ['--tls-verify', '--tls-ca-path', CA, '--tls-sni', 'localhost', port === 'port' ? '--tls' : '--tlsc'];
      const auth = ['--auth', mechanism, '--auth-user', USER, '--auth-password', password];
      const said = await run('swaks', [
        '--server',
        `localhost:${to[port]}`,
        '--timeout',
        '60',
        '--from',
        FROM,
        '--to',
        TO,
        ...trust,
        ...auth,
      ]);
      assert.match(said, new RegExp(`~> AUTH ${mechanism}`));
    },
  };
}

function curl(mechanism, how, port) {
  return {
    name: `curl: ${mechanism}, ${how}`,
    async send(to, password) {
      const url = port === 'port' ? ['--ssl-reqd', '--url', `smtp://localhost:${to.port}`] : ['--url', `smtps://localhost:${to.tlsPort}`];
      await curlWith(to, '--user', `${USER}:${password}`, '--login-options', `AUTH=${mechanism}`, ...url);
    },
  };
}

function curlWith({ file }, ...options) {
  const common = ['--silent', '--show-error', '--max-time', '60', '--cacert', CA, '--ipv4', '--mail-from', FROM, '--mail-rcpt', TO];
  return run('curl', [...common, '--upload-file', file, ...options]);
}

function msmtp(mechanism, keys) {
  return {
    name: `msmtp: ${mechanism}${keys ? ', by keys' : ''}`,
    keys,
    send: (to, password) =>
      run(
        'msmtp',
        [
          ...['--file=/dev/null', '--host=127.0.0.1', `--port=${to.port}`, `--from=${FROM}`, '--tls=on', `--tls-trust-file=${CA}`],
          ...['--tls-host-override=localhost', `--auth=${mechanism}`, `--user=${USER}`, `--passwordeval=printf %s '${password}'`, TO],
        ],
        MESSAGE,
      ),
  };
}

function smtplib(mechanism) {
  return {
    name: `smtplib: ${mechanism}`,
    send: (to, password) => run('python3', [PYTHON, mechanism, String(to.port), CA, USER, password]),
  };
}

/** The one with a client for the -PLUS forms. It authenticates, and sends nothing. */
function gsasl(mechanism, keys) {
  return {
    name: `gsasl: ${mechanism}${keys ? ', by keys' : ''}`,
    keys,
    messages: 0,
    async send(to, password) {
      const unbound = mechanism.endsWith('-PLUS') ? [] : ['--no-cb'];
      const who = [`--authentication-id=${USER}`, `--authorization-id=${USER}`, `--password=${password}`, `--x509-ca-file=${CA}`];
      await run('gsasl', ['--smtp', `--connect=localhost:${to.port}`, `--mechanism=${mechanism}`, ...who, ...unbound]);
    },
  };
}

/** The library that Postfix and others have their mechanisms from. */
function cyrus(mechanism, keys) {
  return {
    name: `Cyrus SASL: ${mechanism}${keys ? ', by keys' : ''}`,
    keys,
    send: (to, password) => run('python3', [CYRUS, mechanism, String(to.port), CA, USER, password]),
  };
}

const known = clients.filter(({ name }) => find('gsasl') !== undefined || !name.startsWith('gsasl:'));

export const authClients = [
  ...known.map((client) => ({ name: `AUTH, ${client.name}`, run: () => receive(client) })),
  ...['XOAUTH2', 'OAUTHBEARER'].map((mechanism) => ({ name: `AUTH, curl: ${mechanism}`, run: () => receiveByToken(mechanism) })),
];

async function receive({ send, keys = false, messages = 1 }) {
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
  const to = { file: join(folder, 'message.eml') };
  writeFileSync(to.file, MESSAGE);
  const users = join(folder, 'users');
  writeFileSync(users, `${USER}:${keys ? KEYS : PASSWORD}\n`);
  const server = await startServer('--users', users, ...TLS, '--tls-port', '0');
  Object.assign(to, { port: server.port, tlsPort: server.tlsPort });
  try {
    await assert.rejects(send(to, 'wrong'), REFUSED);
    assert.deepEqual(server.list('new'), []);
    await send(to, PASSWORD);
    const code = await server.stop();
    assert.equal(code, 0, server.errors);
    const files = server.list('new');
    assert.equal(files.length, messages);
    for (const name of files) assert.match(server.read(name), /\bwith ESMTPSA\b/);
  } finally {
    await server.stop();
    server.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Tokens are for a program to judge: a server of ours with one. */
async function receiveByToken(mechanism) {
  const identities = [];
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
  const file = join(folder, 'message.eml');
  writeFileSync(file, MESSAGE);
  const tls = { cert: readFileSync(join(CERTS, 'server.crt')), key: readFileSync(join(CERTS, 'server.key')) };
  const auth = {
    mechanisms: [mechanism === 'XOAUTH2' ? xoauth2() : oauthBearer()],
    verify: ({ type, user, token }) => type === 'token' && token.expose() === 'ya29.good-token' && user,
    required: true,
  };
  const mail = (_, { identity }) => identities.push(identity) > 0;
  const server = await serve({ hostname: 'mx.interop.example', preset: 'sink', tls, auth }, { mail });
  const send = (token) =>
    curlWith(
      { file },
      ...['--ssl-reqd', '--url', `smtp://localhost:${server.address.port}`, '--user', `${USER}:`, '--oauth2-bearer', token],
      ...['--login-options', `AUTH=${mechanism}`],
    );
  try {
    await assert.rejects(send('bad-token'), REFUSED);
    await send('ya29.good-token');
    assert.deepEqual(identities, [USER]);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
