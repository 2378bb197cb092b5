import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Address, Sink, Transport } from '@ehlo/driver';
import type { TlsInfo } from '@ehlo/engine';
import { describeTls, type ServerTls } from './tls.ts';

/** How long a closed connection waits for the peer to end its side, and what it reads meanwhile. */
const LINGER_MS = 5000;
const LINGER_OCTETS = 1_048_576;

/** A Node socket as a transport. */
export class SocketTransport implements Transport {
  readonly peer: Address;
  readonly local: Address;
  /** Absent where the listener has no certificate, and where TLS is active already. */
  secure: Transport['secure'];
  tls: TlsInfo | undefined;
  #socket: Socket;
  readonly #tcp: boolean;
  #sink: Sink | null = null;

  constructor(socket: Socket, path: string | null, tls: ServerTls | null) {
    this.#socket = socket;
    this.#tcp = path === null;
    this.secure = tls === null ? undefined : () => this.#secure(tls);
    this.peer = path === null ? { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 } : { address: '', port: 0 };
    this.local = path === null ? { address: socket.localAddress ?? '', port: socket.localPort ?? 0 } : { address: path, port: 0 };
    // Replies are written whole: waiting for more only costs time (Nagle and delayed acknowledgements: 40 ms a message).
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  start(sink: Sink): void {
    this.#sink = sink;
    if (this.#socket.destroyed) queueMicrotask(() => this.#lose());
    else this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#sink = null;
    const socket = this.#socket;
    if (socket.destroyed) return;
    // The last reply must not be lost to a reset, which unread input would cause: half-close, then read on for a bounded while.
    // When both sides have ended, and all is written, Node destroys the socket by itself.
    let left = LINGER_OCTETS;
    socket.removeAllListeners('data');
    socket.on('data', (bytes: Uint8Array) => {
      left -= bytes.length;
      if (left < 0) socket.destroy();
    });
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.end();
    socket.resume();
  }

  abort(): void {
    this.#sink = null;
    // Only TCP in clear has a reset: for a Unix socket Node throws.
    if (this.#tcp && !(this.#socket instanceof TLSSocket)) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #listen(socket: Socket): void {
    socket.on('data', (bytes) => this.#sink?.data(bytes));
    socket.on('end', () => this.#sink?.end());
    socket.on('drain', () => this.#sink?.drained());
    // An error is followed by close; it must only not be thrown.
    socket.on('error', () => {});
    socket.on('close', () => this.#lose());
  }

  /** The server's side of a handshake. What the peer sent in clear has been given to the sink: nothing of it is kept. */
  #secure(tls: ServerTls): Promise<TlsInfo> {
    this.secure = undefined;
    const raw = this.#socket;
    for (const event of ['data', 'end', 'drain', 'close']) raw.removeAllListeners(event);
    raw.pause();
    while (raw.read() !== null);
    return new Promise((resolve, reject) => {
      // On a turn of its own: in a handler of `data` some runtimes give the first record to the plain socket still.
      queueMicrotask(() => {
        const secured = new TLSSocket(raw, {
          isServer: true,
          secureContext: tls.context(''),
          SNICallback: (name, answer) => answer(null, tls.context(name)),
          requestCert: tls.requestCert,
          rejectUnauthorized: false,
          allowHalfOpen: true,
        } as ConstructorParameters<typeof TLSSocket>[1]);
        this.#socket = secured;
        const failed = (error?: Error): void => reject(error ?? new Error('the peer left during the TLS handshake'));
        secured.once('error', failed);
        // A peer that ends its side now gives neither an error nor a close.
        secured.once('end', failed);
        secured.once('close', () => failed());
        secured.once('secure', () => {
          for (const event of ['error', 'end', 'close']) secured.removeAllListeners(event);
          this.#listen(secured);
          resolve(describeTls(secured));
        });
      });
    });
  }

  #lose(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.lost();
  }
}
