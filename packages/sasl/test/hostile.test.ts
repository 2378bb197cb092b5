// Nothing that a peer sends makes a step throw; and nothing that a program may log shows a secret.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anonymous,
  type Claim,
  type ClientStep,
  cramMd5,
  external,
  login,
  type Mechanism,
  oauthBearer,
  parseScramKeys,
  plain,
  Secret,
  type ServerStep,
  SHA1,
  SHA512,
  scram,
  scramKeys,
  xoauth2,
} from '../src/index.ts';
import { derived, octets, SERVER, type Store, settle, show } from './exchange.ts';

const few = { iterations: 1, accepted: [1, 3] } as const;
const bindings = new Map([['tls-exporter', Uint8Array.of(1)]]);
const MECHANISMS = [
  ...[plain(), login(), cramMd5(), external(), anonymous(), oauthBearer(), xoauth2()],
  ...[scram(SHA1, few), scram(undefined, few), scram(SHA512, few)].flat(),
];
const credentials = { user: 'user', password: 'hunter2-secret', token: 'tok-secret' };
const context = { credentials, nonce: 'abc', bindings, offered: [] };

/** Octets of any kind, and messages that are nearly right. */
const pieces = fc.constantFrom(
  ...[
    'n,,',
    'y,,',
    'p=tls-exporter,,',
    'p=,,',
    'n=user',
    ',r=abc',
    'r=abcserver-nonce',
    ',s=AAAA',
    ',i=1',
    'c=biws',
    ',p=',
    'v=',
    'e=x',
    'm=',
  ],
  ...[
    '\0',
    '\x01',
    'user=',
    'auth=Bearer ',
    'auth=',
    'host=h',
    'port=25',
    'a=',
    '=2C',
    '=',
    ',',
    ' ',
    'user',
    '\u0627',
    '\ud83d\ude00',
    '{}',
  ],
  'abcserver-nonce'.padEnd(9000, 'x'),
);
/** RFC 4954 4: octets that are 12288 of base64, without what a reply has before them. */
const LONGEST = 9200;
const message = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.array(pieces, { maxLength: 8 }).map((parts) => octets(parts.join(''))),
);
const messages = fc.array(message, { minLength: 1, maxLength: 5 });

describe.each(MECHANISMS.map((mechanism) => [mechanism.name, mechanism] as const))('%s', (_, mechanism) => {
  test('a server takes any responses', () => {
    fc.assert(
      fc.property(messages, fc.boolean(), (responses, known) => {
        let step: ServerStep = mechanism.server({ ...SERVER, bindings });
        for (const response of responses) {
          if (step.type !== 'challenge') break;
          step = settle(step.next(response), { lookup: () => (known ? 'pencil' : null) });
          if (step.type === 'challenge') expect(step.challenge.length).toBeLessThan(LONGEST);
        }
        expect(['challenge', 'failure']).toContain(step.type);
      }),
      { numRuns: 400 },
    );
  });

  test('a client takes any challenges', () => {
    fc.assert(
      fc.property(messages, (challenges) => {
        let step: ClientStep = derived(mechanism.client(context));
        for (const challenge of challenges) {
          if (step.type !== 'respond') break;
          step = derived(step.next(challenge));
          if (step.type === 'respond') expect(step.response?.expose().length ?? 0).toBeLessThan(LONGEST);
        }
        expect(['respond', 'failure']).toContain(step.type);
      }),
      { numRuns: 400 },
    );
  });

  test('no step shows a secret to who prints it', () => {
    const step = mechanism.client(context);
    const seen = [inspect(step, { depth: 9, showHidden: true }), JSON.stringify(step)];
    if (step.type === 'respond') {
      const next = derived(step.next(octets('r=abcd,s=AAAA,i=1')));
      seen.push(inspect(next, { depth: 9 }), JSON.stringify(next), String(step.response));
    }
    for (const text of seen) {
      expect(text).not.toMatch(/-secret/);
      // The same as a list of octets: "sec".
      expect(text).not.toMatch(/115,\s*101,\s*99/);
    }
  });
});

test('claims and keys show no secret either', () => {
  const first = plain().server(SERVER);
  const claim = first.type === 'challenge' ? first.next(octets('\0user\0hunter2-secret')) : first;
  expect(claim).toMatchObject({ claim: { type: 'password', user: 'user', password: new Secret('hunter2-secret') } });
  const keys = scramKeys('hunter2-secret', { salt: Uint8Array.of(1), iterations: 1 });
  const stored = Buffer.from(keys.storedKey.expose()).subarray(0, 3).join(', ');
  for (const text of [inspect(claim, { depth: 9 }), JSON.stringify(claim), inspect(keys, { depth: 9 }), JSON.stringify(keys)]) {
    expect(text).not.toMatch(/-secret/);
    expect(text).not.toContain(stored);
  }
});

