// Clients that speak TLS, by Node's own; and the certificates of the tests.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Server, TlsSettings } from '@ehlo/node';
import { PATIENCE } from '../../../vitest.setup.ts';
import { test as base } from './fixture.ts';
import { Wire } from './wire.ts';

/** A file of `certs`. */
export function pem(name: string): string {
  return readFileSync(new URL(`certs/${name}`, import.meta.url), 'latin1');
}

const CA: string = pem('ca.crt');
export const SERVER: TlsSettings = { key: pem('server.key'), cert: pem('server.crt') };
export const OTHER: TlsSettings = { key: pem('other.key'), cert: pem('other.crt') };
export const LONG: TlsSettings = { key: pem('other.key'), cert: pem('long.crt') };
export const CLIENT: ConnectionOptions = { key: pem('client.key'), cert: pem('client.crt') };

const open = new Set<TLSSocket>();

/** Connections under TLS are gone when a test is over, too. */
export const test = base.extend<{ gone: undefined }>({
  gone: [
    // The servers close after this: `start` was set up first.
    async ({ start: _ }, use) => {
      await use(undefined);
      for (const socket of open) socket.destroy();
      open.clear();
    },
    { auto: true },
  ],
});

/** A connection that is secure. */
export class TlsWire extends Wire {
  declare readonly socket: TLSSocket;

  /** The common name of the certificate that the server has shown. */
  get shown(): string {
    return String(this.socket.getPeerCertificate().subject.CN);
  }
}

/** Makes the client's side of a handshake; the certificate must be the authority's, whatever name it has. */
export async function shake(options: ConnectionOptions, early = ''): Promise<TlsWire> {
  const whole: ConnectionOptions & { allowHalfOpen: boolean } = {
    ca: CA,
    servername: 'localhost',
    checkServerIdentity: () => undefined,
    allowHalfOpen: true,
    ...options,
  };
  const socket = connect(whole);
  open.add(socket);
  // Goes out along with the last record of the handshake.
  if (early !== '') socket.write(early);
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    throw error;
  }
  return new TlsWire(socket);
}

/** TLS from the first octet. */
export function dialTls({ address: { address, port } }: Server, options: ConnectionOptions = {}, early = ''): Promise<TlsWire> {
  return shake({ host: address, port, ...options }, early);
}

/** The handshake over a connection that has got its 220 to STARTTLS. */
export async function handshake(wire: Wire, options: ConnectionOptions = {}, early = ''): Promise<TlsWire> {
  const socket: Socket = wire.socket;
  for (const event of ['data', 'end', 'error', 'close']) socket.removeAllListeners(event);
  socket.on('error', () => {});
  return await shake({ socket, ...options }, early);
}

/** Greeting, EHLO, STARTTLS and the handshake. */
export async function upgrade(wire: Wire, options: ConnectionOptions = {}, early = '', hello = 'EHLO'): Promise<TlsWire> {
  await offer(wire, hello);
  return await handshake(wire, options, early);
}

/** Greeting, EHLO (or LHLO) and STARTTLS; the 220 has come. */
export async function offer(wire: Wire, hello = 'EHLO'): Promise<void> {
  const [greeting, offers, ready] = [await wire.reply(), await wire.say(`${hello} client.example`), await wire.say('STARTTLS')];
  if (!(greeting.startsWith('220 ') && /^250[- ]STARTTLS$/m.test(offers) && ready.startsWith('220 ')))
    throw new Error(`no STARTTLS: ${greeting}, ${offers}, ${ready}`);
}
