import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  cramMd5,
  external,
  login,
  type Mechanism,
  parseScramKeys,
  plain,
  Secret,
  SHA1,
  scram,
  scramKeys,
  userTable,
} from '../src/index.ts';
import { exchange, SERVER } from './exchange.ts';

const pepper = Uint8Array.of(1, 2, 3);
const keys = scramKeys('pencil', { salt: Uint8Array.of(1), iterations: 5 });
const ALL = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'XOAUTH2', 'EXTERNAL'];

test('names are compared as they are prepared', () => {
  const table = userTable([['\u2168', 'pencil']], pepper);
  expect(table.lookup('IX')).toBe('pencil');
  expect([table.has('IX'), table.has('ix')]).toEqual([true, false]);
});

test('a name that can be none, or that is there twice, is refused', () => {
  expect(() => userTable([['a\x07', 'x']], pepper)).toThrow(RangeError);
  expect(() => userTable([['', 'x']], pepper)).toThrow(RangeError);
  const twice: [string, string][] = [
    ['IX', 'x'],
    ['\u2168', 'y'],
  ];
  expect(() => userTable(twice, pepper)).toThrow('"IX" is there twice');
});

test('what every user can be served by', () => {
  const served = (...stored: Parameters<typeof userTable>[0] extends Iterable<readonly [string, infer S]> ? S[] : never) => {
    const table = userTable(
      stored.map((one, i) => [`u${i}`, one]),
      pepper,
    );
    return ALL.filter((name) => table.serves(name));
  };
  expect(served('x')).toEqual(ALL.slice(0, 6));
  expect(served(keys)).toEqual(['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']);
  expect(served('x', keys)).toEqual(['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']);
  expect(served(scramKeys('pencil', { salt: Uint8Array.of(1), iterations: 5, hash: SHA1 }), keys)).toEqual(['PLAIN', 'LOGIN']);
});

test('a user who does not exist looks like those who do', () => {
  const nobody = userTable([['tim', keys]], pepper).lookup('nobody');
  expect(nobody).toMatchObject({ hash: 'SHA-256', iterations: 5, salt: { length: 1 } });
  expect(userTable([], pepper).lookup('nobody')).toBeNull();
});

test.each([plain(), login(), cramMd5(), ...scram()])('$name: not even the pepper opens for a user who does not exist', (mechanism) => {
  const table = userTable([['tim', 'x']], pepper);
  const decoy = table.lookup('nobody');
  expect(decoy).toBeInstanceOf(Secret);
  const credentials = { user: 'nobody', password: (decoy as Secret<string>).expose() };
  const bindings = new Map([['tls-exporter', pepper]]);
  const context = { credentials, bindings, nonce: 'x', offered: [`${mechanism.name}-PLUS`] };
  expect(exchange(mechanism, context, { lookup: (user) => table.lookup(user) }, { bindings }).client).toBe('refused');
  expect(exchange(mechanism, context, { lookup: () => credentials.password }, { bindings }).client).toBe('success');
});

test('keys that were read check a password', () => {
  const { derivation, next } = parseScramKeys(keys.format())!.check('pencil');
  expect(next(derivation.derive())).toBe(true);
  const other = keys.check('pencils');
  expect(other.next(other.derivation.derive())).toBe(false);
  // What can't be prepared is wrong, not empty: these keys are those of no characters at all.
  const clientKey = createHmac('sha256', pbkdf2Sync('', 'salt', 1, 32, 'sha256'))
    .update('Client Key')
    .digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const odd = parseScramKeys(`{SCRAM-SHA-256}1,c2FsdA==,${storedKey},${storedKey}`)!.check('\x07');
  expect(odd.next(odd.derivation.derive())).toBe(false);
});

// RFC 4954 4: "If preparation of the authorization identity fails or results in an empty string …, the server MUST fail the authentication".
test.each<[string, Mechanism, (authzid: string) => string]>([
  ['PLAIN', plain(), (authzid) => `${authzid}\0tim\0pencil`],
  ['EXTERNAL', external(), (authzid) => authzid],
  ['SCRAM-SHA-256', scram()[1]!, (authzid) => `n,a=${authzid},n=tim,r=abc`],
])('%s: an identity that cannot be prepared, or of which nothing is left, is nobody', (_name, mechanism, response) => {
  const judged = (authzid: string): string => {
    const step = mechanism.server(SERVER);
    const next = step.type === 'challenge' ? step.next(new TextEncoder().encode(response(authzid))) : step;
    return next.type === 'failure' ? next.reason : next.type;
  };
  for (const authzid of ['\u00ad', '\ue000', 'a\u0627', '\u0627b']) expect([authzid, judged(authzid)]).toEqual([authzid, 'malformed']);
  expect(['verify', 'lookup']).toContain(judged('boss'));
});
