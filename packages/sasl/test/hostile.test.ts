// Nothing that a peer sends makes a step throw; and nothing that a program may log shows a secret.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anonymous,
  type ClientStep,
  cramMd5,
  external,
  login,
  oauthBearer,
  plain,
  Secret,
  type ServerStep,
  SHA1,
  SHA512,
  scram,
  scramKeys,
  xoauth2,
} from '../src/index.ts';
import { derived, exchange, octets, SERVER, settle } from './exchange.ts';

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
);
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

test('the password of a user who has none is not the empty one', () => {
  const keys = scramKeys('pencil', { salt: Uint8Array.of(1), iterations: 1 });
  for (const stored of [null, keys]) {
    const { client } = exchange(cramMd5(), { credentials: { user: 'user', password: '' } }, { lookup: () => stored });
    expect(client).toBe('refused');
  }
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
