// The header of a proxy, before a session in clear and before a TLS handshake.
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { formatProxy, parseProxy } from '@ehlo/grammar/proxy';
import type { Handler, ListenOptions, Server } from '@ehlo/node';
import { describe, expect, vi } from 'vitest';
import { handshake, offer, SERVER, shake, type TlsWire, test } from './tls-wire.ts';
import type { Wire } from './wire.ts';

const V1 = 'PROXY TCP4 192.0.2.7 198.51.100.9 4321 25\r\n';
const V2 = Buffer.from(
  formatProxy({
    version: 2,
    local: false,
    family: 'TCP6',
    source: { address: '2001:db8::7', port: 4321 },
    destination: { address: '2001:db8::9', port: 25 },
    tlvs: [{ type: 0x02, value: new TextEncoder().encode('mx.example.org') }],
  }),
).toString('latin1');

async function sent(wire: Wire, octets: string): Promise<Wire> {
  wire.send(octets);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return wire;
}

/** A handshake whose first octets go out in one segment with the header. */
async function dialBehind({ address: { address, port } }: Server, header: string): Promise<TlsWire> {
  const raw = connect({ host: address, port });
  let before = Buffer.from(header, 'latin1');
  const stream = new Duplex({
    read() {},
    write(octets: Buffer, _, done) {
      raw.write(Buffer.concat([before, octets]), done);
      before = Buffer.alloc(0);
    },
    final(done) {
      raw.end(done);
    },
    destroy(error, done) {
      raw.destroy();
      done(error);
    },
  });
  raw.on('data', (octets: Buffer) => stream.push(octets)).on('end', () => stream.push(null));
  return await shake({ socket: stream });
}

interface Seen {
  peer: string;
  local: string;
  tlvs: number;
}

function watcher(): { seen: Seen[]; handler: Handler } {
  const seen: Seen[] = [];
  const handler: Handler = {
    connect(question, { peer, local, proxy }) {
      expect(question.peer).toEqual(peer);
      seen.push({ peer: `${peer.address} ${peer.port}`, local: `${local.address} ${local.port}`, tlvs: proxy?.tlvs.length ?? -1 });
      return true;
    },
  };
  return { seen, handler };
}

describe.each([
  ['1', V1, { peer: '192.0.2.7 4321', local: '198.51.100.9 25', tlvs: 0 }],
  ['2', V2, { peer: '2001:db8::7 4321', local: '2001:db8::9 25', tlvs: 1 }],
])('a header of version %s', (_, header, facts) => {
  test('says who the client is; the greeting waits for it, and what follows it is the session', async ({ start, dial }) => {
    const { seen, handler } = watcher();
    const server = await start(handler, { proxy: parseProxy });
    const wire = await dial(server);
    wire.send(header.slice(0, 9));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([wire.received, seen]).toEqual(['', []]);
    wire.send(`${header.slice(9)}NOOP\r\n`);
    expect(await wire.reply()).toMatch(/^220 /);
    expect(await wire.reply()).toBe('250 2.0.0 NOOP OK');
    expect(seen).toEqual([facts]);
  });

  test.for([
    ['in a segment of its own', false],
    ['along with the first octets of the handshake', true],
  ] as const)('comes before the handshake of implicit TLS, %s', async ([, together], { start, dial }) => {
    const { seen, handler } = watcher();
    const server = await start(handler, { proxy: parseProxy, implicitTls: true, tls: SERVER });
    const wire = together ? await dialBehind(server, header) : await handshake(await sent(await dial(server), header));
    expect(await wire.reply()).toMatch(/^220 /);
    wire.send('QUIT\r\n');
    expect(await wire.reply()).toMatch(/^221 /);
    expect(seen).toEqual([facts]);
  });
});

test.for([true, false])('peers: who is none of them comes by itself; implicit TLS: %s', async (implicitTls, { start, dial }) => {
  const tls = implicitTls ? { implicitTls, tls: SERVER } : {};
  for (const [peers, comes] of [
    [['192.0.2.0/24', '127.0.0.0/8'], '192.0.2.7'],
    [['192.0.2.0/24', '127.0.0.2'], '127.0.0.1'],
  ] as const) {
    const { seen, handler } = watcher();
    const server = await start(handler, { proxy: { read: parseProxy, peers, version: 1 }, ...tls });
    const clear = comes === '127.0.0.1' ? await dial(server) : await sent(await dial(server), V1);
    const wire = implicitTls ? await handshake(clear) : clear;
    expect(await wire.reply()).toMatch(/^220 /);
    expect([seen.length, seen[0]?.peer.split(' ')[0], seen[0]?.tlvs]).toEqual([1, comes, comes === '127.0.0.1' ? -1 : 0]);
  }
});

test('a health check of the proxy keeps the ends of its own connection', async ({ start, dial }) => {
  const { seen, handler } = watcher();
  const server = await start(handler, { proxy: parseProxy });
  for (const header of [
    'PROXY UNKNOWN\r\n',
    Buffer.from(formatProxy({ version: 2, local: true, family: 'UNKNOWN', source: null, destination: null, tlvs: [] })).toString('latin1'),
  ]) {
    const wire = await dial(server);
    wire.send(header);
    expect(await wire.reply()).toMatch(/^220 /);
  }
  expect(seen.map(({ peer }) => peer.split(' ')[0])).toEqual(['127.0.0.1', '127.0.0.1']);
});

