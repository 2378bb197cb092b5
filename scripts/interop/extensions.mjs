// The extensions, and what trusted peers may tell, as the small clients of others speak them.
import { strict as assert } from 'node:assert';
import { fileURLToPath } from 'node:url';
import { reject } from 'ehlo';
import { run } from './clients.mjs';
import { linesTo, scenario, storedBy } from './stage.mjs';

const PYTHON = fileURLToPath(new URL('send-extensions.py', import.meta.url));
const FROM = 'sender@client.example';
const TO = 'one@mx.example,two@mx.example';
/** Addresses of a client, as a header or XCLIENT tells them. */
const TOLD = { 4: ['192.0.2.7', '192.0.2.8'], 6: ['2001:db8::7', '2001:db8::8'] };

/** What is sent: { name, options of the server, send(port, stage), check(message, server) }; one message each. */
const clients = [
  ...[[], ['--pipeline']].map((more) => ({
    name: `swaks: LMTP over TCP${more.length > 0 ? ', pipelined' : ''}`,
    options: ['--lmtp'],
    send: (port) => swaks(port, '--protocol', 'LMTP', '--to', TO, ...more),
    check: isLmtp,
  })),
  {
    name: 'swaks: LMTP over a Unix socket',
    options: ['--lmtp'],
    unix: true,
    send: (path) => run('swaks', ['--socket', path, '--timeout', '60', '--protocol', 'LMTP', '--from', FROM, '--to', TO]),
    check: isLmtp,
  },
  {
    name: 'smtplib: LMTP over TCP',
    options: ['--lmtp'],
    send: (port) => run('python3', [PYTHON, 'lmtp', '127.0.0.1', `${port}`]),
    check: (message) => isLmtp(message, 1),
  },
  {
    name: 'smtplib: LMTP over a Unix socket',
    options: ['--lmtp'],
    unix: true,
    send: (path) => run('python3', [PYTHON, 'lmtp', path]),
    check: (message) => isLmtp(message, 1),
  },
  ...['4', '6'].map((version) => ({
    name: `swaks: XCLIENT of an IPv${version} client`,
    options: ['--trust-xclient', '127.0.0.1'],
    send: (port) =>
      swaks(
        port,
        '--xclient-addr',
        `${version === '6' ? 'IPV6:' : ''}${TOLD[version][0]}`,
        ...XCLIENT.flatMap(([name, value]) => [`--xclient-${name}`, value]),
      ),
    check({ peer, identity }) {
      assert.deepEqual(peer, { address: TOLD[version][0], port: 4321, name: 'far.example', helo: 'helo.example', protocol: 'ESMTP' });
      assert.equal(identity, 'joe');
    },
  })),
  ...[
    ['1', 'TCP4', '4'],
    ['1', 'TCP6', '6'],
    ['2', 'AF_INET', '4'],
    ['2', 'AF_INET6', '6'],
  ].map(([version, family, ip]) => ({
    name: `swaks: PROXY v${version}, ${family}`,
    options: ['--proxy', `v${version}`],
    send: (port) => swaks(port, '--proxy-version', version, ...proxy(family, TOLD[ip])),
    // Version 1 is text, and a client may spell its letters as it likes.
    check: ({ peer }) => assert.deepEqual([peer.address.toLowerCase(), peer.port], [TOLD[ip][0], 4321]),
  })),
  {
    name: 'curl: PROXY v1',
    options: ['--proxy', 'v1'],
    send: (port, stage) => curl(port, '--haproxy-protocol', '--mail-rcpt', 'one@mx.example', ...upload(stage)),
    check: ({ peer }) => assert.equal(peer.address, '127.0.0.1'),
  },
  {
    name: 'curl: SMTPUTF8',
    send: (port, stage) => curl(port, '--mail-from', 'söñder@client.example', '--mail-rcpt', '用户@mx.example', ...upload(stage)),
    check({ reversePath, forwardPaths, parameters, protocol }) {
      assert.equal(reversePath, '<söñder@client.example>');
      assert.deepEqual(forwardPaths, ['<用户@mx.example>']);
      assert.equal(parameters.smtpUtf8, true);
      assert.equal(protocol, 'UTF8SMTP');
    },
  },
  {
    name: 'curl: AUTH= of MAIL',
    options: ['--user', 'joe:secret', '--allow-cleartext-auth'],
    send: (port, stage) => curl(port, '--user', 'joe:secret', '--mail-auth', '<>', '--mail-rcpt', 'one@mx.example', ...upload(stage)),
    check({ parameters, identity }) {
      assert.equal(parameters.auth, '');
      assert.equal(identity, 'joe');
    },
  },
  {
    name: 'smtplib: SMTPUTF8',
    send: (port) => run('python3', [PYTHON, 'utf8', '127.0.0.1', `${port}`]),
    check({ reversePath, forwardPaths, parameters, content }) {
      assert.equal(reversePath, '<söñder@client.example>');
      assert.deepEqual(forwardPaths, ['<用户@mx.example>']);
      assert.deepEqual([parameters.smtpUtf8, parameters.body], [true, '8BITMIME']);
      assert.match(Buffer.from(content, 'latin1').toString(), /Subject: Grüße\r\n/);
    },
  },
  {
    name: 'smtplib: parameters of DSN, DELIVERBY and MT-PRIORITY',
    send: (port) => run('python3', [PYTHON, 'dsn', '127.0.0.1', `${port}`]),
    check({ parameters: { size, ...told }, recipientParameters, content }) {
      assert.equal(size, content.length);
      assert.deepEqual(told, { ret: 'HDRS', envid: 'QQ314+159', mtPriority: -3, by: { seconds: 120, mode: 'R', trace: false } });
      assert.deepEqual(recipientParameters, [{ notify: ['FAILURE', 'DELAY'], orcpt: { type: 'rfc822', address: 'a+b@c' } }]);
    },
  },
];

