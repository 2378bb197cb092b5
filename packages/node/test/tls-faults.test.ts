// What a client may do wrong around a handshake: nothing in clear is carried over, nobody is hurt, and nothing is left behind.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Handler, type Server, ServerTls } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { dialTls, handshake, offer, SERVER, test, upgrade } from './tls-wire.ts';
import { Gate, until, type Wire } from './wire.ts';

type Start = (handler?: Handler, options?: object) => Promise<Server>;

/** A server with STARTTLS that keeps every question and fault that a client has caused. */
async function serveTls(start: Start, options: object = {}): Promise<{ server: Server; asked: string[]; notices: string[] }> {
  const asked: string[] = [];
  const notices: string[] = [];
  const ask =
    (type: string) =>
    (_: unknown): true => {
      asked.push(type);
      return true;
    };
  const handler: Handler = {
    hello: ask('hello'),
    mail: ask('mail'),
    rcpt: ask('rcpt'),
    notice(notice) {
      if (notice.type === 'closed') notices.push(notice.cause);
      if (notice.type === 'fault') notices.push(notice.code);
    },
  };
  const server = await start(handler, { tls: SERVER, ...options });
  return { server, asked, notices };
}

/** No session is left, and the next client gets a handshake. */
async function livesOn(server: Server, dial: (server: Server) => Promise<Wire>, implicitTls = false): Promise<void> {
  await until('no session is left', () => server.connections === 0);
  const wire = implicitTls ? await dialTls(server) : await upgrade(await dial(server));
  expect(await wire.say('NOOP')).toMatch(/^2/);
}

describe('octets in clear behind STARTTLS', () => {
  test.for([
    ['a command', 'STARTTLS\r\nMAIL FROM:<evil@client.example>\r\n'],
    ['a part of a line', 'STARTTLS\r\nRSE'],
    ['a second STARTTLS', 'STARTTLS\r\nSTARTTLS\r\n'],
    ['a greeting', 'STARTTLS\r\nEHLO evil.example\r\n'],
    ['an empty line', 'STARTTLS\r\n\r\n'],
    ['much', `STARTTLS\r\n${'NOOP\r\n'.repeat(100_000)}`],
  ] as const)('%s in the same write: the end of the connection, and nothing of it is done', async ([, octets], { start, dial }) => {
    const { server, asked, notices } = await serveTls(start);
    const wire = await dial(server);
    await wire.reply();
    await wire.say('EHLO client.example');
    wire.send(octets);
    expect(await wire.rest()).toMatch(/^(220 [^\r]*\r\n)?$/);
    await until('the session is over', () => notices.length === 2);
    expect(notices).toEqual(['plaintext-after-starttls', 'plaintext-after-starttls']);
    expect(asked).toEqual(['hello']);
    await livesOn(server, dial);
  });

  test.for([
    ['a command', 'MAIL FROM:<evil@client.example>\r\n'],
    ['a part of a line', 'RSE'],
    ['a second STARTTLS', 'STARTTLS\r\n'],
  ] as const)('%s in a later write, before the handshake: no handshake, and nothing of it is done', async ([, octets], { start, dial }) => {
    const { server, asked } = await serveTls(start);
    const wire = await dial(server);
    await offer(wire);
    wire.send(octets);
    await expect(handshake(wire)).rejects.toThrow();
    await until('the session is over', () => server.connections === 0);
    expect(asked).toEqual(['hello']);
    await livesOn(server, dial);
  });

  test('while STARTTLS is decided on: no handshake, and nothing of it is done', async ({ start, dial }) => {
    const asked = new Gate();
    const decided = new Gate();
    const done: string[] = [];
    const server = await start(
      {
        async starttls() {
          asked.open();
          await decided.passed;
          return true as const;
        },
        mail({ reversePath }) {
          done.push(reversePath.address);
          return true;
        },
      },
      { tls: SERVER },
    );
    const wire = await dial(server);
    await wire.reply();
    await wire.say('EHLO client.example');
    wire.send('STARTTLS\r\n');
    await asked.passed;
    wire.send('EHLO evil.example\r\nMAIL FROM:<evil@client.example>\r\n');
    decided.open();
    expect(await wire.reply()).toMatch(/^220 /);
    await expect(handshake(wire)).rejects.toThrow();
    await livesOn(server, dial);
    expect(done).toEqual([]);
  });
});

