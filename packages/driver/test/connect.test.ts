// Why there is no session: every way in which a connection, TLS or AUTH fails, in codes that stay and words that name the fix.
import { anonymous, oauthBearer, plain, scram, xoauth2 } from '@ehlo/sasl';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClientError, type ClientMechanism, type ClientStep, type ConnectOptions, connectOn, dial } from '../src/index.ts';
import { but, type Script, ScriptedServer, tlsInfo, turns, willing } from './scripted.ts';

const CREDENTIALS = { user: 'joe', password: 'correct horse' };
const PLAIN = { mechanisms: [plain()], ...CREDENTIALS };

async function failure(script: Script, options: ConnectOptions, prepare: (server: ScriptedServer) => void = () => {}) {
  const server = new ScriptedServer(script);
  prepare(server);
  const error: unknown = await connectOn(server, options).catch((why: unknown) => why);
  expect(error).toBeInstanceOf(ClientError);
  expect(JSON.stringify(server.lines)).not.toContain('correct horse');
  return { server, error: error as ClientError };
}

afterEach(() => {
  vi.useRealTimers();
});

const secure =
  (authorized = true) =>
  (server: ScriptedServer): void => {
    server.secure = () => {
      delete server.secure;
      return Promise.resolve(tlsInfo(authorized));
    };
  };
const implicit = (server: ScriptedServer): void => {
  server.tls = tlsInfo(true);
};
const AUTH_PLAIN = ['AUTH PLAIN LOGIN'];
const SECURE: ConnectOptions = { starttls: 'required' };