export const extensionScenarios = [
  ...clients.map(({ name, ...client }) => scenario(name, (stage) => receive(stage, client))),
  scenario('swaks: PROXY where another version is wanted', wrongVersion),
  scenario('curl: VRFY, EXPN and HELP', questions),
  scenario('curl: a recipient refused', allowedFailure),
];

async function receive(stage, { options = [], unix = false, send, check }) {
  const path = stage.path('socket');
  const server = await stage.server('--raw', ...options, ...(unix ? ['--unix', path, '--unix-mode', '600'] : []));
  await send(unix ? path : server.port, stage);
  const messages = await storedBy(server);
  assert.equal(messages.length, 1);
  check(messages[0]);
}

function isLmtp({ protocol, forwardPaths }, recipients = 2) {
  assert.equal(protocol, 'LMTP');
  assert.deepEqual(forwardPaths, ['<one@mx.example>', '<two@mx.example>'].slice(0, recipients));
}

async function wrongVersion(stage) {
  const server = await stage.server('--proxy', 'v2');
  await assert.rejects(swaks(server.port, '--proxy-version', '1', ...proxy('TCP4', TOLD['4'])));
  assert.deepEqual(await storedBy(server), []);
  assert.deepEqual(server.events('connected'), []);
  assert.match(server.errors, /no session: 127\.0\.0\.1: no PROXY header/);
}

async function questions(stage) {
  const server = await stage.server();
  assert.match(await curl(server.port, '--request', 'VRFY', '--mail-rcpt', 'one@mx.example'), /^252 2\./m);
  await assert.rejects(curl(server.port, '--request', 'EXPN', '--mail-rcpt', 'staff'), /ended with 8|502/);
  assert.match(await curl(server.port, '--request', 'HELP'), /^214-.*RFC 5321/m);
  await storedBy(server);
  assert.deepEqual(
    linesTo(server).filter((line) => /^(?:VRFY|EXPN|HELP)/.test(line)),
    // RFC 6531 3.7.4.2: the keyword asks for a reply that may hold UTF-8.
    ['VRFY one@mx.example', 'EXPN staff SMTPUTF8', 'HELP'],
  );
}

async function allowedFailure(stage) {
  const taken = [];
  const server = await stage.serve('mx', {
    rcpt: ({ forwardPath }) => forwardPath.localPart !== 'two' || reject(550, '5.1.1', 'No such user'),
    async message({ envelope, body }) {
      for await (const _ of body);
      taken.push(...envelope.recipients.map(({ forwardPath }) => forwardPath.address));
      return true;
    },
  });
  const recipients = ['one', 'two', 'three'].flatMap((name) => ['--mail-rcpt', `${name}@mx.example`]);
  await curl(server.address.port, '--mail-rcpt-allowfails', ...recipients, ...upload(stage));
  assert.deepEqual(taken, ['one@mx.example', 'three@mx.example']);
}

const XCLIENT = [
  ['port', '4321'],
  ['name', 'far.example'],
  ['helo', 'helo.example'],
  ['proto', 'ESMTP'],
  ['login', 'joe'],
];

function proxy(family, [source, destination]) {
  const ends = ['--proxy-source', source, '--proxy-source-port', '4321', '--proxy-dest', destination, '--proxy-dest-port', '25'];
  return ['--proxy-family', family, ...ends];
}

function swaks(port, ...options) {
  const to = options.includes('--to') ? [] : ['--to', 'one@mx.example'];
  return run('swaks', ['--server', `127.0.0.1:${port}`, '--timeout', '60', '--from', FROM, ...to, ...options]);
}

function curl(port, ...options) {
  const from = options.includes('--mail-from') || !options.includes('--upload-file') ? [] : ['--mail-from', FROM];
  const common = ['--silent', '--show-error', '--max-time', '60', '--url', `smtp://127.0.0.1:${port}/client.example`];
  return run('curl', [...common, ...from, ...options]);
}

function upload(stage) {
  return ['--upload-file', stage.file('message.eml', 'Subject: x\r\n\r\n.dot\r\n')];
}
