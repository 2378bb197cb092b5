// What a server does that fails on command: within content and chunks, in TLS, by what it offers, and as time goes by. Our own client and nodemailer meet it.
import { readFileSync } from 'node:fs';
import { connect as tlsConnect } from 'node:tls';
import { createTransport } from 'nodemailer';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type CertificateKind, type TestServer, type TestServerOptions, testServer } from '../../src/testing.ts';
import { RawClient, transaction } from './raw-client.ts';

const { connect } = (await import('../../src/index.ts')) as typeof import('../../src/index.ts');

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function server(options?: TestServerOptions): Promise<TestServer> {
  const mx = await testServer(options);
  open.push({ close: () => mx.close().catch(() => {}) });
  return mx;
}

function client(mx: TestServer): RawClient {
  const made = new RawClient(mx);
  open.push(made);
  return made;
}

/** What becomes of a mail by our own client: the outcome of each recipient. */
async function outcomes(mx: TestServer, text = 'Subject: x\r\n\r\nx\r\n', recipients = ['bob@example.org']): Promise<string[]> {
  const session = await connect({ host: mx.host, port: mx.port });
  open.push(session);
  const sent = await session.send({ reversePath: 'ann@example.org', recipients }, text);
  return sent.outcomes.map(({ status, reply }) => `${status} ${reply?.code ?? ''}`.trim());
}

/** And by nodemailer: null, or how it failed. */
async function failure(mx: TestServer, options: object = {}): Promise<string | number | null> {
  const transport = createTransport({ host: mx.host, port: mx.port, ...options });
  open.push(transport);
  return await transport.sendMail({ from: 'ann@example.org', to: 'bob@example.org', subject: 'x', text: 'x'.repeat(5000) }).then(
    () => null,
    (error: { responseCode?: number; code?: string }) => error.responseCode ?? error.code ?? 'unknown',
  );
}

describe('content', () => {
  test.each(['drop', 'reset', 'halfClose', 'stall'] as const)(
    '%s after so many octets: the mail is not taken, and the client knows that',
    async (kind) => {
      const mx = await server();
      mx.on.data({ from: '*@example.org' })[kind]({ after: 1024 }).times(1);
      const raw = client(mx);
      await transaction(raw);
      await raw.say('DATA');
      raw.socket.write(`${'x'.repeat(70)}\r\n`.repeat(13));
      expect(await Promise.race([raw.read(), new Promise((resolve) => setTimeout(resolve, 20, 'nothing'))])).toBe('nothing');
      raw.socket.write(`${'x'.repeat(70)}\r\n`.repeat(3));
      if (kind === 'stall') {
        raw.socket.write('.\r\n');
        expect(await Promise.race([raw.read(), new Promise((resolve) => setTimeout(resolve, 20, 'nothing'))])).toBe('nothing');
      } else expect(await raw.end()).toMatch(kind === 'reset' && !('Deno' in globalThis) ? /\|ECONNRESET$/ : /\|FIN$/);
      const SPOILT = /^\[(dropped|reset|half closed|silent) after [0-9]+ octets of content\]$/;
      await vi.waitFor(() => expect(mx.transcripts[0]!.at(-1)).toMatch(SPOILT));
      expect(mx.mails).toEqual([]);
      expect([await outcomes(mx), mx.mails.length]).toEqual([['accepted 250'], 1]);
    },
  );

  test('content that is shorter is as good as whole', async () => {
    const mx = await server();
    mx.on.data().drop({ after: 100_000 });
    expect(await outcomes(mx)).toEqual(['unknown']);
    expect(mx.mails).toEqual([]);
  });

  test('a mail that was taken, and whose reply never came: sent or not is not known', async () => {
    const mx = await server();
    mx.on.message().drop();
    expect(await outcomes(mx)).toEqual(['unknown']);
    expect((await mx.next()).transcript.at(-1)).toBe('[dropped]');
  });

  test('a header, a size or the n-th mail is matched when the mail is whole', async () => {
    const mx = await server();
    mx.on.message({ header: { Subject: '*spam*' } }).reply(554, '5.7.1', 'No spam');
    mx.on.message({ size: { least: 1000 } }).reply(552, '5.3.4', 'Too big for me');
    mx.on.message({ nth: 3 }).reply(451, '4.3.0', 'Third');
    const said: string[][] = [];
    for (const text of ['Subject: =?utf-8?q?my_spam?=\r\n\r\n', `\r\n${'x'.repeat(998)}\r\n`, '\r\nx\r\n', '\r\nx\r\n'])
      said.push(await outcomes(mx, text));
    expect(said.flat()).toEqual(['refused 554', 'refused 552', 'refused 451', 'accepted 250']);
  });
});

