// Which mechanism follows a refusal, what is asked of a program, and what of the server's words reaches who reads an error.
import { cramMd5, plain, Secret, scram, xoauth2 } from '@ehlo/sasl';
import { describe, expect, test } from 'vitest';
import { MECHANISM_REFUSALS, WORDED_REFUSALS } from '../src/auth-refusals.ts';
import { type ClientAuth, ClientError, type ConnectOptions, connectOn } from '../src/index.ts';
import { but, ScriptedServer, tlsInfo } from './scripted.ts';

const USER = { user: 'joe', password: 'correct horse' };
/** In one step, as the script wants it. */
const login = () => ({ ...plain(), name: 'LOGIN' });
const hiding = { ...plain(), name: 'CRAM-MD5', reveals: false };
const OFFER = ['AUTH SCRAM-SHA-256 CRAM-MD5 XOAUTH2 PLAIN LOGIN'];

/** A session that is refused so, mechanism by mechanism; the mechanisms that were tried, and what came of it. */
async function tried(
  replies: { readonly [mechanism: string]: string },
  auth: ClientAuth,
  options: ConnectOptions & { readonly tls?: 'verified' | 'unverified' | 'none' } = {},
): Promise<{ readonly mechanisms: (string | undefined)[]; readonly error: ClientError | null; readonly authenticated: string | null }> {
  const { tls = 'verified', ...rest } = options;
  const answers = Object.entries(replies).map(([name, reply]) => [`AUTH ${name}`, reply] as const);
  const server = new ScriptedServer(but({ ...Object.fromEntries(answers), '*': '501 cancelled' }, OFFER));
  if (tls !== 'none') server.tls = tlsInfo(tls === 'verified');
  const credentials = tls === 'verified' ? 'verified' : tls === 'unverified' ? 'encrypted' : 'cleartext';
  let error: unknown = null;
  const client = await connectOn(server, { auth, credentials, ...rest }).catch((why: unknown) => {
    error = why;
    return null;
  });
  const mechanisms = server.lines.filter((line) => line.startsWith('AUTH')).map((line) => line.split(' ')[1]);
  if (error !== null) expect(error).toBeInstanceOf(ClientError);
  return { mechanisms, error: error as ClientError | null, authenticated: client?.authenticated ?? null };
}

