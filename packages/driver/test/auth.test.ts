// AUTH with mechanisms as values, from the line to the answer of the program.
import { SmtpUsageError, type TlsInfo } from '@ehlo/engine';
import {
  anonymous,
  type ClientContext,
  type ClientStep,
  cramMd5,
  external,
  login,
  type Mechanism,
  oauthBearer,
  parseScramKeys,
  plain,
  SHA1,
  SHA512,
  scram,
  scramKeys,
  userTable,
  xoauth2,
} from '@ehlo/sasl';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Authentication, accept, type Handler, reject, type ServeOptions, type Session, serveOn } from '../src/index.ts';
import { MemoryListener, type MemoryTransport } from './memory.ts';

const exporter = new Map([['tls-exporter', Uint8Array.of(1, 2, 3)]]);
const tls: TlsInfo = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: '', bindings: exporter };
const all = [scram(), scram(SHA1), scram(SHA512), cramMd5(), plain(), login()];
const passwords = (user: string): string | null => (user === 'tim' ? 'pencil' : null);
const credentials = { user: 'tim', password: 'pencil' };

function start(auth: Authentication, options: Partial<ServeOptions> = {}, handler: Handler = {}, secure: TlsInfo | null = null) {
  const listener = new MemoryListener();
  serveOn(listener, { hostname: 'mx.example.org', preset: 'sink', auth: { inClear: true, ...auth }, ...options }, handler);
  const client = listener.connect((transport) => void (secure && Object.assign(transport, { tls: secure })));
  client.send('EHLO c\r\n');
  return { client, offered: /^250.AUTH (.*)\r$/m.exec(client.take())?.[1]?.split(' ') ?? null };
}

/** Carries out the client's side; the reply that ends it. */
async function authenticate(client: MemoryTransport, mechanism: Mechanism, context: ClientContext): Promise<string> {
  let step: ClientStep = mechanism.client(context);
  let first = true;
  for (;;) {
    if (step.type === 'derive') step = step.next(step.derivation.derive());
    if (step.type !== 'respond') throw new Error(step.type === 'failure' ? step.reason : 'two derivations');
    const response = step.response === null ? '' : Buffer.from(step.response.expose()).toString('base64');
    // RFC 4954 4: an initial response of no octets is an equals sign.
    const initial = step.response === null ? '' : ` ${response || '='}`;
    client.send(`${first ? `AUTH ${mechanism.name}${initial}` : response}\r\n`);
    first = false;
    const line: string = (await client.replies(1))[0]!;
    if (!line.startsWith('334 ')) {
      if (line.startsWith('235 ')) expect(step.final).toBe(true);
      return line;
    }
    step = step.next(Uint8Array.from(Buffer.from(line.slice(4), 'base64')));
  }
}

const SUCCESS = '235 2.7.0 Authentication succeeded';
const REFUSED = '535 5.7.8 Authentication credentials invalid';
const MALFORMED = '501 5.5.2 Cannot understand the response of this mechanism';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

afterEach(() => {
  vi.unstubAllGlobals();
});

describe.each(all.flat().map((mechanism) => [mechanism.name, mechanism] as const))('%s', (_, mechanism) => {
  test('by stored passwords: right, wrong, unknown, and right again', async () => {
    const identities: (string | null)[] = [];
    const mail = (__: unknown, session: Session): true => {
      identities.push(session.identity);
      return true;
    };
    const { client } = start({ mechanisms: all, lookup: passwords }, {}, { mail }, tls);
    const context = { credentials, nonce: 'abc', bindings: exporter, offered: [`${mechanism.name}-PLUS`] };
    expect(await authenticate(client, mechanism, { ...context, credentials: { user: 'tim', password: 'pen' } })).toBe(REFUSED);
    expect(await authenticate(client, mechanism, { ...context, credentials: { user: 'tom', password: 'pencil' } })).toBe(REFUSED);
    expect(await authenticate(client, mechanism, context)).toBe(SUCCESS);
    client.send('MAIL FROM:<>\r\n');
    await client.replies(1);
    expect(identities).toEqual(['tim']);
  });
});

