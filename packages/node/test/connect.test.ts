// The client over real sockets, to our own server, to another one, and to servers that misbehave.
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, connect as dialSocket, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { type Client, ClientError, type ConnectOptions, type Handler, type Pool, type ServeOptions, type Server } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { connect, newPool, RUNTIME } from './adapter.ts';
import { test as base } from './fixture.ts';
import { CLIENT, OTHER, pem, SERVER } from './tls-wire.ts';
import { until } from './wire.ts';

const CA = pem('ca.crt');
const ENVELOPE = { reversePath: 'joe@a.example', recipients: ['ann@b.example', 'bob@b.example'] } as const;
const MESSAGE = 'Subject: x\r\n\r\n.dot\r\n..\r\nlast\r\n';

interface Fixtures {
  /** Connects; the client is gone when the test is over. */
  open: (options: ConnectOptions) => Promise<Client>;
  /** A server of raw sockets. */
  raw: (connected: (socket: Socket) => void) => Promise<number>;
  folder: string;
}

const test = base.extend<Fixtures>({
  open: async ({ start: _ }, use) => {
    const clients: Client[] = [];
    await use(async (options) => {
      const client = await connect(options);
      clients.push(client);
      return client;
    });
    for (const client of clients) client.abort();
  },
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads a fixture's needs from this pattern, and it has none.
  raw: async ({}, use) => {
    const sockets: Socket[] = [];
    const servers: NetServer[] = [];
    await use(async (connected) => {
      const server = createServer((socket) => {
        sockets.push(socket);
        socket.on('error', () => {});
        connected(socket);
      }).listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    });
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  },
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads a fixture's needs from this pattern, and it has none.
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'ehlo-'));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
});

/** Keeps what arrives. */
function keeper(): { readonly handler: Handler; readonly kept: string[] } {
  const kept: string[] = [];
  return {
    kept,
    handler: {
      async message({ body }) {
        kept.push(Buffer.from(await body.bytes()).toString('latin1'));
        return true;
      },
    },
  };
}

function note(list: unknown[], one: unknown): true {
  list.push(one);
  return true;
}

const portOf = ({ address }: Server): { port: number } => ({ port: address.port });
const told = ({ outcomes }: Awaited<ReturnType<Client['send']>>): string => outcomes.map(({ status }) => status).join(' ');

async function failure(options: ConnectOptions): Promise<ClientError> {
  const error: unknown = await connect(options).catch((why: unknown) => why);
  expect((error as ClientError).name).toBe('ClientError');
  return error as ClientError;
}

