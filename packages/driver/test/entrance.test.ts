// Where connections come in: which of them begin with a proxy's header, and places that contradict each other.
import { octets } from '@ehlo/grammar';
import { parseProxy } from '@ehlo/grammar/proxy';
import { describe, expect, test } from 'vitest';
import { type Address, Entrance, type ListenOptions, listenAndServe, serveOn, type Transport } from '../src/index.ts';
import { MemoryListener, MemoryTransport } from './memory.ts';
import { turns } from './scripted.ts';

const HEADER = 'PROXY TCP4 198.51.100.7 192.0.2.2 4321 25\r\n';
const V2 = String.fromCharCode(...octets('\r\n\r\n\0\r\nQUIT\n'), 0x21, 0x11, 0, 12, 198, 51, 100, 7, 192, 0, 2, 2, 0x10, 0xe1, 0, 25);
const HOST = { hostname: 'mx.example.org', preset: 'sink' } as const;

/** What becomes of a connection from an address that says this: whose it is, or why it is none. */
async function arrival(proxy: ListenOptions<unknown>['proxy'], address: string, said: string): Promise<string> {
  let arrived: Transport | null = null;
  let stray = 'it waits';
  const options = proxy === undefined ? {} : { proxy };
  const told = (_: Address, reason: string): void => {
    stray = reason;
  };
  const entrance = new Entrance({ ...options, stray: told });
  entrance
    .listener({ address: '192.0.2.2', port: 25 }, () => Promise.resolve())
    .accept((transport) => {
      arrived = transport;
    });
  const transport = Object.assign(new MemoryTransport(), { peer: { address, port: 1111 } });
  entrance.admit(transport);
  if (transport.sink !== null) transport.send(said);
  await turns();
  return (arrived as Transport | null)?.peer.address ?? stray;
}

describe('proxy: { peers }', () => {
  const peers = ['192.0.2.1', '10.0.0.0/8', '172.16.128.0/17', '2001:db8::/33', '2001:db9::1'];

  test.each([
    '192.0.2.1',
    '::ffff:192.0.2.1',
    '::ffff:a00:1',
    '0:0:0:0:0:FFFF:10.0.0.1',
    '10.255.0.1',
    '172.16.128.0',
    '172.16.255.255',
    '2001:db8:7fff::1',
    '2001:db9:0::1',
    '2001:DB9::1%eth0',
  ])('%s brings others', async (address) => {
    expect(await arrival({ read: parseProxy, peers }, address, HEADER)).toBe('198.51.100.7');
    expect(await arrival({ read: parseProxy, peers }, address, 'EHLO x\r\n')).toMatch(/^no PROXY header/);
  });

  test.each(['192.0.2.2', '11.0.0.1', '172.16.127.255', '172.17.128.0', '2001:db8:8000::1', '2001:db9::2', '', '/run/socket'])(
    '%s comes by itself',
    async (address) => {
      expect(await arrival({ read: parseProxy, peers }, address, HEADER)).toBe(address);
    },
  );

  test('a network of mapped addresses is one of IPv4', async () => {
    const mapped = { read: parseProxy, peers: ['::ffff:10.0.0.0/104'] };
    expect(await arrival(mapped, '10.255.0.1', HEADER)).toBe('198.51.100.7');
    expect(await arrival(mapped, '11.0.0.1', HEADER)).toBe('11.0.0.1');
  });

  test('all networks, or none', async () => {
    const everybody = { read: parseProxy, peers: ['0.0.0.0/0'] };
    expect(await arrival(everybody, '203.0.113.9', HEADER)).toBe('198.51.100.7');
    expect(await arrival(everybody, '2001:db8::1', HEADER)).toBe('2001:db8::1');
    expect(await arrival({ read: parseProxy, peers: [] }, '192.0.2.1', HEADER)).toBe('192.0.2.1');
    expect(await arrival({ read: parseProxy }, '203.0.113.9', HEADER)).toBe('198.51.100.7');
  });

  test('a function judges; one that fails, or does not say so at once, lets nobody in', async () => {
    const asked: Address[] = [];
    const mine = (peer: Address): boolean => {
      asked.push(peer);
      return peer.address === '192.0.2.1';
    };
    expect(await arrival({ read: parseProxy, peers: mine }, '192.0.2.1', HEADER)).toBe('198.51.100.7');
    expect(await arrival({ read: parseProxy, peers: mine }, '192.0.2.9', HEADER)).toBe('192.0.2.9');
    expect(asked).toEqual(['192.0.2.1', '192.0.2.9'].map((address) => ({ address, port: 1111 })));
    const later = (async () => true) as unknown as () => boolean;
    expect(await arrival({ read: parseProxy, peers: later }, '192.0.2.1', HEADER)).toBe('proxy.peers has to return true or false, at once');
    const rejects = (async () => Promise.reject(new Error('no list'))) as unknown as () => boolean;
    expect(await arrival({ read: parseProxy, peers: rejects }, '192.0.2.1', HEADER)).toBe(
      'proxy.peers has to return true or false, at once',
    );
    expect(await arrival({ read: rejects as never }, '192.0.2.1', HEADER)).toMatch(/^proxy.read gave a promise, /);
    expect(await arrival({ read: (() => undefined) as never }, '192.0.2.1', HEADER)).not.toBe('it waits');
    const fails = (): never => {
      throw new Error('no list');
    };
    expect(await arrival({ read: parseProxy, peers: fails }, '192.0.2.1', HEADER)).toBe('no list');
  });

  test('version: no other', async () => {
    for (const [version, header, other] of [
      [1, HEADER, V2],
      [2, V2, HEADER],
    ] as const) {
      expect(await arrival({ read: parseProxy, version }, '192.0.2.1', header)).toBe('198.51.100.7');
      expect(await arrival({ read: parseProxy, version }, '192.0.2.1', other)).toMatch(/^no PROXY header/);
      expect(await arrival({ read: parseProxy }, '192.0.2.1', header)).toBe('198.51.100.7');
    }
  });

  test.each<[unknown, RegExp]>([
    [true, /^proxy is a boolean; it must be parseProxy, or \{ read: parseProxy, peers \}$/],
    [null, /^proxy is null; /],
    [{}, /^proxy has no read: give it parseProxy/],
    [{ peers: ['10.0.0.0/8'] }, /^proxy has no read/],
    [{ read: parseProxy, peer: [] }, /^there is no option proxy\.peer: did you mean proxy\.peers\?/],
    [{ read: parseProxy, version: 'v1' }, /^proxy\.version is "v1"; it must be a whole number from 1 to 2$/],
    [{ read: parseProxy, peers: '10.0.0.0/8' }, /^proxy\.peers is a string; it must be a list/],
    ...[
      '10.0.0.0/33',
      '10.0.0.0/8/8',
      '::ffff:10.0.0.0/95',
      '10.0.0/8',
      '::1/129',
      'localhost',
      '10.0.0.1/',
      '10.0.0.1/x',
      '',
      '[::1]',
      5,
    ].map((peer): [object, RegExp] => [
      { read: parseProxy, peers: [peer] },
      /^proxy\.peers has .*, which is no address or network, such as /,
    ]),
  ])('%j is a mistake', (proxy, message) => {
    expect(() => new Entrance({ proxy } as object)).toThrow(usage('bad-option', message));
  });
});

