// Messages that are made for each transaction: when that is, whom they are for, and what happens where it fails.
import { CHUNKING, type TransactionPaths } from '@ehlo/engine';
import { latin1 } from '@ehlo/grammar';
import { describe, expect, test, vi } from 'vitest';
import { type ConnectOptions, connectOn, type Message, Pool, reject, serveOn, type TailoredMessage } from '../src/index.ts';
import { Link, LinkListener } from './link.ts';
import { but, ScriptedServer, turns, willing } from './scripted.ts';

const text = (octets: Uint8Array): string => latin1(octets, 0, octets.length);
const pathsOf = ({ reversePath, recipients }: TransactionPaths): string[] => [reversePath, ...recipients].map(text);
/** Names its envelope, as a signature over it would. */
const naming = (facts: TailoredMessage['facts'] = { body: '7BIT' }): TailoredMessage => ({
  facts,
  content: async (transaction) => `For: ${pathsOf(transaction).join(' ')}\r\n\r\nx\r\n`,
});
const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example'] } as const;

describe.each<[string, ConnectOptions]>([
  ['SMTP, DATA', {}],
  ['SMTP, DATA behind RCPT', { pipelining: 'data' }],
  ['SMTP, DATA, the next behind the last', { pipelining: 'transactions' }],
  ['SMTP, BDAT', { features: [CHUNKING] }],
  ['SMTP, BDAT, the next behind the last', { features: [CHUNKING], pipelining: 'transactions' }],
  ['LMTP, DATA', { protocol: 'lmtp' }],
  ['LMTP, BDAT', { protocol: 'lmtp', features: [CHUNKING] }],
])('%s', (_, options) => {
  test('each transaction has its own, for those that it has and that were not refused', async () => {
    const listener = new LinkListener();
    const stored: [string, string[]][] = [];
    const server = serveOn(
      listener,
      { hostname: 'mx.example.org', preset: options.protocol === 'lmtp' ? 'lmtp' : 'mx' },
      {
        rcpt: ({ forwardPath, envelope }) =>
          envelope.recipients.length > 1 ? reject(452, '4.5.3', 'too many') : forwardPath.localPart !== 'no' || reject(550, '5.1.1', 'no'),
        async message({ envelope, body }) {
          stored.push([text(await body.bytes()), [envelope.wire, ...envelope.recipients.map(({ wire }) => wire)]]);
          return true;
        },
      },
    );
    const link = new Link({ chunks: [7, 1000], breaks: Number.POSITIVE_INFINITY, room: 1000 });
    const connecting = connectOn(link.client, options);
    listener.bring(link);
    const client = await connecting;
    const recipients = ['"a b"@b.example', 'no@b.example', 'bob@B.Example', 'cid@b.example', 'dan@b.example', 'eve@b.example'];
    const sending = [client.send({ reversePath: 'joe@a.example', recipients }, naming()), client.send(ENVELOPE, naming())];
    const [{ outcomes }, second] = (await Promise.all(sending)) as [Awaited<(typeof sending)[0]>, Awaited<(typeof sending)[0]>];
    expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'refused', ...Array(4).fill('accepted')]);
    expect(second.outcomes[0]!.status).toBe('accepted');
    const all = new Set(stored.map(([, paths]) => paths.join(' ')));
    // What was signed is what the server has of the envelope, to the octet.
    for (const [message, paths] of stored) expect(message).toBe(`For: ${paths.join(' ')}\r\n\r\nx\r\n`);
    expect([...all].sort()).toEqual(
      [
        '<joe@a.example> <"a b"@b.example> <bob@B.Example>',
        '<joe@a.example> <ann@b.example>',
        '<joe@a.example> <cid@b.example> <dan@b.example>',
        '<joe@a.example> <eve@b.example>',
      ].sort(),
    );
    await client.close();
    await server.close();
  });
});

test('it is asked for when the server waits for it, and not before; what it declares is what its facts say', async () => {
  const server = new ScriptedServer(but({ 'RCPT TO:<bob': '550 no', DATA: null }));
  const client = await connectOn(server);
  const content = vi.fn(() => 'x');
  const sending = client.send(
    { reversePath: '', recipients: ['ann@b.example', 'bob@b.example'] },
    { facts: { size: 700, body: '8BITMIME' }, content },
  );
  await turns();
  expect([server.lines.at(-1), content.mock.calls]).toEqual(['DATA', []]);
  expect(server.lines[1]).toBe('MAIL FROM:<> SIZE=700 BODY=8BITMIME');
  server.say('354 go on');
  await turns();
  expect(content).toHaveBeenCalledTimes(1);
  server.end();
  await sending;
});

test('it is never asked for where nobody is left, or the server has gone on', async () => {
  const content = vi.fn(() => 'x');
  const message = { facts: {}, content };
  const client = await connectOn(new ScriptedServer(but({ RCPT: '550 no' })));
  expect((await client.send(ENVELOPE, message)).outcomes[0]!.status).toBe('refused');
  const leaving = new ScriptedServer(but({ DATA: '354 go on\r\n421 no, leaving' }));
  const other = await connectOn(leaving);
  expect((await other.send(ENVELOPE, message)).outcomes[0]!.status).toBe('unsent');
  expect(content).not.toHaveBeenCalled();
});

