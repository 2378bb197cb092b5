// AUTH over sockets: by PLAIN, and by SCRAM bound to the TLS connection.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { accept, type Claim, type ClientError, type Handler, reject, type Server } from '@ehlo/node';
import { type ClientContext, cramMd5, type Mechanism, oauthBearer, plain, scram, scramKeys } from '@ehlo/sasl';
import { describe, expect } from 'vitest';
import { connect, RUNTIME } from './adapter.ts';
import { dialTls, handshake, pem, SERVER, type TlsWire, test, upgrade } from './tls-wire.ts';
import type { Wire } from './wire.ts';

const keys = scramKeys('pencil', { salt: Uint8Array.of(1, 2, 3) });
const auth = { mechanisms: [scram(), plain()], lookup: (user: string) => (user === 'tim' ? keys : null) };
const SUCCESS = '235 2.7.0 Authentication succeeded';
const REFUSED = '535 5.7.8 Authentication credentials invalid';
const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');

/** Carries out the client's side of a mechanism that begins; the reply that ends it. */
async function authenticate(wire: Wire, mechanism: Mechanism, context: Partial<ClientContext>): Promise<string> {
  let step = mechanism.client({ credentials: { user: 'tim', password: 'pencil' }, nonce: 'abcdefgh', ...context });
  for (let words = `AUTH ${mechanism.name} `; ; words = '') {
    if (step.type === 'derive') step = step.next(step.derivation.derive());
    if (step.type !== 'respond') throw new Error(step.type === 'failure' ? step.reason : step.type);
    const reply = await wire.say(words + base64(step.response!.expose()));
    if (!reply.startsWith('334 ')) return reply;
    step = step.next(Uint8Array.from(Buffer.from(reply.slice(4), 'base64')));
  }
}

/** What the client's side of the connection has to bind to. */
function bindingsOf({ socket }: TlsWire): [type: string, data: Uint8Array][] {
  const endPoint = createHash('sha256').update(socket.getPeerCertificate().raw).digest();
  if (!('exportKeyingMaterial' in socket)) return [['tls-server-end-point', endPoint]];
  return [
    ['tls-server-end-point', endPoint],
    ['tls-exporter', socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))],
  ];
}

describe.each([
  ['implicit TLS', true],
  ['STARTTLS', false],
] as const)('%s', (_, implicitTls) => {
  test('SCRAM is bound to the connection, where the runtime has what it takes', async ({ start, dial }) => {
    const known: (readonly string[])[] = [];
    const hello = (__: unknown, { tls }: { readonly tls: { readonly bindings?: ReadonlyMap<string, Uint8Array> } | null }): true => {
      known.push([...(tls?.bindings?.keys() ?? [])]);
      return true;
    };
    const server = await start({ hello }, { tls: SERVER, implicitTls, auth });
    const [bound, bare] = scram();
    const connect = async (): Promise<TlsWire> => {
      const wire = implicitTls ? await dialTls(server) : await upgrade(await dial(server));
      if (implicitTls) await wire.reply();
      const offered = /^250-AUTH (.*)\r$/m.exec(await wire.say('EHLO client.example'))![1]!;
      // Deno has no exporter, and a client takes that unasked.
      expect(offered).toBe(RUNTIME === 'deno' ? 'SCRAM-SHA-256 PLAIN' : 'SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN');
      return wire;
    };
    const first = await connect();
    const types = bindingsOf(first).map(([type]) => type);
    const context = { bindings: new Map(bindingsOf(first)), offered: RUNTIME === 'deno' ? [] : [bound.name] };
    expect(await authenticate(first, bare, context)).toBe(SUCCESS);
    for (const type of RUNTIME === 'deno' ? [] : types.filter((one) => known.at(-1)!.includes(one))) {
      const wire = await connect();
      const mine = bindingsOf(wire).filter(([one]) => one === type);
      const other = new Map(mine.map(([one, data]) => [one, data.map((octet) => octet ^ 1)]));
      expect(await authenticate(wire, bound, { bindings: other })).toBe(REFUSED);
      expect(await authenticate(wire, bound, { bindings: new Map(mine) })).toBe(SUCCESS);
    }
    expect(known.at(-1)).toContain('tls-server-end-point');
  });

  test('who authenticated stays so; the protocol says it', async ({ start, dial }) => {
    const told: string[] = [];
    const mail = (__: unknown, { identity, protocol }: { readonly identity: string | null; readonly protocol: string }): true => {
      told.push(`${identity} ${protocol}`);
      return true;
    };
    const server = await start({ mail }, { tls: SERVER, implicitTls, auth });
    const wire = implicitTls ? await dialTls(server) : await upgrade(await dial(server));
    if (implicitTls) await wire.reply();
    await wire.say('EHLO client.example');
    expect(await authenticate(wire, plain(), { credentials: { user: 'tim', password: 'x' } })).toBe(REFUSED);
    expect(await authenticate(wire, plain(), {})).toBe(SUCCESS);
    for (const line of ['MAIL FROM:<>', 'RSET', 'MAIL FROM:<>']) expect(await wire.say(line)).toMatch(/^250 /);
    expect(told).toEqual(['tim ESMTPSA', 'tim ESMTPSA']);
  });
});

