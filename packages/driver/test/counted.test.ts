// What a connection and a message cost, counted exactly: writes, timers, and objects of classes of our own. No clock, so no noise can hide a step back.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Clock, connectOn, Pool, serveOn } from '../src/index.ts';
import { MemoryListener, type MemoryTransport } from './memory.ts';
import { ScriptedServer, turns, willing } from './scripted.ts';

const made = vi.hoisted(() => new Map<string, number>());

/** A module whose classes are counted as they are constructed. */
const counted = vi.hoisted(() => async (original: () => Promise<object>): Promise<object> => {
  const real = (await original()) as { readonly [name: string]: unknown };
  const isClass = (value: unknown): value is new (...given: unknown[]) => object =>
    typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
  const count = (name: string, value: new (...given: unknown[]) => object): unknown =>
    new Proxy(value, {
      construct: (target, given, newTarget) => {
        made.set(name, (made.get(name) ?? 0) + 1);
        return Reflect.construct(target, given, newTarget) as object;
      },
    });
  return Object.fromEntries(Object.entries(real).map(([name, value]) => [name, isClass(value) ? count(name, value) : value]));
});

vi.mock('../src/alarms.ts', counted);
vi.mock('../src/application.ts', counted);
vi.mock('../src/asked-question.ts', counted);
vi.mock('../src/body.ts', counted);
vi.mock('../src/client-error.ts', counted);
vi.mock('../src/connection.ts', counted);
vi.mock('../src/delivery.ts', counted);
vi.mock('../src/message-source.ts', counted);
vi.mock('../src/outbox.ts', counted);
vi.mock('../src/pump.ts', counted);
vi.mock('../src/reception.ts', counted);
vi.mock('../src/signals.ts', counted);
vi.mock('../src/stream-reader.ts', counted);
vi.mock('../src/turns.ts', counted);

const GLOBALS = ['AbortController', 'Error', 'WeakMap', 'TextEncoder'] as const;

let timers = 0;
/** How often the time was asked for. */
let looks = 0;
let timeouts: { readonly mock: { readonly calls: readonly unknown[] } };

const clock: Clock = {
  now: () => {
    looks++;
    return 1;
  },
  timer: () => {
    timers++;
    return () => {};
  },
};

