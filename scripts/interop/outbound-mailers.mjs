// A relay of ours hands its mail to Postfix and to Exim, which pass it on to a server of ours: what was asked for arrives as it was asked for.
import { strict as assert } from 'node:assert';
import { Dispatcher, deliverySettings, newJob } from '@ehlo/delivery';
import { MemoryQueue, Runner, wallClock } from '@ehlo/relay';
import { outbound } from '@ehlo/relay/outbound';
import { connect } from 'ehlo';
import { eximServer } from './exim.mjs';
import { postfix } from './postfix.mjs';
import { scenario, storedBy, until } from './stage.mjs';

const SENDER = 'bob@sender.example';
const TEXT = 'From: <bob@sender.example>\r\nSubject: dots\r\n\r\n.\r\n..\r\nlast\r\n';
const MIME = 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n';
const EIGHT = `From: <bob@sender.example>\r\nSubject: eight\r\n${MIME}\r\nünïcödé\r\n`;
const UTF8 = `From: <bob@sender.example>\r\nSubject: Grüße\r\n${MIME}\r\nünïcödé\r\n`;

/** How each is started: it passes everything on to a port, and refuses `nobody`. */
const MAILERS = {
  Postfix: async (stage, port) => {
    const refusing = 'smtpd_recipient_restrictions = check_recipient_access inline:{nobody@mx.example=REJECT}, permit_mynetworks, reject';
    return (await postfix(stage, `smtp:[127.0.0.1]:${port}`, [refusing, 'transport_maps =', 'smtputf8_enable = yes'])).port;
  },
  Exim: (stage, port) => eximServer(stage, port, `\${if eq{$local_part}{nobody}{deny}{accept}}`),
};

export const outboundMailerScenarios = Object.entries(MAILERS).flatMap(([name, start]) =>
  [
    scenario(`Relay: to ${name}, the parameters of DSN are kept`, (stage) => kept(stage, start, name)),
    scenario(`Relay: to ${name}, 8-bit and SMTPUTF8`, (stage) => eight(stage, start)),
    scenario(`Relay: to ${name}, who is refused is told of, and the notice goes by it`, (stage) => refused(stage, start)),
    scenario(`Relay: to ${name}, many messages over few sessions`, (stage) => many(stage, start)),
  ].map((one) => ({ ...one, root: true })),
);

async function kept(stage, start, name) {
  const { server, put, empty } = await relayed(stage, start);
  const recipients = [
    { address: 'one@mx.example', notify: ['SUCCESS', 'DELAY'], orcpt: { type: 'rfc822', address: 'Alias+x@old.example' } },
    { address: 'two@mx.example', notify: 'NEVER' },
    { address: 'three@mx.example', orcpt: { type: 'rfc822', address: 'Three@old.example' } },
  ];
  await put(recipients, TEXT, { ret: 'HDRS', envid: 'QQ314+159' });
  await empty();
  const [message] = await arrived(server, 1);
  assert.deepEqual([message.reversePath, message.parameters.ret, message.parameters.envid], [`<${SENDER}>`, 'HDRS', 'QQ314+159']);
  const found = Object.fromEntries(message.forwardPaths.map((path, n) => [path, message.recipientParameters[n]]));
  // Postfix names the recipient where nobody has before (RFC 3461 5.2.1 allows it); Exim says ORCPT beside NOTIFY alone.
  const isPostfix = name === 'Postfix';
  assert.deepEqual(found, {
    '<one@mx.example>': { notify: ['SUCCESS', 'DELAY'], orcpt: { type: 'rfc822', address: 'Alias+x@old.example' } },
    '<two@mx.example>': { notify: 'NEVER', ...(isPostfix ? { orcpt: { type: 'rfc822', address: 'two@mx.example' } } : {}) },
    '<three@mx.example>': isPostfix ? { orcpt: { type: 'rfc822', address: 'Three@old.example' } } : {},
  });
  assert(message.content.endsWith(TEXT));
}

