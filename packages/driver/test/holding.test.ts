// A session and a server that the program ends by itself, and what it is told of TLS.
import type { CloseCause, Notice, TlsInfo } from '@ehlo/engine';
import { describe, expect, test, vi } from 'vitest';
import { accept, Entrance, type Handler, type IncomingMessage, listenAndServe, reject, type Session, serveOn } from '../src/index.ts';
import { MemoryListener, MemoryTransport, taking } from './memory.ts';
import { tlsInfo, turns } from './scripted.ts';

const HOST = { hostname: 'mx.example.org', preset: 'sink' } as const;
const ENVELOPE = 'EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n';

/** What a handler is told, in words. */
function log(): { readonly lines: string[]; readonly handler: Handler } {
  const lines: string[] = [];
  const words = (notice: Notice): string =>
    notice.type === 'aborted' || notice.type === 'closed' ? `${notice.type} ${notice.cause satisfies string}` : notice.type;
  return {
    lines,
    handler: {
      notice: (notice) => void lines.push(words(notice)),
      unacknowledged: ({ envelope, told }) => void lines.push(`unacknowledged ${envelope.recipients.length} ${told}`),
      secured: ({ protocol }) => void lines.push(`secured ${protocol}`),
      tlsFailed: (error, { address }, session) =>
        void lines.push(`failed ${address} ${(error as Error).message} ${session === null ? 'before' : 'in'} a session`),
      error: (error, method) => void lines.push(`${method}: ${(error as Error).message}`),
    },
  };
}

describe('session.abort', () => {
  test('in a question: nothing is said, nothing more asked, and the answer not heard', () => {
    const { lines, handler } = log();
    const listener = new MemoryListener();
    const rcpt = vi.fn((_: unknown, session: Session): true => {
      session.abort();
      expect(session.signal.aborted).toBe(false); // it is told when all that follows is said
      return true;
    });
    serveOn(listener, HOST, { ...handler, rcpt });
    const transport = listener.connect();
    transport.send('EHLO c.example\r\nMAIL FROM:<>\r\n');
    transport.take();
    transport.send('RCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\nNOOP\r\n');
    expect([transport.take(), transport.aborted, rcpt.mock.calls.length, lines]).toEqual(['', true, 1, ['closed lost']]);
    expect(rcpt.mock.calls[0]![1].signal.aborted).toBe(true);
  });

  test('while a message arrives: it is aborted, its body throws, and the signal aborts', async () => {
    const { lines, handler } = log();
    const listener = new MemoryListener();
    let held: Session | null = null;
    const message = async ({ body }: IncomingMessage, session: Session): Promise<true> => {
      held = session;
      session.signal.addEventListener('abort', () => lines.push('signal'));
      await body.bytes().catch((error: { readonly cause?: unknown }) => lines.push(`body ${String(error)}`));
      return true;
    };
    serveOn(listener, HOST, { ...handler, message });
    const transport = listener.connect();
    transport.send(`${ENVELOPE}half of it\r\n`);
    held!.abort();
    held!.abort(); // once more is nothing
    await turns();
    expect([transport.aborted, transport.take().endsWith('<CRLF>.<CRLF>\r\n')]).toEqual([true, true]);
    expect(lines.slice(0, 3)).toEqual(['aborted lost', 'closed lost', 'signal']);
    expect(lines[3]).toMatch(/^body BodyAbortedError/);
  });

  test.each([
    ['its acceptance comes later', false],
    ['its acceptance has not left', true],
  ])('behind a whole message: %s, and it is told as not acknowledged', async (_, queued) => {
    const { lines, handler } = log();
    const listener = new MemoryListener();
    let [held, decide]: [Session | null, () => void] = [null, () => {}];
    const message = async ({ body }: IncomingMessage, session: Session) => {
      held = session;
      await body.bytes();
      await new Promise<void>((resolve) => {
        decide = resolve;
      });
      return accept();
    };
    serveOn(listener, HOST, { ...handler, message });
    const transport = listener.connect();
    transport.send(`${ENVELOPE}text\r\n.\r\n`);
    await turns();
    if (queued) {
      transport.unwritten = 1000;
      decide();
      await turns();
      expect(transport.take()).toContain('250 2.6.0 Message accepted');
      held!.abort();
    } else {
      held!.abort();
      decide();
      await turns();
    }
    expect(lines).toEqual(queued ? ['unacknowledged 1 0', 'unacknowledged', 'closed lost'] : ['closed lost', 'unacknowledged 1 0']);
  });

  test('by the first notice and by secured: the session is over', async () => {
    for (const method of ['notice', 'secured'] as const) {
      const listener = new MemoryListener();
      const abort = (_: unknown, session: Session): void => session.abort();
      serveOn(listener, { ...HOST, trace: true }, { [method]: abort });
      const transport = listener.connect((made) => {
        made.tls = tlsInfo(false);
      });
      await turns();
      expect([transport.aborted, transport.closed]).toEqual([true, false]);
    }
  });
});