beforeEach(() => {
  for (const name of GLOBALS) {
    const real = globalThis[name] as new (...given: unknown[]) => object;
    vi.stubGlobal(
      name,
      new Proxy(real, {
        construct: (target, given, newTarget) => {
          made.set(name, (made.get(name) ?? 0) + 1);
          return Reflect.construct(target, given, newTarget) as object;
        },
      }),
    );
  }
  timeouts = vi.spyOn(globalThis, 'setTimeout');
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** What was done since the last call. */
function since(): { readonly made: { readonly [name: string]: number }; readonly timers: number } {
  const result = { made: Object.fromEntries([...made].sort(([a], [b]) => (a < b ? -1 : 1))), timers };
  made.clear();
  timers = 0;
  return result;
}

function serving() {
  const listener = new MemoryListener();
  const server = serveOn(
    listener,
    { hostname: 'mx.example.org', preset: 'mx', grace: 0 },
    {
      rcpt: () => true,
      async message({ body }) {
        for await (const _ of body);
        return true;
      },
    },
    undefined,
    clock,
  );
  return { listener, server };
}

/** The writes of a transport. */
function writesOf(transport: MemoryTransport): { count: number } {
  const writes = { count: 0 };
  const { write } = transport;
  transport.write = (bytes) => {
    writes.count++;
    return write.call(transport, bytes);
  };
  return writes;
}

test('a connection to a server: one write for each command, one timer for all of them, and nothing that only a message needs', async () => {
  const { listener, server } = serving();
  since();
  const writes: { count: number }[] = [];
  const transports = Array.from({ length: 100 }, () =>
    listener.connect((transport) => {
      writes.push(writesOf(transport));
    }),
  );
  for (const transport of transports) transport.send('EHLO client.example\r\n');
  expect(since()).toEqual({ made: { Application: 100, Connection: 100, Pump: 100 }, timers: 1 });
  for (const transport of transports) {
    transport.send('QUIT\r\n');
    expect(transport.closed).toBe(true);
  }
  expect(writes.map(({ count }) => count)).toEqual(Array(100).fill(3));
  // The 5 seconds that the last words may take are due before the next command is: the one timer is moved, once.
  await turns();
  expect(server.connections + server.lingering).toBe(0);
  expect(since()).toEqual({ made: {}, timers: 1 });
  await server.close();
});

test('a message to a server: one write for each time that the client waits; one question, and what holds the message', async () => {
  const { listener, server } = serving();
  const transport = listener.connect();
  const writes = writesOf(transport);
  transport.send('EHLO client.example\r\n');
  const begin = 'MAIL FROM:<ann@client.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n';
  transport.send(begin);
  transport.send('text\r\n.\r\n');
  await transport.replies(6);
  [writes.count, looks] = [0, 0];
  since();
  for (let i = 0; i < 50; i++) {
    transport.send(begin);
    transport.send('text\r\n.\r\n');
    await transport.replies(4);
  }
  expect(writes.count).toBe(100);
  // For each of the two blocks, and for the answer that comes later: what is answered at once takes no time.
  expect(looks).toBe(150);
  expect(since()).toEqual({ made: { AskedQuestion: 50, Body: 50, Reception: 50 }, timers: 0 });
  await server.close({ now: true });
});

/** All that the server says in a turn of the loop comes at once, as a network brings it. */
function batched(server: ScriptedServer): void {
  const { say } = server;
  let text = '';
  server.say = (line) => {
    if (text === '')
      setImmediate(() => {
        const all = text;
        text = '';
        say.call(server, all, '');
      });
    text += `${line}\r\n`;
  };
}

/** Messages by a pool of one connection to a server in memory. */
async function sent(pipelining: 'off' | 'envelope' | 'data' | 'transactions', count: number) {
  let writes = 0;
  let connections = 0;
  const pool = new Pool(
    () => {
      const server = new ScriptedServer(willing());
      batched(server);
      const { write } = server;
      server.write = (bytes) => {
        writes++;
        return write.call(server, bytes);
      };
      connections++;
      return connectOn(server, { hostname: 'client.example', pipelining });
    },
    { size: 1 },
  );
  const raw = Buffer.from(`${'x'.repeat(76)}\r\n`.repeat(50));
  const send = async (): Promise<string> => {
    const { outcomes } = await pool.send({ reversePath: 'ann@client.example', recipients: ['bob@example.org'] }, raw);
    return outcomes[0]!.status;
  };
  await Promise.all([send(), send(), send()]);
  const before = writes;
  since();
  const calls = timeouts.mock.calls.length;
  expect(new Set(await Promise.all(Array.from({ length: count }, send)))).toEqual(new Set(['accepted']));
  const result = { writes: writes - before, connections, timeouts: timeouts.mock.calls.length - calls, ...since() };
  await pool.close();
  return result;
}

test.each([
  ['off', 4],
  ['envelope', 3],
  ['data', 2],
] as const)('a message by a pool, %s: %i writes, and no error or timer is made for it', async (pipelining, writes) => {
  const { made, ...counts } = await sent(pipelining, 200);
  // The one timer is that of the connection's idleness, when all are sent.
  expect(counts).toEqual({ writes: writes * 200, connections: 1, timeouts: 1, timers: 0 });
  expect(made).toEqual({ Delivery: 200, MessageSource: 200 });
});

test('… transactions: one write, in which the next message begins', async () => {
  const { made, ...counts } = await sent('transactions', 200);
  expect(counts).toEqual({ writes: 201, connections: 1, timeouts: 1, timers: 0 });
  expect(made).toEqual({ Delivery: 200, MessageSource: 200 });
});