test.each<[string, Message]>([
  ['a stream', { facts: {}, content: () => ['Subject: ', 'x\r\n\r\n', 'y'.repeat(200_000)].values() }],
  ['octets', { facts: {}, content: () => Uint8Array.of(120) }],
  ['nothing', { facts: {}, content: () => '' }],
  ['what a function gives', async ({ eightBit }) => ({ facts: {}, content: () => `eight: ${eightBit}` })],
])('its content may be %s', async (_, message) => {
  const server = new ScriptedServer();
  const client = await connectOn(server);
  expect((await client.send(ENVELOPE, message)).outcomes[0]!.status).toBe('accepted');
  expect(server.bodies[0]!.length).toBeLessThan(200_100);
  await client.close();
});

describe.each<[string, ConnectOptions, string]>([
  ['DATA', {}, 'aborted'],
  ['BDAT', { features: [CHUNKING] }, 'no'],
])('by %s, a signer that fails', (_, options, ended) => {
  test.each<[string, () => never | Promise<never>]>([
    [
      'at once',
      () => {
        throw new Error('no key');
      },
    ],
    ['later', () => Promise.reject(new Error('no key'))],
    [
      'in its stream',
      () =>
        (function* () {
          yield 'Subject: x\r\n';
          throw new Error('no key');
        })() as never,
    ],
  ])('%s: the message is not ended, and nobody has it', async (_, content) => {
    const server = new ScriptedServer(willing(['PIPELINING', 'CHUNKING']));
    const client = await connectOn(server, options);
    const { outcomes, error } = await client.send(ENVELOPE, { facts: { body: '7BIT' }, content });
    expect([outcomes[0]!.status, outcomes[0]!.retry, (error as Error).message]).toEqual(['unsent', 'now', 'no key']);
    expect([server.bodies, server.ended]).toEqual([[], ended]);
  });
});

test('one that is given up while it is signed: its stream is closed', async () => {
  let give: (content: ReadableStream<string>) => void = () => {};
  let closed = false;
  const control = new AbortController();
  const client = await connectOn(new ScriptedServer());
  const content = (): Promise<ReadableStream<string>> =>
    new Promise((resolve) => {
      give = resolve;
    });
  const sending = client.send(ENVELOPE, { facts: {}, content }, { signal: control.signal });
  await turns();
  control.abort();
  expect((await sending).outcomes[0]!.status).toBe('unsent');
  give(
    new ReadableStream({
      cancel() {
        closed = true;
      },
    }),
  );
  await turns();
  expect(closed).toBe(true);
});

test('a stream serves one transaction: the rest is unsent, and may be sent at once', async () => {
  const client = await connectOn(new ScriptedServer(but({ 'RCPT TO:<bob': '452 4.5.3 too many' })));
  const message = (function* () {
    yield 'x'.repeat(1_100_000);
  })();
  const { outcomes } = await client.send({ reversePath: '', recipients: ['ann@b.example', 'bob@b.example'] }, message);
  expect(outcomes.map(({ status, retry }) => [status, retry])).toEqual([
    ['accepted', 'never'],
    ['unsent', 'now'],
  ]);
});

test('by another connection of a pool it is made again', async () => {
  const content = vi.fn(() => 'x');
  const servers: ScriptedServer[] = [];
  const pool = new Pool(
    async () => {
      const server = new ScriptedServer(
        servers.length === 0 ? (line, one) => (one.bodies.length > 0 && line === 'DATA' ? '421 bye' : willing()(line, one)) : willing(),
      );
      servers.push(server);
      return await connectOn(server);
    },
    { size: 1 },
  );
  for (const _ of [1, 2]) expect((await pool.send(ENVELOPE, { facts: {}, content })).outcomes[0]!.status).toBe('accepted');
  expect([servers.length, content.mock.calls.length]).toEqual([2, 2]);
  await pool.close();
});

test.each<[object, RegExp]>([
  [{ facts: { sise: 1 }, content: () => '' }, /^there is no option message\.facts\.sise: did you mean message\.facts\.size\?/],
  [{ content: () => '' }, /^message\.facts is undefined; it must be an object/],
  [{ facts: {}, content: 'x' }, /^the message is an object; it must be a text, octets, a stream, \{ facts, content\(transaction\) \}/],
])('%o is refused', async (message, why) => {
  const client = await connectOn(new ScriptedServer());
  await expect(client.send(ENVELOPE, message as never)).rejects.toThrow(why);
  await expect(client.plan(ENVELOPE, message as never)).rejects.toThrow(why);
});

test('a plan knows it by its facts, and asks for nothing', async () => {
  const content = vi.fn(() => 'x');
  const client = await connectOn(new ScriptedServer());
  const plan = await client.plan(ENVELOPE, { facts: { size: 7, body: '7BIT' }, content });
  expect([plan.mail, content.mock.calls.length]).toEqual(['MAIL FROM:<joe@a.example> SIZE=7', 0]);
});
