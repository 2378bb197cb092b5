// Several connections to one server: how many there are, when they are used again, and what happens when they are gone.
import { SmtpUsageError } from '@ehlo/engine';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Client, ClientError, connectOn, type Message, Pool, type PoolOptions } from '../src/index.ts';
import { but, type Script, ScriptedServer, turns, willing } from './scripted.ts';

const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example', 'bob@b.example'] } as const;

function make(options: PoolOptions = {}, script: (count: number) => Script = () => willing()) {
  const servers: ScriptedServer[] = [];
  const pool = new Pool(() => {
    const server = new ScriptedServer(script(servers.length));
    servers.push(server);
    return connectOn(server);
  }, options);
  const bodies = (): number[] => servers.map((server) => server.bodies.length);
  return { pool, servers, bodies };
}

const statuses = async (sending: ReturnType<Pool['send']>): Promise<string> =>
  (await sending).outcomes.map(({ status }) => status).join(' ');

afterEach(() => {
  vi.useRealTimers();
});

test('as many connections as are needed, and no more than its size; they are used again', async () => {
  const { pool, servers, bodies } = make({ size: 3 });
  await pool.send(ENVELOPE, 'alone');
  expect(bodies()).toEqual([1]);
  const sending = Array.from({ length: 12 }, (_, i) => statuses(pool.send(ENVELOPE, `${i}`)));
  expect(pool.waiting).toBe(9);
  expect(new Set(await Promise.all(sending))).toEqual(new Set(['accepted accepted']));
  expect([servers.length, bodies().reduce((sum, count) => sum + count)]).toEqual([3, 13]);
  await pool.close();
  expect(servers.map(({ ended, lines }) => [ended, lines.at(-1)])).toEqual(Array(3).fill(['closed', 'QUIT']));
  const late = await pool.send(ENVELOPE, 'x');
  expect([late.outcomes.map(({ status }) => status), late.error]).toEqual([
    ['unsent', 'unsent'],
    new ClientError('aborted', 'the pool is closed'),
  ]);
});

test('a connection is used for so many messages', async () => {
  const { pool, servers, bodies } = make({ size: 1, messages: 2 });
  await Promise.all(['1', '2', '3', '4', '5'].map((text) => pool.send(ENVELOPE, text)));
  expect(bodies()).toEqual([2, 2, 1]);
  expect(servers.slice(0, 2).map(({ lines }) => lines.at(-1))).toEqual(['QUIT', 'QUIT']);
});

describe("with pipelining 'transactions'", () => {
  /** Closes the session behind its second message, and takes all that come by later connections. */
  const leaving =
    (count: number): Script =>
    (line, server) => {
      if (count > 0 || server.bodies.length < 2) return willing()(line, server);
      if (line !== 'END') return null;
      // Behind the reply, in the same turn.
      queueMicrotask(() =>
        queueMicrotask(() => {
          server.say('421 enough');
          server.end();
        }),
      );
      return '250 taken';
    };

  function pipelined(script: (count: number) => Script, options: PoolOptions = {}) {
    const servers: ScriptedServer[] = [];
    const pool = new Pool(
      () => {
        const server = new ScriptedServer(script(servers.length));
        servers.push(server);
        return connectOn(server, { pipelining: 'transactions' });
      },
      { size: 1, ...options },
    );
    return { pool, servers };
  }

  async function* once(text: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }

  test('a connection that is used is given the next two, once it has taken one; the others wait', async () => {
    let taken = 0;
    // The first message is taken, and behind the second nothing is answered.
    const { pool } = pipelined(() => (line, server) => {
      if (line === 'END') taken++;
      return taken > 1 ? null : willing()(line, server);
    });
    const sending = ['1', '2', '3', '4', '5', '6'].map((text) => pool.send(ENVELOPE, text));
    expect(pool.waiting).toBe(5);
    await sending[0];
    await turns();
    expect([taken, pool.waiting]).toEqual([2, 2]);
    await pool.close({ now: true });
  });

  test.each([
    ['a text', (): Message => 'third\r\n'],
    ['a stream', (): Message => once('third\r\n')],
  ])('%s behind a message after which the server leaves goes by another connection', async (_, message) => {
    const { pool, servers } = pipelined(leaving);
    expect(await statuses(pool.send(ENVELOPE, 'first\r\n'))).toBe('accepted accepted');
    const sending = [statuses(pool.send(ENVELOPE, 'second\r\n')), statuses(pool.send(ENVELOPE, message()))];
    expect(await Promise.all(sending)).toEqual(['accepted accepted', 'accepted accepted']);
    expect(servers.map(({ bodies }) => bodies)).toEqual([['first\r\n', 'second\r\n'], ['third\r\n']]);
    await pool.close();
  });

  test('no more than one connection is used for', async () => {
    const { pool, servers } = pipelined(() => willing(), { messages: 2 });
    await Promise.all(['1', '2', '3', '4', '5'].map((text) => pool.send(ENVELOPE, text)));
    expect(servers.map(({ bodies }) => bodies.length)).toEqual([2, 2, 1]);
    await pool.close();
  });
});