describe('a connection', () => {
  test('by TCP: every octet, in order, and a quiet end', async ({ start, open }) => {
    const { handler, kept } = keeper();
    const server = await start(handler);
    const client = await open(portOf(server));
    expect([client.peer, client.tls, client.capabilities.verb]).toEqual([{ address: '127.0.0.1', ...portOf(server) }, null, 'EHLO']);
    for (const text of [MESSAGE, '', 'x\n']) expect(told(await client.send(ENVELOPE, text))).toBe('accepted accepted');
    await client.close();
    expect([kept, await client.closed]).toEqual([[MESSAGE, '', 'x\r\n'], null]);
    await until('the server has seen it leave', () => server.connections === 0);
  });

  test('by a Unix socket, with LMTP', async ({ start, open, folder }) => {
    const path = join(folder, 'lmtp');
    const { handler, kept } = keeper();
    await start({ ...handler, rcpt: () => true }, { path, preset: 'lmtp' });
    const client = await open({ path, protocol: 'lmtp' });
    expect([told(await client.send(ENVELOPE, MESSAGE)), kept]).toEqual(['accepted accepted', [MESSAGE]]);
  });

  test('through a proxy of the program', async ({ start, open, raw }) => {
    const { handler, kept } = keeper();
    const server = await start(handler, { tls: SERVER });
    const proxy = await raw((socket) => {
      socket.once('data', (request) => {
        expect(request.toString()).toBe(`CONNECT localhost:${server.address.port}\n`);
        const onward = dialSocket(server.address.port, '127.0.0.1', () => socket.write('OK\n'));
        onward.on('error', () => {});
        socket.on('close', () => onward.destroy());
        socket.pipe(onward).pipe(socket);
      });
    });
    const client = await open({
      host: 'localhost',
      port: server.address.port,
      tls: { ca: CA },
      starttls: 'required',
      async transport({ host, port }) {
        const socket = dialSocket(proxy, '127.0.0.1');
        socket.write(`CONNECT ${host}:${port}\n`);
        await once(socket, 'readable');
        socket.read(3);
        return socket;
      },
    });
    expect([told(await client.send(ENVELOPE, MESSAGE)), kept, client.tls?.servername]).toEqual([
      'accepted accepted',
      [MESSAGE],
      'localhost',
    ]);
  });

  test('takes no longer than it may, and ends when it is told to', async () => {
    const transport = (): Promise<never> => new Promise(() => {});
    expect(await failure({ transport, connectTimeout: 20 })).toMatchObject({ code: 'timeout', message: 'no connection within 0.02 s' });
    const control = new AbortController();
    setTimeout(() => control.abort('late'), 20);
    expect(await failure({ transport, signal: control.signal })).toMatchObject({ code: 'aborted', cause: 'late' });
  });

  test.for<[ConnectOptions, string]>([
    [{ path: '/run/lmtp.sock', port: 24 }, 'path is in place of host and port: leave out port, or path'],
    [{ path: '/run/lmtp.sock', host: 'mx.example.org', protocol: 'lmtp' }, 'path is in place of host and port: leave out host, or path'],
  ])('a path beside a host or a port is a mistake: %j', async ([options, message]) => {
    await expect(connect(options)).rejects.toMatchObject({ name: 'SmtpUsageError', code: 'bad-option', message });
  });

  test.for<[string, ConnectOptions, RegExp]>([
    ['a port where nobody is', { port: 1 }, /^nobody listens on 127\.0\.0\.1:1$/],
    ['a path where nothing is', { path: '/nowhere/lmtp.sock' }, /^there is no socket \/nowhere\/lmtp\.sock$/],
    ['a host that is not there', { host: 'no-such-host.invalid' }, /^(there is no host|the address of) no-such-host\.invalid/],
  ])('fails in words: %s', async ([, options, text]) => {
    const error = await failure(options);
    expect(error.code).toBe('no-connection');
    expect(error.message).toMatch(text);
  });
});

describe('large messages', () => {
  const MIB = 1_048_576;
  const LINE = Buffer.from(`${'x'.repeat(1022)}\r\n`);
  const PIECE = Buffer.concat(Array.from({ length: 64 }, () => LINE));

  test('24 MiB at once, and 24 MiB in pieces: all of it', async ({ start, open }) => {
    const sizes: number[] = [];
    const server = await start({
      async message({ body }) {
        let size = 0;
        for await (const bytes of body) size += bytes.length;
        sizes.push(size);
        return true;
      },
    });
    const client = await open(portOf(server));
    const pieces = function* (): Generator<Uint8Array> {
      for (let i = 0; i < 384; i++) yield PIECE;
    };
    expect(told(await client.send(ENVELOPE, Buffer.concat([...pieces()])))).toBe('accepted accepted');
    expect(told(await client.send(ENVELOPE, pieces()))).toBe('accepted accepted');
    expect(sizes).toEqual([24 * MIB, 24 * MIB]);
  });

  test('a reader that is slow slows the source down', async ({ start, open }) => {
    let read: () => void = () => {};
    const opened = new Promise<void>((resolve) => {
      read = resolve;
    });
    const server = await start({
      async message({ body }) {
        await opened;
        for await (const _ of body);
        return true;
      },
    });
    const client = await open(portOf(server));
    let made = 0;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (; made < 500; made++) yield PIECE;
    };
    const sending = client.send(ENVELOPE, source(), { facts: { body: '7BIT' } });
    let before = -1;
    await until('nothing moves', () => {
      const still = made > 0 && made === before;
      before = made;
      return still;
    });
    // What the kernel's buffers hold on loopback, and no more.
    expect(made).toBeLessThan(300);
    read();
    expect([told(await sending), made]).toEqual(['accepted accepted', 500]);
  });
});

