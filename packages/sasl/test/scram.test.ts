// What SCRAM has to refuse, and whose numbers it has to agree with.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ClientStep, type Mechanism, parseScramKeys, SHA1, SHA256, SHA512, type Stored, scram, scramKeys } from '../src/index.ts';
import { derived, exchange, octets, SERVER, settle, show } from './exchange.ts';

const few = { iterations: 2, accepted: [1, 4096] } as const;
const [plus, bare] = scram(SHA256, few);
const exporter = new Map([['tls-exporter', Uint8Array.of(1, 2, 3)]]);
const credentials = { user: 'user', password: 'pencil' };
const lookup = (): Stored => 'pencil';
const both = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];

/** The client's step after a server-first message. */
function afterServerFirst(message: string, mechanism: Mechanism = bare): ClientStep {
  const first = mechanism.client({ credentials, nonce: 'abc' });
  return first.type === 'respond' ? first.next(octets(message)) : first;
}

/** Where a message is the client's first or second one, what the server makes of it. */
function toServer(mechanism: Mechanism, messages: readonly string[], at = {}): string {
  let step = mechanism.server({ ...SERVER, ...at });
  for (const message of messages) {
    if (step.type !== 'challenge') return `${step.type} too early`;
    step = settle(step.next(octets(message)), { lookup });
  }
  return step.type === 'failure' ? step.reason : step.type;
}

describe('SCRAM computed once more, by the platform', () => {
  test.each([
    ['sha1', SHA1],
    ['sha256', SHA256],
    ['sha512', SHA512],
  ] as const)('%s', (algorithm, hash) => {
    const digest = (...parts: (string | Buffer)[]) => parts.reduce((h, part) => h.update(part), createHash(algorithm)).digest();
    const hmac = (key: Buffer, text: string) => createHmac(algorithm, key).update(text).digest();
    const salt = Buffer.from('a salt of some length, longer than others');
    const salted = pbkdf2Sync('pencil', salt, 4096, hash.size, algorithm);
    const clientKey = hmac(salted, 'Client Key');
    const transcript = [
      'n=user,r=client',
      `r=clientserver,s=${salt.toString('base64')},i=4096`,
      `c=${Buffer.from('n,,').toString('base64')},r=clientserver`,
    ].join();
    const signature = hmac(digest(clientKey), transcript);
    const proof = clientKey.map((octet, i) => octet ^ signature[i]!);
    const verifier = hmac(hmac(salted, 'Server Key'), transcript);
    const keys = scramKeys('pencil', { salt, hash });
    const { wire, client } = exchange(
      scram(hash)[1],
      { credentials, nonce: 'client' },
      { lookup: () => parseScramKeys(keys.format(), [hash]) },
      { nonce: 'server' },
    );
    expect(client).toBe('success');
    expect(wire[2]).toBe(`C: c=biws,r=clientserver,p=${Buffer.from(proof).toString('base64')}`);
    expect(wire[3]).toBe(`S: v=${verifier.toString('base64')}`);
  });
});

