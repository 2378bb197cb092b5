// A connection that fails, or can't be wanted: which of the two it is, at what stage, and what is said of it.
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dialSocket, type Socket } from 'node:net';
import { SmtpUsageError } from '@ehlo/engine';
import type { ClientError, ConnectOptions, Handler, TlsSettings } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { connect, RUNTIME } from './adapter.ts';
import { test as base } from './fixture.ts';
import { OTHER, pem, SERVER } from './tls-wire.ts';

const test = base.extend<{ raw: (connected: (socket: Socket) => void) => Promise<number> }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads a fixture's needs from this pattern, and it has none.
  raw: async ({}, use) => {
    const ends: (() => void)[] = [];
    await use(async (connected) => {
      const server = createServer((socket) => {
        ends.push(() => socket.destroy());
        socket.on('error', () => {});
        connected(socket);
      }).listen(0, '127.0.0.1');
      ends.push(() => server.close());
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    });
    for (const end of ends) end();
  },
});

/** A certificate that is its own authority. */
const alone = (name: string): TlsSettings => ({ ...OTHER, cert: pem(name) });

async function failure(options: ConnectOptions): Promise<ClientError> {
  const error: unknown = await connect(options).then(
    () => null,
    (why: unknown) => why,
  );
  expect((error as ClientError | null)?.name).toBe('ClientError');
  return error as ClientError;
}

