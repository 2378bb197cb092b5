import { afterEach, describe, expect, test, vi } from 'vitest';
import { BodyAbortedError, type Handler, type IncomingMessage, reject, type ServeOptions, serveOn } from '../src/index.ts';
import { MemoryListener, taking } from './memory.ts';

const ENVELOPE = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n';
const TRANSACTION = `EHLO c.example\r\n${ENVELOPE}DATA\r\n`;
const LOCAL_ERROR = '451 4.3.0 Requested action aborted: local error in processing';

function start(handler: Handler, options: Partial<ServeOptions> = {}) {
  const listener = new MemoryListener();
  const server = serveOn(listener, { hostname: 'mx.example.org', preset: 'mx', ...options }, { rcpt: () => true, ...handler });
  return { server, client: listener.connect() };
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

afterEach(() => {
  vi.useRealTimers();
});

describe('a decision that comes too late', () => {
  const TWO = `LHLO c.example\r\n${ENVELOPE}RCPT TO:<e@d.example>\r\nDATA\r\nx\r\n.\r\n`;

  async function late(decisions: readonly [true | ReturnType<typeof reject>, true | ReturnType<typeof reject>]) {
    vi.useFakeTimers();
    const unacknowledged: number[] = [];
    const { client } = start(
      {
        async message({ body }) {
          await body.bytes();
          await sleep(60);
          return decisions;
        },
        unacknowledged: ({ told }) => unacknowledged.push(told),
      },
      { preset: 'lmtp', limits: { messageAnswer: 40 } },
    );
    client.send(TWO);
    await vi.advanceTimersByTimeAsync(100);
    return { replies: client.take().split('\r\n').slice(-3, -1), unacknowledged };
  }

  test('for the first recipient is not told to the second', async () => {
    const { replies, unacknowledged } = await late([true, reject(550, '5.2.1', 'disabled')]);
    expect(replies).toEqual([LOCAL_ERROR, '550 5.2.1 disabled']);
    // RFC 1047: what was accepted for the first comes again.
    expect(unacknowledged).toEqual([0]);
  });

  test('and is a refusal needs no word', async () => {
    expect(await late([reject(550, '5.2.1', 'disabled'), true])).toEqual({
      replies: [LOCAL_ERROR, '250 2.6.0 Message accepted'],
      unacknowledged: [],
    });
  });

  test('leaves the body whole, whatever becomes of the next message', async () => {
    vi.useFakeTimers();
    const read: number[] = [];
    const errors: unknown[] = [];
    const { client } = start(
      {
        async message({ body }) {
          for await (const bytes of body) {
            read.push(bytes.length);
            await sleep(50);
          }
          return true;
        },
        error: (error) => errors.push(error),
      },
      { limits: { messageAnswer: 40 } },
    );
    for (const line of [TRANSACTION, 'one\r\n', 'two\r\n', 'three\r\n.\r\n']) client.send(line);
    await vi.advanceTimersByTimeAsync(45);
    client.send(`${ENVELOPE}BDAT 0\r\nRSET\r\n`);
    await vi.advanceTimersByTimeAsync(500);
    expect(read).toEqual([5, 5, 7]);
    expect(errors).toEqual([]);
  });
});

describe('a body', () => {
  test.each<[string, (body: IncomingMessage['body']) => Promise<unknown>]>([
    [
      'a look at its beginning',
      async (body) => {
        for await (const _ of body) break;
        return body.bytes();
      },
    ],
    ['a whole reading', async (body) => [await body.bytes(), await body.bytes()]],
    ['a second reader', (body) => Promise.all([body.bytes(), body.bytes()])],
  ])('is read once: %s is 451 for whoever reads again', async (_, read) => {
    const errors: unknown[] = [];
    const { client } = start({
      message: async ({ body }) => (await read(body)) !== null || true,
      error: (error) => errors.push(error),
    });
    client.send(`${TRANSACTION}x\r\n`);
    client.send('y\r\n.\r\nNOOP\r\n');
    expect((await client.replies(7)).slice(-2)).toEqual([LOCAL_ERROR, '250 2.0.0 NOOP OK']);
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('only once') })]);
  });
});

