// Postfix relays to us by SMTP, and delivers to us by LMTP: a whole one, of its own folder, that is given its messages by SMTP.
import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync } from 'node:fs';
import { reject } from 'ehlo';
import { run } from './clients.mjs';
import { judge } from './judge.mjs';
import { shown } from './manual.mjs';
import { stopMaster } from './master.mjs';
import { USER } from './peers.mjs';
import { bytes, CA, converse, freePort, judgedAuthenticated, scenario, script, storedBy, TLS, until } from './stage.mjs';

const CONTENT = ['From: <sender@client.example>', 'Subject: dots', '', '.', '..', '.a', '', '...', 'last', '.', ''].join('\r\n');
const RECIPIENTS = ['one', 'two', 'three', '"four of us"'].map((local) => `<${local}@mx.example>`);
/** Whom Postfix is made to believe that its messages come from. */
const CLIENTS = {
  IPv4: { told: 'ADDR=192.0.2.77 PORT=4321 NAME=far.example', address: '192.0.2.77' },
  IPv6: { told: 'ADDR=IPV6:2001:DB8:0:0:0:0:0:77 PORT=4321 NAME=far.example', address: '2001:db8::77' },
};

/** Of Cyrus SASL; one that asks for one octet string, one for two, one that hashes, and one where both sides prove themselves. */
const MECHANISMS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'];

export const postfixScenarios = [
  scenario('Postfix: SMTP, pipelined, several recipients', pipelined),
  scenario('Postfix: SMTP, many messages by few connections', reused),
  scenario('Postfix: SMTP, a message of several MB', large),
  scenario('Postfix: SMTP, the parameters of DSN', notifications),
  scenario('Postfix: SMTPUTF8', internationalized),
  scenario('Postfix: STARTTLS, verified', secured),
  ...MECHANISMS.map((mechanism) => scenario(`Postfix: STARTTLS, AUTH ${mechanism}`, (stage) => authenticated(stage, mechanism))),
  scenario('Postfix: SMTP, a recipient refused', refused),
  scenario('Postfix: LMTP over TCP, XFORWARD for an IPv4 client', (stage) => forwarded(stage, CLIENTS.IPv4)),
  scenario('Postfix: LMTP over a Unix socket, XFORWARD for an IPv6 client', forwardedByUnix),
  scenario('Postfix: LMTP, a recipient refused and others failed at the end', delivered),
  scenario('Postfix: LMTP, configured as docs/lmtp-behind-postfix.md shows', documented),
].map((one) => ({ ...one, root: true }));

async function pipelined(stage) {
  const { server, relay, submit } = await recorded(stage);
  await submit([{ to: RECIPIENTS, content: CONTENT }]);
  const [message] = await judged(server, relay, 1);
  assert.deepEqual(message.forwardPaths.toSorted(), RECIPIENTS.toSorted());
  const [{ parts }] = relay.recordings;
  const [group] = parts.filter((part) => part.startsWith('MAIL '));
  assert.match(group, /^MAIL FROM:\S+ .*\r\n(?:RCPT TO:<.*>.*\r\n){4}DATA\r\n$/);
}

async function reused(stage) {
  const { server, relay, submit } = await recorded(stage, [], ['smtp_connection_cache_destinations = static:all']);
  await submit(
    Array.from({ length: 30 }, (_, n) => ({ to: RECIPIENTS.slice(n % 4), content: `Subject: ${n}\r\n\r\n${'.\r\n'.repeat(n)}` })),
  );
  await judged(server, relay, 30);
  assert(relay.recordings.length < 30, 'no connection was used again');
}

async function large(stage) {
  const { server, relay, submit } = await recorded(stage);
  const content = `Subject: large\r\n\r\n${Array.from({ length: 100_000 }, (_, n) => `.${'x'.repeat(n % 90)}\r\n`).join('')}`;
  await submit([{ to: RECIPIENTS, content }]);
  const [message] = await judged(server, relay, 1);
  assert(message.content.endsWith(content));
}

async function notifications(stage) {
  const { server, relay, submit } = await recorded(stage);
  await submit([DSN.submitted]);
  const [message] = await judged(server, relay, 1);
  DSN.check(message);
}