describe('TLS', () => {
  test('from the start, that nobody answers: it is the handshake that is missing, not the connection', async ({ raw }) => {
    const port = await raw(() => {});
    expect(await failure({ port, implicitTls: true, limits: { tlsTimeout: 50 } })).toMatchObject({
      code: 'timeout',
      stage: 'tls',
      message: 'no TLS handshake within 0.05 s',
    });
    const control = new AbortController();
    // Given up when the first octets of the handshake have arrived: then there is a connection.
    const reached = await raw((socket) => void socket.on('data', () => control.abort()));
    expect(await failure({ port: reached, implicitTls: true, signal: control.signal })).toMatchObject({ code: 'aborted', stage: 'tls' });
  });

  test('is not spoken: by a port that wants STARTTLS first, or by a server that has just accepted it', async ({ raw }) => {
    const greets = await raw((socket) => void socket.write('220 mx.example\r\n'));
    expect(await failure({ port: greets, implicitTls: true })).toMatchObject({
      code: 'speaks-cleartext',
      stage: 'tls',
      message: 'this port does not speak TLS first: connect in clear, with STARTTLS',
    });
    const goesOn = await raw((socket) => {
      socket.write('220 mx.example\r\n');
      socket.on('data', (bytes) => {
        const said = bytes.toString('latin1');
        // What is no command is the handshake.
        const answer = said.startsWith('EHLO') ? '250-mx.example\r\n250 STARTTLS' : said.startsWith('STARTTLS') ? '220 go' : '500 what?';
        socket.write(`${answer}\r\n`);
      });
    });
    expect(await failure({ port: goesOn })).toMatchObject({
      code: 'tls-failed',
      stage: 'tls',
      message: expect.stringMatching(/^the server accepts STARTTLS, and then goes on in clear; .* starttls: 'off' goes on in clear$/),
    });
  });

  test('that the server breaks off: in words, and with the way out where it was only tried', async ({ raw }) => {
    // RFC 8446 6.2: a fatal alert, handshake_failure.
    const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);
    const port = await raw((socket) => {
      socket.write('220 mx.example\r\n');
      socket.on('data', (bytes) => {
        const said = bytes.toString('latin1');
        if (said.startsWith('EHLO')) socket.write('250-mx.example\r\n250 STARTTLS\r\n');
        else if (said.startsWith('STARTTLS')) socket.write('220 go\r\n');
        // What is no command is the handshake.
        else socket.end(alert);
      });
    });
    const words = 'the TLS handshake failed: the two have no cipher in common';
    const error = await failure({ port });
    expect([error.code, error.stage, error.message.startsWith(words)]).toEqual(['tls-failed', 'tls', true]);
    expect(error.message).toContain("starttls: 'off' goes on in clear");
    expect(await failure({ port, starttls: 'required' })).toMatchObject({ code: 'tls-failed', message: words });
  });

  // Deno says of each of them that its authority is not known.
  test.skipIf(RUNTIME === 'deno').for([
    ['has expired', 'expired.crt', "the server's certificate has expired: the server needs a new one, if the clock here is right"],
    ['is not valid yet', 'early.crt', "the server's certificate is not valid yet: is the clock here right?"],
  ] as const)('with a certificate that %s: no authority is asked for', async ([, name, text], { start }) => {
    const server = await start({}, { tls: alone(name) });
    const options = { host: 'localhost', port: server.address.port, starttls: 'required', tls: { ca: pem(name) } } as const;
    expect(await failure(options)).toMatchObject({ code: 'certificate', message: text });
  });

  test.for([
    ['localhost', 'the options argument is a string; it must be an object'],
    [25, 'the options argument is a number; it must be an object'],
  ] as const)('connect(%j): options are an object', async ([given, message]) => {
    await expect(connect(given as unknown as object)).rejects.toMatchObject({ name: 'SmtpUsageError', code: 'bad-option', message });
  });

  test('with a certificate that nobody known has signed: the authority is asked for', async ({ start }) => {
    const server = await start({}, { tls: alone('idn.crt') });
    const error = await failure({ port: server.address.port, starttls: 'required' });
    expect([error.code, error.message]).toEqual([
      'certificate',
      expect.stringMatching(/^the server's certificate is not trusted: .*; give the authority that has signed it, by tls\.ca$/),
    ]);
  });

  test.for([
    ['with a dot at its end', 'localhost.', 'localhost', SERVER, 'ca.crt'],
    ['beyond ASCII', 'bücher.example', 'xn--bcher-kva.example', alone('idn.crt'), 'idn.crt'],
    ['both', 'bücher.example.', 'xn--bcher-kva.example', alone('idn.crt'), 'idn.crt'],
  ] as const)('asks for a host %s as RFC 6066 3 has it, and the certificate is held against that', async (row, { start }) => {
    const [, host, asked, tls, ca] = row;
    const names: unknown[] = [];
    const handler: Handler = {
      mail(_, session) {
        names.push(session.tls?.servername);
        return true;
      },
    };
    const server = await start(handler, { tls });
    const transport = async (): Promise<Socket> => {
      const socket = dialSocket(server.address.port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    };
    const client = await connect({ host, transport, starttls: 'required', tls: { ca: pem(ca) } });
    await client.send({ reversePath: '', recipients: ['ann@b.example'] }, 'x');
    expect([client.tls?.servername, names]).toEqual([asked, [asked]]);
    await client.close();
  });
});

describe('a mistake', () => {
  test.for<[string, ConnectOptions, string]>([
    ['a name that is none', { hostname: 'not_a name' }, 'bad-hostname'],
    ['a limit that is none', { limits: { mailTimeout: 0.5 } }, 'bad-limit'],
    ['a time to connect that is no number', { connectTimeout: Number.NaN }, 'bad-limit'],
    ['a time to connect below zero', { connectTimeout: -1 }, 'bad-limit'],
    ['no time to connect at all', { connectTimeout: 0 }, 'bad-limit'],
    ['LMTP without a port', { protocol: 'lmtp' }, 'bad-argument'],
    ...[
      { starttls: true },
      { starttls: 'require' },
      { secure: true },
      { implicitTLS: true },
      { implicitTls: 'yes' },
      { hst: 'x' },
      { host: 5 },
      { tls: { servernam: 'x' } },
      { tls: { rejectUnauthorized: 0 } },
      { tls: { minVersion: 'TLSv1.1' } },
      { limits: { tlsTimeut: 5 } },
    ].map((options) => [JSON.stringify(options), options as ConnectOptions, 'bad-option'] as [string, ConnectOptions, string]),
  ])('shows before anybody is called: %s', async ([, options, code], { raw }) => {
    let calls = 0;
    const port = await raw(() => calls++);
    const where = options.protocol === 'lmtp' ? {} : { port };
    const error: unknown = await connect({ ...where, ...options }).catch((why: unknown) => why);
    expect(error).toBeInstanceOf(SmtpUsageError);
    expect([(error as SmtpUsageError).code, calls]).toEqual([code, 0]);
  });

  test('a way to connect that fails: a ClientError of its own stays, anything else is the cause of one', async () => {
    const broken = new TypeError('no proxy');
    const fails = (error: unknown) => (): Promise<never> => Promise.reject(error);
    const throws = (): never => {
      throw broken;
    };
    for (const transport of [fails(broken), throws])
      expect(await failure({ transport })).toMatchObject({
        code: 'no-connection',
        message: 'no connection by the option transport: no proxy',
        cause: broken,
      });
    const own = await failure({ port: 1 });
    expect(await failure({ transport: fails(own) })).toBe(own);
  });

  test.for([
    ['undefined', undefined],
    ['null', null],
    ['an object', {}],
  ] as const)('a way to connect that gives %s', async ([what, given]) => {
    await expect(connect({ port: 25, transport: async () => given as never })).rejects.toMatchObject({
      name: 'SmtpUsageError',
      code: 'bad-argument',
      message: `the option transport has given ${what}; it must give a socket of node:net that is connected, or a transport`,
    });
  });
});

test.for([
  ['infinite', Number.POSITIVE_INFINITY],
  ['beyond what a timer takes', 3e9],
] as const)('a time to connect that is %s does not run out at once', async ([, connectTimeout], { start }) => {
  const { port } = (await start()).address;
  const transport = async (): Promise<Socket> => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const socket = dialSocket(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const client = await connect({ transport, connectTimeout });
  expect(client.capabilities.verb).toBe('EHLO');
  await client.close();
});