test.each<[string, string, string, Script, ConnectOptions, ((server: ScriptedServer) => void)?]>([
  ['the greeting is a refusal', 'refused', 'the server refuses: 554 5.7.1 go away', but({ '': '554 5.7.1 go away' }), {}],
  ['the greeting is 421', 'closing', 'the server closes the session: 421 busy', but({ '': '421 busy' }), {}],
  [
    'the port speaks TLS',
    'speaks-tls',
    'this port speaks TLS first: connect with implicit TLS',
    but({ '': '\x15\x03\x03\x00\x02\x02\x32' }),
    {},
  ],
  ['another protocol', 'protocol', 'the server breaks the protocol (malformed-reply): * OK IMAP4', but({ '': '* OK IMAP4' }), {}],
  ['EHLO and HELO are refused', 'refused', 'the server refuses: 550 no', but({ EHLO: '502 what?', HELO: '550 no' }), {}],
  ['no STARTTLS', 'tls-unavailable', 'TLS is required, and the server does not offer STARTTLS', willing(), SECURE, secure()],
  [
    'STARTTLS is refused',
    'tls-unavailable',
    'TLS is required, and the server refuses STARTTLS: 454 not now',
    but({ STARTTLS: '454 not now' }, ['STARTTLS']),
    SECURE,
    secure(),
  ],
  ['HELO would be the way around TLS', 'refused', 'the server refuses: 502 what?', but({ EHLO: '502 what?' }), SECURE, secure()],
  ['the transport knows no TLS', 'tls-unavailable', 'TLS is required, and this transport can not become secure', willing(), SECURE],
  [
    'the handshake fails',
    'tls-failed',
    "the TLS handshake failed: no shared cipher; TLS was tried because the server offers it: starttls: 'off' goes on in clear",
    willing(['STARTTLS']),
    {},
    (server) => (server.secure = () => Promise.reject(new Error('no shared cipher'))),
  ],
  [
    'the handshake fails, and TLS is required: there is no way in clear',
    'tls-failed',
    'the TLS handshake failed: no shared cipher',
    willing(['STARTTLS']),
    SECURE,
    (server) => (server.secure = () => Promise.reject(new Error('no shared cipher'))),
  ],
  [
    'the adapter knows why it fails',
    'certificate',
    'expired',
    willing(['STARTTLS']),
    {},
    (server) => (server.secure = () => Promise.reject(new ClientError('certificate', 'expired'))),
  ],
  [
    'octets behind STARTTLS',
    'protocol',
    'the server breaks the protocol (plaintext-after-starttls)',
    but({ STARTTLS: '220 go\r\n250 injected' }, ['STARTTLS']),
    {},
    secure(),
  ],
  [
    'no AUTH in clear',
    'auth-unavailable',
    'the server does not offer AUTH in clear: require TLS',
    willing(),
    { auth: PLAIN, credentials: 'cleartext' },
  ],
  [
    'no AUTH at all',
    'auth-unavailable',
    'the server does not offer AUTH here: take its submission port, 465 or 587',
    willing(),
    { auth: PLAIN },
    implicit,
  ],
  [
    'no mechanism that both have',
    'auth-unavailable',
    'the server offers PLAIN, LOGIN for AUTH; of SCRAM-SHA-256-PLUS, SCRAM-SHA-256 none can be used',
    willing(AUTH_PLAIN),
    { auth: { mechanisms: [scram()], ...CREDENTIALS } },
    implicit,
  ],
  [
    'the credentials do not suit',
    'auth-unavailable',
    'the server offers PLAIN, LOGIN for AUTH; of PLAIN none can be used',
    willing(AUTH_PLAIN),
    { auth: { mechanisms: [plain()], token: 'x' } },
    implicit,
  ],
  [
    'a password that can not be sent',
    'auth-failed',
    'the credentials have characters that this mechanism can not send, or lack something',
    willing(AUTH_PLAIN),
    { auth: { mechanisms: [plain()], user: 'joe', password: 'a\0b' } },
    implicit,
  ],
  [
    'AUTH is refused',
    'auth-refused',
    'the server refuses the credentials: 535 5.7.8 no',
    but({ AUTH: '535 5.7.8 no' }, AUTH_PLAIN),
    { auth: PLAIN },
    implicit,
  ],
  [
    'nobody can authenticate now',
    'auth-refused',
    'the server cannot authenticate anybody now: 454 4.7.0 later',
    but({ AUTH: '454 4.7.0 later' }, AUTH_PLAIN),
    { auth: PLAIN },
    implicit,
  ],
  [
    'a token is refused, with a reason',
    'auth-refused',
    'the server refuses the credentials: 535 no ({"status":"401"})',
    (line, server) => {
      // An empty line is the greeting's turn, or what XOAUTH2 says to a refusal.
      if (line === '' && server.lines.length > 0) return '535 no';
      return but({ AUTH: `334 ${btoa('{"status":"401"}')}` }, ['AUTH XOAUTH2'])(line, server);
    },
    { auth: { mechanisms: [xoauth2()], user: 'joe', token: 'abcdefgh' } },
    implicit,
  ],
  [
    'an impostor',
    'auth-failed',
    'the server does not know the password: it is not who it should be',
    but({ AUTH: '235 welcome' }, ['AUTH SCRAM-SHA-256']),
    { auth: { mechanisms: [scram()], ...CREDENTIALS } },
    implicit,
  ],
  [
    'a challenge that is nonsense',
    'auth-failed',
    'the AUTH exchange has failed (malformed)',
    but({ AUTH: `334 ${btoa('nonsense')}`, '*': '501 cancelled' }, ['AUTH SCRAM-SHA-256']),
    { auth: { mechanisms: [scram()], ...CREDENTIALS } },
    implicit,
  ],
  [
    'a nonce that the answer would have no room for',
    'auth-failed',
    'the AUTH exchange has failed (malformed)',
    scramServer((nonce) => `r=${nonce}${'x'.repeat(2000)},s=QUJD,i=4096`),
    { auth: { mechanisms: [scram()], ...CREDENTIALS } },
    implicit,
  ],
  [
    'an answer that is longer than a line may be',
    'auth-failed',
    'the AUTH exchange has failed (too-long)',
    but({ AUTH: '334 ', '*': '501 cancelled' }, ['AUTH X-LONG']),
    { auth: { mechanisms: [longWinded()] } },
    implicit,
  ],
  [
    'a wrong password, told in place of a signature',
    'auth-refused',
    'the server refuses the credentials',
    scramServer((nonce, step) => (step === 0 ? `r=${nonce}y,s=QUJD,i=4096` : 'e=invalid-proof')),
    { auth: { mechanisms: [scram()], ...CREDENTIALS } },
    implicit,
  ],
  [
    'a challenge that is no base64',
    'protocol',
    'the server breaks the protocol (base64)',
    but({ AUTH: '334 !', '*': '501 cancelled' }, ['AUTH SCRAM-SHA-256']),
    { auth: { mechanisms: [scram()], ...CREDENTIALS } },
    implicit,
  ],
  [
    'the certificate is not verified',
    'unprotected',
    "credentials are sent under TLS only, to a server whose certificate was verified, unless the option says less: credentials: 'encrypted'",
    willing(['STARTTLS', ...AUTH_PLAIN]),
    { auth: PLAIN },
    secure(false),
  ],
])('%s', async (_, code, text, script, options, prepare) => {
  const { server, error } = await failure(script, options, prepare);
  expect([error.code, error.message]).toEqual([code, text]);
  await turns();
  expect(server.ended).not.toBe('no');
  if (code === 'unprotected' || code === 'tls-unavailable') expect(server.lines.filter((line) => /^AUTH|^MAIL/.test(line))).toEqual([]);
});