describe('a server refuses', () => {
  test.each([
    ['PLAIN', plain(), '', 'malformed'],
    ['PLAIN', plain(), '\0\0', 'malformed'],
    ['PLAIN', plain(), '\0user', 'malformed'],
    ['PLAIN', plain(), '\0user\0', 'malformed'],
    ['PLAIN', plain(), '\0\0pass', 'malformed'],
    ['PLAIN', plain(), '\0user\0pass\0', 'malformed'],
    ['PLAIN', plain(), 'a\nb\0user\0pencil', 'malformed'],
    ['PLAIN', plain(), '\0us\ner\0pencil', 'credentials'],
    ['PLAIN', plain(), '\0user\0pen\x07cil', 'credentials'],
    ['LOGIN', login(), '', 'credentials'],
    ['LOGIN', login(), 'us\0er', 'credentials'],
    ['CRAM-MD5', cramMd5(), '', 'malformed'],
    ['CRAM-MD5', cramMd5(), ' b913a602c7eda7a495b4e6e7334d3890', 'malformed'],
    ['CRAM-MD5', cramMd5(), 'u b913a602c7eda7a495b4e6e7334d389', 'malformed'],
    ['CRAM-MD5', cramMd5(), 'userxb913a602c7eda7a495b4e6e7334d3890', 'malformed'],
    ['CRAM-MD5', cramMd5(), 'u\r b913a602c7eda7a495b4e6e7334d3890', 'credentials'],
    ['EXTERNAL', external(), 'a\x7f', 'malformed'],
    ['ANONYMOUS', anonymous(), 'a\rb', 'malformed'],
    ['ANONYMOUS', anonymous(), 'x'.repeat(256), 'malformed'],
    ['OAUTHBEARER', oauthBearer(), '\x01', 'malformed'],
    ['OAUTHBEARER', oauthBearer(), 'n,,\x01auth=Basic dGltOnRpbQ==\x01\x01', 'malformed'],
    ['OAUTHBEARER', oauthBearer(), 'n,,\x01auth=Bearer x\x01auth=Bearer y\x01\x01', 'malformed'],
    ['OAUTHBEARER', oauthBearer(), 'n,,\x01host=h\x01\x01', 'malformed'],
    ['OAUTHBEARER', oauthBearer(), 'n,,\x01auth=Bearer x\x01port=0\x01\x01', 'malformed'],
    ['OAUTHBEARER', oauthBearer(), 'p=tls-exporter,,\x01auth=Bearer x\x01\x01', 'malformed'],
    ['OAUTHBEARER', oauthBearer(), 'n,a=a=b,\x01auth=Bearer x\x01\x01', 'malformed'],
    ['XOAUTH2', xoauth2(), 'user=a\x01auth=Bearer x=y\x01\x01', 'malformed'],
    ['XOAUTH2', xoauth2(), 'user=a\x01auth=Bearer x y\x01\x01', 'malformed'],
    ['XOAUTH2', xoauth2(), 'user=a\x01auth=Bearer x\x01', 'malformed'],
    ['XOAUTH2', xoauth2(), 'auth=Bearer x\x01user=a\x01\x01', 'malformed'],
  ])('%s: %3$s %2$j', (_, mechanism, response, reason) => {
    let step = mechanism.server(SERVER);
    for (let i = 0; i < 2 && step.type === 'challenge'; i++) step = settle(step.next(octets(response)), { lookup: () => 'pencil' });
    expect(step).toEqual({ type: 'failure', reason });
  });
});

