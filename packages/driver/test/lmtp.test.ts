import { afterEach, expect, test, vi } from 'vitest';
import { accept, type Handler, reject, type Server, serveOn } from '../src/index.ts';
import { MemoryListener, taking } from './memory.ts';

const TO_THREE =
  'LHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRCPT TO:<e@d.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\r\n.\r\n';

const servers: Server[] = [];

function start(handler: Handler) {
  const listener = new MemoryListener();
  servers.push(serveOn(listener, { hostname: 'mx.example.org', preset: 'lmtp', grace: 0 }, { rcpt: () => true, ...handler }));
  return listener.connect();
}

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** The last three replies: those to the end of the data. */
async function verdicts(handler: Handler): Promise<string[]> {
  const client = start(handler);
  client.send(TO_THREE);
  return (await client.replies(9)).slice(-3);
}

test('a list of decisions is told recipient by recipient, in order', async () => {
  const errors: unknown[] = [];
  const message: Handler['message'] = async ({ body }) => {
    await body.bytes();
    return [true, reject(452, '4.2.2', 'over quota'), accept({ text: 'delivered' })];
  };
  expect(await verdicts({ message, error: (error) => errors.push(error) })).toEqual([
    '250 2.6.0 Message accepted',
    '452 4.2.2 over quota',
    '250 2.6.0 delivered',
  ]);
  expect(errors).toEqual([]);
});

test('one decision is for all', async () => {
  expect(await verdicts({ message: taking })).toEqual(new Array(3).fill('250 2.6.0 Message accepted'));
  expect(await verdicts({ message: async () => reject(550, '5.7.1', 'no') })).toEqual(new Array(3).fill('550 5.7.1 no'));
});

test.each([
  ['a list that is too short', [true]],
  ['a list that says nothing of a recipient', [true, undefined, true]],
])('silence is never consent: %s', async (name, decisions) => {
  const errors: unknown[] = [];
  const message = async ({ body }: Parameters<NonNullable<Handler['message']>>[0]): Promise<never> => {
    await body.bytes();
    return decisions as never;
  };
  const seen = await verdicts({ message, error: (error) => errors.push(error) });
  expect(seen.map((line) => line.slice(0, 3))).toEqual(name.includes('short') ? ['451', '451', '451'] : ['250', '451', '250']);
});

test('a list of decisions is none in SMTP, which has one reply for all', async () => {
  const errors: unknown[] = [];
  const listener = new MemoryListener();
  const message = async ({ body }: Parameters<NonNullable<Handler['message']>>[0]) => {
    await body.bytes();
    return [true, reject(550, '5.1.1', 'no')] as const;
  };
  const handler: Handler = { rcpt: () => true, message, error: (error) => errors.push(error) };
  servers.push(serveOn(listener, { hostname: 'mx.example.org', preset: 'mx', grace: 0 }, handler));
  const client = listener.connect();
  client.send(TO_THREE.replace('LHLO', 'EHLO'));
  expect((await client.replies(8)).at(-1)).toMatch(/^451 /);
  expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('only LMTP') })]);
});

test('a client that leaves when it was told a part: the rest is not acknowledged', async () => {
  const unacknowledged: number[] = [];
  const client = start({
    message: async ({ body }) => {
      await body.bytes();
      return [true, accept({ delay: 60_000 }), true];
    },
    unacknowledged: ({ told }) => unacknowledged.push(told),
  });
  client.send(TO_THREE);
  // The second reply is held back, and the third decision waits for it: only the first is known to the client.
  expect((await client.replies(8)).at(-1)).toMatch(/^250 /);
  client.sink!.lost();
  await vi.waitFor(() => expect(unacknowledged).toEqual([1]));
});

test('a client that leaves before it was told all: the application hears how many it knows of', async () => {
  const unacknowledged: number[] = [];
  const client = start({
    message: async ({ body }) => {
      await body.bytes();
      client.sink!.lost();
      return true;
    },
    unacknowledged: ({ told }) => unacknowledged.push(told),
  });
  client.send(TO_THREE);
  await vi.waitFor(() => expect(unacknowledged).toEqual([0]));
});