test.each<[string, string, (server: ScriptedServer) => void]>([
  ['ended', 'the server has ended the connection without a greeting', (server) => server.end()],
  ['lost', 'the connection was lost: reset', (server) => server.lose(new Error('reset'))],
  ['lost', 'the connection was lost', (server) => server.lose()],
])('no greeting: %s', async (code, text, happen) => {
  const { error } = await failure(
    () => null,
    {},
    (server) => setTimeout(() => happen(server)),
  );
  expect([error.code, error.message, error.stage]).toEqual([code, text, 'connect']);
});

test.each<[string, string, Script, ConnectOptions]>([
  ['connect', 'a greeting that refuses', but({ '': '554 go away' }), {}],
  ['hello', 'EHLO is refused', but({ EHLO: '550 not you' }), {}],
  ['hello', 'EHLO and HELO are refused', but({ EHLO: '502 what?', HELO: '550 no' }), {}],
  ['tls', 'no STARTTLS', willing(), SECURE],
  ['tls', 'STARTTLS is refused', but({ STARTTLS: '454 not now' }, ['STARTTLS']), SECURE],
  ['auth', 'no AUTH', willing(), { auth: PLAIN, credentials: 'cleartext' }],
])('the stage of an error is how far it came: %s, %s', async (stage, _, script, options) => {
  const { error } = await failure(script, options, secure());
  expect(error.stage).toBe(stage);
});

test('a farewell that lacks only its CRLF is heard', async () => {
  const { error } = await failure(
    () => null,
    {},
    (server) =>
      setTimeout(() => {
        server.say('421 4.3.2 going down', '');
        server.end();
      }),
  );
  expect([error.code, error.message]).toEqual(['closing', 'the server closes the session: 421 4.3.2 going down']);
});

test('no greeting in time: cut off', async () => {
  vi.useFakeTimers();
  const connecting = failure(() => null, { limits: { greetingTimeout: 2000 } });
  await vi.advanceTimersByTimeAsync(2001);
  const { error, server } = await connecting;
  expect([error.code, error.message, server.ended]).toEqual([
    'timeout',
    'no greeting came in time: is this a port for SMTP, and does it speak TLS first?',
    'aborted',
  ]);
});

test('a signal ends it at any moment', async () => {
  const control = new AbortController();
  setTimeout(() => control.abort('late'));
  const { error, server } = await failure(() => null, { signal: control.signal });
  expect([error.code, error.cause, server.ended]).toEqual(['aborted', 'late', 'aborted']);
  const { error: again } = await failure(willing(), { signal: control.signal });
  expect(again.code).toBe('aborted');
});