describe('a refusal of the mechanism, not of the credentials', () => {
  test.each(MECHANISM_REFUSALS)('$code: each that is left is tried', async ({ code }) => {
    const no = `${code} no`;
    const { mechanisms, authenticated } = await tried(
      { 'SCRAM-SHA-256': no, 'CRAM-MD5': no, LOGIN: no, PLAIN: '235 yes' },
      { mechanisms: [scram(), cramMd5(), login(), plain()], ...USER },
    );
    expect(mechanisms).toEqual(['SCRAM-SHA-256', 'CRAM-MD5', 'LOGIN', 'PLAIN']);
    expect(authenticated).toBe('PLAIN');
  });

  test.each([421, 454, 503, 530, 535, 550, 554])('%i is the last word', async (code) => {
    const { mechanisms, error } = await tried({ 'CRAM-MD5': `${code} no` }, { mechanisms: [cramMd5(), plain()], ...USER });
    expect(mechanisms).toEqual(['CRAM-MD5']);
    expect(error).toMatchObject({ reply: { code } });
  });

  const WORDS: { readonly [source: number]: string } = {
    0: '535 5.7.8 Error: authentication failed: Invalid authentication mechanism',
    1: '535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [X.PROD]',
    2: '535 5.7.8 Error: authentication failed: no mechanism available',
    3: '535 5.7.8 Error: authentication failed: bad protocol / cancel',
    4: '535 5.7.8 Error: authentication failed: mechanism too weak for this user',
    5: '535 5.7.8 Error: authentication failed: encryption needed to use mechanism',
    6: '535 5.7.8 One time use of a plaintext password will enable requested mechanism for user',
    7: '535-5.7.8 Error: authentication failed:\r\n535 5.7.8 user exists, but no verifier for user',
  };

  test.each(WORDED_REFUSALS.map(({ words }, i) => [words, WORDS[i]!] as const))('%s: one more is tried, and no other', async (_, no) => {
    const mechanisms = [cramMd5(), login(), plain()];
    const one = await tried({ 'CRAM-MD5': no, LOGIN: '235 yes' }, { mechanisms, ...USER });
    expect([one.mechanisms, one.authenticated]).toEqual([['CRAM-MD5', 'LOGIN'], 'LOGIN']);
    for (const again of [no, '504 5.5.4 no']) {
      const two = await tried({ 'CRAM-MD5': no, LOGIN: again, PLAIN: '235 yes' }, { mechanisms, ...USER });
      expect([two.mechanisms, two.authenticated]).toEqual([['CRAM-MD5', 'LOGIN'], null]);
      expect(two.error).toMatchObject({ code: 'auth-refused', reply: { code: Number(again.slice(0, 3)) } });
    }
  });

  test('words that are withheld, for the password is short, are read all the same', async () => {
    const { mechanisms, authenticated } = await tried(
      { 'CRAM-MD5': WORDS[2]!, PLAIN: '235 yes' },
      { mechanisms: [cramMd5(), plain()], user: 'joe', password: 'a' },
    );
    expect([mechanisms, authenticated]).toEqual([['CRAM-MD5', 'PLAIN'], 'PLAIN']);
  });

  test.each(['unverified', 'none'] as const)('%s: whoever refuses what hides the password is not shown it', async (tls) => {
    const refused = await tried(
      { 'CRAM-MD5': '504 no', PLAIN: '235 yes' },
      { mechanisms: [cramMd5(), plain(), login()], ...USER },
      { tls },
    );
    expect([refused.mechanisms, refused.error?.code]).toEqual([['CRAM-MD5'], 'auth-refused']);
    // What hides it, too, may follow; and so may what shows it no more than what was refused.
    const hides = await tried(
      { 'SCRAM-SHA-256': '504 no', 'CRAM-MD5': '235 yes' },
      { mechanisms: [scram(), plain(), hiding], ...USER },
      { tls },
    );
    expect([hides.mechanisms, hides.authenticated]).toEqual([['SCRAM-SHA-256', 'CRAM-MD5'], 'CRAM-MD5']);
    const shows = await tried({ PLAIN: '504 no', LOGIN: '235 yes' }, { mechanisms: [plain(), login()], ...USER }, { tls });
    expect([shows.mechanisms, shows.authenticated]).toEqual([['PLAIN', 'LOGIN'], 'LOGIN']);
  });

  test("a mechanism of one's own that says nothing of it shows the password", async () => {
    const { reveals: _, ...own } = plain();
    const { mechanisms } = await tried({ 'CRAM-MD5': '504 no' }, { mechanisms: [cramMd5(), own], ...USER }, { tls: 'unverified' });
    expect(mechanisms).toEqual(['CRAM-MD5']);
  });

  test.each([
    [
      'a signature that is wrong',
      (text: string) => `334 ${btoa(`r=${/r=(.*)$/.exec(text)![1]}x,s=AAAA,i=4096`)}`,
      `334 ${btoa(`v=${btoa('x'.repeat(32))}`)}`,
    ],
    ['success without a signature', (text: string) => `334 ${btoa(`r=${/r=(.*)$/.exec(text)![1]}x,s=AAAA,i=4096`)}`, '235 yes'],
    ['a nonce of its own', () => `334 ${btoa('r=mine,s=AAAA,i=4096')}`, ''],
  ])('%s: nothing follows', async (_, challenge, second) => {
    const lines: string[] = [];
    const rest = but({ '*': '504 5.5.4 not this one' }, OFFER);
    const server = new ScriptedServer((line, self) => {
      lines.push(line);
      if (line.startsWith('AUTH SCRAM')) return challenge(atob(line.split(' ')[2]!));
      return lines.at(-2)?.startsWith('AUTH SCRAM') && line !== '*' ? second : rest(line, self);
    });
    server.tls = tlsInfo(true);
    const opening = connectOn(server, { auth: { mechanisms: [scram(), cramMd5(), plain()], ...USER } });
    await expect(opening).rejects.toMatchObject({ code: 'auth-failed' });
    expect(server.lines.filter((line) => line.startsWith('AUTH'))).toHaveLength(1);
  });
});

describe('what a server says of a token', () => {
  const TOKEN = 'ya29.a-token';
  const says = async (challenge: string, token = TOKEN): Promise<string> => {
    const server = new ScriptedServer((line, self) =>
      line === '' && self.lines.length > 0 ? '535 no' : but({ AUTH: `334 ${btoa(challenge)}` }, OFFER)(line, self),
    );
    server.tls = tlsInfo(true);
    const error: unknown = await connectOn(server, { auth: { mechanisms: [xoauth2()], user: 'joe', token } }).catch((why: unknown) => why);
    return (error as Error).message;
  };

  test('is told, without controls and not at any length', async () => {
    expect(await says('{"status":"401"}')).toBe('the server refuses the credentials: 535 no ({"status":"401"})');
    expect(await says('\x1b[2J\x07\r\n\x7f\xc2\x9b\xe2\x80\xae\xd8\x9c')).toBe(
      'the server refuses the credentials: 535 no (\\x1b[2J\\x07\\x0d\\x0a\\x7f\\x9b\\u{202e}\\u{61c})',
    );
    expect((await says('x'.repeat(5000))).length).toBeLessThan(1100);
  });

  test.each([
    ['as it is', TOKEN],
    ['in base64', btoa(TOKEN)],
    ['in capitals', `Bearer ${TOKEN.toUpperCase()}`],
    ['quoted', `\\"${TOKEN}\\"`],
  ])('is not told where it repeats the token %s', async (_, spelled) => {
    expect(await says(`{"token":"${spelled}"}`)).toBe('the server refuses the credentials: 535 no (***)');
  });

  test('not where the token is too short to be looked for', async () => {
    expect(await says('{"status":"401"}', 'abc')).toBe(
      'the server refuses the credentials: 535 *** (***); its words are withheld, for they may hold a secret',
    );
  });
});