test.for([
  ['no header', 'EHLO client.example\r\n', 'no PROXY header'],
  ['a broken one', 'PROXY TCP4 192.0.2.7 nonsense 1 2\r\n', 'no PROXY header'],
  ['none in time', 'PROXY TC', 'in time'],
] as const)('%s: closed without a word, and the server lives on', async ([, octets, reason], { start, dial }) => {
  const strays: string[] = [];
  const options: ListenOptions = { proxy: parseProxy, handshakeTimeout: 300, stray: (_, why) => strays.push(why) };
  const server: Server = await start({}, options);
  const wire = await dial(server);
  wire.send(octets);
  await vi.waitFor(() => expect(wire.ended).not.toBeNull());
  expect([wire.received, strays]).toEqual(['', [expect.stringContaining(reason)]]);
  const other = await dial(server);
  other.send(V1);
  expect(await other.reply()).toMatch(/^220 /);
});

test('a proxy that is only asked for is not taken on trust: without the option its header is a broken command', async ({ start, dial }) => {
  const wire = await dial(await start());
  expect(await wire.reply()).toMatch(/^220 /);
  wire.send(V1);
  expect(await wire.reply()).toMatch(/^500 /);
});

test('no more connections than that may be without a session', async ({ start, dial }) => {
  const strays: string[] = [];
  const server = await start({}, { proxy: parseProxy, connections: 1, stray: (_, why) => strays.push(why) });
  const first = await dial(server);
  first.send('PROXY ');
  await new Promise((resolve) => setTimeout(resolve, 20));
  // Reset, perhaps before the client knows that it is connected.
  const second = await dial(server).catch(() => null);
  await vi.waitFor(() => expect(second?.ended).not.toBeNull());
  expect(strays).toEqual(['too many connections']);
  first.send(V1.slice('PROXY '.length));
  expect(await first.reply()).toMatch(/^220 /);
});

test('closing ends connections that are still without a session', async ({ start, dial }) => {
  const server = await start({}, { proxy: parseProxy });
  const wire = await dial(server);
  wire.send('PROXY ');
  await new Promise((resolve) => setTimeout(resolve, 20));
  await server.close();
  await vi.waitFor(() => expect(wire.ended).not.toBeNull());
});

test('STARTTLS works behind a header, too', async ({ start, dial }) => {
  const wire = await dial(await start({}, { proxy: parseProxy, tls: SERVER }));
  wire.send(V1);
  await offer(wire);
  const secure = await handshake(wire);
  secure.send('EHLO client.example\r\n');
  expect(await secure.reply()).not.toMatch(/STARTTLS/);
});

test('XCLIENT and XFORWARD are for those who are named', async ({ start, dial }) => {
  const { seen, handler } = watcher();
  const forwarded: unknown[] = [];
  const trusted = { XCLIENT: () => true, XFORWARD: () => true };
  const server = await start(
    {
      ...handler,
      mail: (_, session) => {
        forwarded.push(session.forwarded);
        return true;
      },
    },
    { trusted },
  );
  const wire = await dial(server);
  wire.send('EHLO proxy.example\r\nXCLIENT ADDR=192.0.2.77 PORT=77 NAME=client.example LOGIN=joe\r\nEHLO client.example\r\n');
  expect(await wire.reply()).toMatch(/^220 /);
  expect(await wire.reply()).toMatch(/XCLIENT NAME ADDR PORT PROTO HELO LOGIN\r\n/);
  expect(await wire.reply()).toMatch(/^220 /);
  // Behind it the client itself may speak, whom nobody trusts.
  expect(await wire.reply()).not.toMatch(/XCLIENT|XFORWARD/);
  expect(seen.map(({ peer }) => peer).at(-1)).toBe('192.0.2.77 77');
  wire.send('XCLIENT LOGIN=root\r\n');
  expect(await wire.reply()).toMatch(/^502 /);
  const filter = await dial(server);
  filter.send('EHLO filter.example\r\nXFORWARD ADDR=192.0.2.99 HELO=far.example\r\nMAIL FROM:<a@b.example>\r\n');
  for (let replies = 0; replies < 4; replies++) expect(await filter.reply()).toMatch(/^2[25]0/);
  expect(forwarded).toEqual([{ address: '192.0.2.99', helo: 'far.example' }]);
  // Without its port, the client's is not known: that of the proxy is not the client's.
  filter.send('RSET\r\nXCLIENT ADDR=192.0.2.78\r\n');
  expect([await filter.reply(), await filter.reply()].map((reply) => reply.slice(0, 3))).toEqual(['250', '220']);
  expect(seen.map(({ peer }) => peer).at(-1)).toBe('192.0.2.78 0');
  const other = await dial(await start({}, { trusted: { XCLIENT: () => false } }));
  other.send('EHLO x.example\r\nXCLIENT ADDR=192.0.2.77\r\n');
  await other.reply();
  expect(await other.reply()).not.toMatch(/XCLIENT/);
  expect(await other.reply()).toMatch(/^502 /);
});
