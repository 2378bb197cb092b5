// One contract for every function of the program that nobody waits for: what it throws, or its promise rejects with, ends neither the session nor
// the process. On a server `error` is told of it; else, and where `error` fails itself, a warning, once.
import { PARAMETERS } from '@ehlo/grammar';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type CallbackName,
  type ClientNotice,
  connectOn,
  type Handler,
  Pool,
  type ServeOptions,
  type Session,
  serveOn,
} from '../src/index.ts';
import { MemoryListener, type MemoryTransport, taking } from './memory.ts';
import { but, ScriptedServer, turns, willing } from './scripted.ts';

/** How a function fails. */
const FAILURES: readonly (readonly [string, (error: unknown) => never])[] = [
  [
    'throws',
    (error) => {
      throw error;
    },
  ],
  ['rejects', (error) => Promise.reject(error) as never],
  ['rejects later', (error) => new Promise((_, reject) => setTimeout(reject, 1, error)) as never],
  [
    'rejects in its own way',
    (error) => Object.defineProperty({}, 'then', { value: (_: unknown, no: (error: unknown) => void) => no(error) }) as never,
  ],
  [
    'gives what throws when it is looked at',
    (error) =>
      Object.defineProperty({}, 'then', {
        get: () => {
          throw error;
        },
      }) as never,
  ],
];

const MINE = new Error('mine');

/** What nobody has caught. A test of vitest fails by it in any case; here it is seen at which. */
const uncaught: unknown[] = [];
const catches = (error: unknown): void => void uncaught.push(error);

beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', catches).on('unhandledRejection', catches);
});

afterEach(async () => {
  await turns();
  process.off('uncaughtException', catches).off('unhandledRejection', catches);
  expect(uncaught).toEqual([]);
});

const HELLO = 'EHLO c.example\r\n';
const MESSAGE = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nx\r\n.\r\n';
const TAKEN = '250 2.6.0 Message accepted\r\n';

function serve(handler: Handler, options: Partial<ServeOptions> = {}) {
  const told: [unknown, CallbackName, number | null][] = [];
  const warnings: string[] = [];
  const listener = new MemoryListener();
  const error: Handler['error'] = (cause, at, session) => void told.push([cause, at, session?.id ?? null]);
  const settings: ServeOptions = { hostname: 'mx.example.org', preset: 'sink', ...options };
  const server = serveOn(listener, settings, { message: taking, error, ...handler }, (message) => void warnings.push(message));
  return { server, listener, client: listener.connect(), told, warnings };
}

/** The session is as good as new. */
async function livesOn(client: MemoryTransport): Promise<void> {
  client.take();
  client.send(`RSET\r\n${HELLO}${MESSAGE}`);
  await vi.waitFor(() => expect(client.written.endsWith(TAKEN)).toBe(true));
}

/** What brings a server to tell each notice. */
const NOTICES: { readonly [type: string]: (client: MemoryTransport) => void } = {
  trace: (client) => client.send('NOOP\r\n'),
  fault: (client) => client.send('NONSENSE\r\n'),
  reset: (client) => client.send(`${HELLO}MAIL FROM:<>\r\nRSET\r\n`),
  aborted: (client) => client.send(`${HELLO}MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nBDAT 3\r\nabcRSET\r\n`),
  closed: (client) => client.send('QUIT\r\n'),
};