async function eight(stage, start) {
  const { server, put, empty } = await relayed(stage, start);
  await put([{ address: 'one@mx.example' }], EIGHT, { body: '8BITMIME' });
  await put([{ address: '用户@mx.example' }], UTF8, { body: '8BITMIME', smtpUtf8: true });
  await empty();
  const messages = await arrived(server, 2);
  const latin = (text) => Buffer.from(text).toString('latin1');
  const [plain, utf8] = messages.toSorted((a, b) => Number(a.parameters.smtpUtf8 ?? false) - Number(b.parameters.smtpUtf8 ?? false));
  assert(plain.content.endsWith(latin(EIGHT.slice(EIGHT.indexOf('\r\n\r\n')))));
  assert.equal(utf8.parameters.smtpUtf8, true);
  assert.deepEqual(utf8.forwardPaths, ['<用户@mx.example>']);
  assert(utf8.content.endsWith(latin(UTF8.slice(UTF8.indexOf('\r\n\r\n')))));
}

async function refused(stage, start) {
  const { server, put, empty } = await relayed(stage, start);
  await put([{ address: 'one@mx.example' }, { address: 'nobody@mx.example' }], TEXT, { envid: 'E1' });
  await empty();
  const messages = await arrived(server, 2);
  const notice = messages.find(({ reversePath }) => reversePath === '<>');
  assert.deepEqual(notice.forwardPaths, [`<${SENDER}>`]);
  assert.match(notice.content, /\r\nOriginal-Envelope-Id: E1\r\n/);
  assert.match(notice.content, /\r\nFinal-Recipient: rfc822; ?nobody@mx\.example\r\nAction: failed\r\nStatus: 5\.\d+\.\d+\r\n/);
  assert.match(notice.content, /\r\nDiagnostic-Code: smtp; ?5\d\d/);
  const message = messages.find((one) => one !== notice);
  assert.deepEqual(message.forwardPaths, ['<one@mx.example>']);
}

async function many(stage, start) {
  const { server, put, empty, opened } = await relayed(stage, start);
  const count = 60;
  for (let n = 0; n < count; n++) await put([{ address: `user${n}@mx.example` }], `Subject: ${n}\r\n\r\n${'.\r\n'.repeat(n)}`);
  await empty();
  const messages = await arrived(server, count);
  assert.equal(new Set(messages.map(({ forwardPaths: [path] }) => path)).size, count);
  assert(opened() < count / 2, `${opened()} sessions for ${count} messages`);
}

/** A server of ours at the end, the mailer before it, and a runner that has nowhere else to go. */
async function relayed(stage, start) {
  const server = await stage.server('--raw', '--dsn');
  const port = await start(stage, server.port);
  const queue = new MemoryQueue(wallClock);
  const errors = [];
  let sessions = 0;
  const failed = (error, what) => errors.push(`${what}: ${error.message}`);
  const way = outbound({ connect, hostname: 'out.example', failed });
  const open = (order, signal) => {
    sessions++;
    return way.open(order, signal);
  };
  const settings = deliverySettings({
    hostname: 'out.example',
    preset: 'smarthost',
    routes: [{ domains: ['*'], hosts: [{ host: '127.0.0.1', port, tls: 'clear' }] }],
  });
  const none = async () => assert.fail('nothing is looked up');
  const means = { ...way, open, queue, schedule: wallClock, lookUp: none, boundary: () => crypto.randomUUID(), failed };
  const runner = new Runner(new Dispatcher(settings, Math.random), means, { hostname: 'out.example' });
  runner.start();
  stage.later(() => runner.stop());
  let count = 0;
  const put = async (recipients, text, more = {}) => {
    const octets = Buffer.from(text);
    const message = { id: `m${++count}`, reversePath: SENDER, arrived: Date.now(), size: octets.length, ...more };
    await queue.put([newJob(`j${count}`, message, 'mx.example', recipients)], [octets]);
    runner.poke();
  };
  const empty = async () => {
    await until('an empty queue', () => queue.size === 0);
    assert.deepEqual(errors, []);
  };
  return { server, put, empty, opened: () => sessions };
}

/** All that came, when so many did. */
async function arrived(server, count) {
  await until(`${count} messages`, () => server.events('message').length >= count);
  return await storedBy(server);
}