describe('chunks', () => {
  test('the second is refused: so is the rest of the message, and the next is taken', async () => {
    const mx = await server();
    mx.on.chunk({ nth: 2 }).reply(452, '4.3.1', 'No more room');
    const raw = client(mx);
    await transaction(raw);
    expect([await raw.say('BDAT 3', 'x'), await raw.say('BDAT 3', 'y')].map((reply) => reply.slice(0, 9))).toEqual([
      '250 2.0.0',
      '452 4.3.1',
    ]);
    expect(await raw.say('RSET')).toMatch(/^250/);
    for (const line of ['MAIL FROM:<a@b.example>', 'RCPT TO:<b@b.example>']) await raw.say(line);
    expect(await raw.say('BDAT 3 LAST', 'z')).toMatch(/^250/);
    expect(mx.mails.map(({ raw: octets }) => new TextDecoder().decode(octets))).toEqual(['z\r\n']);
  });

  test('a connection that is dropped within one', async () => {
    const mx = await server();
    mx.on.chunk({ size: { least: 100 } }).drop({ after: 10 });
    const raw = client(mx);
    await transaction(raw);
    raw.socket.write(`BDAT 5\r\n12345BDAT 100 LAST\r\n${'x'.repeat(20)}`);
    expect(await raw.end()).toMatch(/^250 [^\n]*\n\|FIN$/);
  });
});

describe('TLS', () => {
  /** What a client sees of a handshake that comes first. */
  const handshake = async (mx: TestServer): Promise<string> =>
    await new Promise((resolve) => {
      const socket = tlsConnect({ host: mx.host, port: mx.port, ca: mx.ca, servername: 'mx.example.test' });
      open.push({ close: () => socket.destroy() });
      socket.on('secureConnect', () => resolve('secure'));
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.on('close', () => resolve('closed'));
    });

  test('a certificate of its own, which a client that was given it takes, by STARTTLS and first of all', async () => {
    for (const tls of ['starttls', 'implicit'] as const) {
      const mx = await server({ tls });
      expect([
        await failure(mx, { secure: tls === 'implicit', requireTLS: true, tls: { ca: mx.ca, servername: 'mx.example.test' } }),
      ]).toEqual([null]);
      expect([mx.url.split(':')[0], mx.mails[0]!.tls?.protocol]).toEqual([tls === 'implicit' ? 'smtps' : 'smtp', 'TLSv1.3']);
      expect(readFileSync(mx.caFile, 'utf8')).toBe(mx.ca);
      const { caFile } = mx;
      await mx.close();
      expect(() => readFileSync(caFile)).toThrow();
    }
  });

  // How a runtime calls what is wrong is its own.
  test.each<Exclude<CertificateKind, 'good'>>(['expired', 'wrong-name', 'unknown-issuer'])(
    '%s: a client that was given the others refuses it',
    async (kind) => {
      const mx = await server({ tls: 'implicit' });
      mx.on.tls().tls(kind).times(1);
      expect(await handshake(mx)).toMatch(/EXPIRED|expired|ALTNAME|name|SELF_SIGNED|UNABLE_TO_VERIFY|UNKNOWN|UnknownIssuer|self.signed/i);
      expect(await handshake(mx)).toBe('secure');
    },
  );

  test('many at once, each with its own', async () => {
    const mx = await server({ tls: 'implicit' });
    mx.on.tls({ every: 2 }).tls('expired');
    const all = await Promise.all(Array.from({ length: 10 }, () => handshake(mx)));
    expect(all.filter((one) => one === 'secure').length).toBe(5);
  });

  test('STARTTLS is refused, its handshake broken, or it is gone', async () => {
    const mx = await server({ tls: 'starttls' });
    const options = { requireTLS: true, tls: { ca: mx.ca, servername: 'mx.example.test' } };
    mx.on.tls().tls('refuse').times(1);
    expect(await failure(mx, options)).toBe(454);
    mx.on.tls().tls('break').times(1);
    expect(await failure(mx, options)).not.toBeNull();
    expect(await failure(mx, options)).toBeNull();
    mx.on.connect().capabilities({ remove: ['STARTTLS'] });
    expect(await failure(mx, { ...options, requireTLS: false })).toBeNull();
    expect(mx.mails.map(({ tls }) => tls !== null)).toEqual([true, false]);
  });

  test('a handshake that comes first is broken, dropped or left alone', async () => {
    const mx = await server({ tls: 'implicit' });
    for (const stub of [mx.on.tls().tls('break'), mx.on.tls().drop(), mx.on.tls().reset()]) stub.times(1);
    expect((await Promise.all([handshake(mx), handshake(mx), handshake(mx)])).includes('secure')).toBe(false);
    expect(await handshake(mx)).toBe('secure');
  });
});