describe('places that contradict each other', () => {
  test.each<[object, RegExp]>([
    [{ path: '/run/lmtp.sock', port: 24 }, /^path is in place of host and port: leave out port, or path$/],
    [{ path: '/run/lmtp.sock', host: '::' }, /^path is in place of host and port: leave out host, or path$/],
    [{ mode: 0o660 }, /^mode is that of a Unix socket: give its path$/],
    [
      { path: '/run/smtp.sock', proxy: { read: parseProxy, peers: ['10.0.0.1'] } },
      /^proxy\.peers names addresses, and who comes by a Unix socket/,
    ],
  ])('%j', (options, message) => {
    expect(() => new Entrance(options)).toThrow(usage('bad-option', message));
  });

  test('LMTP on TCP port 25, whoever listens', async () => {
    const wrong = usage('bad-option', /^LMTP must not be on TCP port 25 \(RFC 2033 5\)/);
    const handler = { rcpt: (): true => true, message: async (): Promise<true> => true };
    const listener = Object.assign(new MemoryListener(), { address: { address: '192.0.2.2', port: 25 } });
    expect(() => serveOn(listener, { ...HOST, preset: 'lmtp' }, handler)).toThrow(wrong);
    await expect(listenAndServe(() => Promise.resolve(listener), { ...HOST, preset: 'lmtp' }, handler)).rejects.toEqual(wrong);
    expect(listener.closed).toBe(true);
  });

  test.each(['offered', 'unannounced', 'required'] as const)("starttls: '%s' without a certificate", async (starttls) => {
    const listen = (): ReturnType<Entrance['listener']> => new Entrance({}).listener({ address: '::1', port: 25 }, () => Promise.resolve());
    const wrong = usage('missing-tls', new RegExp(`^starttls: '${starttls}' needs a certificate: give tls$`));
    await expect(listenAndServe(() => Promise.resolve(listen()), { ...HOST, starttls }, {})).rejects.toEqual(wrong);
    expect(() => serveOn(listen(), { ...HOST, starttls }, {})).toThrow(wrong);
    // Where nobody says what connections can do, they are offered it that can.
    expect(() => serveOn(new MemoryListener(), { ...HOST, starttls }, {})).not.toThrow();
  });
});

function usage(code: string, message: RegExp): object {
  return expect.objectContaining({ name: 'SmtpUsageError', code, message: expect.stringMatching(message) });
}