test('nothing is offered in clear where there is TLS, unless it is allowed', async ({ start, dial }) => {
  const clear = async (allowed: object): Promise<[string, string]> => {
    const wire = await dial(await start({}, { tls: SERVER, auth: { ...auth, ...allowed } }));
    await wire.reply();
    return [await wire.say('EHLO client.example'), await authenticate(wire, plain(), {})];
  };
  const [hello, reply] = await clear({});
  expect(hello).not.toContain('AUTH');
  expect(reply).toBe('504 5.5.4 Encryption required for requested authentication mechanism');
  expect(await clear({ inClear: true })).toEqual([expect.stringContaining('250-AUTH SCRAM-SHA-256 PLAIN\r\n'), SUCCESS]);
});

test('where there is no TLS at all it is offered to this machine, and a server for others does not start', async ({ start, dial }) => {
  const greeted = async (wire: Wire): Promise<string> => {
    await wire.reply();
    return await wire.say('EHLO client.example');
  };
  const folder = await mkdtemp(join(tmpdir(), 'auth-'));
  const path = join(folder, 'smtp.sock');
  const unix = start({}, { auth, path }).then(() => ({ path }));
  for (const place of [await start({}, { auth }), await unix]) {
    const wire = await dial(place);
    expect(await greeted(wire)).toContain('250-AUTH SCRAM-SHA-256 PLAIN\r\n');
    expect(await authenticate(wire, plain(), {})).toBe(SUCCESS);
  }
  await rm(folder, { recursive: true });
  await expect(start({}, { auth, host: '0.0.0.0' })).rejects.toMatchObject({ name: 'SmtpUsageError', code: 'unprotected' });
  expect(await greeted(await dial(await start({}, { auth, host: '0.0.0.0', tls: SERVER })))).not.toContain('AUTH');
  expect(await greeted(await dial(await start({}, { auth: { ...auth, inClear: true }, host: '0.0.0.0' })))).toContain('AUTH');
});

test('TLS that is required and can not be had: the server does not start', async ({ start }) => {
  await expect(start({}, { starttls: 'required' })).rejects.toMatchObject({ name: 'SmtpUsageError', code: 'missing-tls' });
  await start({}, { starttls: 'required', tls: SERVER });
});

test('TLS forgets who had authenticated', async ({ start, dial }) => {
  const wire = await dial(await start({}, { tls: SERVER, auth: { ...auth, inClear: true, required: true } }));
  await wire.reply();
  await wire.say('EHLO client.example');
  expect(await authenticate(wire, plain(), {})).toBe(SUCCESS);
  expect(await wire.say('STARTTLS')).toMatch(/^220 /);
  const secure = await handshake(wire);
  await secure.say('EHLO client.example');
  expect(await secure.say('MAIL FROM:<>')).toBe('530 5.7.0 Authentication required');
  expect(await authenticate(secure, plain(), {})).toBe(SUCCESS);
});

