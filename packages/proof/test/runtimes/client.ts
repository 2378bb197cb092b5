// Clients that speak octet for octet: in clear, by STARTTLS, with TLS from the start.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { PATIENCE } from '../../../../vitest.setup.ts';
import { Wire } from '../../../node/test/wire.ts';
import { Below } from './below.ts';
import { CERTS, type Subject } from './subject.ts';

export const pem = (name: string): string => readFileSync(`${CERTS}/${name}`, 'latin1');
const CA = pem('ca.crt');

export const SECURITY = ['in clear', 'STARTTLS', 'TLS from the start'] as const;
export type Security = (typeof SECURITY)[number];

type SecureWire = Wire & { readonly socket: TLSSocket };

/** Connections of a test; destroyed when it is over. */
export class Clients {
  readonly #open: Socket[] = [];
  /** What lies under a connection that is secure. */
  readonly #under: Map<Socket, Socket> = new Map();

  /** Connected, and nothing more. */
  async dial(subject: Subject, port: number = subject.port): Promise<Wire> {
    const wire = await Wire.open({ host: '127.0.0.1', port });
    this.#open.push(wire.socket);
    return wire;
  }

  /** The client's side of a handshake, over a connection. */
  async shake({ socket: under }: Pick<Wire, 'socket'>, options: ConnectionOptions = {}): Promise<SecureWire> {
    for (const event of ['data', 'end', 'error', 'close']) under.removeAllListeners(event);
    under.on('error', () => {});
    const whole: ConnectionOptions & { allowHalfOpen: boolean } = {
      ...{ socket: under, ca: CA, servername: 'localhost', checkServerIdentity: () => undefined, allowHalfOpen: true },
      ...options,
    };
    const socket = connect(whole);
    this.#open.push(socket);
    this.#under.set(socket, under);
    try {
      await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) });
    } catch (error) {
      socket.on('error', () => {});
      socket.destroy();
      throw error;
    }
    return new Wire(socket) as SecureWire;
  }

  /** Greeting, EHLO, and STARTTLS up to its 220. */
  async offered(subject: Subject): Promise<Wire> {
    const wire = await this.dial(subject);
    const [greeting, hello, ready] = [await wire.reply(), await wire.say('EHLO client.example'), await wire.say('STARTTLS')];
    if (!(greeting.startsWith('220 ') && /^250[- ]STARTTLS$/m.test(hello) && ready.startsWith('220 '))) throw new Error('no STARTTLS');
    return wire;
  }

  /** A connection whose EHLO has been answered. */
  async greeted(subject: Subject, security: Security, options: ConnectionOptions = {}): Promise<Wire> {
    const wire =
      security === 'STARTTLS'
        ? await this.shake(await this.offered(subject), options)
        : security === 'in clear'
          ? await this.dial(subject)
          : await this.shake(await this.dial(subject, subject.tlsPort), options);
    if (security !== 'STARTTLS') await wire.reply();
    const hello = await wire.say('EHLO client.example');
    if (!hello.startsWith('250')) throw new Error(`no greeting: ${hello}`);
    return wire;
  }

  /** A connection whose EHLO has been answered, under TLS, and what lies below. */
  async exposed(
    subject: Subject,
    security: Exclude<Security, 'in clear'>,
    options: ConnectionOptions = {},
  ): Promise<{ readonly wire: Wire; readonly below: Below }> {
    const { socket } = security === 'STARTTLS' ? await this.offered(subject) : await this.dial(subject, subject.tlsPort);
    const below = new Below(socket);
    // Node's types ask for a net.Socket; what it does is to take any Duplex.
    const wire = await this.shake({ socket: below as Duplex as Socket }, options);
    if (security !== 'STARTTLS') await wire.reply();
    await wire.say('EHLO client.example');
    return { wire, below };
  }

  reset({ socket }: Wire): void {
    (this.#under.get(socket) ?? socket).resetAndDestroy();
  }

  destroy(): void {
    for (const socket of this.#open.splice(0)) socket.destroy();
    this.#under.clear();
  }
}

/** An envelope up to 354. */
export async function envelope(wire: Wire, from = 'one@client.example', to = 'two@mx.example'): Promise<void> {
  for (const line of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`]) await wire.say(line);
  const reply = await wire.say('DATA');
  if (!reply.startsWith('354')) throw new Error(`no 354: ${reply}`);
}