test('never more at a time than its size, whoever comes when', async () => {
  let [now, most] = [0, 0];
  const counting: Script = (line, server) => {
    if (line.startsWith('MAIL')) most = Math.max(most, ++now);
    if (line === 'END') now--;
    return willing()(line, server);
  };
  const { pool } = make({ size: 1, messages: 1 }, () => counting);
  const all: Promise<unknown>[] = [];
  const send = (more: number): void =>
    void all.push(pool.send(ENVELOPE, 'x').then(() => Array.from({ length: Math.min(2, more) }, () => send(more - 1))));
  for (let i = 0; i < 3; i++) send(2);
  while ((await Promise.all(all)).length < all.length);
  expect([most, all.length]).toEqual([1, 15]);
});

test('room: who waits for it makes no more messages than there are connections', async () => {
  const { pool, bodies } = make({ size: 2 });
  let [made, most] = [0, 0];
  for (let i = 0; i < 20; i++) {
    await pool.room();
    made++;
    void pool.send(ENVELOPE, `${i}`);
    most = Math.max(most, made - bodies().reduce((sum, count) => sum + count, 0), pool.waiting);
  }
  await pool.close();
  expect([bodies().reduce((sum, count) => sum + count), most <= 3]).toEqual([20, true]);
});

describe('a connection that was not used for a while', () => {
  test('is asked whether it lives', async () => {
    const { pool, servers } = make({ size: 1, probe: 1 });
    await pool.send(ENVELOPE, '1');
    await turns(5);
    await pool.send(ENVELOPE, '2');
    expect(servers.map(({ lines }) => lines.filter((line) => line === 'NOOP').length)).toEqual([1]);
  });

  test.each<[string, (server: ScriptedServer) => void]>([
    ['says 421', (server) => server.say('421 idle for too long')],
    ['ends', (server) => server.end()],
    ['is lost', (server) => server.lose()],
  ])('and %s is replaced', async (_, leave) => {
    const { pool, servers } = make({ size: 1 });
    await pool.send(ENVELOPE, '1');
    leave(servers[0]!);
    expect(await statuses(pool.send(ENVELOPE, '2'))).toBe('accepted accepted');
    expect(servers).toHaveLength(2);
  });

  test('and leaves when it is asked, too: the message is sent by another; but a stream can not be', async () => {
    const dying: Script = (line, server) =>
      server.bodies.length > 0 && /^(MAIL|NOOP)/.test(line) ? '421 leaving' : willing()(line, server);
    const { pool, servers } = make({ size: 1 }, (count) => (count === 0 ? dying : willing()));
    await pool.send(ENVELOPE, '1');
    expect(await statuses(pool.send(ENVELOPE, '2'))).toBe('accepted accepted');
    expect(servers).toHaveLength(2);
    const fresh = make({ size: 1 }, () => but({ MAIL: '421 leaving' }));
    expect(await statuses(fresh.pool.send(ENVELOPE, '1'))).toBe('unsent unsent');
    expect(fresh.servers).toHaveLength(1);
    const other = make({ size: 1 }, () => dying);
    await other.pool.send(ENVELOPE, '1');
    expect(await statuses(other.pool.send(ENVELOPE, ['2'].values()))).toBe('unsent unsent');
    expect(other.servers).toHaveLength(1);
  });

  test('and longer than it is kept is ended', async () => {
    vi.useFakeTimers();
    const { pool, servers } = make({ idle: 1000 });
    const sending = pool.send(ENVELOPE, '1');
    await vi.advanceTimersByTimeAsync(10);
    await sending;
    await vi.advanceTimersByTimeAsync(1000);
    expect(servers.map(({ lines }) => lines.at(-1))).toEqual(['QUIT']);
  });
});