const DSN = {
  submitted: {
    from: '<sender@client.example> RET=HDRS ENVID=QQ314+2B159',
    to: ['<one@mx.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Alias+2Bx@old.example', '<two@mx.example> NOTIFY=NEVER', '<three@mx.example>'],
    content: CONTENT,
  },
  check({ parameters, forwardPaths, recipientParameters }) {
    const { size, body, ...told } = parameters;
    assert(size >= CONTENT.length);
    assert.deepEqual(told, { ret: 'HDRS', envid: 'QQ314+159' });
    // Postfix has an order of its own.
    assert.deepEqual(Object.fromEntries(forwardPaths.map((path, n) => [path, recipientParameters[n]])), {
      '<one@mx.example>': { notify: ['SUCCESS', 'DELAY'], orcpt: { type: 'rfc822', address: 'Alias+x@old.example' } },
      '<two@mx.example>': { notify: 'NEVER', orcpt: { type: 'rfc822', address: 'two@mx.example' } },
      '<three@mx.example>': { orcpt: { type: 'rfc822', address: 'three@mx.example' } },
    });
  },
};

async function internationalized(stage) {
  const { server, relay, submit } = await recorded(stage);
  const content = bytes('Subject: Grüße\r\n\r\nünïcödé\r\n');
  await submit([{ from: bytes('<söñder@client.example> SMTPUTF8 BODY=8BITMIME'), to: [bytes('<用户@例子.example>')], content }]);
  const [message] = await judged(server, relay, 1);
  assert.equal(message.parameters.smtpUtf8, true);
  assert.equal(message.parameters.body, '8BITMIME');
  assert.equal(message.reversePath, '<söñder@client.example>');
  assert.deepEqual(message.forwardPaths, ['<用户@例子.example>']);
  assert.deepEqual(message.recipientParameters, [{ orcpt: { type: 'utf-8', address: '用户@例子.example' } }]);
  assert.equal(message.protocol, 'UTF8SMTP');
  assert(message.content.endsWith(content));
}

async function secured(stage) {
  const server = await stage.server('--raw', ...TLS);
  const submit = await postfix(stage, `smtp:[127.0.0.1]:${server.port}`, trust(stage));
  await submit([{ to: RECIPIENTS, content: CONTENT }]);
  const [message] = await storedBy(server);
  assert.equal(message.protocol, 'ESMTPS');
  assert(message.content.endsWith(`\r\n${CONTENT}`));
}

