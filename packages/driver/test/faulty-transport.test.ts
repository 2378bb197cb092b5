// A transport that throws where it must not: its own session ends, and is told; no other one, and not the process.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClientError, connectOn, dial, Entrance, fromReader, type Handler, serveOn, type Transport } from '../src/index.ts';
import { MemoryListener, type MemoryTransport } from './memory.ts';
import { ScriptedServer, turns } from './scripted.ts';

const HOST = { hostname: 'mx.example.org', preset: 'sink' } as const;

const fails = (): never => {
  throw new Error('broken');
};
const unabortable = (transport: { abort(): void }): void => {
  transport.abort = fails;
};
const unreadable = (transport: object): void => {
  Object.defineProperty(transport, 'unwritten', { get: fails });
};

function start(grace = 1000) {
  const listener = new MemoryListener();
  const told: string[] = [];
  const handler: Handler = {
    notice: (notice, { id }) => {
      if (notice.type === 'closed') told.push(`${id} is over`);
    },
    error: (error, at, session) => void told.push(`${session?.id ?? 'none'} ${at}: ${(error as Error).message}`),
  };
  return { listener, told, server: serveOn(listener, { ...HOST, grace, connections: 2 }, handler) };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('abort', () => {
  test('that throws keeps no other connection from its end', async () => {
    const { listener, told, server } = start();
    listener.connect(unabortable);
    const second = listener.connect();
    await server.close({ now: true });
    expect([second.aborted, server.connections, server.lingering]).toEqual([true, 0, 0]);
    expect(told).toEqual(['1 is over', '1 session: broken', '2 is over']);
  });

  test('nor where the grace is over', async () => {
    vi.useFakeTimers();
    const { listener, server } = start(1000);
    for (const prepare of [unabortable, () => {}])
      listener.connect(prepare).send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n');
    const closed = server.close();
    await vi.advanceTimersByTimeAsync(1000);
    await closed;
    expect(server.connections).toBe(0);
  });

  test('nor where a connection is turned away', async () => {
    const { listener, told } = start();
    const stays = (transport: MemoryTransport): void => {
      transport.stays = true;
    };
    for (let i = 0; i < 4; i++) listener.connect(stays);
    expect(() => listener.connect(unabortable)).not.toThrow();
    expect(told.at(-1)).toBe('none session: broken');
    const strays: string[] = [];
    const entrance = new Entrance({ proxy: { read: fails, peers: fails }, stray: (_, reason) => void strays.push(reason) });
    const connected = vi.fn();
    entrance.listener({ address: '', port: 0 }, () => Promise.resolve()).accept(connected);
    const transport = { peer: { address: '', port: 0 } } as Transport;
    unabortable(transport);
    entrance.admit(transport);
    expect([strays, connected.mock.calls]).toEqual([['broken'], []]);
  });

  test('of a client is not what the program hears', async () => {
    const server = new ScriptedServer(() => null);
    unabortable(server);
    const control = new AbortController();
    const coming = connectOn(server, { signal: control.signal });
    control.abort();
    await expect(coming).rejects.toMatchObject({ code: 'aborted' });
    const lost = new ScriptedServer();
    unabortable(lost);
    await expect(connectOn(lost, { hostname: 'not_a name' })).rejects.toMatchObject({ code: 'bad-hostname' });
    const insecure = new ScriptedServer();
    unabortable(insecure);
    await expect(connectOn(insecure, { starttls: 'required' })).rejects.toMatchObject({ code: 'tls-unavailable' });
  });

  test("of a connection that comes too late is nobody's", async () => {
    let come: (transport: Transport) => void = () => {};
    const control = new AbortController();
    const transport = new ScriptedServer();
    unabortable(transport);
    const coming = dial(
      () => new Promise<Transport>((resolve) => (come = resolve)),
      (late) => late.abort(),
      1000,
      control.signal,
    );
    control.abort();
    await expect(coming).rejects.toBeInstanceOf(ClientError);
    come(transport);
    await turns();
  });
});

test.each<[string, (transport: MemoryTransport) => void]>([
  ['data', (transport) => transport.send('NOOP\r\n')],
  ['end', (transport) => transport.sink!.end()],
  ['drained', (transport) => transport.sink!.drained()],
  ['lost', (transport) => transport.sink!.lost()],
])('unwritten that throws ends its session: at %s', async (_, bring) => {
  const { listener, told, server } = start();
  const [bad, good] = [listener.connect(), listener.connect()];
  unreadable(bad);
  expect(() => bring(bad)).not.toThrow();
  expect(told).toContain('1 is over');
  expect(told).toContain('1 session: broken');
  expect(server.connections).toBe(1);
  good.send('QUIT\r\n');
  await server.close({ now: true });
});

describe('close of what fromReader is given', () => {
  const stream = (read: () => Promise<Uint8Array | null>, close: () => void) => ({
    read,
    write: async () => {},
    closeWrite: async () => {},
    close,
  });
  const KINDS = [
    ['throws', fails],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ] as const;

  test.each(KINDS)('%s: the loss is told all the same', async (_, close) => {
    const lost = vi.fn();
    const sink = { data() {}, end() {}, drained() {}, lost };
    const reset = new Error('reset');
    fromReader(stream(() => Promise.reject(reset), close)).start(sink);
    await turns();
    expect(lost.mock.calls).toEqual([[reset]]);
  });

  test.each(KINDS)('%s: abort does not throw', async (_, close) => {
    expect(() => fromReader(stream(() => new Promise(() => {}), close)).abort()).not.toThrow();
    await turns();
  });

  test('throws where nothing has failed: that is why it is lost', async () => {
    const lost = vi.fn();
    const transport = fromReader(stream(async () => null, fails));
    transport.start({ data() {}, end() {}, drained() {}, lost });
    transport.close();
    await turns();
    expect(lost.mock.calls).toEqual([[new Error('broken')]]);
  });
});
