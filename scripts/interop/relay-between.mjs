// `ehlo relay` stands between Postfix and Exim, in both directions: a server of ours at the end sees what is left of what was asked for at the beginning.
import { strict as assert } from 'node:assert';
import { exim, eximServer } from './exim.mjs';
import { postfix } from './postfix.mjs';
import { bytes, freePort, scenario, storedBy, until } from './stage.mjs';

const CONTENT = ['From: <sender@client.example>', 'Subject: dots', '', '.', '..', '.a', '', 'last', '.', ''].join('\r\n');
const REFUSE = 'smtpd_recipient_restrictions = check_recipient_access inline:{nobody@mx.example=REJECT}, permit_mynetworks, reject';

/** What could not be delivered is tried again in a second. */
export const SOON = ['fast_flush_domains =', 'queue_run_delay = 1s', 'minimal_backoff_time = 1s', 'maximal_backoff_time = 1s'];

/** Who is before the relay gives it everything; who is behind refuses `nobody`, and gives the rest to a port. */
const WAYS = {
  'from Postfix to Exim': {
    before: async (stage, port) => {
      const submit = await postfix(stage, `smtp:[127.0.0.1]:${port}`, ['transport_maps =', ...SOON]);
      return (messages) => submit(messages);
    },
    behind: (stage, port) => eximServer(stage, port, `\${if eq{$local_part}{nobody}{deny}{accept}}`),
  },
  'from Exim to Postfix': {
    before: (stage, port) => exim(stage, port),
    behind: async (stage, port) => (await postfix(stage, `smtp:[127.0.0.1]:${port}`, [REFUSE, 'transport_maps ='])).port,
  },
};

export const relayBetweenScenarios = [
  ...Object.entries(WAYS).flatMap(([way, { before, behind }]) => [
    scenario(`ehlo relay: ${way}, the parameters of DSN`, (stage) => notifications(stage, before, behind)),
    scenario(`ehlo relay: ${way}, SMTPUTF8`, (stage) => internationalized(stage, before, behind)),
    scenario(`ehlo relay: ${way}, a notice for who is refused`, (stage) => refused(stage, before, behind)),
    scenario(`ehlo relay: ${way}, 30 messages, each once`, (stage) => many(stage, before, behind)),
  ]),
].map((one) => ({ ...one, root: true }));

async function notifications(stage, before, behind) {
  const { server, submit } = await between(stage, before, behind);
  // ORCPT stands beside NOTIFY each time: not everybody passes it on alone.
  const to = [
    '<one@mx.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Alias+2Bx@old.example',
    '<two@mx.example> NOTIFY=NEVER ORCPT=rfc822;two@mx.example',
    '<three@mx.example> NOTIFY=FAILURE ORCPT=rfc822;three@mx.example',
  ];
  await submit([{ from: '<sender@client.example> RET=HDRS ENVID=QQ314+2B159', to, content: CONTENT }]);
  const [message] = await arrived(server, 1);
  assert.deepEqual([message.parameters.ret, message.parameters.envid], ['HDRS', 'QQ314+159']);
  assert.deepEqual(Object.fromEntries(message.forwardPaths.map((path, n) => [path, message.recipientParameters[n]])), {
    '<one@mx.example>': { notify: ['SUCCESS', 'DELAY'], orcpt: { type: 'rfc822', address: 'Alias+x@old.example' } },
    '<two@mx.example>': { notify: 'NEVER', orcpt: { type: 'rfc822', address: 'two@mx.example' } },
    '<three@mx.example>': { notify: ['FAILURE'], orcpt: { type: 'rfc822', address: 'three@mx.example' } },
  });
  assert(message.content.endsWith(CONTENT.slice(CONTENT.indexOf('\r\n\r\n'))));
  // Each has put its own in front (RFC 5321 4.4).
  assert.equal(message.content.match(/^Received: /gm).length, 3);
}

async function internationalized(stage, before, behind) {
  const { server, submit } = await between(stage, before, behind);
  const content = bytes('From: <sender@client.example>\r\nSubject: Grüße\r\n\r\nünïcödé\r\n');
  await submit([{ from: bytes('<söñder@client.example> SMTPUTF8 BODY=8BITMIME'), to: [bytes('<用户@mx.example>')], content }]);
  const [message] = await arrived(server, 1);
  assert.deepEqual(
    [message.parameters.smtpUtf8, message.reversePath, message.forwardPaths],
    [true, '<söñder@client.example>', ['<用户@mx.example>']],
  );
  assert(message.content.endsWith(content.slice(content.indexOf('\r\nSubject'))));
}

async function refused(stage, before, behind) {
  const { server, submit } = await between(stage, before, behind);
  const to = ['<one@mx.example>', '<nobody@mx.example>'];
  await submit([{ from: '<sender@client.example> ENVID=E1', to, content: CONTENT }]);
  const messages = await arrived(server, 2);
  const notice = messages.find(({ reversePath }) => reversePath === '<>');
  assert.deepEqual(notice.forwardPaths, ['<sender@client.example>']);
  assert.match(notice.content, /\r\nReporting-MTA: dns; ?relay\.interop\.example\r\n/);
  assert.match(notice.content, /\r\nOriginal-Envelope-Id: E1\r\n/);
  assert.match(notice.content, /\r\nFinal-Recipient: rfc822; ?nobody@mx\.example\r\nAction: failed\r\nStatus: 5\.\d+\.\d+\r\n/);
  assert.deepEqual(messages.find((one) => one !== notice).forwardPaths, ['<one@mx.example>']);
}

async function many(stage, before, behind) {
  const { server, submit } = await between(stage, before, behind);
  const count = 30;
  const all = Array.from({ length: count }, (_, n) => ({
    to: [`<user${n}@mx.example>`],
    content: `Subject: ${n}\r\n\r\n${'.\r\n'.repeat(n)}`,
  }));
  // Exim delivers no more than ten of one connection at once.
  for (let n = 0; n < count; n += 10) await submit(all.slice(n, n + 10));
  const messages = await arrived(server, count);
  assert.equal(messages.length, count);
  assert.equal(new Set(messages.map(({ forwardPaths: [path] }) => path)).size, count);
}

/** The whole way; `submit` gives messages to its beginning. */
export async function between(stage, before, behind, delivery = {}) {
  const server = await stage.server('--raw', '--dsn');
  const last = await behind(stage, server.port);
  const port = await freePort();
  const relay = await stage.mailer(
    {
      hostname: 'relay.interop.example',
      postmaster: 'postmaster@client.example',
      listeners: [{ kind: 'mx', host: '127.0.0.1', port, nullMx: false }],
      relayFrom: ['127.0.0.1'],
      routes: [{ to: 'host', domains: ['*'], hosts: ['127.0.0.1'], port: last, tls: 'clear' }],
      delivery,
      queue: { kind: 'spool', folder: stage.path('relay-spool') },
    },
    [port],
  );
  return { server, relay, port, submit: await before(stage, port) };
}

/** All that came, when so many did. */
async function arrived(server, count) {
  await until(`${count} messages`, () => server.events('message').length >= count);
  return await storedBy(server);
}