test.each(all.flat().map((mechanism) => [mechanism.name, mechanism] as const))(
  '%s: a lookup that gives undefined knows no such user, and the client can not tell',
  async (_, mechanism) => {
    const errors: unknown[] = [];
    const error: Handler['error'] = (cause) => void errors.push(cause);
    const context = { nonce: 'abc', bindings: exporter, offered: [mechanism.name] };
    const map = new Map([['tim', 'pencil']]);
    const said = async (lookup: NonNullable<Authentication['lookup']>, user: string) => {
      const { client } = start({ mechanisms: all, lookup }, {}, { error }, tls);
      return await authenticate(client, mechanism, { ...context, credentials: { user, password: 'pen' } });
    };
    expect(await said((user) => map.get(user), 'tom')).toBe(REFUSED);
    expect(await said((user) => map.get(user), 'tim')).toBe(REFUSED);
    expect(await said(async (user) => map.get(user), 'tom')).toBe(REFUSED);
    expect(errors).toEqual([]);
  },
);

describe('keys in place of passwords', () => {
  const keys = parseScramKeys(scramKeys('pencil', { salt: Uint8Array.of(1, 2), iterations: 4096 }).format())!;

  test.each([...scram(), plain(), login()])('$name', async (mechanism) => {
    const users = userTable([['tim', keys]], Uint8Array.of(1));
    const { client } = start({ mechanisms: all, lookup: (user) => users.lookup(user) }, {}, {}, tls);
    const context = { credentials, nonce: 'abc', bindings: exporter };
    expect(await authenticate(client, mechanism, { ...context, credentials: { user: 'tom', password: 'pencil' } })).toBe(REFUSED);
    expect(await authenticate(client, mechanism, context)).toBe(SUCCESS);
  });

  test('derives on the spot where there is no Web Crypto', async () => {
    const { client } = start({ mechanisms: [plain()], lookup: () => Promise.resolve(keys), pepper: Uint8Array.of(1) });
    const { getRandomValues } = crypto;
    vi.stubGlobal('crypto', { getRandomValues: getRandomValues.bind(crypto) });
    expect(await authenticate(client, plain(), { credentials })).toBe(SUCCESS);
  });
});

describe('what is offered', () => {
  const names = all.flat().map(({ name }) => name);

  const unbound = names.filter((name) => !name.endsWith('-PLUS'));
  const endPoint = new Map([['tls-server-end-point', Uint8Array.of(1)]]);

  test.each([
    ['TLS 1.3 with an exporter', tls, names],
    ['TLS 1.3 without', { ...tls, bindings: endPoint }, unbound],
    ['TLS 1.2 with tls-unique', { ...tls, protocol: 'TLSv1.2', bindings: new Map([['tls-unique', Uint8Array.of(1)]]) }, names],
    ['TLS 1.2 without', { ...tls, protocol: 'TLSv1.2', bindings: endPoint }, unbound],
    ['no TLS', null, unbound],
  ])('the -PLUS forms only where clients find what they bind to: %s', async (_, secure, expected) => {
    const { client, offered } = start({ mechanisms: all, lookup: passwords }, {}, {}, secure);
    expect(offered).toEqual(expected);
    if (expected === names) return;
    client.send('AUTH SCRAM-SHA-256-PLUS\r\n');
    expect(await client.replies(1)).toEqual(['504 5.5.4 Authentication mechanism not offered']);
    // The client could have bound, and says that it was offered nothing to do so.
    const context = { credentials, nonce: 'abc', bindings: exporter, offered: offered! };
    expect(await authenticate(client, scram()[1], context)).toBe(SUCCESS);
  });

  test('a client is not failed for -PLUS forms that nobody offers it', async () => {
    const [, bare] = scram();
    const { client } = start({ mechanisms: [bare], lookup: passwords }, {}, {}, tls);
    const context = { credentials, nonce: 'abc', bindings: exporter, offered: ['SCRAM-SHA-256'] };
    expect(await authenticate(client, bare, context)).toBe(SUCCESS);
  });

  test('a client that was told of none is failed', async () => {
    const { client } = start({ mechanisms: [scram()], lookup: passwords }, {}, {}, tls);
    const context = { credentials, nonce: 'abc', bindings: exporter, offered: ['SCRAM-SHA-256'] };
    expect(await authenticate(client, scram()[1], context)).toBe(REFUSED);
  });

  test.each([
    ['SCRAM-SHA-256-PLUS needs auth.lookup', { mechanisms: [scram()], verify: () => true }],
    ['OAUTHBEARER needs auth.verify', { mechanisms: [plain(), oauthBearer()], lookup: passwords }],
    ['PLAIN needs auth.verify or auth.lookup', { mechanisms: [plain()] }],
  ])('nothing that nobody can judge: %s', (message, auth) => {
    expect(() => start(auth)).toThrow(new SmtpUsageError('missing-question', message));
  });
});