test('a signal ends an open session', async () => {
  const control = new AbortController();
  const server = new ScriptedServer();
  const client = await connectOn(server, { signal: control.signal });
  control.abort();
  expect([(await client.closed)?.code, server.ended]).toEqual(['aborted', 'aborted']);
});

test.each<[string, ConnectOptions]>([
  ['bad-hostname', { hostname: 'a b' }],
  ['bad-limit', { limits: { rcptTimeout: 0 } }],
])('wrong options: %s; the connection is not left open', async (code, options) => {
  const server = new ScriptedServer();
  await expect(connectOn(server, options)).rejects.toMatchObject({ name: 'SmtpUsageError', code });
  expect(server.ended).toBe('aborted');
});

describe('TLS', () => {
  test('is taken where it is offered; what was offered in clear is forgotten', async () => {
    const server = new ScriptedServer((line, one) =>
      line.startsWith('EHLO') && one.secure === undefined ? '250 mx' : willing(['STARTTLS', 'SIZE 5'])(line, one),
    );
    secure(false)(server);
    const client = await connectOn(server);
    expect([client.tls?.protocol, client.capabilities.extensions.size, server.lines]).toEqual([
      'TLSv1.3',
      0,
      ['EHLO [192.0.2.1]', 'STARTTLS', 'EHLO [192.0.2.1]'],
    ]);
  });

  test.each<[string, Script, ConnectOptions, boolean]>([
    ['not offered', willing(), {}, true],
    ['refused', but({ STARTTLS: '454 no' }, ['STARTTLS']), {}, true],
    ['not wanted', willing(['STARTTLS']), { starttls: 'off' }, true],
    ['beyond this transport', willing(['STARTTLS']), {}, false],
  ])('is not taken where it is %s', async (_, script, options, able) => {
    const server = new ScriptedServer(script);
    if (able) secure()(server);
    expect((await connectOn(server, options)).tls).toBeNull();
  });
});

describe('AUTH', () => {
  test('is not even tried where TLS is not offered', async () => {
    const { server, error } = await failure(willing(AUTH_PLAIN), { auth: PLAIN }, secure());
    expect([error.code, server.lines]).toEqual(['tls-unavailable', ['EHLO [192.0.2.1]', 'QUIT']]);
  });

  const lookup = (server: ScriptedServer): string => server.lines.find((line) => line.startsWith('AUTH'))!.split(' ')[1]!;

  test('needs TLS unless the program says in plain words that it does not', async () => {
    const script = but({ AUTH: '235 yes' }, ['STARTTLS', ...AUTH_PLAIN]);
    const under = new ScriptedServer(script);
    secure()(under);
    expect((await connectOn(under, { auth: PLAIN })).authenticated).toBe('PLAIN');
    expect(under.lines.map((line) => line.split(' ')[0])).toEqual(['EHLO', 'STARTTLS', 'EHLO', 'AUTH']);
    const clear = new ScriptedServer(script);
    expect((await connectOn(clear, { auth: PLAIN, credentials: 'cleartext' })).authenticated).toBe('PLAIN');
    const whoever = new ScriptedServer(script);
    secure(false)(whoever);
    expect((await connectOn(whoever, { auth: PLAIN, credentials: 'encrypted' })).authenticated).toBe('PLAIN');
  });

  test.each([
    ['AUTH SCRAM-SHA-256 PLAIN', [plain(), scram()], 'PLAIN'],
    ['AUTH plain ANONYMOUS', [scram(), anonymous(), plain()], 'PLAIN'],
    ['AUTH SCRAM-SHA-256-PLUS PLAIN', [scram(), plain()], 'PLAIN'],
    ['AUTH OAUTHBEARER PLAIN', [oauthBearer(), plain()], 'PLAIN'],
  ])('%s: the first that is offered and that the credentials suit', async (offer, mechanisms, taken) => {
    const server = new ScriptedServer(but({ AUTH: '235 yes' }, [offer]));
    implicit(server);
    await connectOn(server, { auth: { mechanisms, ...CREDENTIALS } });
    expect(lookup(server)).toBe(taken);
  });

  /** A mechanism of one's own. */
  const oneStep: ClientMechanism = {
    name: 'LOGIN',
    clientFirst: true,
    bound: false,
    suits: () => true,
    client: () => ({
      type: 'respond',
      response: { expose: () => new Uint8Array(3) },
      final: true,
      next: () => ({ type: 'failure', reason: 'no' }),
    }),
  };

  test('a mechanism that is too weak for the server: the next one', async () => {
    const server = new ScriptedServer(but({ 'AUTH PLAIN': '534 5.7.9 too weak', 'AUTH LOGIN': '235 yes' }, AUTH_PLAIN));
    implicit(server);
    const client = await connectOn(server, { auth: { mechanisms: [plain(), oneStep], ...CREDENTIALS } });
    expect(client.authenticated).toBe('LOGIN');
  });

  test('no secret reaches whoever is told what happens', async () => {
    const told: unknown[] = [];
    const server = new ScriptedServer(but({ AUTH: '235 yes' }, AUTH_PLAIN));
    implicit(server);
    await connectOn(server, { auth: PLAIN, trace: true, notice: (notice) => told.push(notice) });
    const text = JSON.stringify(told);
    expect(text).toContain('AUTH PLAIN ***');
    for (const secret of ['correct horse', btoa('\0joe\0correct horse')]) expect(text).not.toContain(secret);
  });
});

