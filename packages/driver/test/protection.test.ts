// Passwords in clear: to whom AUTH is offered without TLS, and what a server says at once that could never offer it.
import { SmtpUsageError } from '@ehlo/engine';
import { plain } from '@ehlo/sasl';
import { describe, expect, test } from 'vitest';
import { type Address, type Listener, type ServeOptions, serveOn, type Transport } from '../src/index.ts';
import { MemoryListener } from './memory.ts';

const HERE: Address = { address: '127.0.0.1', port: 4321 };
const AWAY: Address = { address: '192.0.2.1', port: 4321 };
const auth = { mechanisms: [plain()], lookup: () => 'x' };
const TLS = { secure: () => new Promise<never>(() => {}) };
const HEADER = { local: false, source: HERE, destination: HERE, tlvs: [] };

/** Whether AUTH is offered to a client, and what it hears to the command. */
async function offered(transport: Partial<Transport>, options: Partial<ServeOptions>): Promise<[boolean, string]> {
  const listener = new MemoryListener();
  serveOn(listener, { hostname: 'mx.example.org', preset: 'submission', auth, ...options }, { message: () => ({}) as never });
  const client = listener.connect((made) => void Object.assign(made, transport));
  client.send('EHLO c\r\nAUTH PLAIN\r\n');
  const lines = await client.replies(3);
  return [lines.some((line) => /^250.AUTH PLAIN$/.test(line)), lines.at(-1)!.slice(0, 3)];
}

const YES = [true, '334'];
const NO = [false, '504'];

describe.each(['off', 'offered'] as const)('without TLS, STARTTLS %s: AUTH', (starttls) => {
  test.each<[string, Partial<Transport>, Partial<ServeOptions>, unknown]>([
    ['to somebody elsewhere', { peer: AWAY }, {}, NO],
    ['to nobody knows whom', { peer: { address: '', port: 0 } }, {}, NO],
    ['to a network of this machine only', { peer: { address: '10.0.0.1', port: 1 }, local: { address: '10.0.0.1', port: 25 } }, {}, NO],
    ['to an address that looks like it', { peer: { address: '127.0.0.1.example', port: 1 } }, {}, NO],
    ['to somebody elsewhere, where that is allowed', { peer: AWAY }, { auth: { ...auth, inClear: true } }, YES],
    ['by IPv4', { peer: HERE }, {}, YES],
    ['by IPv6', { peer: { address: '::1', port: 1 } }, {}, YES],
    ['by IPv4 as IPv6', { peer: { address: '::ffff:127.0.0.9', port: 1 } }, {}, YES],
    ['by a Unix socket', { peer: { address: '', port: 0 }, local: { address: 'run/smtp.sock', port: 0 } }, {}, YES],
    ['here, where it is forbidden', { peer: HERE }, { auth: { ...auth, inClear: false } }, NO],
    ['here, through a proxy that says so', { peer: HERE, proxy: HEADER }, {}, NO],
    ['here, through a proxy that says nothing', { peer: HERE, proxy: { ...HEADER, source: null } }, {}, NO],
    ['here, to a proxy that may speak for others', { peer: HERE }, { trusted: { XCLIENT: () => true } }, NO],
    ['here, where TLS can be had', { peer: HERE, ...TLS }, {}, starttls === 'off' ? YES : NO],
  ])('%s', async (_, transport, options, expected) => {
    expect(await offered(transport, { starttls, ...options })).toEqual(expected);
  });
});

describe('a listener that says what it can give', () => {
  const start = (listener: Partial<Listener>, options: Partial<ServeOptions>): void => {
    const whole: Listener = { address: AWAY, accept: () => {}, close: () => Promise.resolve(), ...listener };
    serveOn(whole, { hostname: 'mx.example.org', preset: 'sink', ...options }, {});
  };
  const clear = { ...auth, inClear: true };

  test.each<[string, Partial<Listener>, Partial<ServeOptions>]>([
    ['no TLS', { tls: 'none' }, { auth }],
    ['no TLS, on all addresses', { tls: 'none', address: { address: '0.0.0.0', port: 25 } }, { auth }],
    ['no TLS, here, behind a proxy', { tls: 'none', address: HERE, proxied: true }, { auth }],
    ['no TLS, here, where it is forbidden', { tls: 'none', address: HERE }, { auth: { ...auth, inClear: false } }],
    ['TLS that is off', { tls: 'possible' }, { auth, starttls: 'off' }],
  ])('AUTH that could never be offered is a usage error: %s', (_, listener, options) => {
    expect(() => start(listener, options)).toThrow(expect.objectContaining({ name: 'SmtpUsageError', code: 'unprotected' }));
  });

  test.each<[string, Partial<Listener>, Partial<ServeOptions>]>([
    ['it is allowed', { tls: 'none' }, { auth: clear }],
    ['all are here', { tls: 'none', address: HERE }, { auth }],
    ['all come by a Unix socket', { tls: 'none', address: { address: '/run/smtp.sock', port: 0 } }, { auth }],
    ['STARTTLS is offered', { tls: 'possible' }, { auth, starttls: 'offered' }],
    ['there is TLS from the start', { tls: 'implicit' }, { auth, starttls: 'off' }],
    ['it is not known', {}, { auth }],
    ['nobody authenticates', { tls: 'none' }, {}],
  ])('AUTH that can be is none: %s', (_, listener, options) => {
    expect(() => start(listener, options)).not.toThrow();
  });

  test('TLS that is required and can not be had is a usage error', () => {
    const error = new SmtpUsageError('missing-tls', "starttls: 'required' needs a certificate: give tls");
    expect(() => start({ tls: 'none' }, { starttls: 'required' })).toThrow(error);
    for (const tls of ['possible', 'implicit'] as const) expect(() => start({ tls }, { starttls: 'required' })).not.toThrow();
  });
});
