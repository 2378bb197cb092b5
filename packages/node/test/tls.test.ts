// TLS from the first octet and by STARTTLS: certificates, what is told of a connection, and mail.
import { createHash, X509Certificate } from 'node:crypto';
import { accept, type Handler, type IncomingMessage, type Server, ServerTls, type Session } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { ABORTED_UNDER_TLS, connect, RUNTIME } from './adapter.ts';
import { taking } from './fixture.ts';
import { CLIENT, dialTls, LONG, OTHER, pem, SERVER, type TlsWire, test, upgrade } from './tls-wire.ts';
import { Gate, standstill, until, type Wire } from './wire.ts';

type Tls = NonNullable<Session['tls']>;

/** A handler that keeps what it is told of each connection that says EHLO under TLS. */
function watch(): { handler: Handler; told: Tls[] } {
  const told: Tls[] = [];
  const hello = (_: unknown, { tls }: Session): true => {
    if (tls !== null) told.push(tls);
    return true;
  };
  return { handler: { hello }, told };
}

describe.each([
  ['implicit TLS', true],
  ['STARTTLS', false],
] as const)('%s', (_, implicitTls) => {
  type Dial = (server: Server) => Promise<Wire>;

  /** A client that is secure, and greeted. */
  async function secure(server: Server, dial: Dial, options: Parameters<typeof upgrade>[1] = {}): Promise<TlsWire> {
    if (!implicitTls) return await upgrade(await dial(server), options);
    const wire = await dialTls(server, options);
    expect(await wire.reply()).toMatch(/^220 /);
    return wire;
  }

  test('a client is told when it is connected, and when it is secure', async ({ start }) => {
    const { address } = await start({ message: taking }, { tls: SERVER, implicitTls });
    const told: string[] = [];
    const notice = ({ type }: { readonly type: string }): number => told.push(type);
    const client = await connect({ host: '127.0.0.1', port: address.port, implicitTls, tls: { rejectUnauthorized: false }, notice });
    expect(told).toEqual(
      implicitTls ? ['connected', 'secured', 'greeting', 'hello'] : ['connected', 'greeting', 'hello', 'upgrade', 'secured', 'hello'],
    );
    await client.close();
  });

  test('a message, octet for octet; STARTTLS is not offered again', async ({ start, dial }) => {
    const mails: [IncomingMessage, string, string][] = [];
    const server = await start(
      {
        async message(message, { protocol }) {
          mails.push([message, Buffer.from(await message.body.bytes()).toString('latin1'), protocol]);
          return true;
        },
      },
      { tls: SERVER, implicitTls },
    );
    const wire = await secure(server, dial);
    const hello = await wire.say('EHLO client.example');
    expect(hello).toMatch(/^250-mx\.example\.org\r\n/);
    expect(hello).not.toContain('STARTTLS');
    expect(await wire.say('STARTTLS')).toBe('503 5.5.1 TLS is active already');
    for (const line of ['MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>']) expect(await wire.say(line)).toMatch(/^250 /);
    expect(await wire.say('DATA')).toMatch(/^354 /);
    expect(await wire.say('Subject: secret\r\n\r\n..dots \xff\r\n.')).toMatch(/^250 /);
    expect(await wire.say('QUIT')).toMatch(/^221 /);
    expect(await wire.rest()).toBe('');
    expect(wire.ended).toBe('FIN');
    wire.socket.end();
    expect(mails.map(([, content, protocol]) => [content, protocol])).toEqual([['Subject: secret\r\n\r\n.dots \xff\r\n', 'ESMTPS']]);
    await until('the session is over', () => server.connections === 0);
  });

  test('the name that is asked for picks the certificate', async ({ start, dial }) => {
    const { handler, told } = watch();
    const certificates = [{ ...OTHER, servernames: ['Other.example', '*.other.example'] }];
    const server = await start(handler, { tls: { ...SERVER, certificates }, implicitTls });
    const names = ['localhost', 'other.example', 'OTHER.example', 'a.other.example', 'a.b.other.example', 'else.example', ''];
    const shown: string[] = [];
    for (const servername of names) {
      const wire = await secure(server, dial, { servername });
      await wire.say('EHLO client.example');
      shown.push(wire.shown);
      wire.socket.destroy();
    }
    expect(shown).toEqual(['localhost', 'other.example', 'other.example', 'other.example', ...['localhost', 'localhost', 'localhost']]);
    expect(told.map(({ servername }) => servername)).toEqual(names.map((name) => name.toLowerCase()));
  });

  test('update: new certificates for new handshakes only; what is wrong changes nothing', async ({ start, dial }) => {
    const tls = new ServerTls(SERVER);
    const server = await start({}, { tls, implicitTls });
    const before = await secure(server, dial);
    tls.update(OTHER);
    const after = await secure(server, dial);
    expect([before.shown, after.shown]).toEqual(['localhost', 'other.example']);
    expect(await before.say('EHLO client.example')).toMatch(/^250/);
    expect(() => tls.update({ ...SERVER, cert: OTHER.cert })).toThrow(/not that of the certificate/);
    expect(() => tls.update({ ...SERVER, certificates: [{ key: 'none', cert: 'none' }] })).toThrow(
      /^tls.certificates.0.key is no PRIVATE KEY in PEM: give what the file holds, -----BEGIN …, not the file's name$/,
    );
    expect(() => tls.update({ key: SERVER.key } as typeof SERVER)).toThrow(/^tls.cert is undefined: give /);
    expect(() => tls.update({ key: SERVER.cert, cert: SERVER.key })).toThrow(/^tls.key is no PRIVATE KEY in PEM: /);
    expect((await secure(server, dial)).shown).toBe('other.example');
  });

  test.for([
    ['of the authority', CLIENT, { subject: 'client.example', altNames: 'DNS:client.example', authorized: true }, 'ca.crt'],
    ['of another', CLIENT, { subject: 'client.example', altNames: 'DNS:client.example', authorized: false }, 'other.crt'],
    ['that is missing', {}, undefined, 'ca.crt'],
  ] as const)('a client certificate %s is told', async ([, options, expected, ca], { start, dial }) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { handler, told } = watch();
      const server = await start(handler, { tls: { ...SERVER, requestCert: true, ca: pem(ca) }, implicitTls });
      const wire = await secure(server, dial, { ...options, maxVersion });
      expect(await wire.say('EHLO client.example')).toMatch(/^250/);
      const fingerprint256 = new X509Certificate(pem('client.crt')).fingerprint256;
      expect(told.map(({ peerCertificate }) => peerCertificate)).toEqual([expected && { ...expected, fingerprint256 }]);
      wire.socket.destroy();
    }
  });

  // Deno's own clients resume none.
  test.skipIf(RUNTIME === 'deno')('a session that is resumed: the client certificate is told again', async ({ start, dial }) => {
    const { handler, told } = watch();
    const server = await start(handler, { tls: { ...SERVER, requestCert: true, ca: pem('ca.crt') }, implicitTls });
    const first = await secure(server, dial, { ...CLIENT, maxVersion: 'TLSv1.2' });
    await first.say('EHLO client.example');
    const session = first.socket.getSession();
    first.socket.destroy();
    const second = await secure(server, dial, { ...CLIENT, maxVersion: 'TLSv1.2', ...(session === undefined ? {} : { session }) });
    await second.say('EHLO client.example');
    expect(second.socket.isSessionReused()).toBe(true);
    expect(told[1]?.peerCertificate).toEqual(told[0]?.peerCertificate);
    expect(told[1]?.peerCertificate?.authorized).toBe(true);
  });

  test('nobody is asked for a certificate by default', async ({ start, dial }) => {
    const { handler, told } = watch();
    const wire = await secure(await start(handler, { tls: SERVER, implicitTls }), dial, CLIENT);
    await wire.say('EHLO client.example');
    expect(told[0]).not.toHaveProperty('peerCertificate');
  });

  test.for([
    ['TLSv1.3', 'server.crt', SERVER, 'sha256', true],
    ['TLSv1.3', 'long.crt', LONG, 'sha384', true],
    ['TLSv1.2', 'server.crt', SERVER, 'sha256', false],
  ] as const)(
    '%s, %s: protocol, cipher and bindings are what the client sees',
    async ([version, , tls, hash, exports], { start, dial }) => {
      const { handler, told } = watch();
      const wire = await secure(await start(handler, { tls, implicitTls }), dial, { maxVersion: version });
      await wire.say('EHLO client.example');
      const { socket } = wire;
      const [info] = told;
      expect([info?.protocol, info?.cipher]).toEqual([version, socket.getCipher().standardName ?? socket.getCipher().name]);
      const endPoint = createHash(hash).update(socket.getPeerCertificate().raw).digest('hex');
      // Deno has none, on either side.
      const exporter = 'exportKeyingMaterial' in socket && socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
      const bindings = [...(info?.bindings ?? [])].map(([type, octets]) => [type, Buffer.from(octets).toString('hex')]);
      expect(Object.fromEntries(bindings)).toEqual({
        ...(exports && exporter ? { 'tls-exporter': exporter.toString('hex') } : {}),
        'tls-server-end-point': endPoint,
      });
      socket.destroy();
    },
  );

  test('versions: 1.1 is refused, and 1.2 where 1.3 is wanted', async ({ start, dial }) => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const server = await start({}, { tls: SERVER, implicitTls });
    const alert = RUNTIME === 'node' ? /alert protocol version/ : /./;
    // The clients of other runtimes have no 1.1.
    if (RUNTIME === 'node') await expect(secure(server, dial, old)).rejects.toThrow(alert);
    const strict = await start({}, { tls: { ...SERVER, minVersion: 'TLSv1.3' }, implicitTls });
    await expect(secure(strict, dial, { maxVersion: 'TLSv1.2' })).rejects.toThrow(alert);
    const wire = await secure(server, dial, { maxVersion: 'TLSv1.2' });
    expect(wire.socket.getProtocol()).toBe('TLSv1.2');
    wire.socket.destroy();
    await until('no session is left', () => server.connections + strict.connections === 0);
  });

  test('a client that sends its commands along with the end of its handshake', async ({ start, dial }) => {
    const server = await start({}, { tls: SERVER, implicitTls });
    for (let round = 0; round < 20; round++) {
      const early = 'EHLO client.example\r\nNOOP\r\nQUIT\r\n';
      const wire = implicitTls ? await dialTls(server, {}, early) : await upgrade(await dial(server), {}, early);
      expect(await wire.rest()).toMatch(/^(220 .*\r\n)?250-[\s\S]*\r\n250 2\.0\.0 NOOP OK\r\n221 .*\r\n$/);
      expect(wire.ended).toBe('FIN');
    }
    await until('all sessions are over', () => server.connections === 0);
  });

  test('half-close: the replies to all that was sent still come', async ({ start, dial }) => {
    const gate = new Gate();
    const server = await start({ rcpt: () => gate.passed.then(() => true) }, { tls: SERVER, implicitTls });
    const wire = await secure(server, dial);
    wire.socket.end('EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<b@mx.example>\r\nNOOP\r\nNOO');
    await wire.replies(2);
    gate.open();
    expect(await wire.rest()).toBe('250 2.1.5 Recipient OK\r\n250 2.0.0 NOOP OK\r\n');
    expect(wire.ended).toBe('FIN');
    await until('the session is over', () => server.connections === 0);
  });

  test('a handler that does not read stalls the client, and then gets every octet', async ({ start, dial }) => {
    const gate = new Gate();
    const asked = new Gate();
    const hash = createHash('sha256');
    const server = await start(
      {
        async message({ body }) {
          asked.open();
          await gate.passed;
          for await (const bytes of body) hash.update(bytes);
          return accept({ text: hash.digest('hex') });
        },
      },
      { tls: SERVER, implicitTls },
    );
    const wire = await secure(server, dial);
    await wire.say('EHLO client.example');
    for (const line of ['MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>', 'DATA']) await wire.say(line);
    const block = Buffer.from(`${'x'.repeat(1022)}\r\n`.repeat(1024));
    const blocks = 32;
    let taken = 0;
    const content = createHash('sha256');
    const sent = (async () => {
      for (let i = 0; i < blocks; i++) {
        content.update(block);
        await new Promise<void>((resolve) => wire.socket.write(block, () => resolve()));
        taken += block.length;
      }
    })();
    await asked.passed;
    // What the kernel's buffers hold, and not the 32 MiB.
    expect(await standstill(() => taken)).toBeLessThan(20 * block.length);
    gate.open();
    await sent;
    expect(await wire.say('.')).toBe(`250 2.6.0 ${content.digest('hex')}`);
  });

  // Deno's own TLS clients read whatever they are told.
  test.skipIf(RUNTIME === 'deno')(
    'a client that does not read is not read any more; when it does, each reply is there',
    async ({ start, dial }) => {
      let asked = 0;
      const server = await start(
        { info: ({ argument }) => accept({ text: `${argument} is number ${asked++}, ${'x'.repeat(400)}` }) },
        { tls: SERVER, implicitTls },
      );
      const wire = await secure(server, dial);
      wire.socket.pause();
      const count = 50_000;
      for (let i = 0; i < count; i++) wire.socket.write(`VRFY user${i}\r\n`);
      wire.socket.write('QUIT\r\n');
      expect(await standstill(() => asked)).toBeLessThan(count);
      wire.socket.resume();
      const lines = (await wire.rest()).split('\r\n');
      expect(lines.length).toBe(count + 2);
      expect(lines.slice(0, count).findIndex((line, i) => !line.includes(`user${i} is number ${i}, x`))).toBe(-1);
    },
  );

  test('close: says 421 to who waits, lets the open transaction end', async ({ start, dial }) => {
    const server = await start({ message: taking }, { tls: SERVER, implicitTls, grace: 60_000 });
    const [idle, busy] = [await secure(server, dial), await secure(server, dial)];
    for (const line of ['EHLO client.example', 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>', 'DATA']) await busy.say(line);
    const closed = server.close();
    expect(await idle.rest()).toMatch(/^421 [^\r]*\r\n$/);
    expect(await busy.say('Text\r\n.')).toMatch(/^250 /);
    expect(await busy.rest()).toMatch(/^421 [^\r]*\r\n$/);
    for (const wire of [idle, busy]) wire.socket.end();
    await closed;
    expect(server.connections).toBe(0);
  });

  test('abort: a connection that does not end in time is cut off', async ({ start, dial }) => {
    const server = await start({ message: taking }, { tls: SERVER, implicitTls, grace: 50 });
    const wire = await secure(server, dial);
    for (const line of ['EHLO client.example', 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>', 'DATA']) await wire.say(line);
    await server.close();
    expect(await wire.rest()).toBe('');
    expect(wire.ended).toBe(ABORTED_UNDER_TLS);
  });

  test('200 handshakes in a row', async ({ start, dial }) => {
    const server = await start({}, { tls: SERVER, implicitTls });
    for (let round = 0; round < 200; round++) {
      const wire = await secure(server, dial);
      wire.send('EHLO client.example\r\nQUIT\r\n');
      expect((await wire.replies(2))[1]).toMatch(/^221 /);
      wire.socket.end();
    }
    await until('all have left', () => server.connections === 0);
  });

  test('50 handshakes at once', async ({ start, dial }) => {
    const server = await start({}, { tls: SERVER, implicitTls });
    const wires = await Promise.all(Array.from({ length: 50 }, () => secure(server, dial)));
    const replies = await Promise.all(wires.map((wire) => wire.say('EHLO client.example')));
    expect(replies.filter((reply) => !reply.startsWith('250'))).toEqual([]);
    expect(server.connections).toBe(50);
    for (const wire of wires) wire.socket.destroy();
    await until('all have left', () => server.connections === 0);
  });
});

test('implicitTls without a certificate is a mistake', async ({ start }) => {
  await expect(start({}, { implicitTls: true })).rejects.toThrow('implicitTls needs a certificate');
});