describe('what it offers and how much it takes', () => {
  const ehlo = async (mx: TestServer): Promise<string[]> => {
    const raw = client(mx);
    await raw.read();
    return (await raw.say('EHLO a')).split('\r\n').map((line) => line.slice(4));
  };

  test('extensions that are gone are refused, lines that are added are shown, and other settings stay', async () => {
    const mx = await server({ preset: { stubs: [{ on: 'connect', do: { capabilities: { remove: ['CHUNKING', 'smtputf8'] } } }] } });
    mx.on.connect().capabilities({ add: ['XFOO 12'] });
    mx.on.connect().reply(220, undefined, 'hi');
    const lines = await ehlo(mx);
    expect([lines.includes('CHUNKING'), lines.includes('BINARYMIME'), lines.includes('SMTPUTF8'), lines.includes('XFOO 12')]).toEqual([
      false,
      false,
      false,
      true,
    ]);
    const raw = client(mx);
    expect(await raw.read()).toBe('220 hi\r\n');
    await raw.say('EHLO a');
    expect(await raw.say('MAIL FROM:<a@b.example> SMTPUTF8')).toMatch(/^555/);
  });

  test('small limits', async () => {
    const mx = await server();
    mx.on.connect().limits({ recipients: 2, messageSize: 100 });
    expect((await ehlo(mx)).filter((line) => /SIZE|RCPTMAX/.test(line))).toEqual(['SIZE 100', expect.stringContaining('RCPTMAX=2')]);
    const raw = client(mx);
    await transaction(raw);
    await raw.say('RCPT TO:<c@example.org>');
    expect(await raw.say('RCPT TO:<d@example.org>')).toMatch(/^452 /);
    await raw.say('DATA');
    expect(await raw.say('x'.repeat(200), '.')).toMatch(/^552 /);
    expect(await outcomes(mx, `\r\n${'x'.repeat(200)}\r\n`)).toEqual(['refused']);
  });
});

describe('time', () => {
  test('more than so many a minute are turned away, and a minute later they are not', async () => {
    const mx = await server();
    mx.on.connect().throttle(2, '1 min');
    const greeting = async () => (await client(mx).read()).slice(0, 3);
    expect([await greeting(), await greeting(), await greeting()]).toEqual(['220', '220', '421']);
    mx.clock.advance('1 min');
    expect(await greeting()).toBe('220');
  });

  test('greylisting takes the same mail later', async () => {
    const mx = await server();
    mx.on.rcpt().greylist('5 min');
    expect(await outcomes(mx)).toEqual(['refused 451']);
    mx.clock.advance('4 min');
    expect(await outcomes(mx)).toEqual(['refused 451']);
    mx.clock.advance('1 min');
    expect(await outcomes(mx)).toEqual(['accepted 250']);
  });

  test("the session's own timers run by the same clock", async () => {
    const mx = await server();
    const raw = client(mx);
    await transaction(raw);
    mx.clock.advance('5 min');
    expect(await raw.end()).toMatch(/^421 4\.4\.2 [^\n]*\n\|FIN$/);
  });

  test('a reply that is held back longer than a session waits for its client: the session waits as long', async () => {
    const mx = await server();
    mx.on.rcpt().delay('20 min').times(1);
    const raw = client(mx);
    await raw.read();
    await raw.say('EHLO client.example');
    await raw.say('MAIL FROM:<ann@example.org>');
    raw.socket.write('RCPT TO:<bob@example.org>\r\n');
    await vi.waitFor(() => expect(mx.stubs[0]?.fired).toBe(1));
    mx.clock.advance('21 min');
    expect(await raw.read()).toBe('250 2.1.5 Recipient OK\r\n');
    mx.clock.advance('3 min');
    expect(await raw.say('DATA')).toMatch(/^354 /);
    // And then its time runs as ever (RFC 5321 4.5.3.2.7).
    mx.clock.advance('11 min');
    expect(await raw.read()).toMatch(/^421 /);
  });

  test('fifty servers in a process', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => server()));
    await Promise.all(all.map((mx, i) => outcomes(mx, `Subject: ${i}\r\n\r\n`)));
    expect(all.map((mx) => mx.mails.map(({ subject }) => subject))).toEqual(all.map((_, i) => [String(i)]));
  });
});