describe('an empty password authenticates nobody, whoever shows it and however it is stored', () => {
  /** Nothing is left of a soft hyphen (RFC 4013 2.1). */
  const EMPTY = ['', '\u00ad'];
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
  const hash = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
  const salt = Uint8Array.of(1, 2, 3);
  const salted = pbkdf2Sync('', salt, 1, 32, 'sha256');
  /** Made elsewhere: `scramKeys` makes none of it. */
  const keys = parseScramKeys(
    `{SCRAM-SHA-256}1,${[salt, hash(hmac(salted, 'Client Key')), hmac(salted, 'Server Key')].map(base64).join()}`,
  )!;

  /** What a client says that does not mind; the server's last word is given. */
  const SAID: { readonly [name: string]: (password: string) => readonly ((challenge: string) => string)[] } = {
    PLAIN: (password) => [() => `\0user\0${password}`],
    LOGIN: (password) => [() => 'user', () => password],
    'CRAM-MD5': (password) => [(challenge) => `user ${createHmac('md5', password).update(challenge).digest('hex')}`],
    OAUTHBEARER: (token) => [() => `n,a=user,\x01auth=Bearer ${token}\x01\x01`],
    XOAUTH2: (token) => [() => `user=user\x01auth=Bearer ${token}\x01\x01`],
    'SCRAM-SHA-256': (password) => [
      () => 'n,,n=user,r=abc',
      (challenge) => {
        const [, of, count] = /,s=([^,]*),i=(\d+)$/.exec(challenge)!;
        const clientKey = hmac(pbkdf2Sync(password, Buffer.from(of!, 'base64'), Number(count), 32, 'sha256'), 'Client Key');
        const unproved = `c=biws,r=${/^r=([^,]*)/.exec(challenge)![1]}`;
        const signature = hmac(hash(clientKey), `n=user,r=abc,${challenge},${unproved}`);
        return `${unproved},p=${base64(clientKey.map((octet, i) => octet ^ signature[i]!))}`;
      },
      () => '',
    ],
  };
  const BY_SECRET = MECHANISMS.filter(({ name }) => SAID[name] !== undefined);

  function attempt(mechanism: Mechanism, shown: string, store: Store): ServerStep {
    let step = settle(mechanism.server(SERVER), store);
    for (const say of SAID[mechanism.name]!(shown))
      if (step.type === 'challenge') step = settle(step.next(octets(say(show(step.challenge)))), store);
    // What is wrong with a token is a challenge.
    return step.type === 'challenge' ? settle(step.next(octets('\x01')), store) : step;
  }

  test('each mechanism that shows or proves a secret is tried, and what is tried is right', () => {
    expect(new Set(BY_SECRET.map(({ name }) => name))).toEqual(new Set(Object.keys(SAID)));
    for (const mechanism of BY_SECRET) {
      const store: Store = mechanism.asks.includes('lookup') ? { lookup: () => 'pencil' } : { verify: () => 'user' };
      expect(attempt(mechanism, 'pencil', store)).toMatchObject({ type: 'success', user: 'user' });
    }
    const { derivation, next } = keys.check('');
    expect(next(derivation.derive())).toBe(true);
  });

  test.each(BY_SECRET)('$name: a server', (mechanism) => {
    const judged: Claim[] = [];
    const verify = (claim: Claim): string => {
      judged.push(claim);
      return 'user';
    };
    const other = scramKeys('pencil', { salt, iterations: 1 });
    const stores: Store[] = [
      ...['', '\u00ad', new Secret(''), keys, null, other].map((stored) => ({ lookup: () => stored })),
      { verify },
    ].filter((store) => mechanism.asks.some((ask) => ask in store));
    for (const store of stores) for (const shown of EMPTY) expect(attempt(mechanism, shown, store)).toMatchObject({ type: 'failure' });
    expect(judged).toEqual([]);
  });

  test.each(BY_SECRET)('$name: a client', (mechanism) => {
    for (const shown of EMPTY)
      expect(mechanism.client({ credentials: { user: 'user', password: shown, token: shown }, nonce: 'abc' })).toEqual({
        type: 'failure',
        reason: 'credentials',
      });
  });
});

describe('a client refuses to show', () => {
  test.each([
    ['PLAIN', plain(), { user: 'a\0b' }],
    ['PLAIN', plain(), { user: '' }],
    ['PLAIN', plain(), { password: 'a\nb' }],
    ['PLAIN', plain(), { authzid: 'a\0b' }],
    ['LOGIN', login(), { user: 'a\0b' }],
    ['LOGIN', login(), { password: '' }],
    ['CRAM-MD5', cramMd5(), { user: 'a\rb' }],
    ['EXTERNAL', external(), { authzid: '\x01' }],
    ['ANONYMOUS', anonymous(), { user: 'a\rb' }],
    ['OAUTHBEARER', oauthBearer(), { token: 'a\x01b' }],
    ['OAUTHBEARER', oauthBearer(), { user: 'a\x01b' }],
    ['XOAUTH2', xoauth2(), { token: 'a b' }],
    ['XOAUTH2', xoauth2(), { user: 'a\x01b' }],
  ])('%s: %j', (_, mechanism, wrong) => {
    expect(mechanism.client({ credentials: { ...credentials, ...wrong } })).toEqual({ type: 'failure', reason: 'credentials' });
  });
});

test('a mechanism says whether it suits what a client has', () => {
  const suiting = (given: object, more = {}) =>
    MECHANISMS.filter((mechanism) => mechanism.suits({ credentials: given, ...more })).map(({ name }) => name);
  expect(suiting({ user: 'u', password: 'p' })).toEqual([
    ...['PLAIN', 'LOGIN', 'CRAM-MD5'],
    ...['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'],
  ]);
  expect(suiting({ user: 'u', password: 'p' }, { bindings })).toHaveLength(9);
  expect(suiting({ user: 'u', password: 'p' }, { bindings: new Map([['tls-unheard-of', Uint8Array.of(1)]]) })).toHaveLength(6);
  expect(suiting({ user: 'u', token: 't' })).toEqual(['OAUTHBEARER', 'XOAUTH2']);
  expect(suiting({ token: 't' })).toEqual(['OAUTHBEARER']);
  expect(suiting({})).toEqual(['EXTERNAL', 'ANONYMOUS']);
});
