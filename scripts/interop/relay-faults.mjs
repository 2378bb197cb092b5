// `ehlo relay` before mailers that refuse at first, or that give everything back.
import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { connect } from 'ehlo';
import { eximServer } from './exim.mjs';
import { greylist } from './greylist.mjs';
import { postfix } from './postfix.mjs';
import { freePort, scenario, storedBy, until } from './stage.mjs';

const HERE = '127.0.0.1';
const SENDER = 'sender@client.example';
const CONTENT = `From: <${SENDER}>\r\nSubject: round\r\n\r\ntext\r\n`;

/** Who refuses at first: how each is started, behind it a port. */
const GREY = {
  Postfix: async (stage, port) => {
    const list = await greylist(stage);
    return { list, port: (await postfix(stage, `smtp:[${HERE}]:${port}`, [list.postfix, 'transport_maps ='])).port };
  },
  Exim: async (stage, port) => {
    const list = await greylist(stage);
    return { list, port: await eximServer(stage, port, list.exim) };
  },
};

/** Who first sees too many Received fields (RFC 5321 6.3): the relay, by its own name in them; Postfix, by a limit below that. */
const LOOPS = {
  'the relay': { settings: [], by: 'postfix', status: '5.4.6', passed: 11, fields: 22 },
  Postfix: { settings: ['hopcount_limit = 8'], by: 'relay', status: '5.4.0', passed: 4, fields: 7 },
};

export const relayFaultScenarios = [
  ...Object.entries(GREY).map(([name, start]) =>
    scenario(`ehlo relay: to ${name}, which refuses at first`, (stage) => refusedAtFirst(stage, start)),
  ),
  scenario('ehlo relay: to ehlo serve, which refuses at first', refusedAtFirstByOurs),
  ...Object.entries(LOOPS).map(([name, one]) =>
    scenario(`ehlo relay: Postfix gives everything back, and ${name} ends it`, (stage) => givenBack(stage, one)),
  ),
].map((one) => ({ ...one, root: true }));

/** Each is delivered once; who was taken at once does not wait for who was not. */
async function refusedAtFirst(stage, start) {
  const server = await stage.server('--raw', '--dsn');
  const { list, port } = await start(stage, server.port);
  const relay = await running(stage, [{ to: 'host', domains: ['*'], hosts: [HERE], port, tls: 'clear' }]);
  await relay.send(SENDER, ['grey@mx.example', 'one@mx.example', 'never@mx.example']);
  await until('all to be delivered', () => server.events('message').length >= 3 && relay.isEmpty());
  const messages = await storedBy(server);
  assert.deepEqual(
    messages.flatMap(({ forwardPaths }) => forwardPaths),
    ['<one@mx.example>', `<${SENDER}>`, '<grey@mx.example>'],
  );
  assert.match(messages[1].content, /\r\nFinal-Recipient: rfc822; ?never@mx\.example\r\nAction: failed\r\nStatus: 5\.\d\.\d\r\n/);
  assert.deepEqual([list.asked('one@mx.example'), list.asked('never@mx.example')], [1, 1]);
  assert(list.asked('grey@mx.example') >= 2);
}

async function refusedAtFirstByOurs(stage) {
  const stubs = stage.file(
    'stubs.json',
    JSON.stringify({ stubs: [{ on: 'rcpt', match: { to: 'grey*@*' }, do: { greylist: { for: '1500 ms' } } }] }),
  );
  const server = await stage.server('--raw', '--stubs', stubs);
  const relay = await running(stage, [{ to: 'host', domains: ['*'], hosts: [HERE], port: server.port, tls: 'clear' }]);
  await relay.send(SENDER, ['grey@mx.example', 'one@mx.example']);
  await until('all to be delivered', () => server.events('message').length >= 2 && relay.isEmpty());
  const messages = await storedBy(server);
  assert.deepEqual(
    messages.flatMap(({ forwardPaths }) => forwardPaths),
    ['<one@mx.example>', '<grey@mx.example>'],
  );
}

