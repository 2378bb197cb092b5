// What a server, and a client, may say of TLS: the certificate for a name, asked for when it is needed; versions, ciphers, whom to refuse.
import type { Handler, TlsSettings } from '@ehlo/node';
import { ServerTls } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { connect, RUNTIME, serve } from './adapter.ts';
import { CLIENT, dialTls, handshake, OTHER, offer, pem, SERVER, test, upgrade } from './tls-wire.ts';
import { until } from './wire.ts';

const USAGE = { name: 'SmtpUsageError', code: 'bad-option' };

describe.each([
  ['implicit TLS', true],
  ['STARTTLS', false],
] as const)('%s', (_, implicitTls) => {
  test('certificateFor: asked for each name, now or later; nothing leaves it to the names', async ({ start, dial }) => {
    const asked: string[] = [];
    const certificateFor = async (name: string): Promise<typeof OTHER | undefined> => {
      asked.push(name);
      await new Promise((resolve) => setTimeout(resolve, 1));
      return name === 'other.example' ? OTHER : undefined;
    };
    const bindings: string[] = [];
    const handler: Handler = {
      secured: ({ servername, bindings: told }) =>
        void bindings.push(`${servername} ${Buffer.from(told!.get('tls-server-end-point')!).toString('hex')}`),
    };
    const certificates = [{ ...OTHER, servernames: ['third.example'] }];
    const server = await start(handler, { tls: { ...SERVER, certificates, certificateFor }, implicitTls });
    const shown: string[] = [];
    for (const servername of ['OTHER.example', 'third.example', 'localhost', '']) {
      const wire = implicitTls ? await dialTls(server, { servername }) : await upgrade(await dial(server), { servername });
      if (implicitTls) await wire.reply();
      await wire.say('EHLO client.example');
      shown.push(wire.shown);
      wire.socket.destroy();
    }
    expect(shown).toEqual(['other.example', 'other.example', 'localhost', 'localhost']);
    expect(asked).toEqual(['other.example', 'third.example', 'localhost']);
    // What a binding binds to is the certificate that was shown.
    const [first, second, third, fourth] = bindings.map((line) => line.split(' ')[1]);
    expect([first === second, second === third, third === fourth]).toEqual([true, false, true]);
  });

  test('certificateFor that fails, or gives none: the handshake fails, the program is told why, and the server goes on', async ({
    start,
    dial,
  }) => {
    const failures: unknown[] = [];
    const answers: { readonly [name: string]: () => never | TlsSettings } = {
      'throws.example': () => {
        throw new Error('no such host here');
      },
      'wrong.example': () => ({ key: 'server.key', cert: 'server.crt' }),
    };
    const handler: Handler = { tlsFailed: (error) => void failures.push((error as Error).message) };
    const server = await start(handler, { tls: { ...SERVER, certificateFor: (name) => answers[name]?.() }, implicitTls });
    for (const servername of Object.keys(answers)) {
      const wire = await dial(server);
      if (!implicitTls) await offer(wire);
      await expect(handshake(wire, { servername })).rejects.toThrow();
    }
    await until('both are told', () => failures.length === 2);
    expect(failures).toEqual(['no such host here', expect.stringMatching(/^tls\.certificateFor\(\)\.key is no PRIVATE KEY in PEM/)]);
    const wire = implicitTls ? await dialTls(server) : await upgrade(await dial(server));
    expect(wire.shown).toBe('localhost');
  });

  test('maxVersion: no higher', async ({ start, dial }) => {
    const server = await start({}, { tls: { ...SERVER, maxVersion: 'TLSv1.2' }, implicitTls });
    const wire = implicitTls ? await dialTls(server) : await upgrade(await dial(server));
    expect(wire.socket.getProtocol()).toBe('TLSv1.2');
  });

  test.runIf(RUNTIME !== 'deno')('ciphers: no other', async ({ start, dial }) => {
    const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305';
    const server = await start({}, { tls: { ...SERVER, ciphers, maxVersion: 'TLSv1.2' }, implicitTls });
    const wire = implicitTls ? await dialTls(server) : await upgrade(await dial(server));
    expect(wire.socket.getCipher().name).toMatch(/-CHACHA20-POLY1305$/);
    const other = await dial(server);
    if (!implicitTls) await offer(other);
    await expect(handshake(other, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' })).rejects.toThrow();
  });

  test('rejectUnauthorized: without a certificate that is trusted there is no session', async ({ start, dial }) => {
    const told: string[] = [];
    const handler: Handler = {
      secured: ({ peerCertificate }) => void told.push(`secured ${peerCertificate?.subject}`),
      tlsFailed: (error) => void told.push((error as Error).message),
      hello: (_question, { tls }) => {
        if (tls !== null) told.push('hello');
        return true;
      },
    };
    const tls = { ...SERVER, ca: pem('ca.crt'), requestCert: true, rejectUnauthorized: true };
    const server = await start(handler, { tls, implicitTls });
    for (const [i, options] of [{}, STRANGER, CLIENT].entries()) {
      const below = await dial(server);
      if (!implicitTls) await offer(below);
      // By TLS 1.3 a client has its handshake behind it before the server has seen its certificate.
      const wire = await handshake(below, { ...options, checkServerIdentity: () => undefined }).catch(() => null);
      wire?.send('EHLO client.example\r\n');
      if (i < 2) await until('the failure is told', () => told.length > i);
      else await until('the session goes on', () => told.at(-1) === 'hello');
    }
    expect(told).toEqual([
      'the client has shown no certificate',
      expect.stringMatching(/^the client has shown a certificate \(.+\) that is not trusted$/),
      'secured client.example',
      'hello',
    ]);
  });
});

const STRANGER = { key: pem('other.key'), cert: pem('idn.crt') };

test('a client: maxVersion and ciphers', async ({ start }) => {
  const told: string[] = [];
  const server = await start({ secured: ({ protocol, cipher }) => void told.push(`${protocol} ${cipher}`) }, { tls: SERVER });
  const ciphers = RUNTIME === 'deno' ? {} : { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305' };
  const client = await connect({
    port: server.address.port,
    starttls: 'required',
    tls: { ca: pem('ca.crt'), servername: 'localhost', maxVersion: 'TLSv1.2', ...ciphers },
  });
  await client.close();
  expect(told).toEqual([expect.stringMatching(RUNTIME === 'deno' ? /^TLSv1\.2 / : /^TLSv1\.2 .*CHACHA20/)]);
});

test.each<[object, RegExp]>([
  [
    { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' },
    /^tls\.maxVersion is TLSv1\.2, and tls\.minVersion TLSv1\.3: there is no version between them$/,
  ],
  [{ maxVersion: 'TLSv1.1' }, /^tls\.maxVersion is "TLSv1\.1"; it must be one of TLSv1\.2, TLSv1\.3/],
  ...(RUNTIME === 'deno'
    ? [[{ ciphers: 'AES128-GCM-SHA256' }, /^tls\.ciphers: Deno chooses its ciphers by itself/] as [object, RegExp]]
    : []),
  ...(RUNTIME === 'bun'
    ? [[{ ciphers: 'TLS_AES_256_GCM_SHA384' }, /^tls\.ciphers: Bun chooses the ciphers of TLS 1\.3/] as [object, RegExp]]
    : []),
])('%j is a mistake of the program', async (options, message) => {
  const wrong = { ...USAGE, message: expect.stringMatching(message) };
  expect(() => new ServerTls({ ...SERVER, ...options })).toThrow(expect.objectContaining(wrong));
  await expect(serve({ port: 0, hostname: 'mx.example.org', preset: 'sink', tls: { ...SERVER, ...options } }, {})).rejects.toMatchObject(
    wrong,
  );
  await expect(connect({ port: 1, tls: options })).rejects.toMatchObject(wrong);
});

test('certificates of clients are demanded only where they are asked for', () => {
  const wrong = { ...USAGE, message: expect.stringMatching(/^tls\.rejectUnauthorized is about certificates of clients/) };
  expect(() => new ServerTls({ ...SERVER, rejectUnauthorized: true })).toThrow(expect.objectContaining(wrong));
  expect(() => new ServerTls({ ...SERVER, certificateFor: OTHER } as unknown as TlsSettings)).toThrow(expect.objectContaining(USAGE));
});