describe('verify', () => {
  test('judges passwords, by a name of its own if it likes', async () => {
    const auth: Authentication = {
      mechanisms: [plain()],
      verify: (claim) => claim.type === 'password' && claim.password.expose() === 'pencil' && (claim.user === 'tim' || 'somebody'),
    };
    const identity = async (user: string, password: string) => {
      let seen: string | null = null;
      const mail = (_: unknown, session: Session): true => {
        seen = session.identity;
        return true;
      };
      const { client } = start(auth, {}, { mail });
      const reply = await authenticate(client, plain(), { credentials: { user, password } });
      client.send('MAIL FROM:<>\r\n');
      await client.replies(1);
      return [reply, seen];
    };
    expect(await identity('tim', 'pencil')).toEqual([SUCCESS, 'tim']);
    expect(await identity('tom', 'pencil')).toEqual([SUCCESS, 'somebody']);
    expect(await identity('tim', 'x')).toEqual([REFUSED, null]);
  });

  test('judges tokens; a client whose token is not taken hears why', async () => {
    const { client } = start({
      mechanisms: [oauthBearer({ scope: 'mail' })],
      verify: (claim) => claim.type === 'token' && claim.token.expose() === 'good' && claim.user,
    });
    const context = { host: 'mx.example.org', port: 25 };
    client.send(`AUTH OAUTHBEARER ${base64('n,a=tim,\x01auth=Bearer bad\x01\x01')}\r\n`);
    const [challenge] = await client.replies(1);
    expect(JSON.parse(Buffer.from(challenge!.slice(4), 'base64').toString())).toMatchObject({ status: 'invalid_token', scope: 'mail' });
    client.send('AQ==\r\n');
    expect(await client.replies(1)).toEqual([REFUSED]);
    expect(await authenticate(client, oauthBearer(), { ...context, credentials: { user: 'tim', token: 'good' } })).toBe(SUCCESS);
  });

  test('is told the mechanism', async () => {
    const seen: string[] = [];
    const verify: Authentication['verify'] = ({ mechanism, type }) => {
      seen.push(`${mechanism} ${type}`);
      return true;
    };
    for (const mechanism of [plain(), login(), oauthBearer(), anonymous()]) {
      const { client } = start({ mechanisms: [mechanism], verify });
      expect(await authenticate(client, mechanism, { credentials: { ...credentials, token: 'good' } })).toBe(SUCCESS);
    }
    expect(seen).toEqual(['PLAIN password', 'LOGIN password', 'OAUTHBEARER token', 'ANONYMOUS anonymous']);
  });

  test.each<[string, () => never]>([
    ['returned', () => reject(454, '4.7.12', 'password transition needed') as never],
    ['resolved', () => Promise.resolve(reject(454, '4.7.12', 'password transition needed')) as never],
    [
      'thrown',
      () => {
        throw reject(454, '4.7.12', 'password transition needed');
      },
    ],
  ])('refuses by a code and a text of its own, %s', async (_, verify) => {
    const errors: unknown[] = [];
    const { client } = start({ mechanisms: [plain()], verify }, {}, { error: (cause) => void errors.push(cause) });
    expect(await authenticate(client, plain(), { credentials })).toBe('454 4.7.12 password transition needed');
    expect(errors).toEqual([]);
  });

  test.each([oauthBearer({ scope: 'mail', openidConfiguration: 'https://id.example/conf' }), xoauth2({ scope: 'mail' })])(
    'refuses a token by an OAuth error of its own, and then by its code: $name',
    async (mechanism) => {
      let times = 0;
      const verify = () =>
        times++ === 0 ? reject(550, '5.7.1', 'not for mail', { oauth: { status: 'insufficient_scope', scope: 'mail.send' } }) : false;
      const { client } = start({ mechanisms: [mechanism], verify });
      const begin = mechanism.client({ credentials: { user: 'tim', token: 'x' } });
      const initial = begin.type === 'respond' && begin.response !== null ? Buffer.from(begin.response.expose()).toString('base64') : '';
      for (const [error, reply] of [
        [{ status: 'insufficient_scope', scope: 'mail.send' }, '550 5.7.1 not for mail'],
        [{ status: 'invalid_token', scope: 'mail' }, REFUSED],
      ] as const) {
        client.send(`AUTH ${mechanism.name} ${initial}\r\n`);
        const [challenge] = await client.replies(1);
        expect(JSON.parse(Buffer.from(challenge!.slice(4), 'base64').toString())).toMatchObject(error);
        client.send('AQ==\r\n');
        expect(await client.replies(1)).toEqual([reply]);
      }
    },
  );

  test.each([[undefined], [null]])('that gives %s leaves a password to lookup', async (nothing) => {
    const verify: Authentication['verify'] = ({ type }) => (type === 'password' ? nothing : false);
    const { client } = start({ mechanisms: all, lookup: passwords, verify });
    for (const mechanism of [plain(), login()]) {
      expect(await authenticate(client, mechanism, { credentials: { user: 'tim', password: 'pen' } })).toBe(REFUSED);
      expect(await authenticate(client, mechanism, { credentials: { user: 'tom', password: 'pencil' } })).toBe(REFUSED);
    }
    expect(await authenticate(client, plain(), { credentials })).toBe(SUCCESS);
  });

  test('judges before lookup where there are both; SCRAM asks lookup alone', async () => {
    const asked: string[] = [];
    const verify: Authentication['verify'] = ({ mechanism }) => asked.push(`verify ${mechanism}`) < 0;
    const lookup = (user: string) => {
      asked.push(`lookup ${user}`);
      return passwords(user);
    };
    const [, bare] = scram();
    const { client } = start({ mechanisms: all, lookup, verify });
    expect(await authenticate(client, plain(), { credentials })).toBe(REFUSED);
    expect(await authenticate(client, bare, { credentials, nonce: 'abc' })).toBe(SUCCESS);
    expect(asked).toEqual(['verify PLAIN', 'lookup tim']);
  });

  test.each<[string, Partial<Authentication>, Mechanism]>([
    ['nothing, without lookup', { verify: () => undefined }, plain()],
    ['nothing of a token', { verify: () => null, lookup: passwords }, oauthBearer()],
    ['an Error', { verify: () => new Error('no') as never, lookup: passwords }, plain()],
    ['an object', { verify: () => ({ ok: true }) as never, lookup: passwords }, plain()],
    ['a plain refusal', { verify: () => ({ code: 535, text: 'no' }) as never, lookup: passwords }, plain()],
    ['consent that is for the handler', { verify: () => accept({ identity: 'boss' }) as never, lookup: passwords }, plain()],
    ['a name of no letters', { verify: () => '', lookup: passwords }, plain()],
    ['a number', { verify: () => 1 as never, lookup: passwords }, plain()],
  ])('that gives %s has failed', async (_, auth, mechanism) => {
    const errors: unknown[] = [];
    const error: Handler['error'] = (cause, at) => void errors.push([at, cause]);
    const { client } = start({ mechanisms: [mechanism], ...auth }, {}, { error });
    const reply = await authenticate(client, mechanism, { credentials: { ...credentials, token: 'x' } });
    expect(reply).toBe('454 4.7.0 Temporary authentication failure');
    expect(errors).toEqual([['auth', expect.any(TypeError)]]);
  });

  test('has to name who another layer vouches for', async () => {
    const errors: unknown[] = [];
    const error: Handler['error'] = (cause) => void errors.push(cause);
    const mechanisms = [external()];
    const unnamed = start({ mechanisms, verify: () => true }, {}, { error }).client;
    expect(await authenticate(unnamed, external(), { credentials: {} })).toBe('454 4.7.0 Temporary authentication failure');
    expect(errors).toHaveLength(1);
    const named = start({ mechanisms, verify: (_, { peer }) => `client of ${peer.address}` }).client;
    expect(await authenticate(named, external(), { credentials: {} })).toBe(SUCCESS);
  });

  test('that fails is a failure that passes, and is told to the error hook only', async () => {
    const errors: unknown[] = [];
    const verify = () => Promise.reject(new Error('the directory is away'));
    const { client } = start(
      { mechanisms: [plain()], verify },
      {},
      { error: (cause, question) => void errors.push([String(cause), question]) },
    );
    expect(await authenticate(client, plain(), { credentials })).toBe('454 4.7.0 Temporary authentication failure');
    expect(errors).toEqual([['Error: the directory is away', 'auth']]);
  });
});

