// Exim delivers to us: the one among Debian's mailers that sends in chunks. It takes its messages on standard input, and needs no daemon.
import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { reject } from 'ehlo';
import { run } from './clients.mjs';
import { transactions } from './extract.mjs';
import { judge } from './judge.mjs';
import { USER } from './peers.mjs';
import { find } from './programs.mjs';
import { bytes, CA, freePort, judgedAuthenticated, linesTo, scenario, script, storedBy, TLS } from './stage.mjs';

const CONTENT = ['From: <sender@client.example>', 'Subject: dots', '', '.', '..', '.a', '', '...', 'last', '.', ''].join('\r\n');
const RECIPIENTS = ['one', 'two', 'three', '"four of us"'].map((local) => `<${local}@mx.example>`);

/** It sends bounces with the wrong password. */
const PASSWORD = `\${if eq{$sender_address}{}{wrong}{${USER.password}}}`;
const AUTHENTICATORS = {
  PLAIN: ['driver = plaintext', `client_send = ^${USER.name}^${PASSWORD}`],
  LOGIN: ['driver = plaintext', `client_send = : ${USER.name} : ${PASSWORD}`],
  'CRAM-MD5': ['driver = cram_md5', `client_name = ${USER.name}`, `client_secret = ${PASSWORD}`],
};

export const eximScenarios = [
  scenario('Exim: chunks, several recipients', chunks),
  scenario('Exim: a message of several MB in chunks', manyChunks),
  scenario('Exim: the parameters of DSN', notifications),
  scenario('Exim: SMTPUTF8', internationalized),
  scenario('Exim: STARTTLS, verified', secured),
  ...Object.keys(AUTHENTICATORS).map((mechanism) =>
    scenario(`Exim: STARTTLS, AUTH ${mechanism}`, (stage) => authenticated(stage, mechanism)),
  ),
  scenario('Exim: DATA where chunks are not offered', data),
  scenario('Exim: a message that is refused among its chunks', refusedAmongChunks),
  scenario('Exim: LMTP, a recipient refused and one failed at the end', lmtp),
].map((one) => ({ ...one, root: true }));

async function chunks(stage) {
  const { server, relay, submit } = await recorded(stage);
  await submit([{ to: RECIPIENTS, content: CONTENT }]);
  const [message] = await judged(server, relay, 1);
  assert.deepEqual(message.forwardPaths, RECIPIENTS);
  assert.equal(message.protocol, 'ESMTP');
  const [{ client }] = relay.recordings;
  assert.match(client, /^BDAT [0-9]+ LAST\r$/m);
  assert.doesNotMatch(client, /^DATA\r$/m);
}

async function manyChunks(stage) {
  const { server, relay, submit } = await recorded(stage);
  const content = `Subject: large\r\n\r\n${Array.from({ length: 100_000 }, (_, n) => `.${'x'.repeat(n % 90)}\r\n`).join('')}`;
  await submit([
    { to: RECIPIENTS, content },
    { to: RECIPIENTS.slice(1), content: CONTENT },
  ]);
  const [message] = await judged(server, relay, 2);
  assert(message.content.endsWith(content));
  const [transaction] = relay.recordings.flatMap(transactions);
  assert(transaction.chunks.length > 1);
}

async function notifications(stage) {
  const { server, relay, submit } = await recorded(stage);
  const to = [
    '<one@mx.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Alias+2Bx@old.example',
    '<two@mx.example> NOTIFY=NEVER',
    '<three@mx.example>',
  ];
  await submit([{ from: '<sender@client.example> RET=HDRS ENVID=QQ314+2B159', to, content: CONTENT }]);
  const [{ parameters, recipientParameters }] = await judged(server, relay, 1);
  const { size, ...told } = parameters;
  assert(size >= CONTENT.length);
  assert.deepEqual(told, { ret: 'HDRS', envid: 'QQ314+159' });
  assert.deepEqual(recipientParameters, [
    { notify: ['SUCCESS', 'DELAY'], orcpt: { type: 'rfc822', address: 'Alias+x@old.example' } },
    { notify: 'NEVER' },
    {},
  ]);
}

async function internationalized(stage) {
  const { server, relay, submit } = await recorded(stage);
  const content = bytes('Subject: Grüße\r\n\r\nünïcödé\r\n');
  await submit([{ from: bytes('<söñder@client.example> SMTPUTF8'), to: [bytes('<用户@例子.example>')], content }]);
  const [message] = await judged(server, relay, 1);
  assert.equal(message.parameters.smtpUtf8, true);
  assert.equal(message.reversePath, '<söñder@client.example>');
  assert.deepEqual(message.forwardPaths, ['<用户@例子.example>']);
  assert.equal(message.protocol, 'UTF8SMTP');
  assert(message.content.endsWith(content));
}

async function secured(stage) {
  const server = await stage.server('--raw', ...TLS);
  const submit = exim(stage, server.port, trust(stage));
  await submit([{ to: RECIPIENTS, content: CONTENT }]);
  const [message] = await storedBy(server);
  assert.equal(message.protocol, 'ESMTPS');
  assert(message.content.endsWith(`\r\n${CONTENT}`));
  const lines = linesTo(server);
  assert(lines.includes('STARTTLS'));
  assert(lines.includes(`BDAT ${message.size} LAST`));
}

async function authenticated(stage, mechanism) {
  const users = stage.file('users', `${USER.name}:${USER.password}\n`);
  const server = await stage.server('--raw', ...TLS, '--users', users, '--preset', 'submission');
  const authenticator = [`public_name = ${mechanism}`, ...AUTHENTICATORS[mechanism]];
  const submit = exim(stage, server.port, [...trust(stage), 'hosts_require_auth = *'], authenticator);
  await submit([{ from: '<>', to: RECIPIENTS, content: CONTENT }]);
  const log = readFileSync(stage.path('log/mainlog'), 'latin1');
  assert.match(log, / out authenticator failed .* 535 5\.7\.8 /);
  assert.match(log, / \*\* one@mx\.example/);
  await submit([{ to: RECIPIENTS, content: CONTENT }]);
  await judgedAuthenticated(server, { user: USER.name, mechanism, content: CONTENT });
}