describe('TLS', () => {
  const secured: Partial<ServeOptions> = { tls: { ...SERVER, certificates: [{ ...OTHER, servernames: ['other.example'] }] } };

  test.for<[string, Partial<ServeOptions>, ConnectOptions]>([
    ['by STARTTLS', {}, { starttls: 'required' }],
    ['from the start', { implicitTls: true }, { implicitTls: true }],
  ])('%s: both ends bind to the same connection', async ([, served, options], { start, open }) => {
    const bindings: unknown[] = [];
    const { handler, kept } = keeper();
    const server = await start({ ...handler, mail: (_, { tls }) => note(bindings, tls?.bindings) }, { ...secured, ...served });
    const client = await open({ ...portOf(server), host: 'localhost', tls: { ca: CA }, ...options });
    expect(told(await client.send(ENVELOPE, MESSAGE))).toBe('accepted accepted');
    expect(client.tls).toMatchObject({
      protocol: 'TLSv1.3',
      servername: 'localhost',
      peerCertificate: { subject: 'localhost', authorized: true },
    });
    const names = RUNTIME === 'deno' ? ['tls-server-end-point'] : ['tls-exporter', 'tls-server-end-point'];
    expect([...client.tls!.bindings!.keys()]).toEqual(names);
    const hex = (map: unknown): string[][] =>
      [...(map as Map<string, Uint8Array>)].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]);
    expect([hex(client.tls!.bindings), kept]).toEqual([hex(bindings[0]), [MESSAGE]]);
  });

  test('is taken from whoever answers, if it is only opportunistic; who that is can be seen', async ({ start, open }) => {
    const client = await open(portOf(await start({}, secured)));
    expect(client.tls).toMatchObject({ servername: '', peerCertificate: { authorized: false } });
  });

  test('asks for the name, and the certificate must have it; an address is no name, but is compared too', async ({ start, open }) => {
    const server = await start({}, secured);
    const options = { ...portOf(server), starttls: 'required' } as const;
    const named = await open({ ...options, tls: { ca: CA, servername: 'other.example' } });
    expect(named.tls).toMatchObject({ servername: 'other.example', peerCertificate: { subject: 'other.example' } });
    expect((await open({ ...options, tls: { ca: CA } })).tls).toMatchObject({ servername: '', peerCertificate: { authorized: true } });
  });

  test.for<[string, ConnectOptions, string, RegExp]>([
    [
      'of another host',
      { tls: { ca: CA, servername: 'elsewhere.example' } },
      'certificate',
      /^the server's certificate is not that of the host|^the server's certificate is not trusted/,
    ],
    ['of an authority that nobody knows', {}, 'certificate', /^the server's certificate is not trusted: /],
  ])('ends with a certificate %s', async ([, options, code, text], { start }) => {
    for (const served of [{}, { implicitTls: true }]) {
      const server = await start({}, { ...secured, ...served });
      const error = await failure({
        ...portOf(server),
        host: 'localhost',
        starttls: 'required',
        implicitTls: 'implicitTls' in served,
        ...options,
      });
      expect([error.code, error.stage]).toEqual([code, 'tls']);
      expect(error.message).toMatch(text);
    }
  });

  describe('is judged by the program', () => {
    type Verify = NonNullable<NonNullable<ConnectOptions['tls']>['verify']>;
    type Shown = Parameters<Verify>[0];

    test('with what the server has shown, and what the runtime makes of it', async ({ start, open }) => {
      const server = await start({}, secured);
      const shown: Shown[] = [];
      const verify: Verify = (one) => shown.push(one) > 0;
      for (const tls of [{ ca: CA }, { ca: CA, servername: 'elsewhere.example' }, {}]) {
        const client = await open({ ...portOf(server), host: 'localhost', starttls: 'required', tls: { ...tls, verify } });
        expect(client.tls).toMatchObject({ peerCertificate: { authorized: true } });
      }
      const leaf = new X509Certificate(pem('server.crt')).fingerprint256;
      expect(shown.map(({ chain }) => new X509Certificate(chain[0]!).fingerprint256)).toEqual([leaf, leaf, leaf]);
      expect(shown.map(({ fault }) => fault === null)).toEqual([true, false, false]);
    });

    test('who is not verified is served all the same, and shown as such', async ({ start, open }) => {
      const tls = { ca: CA, verify: () => false };
      for (const served of [{}, { implicitTls: true }]) {
        const server = await start({}, { ...secured, ...served });
        const implicitTls = 'implicitTls' in served;
        const client = await open({ ...portOf(server), host: 'localhost', starttls: 'required', implicitTls, tls });
        expect(client.tls).toMatchObject({ peerCertificate: { authorized: false } });
      }
    });

    test.for<[string, () => unknown]>([
      ['a promise of true', async () => true],
      ['a promise that rejects', () => Promise.reject(new Error('no TLSA record'))],
      ['nothing', () => undefined],
      ['one', () => 1],
    ])('what is neither true nor false ends the session: %s', async ([, answer], { start }) => {
      for (const implicitTls of [false, true]) {
        const server = await start({}, { ...secured, implicitTls });
        const tls = { ca: CA, verify: answer as Verify };
        const error = await failure({ ...portOf(server), host: 'localhost', starttls: 'required', implicitTls, tls });
        expect([error.code, error.stage, error.message]).toEqual([
          'tls-failed',
          'tls',
          expect.stringMatching(/tls\.verify has to return true or false, at once$/),
        ]);
      }
    });

    test('what it throws ends the session, before anything is said', async ({ start }) => {
      const hellos: unknown[] = [];
      const server = await start({ hello: ({ name }) => note(hellos, name) }, secured);
      const verify = (): never => {
        throw new ClientError('certificate', 'not this one', { stage: 'tls' });
      };
      const error = await failure({ ...portOf(server), hostname: 'a.example', host: 'localhost', tls: { ca: CA, verify } });
      expect([error.code, error.stage, error.message, hellos]).toEqual(['certificate', 'tls', 'not this one', ['a.example']]);
    });
  });

  test("with the client's own certificate", async ({ start, open }) => {
    const seen: unknown[] = [];
    const server = await start(
      { mail: (_, { tls }) => note(seen, tls?.peerCertificate) },
      { tls: { ...SERVER, requestCert: true, ca: CA } },
    );
    const { key, cert } = CLIENT as { key: string; cert: string };
    const client = await open({ ...portOf(server), host: 'localhost', starttls: 'required', tls: { ca: CA, key, cert } });
    await client.send(ENVELOPE, MESSAGE);
    expect(seen).toMatchObject([{ subject: 'client.example', authorized: true }]);
  });

  test.skipIf(RUNTIME !== 'node')('is never older than 1.2', async () => {
    const old = createTlsServer({
      key: pem('server.key'),
      cert: pem('server.crt'),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    old.on('tlsClientError', () => {});
    old.listen(0, '127.0.0.1');
    await once(old, 'listening');
    expect(
      await failure({ port: (old.address() as AddressInfo).port, implicitTls: true, tls: { rejectUnauthorized: false } }),
    ).toMatchObject({ code: 'tls-failed' });
    old.close();
  });

  test('is asked of a port that speaks first: in words', async ({ start }) => {
    const error = await failure({ ...portOf(await start()), implicitTls: true });
    expect([error.code, error.stage]).toEqual([RUNTIME === 'node' ? 'speaks-cleartext' : error.code, 'tls']);
  });

  const offer = (socket: Socket, then: (line: string) => void): void => {
    socket.write('220 mx\r\n');
    socket.on('data', (bytes) =>
      bytes.toString('latin1').startsWith('EHLO') ? socket.write('250-mx\r\n250 STARTTLS\r\n') : then(bytes.toString('latin1')),
    );
  };

  test.for<[string, string[], string]>([
    ['in one write', ['220 go\r\n250-injected\r\n250 AUTH PLAIN\r\n'], 'protocol'],
    ['behind it', ['220 go\r\n', '250 injected\r\n'], 'any'],
  ])('octets behind the 220 to STARTTLS are never taken for replies: %s', async ([, says, code], { raw }) => {
    const heard: string[] = [];
    const port = await raw((socket) =>
      offer(socket, async (line) => {
        heard.push(line);
        if (!line.startsWith('STARTTLS')) return;
        for (const text of says) {
          socket.write(text);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }),
    );
    const error = await failure({ port, limits: { tlsTimeout: 1000 } });
    expect(['protocol', 'tls-failed', 'speaks-cleartext']).toContain(error.code);
    if (code !== 'any') expect(error.code).toBe(code);
    expect(heard.join('')).not.toMatch(/AUTH|MAIL/);
  });

  test('a handshake that does not end is given up', async ({ raw }) => {
    const port = await raw((socket) => offer(socket, (line) => void (line.startsWith('STARTTLS') && socket.write('220 go\r\n'))));
    expect(await failure({ port, limits: { tlsTimeout: 100 } })).toMatchObject({ code: 'timeout', stage: 'tls' });
    const silent = await raw(() => {});
    expect(await failure({ port: silent, implicitTls: true, limits: { tlsTimeout: 100 } })).toMatchObject({ code: 'timeout' });
  });

  test('a server that leaves in the handshake', async ({ raw }) => {
    const port = await raw((socket) =>
      offer(socket, (line) => {
        if (line.startsWith('STARTTLS')) socket.write('220 go\r\n');
        else socket.destroy();
      }),
    );
    expect(await failure({ port })).toMatchObject({ code: 'tls-failed', stage: 'tls' });
  });
});

describe('what becomes of a message when the connection ends', () => {
  const script = (socket: Socket, when: RegExp, then: (socket: Socket) => void): void => {
    let text = '';
    socket.write('220 mx\r\n');
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (when.test(text)) return then(socket);
      for (const line of bytes.toString('latin1').split('\r\n').slice(0, -1))
        if (/^(EHLO|MAIL|RCPT|DATA)/.test(line)) socket.write(line === 'DATA' ? '354 go\r\n' : '250 OK\r\n');
    });
  };
  const reset = (socket: Socket): void => void socket.resetAndDestroy();

  test.for<[string, RegExp, (socket: Socket) => void, string, string]>([
    ['reset at MAIL', /MAIL/, reset, 'unsent unsent', 'lost'],
    ['reset in the message', /DATA\r\nxxx/, reset, 'unsent unsent', 'lost'],
    ['reset behind it', /\r\n\.\r\n/, reset, 'unknown unknown', 'lost'],
    ['ended behind it', /\r\n\.\r\n/, (socket) => void socket.end(), 'unknown unknown', 'ended'],
    [
      'a refusal in the message, then the end',
      /DATA\r\nxxx/,
      (socket) => void socket.end('552 too large\r\n'),
      'refused refused',
      'refused',
    ],
  ])('%s', async ([, when, then, outcomes, code], { raw, open }) => {
    const client = await open({ port: await raw((socket) => script(socket, when, then)), pipelining: 'off' });
    const large = when.source.includes('xxx');
    const result = await client.send(ENVELOPE, (large ? `${'x'.repeat(998)}\r\n` : 'x\r\n').repeat(large ? 20_000 : 1));
    expect(told(result)).toBe(outcomes);
    expect((await client.closed)?.code).toBe(code);
  });

  test('an abort: the message never ends, and the server knows it', async ({ start, open }) => {
    const aborted: string[] = [];
    const { handler, kept } = keeper();
    const control = new AbortController();
    const server = await start({
      ...handler,
      data: () => {
        setTimeout(() => control.abort(), 1);
        return true;
      },
      notice: (notice) => void (notice.type === 'aborted' && aborted.push(notice.cause)),
    });
    const client = await open(portOf(server));
    const source = async function* (): AsyncGenerator<string> {
      yield 'Subject: half\r\n';
      await new Promise(() => {});
    };
    const result = await client.send(ENVELOPE, source(), { signal: control.signal, facts: { body: '7BIT' } });
    expect([told(result), result.error]).toEqual(['unsent unsent', control.signal.reason]);
    await until('the server has seen it', () => aborted.length > 0);
    expect(kept).toEqual([]);
  });
});

test('a pool: 200 messages on few connections, each once', async ({ start }) => {
  const { handler, kept } = keeper();
  const connections: unknown[] = [];
  const server = await start({ ...handler, connect: () => note(connections, 1) });
  const pool: Pool = newPool(() => connect(portOf(server)), { size: 4 });
  const results = await Promise.all(Array.from({ length: 200 }, (_, i) => pool.send(ENVELOPE, `message ${i}\r\n`)));
  await pool.close();
  expect(new Set(results.map(told))).toEqual(new Set(['accepted accepted']));
  expect([kept.length, new Set(kept).size, connections.length]).toEqual([200, 200, 4]);
});