/** Each sender has a password of his own, and one of them the wrong one. */
async function authenticated(stage, mechanism) {
  const users = stage.file('users', `${USER.name}:${USER.password}\n`);
  const server = await stage.server('--raw', ...TLS, '--users', users, '--preset', 'submission');
  const passwords = [`sender@client.example ${USER.name}:${USER.password}`, `forgetful@client.example ${USER.name}:wrong`];
  const submit = await postfix(stage, `smtp:[127.0.0.1]:${server.port}`, [
    ...trust(stage),
    'smtp_sasl_auth_enable = yes',
    'smtp_sasl_security_options = noanonymous',
    `smtp_sasl_mechanism_filter = ${mechanism}`,
    `smtp_sasl_password_maps = texthash:${stage.file('passwords', `${passwords.join('\n')}\n`)}`,
    'smtp_sender_dependent_authentication = yes',
  ]);
  const to = RECIPIENTS.slice(0, 2);
  await submit([{ from: '<forgetful@client.example>', to, content: CONTENT }], { deferred: true });
  assert.equal(submit.log().match(/status=deferred \(SASL authentication failed; server \S+ said: 535 5\.7\.8 /g)?.length, to.length);
  await submit([{ to, content: CONTENT }]);
  await judgedAuthenticated(server, { user: USER.name, mechanism, content: CONTENT });
}

async function refused(stage) {
  const taken = [];
  const server = await stage.serve('mx', {
    rcpt: ({ forwardPath }) => forwardPath.localPart !== 'two' || reject(550, '5.1.1', 'No such user'),
    async message({ envelope, body }) {
      for await (const _ of body);
      taken.push(envelope.recipients.map(({ forwardPath }) => forwardPath.localPart));
      return true;
    },
  });
  const submit = await postfix(stage, `smtp:[127.0.0.1]:${server.address.port}`);
  await submit([{ to: RECIPIENTS, content: CONTENT }]);
  assert.deepEqual(
    taken.map((names) => names.toSorted()),
    [['four of us', 'one', 'three']],
  );
  assert.match(submit.log(), /to=<two@mx\.example>, .*status=bounced .*550 5\.1\.1 No such user/);
}

/** Over TCP: on a wire that can be recorded. */
async function forwarded(stage, client) {
  const server = await stage.server('--raw', '--lmtp', '--dsn', '--trust-xforward', '127.0.0.1');
  const relay = await stage.relay(server.port);
  const submit = await postfix(stage, `lmtp:inet:127.0.0.1:${relay.port}`, ['lmtp_send_xforward_command = yes']);
  const [id] = await submit([DSN.submitted], { client });
  const [message] = await judged(server, relay, 1);
  DSN.check(message);
  forwardedFacts(message, client, id);
  assert.equal(message.peer.address, '127.0.0.1');
}

async function forwardedByUnix(stage) {
  const path = stage.path('lmtp.sock');
  const server = await stage.server('--raw', '--lmtp', '--dsn', '--unix', path, '--unix-mode', '666', '--trust-xforward', 'unix');
  const submit = await postfix(stage, `lmtp:unix:${path}`, ['lmtp_send_xforward_command = yes']);
  const [id] = await submit([DSN.submitted], { client: CLIENTS.IPv6 });
  const [message] = await storedBy(server);
  DSN.check(message);
  forwardedFacts(message, CLIENTS.IPv6, id);
  assert.equal(message.peer.address, '');
  assert(message.content.endsWith(`\r\n${CONTENT}`));
}

function forwardedFacts({ forwarded, protocol }, { address }, id) {
  assert.equal(protocol, 'LMTP');
  assert.deepEqual(forwarded, {
    address,
    port: 4321,
    name: 'far.example',
    helo: 'client.example',
    protocol: 'ESMTP',
    ident: id,
    source: 'REMOTE',
  });
}

/** Each recipient has a reply of his own, and Postfix goes by it. */
async function delivered(stage) {
  const path = stage.path('lmtp.sock');
  const ends = { two: reject(552, '5.2.2', 'Mailbox full'), 'four of us': reject(451, '4.2.0', 'Come back later') };
  await stage.serve(
    'lmtp',
    {
      rcpt: ({ forwardPath }) => forwardPath.localPart !== 'three' || reject(550, '5.1.1', 'No such user'),
      async message({ envelope, body }) {
        for await (const _ of body);
        return envelope.recipients.map(({ forwardPath }) => ends[forwardPath.localPart] ?? true);
      },
    },
    { path, mode: 0o666 },
  );
  const submit = await postfix(stage, `lmtp:unix:${path}`);
  await submit([{ to: RECIPIENTS, content: CONTENT }], { deferred: true });
  const log = submit.log();
  assert.match(log, /to=<one@mx\.example>, .*status=sent \(250 2\.6\.0 /);
  assert.match(log, /to=<two@mx\.example>, .*status=bounced .*552 5\.2\.2 Mailbox full/);
  assert.match(log, /to=<three@mx\.example>, .*status=bounced .*550 5\.1\.1 No such user/);
  assert.match(log, /to=<"four of us"@mx\.example>, .*status=deferred .*451 4\.2\.0 Come back later/);
}

/** Both sides as the page has them. Without its lines, everything would be discarded. */
async function documented(stage) {
  const page = 'lmtp-behind-postfix.md';
  const settings = shown(page, 'ini').trimEnd().split('\n');
  // Postfix asks again and again for what has become of its question: sooner here, and for as long as it takes.
  const submit = await postfix(stage, 'discard:', [...settings, 'address_verify_poll_delay = 1', 'address_verify_poll_count = 30']);
  const folder = stage.path('queue/ehlo');
  const make = shown(page, 'sh', [
    ['-o ehlo', '-o root'],
    ['/var/spool/postfix/ehlo', folder],
  ]);
  await run('sh', ['-c', make]);
  const said = await stage.example('lmtp-behind-postfix.mjs', `${folder}/lmtp.sock`);
  await submit([{ to: ['<ann@example.org>', '<bob@example.org>'], content: CONTENT }], { deferred: true });
  assert.match(submit.log(), /to=<ann@example\.org>, .*status=sent \(250 2\.6\.0 /);
  assert.match(submit.log(), /to=<bob@example\.org>, .*status=deferred .*452 4\.2\.2 mailbox full/);
  const refused = ['EHLO client.example', 'MAIL FROM:<sender@client.example>', 'RCPT TO:<nobody@example.org>'];
  await assert.rejects(converse(submit.port, refused), /was answered 550 5\.1\.1 .*no such user/s);
  await until('one message of the client', () => said() === 'from 192.0.2.77\n');
}

/** A server whose wire is recorded, and a Postfix that relays to it. */
async function recorded(stage, options = [], settings = []) {
  const server = await stage.server('--raw', ...options);
  const relay = await stage.relay(server.port);
  return { server, relay, submit: await postfix(stage, `smtp:[127.0.0.1]:${relay.port}`, settings) };
}

/** Our certificate, and no other, is what it goes on with. */
function trust(stage) {
  return ['smtp_tls_security_level = secure', 'smtp_tls_secure_cert_match = localhost', `smtp_tls_CAfile = ${stage.copy(CA)}`];
}

async function judged(server, relay, count) {
  const messages = await storedBy(server);
  assert.equal(judge(relay.recordings, server, true), count);
  return messages;
}

/**
 * What of Postfix runs, beside the server that it is given messages by. The queue manager is woken each second, not every 300: a file that it has put
 * back into `incoming` waits for that, or for another message.
 */
const SERVICES = `
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
verify unix - - n - 1 verify
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;

/**
 * Starts a Postfix that hands everything to a transport. Returns what gives it messages, and waits until they are done with; `log` is
 * what it has to say of them.
 */
export async function postfix(stage, transport, settings = []) {
  const [etc, queue, data] = ['etc', 'queue', 'data'].map((name) => stage.path(name));
  for (const folder of [etc, queue, data]) mkdirSync(folder);
  await run('chown', ['postfix', data]);
  const log = stage.path('maillog');
  const port = await freePort();
  stage.file(
    'etc/main.cf',
    [
      'compatibility_level = 3.6',
      `queue_directory = ${queue}`,
      `data_directory = ${data}`,
      `maillog_file = ${log}`,
      `maillog_file_prefixes = ${stage.folder}`,
      'inet_interfaces = loopback-only',
      'inet_protocols = all',
      'myhostname = postfix.interop.example',
      'mydestination =',
      'local_recipient_maps =',
      'alias_maps =',
      'relay_domains = static:all',
      'smtpd_relay_restrictions = reject_unauth_destination',
      'smtpd_authorized_xclient_hosts = 127.0.0.1',
      // Messages come from elsewhere, and are left as they are.
      'local_header_rewrite_clients =',
      'disable_dns_lookups = yes',
      `relay_transport = ${transport}`,
      `default_transport = ${transport}`,
      // What it has to tell the sender.
      'transport_maps = inline:{client.example=discard:}',
      ...settings,
      '',
    ].join('\n'),
  );
  stage.file('etc/master.cf', `127.0.0.1:${port} inet n - n - - smtpd${SERVICES}`);
  stage.logs.push(() => readFileSync(log, 'utf8'));
  await stage.daemon('postfix', ['-c', etc, 'start-fg'], [port]);
  stage.later(() => stopMaster(queue));
  const lines = (id) =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.includes(` ${id}: `));
  // A message with a recipient to be tried again is not removed.
  const isDone = (id, deferred, recipients) =>
    deferred
      ? lines(id).filter((line) => line.includes(' status=')).length === recipients
      : lines(id).some((line) => line.endsWith(' removed'));
  const submit = async (messages, { client: { told } = CLIENTS.IPv4, deferred = false, isWaited = true } = {}) => {
    const said = await converse(port, ['EHLO proxy.example', `XCLIENT ${told}`, ...script(messages)]);
    const ids = [...said.matchAll(/^250 .* queued as (\S+)\r$/gm)].map(([, id]) => id);
    assert.equal(ids.length, messages.length);
    for (const [n, id] of isWaited ? ids.entries() : [])
      await until(`Postfix to be done with ${id}`, () => isDone(id, deferred, messages[n].to.length));
    return ids;
  };
  submit.port = port;
  submit.log = () => readFileSync(log, 'utf8');
  return submit;
}