describe('a token that is asked for', () => {
  const auth = (token: unknown): ClientAuth => ({ mechanisms: [xoauth2()], user: 'joe', token: token as string });
  const yes = { XOAUTH2: '235 yes' };

  test.each([
    ['at once', () => 'a-token-of-today'],
    ['later', () => Promise.resolve('a-token-of-today')],
    ['as a secret', () => new Secret('a-token-of-today')],
  ])('comes %s, for each connection', async (_, token) => {
    let asked = 0;
    const given = auth(() => {
      asked++;
      return token();
    });
    for (let i = 1; i <= 2; i++) {
      expect((await tried(yes, given)).authenticated).toBe('XOAUTH2');
      expect(asked).toBe(i);
    }
  });

  test.each([
    ['throws', () => Promise.reject(new Error('refresh with s3cret')), 'auth.token has thrown: there is no token'],
    ['gives nothing', () => undefined, 'auth.token gives undefined; it must give a string or a Secret'],
  ])('%s: there is no session', async (_, token, message) => {
    const { error, mechanisms } = await tried(yes, auth(token));
    expect(error).toMatchObject({ code: 'auth-failed', stage: 'auth', message });
    expect(mechanisms).toEqual([]);
  });

  test('comes when the session is over: nothing is said', async () => {
    let give: (token: string) => void = () => {};
    const control = new AbortController();
    const coming = tried(
      yes,
      auth(() => new Promise<string>((resolve) => (give = resolve))),
      { signal: control.signal },
    );
    await new Promise((resolve) => setTimeout(resolve));
    control.abort();
    give('a-token-of-today');
    expect(await coming).toMatchObject({ mechanisms: [], error: { code: 'aborted' } });
  });
});

test.each<[string, object]>([
  ['auth.mechanisms is undefined; it must be a list of mechanisms, such as [scram(), plain()]', {}],
  ['auth.mechanisms is an object; it must be a list of mechanisms, such as [scram(), plain()]', { mechanisms: plain() }],
  ['auth.mechanisms has the function plain: call it, [plain()]', { mechanisms: [plain] }],
  ['auth.mechanisms has what is no mechanism: import them from @ehlo/sasl', { mechanisms: ['PLAIN'] }],
  ['auth.mechanisms has what is no mechanism: import them from @ehlo/sasl', { mechanisms: [null] }],
  ['auth.password is undefined; it must be a string or a Secret', { mechanisms: [plain()], user: 'joe', password: undefined }],
  ['auth.token is undefined; it must be a string, a Secret or a function', { mechanisms: [xoauth2()], user: 'joe', token: undefined }],
  [
    'auth.password is undefined; it must be a string or a Secret',
    { mechanisms: [plain()], user: 'joe', password: undefined, token: undefined },
  ],
  ['auth.password is a function; it must be a string or a Secret', { mechanisms: [plain()], user: 'joe', password: () => 'x' }],
  ['auth.password is a number; it must be a string or a Secret', { mechanisms: [plain()], user: 'joe', password: 12_345_678 }],
  ['auth.user is null; it must be a string', { mechanisms: [plain()], user: null, password: 'x' }],
  ['auth.token is an object; it must be a string, a Secret or a function', { mechanisms: [xoauth2()], user: 'joe', token: { token: 'x' } }],
])('%s', async (message, auth) => {
  const server = new ScriptedServer(but({}, OFFER));
  server.tls = tlsInfo(true);
  await expect(connectOn(server, { auth: auth as ClientAuth })).rejects.toMatchObject({
    name: 'SmtpUsageError',
    code: 'bad-argument',
    message,
  });
  expect(server.lines).toEqual([]);
});

test('a password may be a secret', async () => {
  const auth = { mechanisms: [plain()], user: 'joe', password: new Secret('correct horse') };
  expect((await tried({ PLAIN: '235 yes' }, auth)).authenticated).toBe('PLAIN');
});

test.each<[string, object]>([
  ['PLAIN', { mechanisms: [plain()], user: 'joe', password: 'correct horse', token: undefined, authzid: undefined }],
  ['XOAUTH2', { mechanisms: [xoauth2()], user: 'joe', token: 'a-token-of-today', password: undefined }],
])('what is undefined is absent: %s', async (mechanism, auth) => {
  expect((await tried({ [mechanism]: '235 yes' }, auth as ClientAuth)).authenticated).toBe(mechanism);
});
