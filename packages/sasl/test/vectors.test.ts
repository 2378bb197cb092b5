// The examples of the standards, octet for octet.
import { describe, expect, test } from 'vitest';
import { anonymous, cramMd5, login, oauthBearer, plain, SHA1, type Stored, scram, scramKeys, xoauth2 } from '../src/index.ts';
import { exchange, octets, SERVER, settle, show } from './exchange.ts';

const tim = { user: 'tim', password: 'tanstaaftanstaaf' };
const lookup = (user: string): Stored | null => (user === 'tim' ? 'tanstaaftanstaaf' : null);

function firstResponse(step: ReturnType<ReturnType<typeof plain>['client']>): string {
  return step.type === 'respond' && step.response !== null ? show(step.response.expose()) : step.type;
}

describe('PLAIN (RFC 4616 4)', () => {
  test('the first example', () => {
    const { wire, client, server } = exchange(plain(), { credentials: tim }, { lookup });
    expect(wire).toEqual(['C: \0tim\0tanstaaftanstaaf']);
    expect([client, server]).toEqual(['success', { type: 'success', user: 'tim', authzid: null }]);
  });

  test('the second: whom to act as is for the program to allow', () => {
    const credentials = { user: 'Kurt', password: 'xipj3plmq', authzid: 'Ursel' };
    const { wire, server } = exchange(plain(), { credentials }, { lookup: () => 'xipj3plmq' });
    expect(wire).toEqual(['C: Ursel\0Kurt\0xipj3plmq']);
    expect(server).toEqual({ type: 'success', user: 'Kurt', authzid: 'Ursel' });
  });
});

test('LOGIN (draft-murchison-sasl-login 2.3), with the words that clients wait for', () => {
  const { wire, client } = exchange(login(), { credentials: tim }, { lookup });
  expect(wire).toEqual(['S: Username:', 'C: tim', 'S: Password:', 'C: tanstaaftanstaaf']);
  expect(client).toBe('success');
});

test('CRAM-MD5 (RFC 2195 2)', () => {
  const at = { nonce: '1896.697170952', hostname: 'postoffice.reston.mci.net' };
  const { wire, client } = exchange(cramMd5(), { credentials: tim }, { lookup }, at);
  expect(wire).toEqual(['S: <1896.697170952@postoffice.reston.mci.net>', 'C: tim b913a602c7eda7a495b4e6e7334d3890']);
  expect(client).toBe('success');
});

test('ANONYMOUS (RFC 4505 4)', () => {
  const { wire, server } = exchange(anonymous(), { credentials: { user: 'sirhc' } }, { verify: (claim) => `anonymous ${claim.type}` });
  expect(wire).toEqual(['C: sirhc']);
  expect(server).toEqual({ type: 'success', user: 'anonymous anonymous', authzid: null });
});

const pencil = { user: 'user', password: 'pencil' };

describe('SCRAM', () => {
  const examples = [
    {
      name: 'SCRAM-SHA-1 (RFC 5802 5)',
      mechanism: scram(SHA1)[1],
      hash: SHA1,
      salt: 'QSXCR+Q6sek8bf92',
      nonce: 'fyko+d2lbbFgONRv9qkxdawL',
      serverNonce: '3rfcNHYJY1ZVvWVs7j',
      proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
      signature: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    },
    {
      name: 'SCRAM-SHA-256 (RFC 7677 3)',
      mechanism: scram()[1],
      hash: undefined,
      salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
      nonce: 'rOprNGfwEbeRWgbNEkqO',
      serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
      proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
      signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    },
  ];

  test.each(examples)('$name', ({ mechanism, hash, salt, nonce, serverNonce, proof, signature }) => {
    const keys = scramKeys('pencil', { salt: Buffer.from(salt, 'base64'), ...(hash === undefined ? {} : { hash }) });
    const { wire, client, server } = exchange(mechanism, { credentials: pencil, nonce }, { lookup: () => keys }, { nonce: serverNonce });
    expect(wire).toEqual([
      `C: n,,n=user,r=${nonce}`,
      `S: r=${nonce}${serverNonce},s=${salt},i=4096`,
      `C: c=biws,r=${nonce}${serverNonce},p=${proof}`,
      `S: v=${signature}`,
      'C: ',
    ]);
    expect([client, server]).toEqual(['success', { type: 'success', user: 'user', authzid: null }]);
  });
});

describe('OAUTHBEARER (RFC 7628 4)', () => {
  const token = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';
  const context = { credentials: { user: 'user@example.com', token }, host: 'server.example.com', port: 587 };

  test('4.1, in SMTP', () => {
    const encoded =
      'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyI' +
      'HZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB';
    expect(firstResponse(oauthBearer().client(context))).toBe(Buffer.from(encoded, 'base64').toString());
    const { server } = exchange(oauthBearer(), context, {
      verify: (claim) => (claim.type === 'token' && claim.token.expose() === token && claim.port === 587 ? claim.user : null),
    });
    expect(server).toEqual({ type: 'success', user: 'user@example.com', authzid: null });
  });

  test('4.3, a client without a token is told what one needs', () => {
    const openidConfiguration = 'https://example.com/.well-known/openid-config';
    const first = oauthBearer({ scope: 'example_scope', openidConfiguration }).server(SERVER);
    const empty = octets('n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=\x01\x01');
    const step = first.type === 'challenge' ? first.next(empty) : first;
    expect(step.type === 'challenge' && JSON.parse(show(step.challenge))).toEqual({
      status: 'invalid_token',
      schemes: 'bearer',
      scope: 'example_scope',
      'openid-configuration': openidConfiguration,
    });
    expect(step.type === 'challenge' && step.next(octets('\x01'))).toEqual({ type: 'failure', reason: 'credentials' });
  });

  test.each([oauthBearer(), xoauth2()])('$name: a token that is not taken: the client hears why, and then that it failed', (mechanism) => {
    const { wire, client, problem, server } = exchange(mechanism, context, { verify: () => null });
    expect(client).toBe('refused');
    expect(JSON.parse(problem ?? '')).toEqual({ status: 'invalid_token', schemes: 'bearer' });
    expect(wire.at(-1)).toBe(mechanism.name === 'XOAUTH2' ? 'C: ' : 'C: \x01');
    expect(server).toEqual({ type: 'failure', reason: 'credentials' });
  });
});

test('XOAUTH2, as its provider documents it', () => {
  const credentials = { user: 'someuser@example.com', token: 'ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg' };
  const encoded = 'dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==';
  expect(firstResponse(xoauth2().client({ credentials }))).toBe(Buffer.from(encoded, 'base64').toString());
  const { server } = exchange(xoauth2(), { credentials }, { verify: (claim) => (claim.type === 'token' ? claim.user : null) });
  expect(server).toEqual({ type: 'success', user: 'someuser@example.com', authzid: null });
});

test('nothing is verified where nobody says who may', () => {
  const step = plain().server(SERVER);
  const verify = step.type === 'challenge' ? step.next(octets('\0tim\0x')) : step;
  expect(settle(verify, {})).toEqual({ type: 'failure', reason: 'credentials' });
});
