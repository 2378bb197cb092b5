import { SmtpUsageError, type TlsInfo } from '@ehlo/engine';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  accept,
  BodyAbortedError,
  challenge,
  type Handler,
  type IncomingMessage,
  LINGER_MS,
  reject,
  type ServeOptions,
  type Server,
  serveOn,
} from '../src/index.ts';
import { MemoryListener, type MemoryTransport, taking } from './memory.ts';

const TRANSACTION = 'EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n';

function start(handler: Handler, options: Partial<ServeOptions> = {}, prepare?: (transport: MemoryTransport) => void) {
  const listener = new MemoryListener();
  const server: Server = serveOn(listener, { hostname: 'mx.example.org', preset: 'sink', ...options }, handler);
  return { listener, server, client: listener.connect(prepare) };
}

/** A promise to be settled by hand. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    fail = no;
  });
  return { promise, resolve, fail };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a message', () => {
  test('is read by for await and acknowledged only when the handler has resolved', async () => {
    const stored = deferred<void>();
    let content = '';
    const { client } = start({
      async message({ envelope, body }) {
        expect(envelope.reversePath.address).toBe('a@b.example');
        for await (const bytes of body) content += String.fromCharCode(...bytes);
        await stored.promise;
        return true;
      },
    });
    client.send(`${TRANSACTION}..one\r\ntwo\r\n.\r\n`);
    const before = await client.replies(5);
    expect(before.at(-1)).toMatch(/^354 /);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([content, client.take()]).toEqual(['.one\r\ntwo\r\n', '']);
    stored.resolve();
    expect(await client.replies(1)).toEqual(['250 2.6.0 Message accepted']);
  });

  test('belongs to the handler: what it reads late is not overwritten by what comes later', async () => {
    const parts: Uint8Array[] = [];
    const { client } = start({
      async message({ body }) {
        for await (const bytes of body) parts.push(bytes);
        return true;
      },
    });
    client.send(TRANSACTION);
    await client.replies(4);
    // Dots are taken out of each of these.
    for (const text of ['..one\r\n', '..two\r\n..three\r\n', 'four\r\n..', 'five\r\n.\r\n']) client.send(text);
    await client.replies(1);
    expect(parts.map((bytes) => String.fromCharCode(...bytes)).join('')).toBe('.one\r\n.two\r\n.three\r\nfour\r\n.five\r\n');
  });

  test('in pieces of an octet slows the client down long before they fill the memory', async () => {
    const gate = deferred<true>();
    const { client } = start({ message: () => gate.promise, error: () => {} });
    client.send(TRANSACTION);
    await client.replies(4);
    let pieces = 0;
    for (; !client.paused && pieces < 10_000; pieces++) client.send('x');
    expect(pieces).toBeLessThan(1000);
    gate.resolve(true);
  });

  test('is acknowledged with the text of the handler', async () => {
    const { client } = start({
      async message({ body }) {
        const whole = await body.bytes();
        return accept({ text: `got ${whole.length}` });
      },
    });
    client.send(`${TRANSACTION}x\r\n.\r\n`);
    expect((await client.replies(6)).at(-1)).toBe('250 2.6.0 got 3');
  });

  test.each([
    ['nothing of it', async () => true as const],
    [
      'only a part of it',
      async ({ body }: IncomingMessage) => {
        for await (const _ of body) break;
        return true as const;
      },
    ],
  ])('is 451 if the handler read %s and accepts', async (_, message) => {
    const errors: unknown[] = [];
    const { client } = start({ message, error: (error) => errors.push(error) });
    client.send(`${TRANSACTION}x\r\n`);
    client.send('y\r\n.\r\nNOOP\r\n');
    const replies = await client.replies(7);
    expect(replies.slice(-2)).toEqual(['451 4.3.0 Requested action aborted: local error in processing', '250 2.0.0 NOOP OK']);
    expect(errors).toHaveLength(1);
  });

  test('is drained when it is refused early, and the refusal is its reply', async () => {
    const { client } = start({ message: async () => reject(554, '5.7.1', 'no thanks') });
    client.send(`${TRANSACTION}x\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (let i = 0; i < 100; i++) client.send(`${'y'.repeat(5000)}\r\n`);
    expect(client.paused).toBe(false);
    client.send('.\r\nNOOP\r\n');
    expect((await client.replies(7)).slice(-2)).toEqual(['554 5.7.1 no thanks', '250 2.0.0 NOOP OK']);
  });

  test('that fails is 451, and the text of the error stays here', async () => {
    const errors: unknown[] = [];
    const { client } = start({
      async message({ body }) {
        await body.bytes();
        throw new Error('password is hunter2');
      },
      error: (error, question) => errors.push(error, question),
    });
    client.send(`${TRANSACTION}x\r\n.\r\n`);
    expect((await client.replies(6)).at(-1)).toBe('451 4.3.0 Requested action aborted: local error in processing');
    expect(errors).toEqual([new Error('password is hunter2'), 'message']);
  });

  test('that is thrown as a refusal is refused by it', async () => {
    const { client } = start({
      async message({ body }) {
        await body.bytes();
        throw reject(550, '5.7.1', 'spam');
      },
    });
    client.send(`${TRANSACTION}x\r\n.\r\n`);
    expect((await client.replies(6)).at(-1)).toBe('550 5.7.1 spam');
  });

  test.each([
    ['lost', (client: MemoryTransport) => client.sink!.lost()],
    ['ended', (client: MemoryTransport) => client.sink!.end()],
  ] as const)('throws in the reader when the peer is %s, and the signal aborts', async (cause, leave) => {
    const outcome = deferred<unknown>();
    let signal: AbortSignal | null = null;
    const { client } = start({
      async message({ body }, session) {
        signal = session.signal;
        try {
          await body.bytes();
        } catch (error) {
          outcome.resolve(error);
          throw error;
        }
        return true;
      },
      error: () => expect.unreachable('an aborted body is no failure of the handler'),
    });
    client.send(`${TRANSACTION}half of a mess`);
    leave(client);
    const error = await outcome.promise;
    expect(error).toBeInstanceOf(BodyAbortedError);
    expect((error as BodyAbortedError).code).toBe(cause);
    expect(signal!.aborted).toBe(true);
  });

  test('that was stored when the client was gone is told to the handler (RFC 1047)', async () => {
    const stored = deferred<void>();
    const told = deferred<string>();
    const { client } = start({
      async message({ body }) {
        await body.bytes();
        await stored.promise;
        return true;
      },
      unacknowledged: ({ envelope }) => told.resolve(envelope.reversePath.address),
    });
    client.send(`${TRANSACTION}x\r\n.\r\n`);
    client.sink!.lost();
    stored.resolve();
    expect(await told.promise).toBe('a@b.example');
  });

  test('slows the peer down while its reader is busy, and loses nothing', async () => {
    const go = deferred<void>();
    const line = `${'z'.repeat(998)}\r\n`;
    let size = 0;
    const { client } = start({
      async message({ body }) {
        await go.promise;
        for await (const bytes of body) size += bytes.length;
        return true;
      },
    });
    client.send(TRANSACTION);
    let sent = 0;
    for (; !client.paused && sent < 10_000; sent++) client.send(line);
    // Bounded: the body's own 128 KiB and the chunk that was on its way.
    expect(sent).toBeLessThan(200);
    go.resolve();
    while (client.paused) await new Promise((resolve) => setTimeout(resolve, 1));
    client.send('.\r\n');
    expect((await client.replies(6)).at(-1)).toMatch(/^250 /);
    expect(size).toBe(sent * 1000);
  });
});

describe.each([
  ['DATA', 'sink', `${TRANSACTION}`],
  ['BDAT', 'sink', TRANSACTION.replace('DATA', 'BDAT 10000000')],
  ['DATA in LMTP', 'lmtp', TRANSACTION.replace('EHLO', 'LHLO')],
  ['BDAT in LMTP', 'lmtp', TRANSACTION.replace('EHLO', 'LHLO').replace('DATA', 'BDAT 10000000')],
] as const)('a body that is full and not read (%s)', (_, preset, transaction) => {
  test.each<[string, (client: MemoryTransport, server: Server) => unknown]>([
    ['the client is lost', (client) => client.sink!.lost()],
    ['the server is closed now', (_, server) => server.close({ now: true })],
  ])('keeps nobody from hearing the end: %s', async (_, leave) => {
    const told: string[] = [];
    const { client, server } = start(
      {
        rcpt: () => true,
        message: (_, { signal }) => {
          signal.addEventListener('abort', () => told.push('signal'));
          return new Promise<never>(() => {});
        },
        notice: ({ type }) => void (type === 'fault' || told.push(type)),
      },
      { preset },
    );
    client.send(transaction);
    const line = `${'z'.repeat(998)}\r\n`;
    for (let sent = 0; sent < 10_000 && !client.paused; sent++) client.send(line);
    expect(client.paused).toBe(true);
    leave(client, server);
    expect(told).toEqual(['aborted', 'closed', 'signal']);
  });
});

describe('a question', () => {
  const stages = ['connect', 'hello', 'mail', 'rcpt', 'data'] as const;

  test.each(stages)('%s waits for an answer that comes later, with all commands in one chunk', async (stage) => {
    const late = deferred<true>();
    const { client } = start({ [stage]: () => late.promise, message: taking });
    client.send(`${TRANSACTION}x\r\n.\r\nQUIT\r\n`);
    late.resolve(true);
    const replies = await client.replies(7);
    expect(replies.map((line) => line.slice(0, 3)).filter((code, i, all) => code !== all[i - 1] || code !== '250')).toEqual([
      '220',
      '250',
      '354',
      '250',
      '221',
    ]);
  });

  test('connect can not be refused by every code', () => {
    const errors: unknown[] = [];
    const { client, server } = start({ connect: () => reject(550, '5.7.1', 'no'), error: (error) => errors.push(error) });
    expect(client.take()).toBe('421 mx.example.org Requested action aborted: local error in processing\r\n');
    expect([client.closed, server.connections, errors.length]).toEqual([true, 0, 1]);
  });

  test('is answered by a refusal or another text', async () => {
    const { client } = start({
      rcpt: ({ forwardPath }) => (forwardPath.localPart === 'joe' ? accept({ text: 'hello Joe' }) : reject(550, '5.1.1', 'no such user')),
    });
    client.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<joe@b>\r\nRCPT TO:<jim@b>\r\n');
    expect((await client.replies(5)).slice(-2)).toEqual(['250 2.1.5 hello Joe', '550 5.1.1 no such user']);
  });

  test('that is not answered in time is 451, and a late answer changes nothing', async () => {
    vi.useFakeTimers();
    const late = deferred<true>();
    const { client } = start({ mail: () => late.promise });
    client.send('EHLO c\r\nMAIL FROM:<a@b>\r\nNOOP\r\n');
    client.take();
    await vi.advanceTimersByTimeAsync(240_000);
    expect(client.take()).toBe('451 4.3.0 Requested action aborted: local error in processing\r\n250 2.0.0 NOOP OK\r\n');
    late.resolve(true);
    await vi.advanceTimersByTimeAsync(1);
    client.send('RCPT TO:<a@b>\r\n');
    expect(client.take()).toMatch(/^503 /);
  });

  test('without its method gets the answer of the preset; mx wants rcpt and message to be there', () => {
    expect(() => start({}, { preset: 'mx' })).toThrow(SmtpUsageError);
    expect(() => start({ rcpt: () => true }, { preset: 'mx' })).toThrow(SmtpUsageError);
    expect(() => start({ rcpt: () => true, message: async () => reject(550, '5.0.0', 'x') }, { preset: 'mx' })).not.toThrow();
  });
});

test('auth: a handler carries out the mechanism, step by step', async () => {
  const { client } = start(
    {
      auth: ({ step, response }) => {
        if (step === 0) return challenge(new TextEncoder().encode('who?'));
        return String.fromCharCode(...response!.expose()) === 'joe' ? accept({ identity: 'joe' }) : reject(535, '5.7.8', 'bad credentials');
      },
    },
    { auth: { mechanisms: ['X-NAME'], inClear: true } },
  );
  client.send('EHLO c\r\nAUTH X-NAME\r\n');
  expect((await client.replies(3)).at(-1)).toBe('334 d2hvPw==');
  client.send('amlt\r\nAUTH X-NAME\r\nam9l\r\n');
  expect(await client.replies(3)).toEqual(['535 5.7.8 bad credentials', '334 d2hvPw==', '235 2.7.0 Authentication succeeded']);
});

describe('STARTTLS', () => {
  const tls: TlsInfo = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: '' };

  test('hands the transport over when the 220 is out, and starts anew', async () => {
    const handshake = deferred<TlsInfo>();
    const { client } = start({}, { starttls: 'offered' }, (transport) => {
      transport.secure = () => handshake.promise;
    });
    client.send('EHLO c\r\nSTARTTLS\r\n');
    expect(client.take()).toMatch(/250-STARTTLS\r\n[\s\S]*220 2\.0\.0 Ready to start TLS\r\n$/);
    handshake.resolve(tls);
    await new Promise((resolve) => setTimeout(resolve, 1));
    client.send('MAIL FROM:<>\r\nEHLO c\r\n');
    const after = await client.replies(2);
    expect(after[0]).toMatch(/^503 /);
    expect(after.join()).not.toContain('STARTTLS');
  });

  test('is not offered where the transport can not be secured', async () => {
    const { client } = start({}, { starttls: 'offered' });
    client.send('EHLO c\r\nSTARTTLS\r\n');
    const replies = await client.replies(3);
    expect(replies.join('\n')).not.toContain('250-STARTTLS');
    expect(replies.at(-1)).toMatch(/^502 /);
  });

  test('that is required where it can not be had: no service at all', () => {
    const { client } = start({}, { starttls: 'required' });
    expect([client.take(), client.closed]).toEqual([
      '421 mx.example.org TLS is required and not available, closing transmission channel\r\n',
      true,
    ]);
  });

  test('that fails ends the connection and hurts nobody', async () => {
    const { client, server, listener } = start({}, { starttls: 'offered' }, (transport) => {
      transport.secure = () => Promise.reject(new Error('no shared cipher'));
    });
    client.send('EHLO c\r\nSTARTTLS\r\n');
    await vi.waitFor(() => expect(client.aborted).toBe(true));
    expect(server.connections).toBe(0);
    expect(listener.connect().take()).toMatch(/^220 /);
  });

  test('whose handshake does not end is given up', async () => {
    vi.useFakeTimers();
    const { client, server } = start({}, { starttls: 'offered' }, (transport) => {
      transport.secure = () => new Promise(() => {});
    });
    client.send('EHLO c\r\nSTARTTLS\r\n');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(client.aborted).toBe(true);
    expect(server.connections).toBe(0);
  });
});

describe('time and pressure', () => {
  test('a silent client is told 421 and closed', async () => {
    vi.useFakeTimers();
    const { client, server } = start({});
    client.take();
    await vi.advanceTimersByTimeAsync(299_000);
    client.send('NO');
    await vi.advanceTimersByTimeAsync(1000);
    expect(client.take()).toBe('421 4.4.2 mx.example.org Timeout, closing transmission channel\r\n');
    expect([client.closed, server.connections]).toEqual([true, 0]);
  });

  test('a client that does not read its replies is not read from, and is cut off at last', async () => {
    vi.useFakeTimers();
    const { client, server } = start({}, {}, (transport) => {
      transport.writable = false;
    });
    for (let i = 0; i < 20; i++) client.send('NOOP\r\n'.repeat(1000));
    expect(client.paused).toBe(true);
    expect(client.written.length).toBeLessThan(100);
    await vi.advanceTimersByTimeAsync(300_000);
    expect([client.closed, client.aborted, server.connections]).toEqual([false, true, 0]);
  });

  test('a client that reads again gets everything, in order', async () => {
    vi.useFakeTimers();
    const { client } = start({}, {}, (transport) => {
      transport.writable = false;
    });
    client.send('NOOP\r\n'.repeat(10_000));
    client.writable = true;
    client.sink!.drained();
    await vi.advanceTimersByTimeAsync(1000);
    expect(client.take().match(/250 2\.0\.0 NOOP OK\r\n/g)).toHaveLength(10_000);
  });

  test('who has sent much has a share of each turn: the others are answered between', async () => {
    vi.useFakeTimers();
    const { client, listener, server } = start({});
    const flooders = [client, ...Array.from({ length: 99 }, () => listener.connect())];
    const flood = 'VRFY somebody\r\n'.repeat(500);
    let answered = 0;
    const count = (): number => {
      for (const flooder of flooders) answered += flooder.take().match(/^252 /gm)?.length ?? 0;
      return answered;
    };
    for (const flooder of flooders) flooder.send(flood);
    // All that is done before the loop has its next turn; and nobody is read who has more to be carried out.
    expect(count()).toBeLessThanOrEqual(flooders.length * 128);
    expect(flooders.every(({ paused }) => paused)).toBe(true);
    const next = listener.connect();
    expect(next.take()).toMatch(/^220 /);
    // From one turn to the next only one of them goes on: it is a turn that is short, not a share.
    const so = count();
    await vi.advanceTimersToNextTimerAsync();
    expect(count()).toBe(so + 128);
    next.send('NOOP\r\n');
    expect(next.take()).toMatch(/^250 /);
    // Nobody is forgotten, and who is cut off has no share any more.
    flooders[0]!.sink!.lost();
    await vi.advanceTimersByTimeAsync(2000);
    expect(count()).toBeGreaterThanOrEqual(99 * 500);
    expect([flooders.some(({ paused }, i) => i > 0 && paused), server.connections]).toEqual([false, 100]);
  });
});

describe('closing a server', () => {
  test('lets the open transaction end, says 421 to the others, and takes nobody new', async () => {
    const { client, server, listener } = start({});
    const idle = listener.connect();
    client.send(TRANSACTION);
    client.take();
    idle.take();
    const closed = server.close();
    expect(listener.closed).toBe(true);
    expect(idle.take()).toBe('421 4.3.2 mx.example.org Service shutting down, closing transmission channel\r\n');
    client.send('x\r\n.\r\nNOOP\r\n');
    expect(await client.replies(2)).toEqual([
      '250 2.6.0 Message accepted',
      '421 4.3.2 mx.example.org Service shutting down, closing transmission channel',
    ]);
    await closed;
  });

  test('aborts what is left after its grace', async () => {
    vi.useFakeTimers();
    const { client, server } = start({}, { grace: 1000 });
    client.send(TRANSACTION);
    const closed = server.close();
    await vi.advanceTimersByTimeAsync(1000);
    await closed;
    expect(client.aborted).toBe(true);
  });

  test('follows an AbortSignal', async () => {
    const controller = new AbortController();
    const { client, listener } = start({}, { signal: controller.signal });
    client.take();
    controller.abort();
    expect(client.take()).toMatch(/^421 /);
    expect(listener.closed).toBe(true);
  });

  test('leaves nothing with a signal that outlives it', async () => {
    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    await start({}, { signal }).server.close({ now: true });
    expect(remove.mock.calls).toEqual(add.mock.calls.map(([type, listener]) => [type, listener]));
    expect(add).toHaveBeenCalledOnce();
  });
});

describe('a client that does not end its side', () => {
  const stays = (transport: MemoryTransport): void => {
    transport.stays = true;
  };

  test('has its place until it is gone, or cut off', async () => {
    vi.useFakeTimers();
    const { client, listener, server } = start({}, { connections: 2 }, stays);
    const second = listener.connect(stays);
    for (const one of [client, second]) one.send('QUIT\r\n');
    expect([server.connections, server.lingering]).toEqual([0, 2]);
    expect(listener.connect().take()).toMatch(/^421 /);
    client.sink!.lost();
    await vi.advanceTimersByTimeAsync(0);
    expect([server.connections, server.lingering]).toEqual([0, 1]);
    expect(listener.connect().take()).toMatch(/^220 /);
    await vi.advanceTimersByTimeAsync(LINGER_MS);
    expect([client.aborted, second.aborted, server.lingering]).toEqual([false, true, 0]);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('who is turned away is told so, as many as may be connected; beyond them nobody is kept', async () => {
    vi.useFakeTimers();
    const { listener, server } = start({}, { connections: 3 });
    const crowd = Array.from({ length: 1200 }, () => listener.connect(stays));
    expect(crowd.filter(({ aborted }) => !aborted).length).toBe(5);
    expect(crowd.filter(({ written }) => written.startsWith('421 ')).length).toBe(3);
    expect([server.connections, server.lingering]).toEqual([3, 3]);
    await vi.advanceTimersByTimeAsync(LINGER_MS);
    expect(listener.connect().take()).toMatch(/^421 /);
  });

  test('and does not take its replies: an acceptance among them is told when the connection is cut off', async () => {
    vi.useFakeTimers();
    const told: unknown[] = [];
    const { client, server } = start({ message: taking, unacknowledged: ({ envelope }) => void told.push(envelope.reversePath.address) });
    client.send(TRANSACTION);
    client.unwritten = 100;
    client.send('x\r\n.\r\nQUIT\r\n');
    await vi.advanceTimersByTimeAsync(LINGER_MS - 1);
    expect([client.closed, client.aborted, told]).toEqual([true, false, []]);
    await vi.advanceTimersByTimeAsync(1);
    expect([client.aborted, server.connections, server.lingering, told]).toEqual([true, 0, 0, ['a@b.example']]);
  });

  test('does not keep a server that closes beyond its grace', async () => {
    vi.useFakeTimers();
    const { client, listener, server } = start({}, { grace: 2000 }, stays);
    listener.connect(stays).send('QUIT\r\n');
    let closed = false;
    void server.close().then(() => {
      closed = true;
    });
    await vi.advanceTimersByTimeAsync(1999);
    expect([client.take().slice(0, 7), client.aborted, server.connections, server.lingering, closed]).toEqual([
      '220 mx.',
      false,
      0,
      2,
      false,
    ]);
    await vi.advanceTimersByTimeAsync(1);
    expect([client.aborted, server.lingering, closed, vi.getTimerCount()]).toEqual([true, 0, true, 0]);
  });
});

test('one connection more than allowed is told 421', () => {
  const { listener } = start({}, { connections: 1 });
  const second = listener.connect();
  expect(second.take()).toBe('421 mx.example.org Too many connections, closing transmission channel\r\n');
  expect(second.closed).toBe(true);
});

test('a grace without end ends nobody, and one that is longer than a timer takes is as long', async () => {
  vi.useFakeTimers();
  for (const grace of [Number.POSITIVE_INFINITY, 3e9]) {
    const { client, server } = start({}, { grace });
    client.send(TRANSACTION);
    const closed = server.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(client.aborted).toBe(false);
    client.send('.\r\n');
    await closed;
  }
});

test.each([[undefined], ['']])('auth: the identity %j is a fault of the handler, and 454', async (identity) => {
  const errors: unknown[] = [];
  const handler: Handler = { auth: () => accept({ identity: identity as never }), error: (error) => errors.push(error) };
  const { client } = start(handler, { auth: { mechanisms: ['PLAIN'], inClear: true } });
  client.send('EHLO c\r\nAUTH PLAIN AGEAYg==\r\n');
  expect((await client.replies(3)).at(-1)).toMatch(/^454 4\.7\.0 /);
  expect(errors).toEqual([expect.objectContaining({ name: 'SmtpUsageError' })]);
});
