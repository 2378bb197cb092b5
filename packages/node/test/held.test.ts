// A client and a pool that are held, over real sockets: how many connections the server takes, an end at once, a login later, a message for each transaction.
import { CHUNKING, type TransactionPaths } from '@ehlo/engine';
import { type Client, reject } from '@ehlo/node';
import { plain } from '@ehlo/sasl';
import { describe, expect } from 'vitest';
import { connect, newPool } from './adapter.ts';
import { taking, test } from './fixture.ts';
import { until } from './wire.ts';

const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example'] } as const;

describe('a pool', () => {
  test('of five for a server that takes two connections: each of sixty messages is sent, once', async ({ start }) => {
    const bodies: string[] = [];
    const server = await start(
      {
        async message({ body }) {
          bodies.push(new TextDecoder().decode(await body.bytes()));
          return true;
        },
      },
      { connections: 2 },
    );
    const pool = newPool(() => connect({ port: server.address.port }), { size: 5 });
    const texts = Array.from({ length: 60 }, (_, i) => `message ${i}\r\n`);
    const results = await Promise.all(texts.map((text) => pool.send(ENVELOPE, text)));
    expect(results.filter(({ outcomes }) => outcomes[0]!.status !== 'accepted')).toEqual([]);
    await pool.close();
    expect(bodies.sort()).toEqual(texts.sort());
  });

  test('that is closed at once: a server that says nothing more is not waited for', async ({ start }) => {
    let asked = false;
    const server = await start({
      mail: () => {
        asked = true;
        return new Promise(() => {});
      },
    });
    const pool = newPool(() => connect({ port: server.address.port }), { size: 1 });
    const sending = Promise.all([pool.send(ENVELOPE, 'x'), pool.send(ENVELOPE, 'y')]);
    await until('the first is asked', () => asked);
    await pool.close({ now: true });
    expect((await sending).map(({ outcomes }) => [outcomes[0]!.status, outcomes[0]!.retry])).toEqual([
      ['unsent', 'now'],
      ['unsent', 'now'],
    ]);
  });
});

test('a login after connect, where it is offered', async ({ start }) => {
  const auth = { mechanisms: [plain()], lookup: (user: string) => (user === 'joe' ? 'correct horse' : null) };
  const identities: unknown[] = [];
  const server = await start(
    {
      mail: (_, { identity }) => {
        identities.push(identity);
        return true;
      },
      message: taking,
    },
    { auth },
  );
  const client: Client = await connect({ port: server.address.port, credentials: 'cleartext' });
  const login = (password: string): Promise<void> => client.authenticate({ mechanisms: [plain()], user: 'joe', password });
  await client.send(ENVELOPE, 'x');
  await expect(login('wrong horse')).rejects.toMatchObject({ code: 'auth-refused' });
  await login('correct horse');
  await client.send(ENVELOPE, 'x');
  expect([client.authenticated, identities]).toEqual(['PLAIN', [null, 'joe']]);
  expect(await client.command('NOOP')).toMatchObject({ code: 250 });
  await client.close();
});

describe.each([
  ['DATA', []],
  ['BDAT', [CHUNKING]],
] as const)('by %s', (_, features) => {
  test('a message is made for each transaction, whose envelope the server has to the octet', async ({ start }) => {
    const text = (octets: Uint8Array): string => new TextDecoder().decode(octets);
    const stored: string[][] = [];
    const server = await start({
      rcpt: ({ envelope }) => envelope.recipients.length < 2 || reject(452, '4.5.3', 'too many'),
      async message({ envelope, body }) {
        const paths = [envelope.wire, ...envelope.recipients.map(({ wire }) => wire)];
        stored.push([text(await body.bytes()), `${paths.join(' ')}\r\n`]);
        return true;
      },
    });
    const client = await connect({ port: server.address.port, features });
    const content = async ({ reversePath, recipients }: TransactionPaths): Promise<ReadableStream<string>> =>
      new ReadableStream({
        start(control) {
          control.enqueue([reversePath, ...recipients].map(text).join(' '));
          control.close();
        },
      });
    const { outcomes } = await client.send(
      { reversePath: 'joe@a.example', recipients: ['"a b"@b.example', 'bob@B.example', 'cid@b.example'] },
      { facts: { body: '7BIT' }, content },
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'accepted']);
    for (const [message, paths] of stored) expect(message).toBe(paths);
    expect(stored).toHaveLength(2);
    await client.close();
  });
});
