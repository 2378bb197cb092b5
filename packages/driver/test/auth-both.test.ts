// Our client and our server authenticate to each other, octets in memory between them.
import type { TlsInfo } from '@ehlo/engine';
import { cramMd5, external, login, oauthBearer, plain, SHA1, SHA512, scram, scramKeys, xoauth2 } from '@ehlo/sasl';
import { describe, expect, test } from 'vitest';
import { type Authentication, type ClientAuth, connectOn, type Sink, serveOn, type Transport } from '../src/index.ts';
import { MemoryTransport } from './memory.ts';

const bindings = new Map([['tls-exporter', Uint8Array.of(1, 2, 3)]]);
const tls: TlsInfo = { protocol: 'TLSv1.3', cipher: '', servername: '', bindings };
const keys = scramKeys('pencil', { salt: Uint8Array.of(1, 2, 3) });

/** One end of a pair: what it writes reaches the other's sink. */
class End implements Transport {
  readonly peer = { address: '192.0.2.1', port: 1 };
  readonly local = { address: '192.0.2.2', port: 25 };
  readonly unwritten = 0;
  readonly tls: TlsInfo;
  sink: Sink | null = null;
  other: End | null = null;

  constructor(info: TlsInfo) {
    this.tls = info;
  }

  start(sink: Sink): void {
    this.sink = sink;
  }

  write(bytes: Uint8Array): boolean {
    const copy = bytes.slice();
    queueMicrotask(() => this.other!.sink?.data(copy));
    return true;
  }

  pause(): void {}
  resume(): void {}

  close(): void {
    queueMicrotask(() => this.other!.sink?.end());
  }

  abort(): void {
    queueMicrotask(() => this.other!.sink?.lost());
  }
}

/** What the server takes the client for; rejects where it does not. */
async function authenticate(
  auth: ClientAuth,
  offered: Authentication,
  client: TlsInfo = tls,
  server: TlsInfo = tls,
): Promise<string | null> {
  const [near, far] = [new End(client), new End(server)];
  near.other = far;
  far.other = near;
  let identity: string | null = null;
  const notice = ({ type }: { readonly type: string }, session: { readonly identity: string | null }): void => {
    if (type === 'closed') identity = session.identity;
  };
  const listener = {
    address: far.local,
    accept: (connected: (transport: Transport) => void) => connected(far),
    close: () => Promise.resolve(),
  };
  serveOn(listener, { hostname: 'mx.example.org', preset: 'sink', auth: offered }, { notice });
  const session = await connectOn(near, { auth, credentials: 'encrypted' }, { host: 'mx.example.org', port: 465 });
  await session.close();
  return identity;
}

const all = [scram(), scram(SHA512), scram(SHA1), cramMd5(), plain(), login()].flat();

describe.each(all.map((mechanism) => [mechanism.name, mechanism] as const))('%s', (_, mechanism) => {
  test('the right password, and a wrong one', async () => {
    const server: Authentication = { mechanisms: all, lookup: (user) => (user === 'tim' ? 'pencil' : null) };
    expect(await authenticate({ mechanisms: [mechanism], user: 'tim', password: 'pencil' }, server)).toBe('tim');
    await expect(authenticate({ mechanisms: [mechanism], user: 'tim', password: 'pen' }, server)).rejects.toMatchObject({
      code: 'auth-refused',
    });
  });
});

test('by keys, and as somebody else where that is allowed', async () => {
  const server: Authentication = { mechanisms: all, lookup: () => keys, authorize: (user, authzid) => `${user} ${authzid}` === 'tim boss' };
  const auth = { mechanisms: [scram()], user: 'tim', password: 'pencil' };
  expect(await authenticate({ ...auth, authzid: 'boss' }, server)).toBe('boss');
  await expect(authenticate({ ...auth, authzid: 'other' }, server)).rejects.toMatchObject({ code: 'auth-refused' });
});

test.each([oauthBearer(), xoauth2()])('$name; a server says what is wrong with a token', async (mechanism) => {
  const server: Authentication = {
    mechanisms: [mechanism],
    verify: (claim) => claim.type === 'token' && claim.token.expose() === 'a-good-token' && claim.user,
  };
  expect(await authenticate({ mechanisms: [mechanism], user: 'tim', token: 'a-good-token' }, server)).toBe('tim');
  await expect(authenticate({ mechanisms: [mechanism], user: 'tim', token: 'a-bad-token' }, server)).rejects.toThrow(/invalid_token/);
});

test('EXTERNAL', async () => {
  const server: Authentication = { mechanisms: [external()], verify: (claim) => claim.type === 'external' && 'who the certificate says' };
  expect(await authenticate({ mechanisms: [external()] }, server)).toBe('who the certificate says');
});

test('a server that binds one mechanism has nothing to bind another to', async () => {
  const server: Authentication = { mechanisms: [scram(), scram(SHA1)[1]], lookup: () => 'pencil' };
  expect(await authenticate({ mechanisms: [scram(SHA1)[1]], user: 'tim', password: 'pencil' }, server)).toBe('tim');
});

test('somebody between two TLS connections is found', async () => {
  const server: Authentication = { mechanisms: all, lookup: () => 'pencil' };
  const auth = { mechanisms: [scram(), plain()], user: 'tim', password: 'pencil' };
  const another = { ...tls, bindings: new Map([['tls-exporter', Uint8Array.of(9)]]) };
  await expect(authenticate(auth, server, another)).rejects.toMatchObject({ code: 'auth-refused' });
});

test('a server that does not prove itself is no server of ours; its nonces are never seen twice', async () => {
  const first: string[] = [];
  const talk = async (answer: (transport: MemoryTransport) => Promise<void>): Promise<unknown> => {
    const transport = Object.assign(new MemoryTransport(), { tls });
    const auth = { mechanisms: [scram(SHA512)[1], scram()[1]], user: 'tim', password: 'pencil' };
    const opening = connectOn(transport, { auth, credentials: 'encrypted' }).catch((error: unknown) => error);
    transport.send('220 mx\r\n');
    await until(transport, /^EHLO/);
    transport.send('250-mx\r\n250 AUTH SCRAM-SHA-256 SCRAM-SHA-512\r\n');
    await answer(transport);
    return await opening;
  };
  const begun = async (transport: MemoryTransport): Promise<void> => {
    const [, response] = /^AUTH \S+ (\S+)\r\n/.exec(await until(transport, /^AUTH/))!;
    first.push(Buffer.from(response!, 'base64').toString());
  };
  const error = await talk(async (transport) => {
    await begun(transport);
    transport.send('504 5.5.4 not this one\r\n');
    await begun(transport);
    transport.send('235 2.7.0 as you like\r\n');
  });
  expect(error).toMatchObject({ code: 'auth-failed', message: expect.stringContaining('does not know the password') });
  const nonces = first.map((message) => /r=(.*)$/.exec(message)![1]);
  expect(nonces).toHaveLength(2);
  expect(new Set(nonces).size).toBe(2);
});

/** What a client has said, when it is like that. */
async function until(transport: MemoryTransport, pattern: RegExp): Promise<string> {
  for (let turn = 0; turn < 1000; turn++) {
    if (pattern.test(transport.written)) return transport.take();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`waited for ${pattern}, got ${JSON.stringify(transport.written)}`);
}
