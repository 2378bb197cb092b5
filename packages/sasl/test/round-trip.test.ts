// Both sides against each other, with anything that a name, a password or a token may be.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ClientContext,
  cramMd5,
  external,
  login,
  type Mechanism,
  oauthBearer,
  plain,
  SHA1,
  SHA512,
  saslprep,
  scram,
  scramKeys,
  xoauth2,
} from '../src/index.ts';
import { exchange } from './exchange.ts';

const bindings = new Map([
  ['tls-exporter', Uint8Array.from({ length: 32 }, (_, i) => i)],
  ['tls-server-end-point', Uint8Array.from({ length: 32 }, (_, i) => 255 - i)],
]);
const offered = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-512-PLUS'];
// Few iterations: these tests are not about time.
const few = { iterations: 2, accepted: [1, 10] } as const;
const SCRAMS = [scram(SHA1, few), scram(undefined, few), scram(SHA512, few)].flat();
const PASSWORDS: readonly Mechanism[] = [plain(), login(), cramMd5(), ...SCRAMS];

/** A text that SASLprep takes, and what it makes of it. */
const text = fc
  .oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('a,b=c', '=2C', ' ', 'n,,', '\u00aa', '\u05d0\u05d1'))
  .filter((candidate) => Boolean(saslprep(candidate, 'stored')));
const nonce = fc.stringMatching(/^[!-+\--~]{1,40}$/);

function contextOf(user: string, password: string, extra: Partial<ClientContext> = {}): ClientContext {
  return { credentials: { user, password }, bindings, offered, ...extra };
}

describe.each(PASSWORDS.map((mechanism) => [mechanism.name, mechanism] as const))('%s', (_, mechanism) => {
  test('the right password opens', () => {
    fc.assert(
      fc.property(text, text, nonce, nonce, (user, password, ours, theirs) => {
        const context = contextOf(user, password, { nonce: ours });
        const lookup = (name: string) => (name === saslprep(user) ? password : null);
        const { client, server } = exchange(mechanism, context, { lookup }, { nonce: theirs, bindings });
        expect([client, server]).toEqual(['success', { type: 'success', user: saslprep(user), authzid: null }]);
      }),
    );
  });

  test('any other, and any other user, does not', () => {
    fc.assert(
      fc.property(text, text, text, nonce, (user, password, other, ours) => {
        fc.pre(saslprep(password) !== saslprep(other));
        const context = contextOf(user, password, { nonce: ours });
        for (const lookup of [() => other, () => null]) {
          const { client, server } = exchange(mechanism, context, { lookup }, { bindings });
          expect([client, server]).toEqual(['refused', { type: 'failure', reason: 'credentials' }]);
        }
      }),
    );
  });
});

const BY_KEYS = [
  ['PLAIN', plain(), SHA1],
  ['LOGIN', login(), SHA512],
  ['SCRAM-SHA-1-PLUS', SCRAMS[0]!, SHA1],
  ['SCRAM-SHA-256', SCRAMS[3]!, undefined],
  ['SCRAM-SHA-512', SCRAMS[5]!, SHA512],
] as const;

test.each(BY_KEYS)('%s, by a server that has only keys', (_, mechanism, hash) => {
  fc.assert(
    fc.property(text, text, text, (user, password, other) => {
      const keys = scramKeys(password, { salt: Uint8Array.of(7, 7), iterations: 3, ...(hash === undefined ? {} : { hash }) });
      const store = { lookup: () => keys };
      expect(exchange(mechanism, contextOf(user, password, { nonce: 'x' }), store, { bindings }).client).toBe('success');
      fc.pre(saslprep(password, 'stored') !== saslprep(other, 'stored'));
      expect(exchange(mechanism, contextOf(user, other, { nonce: 'x' }), store, { bindings }).client).toBe('refused');
    }),
  );
});

test.each([plain(), external(), ...scram(undefined, few)])('$name carries whom to act as', (mechanism) => {
  const anybody = fc.string({ minLength: 1 }); // printable ASCII
  fc.assert(
    fc.property(anybody, (authzid) => {
      const credentials = mechanism.name === 'EXTERNAL' ? { authzid } : { user: 'u', password: 'p', authzid };
      const context = { credentials, bindings, offered, nonce: 'x' };
      const store = mechanism.name === 'EXTERNAL' ? { verify: () => 'u' } : { lookup: () => 'p' };
      expect(exchange(mechanism, context, store, { bindings }).server).toEqual({ type: 'success', user: 'u', authzid });
    }),
  );
});

test.each([oauthBearer(), xoauth2()])('$name carries user and token', (mechanism) => {
  const token = fc.stringMatching(/^[A-Za-z0-9._~+/-]+=*$/);
  fc.assert(
    fc.property(text, token, (user, given) => {
      const context = { credentials: { user, token: given }, host: 'mx.example.org', port: 25 };
      const { client, server } = exchange(mechanism, context, {
        verify: (claim) => (claim.type === 'token' && claim.token.expose() === given ? claim.user : null),
      });
      expect([client, server]).toEqual(['success', { type: 'success', user: saslprep(user), authzid: null }]);
    }),
  );
});
