// Connections that are told 421 before anything else: they are counted while they are there, and gone afterwards.
import type { TlsInfo } from '@ehlo/engine';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type CallbackName, Entrance, type Handler, listenAndServe, type ServeOptions, serveOn } from '../src/index.ts';
import { MemoryListener, MemoryTransport } from './memory.ts';
import { turns } from './scripted.ts';

/** What is done to it, in order. */
class Watched extends MemoryTransport {
  readonly done: string[] = [];

  override start(sink: Parameters<MemoryTransport['start']>[0]): void {
    this.done.push('start');
    super.start(sink);
  }

  override write(bytes: Uint8Array): boolean {
    this.done.push('write');
    return super.write(bytes);
  }

  override close(): void {
    this.done.push('close');
    super.close();
  }

  override abort(): void {
    this.done.push('abort');
    super.abort();
  }
}

class Listening extends MemoryListener {
  #connected: (transport: Watched) => void = () => {};

  override accept(connected: (transport: MemoryTransport) => void): void {
    this.#connected = connected;
  }

  bring(transport: Watched = new Watched()): Watched {
    this.#connected(transport);
    return transport;
  }
}

function serve(options: Partial<ServeOptions> = {}, handler: Handler = {}) {
  const listener = new Listening();
  return { listener, server: serveOn(listener, { hostname: 'mx.example.org', preset: 'sink', ...options }, handler) };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a connection that is turned away at once', () => {
  test('where TLS is required, and it can have none', async () => {
    const { listener, server } = serve({ starttls: 'required' });
    for (let i = 0; i < 3; i++) {
      const transport = listener.bring();
      expect(transport.done).toEqual(['start', 'write', 'close']);
      expect(transport.take()).toBe('421 mx.example.org TLS is required and not available, closing transmission channel\r\n');
      expect(server.connections).toBe(0);
    }
    await server.close();
  });

  test('where there are too many', async () => {
    const { listener, server } = serve({ connections: 1 });
    const first = listener.bring();
    const second = listener.bring();
    expect(second.done).toEqual(['start', 'write', 'close']);
    expect([second.take().slice(0, 3), server.connections]).toEqual(['421', 1]);
    first.sink!.lost();
    expect(listener.bring().take().slice(0, 3)).toBe('220');
    await server.close();
  });

  test('where the server is closing', async () => {
    const { listener, server } = serve();
    const open = listener.bring();
    open.send('EHLO c\r\nMAIL FROM:<>\r\n');
    const closed = server.close();
    const late = listener.bring();
    expect(late.done).toEqual(['start', 'write', 'close']);
    expect([late.take().slice(0, 3), server.connections]).toEqual(['421', 1]);
    open.send('RSET\r\n');
    await closed;
  });

  test('takes no place of others, where it can be had neither TLS nor a place', async () => {
    const { listener, server } = serve({ starttls: 'required', connections: 2 });
    const secure = Object.assign(new Watched(), { tls: { protocol: 'TLSv1.3', cipher: '', servername: '' } });
    listener.bring();
    listener.bring();
    expect(listener.bring(secure).take().slice(0, 3)).toBe('220');
    expect(server.connections).toBe(1);
    secure.sink!.lost();
    await server.close();
  });
});

describe('a transport that throws', () => {
  class Broken extends Watched {
    readonly at: string;

    constructor(at: string) {
      super();
      this.at = at;
    }

    override start(sink: Parameters<MemoryTransport['start']>[0]): void {
      if (this.at === 'start') throw new Error('not open');
      super.start(sink);
    }

    override write(bytes: Uint8Array): boolean {
      if (this.at === 'write') throw new Error('not open');
      return super.write(bytes);
    }

    override close(): void {
      if (this.at === 'close') throw new Error('not open');
      super.close();
    }

    override pause(): void {
      if (this.at === 'pause') throw new Error('not open');
      super.pause();
    }
  }

  test.each(['start', 'write'])('at %s ends its own session, and is told', async (at) => {
    const told: [unknown, CallbackName][] = [];
    const causes: unknown[] = [];
    const { listener, server } = serve(
      {},
      {
        error: (error, method) => void told.push([error, method]),
        notice: (notice) => void (notice.type === 'closed' && causes.push(notice.cause)),
      },
    );
    expect(listener.bring(new Broken(at)).aborted).toBe(true);
    expect(told).toEqual([[new Error('not open'), 'session']]);
    expect([causes, server.connections]).toEqual([['lost'], 0]);
    expect(listener.bring().take().slice(0, 3)).toBe('220');
  });

  test.each([
    ['secure', 'EHLO c\r\nSTARTTLS\r\n', 'lost'],
    ['close', 'QUIT\r\n', 'quit'],
    ['pause', 'EHLO c\r\nMAIL FROM:<>\r\n', 'lost'],
  ])('at %s, too', (at, says, cause) => {
    const told: [unknown, CallbackName][] = [];
    const causes: unknown[] = [];
    const { listener, server } = serve(
      { starttls: 'offered' },
      {
        mail: () => new Promise(() => {}),
        error: (error, method) => void told.push([error, method]),
        notice: (notice) => void (notice.type === 'closed' && causes.push(notice.cause)),
      },
    );
    const broken = new Broken(at);
    broken.secure = () => {
      throw new Error('not open');
    };
    listener.bring(broken);
    broken.send(says);
    // A second chunk while a question is open waits, and a third slows the client down.
    if (at === 'pause') for (const more of ['NOOP\r\n', 'NOOP\r\n']) broken.send(more);
    expect(told).toEqual([[new Error('not open'), 'session']]);
    expect([broken.aborted, causes, server.connections]).toEqual([true, [cause], 0]);
    expect(listener.bring().take().slice(0, 3)).toBe('220');
  });
});