describe('whom to act as', () => {
  const acting = { ...credentials, authzid: 'boss' };

  test('is the user itself, unless the program allows another', async () => {
    const auth: Authentication = { mechanisms: [plain(), scram()], lookup: passwords };
    for (const mechanism of [plain(), scram()[1]]) {
      const strict = start(auth).client;
      expect(await authenticate(strict, mechanism, { credentials: acting, nonce: 'abc' })).toBe(REFUSED);
      expect(await authenticate(strict, mechanism, { credentials: { ...acting, authzid: 'tim' }, nonce: 'abc' })).toBe(SUCCESS);
      const allowed: string[] = [];
      const authorize = (user: string, authzid: string) => allowed.push(`${user} as ${authzid}`) > 0;
      expect(await authenticate(start({ ...auth, authorize }).client, mechanism, { credentials: acting, nonce: 'abc' })).toBe(SUCCESS);
      expect(allowed).toEqual(['tim as boss']);
    }
  });
});

describe('on the wire', () => {
  const good = base64('\0tim\0pencil');

  test('a first response is not taken where the server begins', async () => {
    const { client } = start({ mechanisms: [cramMd5()], lookup: passwords });
    client.send(`AUTH CRAM-MD5 ${good}\r\n`);
    expect(await client.replies(1)).toEqual(['501 5.7.0 The client does not begin with this mechanism']);
    expect(await authenticate(client, cramMd5(), { credentials })).toBe(SUCCESS);
  });

  test('LOGIN takes the name with the command, and PLAIN its response behind an empty challenge', async () => {
    const { client } = start({ mechanisms: [login(), plain()], lookup: passwords });
    client.send(`AUTH LOGIN ${base64('tim')}\r\n`);
    expect(await client.replies(1)).toEqual([`334 ${base64('Password:')}`]);
    client.send(`${base64('x')}\r\nAUTH PLAIN\r\n`);
    expect(await client.replies(2)).toEqual([REFUSED, '334 ']);
    client.send(`${good}\r\n`);
    expect(await client.replies(1)).toEqual([SUCCESS]);
  });

  test('what was cancelled or has failed leaves nothing to the next attempt', async () => {
    const { client } = start({ mechanisms: all, lookup: passwords });
    client.send(`AUTH LOGIN\r\n${base64('tim')}\r\n*\r\n`);
    expect((await client.replies(3)).at(-1)).toBe('501 5.7.0 Authentication cancelled');
    client.send(`AUTH LOGIN\r\n${base64('pencil')}\r\n!\r\n`);
    expect((await client.replies(3)).at(-1)).toMatch(/^501 5\.5\.2 /);
    // The second response would be the password if the exchange before were remembered.
    client.send(`AUTH PLAIN ${base64('pencil')}\r\nAUTH PLAIN =\r\nAUTH PLAIN ${good}\r\nAUTH PLAIN ${good}\r\n`);
    expect(await client.replies(4)).toEqual([MALFORMED, MALFORMED, SUCCESS, '503 5.5.1 Already authenticated']);
  });

  test('failures are counted, and shown without what was tried', async () => {
    const told: string[] = [];
    const notice: Handler['notice'] = (event) => void told.push(JSON.stringify(event));
    const { client } = start({ mechanisms: [plain()], lookup: passwords }, { trace: true, limits: { faults: 3 } }, { notice });
    const wrong = base64('\0tim\0hunter2');
    client.send(`AUTH PLAIN ${wrong}\r\n`.repeat(3));
    expect(await client.replies(3)).toEqual([REFUSED, REFUSED, '421 4.7.0 mx.example.org Too many errors, closing transmission channel']);
    expect(told.filter((line) => line.includes('auth-failed'))).toHaveLength(3);
    expect(told.join()).not.toMatch(/hunter2/);
    expect(told.join()).not.toContain(wrong);
  });

  test('mail is refused before, where AUTH is required', async () => {
    const { client } = start({ mechanisms: [plain()], lookup: passwords, required: true });
    client.send(`MAIL FROM:<>\r\nAUTH PLAIN ${good}\r\nMAIL FROM:<>\r\n`);
    expect(await client.replies(3)).toEqual(['530 5.7.0 Authentication required', SUCCESS, '250 2.1.0 Sender OK']);
  });
});