/** RFC 5321 6.3: it ends where somebody first sees too many, its sender is told, once, and a notice that goes round ends without another one (6.1). */
async function givenBack(stage, { settings, by, status, passed, fields }) {
  const server = await stage.server('--raw', '--dsn');
  const port = await freePort();
  const back = await postfix(stage, `smtp:[${HERE}]:${port}`, [
    ...settings,
    `transport_maps = inline:{client.example=smtp:[${HERE}]:${server.port}}`,
  ]);
  const relay = await running(
    stage,
    [
      { to: 'host', domains: ['client.example'], hosts: [HERE], port: server.port, tls: 'clear' },
      { to: 'host', domains: ['*'], hosts: [HERE], port: back.port, tls: 'clear' },
    ],
    port,
  );
  const isOver = () => relay.isEmpty() && isDone(back.log());
  await relay.send(SENDER, ['round@loop.example']);
  await until('its sender to be told', () => server.events('message').length >= 1 && isOver());
  assert.equal(relay.took('round@loop.example'), passed);
  await relay.send('nobody@loop.example', ['again@loop.example']);
  await until(
    'the notice to end, too',
    () => relay.took('again@loop.example') === passed && relay.took('nobody@loop.example') >= 1 && isOver(),
  );
  const [notice, ...others] = await storedBy(server);
  assert.deepEqual(others, []);
  assert.deepEqual([notice.reversePath, notice.forwardPaths], ['<>', [`<${SENDER}>`]]);
  assert.match(notice.content, new RegExp(`\\r\\nReporting-MTA: dns; ?${by}\\.interop\\.example\\r\\n`));
  assert.match(notice.content, new RegExp(`\\r\\nAction: failed\\r\\nStatus: ${status.replaceAll('.', '\\.')}\\r\\n`));
  const original = notice.content.slice(notice.content.indexOf('Content-Type: message/rfc822'));
  assert.equal(original.match(/^Received: /gm).length, fields);
}

/** Whether Postfix has nothing that it has neither removed nor refused. */
function isDone(log) {
  const lines = [...log.matchAll(/: ([0-9A-F]{8,}): (.*)$/gm)];
  const removed = new Set(lines.filter(([, , text]) => text === 'removed' || text.startsWith('message rejected')).map(([, id]) => id));
  return lines.every(([, id]) => removed.has(id));
}

/** `ehlo relay`, whose pauses are short. */
async function running(stage, routes, given) {
  const port = given ?? (await freePort());
  const folder = stage.path('relay-spool');
  const { said } = await stage.mailer(
    {
      hostname: 'relay.interop.example',
      postmaster: 'postmaster@client.example',
      listeners: [{ kind: 'mx', host: HERE, port, nullMx: false }],
      relayFrom: [HERE],
      routes,
      delivery: { preset: 'test', pauses: ['1s'], expiry: '5d', noticeExpiry: '5d', delayed: '0s' },
      queue: { kind: 'spool', folder },
      log: { format: 'json' },
    },
    [port],
  );
  return {
    async send(from, recipients) {
      const client = await connect({ host: HERE, port, hostname: 'client.example', starttls: 'off' });
      const { outcomes } = await client.send({ reversePath: from, recipients }, CONTENT);
      await client.close();
      assert(
        outcomes.every(({ status }) => status === 'accepted'),
        JSON.stringify(outcomes),
      );
    },
    /** How often it has taken a message for somebody. */
    took: (recipient) =>
      said()
        .split('\n')
        .filter((line) => line.includes('"event":"received"') && line.includes(`"${recipient}"`)).length,
    isEmpty: () => messagesIn(folder) === 0,
  };
}

/** Messages in a spool. */
function messagesIn(folder) {
  return readdirSync(`${folder}/q`, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length;
}