describe('a client', () => {
  /** Refuses CRAM-MD5 as it likes, and PLAIN with the password in its words. */
  const repeats: Handler = {
    auth: ({ mechanism, response }) => {
      if (mechanism === 'CRAM-MD5') return reject(504, '5.5.4', 'not this one');
      const said = Buffer.from(response?.expose() ?? []).toString('latin1');
      return reject(535, '5.7.8', `wrong: ${said.replaceAll('\0', ' ')}`);
    },
  };
  const options = { tls: SERVER, implicitTls: true, auth: { mechanisms: ['CRAM-MD5', 'PLAIN'] } };
  const PASSWORD = 'correct horse';
  const client = { host: 'localhost', implicitTls: true, user: 'tim', mechanisms: [cramMd5(), plain()] };

  /** What a session that is refused has told, and why there is none. */
  async function refused(
    server: Server,
    password: string,
    verified = true,
  ): Promise<{ readonly error: ClientError; readonly told: string }> {
    const told: string[] = [];
    const { host, implicitTls, user, mechanisms } = client;
    const error: unknown = await connect({
      host,
      port: server.address.port,
      implicitTls,
      tls: verified ? { ca: pem('ca.crt') } : { rejectUnauthorized: false },
      credentials: verified ? 'verified' : 'encrypted',
      auth: { mechanisms, user, password },
      trace: true,
      notice: (notice) => told.push(JSON.stringify(notice)),
    }).catch((why: unknown) => why);
    return { error: error as ClientError, told: told.join('\n') };
  }

  test('shows nothing of what the server repeats', async ({ start }) => {
    const { error, told } = await refused(await start(repeats, options), PASSWORD);
    expect(error).toMatchObject({ code: 'auth-refused', reply: { code: 535, enhanced: '5.7.8', lines: ['***'] } });
    expect(told).toContain('535 5.7.8 ***');
    for (const text of [error.message, inspect(error), told]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(base64(`\0tim\0${PASSWORD}`));
    }
  });

  test('takes the next mechanism where this one is refused; what shows the password only with a server that is known', async ({
    start,
  }) => {
    const server = await start(repeats, options);
    expect((await refused(server, PASSWORD)).error).toMatchObject({ reply: { code: 535 } });
    expect((await refused(server, PASSWORD, false)).error).toMatchObject({ reply: { code: 504 } });
  });

  test('asks for a token anew for each connection', async ({ start }) => {
    const tokens: string[] = [];
    const verify = (claim: Claim): string | false => {
      if (claim.type !== 'token') return false;
      tokens.push(claim.token.expose());
      return 'tim';
    };
    const server = await start({}, { ...options, auth: { mechanisms: [oauthBearer()], verify } });
    let asked = 0;
    for (let i = 0; i < 2; i++) {
      const open = await connect({
        host: 'localhost',
        port: server.address.port,
        implicitTls: true,
        tls: { ca: pem('ca.crt') },
        auth: { mechanisms: [oauthBearer()], user: 'tim', token: () => Promise.resolve(`token-of-${++asked}`) },
      });
      expect(open.authenticated).toBe('OAUTHBEARER');
      await open.close();
    }
    expect(tokens).toEqual(['token-of-1', 'token-of-2']);
  });

  test.for([true, false])("with credentials 'encrypted' takes TLS with anybody, implicit: %s", async (implicitTls, { start }) => {
    const server = await start({ auth: () => accept({ identity: 'tim' }) }, { ...options, implicitTls });
    const auth = { mechanisms: [plain()], user: client.user, password: PASSWORD };
    const target = { host: 'localhost', port: server.address.port, implicitTls, auth };
    const session = await connect({ ...target, credentials: 'encrypted' });
    expect([session.authenticated, session.tls?.peerCertificate?.authorized]).toEqual(['PLAIN', false]);
    await session.close();
    for (const more of [{}, { credentials: 'encrypted', tls: { rejectUnauthorized: true } }] as const)
      await expect(connect({ ...target, ...more })).rejects.toMatchObject({ name: 'ClientError', code: 'certificate', stage: 'tls' });
  });
});