describe('STARTTLS', () => {
  test('is refused before EHLO, with an argument, and in a transaction; the session goes on', async ({ start, dial }) => {
    const { server } = await serveTls(start);
    const wire = await dial(server);
    await wire.reply();
    expect(await wire.say('STARTTLS')).toMatch(/^503 /);
    expect(await wire.say('EHLO client.example')).toMatch(/^250[- ]STARTTLS$/m);
    expect(await wire.say('STARTTLS now')).toMatch(/^501 /);
    expect(await wire.say('MAIL FROM:<a@client.example>')).toMatch(/^250 /);
    expect(await wire.say('STARTTLS')).toMatch(/^503 /);
    expect(await wire.say('RSET')).toMatch(/^250 /);
    expect(await wire.say('STARTTLS')).toMatch(/^220 /);
    expect(await (await handshake(wire)).say('EHLO client.example')).toMatch(/^250/);
  });

  test('forgets who the client said it is', async ({ start, dial }) => {
    const { server } = await serveTls(start);
    const wire = await upgrade(await dial(server));
    expect(await wire.say('MAIL FROM:<a@client.example>')).toMatch(/^503 /);
    expect(await wire.say('EHLO client.example')).toMatch(/^250/);
    expect(await wire.say('MAIL FROM:<a@client.example>')).toMatch(/^250 /);
  });

  test('that is required: 530 to all that needs it, and 250 under TLS', async ({ start, dial }) => {
    const { server, asked } = await serveTls(start, { starttls: 'required' });
    const wire = await dial(server);
    await wire.reply();
    expect(await wire.say('EHLO client.example')).toMatch(/^250[- ]STARTTLS$/m);
    expect(await wire.say('MAIL FROM:<a@client.example>')).toBe('530 5.7.0 Must issue a STARTTLS command first');
    expect(asked).toEqual(['hello']);
    expect(await wire.say('STARTTLS')).toMatch(/^220 /);
    const secure = await handshake(wire);
    await secure.say('EHLO client.example');
    expect(await secure.say('MAIL FROM:<a@client.example>')).toMatch(/^250 /);
  });

  test('that is off: not offered, though there is a certificate', async ({ start, dial }) => {
    const { server } = await serveTls(start, { starttls: 'off' });
    const wire = await dial(server);
    await wire.reply();
    expect(await wire.say('EHLO client.example')).not.toContain('STARTTLS');
    expect(await wire.say('STARTTLS')).toMatch(/^502 /);
  });
});

describe.each([
  ['implicit TLS', true],
  ['STARTTLS', false],
] as const)('a handshake that fails, %s', (_, implicitTls) => {
  /** A client that is at the point where its handshake begins. */
  async function ready(server: Server, dial: (server: Server) => Promise<Wire>): Promise<Wire> {
    const wire = await dial(server);
    if (!implicitTls) await offer(wire);
    return wire;
  }

  /** The first octets of a ClientHello: the record is never whole. */
  const PART = Buffer.from('16030100c8010000c40303', 'hex');

  test.for([
    ['garbage', (wire: Wire): void => wire.send('EHLO is no ClientHello\r\n'.repeat(20))],
    ['octets of any kind', (wire: Wire): void => wire.send(Buffer.from(Array.from({ length: 5000 }, (_octet, i) => (i * 97) % 256)))],
    ['an end before it', (wire: Wire): void => void wire.socket.end()],
    ['an end within it', (wire: Wire): void => void wire.socket.end(PART)],
    ['a reset before it', (wire: Wire): void => wire.reset()],
    ['a reset within it', (wire: Wire): void => void wire.socket.write(PART, () => wire.reset())],
  ] as const)('by %s', async ([, spoil], { start, dial }) => {
    const { server } = await serveTls(start, { implicitTls });
    const witness = implicitTls ? await dialTls(server) : await dial(server);
    await witness.reply();
    for (let round = 0; round < 10; round++) {
      const wire = await ready(server, dial);
      spoil(wire);
      await until('the server has ended it', () => wire.ended !== null);
    }
    await until('only the witness is left', () => server.connections === 1);
    expect(await witness.say('NOOP')).toMatch(/^250 /);
    witness.socket.destroy();
    await livesOn(server, dial, implicitTls);
  });

  test('because the client refuses the certificate', async ({ start, dial }) => {
    const { server } = await serveTls(start, { implicitTls });
    const untrusting = { ca: [], rejectUnauthorized: true };
    const attempt = implicitTls ? dialTls(server, untrusting) : dial(server).then((wire) => upgrade(wire, untrusting));
    await expect(attempt).rejects.toMatchObject({ code: expect.stringMatching(/UNABLE_TO|SELF_SIGNED/) });
    await livesOn(server, dial, implicitTls);
  });

  test('because it does not end in time', async ({ start, dial }) => {
    const { server, notices } = await serveTls(start, { implicitTls, limits: { tlsTimeout: 1000 } });
    const wires = [await ready(server, dial), await ready(server, dial)];
    wires[1]!.send(PART);
    for (const wire of wires) await until('it is ended', () => wire.ended !== null);
    // With implicit TLS there is no session before the handshake.
    expect(notices).toEqual(implicitTls ? [] : ['timeout', 'timeout']);
    await livesOn(server, dial, implicitTls);
  });

  test('because the server closes', async ({ start, dial }) => {
    const { server } = await serveTls(start, { implicitTls, grace: 50 });
    const wire = await ready(server, dial);
    wire.send(PART);
    await server.close();
    expect(server.connections).toBe(0);
    await until('it is ended', () => wire.ended !== null);
  });
});

test.skipIf(process.platform === 'win32')('a Unix socket: STARTTLS, and an abort under it', async ({ start, dial }) => {
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-node-'));
  const path = join(folder, 'smtp');
  const { server } = await serveTls(start, { path, grace: 0 });
  const wire = await upgrade(await dial({ path }));
  expect(await wire.say('EHLO client.example')).toMatch(/^250/);
  for (const line of ['MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>', 'DATA']) await wire.say(line);
  await server.close();
  await until('it is ended', () => wire.ended !== null);
  expect(server.connections).toBe(0);
  rmSync(folder, { recursive: true });
});

test('a certificate that does not belong to its key, or is none', () => {
  expect(() => new ServerTls({ ...SERVER, cert: 'none' })).toThrow();
  expect(() => new ServerTls({ ...SERVER, key: 'none' })).toThrow();
});