test('no connection: unsent, with the reason; and those who wait are not forgotten', async () => {
  let count = 0;
  const pool = new Pool(
    () => (++count <= 2 ? Promise.reject(new ClientError('no-connection', 'nobody listens')) : connectOn(new ScriptedServer())),
    { size: 1 },
  );
  const results = await Promise.all(['1', '2', '3'].map((text) => pool.send(ENVELOPE, text)));
  expect(results.map(({ outcomes, error }) => [outcomes[1]!.status, error instanceof ClientError ? error.code : error])).toEqual([
    ['unsent', 'no-connection'],
    ['unsent', 'no-connection'],
    ['accepted', null],
  ]);
  expect(results[0]!.outcomes[0]).toMatchObject({
    recipient: 'ann@b.example',
    status: 'unsent',
    stage: 'connect',
    cause: 'lost',
    retry: 'later',
  });
});

test('a message that waits can be given up', async () => {
  const { pool, bodies } = make({ size: 1 }, () => but({ END: null }));
  const first = pool.send(ENVELOPE, '1');
  const control = new AbortController();
  const second = pool.send(ENVELOPE, '2', { signal: control.signal });
  await turns();
  control.abort('enough');
  const { outcomes, error } = await second;
  expect([outcomes.map(({ status }) => status), error]).toEqual([
    ['unsent', 'unsent'],
    expect.objectContaining({ code: 'aborted', cause: 'enough' }),
  ]);
  expect([pool.waiting, bodies()]).toEqual([0, [1]]);
  void first;
});

test.each<[string, () => unknown, RegExp]>([
  ['nothing', () => undefined, /gives a client, not undefined$/],
  ['options', () => ({ host: 'mx.example' }), /gives a client, not an object$/],
  [
    'what throws at once',
    () => {
      throw new Error('no host');
    },
    /^no host$/,
  ],
])('a function that opens %s: who sends is told, and nothing is left over', async (_, open, why) => {
  const pool = new Pool(open as () => Promise<Client>, { size: 2 });
  const sending = ['1', '2', '3'].map((text) => pool.send(ENVELOPE, text));
  for (const sent of sending) await expect(sent).rejects.toThrow(why);
  await pool.close();
});

test('mistakes of the program are thrown, and cost no connection', async () => {
  const { pool, servers } = make({ size: 1 });
  await expect(pool.send({ reversePath: '', recipients: [] }, 'x')).rejects.toMatchObject({ code: 'no-recipients' });
  expect(await statuses(pool.send(ENVELOPE, '1'))).toBe('accepted accepted');
  expect(servers).toHaveLength(1);
});

describe('a signal', () => {
  test.each<[string, () => Promise<Client>]>([
    ['while it connects', () => new Promise(() => {})],
    ['before', () => Promise.reject(new Error('nobody dials'))],
  ])('that aborts %s', async (when, connecting) => {
    const pool = new Pool(connecting);
    const control = new AbortController();
    if (when === 'before') control.abort(new Error('enough'));
    const sending = pool.send(ENVELOPE, 'x', { signal: control.signal });
    await turns();
    control.abort(new Error('enough'));
    const { outcomes, error } = await sending;
    expect(outcomes).toMatchObject([{ status: 'unsent', cause: 'aborted' }, { status: 'unsent' }]);
    expect(error).toMatchObject({ code: 'aborted', cause: new Error('enough') });
  });

  test('that aborts while it connects: the connection is for the next', async () => {
    let connect: (client: Client) => void = () => {};
    const server = new ScriptedServer();
    const pool = new Pool(() => new Promise<Client>((resolve) => (connect = resolve)), { size: 1 });
    const control = new AbortController();
    const first = pool.send(ENVELOPE, 'first', { signal: control.signal });
    const second = pool.send(ENVELOPE, 'second');
    control.abort();
    expect(await statuses(first)).toBe('unsent unsent');
    connect(await connectOn(server));
    expect(await statuses(second)).toBe('accepted accepted');
    expect(server.bodies).toEqual(['second\r\n']);
    await pool.close();
  });

  test('that aborts while the connection is asked whether it lives', async () => {
    const { pool, servers } = make({ size: 1, probe: 0 }, () => but({ NOOP: null }));
    expect(await statuses(pool.send(ENVELOPE, 'x'))).toBe('accepted accepted');
    const control = new AbortController();
    const sending = pool.send(ENVELOPE, 'y', { signal: control.signal });
    await turns();
    expect(servers[0]!.lines.at(-1)).toBe('NOOP');
    control.abort();
    expect(await statuses(sending)).toBe('unsent unsent');
    servers[0]!.end();
    await pool.close();
  });
});