describe('stray', () => {
  const MINE = new Error('mine');
  const HANDSHAKE: TlsInfo = { protocol: 'TLSv1.3', cipher: '', servername: '' };

  /** Of two connections the first is refused at its handshake, and the second takes the only place before a third comes. */
  async function strays(stray: () => unknown, handler: Handler, warnings: string[] = []) {
    let entrance: Entrance | null = null;
    const options = {
      hostname: 'mx.example.org',
      preset: 'sink',
      connections: 1,
      implicitTls: true,
      tls: {},
      stray: stray as () => void,
    } as const;
    const server = await listenAndServe<object>(
      (where) => {
        entrance = new Entrance(where);
        return Promise.resolve(entrance.listener({ address: '127.0.0.1', port: 25 }, () => Promise.resolve()));
      },
      options,
      handler,
      (message) => void warnings.push(message),
    );
    const connect = (secure: () => Promise<TlsInfo>): MemoryTransport => {
      const transport = Object.assign(new MemoryTransport(), { secure });
      entrance!.admit(transport);
      return transport;
    };
    const failed = connect(() => Promise.reject(new Error('no shared cipher')));
    await turns();
    const taken = connect(() => Promise.resolve(HANDSHAKE));
    await turns();
    const beyond = connect(() => Promise.resolve(HANDSHAKE));
    await turns();
    expect([failed.aborted, taken.take().slice(0, 3), beyond.aborted]).toEqual([true, '220', true]);
    taken.sink!.lost();
    await server.close();
  }

  const FAILS: readonly (readonly [string, () => unknown])[] = [
    [
      'throws',
      () => {
        throw MINE;
      },
    ],
    ['rejects', () => Promise.reject(MINE)],
  ];

  test.each(FAILS)('that %s is told to error, without a session', async (_, stray) => {
    const told: unknown[] = [];
    await strays(stray, { error: (...all) => void told.push(all) });
    expect(told).toEqual(new Array(2).fill([MINE, 'stray', null]));
  });

  test.each(FAILS)('that %s where nobody hears of it is a warning, once', async (_, stray) => {
    const warnings: string[] = [];
    await strays(stray, {}, warnings);
    expect(warnings).toEqual([expect.stringMatching(/^the handler has failed at stray, .*: mine$/)]);
  });

  test.each(FAILS)('that %s where a listener has no server is a warning, too', async (_, stray) => {
    const warnings: string[] = [];
    const entrance = new Entrance({ implicitTls: true, tls: {}, stray: stray as () => void }, (message) => void warnings.push(message));
    entrance.listener({ address: '127.0.0.1', port: 25 }, () => Promise.resolve()).accept(() => {});
    for (let i = 0; i < 2; i++) entrance.admit(Object.assign(new MemoryTransport(), { secure: () => Promise.reject(new Error('no')) }));
    await turns();
    expect(warnings).toEqual(['the function stray has failed; what fails later is not shown: mine']);
  });

  test('a reader of PROXY headers that throws is a stray connection', async () => {
    const reasons: string[] = [];
    const proxy = (): never => {
      throw MINE;
    };
    const entrance = new Entrance({ proxy, stray: (_, reason) => void reasons.push(reason) });
    entrance.listener({ address: '127.0.0.1', port: 25 }, () => Promise.resolve()).accept(() => expect.unreachable());
    const transport = new MemoryTransport();
    entrance.admit(transport);
    transport.send('PROXY');
    await turns();
    expect([transport.aborted, reasons]).toEqual([true, ['mine']]);
  });
});
