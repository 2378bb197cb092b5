// A pool that is held: how many connections the server takes, how fast messages may begin, and an end at once.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Client, ClientError, connectOn, isRetryable, Pool, type PoolOptions } from '../src/index.ts';
import { but, type Script, ScriptedServer, willing } from './scripted.ts';

const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example'] } as const;

/** A server that takes so many connections at a time, and turns the others away in its way. */
class Narrow {
  most: number;
  /** For how long it counts a connection that has ended. */
  lag = 0;
  /** Connections that it has, and that it has turned away. */
  now = 0;
  away = 0;
  opened = 0;
  readonly bodies: string[] = [];
  readonly servers: ScriptedServer[] = [];
  readonly #turnAway: 'refuse' | string;
  readonly #script: Script;

  constructor(most: number, turnAway: 'refuse' | string, script: Script = willing()) {
    this.most = most;
    this.#turnAway = turnAway;
    this.#script = script;
  }

  readonly open = async (): Promise<Client> => {
    this.opened++;
    if (this.now >= this.most) {
      this.away++;
      if (this.#turnAway === 'refuse') throw new ClientError('no-connection', 'refused');
      const [when, reply] = this.#turnAway.split(': ');
      return await connectOn(new ScriptedServer(but({ [when === 'greeting' ? '' : when!]: reply! })));
    }
    this.now++;
    const server = new ScriptedServer((line, one) => this.#script(line, one));
    this.servers.push(server);
    const client = await connectOn(server);
    void client.closed.then(() => {
      this.bodies.push(...server.bodies);
      if (this.lag === 0) this.now--;
      else setTimeout(() => this.now--, this.lag);
    });
    return client;
  };
}

/** Time passes until it has come. */
async function after<T>(coming: Promise<T>, step = 100): Promise<T> {
  let over = false;
  const done = (): void => {
    over = true;
  };
  coming.then(done, done);
  while (!over) await vi.advanceTimersByTimeAsync(step);
  return await coming;
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `message ${i}`);
const all = (pool: Pool, count: number, options = {}): Promise<string[]> =>
  Promise.all(texts(count).map(async (text) => (await pool.send(ENVELOPE, text, options)).outcomes[0]!.status));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each(['refuse', 'greeting: 421 too many connections', 'greeting: 554 no', 'EHLO: 421 4.7.0 too many', 'MAIL: 421 4.7.0 too many'])(
  'a server that takes two connections, and to a third says %s',
  (how) => {
    test('each message is sent, once, in order, by two', async () => {
      const server = new Narrow(2, how);
      const pool = new Pool(server.open, { size: 5 });
      expect(new Set(await after(all(pool, 60)))).toEqual(new Set(['accepted']));
      // One try for each connection that was wanted, and no more of them for each message.
      expect(server.opened).toBeLessThan(10);
      await after(pool.close());
      expect(server.bodies.sort()).toEqual(
        texts(60)
          .map((text) => `${text}\r\n`)
          .sort(),
      );
      const numbers = server.servers.map(({ bodies }) => bodies.map((body) => Number(body.slice(8))));
      for (const sent of numbers) expect(sent).toEqual(sent.sort((a, b) => a - b));
    });
  },
);

test('one more is tried a minute later for who waits for room, too', async () => {
  const server = new Narrow(1, 'refuse', but({ END: null }));
  const pool = new Pool(server.open, { size: 2 });
  const sending = all(pool, 2);
  await vi.advanceTimersByTimeAsync(100);
  server.servers[0]!.say('250 taken');
  await vi.advanceTimersByTimeAsync(100);
  let told = false;
  void pool.room().then(() => {
    told = true;
  });
  await vi.advanceTimersByTimeAsync(50_000);
  expect([told, server.opened]).toEqual([false, 2]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(told).toBe(true);
  await after(pool.close({ now: true }), 0);
  await sending;
});

test('one more is tried a minute later, and used where the server takes it', async () => {
  const slow: Script = (line, one) => {
    if (line !== 'END') return willing()(line, one);
    setTimeout(() => one.say('250 taken'), 10_000);
    return null;
  };
  const server = new Narrow(2, 'refuse', slow);
  const pool = new Pool(server.open, { size: 3 });
  const sending = all(pool, 30);
  await vi.advanceTimersByTimeAsync(50_000);
  expect([server.now, server.opened]).toEqual([2, 3]);
  server.most = 3;
  await vi.advanceTimersByTimeAsync(20_000);
  expect([server.now, server.opened]).toEqual([3, 4]);
  expect(new Set(await after(sending, 1000))).toEqual(new Set(['accepted']));
  await after(pool.close());
});

describe('a server that takes nobody', () => {
  test('and never has: as many messages are unsent as connections were tried, and nothing is waited for', async () => {
    const server = new Narrow(0, 'greeting: 421 no');
    const pool = new Pool(server.open, { size: 3 });
    const before = performance.now();
    expect(await after(all(pool, 7), 0)).toEqual(Array(7).fill('unsent'));
    expect([server.opened, performance.now() - before]).toEqual([7, 0]);
    await pool.close();
  });

  test('any more is asked a few times, and then what waits is unsent', async () => {
    const server = new Narrow(1, 'refuse');
    const pool = new Pool(server.open, { size: 2, messages: 1 });
    expect(await after(all(pool, 1))).toEqual(['accepted']);
    server.most = 0;
    const opened = server.opened;
    const result = await after(pool.send(ENVELOPE, 'x'));
    expect([result.outcomes[0]!.status, (result.error as ClientError).code, isRetryable(result.outcomes[0]!)]).toEqual([
      'unsent',
      'no-connection',
      true,
    ]);
    expect(server.opened - opened).toBe(4);
    await pool.close();
  });

  test('for a second, because it counts those that have just left: nothing is lost', async () => {
    const server = new Narrow(1, 'refuse');
    server.lag = 2500;
    const pool = new Pool(server.open, { size: 2, messages: 3 });
    expect(new Set(await after(all(pool, 9)))).toEqual(new Set(['accepted']));
    expect(server.away).toBeGreaterThan(2);
    await after(pool.close());
  });
});

test('a message that finds its connections left three times is unsent', async () => {
  let count = 0;
  const dying: Script = (line, one) => (one.bodies.length > 0 && line.startsWith('MAIL') ? '421 bye' : willing()(line, one));
  const pool = new Pool(async () => await connectOn(new ScriptedServer(++count > 0 ? dying : willing())), { size: 3 });
  expect(await after(all(pool, 3))).toEqual(Array(3).fill('accepted'));
  // Each of three connections is left at the second message: the first to be sent tries all of them.
  expect(await after(all(pool, 1))).toEqual(['unsent']);
  expect(await after(all(pool, 1))).toEqual(['accepted']);
  await pool.close();
});

describe('pace', () => {
  const starts: number[] = [];
  const noting: Script = (line, one) => {
    if (line.startsWith('MAIL')) starts.push(performance.now());
    return willing()(line, one);
  };
  const paced = (options: PoolOptions): Pool => {
    starts.length = 0;
    return new Pool(async () => await connectOn(new ScriptedServer(noting)), options);
  };

  test.each([1, 5])('in no stretch of time do more messages begin, by %i connections', async (size) => {
    const pool = paced({ size, pace: { messages: 3, within: 1000 } });
    const begun = performance.now();
    expect(new Set(await after(all(pool, 10), 10))).toEqual(new Set(['accepted']));
    await after(pool.close());
    expect(starts).toHaveLength(10);
    for (let i = 3; i < 10; i++) expect(starts[i]! - starts[i - 3]!).toBeGreaterThanOrEqual(1000);
    expect(starts[9]! - begun).toBeLessThan(3100);
  });

  test('who waits for room is told in time', async () => {
    const pool = paced({ pace: { messages: 2, within: 1000 } });
    const produce = async (): Promise<void> => {
      for (const text of texts(5)) {
        await pool.room();
        void pool.send(ENVELOPE, text);
      }
    };
    await after(produce());
    await after(pool.close());
    expect(starts).toHaveLength(5);
    for (let i = 2; i < 5; i++) expect(starts[i]! - starts[i - 2]!).toBeGreaterThanOrEqual(1000);
  });

  test('room waits for it, too; what waits can be given up', async () => {
    const pool = paced({ pace: { messages: 1, within: 1000 } });
    await after(pool.send(ENVELOPE, 'first'));
    let told = false;
    void pool.room().then(() => {
      told = true;
    });
    const control = new AbortController();
    const second = pool.send(ENVELOPE, 'second', { signal: control.signal });
    await vi.advanceTimersByTimeAsync(500);
    expect([told, pool.waiting]).toEqual([false, 1]);
    control.abort();
    expect((await second).outcomes[0]!.status).toBe('unsent');
    await vi.advanceTimersByTimeAsync(600);
    expect([told, pool.waiting, starts.length]).toEqual([true, 0, 1]);
    await after(pool.close());
  });

  test.each<[object, RegExp]>([
    [{ pace: { messages: 0, within: 1000 } }, /pace\.messages .*at least 1/],
    [{ pace: { messages: 1, within: Number.NaN } }, /pace\.within .*at least 1/],
    [{ pace: { message: 1, within: 1 } }, /^there is no option pace\.message: did you mean pace\.messages\?/],
    [{ rateLimit: 5 }, /pace\.messages/],
    [{ rateDelta: 5 }, /pace\.within/],
  ])('%j is refused', (options, why) => {
    expect(() => paced(options)).toThrow(why);
  });
});

describe('close({ now: true })', () => {
  test('ends every connection; what waits and what is on its way is unsent, what had its end said is unknown', async () => {
    const server = new Narrow(2, 'refuse', but({ END: null }));
    const other = new Narrow(1, 'refuse', but({ DATA: null }));
    let count = 0;
    const pool = new Pool(() => (count++ === 0 ? server.open() : other.open()), { size: 2 });
    const sending = Promise.all(texts(4).map((text) => pool.send(ENVELOPE, text)));
    await vi.advanceTimersByTimeAsync(100);
    const closing = pool.close({ now: true });
    const results = await after(sending, 0);
    expect(results.map(({ outcomes }) => outcomes[0]!.status)).toEqual(['unknown', 'unsent', 'unsent', 'unsent']);
    expect(results.map(({ outcomes }) => outcomes[0]!.retry)).toEqual(['later', 'now', 'now', 'now']);
    for (const { error } of results) expect(error).toMatchObject({ code: 'aborted', message: 'the pool is closed' });
    await after(closing, 0);
    expect([...server.servers, ...other.servers].map(({ ended }) => ended)).toEqual(['aborted', 'aborted']);
    expect((await pool.send(ENVELOPE, 'late')).outcomes[0]!.status).toBe('unsent');
  });

  test('behind a close that waits: that is over, too', async () => {
    const pool = new Pool(new Narrow(1, 'refuse', but({ MAIL: null })).open, { size: 1 });
    const sending = all(pool, 2);
    await vi.advanceTimersByTimeAsync(10);
    const gentle = pool.close();
    await vi.advanceTimersByTimeAsync(1000);
    await after(Promise.all([pool.close({ now: true }), gentle]), 0);
    expect(await sending).toEqual(['unsent', 'unsent']);
  });

  test('while a connection is opened: it is not waited for, and ended when it comes', async () => {
    let connect: (client: Client) => void = () => {};
    const pool = new Pool(
      () =>
        new Promise<Client>((resolve) => {
          connect = resolve;
        }),
    );
    const sending = all(pool, 1);
    await after(pool.close({ now: true }), 0);
    expect(await sending).toEqual(['unsent']);
    const server = new ScriptedServer();
    connect(await connectOn(server));
    await vi.advanceTimersByTimeAsync(10);
    expect(server.ended).toBe('aborted');
  });

  test.each<[object, RegExp]>([
    [{ now: 1 }, /^now is 1; it must be true or false/],
    [{ force: true }, /^there is no option force; there are now/],
  ])('%j is refused', async (options, why) => {
    await expect(new Pool(() => Promise.reject(new Error('x'))).close(options)).rejects.toThrow(why);
  });
});