async function data(stage) {
  const { server, relay, submit } = await recorded(stage, '--no-chunking', '--no-binarymime');
  await submit([{ to: RECIPIENTS, content: CONTENT }]);
  await judged(server, relay, 1);
  assert.match(relay.recordings[0].client, /^DATA\r$/m);
}

/** The refusal comes before the last chunk: the client has to be told, by whichever reply it waits for, and to understand it. */
async function refusedAmongChunks(stage) {
  const server = await stage.serve('sink', {
    async message({ body }) {
      for await (const _ of body) return reject(554, '5.7.1', 'None of that here');
    },
  });
  const relay = await stage.relay(server.address.port);
  await exim(stage, relay.port)([{ from: '<>', to: RECIPIENTS.slice(0, 1), content: `Subject: x\r\n\r\n${'large\r\n'.repeat(200_000)}` }]);
  const log = readFileSync(stage.path('log/mainlog'), 'latin1');
  assert.match(log, / \*\* one@mx\.example .*554 5\.7\.1 None of that here/);
  const [{ client }] = relay.recordings;
  assert.match(client, /^BDAT /m);
  assert.match(client, /^QUIT\r$/m, 'the session did not go on to its end');
}

async function lmtp(stage) {
  const handler = {
    rcpt: ({ forwardPath }) => forwardPath.localPart !== 'three' || reject(550, '5.1.1', 'No such user'),
    async message({ envelope, body }) {
      for await (const _ of body);
      return envelope.recipients.map(({ forwardPath }) => forwardPath.localPart !== 'two' || reject(552, '5.2.2', 'Mailbox full'));
    },
  };
  const server = await stage.serve('lmtp', handler);
  const relay = await stage.relay(server.address.port);
  await exim(stage, relay.port, ['protocol = lmtp'])([{ from: '<>', to: RECIPIENTS, content: CONTENT }]);
  const log = readFileSync(stage.path('log/mainlog'), 'latin1');
  assert.match(log, / => one@mx\.example /);
  assert.match(log, / -> four of us@mx\.example /);
  assert.match(log, / \*\* two@mx\.example .*552 5\.2\.2 Mailbox full/);
  assert.match(log, / \*\* three@mx\.example .*550 5\.1\.1 No such user/);
  assert.match(relay.recordings[0].client, /^LHLO /);
}

/** A server whose wire is recorded, and an Exim that delivers to it. */
async function recorded(stage, ...options) {
  const server = await stage.server('--raw', ...options);
  const relay = await stage.relay(server.port);
  return { server, relay, submit: exim(stage, relay.port) };
}

/** Of its transport: our certificate, and no other, is what it goes on with. */
function trust(stage) {
  return [
    'hosts_require_tls = *',
    `tls_verify_certificates = ${stage.copy(CA)}`,
    'tls_verify_hosts = *',
    'tls_verify_cert_hostnames = *',
    'tls_sni = localhost',
  ];
}

async function judged(server, relay, count) {
  const messages = await storedBy(server);
  assert.equal(judge(relay.recordings, server, true), count);
  return messages;
}

/**
 * Returns what gives messages to an Exim that delivers to a port at once. `options` are those of its transport; those of an authenticator and whole sections may follow.
 * `again` has it try what it could not deliver.
 */
export function exim(stage, port, options = [], authenticator = [], sections = []) {
  const config = configured(stage, port, { options, authenticator, sections });
  const submit = async (messages) => {
    const input = `${script(messages).join('\r\n')}\r\n`;
    const said = await run('exim4', ['-C', config, '-odf', '-oMa', '127.0.0.1', '-bs'], Buffer.from(input, 'latin1'));
    assert.doesNotMatch(said, /^[45]\d\d/m);
  };
  submit.again = () => run('exim4', ['-C', config, '-qff']);
  return submit;
}

/** Starts an Exim that listens, and delivers to a port at once; resolves with where it listens. `acl` says who is taken at RCPT; other settings may follow. */
export async function eximServer(stage, port, acl, settings = ['tls_advertise_hosts =']) {
  const listens = await freePort();
  await stage.daemon('exim4', ['-C', configured(stage, port, { acl, settings }), '-bdf', '-oX', `127.0.0.1.${listens}`], [listens]);
  return listens;
}

/** The file of its settings. */
function configured(
  stage,
  port,
  { options = [], authenticator = [], acl = 'accept', sections = [], settings = ['tls_advertise_hosts ='] },
) {
  for (const folder of ['spool', 'log']) {
    mkdirSync(stage.path(folder));
    // It writes there as a user of its own.
    chmodSync(stage.path(folder), 0o777);
  }
  return stage.file(
    'exim.conf',
    `
exim_path = ${stage.copy(find('exim4'), 0o755)}
spool_directory = ${stage.path('spool')}
log_file_path = ${stage.path('log')}/%slog
primary_hostname = exim.interop.example
message_size_limit = 0
# More messages of one connection would wait for a queue runner.
smtp_accept_queue_per_connection = 0
host_lookup =
never_users =
keep_environment =
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
acl_smtp_rcpt = ${acl}
${settings.join('\n')}
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = ${port}
  allow_localhost
  ${options.join('\n  ')}
${authenticator.length === 0 ? '' : ['begin authenticators', 'out:', ...authenticator].join('\n  ')}
${sections.join('\n')}
`,
  );
}