test('a lookup that comes too late leaves the exchange alone that has begun since', async () => {
  let arrive: (password: string) => void = () => {};
  const slow = new Promise<string>((resolve) => {
    arrive = resolve;
  });
  let asked = 0;
  const lookup = (user: string) => (asked++ === 0 ? slow : passwords(user));
  const bare = scram().find(({ name }) => !name.endsWith('-PLUS'));
  const { client } = start({ mechanisms: [scram()], lookup }, { limits: { commandAnswer: 200 } });
  client.send(`AUTH SCRAM-SHA-256 ${Buffer.from('n,,n=tim,r=abc').toString('base64')}\r\n`);
  expect((await client.replies(1))[0]).toMatch(/^454 /);
  const replies = client.replies.bind(client);
  client.replies = async (count) => {
    const lines = await replies(count);
    arrive('pencil');
    await new Promise((resolve) => setTimeout(resolve, 20));
    return lines;
  };
  expect(await authenticate(client, bare!, { credentials, nonce: 'abd' })).toBe(SUCCESS);
});

test.each([
  [1024, /^334 .{1400,12288}$/],
  [1025, /^501 5\.5\.2 /],
  [9000, /^501 5\.5\.2 /],
])('a nonce of %i octets: what repeats it fits on a line, or is not said', async (length, reply) => {
  const errors: unknown[] = [];
  const { client } = start({ mechanisms: all, lookup: passwords }, {}, { error: (error) => void errors.push(error) });
  client.send('AUTH SCRAM-SHA-256\r\n');
  await client.replies(1);
  client.send(`${Buffer.from(`n,,n=tim,r=${'a'.repeat(length)}`).toString('base64')}\r\n`);
  expect((await client.replies(1))[0]).toMatch(reply);
  expect(errors).toEqual([]);
});
