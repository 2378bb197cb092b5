// Connections by node:net and node:tls, which Deno and Bun have, too; and the checks that come with this package.
import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Catalogue } from './check.ts';
import type { Dial, Nothing, Wire } from './wire.ts';

export { shimDialer } from './server-shim.ts';

/** Where the server is, and how its certificate is looked at. */
export interface Place {
  /** An address, or a name that is looked up for each connection. */
  readonly host: string;
  readonly port: number;
  /** The name that the certificate has to be of; without it the host. */
  readonly servername?: string;
  /** TLS from the start. */
  readonly implicit: boolean;
  /** Any certificate is taken. */
  readonly insecure: boolean;
  /** Authorities in PEM, in place of those of the runtime. */
  readonly ca?: string;
}

/** How long a connection or a handshake may take, in milliseconds. */
const CONNECT_MS = 30_000;
/** More is not kept of who sends without being asked: then no more is read until some of it is. */
const KEPT_OCTETS = 1_048_576;

/** The checks of servers that come with this package. */
export function serverChecks(): Catalogue {
  return JSON.parse(readFileSync(new URL('../dist/wire-checks.json', import.meta.url), 'utf8')) as Catalogue;
}

/** Opens connections to one place, and to no other. */
export function dialer(place: Place): Dial {
  return async () => {
    const wire = new SocketWire(connect({ host: place.host, port: place.port, noDelay: true, timeout: 0 }), place);
    await wire.connected();
    if (place.implicit) await wire.secure();
    return wire;
  };
}

/** What a connection has brought so far, and who waits for more. */
class SocketWire implements Wire {
  #socket: Socket;
  /** What is below TLS. */
  readonly #raw: Socket;
  readonly #place: Place;
  #chunks: Uint8Array[] = [];
  #kept = 0;
  #over: Nothing | null = null;
  #wake: () => void = () => {};

  constructor(socket: Socket, place: Place) {
    this.#socket = socket;
    this.#raw = socket;
    this.#place = place;
    this.#listen(socket);
  }

  get local(): string {
    return this.#socket.localAddress?.replace(/^::ffff:/, '') ?? '';
  }

  /** Settles when the connection is there, or can't be. */
  connected(): Promise<void> {
    return this.#ready(this.#socket, 'connect');
  }

  write(bytes: Uint8Array): Promise<void> {
    // What is not taken is told by the end or the reset that is read next.
    return new Promise((resolve) => {
      if (this.#socket.destroyed || !this.#socket.writable) resolve();
      else this.#socket.write(bytes, () => resolve());
    });
  }

  async read(ms: number): Promise<Uint8Array | Nothing> {
    const limit = performance.now() + ms;
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#kept -= chunk.length;
        this.#socket.resume();
        return chunk;
      }
      if (this.#over !== null) return this.#over;
      const left = limit - performance.now();
      if (left <= 0) return 'silence';
      await this.#something(left);
    }
  }

  async wait(ms: number): Promise<void> {
    await sleep(ms);
  }

  end(): void {
    this.#socket.end();
  }

  reset(): void {
    // While a side is being ended, or under TLS, there is no reset (the handle refuses it, and stays).
    const { writableEnded, readableEnded } = this.#raw;
    if (this.#socket === this.#raw && !writableEnded && !readableEnded) return void this.#raw.resetAndDestroy();
    this.#socket.destroy();
    this.#raw.destroy();
  }

  async secure(): Promise<void> {
    const { host, servername = host, insecure, ca } = this.#place;
    this.#socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
    const options: ConnectionOptions = { socket: this.#socket, rejectUnauthorized: !insecure, ...(ca === undefined ? {} : { ca }) };
    const secure = connectTls(isIP(servername) === 0 ? { ...options, servername } : { ...options, host: servername });
    this.#chunks = [];
    this.#kept = 0;
    this.#socket = secure;
    this.#listen(secure);
    await this.#ready(secure, 'secureConnect');
  }

  #listen(socket: Socket): void {
    const over = (how: Nothing) => {
      if (socket !== this.#socket) return;
      this.#over ??= how;
      this.#wake();
    };
    socket.on('data', (bytes: Uint8Array) => {
      this.#chunks.push(bytes);
      this.#kept += bytes.length;
      if (this.#kept > KEPT_OCTETS) socket.pause();
      this.#wake();
    });
    socket.on('end', () => over('end'));
    socket.on('error', () => over('reset'));
    socket.on('close', () => over('reset'));
  }

  #something(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #ready(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      const timer = setTimeout(() => fail(new Error(`nothing for ${CONNECT_MS / 1000} s`)), CONNECT_MS);
      socket.once('error', fail);
      socket.once('close', () => fail(new Error('the connection was closed')));
      socket.once(event, () => {
        clearTimeout(timer);
        socket.off('error', fail);
        resolve();
      });
    });
  }
}