describe.each(FAILURES)('on a server, a function that %s', (_, fail) => {
  test.each(Object.entries(NOTICES))('notice, at %s', async (type, bring) => {
    const notice: Handler['notice'] = (event) => (event.type === type ? fail(MINE) : undefined);
    const { client, listener, told, server } = serve({ notice }, { trace: type === 'trace' });
    bring(client);
    await vi.waitFor(() => expect(told[0]).toEqual([MINE, 'notice', 1]));
    if (type === 'closed') {
      expect([client.closed, server.connections]).toEqual([true, 0]);
      await livesOn(listener.connect());
    } else await livesOn(client);
  });

  test('unacknowledged', async () => {
    let go: (yes: true) => void = () => {};
    const gate = new Promise<true>((resolve) => {
      go = resolve;
    });
    const message: Handler['message'] = async ({ body }) => {
      await body.bytes();
      return await gate;
    };
    const { client, listener, told } = serve({ message, unacknowledged: () => fail(MINE) });
    client.send(`${HELLO}${MESSAGE}`);
    await turns();
    client.sink!.lost();
    go(true);
    await vi.waitFor(() => expect(told).toEqual([[MINE, 'unacknowledged', 1]]));
    await livesOn(listener.connect());
  });

  test.each<[string, (signal: AbortSignal, listener: () => void) => void]>([
    ['a listener', (signal, listener) => signal.addEventListener('abort', listener)],
    ['a listener that is called once', (signal, listener) => signal.addEventListener('abort', listener, { once: true })],
    ['an object', (signal, listener) => signal.addEventListener('abort', { handleEvent: listener })],
    [
      'onabort',
      (signal, listener) => {
        signal.onabort = listener;
      },
    ],
  ])('on session.signal: %s', async (__, add) => {
    const signals: AbortSignal[] = [];
    const hello: Handler['hello'] = (___, { signal }) => {
      add(signal, () => fail(MINE));
      signals.push(signal);
      return true;
    };
    const { client, listener, told } = serve({ hello });
    client.send(HELLO);
    client.sink!.lost();
    await vi.waitFor(() => expect(told).toEqual([[MINE, 'signal', 1]]));
    expect(signals[0]!.aborted).toBe(true);
    await livesOn(listener.connect());
  });

  test('trusted: nobody is trusted', async () => {
    const { client, told } = serve({}, { trusted: { XCLIENT: () => fail(MINE), XFORWARD: () => true } });
    client.send(HELLO);
    const answer = client.take();
    expect(answer).toContain('XFORWARD');
    expect(answer).not.toContain('XCLIENT');
    await vi.waitFor(() => expect(told.map(([error]) => error)).toContain(MINE));
    expect(new Set(told.map(([, at, id]) => `${at} ${id}`))).toEqual(new Set(['trusted null']));
    await livesOn(client);
  });

  test('error itself: warned of once', async () => {
    const { client, listener, warnings } = serve({ mail: () => undefined as never, error: () => fail(MINE) });
    client.send(`${HELLO}MAIL FROM:<>\r\nMAIL FROM:<>\r\nNOOP\r\n`);
    expect((await client.replies(5)).slice(-3).map((line) => line.slice(0, 3))).toEqual(['451', '451', '250']);
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
    expect(warnings[0]).toMatch(/the handler's method error has failed; what fails later is not shown: mine$/);
    expect(listener.connect().take()).toMatch(/^220 /);
    expect(warnings).toHaveLength(1);
  });

  test('without error: warned of once', async () => {
    const { client, warnings } = serve({ notice: () => fail(MINE), error: undefined as never }, { trace: true });
    client.send(`${HELLO}NONSENSE\r\n`);
    await vi.waitFor(() => expect(warnings).toEqual([expect.stringMatching(/^the handler has failed at notice, .*: mine$/)]));
    await livesOn(client);
    expect(warnings).toHaveLength(1);
  });
});

describe('session.signal', () => {
  function signalOf(): { readonly signal: AbortSignal; readonly leave: () => void } {
    const signals: AbortSignal[] = [];
    const { client } = serve({ hello: (_, { signal }: Session) => signals.push(signal) > 0 || (true as const) });
    client.send(HELLO);
    return { signal: signals[0]!, leave: () => client.sink!.lost() };
  }

  test('is an AbortSignal in all else', () => {
    const { signal, leave } = signalOf();
    const calls: unknown[] = [];
    const listener = function (this: unknown, event: Event) {
      calls.push([this === signal, event.type, event.target === signal]);
    };
    const removed = () => calls.push('removed');
    const replaced = () => calls.push('replaced');
    for (const each of [listener, listener, removed]) signal.addEventListener('abort', each);
    signal.removeEventListener('abort', removed);
    signal.addEventListener('abort', null as never);
    signal.removeEventListener('abort', null as never);
    signal.onabort = replaced;
    expect(signal.onabort).toBe(replaced);
    signal.onabort = listener;
    expect(signal).toBeInstanceOf(AbortSignal);
    const any = AbortSignal.any([signal, new AbortController().signal]);
    leave();
    // Once as a listener, however often it was added, and once as onabort.
    expect(calls).toEqual(new Array(2).fill([true, 'abort', true]));
    expect(any.aborted).toBe(true);
    signal.onabort = null;
    expect(signal.onabort).toBe(null);
  });

  test('ends what waits for it', async () => {
    const { setTimeout: wait } = await import('node:timers/promises');
    const { signal, leave } = signalOf();
    const waiting = wait(3_600_000, null, { signal });
    leave();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });
});

test.each([
  ['a promise of true', () => Promise.resolve(true), 1],
  ['one', () => 1, 1],
  ['a text', () => 'yes', 1],
  ['an object', () => ({}), 1],
  ['nothing', () => undefined, 0],
  ['false', () => false, 0],
])('trusted that answers by %s trusts nobody', async (_, trusts, failures) => {
  const { client, told } = serve({}, { trusted: { XCLIENT: trusts as never } });
  client.send(HELLO);
  expect(client.take()).not.toContain('XCLIENT');
  expect(told).toHaveLength(failures);
});

describe.each(FAILURES)('of a client, a function that %s', (_, fail) => {
  const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example'] };

  async function open(notice: (notice: ClientNotice) => void, script = willing()) {
    const server = new ScriptedServer(script);
    const warnings: string[] = [];
    const options = { hostname: 'c.example', starttls: 'off', parameters: PARAMETERS, trace: true, notice } as const;
    const client = await connectOn(server, options, {}, (message) => void warnings.push(message));
    return { client, server, warnings };
  }

  test.each(['greeting', 'hello', 'recipient', 'trace', 'settled', 'outcome', 'closed'])('notice, at %s', async (type) => {
    let failed = 0;
    const { client, server, warnings } = await open((notice) => {
      if (notice.type !== type) return undefined;
      failed++;
      return fail(MINE);
    });
    for (const text of ['one', 'two']) expect((await client.send(ENVELOPE, text)).outcomes).toMatchObject([{ status: 'accepted' }]);
    await client.close();
    await vi.waitFor(() => expect(warnings).toEqual(['the function notice has failed; what fails later is not shown: mine']));
    expect(failed).toBeGreaterThan(0);
    expect(server.bodies).toEqual(['one\r\n', 'two\r\n']);
  });

  test('notice, at a fault', async () => {
    const { client, server, warnings } = await open(({ type }) => (type === 'fault' ? fail(MINE) : undefined), but({ RCPT: 'nonsense' }));
    expect((await client.send(ENVELOPE, 'x')).outcomes).toMatchObject([{ status: 'unsent' }]);
    expect(await client.closed).toMatchObject({ code: 'protocol' });
    expect(server.ended).not.toBe('no');
    await vi.waitFor(() => expect(warnings).toHaveLength(1));
  });

  test('progress, of a client and of a pool', async () => {
    const progress = () => fail(MINE);
    const { client, server, warnings } = await open(() => {});
    for (const text of ['one', 'two'])
      expect((await client.send(ENVELOPE, text, { progress })).outcomes).toMatchObject([{ status: 'accepted' }]);
    await vi.waitFor(() => expect(warnings).toEqual(['the function progress has failed; what fails later is not shown: mine']));
    const pool = new Pool(() => Promise.resolve(client));
    expect((await pool.send(ENVELOPE, 'three', { progress })).outcomes).toMatchObject([{ status: 'accepted' }]);
    await pool.close();
    expect(server.bodies).toEqual(['one\r\n', 'two\r\n', 'three\r\n']);
  });

  test('open of a pool: the message is unsent or its error is told, and the pool goes on', async () => {
    let opened = 0;
    const { client } = await open(() => {});
    const pool = new Pool(() => (opened++ === 0 ? fail(MINE) : Promise.resolve(client)), { size: 1 });
    await expect(pool.send(ENVELOPE, 'one')).rejects.toBe(MINE);
    expect((await pool.send(ENVELOPE, 'two')).outcomes).toMatchObject([{ status: 'accepted' }]);
    await pool.close();
  });
});

test('a mechanism that throws in the middle of its exchange ends the session of its client, which is told why', async () => {
  const step = {
    type: 'respond' as const,
    response: null,
    final: false,
    next: (): never => {
      throw MINE;
    },
  };
  const mechanism = { name: 'X-MINE', clientFirst: false, bound: false, suits: () => true, client: () => step };
  const server = new ScriptedServer(but({ 'AUTH X-MINE': '334 ' }, ['AUTH X-MINE']));
  const auth = { mechanisms: [mechanism], user: 'joe', password: 'pencil' };
  const opening = connectOn(server, { hostname: 'c.example', starttls: 'off', credentials: 'cleartext', auth });
  await expect(opening).rejects.toMatchObject({ name: 'ClientError', cause: MINE });
  expect(server.ended).toBe('aborted');
});