describe('a reader that is slow', () => {
  const BLOCK = `${'x'.repeat(998)}\r\n`.repeat(60);

  async function slow(milliseconds: number) {
    vi.useFakeTimers();
    let size = 0;
    let failure: unknown = null;
    const { client, server } = start({
      async message({ body }) {
        try {
          for await (const bytes of body) {
            if (size === 0) await sleep(milliseconds);
            size += bytes.length;
          }
        } catch (error) {
          failure = error;
          throw error;
        }
        return true;
      },
    });
    client.send(TRANSACTION);
    for (let i = 0; i < 4; i++) client.send(BLOCK);
    await vi.advanceTimersByTimeAsync(1);
    expect(client.paused).toBe(true);
    client.take();
    await vi.advanceTimersByTimeAsync(milliseconds);
    return { client, server, size: () => size, failure: () => failure };
  }

  test('costs the client nothing of its time', async () => {
    const { client, size } = await slow(500_000);
    expect([client.take(), client.paused]).toEqual(['', false]);
    await vi.advanceTimersByTimeAsync(250_000);
    client.send('.\r\n');
    await vi.advanceTimersByTimeAsync(1);
    expect(client.take()).toMatch(/^250 /);
    expect(size()).toBe(4 * BLOCK.length);
  });

  test('but not without end', async () => {
    const { client, server, failure } = await slow(600_000);
    expect(client.take()).toBe('421 4.3.2 mx.example.org Service not available, closing transmission channel\r\n');
    expect([client.closed, server.connections, (failure() as BodyAbortedError).code]).toEqual([true, 0, 'timeout']);
  });
});

describe('a decision with more waiting than may be held for the reader', () => {
  // The first block is more than may be held; the rest comes when it may.
  const LINES = `${'x'.repeat(998)}\r\n`.repeat(150);
  const REFUSED = '550 5.7.1 no';

  test.each<[string, NonNullable<Handler['message']>, string]>([
    ['a refusal at once', () => reject(550, '5.7.1', 'no') as never, REFUSED],
    [
      'a refusal later',
      async () => {
        await sleep(5);
        return reject(550, '5.7.1', 'no');
      },
      REFUSED,
    ],
    ['consent, though nothing was read', () => true as never, LOCAL_ERROR],
    [
      'a failure',
      async () => {
        await sleep(5);
        throw new Error('mine');
      },
      LOCAL_ERROR,
    ],
  ])('%s is told to the client', async (_name, message, said) => {
    for (const content of ['DATA', 'BDAT']) {
      const { client } = start({ message, error: () => {} });
      client.send(`EHLO c.example\r\n${ENVELOPE}`);
      client.send(content === 'DATA' ? `DATA\r\n${LINES}` : `BDAT ${LINES.length} LAST\r\n${LINES}`);
      await sleep(20);
      client.send(content === 'DATA' ? '.\r\nNOOP\r\n' : 'NOOP\r\n');
      await vi.waitFor(() => expect(client.written.split('\r\n').slice(-3)).toEqual([said, '250 2.0.0 NOOP OK', '']));
    }
  });
});

describe('a message that is refused and over at once', () => {
  test.each([
    ['a chunk with a bare CR', 'BDAT 3 LAST\r\nhi\r', {}, '550', 'bare-line-end'],
    [
      'data beyond the size, and its end',
      `DATA\r\n${`${'x'.repeat(998)}\r\n`.repeat(70)}.\r\n`,
      { messageSize: 65_536 },
      '552',
      'too-large',
    ],
    [
      'more of it than is drained',
      `DATA\r\n${`${'x'.repeat(998)}\r\n`.repeat(70)}`,
      { messageSize: 65_536, drain: 10 },
      '421',
      'too-large',
    ],
  ])('is cut for its handler, as one is whose octets come one by one: %s', async (_, octets, limits, code, cause) => {
    const seen: unknown[] = [];
    const notices: string[] = [];
    const message: Handler['message'] = async (incoming, session) => {
      try {
        return await taking(incoming, session);
      } catch (error) {
        seen.push((error as BodyAbortedError).code);
        throw error;
      }
    };
    const { client } = start({ message, notice: ({ type }) => notices.push(type) }, { limits });
    client.send(`EHLO c.example\r\n${ENVELOPE}${octets}`);
    expect((await client.replies(5)).at(-1)).toMatch(new RegExp(`^${code}`));
    await vi.waitFor(() => expect([seen, notices[0]]).toEqual([[cause], 'aborted']));
  });

  test('is cut for a handler that has seen some of it', async () => {
    let seen: unknown = null;
    const { client } = start({
      async message({ body, envelope }) {
        try {
          await body.bytes();
        } catch (error) {
          seen = [(error as BodyAbortedError).code, envelope.recipients.length, error instanceof BodyAbortedError];
          throw error;
        }
        return true;
      },
    });
    client.send(`EHLO c.example\r\n${ENVELOPE}BDAT 3\r\nhi\r`);
    client.send('BDAT 1 LAST\r\nx');
    expect((await client.replies(6)).at(-1)).toMatch(/^550 /);
    await vi.waitFor(() => expect(seen).toEqual(['bare-line-end', 1, true]));
  });
});
