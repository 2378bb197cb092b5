// TLS as it is demanded, with certificates of every kind.
import { createHash } from 'node:crypto';
import type { Tlsa, TlsDemand } from '@ehlo/delivery';
import { plain } from '@ehlo/sasl';
import { describe, expect, test } from 'vitest';
import { certificate, type Made } from './certificates.ts';
import { content, demand, HOST, hostile, LOOSE, mx, open, order, own, root, transaction, tryOpen, words } from './harness.ts';

const expired = certificate({ subject: HOST, names: [HOST], issuer: root, days: -1 });
const other = certificate({ subject: 'other', names: ['other.example'], issuer: root });
const unknown = certificate({ subject: HOST, names: [HOST] });
const nameless = certificate({ subject: HOST, issuer: root });
const EE: Tlsa = { usage: 3, selector: 1, matching: 1, data: createHash('sha256').update(own.spki).digest('hex') };
const TA: Tlsa = { usage: 2, selector: 0, matching: 1, data: createHash('sha256').update(root.der).digest('hex') };
const DANE = (tlsa: readonly Tlsa[], more: Partial<TlsDemand> = {}): TlsDemand => demand('dane', { tlsa, least: 'TLSv1.2', ...more });
const NAME = demand('name', { least: 'TLSv1.2' });

function secured({ key, cert }: Made, chain: readonly Made[] = [root]): { tls: { key: string; cert: string } } {
  return { tls: { key, cert: [cert, ...chain.map((one) => one.cert)].join('') } };
}

/** What comes of an order: secured and verified, with which result; or the stage at which it failed, and the result. */
async function found(server: { readonly port: number }, tls: TlsDemand): Promise<readonly unknown[]> {
  const opened = await tryOpen(order(server.port, tls));
  if ('opened' in opened) return [opened.opened.tls, opened.opened.verified, opened.opened.result ?? null];
  return [opened.stage, opened.result];
}

describe('by demand', () => {
  const WAYS: readonly (readonly [what: string, made: Made, result: string | null])[] = [
    ['a good certificate', own, null],
    ['one that has expired', expired, 'certificate-expired'],
    ['one for another name', other, 'certificate-host-mismatch'],
    ['one that nobody knows', unknown, 'certificate-not-trusted'],
    ['one with a common name alone (RFC 8461 4.1)', nameless, 'certificate-host-mismatch'],
  ];
  test.each(WAYS)('%s', async (_, made, result) => {
    const server = await mx(secured(made));
    expect(await found(server, LOOSE)).toEqual([true, result === null, result]);
    expect(await found(server, demand('encrypt', { least: 'TLSv1.2' }))).toEqual([true, result === null, result]);
    expect(await found(server, demand('clear'))).toEqual([false, false, null]);
    expect(await found(server, NAME)).toEqual(result === null ? [true, true, null] : ['tls', result]);
    // RFC 8461 5: testing tells, and goes on.
    expect(await found(server, demand('opportunistic', { testing: true }))).toEqual([true, result === null, result]);
    // Usage 3 has neither names nor dates.
    const key = { ...EE, data: createHash('sha256').update(made.spki).digest('hex') };
    expect(await found(server, DANE([key]))).toEqual([true, true, null]);
  });
});

test('a server without STARTTLS: what is demanded is not to be had', async () => {
  const server = await mx();
  expect(await found(server, LOOSE)).toEqual([false, false, null]);
  for (const tls of [NAME, demand('encrypt'), DANE([EE])]) expect(await found(server, tls)).toEqual(['tls', 'starttls-not-supported']);
});

test('DANE: usage 2 by the chain that is shown, with one of the names', async () => {
  expect(await found(await mx(secured(own)), DANE([TA]))).toEqual([true, true, null]);
  expect(await found(await mx(secured(own)), DANE([TA], { names: ['elsewhere.example', HOST] }))).toEqual([true, true, null]);
  expect(await found(await mx(secured(other)), DANE([TA]))).toEqual(['tls', 'certificate-host-mismatch']);
  expect(await found(await mx(secured(other)), DANE([TA], { names: [HOST, 'other.example'] }))).toEqual([true, true, null]);
  expect(await found(await mx(secured(expired)), DANE([TA]))).toEqual(['tls', 'certificate-expired']);
  expect(await found(await mx(secured(unknown, [])), DANE([TA]))).toEqual(['tls', 'certificate-not-trusted']);
});

