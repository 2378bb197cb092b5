// A session that is held: ended at once, told of its TLS, with data of the program; the same on every runtime.
import type { Handler, Server, Session } from '@ehlo/node';
import { describe, expect } from 'vitest';
import { ABORTED, ABORTED_UNDER_TLS } from './adapter.ts';
import { taking } from './fixture.ts';
import { CLIENT, dialTls, handshake, pem, SERVER, test, upgrade } from './tls-wire.ts';
import { until, type Wire } from './wire.ts';

/** What a handler is told, in words. */
function log(): { readonly lines: string[]; readonly handler: Handler } {
  const lines: string[] = [];
  return {
    lines,
    handler: {
      connect() {
        lines.push('connect');
        return true;
      },
      secured: ({ protocol, servername, peerCertificate }, { tls }) =>
        void lines.push(`secured ${protocol} ${servername} ${peerCertificate?.subject ?? 'nobody'} ${tls?.protocol === protocol}`),
      tlsFailed: (error, { address }, session) =>
        void lines.push(`failed ${address} ${error instanceof Error && error.message !== ''} ${session === null ? 'before' : session.tls}`),
      notice: (notice) => void (notice.type === 'closed' && lines.push(`closed ${notice.cause}`)),
    },
  };
}

test('abort, in clear: the client sees the connection go, and nothing said', async ({ start, dial }) => {
  const { lines, handler } = log();
  const rcpt = (_: unknown, session: Session): true => {
    session.abort();
    return true;
  };
  const server = await start({ ...handler, rcpt });
  const wire = await dial(server);
  await wire.reply();
  for (const line of ['EHLO client.example', 'MAIL FROM:<a@client.example>']) await wire.say(line);
  wire.send('RCPT TO:<b@mx.example>\r\n');
  expect([await wire.rest(), wire.ended]).toEqual(['', ABORTED]);
  expect([lines, server.connections, server.lingering]).toEqual([['connect', 'closed lost'], 0, 0]);
});

test('close now: who sends, who waits, and who makes a handshake are cut off', async ({ start, dial }) => {
  const { lines, handler } = log();
  const server = await start({ ...handler, message: taking }, { grace: 60_000, tls: SERVER });
  const [greeted, busy, shaking] = [await dial(server), await dial(server), await dial(server)];
  await greeted.reply();
  await busy.open354();
  await shaking.reply();
  for (const line of ['EHLO client.example', 'STARTTLS']) await shaking.say(line);
  const closed = server.close();
  await greeted.rest();
  await Promise.all([server.close({ now: true }), closed]);
  expect([await busy.rest(), busy.ended, server.connections, server.lingering]).toEqual(['', ABORTED, 0, 0]);
  await shaking.rest();
  expect(lines.filter((line) => line !== 'connect')).toEqual([
    'closed shutdown',
    'closed lost',
    'failed 127.0.0.1 true null',
    'closed lost',
  ]);
});

test.for(['EHLO', 'LHLO'] as const)('%s: STARTTLS that is not announced is taken all the same', async (hello, { start, dial }) => {
  const { lines, handler } = log();
  const preset = hello === 'LHLO' ? 'lmtp' : 'mx';
  const server = await start({ ...handler, rcpt: () => true, message: taking }, { preset, tls: SERVER, starttls: 'unannounced' });
  const clear = await dial(server);
  await clear.reply();
  expect(await clear.say(`${hello} client.example`)).not.toContain('STARTTLS');
  expect(await clear.say('STARTTLS')).toMatch(/^220 /);
  const wire = await handshake(clear, { servername: 'mx.example.org' });
  for (const line of [`${hello} client.example`, 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@mx.example>'])
    expect(await wire.say(line)).toMatch(/^250/);
  expect(await wire.say('DATA')).toMatch(/^354 /);
  expect(await wire.say('text\r\n.')).toMatch(/^250 /);
  expect(lines).toEqual(['connect', 'secured TLSv1.3 mx.example.org nobody true']);
});

describe.each([
  ['implicit TLS', true],
  ['STARTTLS', false],
] as const)('%s', (_, implicitTls) => {
  type Dial = (server: Server) => Promise<Wire>;
  const secure = async (server: Server, dial: Dial, options: object = {}): Promise<Wire> => {
    const wire = implicitTls ? await dialTls(server, options) : await upgrade(await dial(server), options);
    if (implicitTls) await wire.reply();
    await wire.say('EHLO client.example'); // the server's side has its handshake behind it, too
    return wire;
  };

  test('secured: with what, and by whom', async ({ start, dial }) => {
    const { lines, handler } = log();
    const server = await start(handler, { tls: { ...SERVER, requestCert: true, ca: pem('ca.crt') }, implicitTls });
    await secure(server, dial, { servername: 'mx.example.org', ...CLIENT });
    await secure(server, dial, { servername: 'other.example', maxVersion: 'TLSv1.2' });
    const told = ['secured TLSv1.3 mx.example.org client.example true', 'secured TLSv1.2 other.example nobody true'];
    expect(lines).toEqual(told.flatMap((line) => (implicitTls ? [line, 'connect'] : ['connect', line])));
  });

  test('tlsFailed: octets that are no handshake, and a client that leaves', async ({ start, dial }) => {
    for (const leaves of [true, false]) {
      const { lines, handler } = log();
      const server = await start(handler, { tls: SERVER, implicitTls });
      const wire = await dial(server);
      if (!implicitTls) {
        await wire.reply();
        for (const line of ['EHLO client.example', 'STARTTLS']) await wire.say(line);
      }
      if (leaves) wire.socket.end();
      else wire.send('\x16\x03\x01\x00\x05HELLO');
      const failed = `failed 127.0.0.1 true ${implicitTls ? 'before' : 'null'}`;
      await until('the failure is told', () => lines.includes(failed));
      await until('the connection is gone', () => server.connections === 0);
      expect(lines).toEqual(implicitTls ? [failed] : ['connect', failed, 'closed lost']);
    }
  });

  test('abort under TLS', async ({ start, dial }) => {
    const held: Session[] = [];
    const server = await start({ secured: (_tls, session) => void held.push(session) }, { tls: SERVER, implicitTls });
    const wire = await secure(server, dial);
    held[0]!.abort();
    expect([await wire.rest(), wire.ended, server.connections]).toEqual(['', ABORTED_UNDER_TLS, 0]);
  });
});