test('a connection that does not answer whether it lives is given up soon', async () => {
  const { pool, servers } = make({ size: 1, probe: 0 }, (count) => (count === 0 ? but({ NOOP: null }) : willing()));
  expect(await statuses(pool.send(ENVELOPE, 'x'))).toBe('accepted accepted');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const sending = statuses(pool.send(ENVELOPE, 'y'));
  await vi.advanceTimersByTimeAsync(6000);
  vi.useRealTimers();
  expect(await sending).toBe('accepted accepted');
  expect(servers.map(({ ended }) => ended)).toEqual(['aborted', 'no']);
  await pool.close();
});

test('a server that takes so many messages in a session gets the next in another (RFC 9422)', async () => {
  const { pool, bodies } = make({ size: 1 }, () => willing(['LIMITS MAILMAX=2']));
  const all = await Promise.all(['1', '2', '3', '4', '5'].map((text) => statuses(pool.send(ENVELOPE, text))));
  expect(new Set(all)).toEqual(new Set(['accepted accepted']));
  expect(bodies()).toEqual([2, 2, 1]);
  await pool.close();
});

test('a connection counts until it is gone, and a pool is closed when all are', async () => {
  let [now, most] = [0, 0];
  const slow: Script = (line, server) => {
    if (line === '') most = Math.max(most, ++now);
    if (line !== 'QUIT') return willing()(line, server);
    setTimeout(() => {
      now--;
      server.say('221 bye');
    }, 20);
    return null;
  };
  const { pool } = make({ size: 2, messages: 1 }, () => slow);
  await Promise.all(Array.from({ length: 6 }, () => pool.send(ENVELOPE, 'x')));
  expect(most).toBe(2);
  await pool.close();
  expect(now).toBe(0);
});

describe('room', () => {
  test('is told to as many as there is room for', async () => {
    const { pool } = make({ size: 1 });
    let [alive, most] = [0, 0];
    const produce = async (): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        await pool.room();
        most = Math.max(most, ++alive);
        await pool.send(ENVELOPE, 'x');
        alive--;
      }
    };
    await Promise.all(Array.from({ length: 20 }, produce));
    expect(most).toBeLessThan(3);
    await pool.close();
  });

  test('goes on to the next where one lets it pass', async () => {
    const { pool } = make({ size: 1 });
    await Promise.all([pool.room(), pool.room(), pool.room()]);
    await pool.close();
  });

  test("is nobody's to wait for in a pool that is closed", async () => {
    const { pool, servers } = make({ size: 1 }, () => but({ MAIL: null }));
    const control = new AbortController();
    const sending = pool.send(ENVELOPE, 'x', { signal: control.signal });
    await turns();
    const waiting = pool.room();
    const closing = pool.close();
    await waiting;
    control.abort();
    servers[0]!.end();
    await Promise.all([sending, closing]);
  });
});

test.each([{ size: Number.NaN }, { size: 0 }, { messages: 0 }, { probe: -1 }, { idle: Number.NaN }])('%o is refused', (options) => {
  expect(() => make(options)).toThrow(/must be a number, at least/);
});

test('a connection may be idle for ever', async () => {
  const { pool, servers } = make({ idle: Number.POSITIVE_INFINITY });
  for (const text of ['1', '2', '3']) await pool.send(ENVELOPE, text);
  await turns();
  expect(servers.length).toBe(1);
  await pool.close();
});

test('a stream is closed where there is no connection, whatever the reason', async () => {
  for (const reason of [new SmtpUsageError('bad-limit', 'wrong'), new Error('wrong'), new ClientError('ended', 'gone')]) {
    let closed = false;
    const stream = new ReadableStream<string>({
      cancel() {
        closed = true;
      },
    });
    const pool = new Pool(() => Promise.reject(reason));
    const sent = await pool.send(ENVELOPE, stream).catch((error: unknown) => error);
    await turns();
    expect([sent === reason, closed]).toEqual([!(reason instanceof ClientError), true]);
  }
});

test('close resolves when every message has settled, for those who have sent them, too', async () => {
  const never = new Pool(() => new Promise<Client>(() => {}));
  const refused = new Pool(() => Promise.reject(new ClientError('refused', 'nobody is there')));
  const broken = new Pool(() => Promise.reject(new TypeError('mine')));
  for (const [pool, options] of [[never, { now: true }], [refused], [broken]] as const) {
    let settled = 0;
    const tell = (): void => {
      settled++;
    };
    pool.send(ENVELOPE, 'x').then(tell, tell);
    await pool.close(options);
    expect(settled).toBe(1);
  }
});

test('a message with a wrong signal is rejected, and holds up no end', async () => {
  const { pool } = make();
  await expect(pool.send(ENVELOPE, 'x', { signal: {} as AbortSignal })).rejects.toThrow();
  await pool.close();
});