test('DANE: a key that is none of the records; in testing it is told alone', async () => {
  const server = await mx(secured(unknown));
  expect(await found(server, DANE([EE]))).toEqual(['tls', 'certificate-not-trusted']);
  expect(await found(server, DANE([EE], { mode: 'opportunistic', testing: true }))).toEqual([true, false, 'certificate-not-trusted']);
});

test('a handshake that fails is the failure of TLS, where nothing demands it, too: the machine goes on in clear', async () => {
  const port = await hostile(async (socket, line) => {
    socket.write('220 x\r\n');
    await line();
    socket.write('250-x\r\n250 STARTTLS\r\n');
    await line();
    socket.write('220 go\r\n');
    socket.write('this is no TLS\r\n');
  });
  expect(await found({ port }, LOOSE)).toEqual(['tls', 'validation-failure']);
  expect(await found({ port }, NAME)).toEqual(['tls', 'validation-failure']);
});

test('nothing is said under TLS to a server that is not who it should be', async () => {
  const said: string[] = [];
  const { port } = await mx(secured(other), { hello: ({ name }: { name: string }) => said.push(name) > 0 } as never);
  await found({ port }, NAME);
  // The one in clear.
  expect(said).toEqual(['out.example.org']);
});

test('SNI: the first of the names', async () => {
  const { port, taken } = await mx({ ...secured(own) });
  const session = await open(order(port, DANE([EE], { names: ['base.example.net', HOST] })));
  await session.send(transaction(['a@example.net']), content());
  expect(taken[0]?.tls).toBe('base.example.net');
});

test('REQUIRETLS is said where it is offered, to a server that is verified', async () => {
  const { port, taken } = await mx({ ...secured(own) });
  const tls = { ...NAME, requireTls: true };
  const session = await open(order(port, tls));
  expect(session.opened.extensions).toHaveProperty('REQUIRETLS');
  const { outcomes } = await session.send(transaction(['a@example.net'], { parameters: { requireTls: true } }), content());
  expect(words(outcomes)).toEqual(['accepted 250']);
  expect(taken[0]?.parameters).toMatchObject({ requireTls: true });
});

describe('a smart host', () => {
  const user = { user: 'relay', password: 'secret' };
  const auth = { auth: { mechanisms: [plain()], lookup: (name: string) => (name === user.user ? user.password : null) } };
  const asked = { auth: () => ({ mechanisms: [plain()], ...user }) };

  test('takes credentials under TLS with who it should be', async () => {
    const { port, taken } = await mx({ ...secured(own), ...auth });
    const session = await open(order(port, NAME), asked);
    await session.send(transaction(['a@example.net']), content());
    expect(taken[0]?.identity).toBe('relay');
  });

  test('gets none in clear, nor under TLS with anybody, whatever else is demanded', async () => {
    const { port } = await mx({ ...secured(unknown), ...auth });
    for (const tls of [LOOSE, demand('encrypt'), demand('clear')])
      expect(await tryOpen(order(port, tls), asked)).toMatchObject({ stage: 'auth' });
    const clear = await mx({ ...auth });
    expect(await tryOpen(order(clear.port), asked)).toMatchObject({ stage: 'tls', result: 'starttls-not-supported' });
  });

  test('that refuses them is told as such, and they stand in no text', async () => {
    const { port } = await mx({ ...secured(own), ...auth });
    const failed = await tryOpen(order(port, NAME), { auth: () => ({ mechanisms: [plain()], user: 'relay', password: 'hidden-wrong' }) });
    expect(failed).toMatchObject({ stage: 'auth', reply: { code: 535 } });
    expect(JSON.stringify(failed)).not.toContain('hidden-wrong');
  });

  test('TLS from the first octet, on the ports that have it', async () => {
    const { port } = await mx({ ...secured(own), implicitTls: true, ...auth });
    const session = await open(order(port, NAME), { ...asked, implicitTls: [port] });
    expect(session.opened).toMatchObject({ tls: true, verified: true });
    const bad = await mx({ ...secured(other), implicitTls: true });
    expect(await tryOpen(order(bad.port, NAME), { implicitTls: [bad.port] })).toMatchObject({
      stage: 'tls',
      result: 'certificate-host-mismatch',
    });
  });
});