test('a connection that comes too late is given back', async () => {
  const discarded: string[] = [];
  let come: (connection: string) => void = () => {};
  const dialing = dial<string>(
    () =>
      new Promise((resolve) => {
        come = resolve;
      }),
    (late) => discarded.push(late),
    1,
  );
  await expect(dialing).rejects.toMatchObject({ code: 'timeout' });
  come('late');
  await turns(1);
  expect(discarded).toEqual(['late']);
});

function longWinded(): ClientMechanism {
  const answer = (length: number): ClientStep => ({
    type: 'respond',
    response: { expose: () => new Uint8Array(length) },
    final: true,
    next: () => answer(20_000),
  });
  return { name: 'X-LONG', clientFirst: true, bound: false, suits: () => true, client: () => answer(1) };
}

/** A server that has SCRAM-SHA-256, and says what it likes in it. */
function scramServer(says: (nonce: string, step: number) => string): Script {
  let [step, nonce] = [0, ''];
  const rest = willing(['AUTH SCRAM-SHA-256']);
  return (line, server) => {
    const given = line.startsWith('AUTH') ? line.split(' ')[2]! : line;
    if (line === '*') return '501 cancelled';
    if (!/^[A-Za-z0-9+/=]{20,}$/.test(given)) return rest(line, server);
    nonce ||= /,r=(.*)$/.exec(atob(given))![1]!;
    return `334 ${btoa(says(nonce, step++))}`;
  };
}

test('a mechanism that can not send the credentials is passed over', async () => {
  const server = new ScriptedServer(willing(['AUTH SCRAM-SHA-256 PLAIN']));
  implicit(server);
  // Unassigned in Unicode 3.2 (RFC 4013 2.5).
  const client = await connectOn(server, { auth: { mechanisms: [scram(), plain()], user: 'joe', password: 'p\u{1f600}w' } });
  expect(client.authenticated).toBe('PLAIN');
});

test.each<[string, ConnectOptions['auth']]>([
  ['no mechanisms', { user: 'joe', password: 'x' } as unknown as NonNullable<ConnectOptions['auth']>],
  ['a token that no line can hold', { mechanisms: [xoauth2()], user: 'joe', token: 'x'.repeat(10_000) }],
])('%s: told by the promise, and the connection is left', async (_, auth) => {
  const server = new ScriptedServer(willing(['AUTH XOAUTH2']));
  implicit(server);
  await expect(connectOn(server, { auth: auth! })).rejects.toThrow();
  await turns();
  expect(server.ended).not.toBe('no');
});
