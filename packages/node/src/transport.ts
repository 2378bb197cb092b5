import type { Socket } from 'node:net';
import type { Address, Sink, Transport } from '@ehlo/driver';

/** How long a closed connection waits for the peer to end its side, and what it reads meanwhile. */
const LINGER_MS = 5000;
const LINGER_OCTETS = 1_048_576;

/** A Node socket as a transport. */
export class SocketTransport implements Transport {
  readonly peer: Address;
  readonly local: Address;
  readonly #socket: Socket;
  readonly #tcp: boolean;
  #sink: Sink | null = null;

  constructor(socket: Socket, path: string | null) {
    this.#socket = socket;
    this.#tcp = path === null;
    this.peer = path === null ? { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 } : { address: '', port: 0 };
    this.local = path === null ? { address: socket.localAddress ?? '', port: socket.localPort ?? 0 } : { address: path, port: 0 };
    // Replies are written whole: waiting for more only costs time (Nagle and delayed acknowledgements: 40 ms a message).
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.#sink?.data(bytes));
    socket.on('end', () => this.#sink?.end());
    socket.on('drain', () => this.#sink?.drained());
    // An error is followed by close; it must only not be thrown.
    socket.on('error', () => {});
    socket.on('close', () => this.#lose());
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
    // Only TCP has a reset: for a Unix socket Node throws.
    if (this.#tcp) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #lose(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.lost();
  }
}