describe('a client', () => {
  test.each([
    ['a nonce that is not its own, made longer', 'r=xyzserver,s=AAAA,i=4096', 'nonce'],
    ['its own nonce, as it was', 'r=abc,s=AAAA,i=4096', 'nonce'],
    ['its own nonce, cut', 'r=ab,s=AAAA,i=4096', 'nonce'],
    ['no nonce', 'r=,s=AAAA,i=4096', 'malformed'],
    ['a nonce with a space', 'r=abc d,s=AAAA,i=4096', 'malformed'],
    ['a nonce that no answer has room for', `r=abc${'d'.repeat(9000)},s=AAAA,i=4096`, 'malformed'],
    ['too few iterations', 'r=abcd,s=AAAA,i=4095', 'iterations'],
    ['one iteration', 'r=abcd,s=AAAA,i=1', 'iterations'],
    ['too many', 'r=abcd,s=AAAA,i=600001', 'iterations'],
    ['2^31', 'r=abcd,s=AAAA,i=2147483648', 'iterations'],
    ['more than a number holds', 'r=abcd,s=AAAA,i=99999999999999999999', 'malformed'],
    ['none', 'r=abcd,s=AAAA,i=0', 'malformed'],
    ['a negative number', 'r=abcd,s=AAAA,i=-4096', 'malformed'],
    ['not a number', 'r=abcd,s=AAAA,i=4096x', 'malformed'],
    ['a salt that is not base64', 'r=abcd,s=AAA,i=4096', 'malformed'],
    ['a mandatory extension', 'm=x,r=abcd,s=AAAA,i=4096', 'malformed'],
    ['the wrong order', 's=AAAA,r=abcd,i=4096', 'malformed'],
    ['an error in place of it', 'e=other-error', 'malformed'],
    ['nothing', '', 'malformed'],
  ])('refuses %s', (_, message, reason) => {
    expect(afterServerFirst(message, scram()[1])).toEqual({ type: 'failure', reason });
  });

  test('takes what lies between, and optional extensions', () => {
    for (const message of ['r=abcd,s=AAAA,i=4096', 'r=abcd,s=AAAA,i=600000', 'r=abcd,s=AAAA,i=4096,x=y']) {
      expect(afterServerFirst(message, scram()[1])).toMatchObject({ type: 'derive', derivation: { hash: 'SHA-256', length: 32 } });
    }
  });

  test('never takes a success that is not proved', () => {
    expect(bare.client({ credentials, nonce: 'abc' })).toMatchObject({ type: 'respond', final: false });
    const proof = derived(afterServerFirst('r=abcd,s=AAAA,i=2'));
    expect(proof).toMatchObject({ type: 'respond', final: false });
    const after = (message: string) => (proof.type === 'respond' ? proof.next(octets(message)) : proof);
    const impostor = `v=${Buffer.alloc(32).toString('base64')}`;
    expect(after(impostor)).toEqual({ type: 'failure', reason: 'impostor' });
    expect(after('v=AAAA')).toEqual({ type: 'failure', reason: 'impostor' });
    expect(after('e=invalid-proof')).toEqual({ type: 'failure', reason: 'refused' });
    expect(after('')).toEqual({ type: 'failure', reason: 'malformed' });
    expect(after('v=A')).toEqual({ type: 'failure', reason: 'malformed' });
  });

  test('binds to the best that there is, says "y" where the server hides it, and "n" where it could not', () => {
    const endPoint: [string, Uint8Array] = ['tls-server-end-point', Uint8Array.of(9)];
    const header = (mechanism: Mechanism, context: object) => {
      const step = mechanism.client({ credentials, nonce: 'abc', ...context });
      return step.type === 'respond' ? show(step.response!.expose()).split(',')[0] : step.type === 'failure' && step.reason;
    };
    expect(header(plus, { bindings: new Map([endPoint, ...exporter]) })).toBe('p=tls-exporter');
    expect(header(plus, { bindings: new Map([endPoint]) })).toBe('p=tls-server-end-point');
    expect(header(plus, {})).toBe('binding');
    expect(header(plus, { bindings: new Map([['tls-unheard-of', Uint8Array.of(1)]]) })).toBe('binding');
    expect(header(bare, { bindings: exporter, offered: ['SCRAM-SHA-256', 'PLAIN'] })).toBe('y');
    expect(header(bare, { bindings: exporter, offered: both })).toBe('n');
    expect(header(bare, { bindings: exporter, offered: ['scram-sha-256', 'scram-sha-256-plus'] })).toBe('n');
    // RFC 5802 6: the -PLUS form of this mechanism, not any word that ends so.
    for (const other of ['X-PLUS', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-512-PLUS', 'XSCRAM-SHA-256-PLUS', '-PLUS'])
      expect(header(bare, { bindings: exporter, offered: ['SCRAM-SHA-256', other] })).toBe('y');
    expect(header(bare, { bindings: exporter })).toBe('n');
    expect(header(bare, { offered: ['SCRAM-SHA-256'] })).toBe('n');
  });

  test('needs a nonce, and a name and a password that can be prepared', () => {
    expect(() => bare.client({ credentials })).toThrow(TypeError);
    expect(() => bare.client({ credentials, nonce: 'a,b' })).toThrow(TypeError);
    for (const wrong of [{ user: '' }, { user: 'a\x07' }, { password: '' }, { password: '\ud83d\ude00' }, { authzid: 'a\nb' }]) {
      expect(bare.client({ credentials: { ...credentials, ...wrong }, nonce: 'abc' })).toEqual({ type: 'failure', reason: 'credentials' });
    }
  });
});

describe('a server', () => {
  const first = 'n,,n=user,r=abc';

  test.each([
    ['"y" where it can bind: somebody took -PLUS out of its list', bare, 'y,,n=user,r=abc', exporter, 'binding'],
    ['"p" without -PLUS', bare, 'p=tls-exporter,,n=user,r=abc', exporter, 'binding'],
    ['"n" with -PLUS', plus, first, exporter, 'binding'],
    ['"y" with -PLUS', plus, 'y,,n=user,r=abc', exporter, 'binding'],
    ['a type that it does not have', plus, 'p=tls-unique,,n=user,r=abc', exporter, 'binding'],
    ['another flag', bare, 'x,,n=user,r=abc', exporter, 'malformed'],
    ['no flag', bare, 'n=user,r=abc', exporter, 'malformed'],
    ['a mandatory extension', bare, 'n,,m=x,n=user,r=abc', exporter, 'malformed'],
    ['a mandatory extension that comes late', bare, 'n,,n=user,r=abc,m=x', exporter, 'malformed'],
    ['an odd name', bare, 'n,,n=us=er,r=abc', exporter, 'malformed'],
    ['an odd identity', bare, 'n,a=us=2cer,n=user,r=abc', exporter, 'malformed'],
    ['an identity with a control character', bare, 'n,a=us\x01er,n=user,r=abc', exporter, 'malformed'],
    ['a name with a control character', bare, 'n,,n=us\x7fer,r=abc', exporter, 'malformed'],
    ['no name', bare, 'n,,n=,r=abc', exporter, 'malformed'],
    ['a nonce with a space', bare, 'n,,n=user,r=a c', exporter, 'malformed'],
    ['a nonce that no challenge has room for', bare, `n,,n=user,r=${'a'.repeat(1025)}`, exporter, 'malformed'],
  ])('refuses %s', (_, mechanism, message, bindings, reason) => {
    expect(toServer(mechanism, [message], { bindings })).toBe(reason);
  });

  test('takes "y" where it can\'t bind', () => {
    expect(toServer(bare, ['y,,n=user,r=abc'])).toBe('challenge');
  });

  const proof = Buffer.alloc(32).toString('base64');

  test.each([
    ['a wrong proof', `c=biws,r=abcserver-nonce,p=${proof}`, 'credentials'],
    ['a short proof', 'c=biws,r=abcserver-nonce,p=AAAA', 'malformed'],
    ['another nonce', `c=biws,r=abcserver-nonc,p=${proof}`, 'malformed'],
    ['another header', `c=eSws,r=abcserver-nonce,p=${proof}`, 'binding'],
    ['no binding', `r=abcserver-nonce,p=${proof}`, 'malformed'],
    ['a mandatory extension', `c=biws,r=abcserver-nonce,m=x,p=${proof}`, 'malformed'],
    ['no proof', 'c=biws,r=abcserver-nonce', 'malformed'],
    ['nothing', '', 'malformed'],
  ])('refuses %s', (_, message, reason) => {
    expect(toServer(bare, [first, message])).toBe(reason);
  });

  test('refuses a client that is bound to another connection', () => {
    const context = { credentials, nonce: 'abc', bindings: new Map([['tls-exporter', Uint8Array.of(1, 2, 4)]]), offered: both };
    expect(exchange(plus, context, { lookup }, { bindings: exporter }).server).toEqual({ type: 'failure', reason: 'binding' });
    expect(exchange(plus, { ...context, bindings: exporter }, { lookup }, { bindings: exporter }).client).toBe('success');
  });

  test('says nothing more than that its word has arrived', () => {
    const { wire } = exchange(bare, { credentials, nonce: 'abc' }, { lookup });
    const messages = wire.filter((line) => line.startsWith('C: ')).map((line) => line.slice(3));
    expect(toServer(bare, messages)).toBe('success');
    expect(toServer(bare, [...messages.slice(0, 2), 'x'])).toBe('malformed');
  });

  test('has the same salt for a user who does not exist, at every time and of every form of storage', () => {
    const salt = (stored: Stored | null, user = 'user', pepper = SERVER.pepper) => {
      const { wire } = exchange(bare, { credentials: { ...credentials, user }, nonce: 'abc' }, { lookup: () => stored }, { pepper });
      return /s=([^,]+),i=(\d+)/.exec(wire[1]!)!.slice(1).join();
    };
    expect(salt(null)).toBe(salt(null));
    expect(salt(null)).toBe(salt('pencil'));
    expect(salt(null)).not.toBe(salt(null, 'other'));
    expect(salt(null)).not.toBe(salt(null, 'user', Uint8Array.of(9)));
    const keys = scramKeys('pencil', { salt: Uint8Array.from({ length: 40 }, (_, i) => i), iterations: 7 });
    expect(salt(keys.decoy('user', SERVER.pepper))).toBe(salt(keys.decoy('user', SERVER.pepper)));
    expect(salt(keys.decoy('user', SERVER.pepper))).toMatch(/^[^,]{56},7$/);
  });

  test('has no use for keys of another hash', () => {
    const keys = scramKeys('pencil', { salt: Uint8Array.of(1), iterations: 1, hash: SHA1 });
    const { wire, client } = exchange(bare, { credentials, nonce: 'abc' }, { lookup: () => keys });
    expect(client).toBe('refused');
    // As if there were no such user.
    expect(wire[1]).toBe(exchange(bare, { credentials, nonce: 'abc' }, { lookup: () => null }).wire[1]);
  });
});

describe('keys in a file', () => {
  const salt = Uint8Array.from(Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
  const line = scramKeys('pencil', { salt }).format();

  test('are read as they were written', () => {
    expect(parseScramKeys(line)?.format()).toBe(line);
    expect(parseScramKeys(line)).toMatchObject({ hash: 'SHA-256', iterations: 4096, salt });
  });

  test.each([
    ['another hash', line.replace('256', '512')],
    ['no iterations', line.replace('4096', '0')],
    ['too many', line.replace('4096', '99999999')],
    ['a key that is too short', line.replace(/,[^,]+$/, ',AAAA')],
    ['no base64', line.replace('W22', 'W2!')],
    ['one field more', `${line},x`],
    ['one less', line.replace(/,[^,]+$/, '')],
    ['a blank', ` ${line}`],
    ['a password', 'pencil'],
  ])('%s is refused', (_, text) => {
    expect(parseScramKeys(text)).toBeNull();
  });

  test.each([
    ['a password that is empty', '', {}],
    ['one with a control character', 'a\x07', {}],
    ['no salt', 'pencil', { salt: new Uint8Array(0) }],
    ['no iterations', 'pencil', { iterations: 0 }],
    ['half an iteration', 'pencil', { iterations: 1.5 }],
    ['too many', 'pencil', { iterations: 1e9 }],
  ])('are not made of %s', (_, password, options) => {
    expect(() => scramKeys(password, { salt, ...options })).toThrow(RangeError);
  });
});