describe('a farewell of one’s own', () => {
  test('session.shutdown: 421 in its words, behind the transaction', async () => {
    const listener = new MemoryListener();
    const mail = (_: unknown, session: Session): true => {
      session.shutdown(reject(421, '4.7.0', 'too busy for you'));
      return true;
    };
    serveOn(listener, HOST, { mail, message: taking });
    const transport = listener.connect();
    transport.send(`${ENVELOPE}text\r\n.\r\n`);
    const replies = await transport.replies(6);
    expect(replies.slice(-2)).toEqual(['250 2.6.0 Message accepted', '421 4.7.0 mx.example.org too busy for you']);
    expect(transport.closed).toBe(true);
  });

  test('of another code it is a mistake of the method that gave it: the session goes on', () => {
    const { lines, handler } = log();
    const listener = new MemoryListener();
    const mail = (_: unknown, session: Session): true => {
      session.shutdown({ code: 554, text: 'go away' });
      return true;
    };
    serveOn(listener, HOST, { ...handler, mail });
    const transport = listener.connect();
    transport.send('HELO c.example\r\nMAIL FROM:<>\r\nNOOP\r\n');
    expect(transport.take()).toMatch(/^451 .*\r\n250 2.0.0 NOOP OK\r\n$/m);
    expect(lines).toEqual(["mail: 554 can't close a session: give 421 (RFC 5321 3.8)"]);
  });

  test('server.close: all are told, those that come meanwhile too', async () => {
    const listener = new MemoryListener();
    const server = serveOn(listener, HOST, { message: taking });
    const [idle, busy] = [listener.connect(), listener.connect()];
    busy.send(ENVELOPE);
    idle.take();
    const closed = server.close({ reply: reject(421, '4.3.2', 'back in an hour') });
    expect(idle.take()).toBe('421 4.3.2 mx.example.org back in an hour\r\n');
    expect(listener.connect().take()).toBe('421 mx.example.org back in an hour\r\n');
    busy.send('text\r\n.\r\n');
    await closed;
    expect(busy.take()).toMatch(/421 4.3.2 mx.example.org back in an hour\r\n$/);
  });

  test.each([
    [{ reply: { code: 450, text: 'x' } }, 'reply-class', /^450 can't close a session/],
    [{ reply: { code: 421, enhanced: '5.0.0', text: 'x' } }, 'enhanced-class', /does not agree/],
    [{ nwo: true }, 'bad-option', /^there is no option nwo: did you mean now\?/],
    [{ now: 1 }, 'bad-option', /^now is 1; it must be true or false/],
  ])('server.close: %j closes nothing', async (options, code, message) => {
    const listener = new MemoryListener();
    const server = serveOn(listener, HOST, {});
    const wrong = { name: 'SmtpUsageError', code, message: expect.stringMatching(message) };
    await expect(server.close(options as object)).rejects.toMatchObject(wrong);
    const transport = listener.connect();
    transport.send('QUIT\r\n');
    expect([transport.take(), listener.closed]).toEqual([expect.stringMatching(/^220 .*\r\n221 /), false]);
    await server.close();
  });
});

describe('server.close({ now: true })', () => {
  test('cuts off everybody at once, and tells what becomes of each message', async () => {
    const { lines, handler } = log();
    const listener = new MemoryListener();
    const server = serveOn(listener, { ...HOST, grace: Number.POSITIVE_INFINITY }, { ...handler, message: taking });
    const [idle, arriving, unheard, lingering] = Array.from({ length: 4 }, () => listener.connect());
    arriving!.send(`${ENVELOPE}half`);
    unheard!.send(`${ENVELOPE}text\r\n`);
    unheard!.unwritten = 1000;
    unheard!.send('.\r\n');
    await turns();
    lingering!.stays = true;
    lingering!.send('QUIT\r\n');
    for (const one of [idle!, lingering!]) one.take();
    expect([server.connections, server.lingering]).toEqual([3, 1]);
    await server.close({ now: true });
    expect([idle, arriving, unheard, lingering].map((one) => one!.aborted)).toEqual([true, true, true, true]);
    expect([server.connections, server.lingering, idle!.take(), listener.closed]).toEqual([0, 0, '', true]);
    expect(lines.filter((line) => !line.startsWith('closed'))).toEqual(['aborted lost', 'unacknowledged 1 0', 'unacknowledged']);
    expect(lines.filter((line) => line === 'closed lost').length).toBe(3);
  });

  test('ends a close that waits; who comes then is not let in', async () => {
    const { lines, handler } = log();
    const listener = new MemoryListener();
    const server = serveOn(listener, { ...HOST, grace: Number.POSITIVE_INFINITY }, { ...handler, message: taking });
    const transport = listener.connect();
    transport.send(ENVELOPE);
    const closed = server.close();
    await turns();
    expect([transport.aborted, server.connections]).toEqual([false, 1]);
    expect(server.close({ now: true })).toBe(closed);
    const late = listener.connect();
    await closed;
    expect([transport.aborted, late.aborted, late.take()]).toEqual([true, true, '']);
    expect(lines).toEqual(['aborted lost', 'closed lost']);
  });
});

describe('what is told of STARTTLS', () => {
  type Secure = NonNullable<MemoryTransport['secure']>;
  const start = (secure: Secure, options: object = {}): { transport: MemoryTransport; lines: string[]; session: () => Session } => {
    const { lines, handler } = log();
    const listener = new MemoryListener();
    let held: Session | null = null;
    const hello = (_: unknown, session: Session): true => {
      held = session;
      lines.push('hello');
      return true;
    };
    serveOn(listener, { ...HOST, starttls: 'offered', ...options }, { ...handler, hello });
    const transport = listener.connect((made) => {
      made.secure = secure;
    });
    transport.send('EHLO c.example\r\nSTARTTLS\r\n');
    return { transport, lines, session: () => held! };
  };

  test('secured, before anything that is said under it', async () => {
    const info: TlsInfo = tlsInfo(false);
    const { transport, lines, session } = start(() => Promise.resolve(info));
    await turns();
    transport.send('EHLO c.example\r\n');
    expect([lines, session().tls]).toEqual([['hello', 'secured TLSv1.3', 'hello'], info]);
  });

  test('tlsFailed with the error, once, before the end is told', async () => {
    const { transport, lines } = start(() => Promise.reject(new Error('no shared cipher')));
    await turns();
    expect([transport.aborted, lines]).toEqual([true, ['hello', 'failed 192.0.2.1 no shared cipher in a session', 'closed lost']]);
  });

  test('tlsFailed where the program ends the session meanwhile', async () => {
    const failure = deferred<TlsInfo>();
    const { lines, session } = start(() => failure.promise);
    session().abort();
    failure.reject(new Error('aborted'));
    await turns();
    const why = 'the connection was ended before the TLS handshake was done';
    expect(lines).toEqual(['hello', `failed 192.0.2.1 ${why} in a session`, 'closed lost']);
  });

  test('tlsFailed where octets in clear come for the handshake', async () => {
    const { transport, lines } = start(() => new Promise(() => {}));
    transport.send('EHLO again\r\n');
    await turns();
    const why = 'octets in clear came before the TLS handshake';
    expect(lines).toEqual(['hello', `failed 192.0.2.1 ${why} in a session`, 'fault', 'closed plaintext-after-starttls']);
  });

  test('tlsFailed where its time runs out', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const { transport, lines } = start(() => new Promise(() => {}), { smallLimits: { tlsTimeout: 50 } });
      vi.advanceTimersByTime(49);
      expect(lines).toEqual(['hello']);
      vi.advanceTimersByTime(1);
      const cause: CloseCause = 'timeout';
      expect(lines).toEqual(['hello', 'failed 192.0.2.1 no TLS handshake in time in a session', `closed ${cause}`]);
      expect(transport.aborted).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('what is told of TLS from the first octet', () => {
  async function start(secure: NonNullable<MemoryTransport['secure']>, options: object = {}) {
    const { lines, handler } = log();
    const transport = new MemoryTransport();
    transport.secure = secure;
    const connect = (): true => {
      lines.push('connect');
      return true;
    };
    const stray = (_: unknown, reason: string): void => void lines.push(`stray ${reason}`);
    let entrance: Entrance | null = null;
    const listen = (where: object): Promise<ReturnType<Entrance['listener']>> => {
      entrance = new Entrance(where);
      return Promise.resolve(entrance.listener({ address: '192.0.2.2', port: 465 }, () => Promise.resolve()));
    };
    const server = await listenAndServe(listen, { ...HOST, tls: {}, implicitTls: true, stray, ...options }, { ...handler, connect });
    entrance!.admit(transport);
    await turns();
    return { server, transport, lines };
  }

  test('secured, before connect', async () => {
    const { server, lines } = await start(() => Promise.resolve(tlsInfo(false)));
    expect(lines).toEqual(['secured TLSv1.3', 'connect']);
    await server.close({ now: true });
  });

  test('tlsFailed, without a session; stray is told, too', async () => {
    const { server, lines } = await start(() => Promise.reject(new Error('no shared cipher')));
    expect(lines).toEqual(['failed 192.0.2.1 no shared cipher before a session', 'stray no shared cipher']);
    await server.close();
  });

  test('tlsFailed where the server closes meanwhile', async () => {
    const { server, transport, lines } = await start(() => new Promise(() => {}));
    await server.close({ now: true });
    await turns();
    expect(lines).toEqual(['failed 192.0.2.1 the server is closing before a session', 'stray the server is closing']);
    expect(transport.aborted).toBe(true);
  });

  test('tlsFailed where its time runs out: the limit is that of STARTTLS, a small one too', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const starting = start(() => new Promise(() => {}), { smallLimits: { tlsTimeout: 50 } });
      await vi.advanceTimersByTimeAsync(49);
      const { transport, lines } = await starting;
      expect(lines).toEqual([]);
      await vi.advanceTimersByTimeAsync(50);
      const why = 'no PROXY header or TLS handshake in time';
      expect([lines, transport.aborted]).toEqual([[`failed 192.0.2.1 ${why} before a session`, `stray ${why}`], true]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('of a proxy’s header that does not come TLS is not to blame', async () => {
    const proxy = (): { ok: false; message: string } => ({ ok: false, message: 'not a PROXY header' });
    const { server, transport, lines } = await start(() => Promise.resolve(tlsInfo(false)), { proxy });
    transport.send('x');
    await turns();
    expect(lines).toEqual(['stray no PROXY header: not a PROXY header']);
    await server.close();
  });
});

function deferred<T>(): { promise: Promise<T>; reject: (error: Error) => void } {
  let fail: (error: Error) => void = () => {};
  const promise = new Promise<T>((_, reject) => {
    fail = reject;
  });
  return { promise, reject: fail };
}
