import type { Socket } from 'node:net';
import { type Address, LINGER_OCTETS, type Sink, type Transport } from '@ehlo/driver';
import type { TlsInfo } from '@ehlo/engine';
import { handshake, LEFT, type Tls } from './handshake.ts';
import { Writer } from './writer.ts';

const NOTHING: Uint8Array = new Uint8Array(0);

const UNKNOWN: Address = { address: '', port: 0 };

/** Whose socket it is. */
const OWNER: unique symbol = Symbol('transport');

type Owned = Socket & { [OWNER]?: SocketTransport };

/** A Node socket as a transport. */
export class SocketTransport implements Transport {
  readonly peer: Address;
  readonly local: Address;
  /** Absent where there is nothing to secure it with, and where TLS is active already. */
  secure: Transport['secure'];
  tls: TlsInfo | undefined;
  readonly #raw: Owned;
  /** The TLS socket over the raw one, once there is one. */
  #socket: Owned;
  #writer: Writer;
  readonly #tcp: boolean;
  #sink: Sink | null = null;
  /** Once it is closed: how many octets are still read and dropped. */
  #linger: number | null = null;
  #failure: Error | undefined = undefined;

  /** `local` is the socket's own end, where it is known already. */
  constructor(socket: Socket, path: string | null, tls: Tls | null, local: Address | null = null) {
    this.#raw = socket;
    this.#socket = socket;
    this.#writer = new Writer(socket, this);
    this.#tcp = path === null;
    this.secure = tls === null ? undefined : (head) => this.#secure(tls, head);
    // Now: of a socket that was reset nobody can say whose it was.
    this.peer = path === null ? { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 } : UNKNOWN;
    this.local =
      local ?? (path === null ? { address: socket.localAddress ?? '', port: socket.localPort ?? 0 } : { address: path, port: 0 });
    // Replies are written whole: waiting for more only costs time (Nagle and delayed acknowledgements: 40 ms a message).
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  start(sink: Sink): void {
    this.#sink = sink;
    if (this.#socket.destroyed) queueMicrotask(() => this.#lose());
    else {
      // Not before: who listens for data makes them flow.
      this.#socket.on('data', SocketTransport.#onData);
      this.#socket.resume();
      // The end of a connection that has made its handshake may have come before anybody was there to hear of it.
      if (this.#socket.readableEnded) queueMicrotask(() => this.#end(this.#socket));
    }
  }

  write(bytes: Uint8Array): boolean {
    return this.#writer.write(bytes);
  }

  get unwritten(): number {
    return this.#writer.unwritten;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    // The last reply must not be lost to a reset, which unread input would cause: half-close, then read on.
    // When both sides have ended, and all is written, Node destroys the socket by itself.
    this.#linger = LINGER_OCTETS;
    socket.end();
    socket.resume();
  }

  abort(): void {
    this.#sink = null;
    // A reset, which throws away what waits in both directions; only TCP has it: for a Unix socket Node throws. Under TLS the upper socket
    // goes, and takes the lower along: Node crashes where the lower one goes first while a record is being written.
    if (this.#tcp && this.#socket === this.#raw) this.#raw.resetAndDestroy();
    else this.#socket.destroy();
  }

  /** All has been taken. */
  drained(): void {
    this.#sink?.drained();
  }

  /** The listeners are the same for all sockets: five functions for each would be a tenth of what a connection that waits takes. */
  #listen(socket: Owned): void {
    socket[OWNER] = this;
    if (this.#sink !== null) socket.on('data', SocketTransport.#onData);
    socket.on('end', SocketTransport.#onEnd);
    socket.on('close', SocketTransport.#onClose);
    socket.on('error', SocketTransport.#onError);
  }

  /** A handshake. Nothing that came in clear is kept: the sink gets it, and then there is no handshake. */
  async #secure(tls: Tls, head: Uint8Array | undefined): Promise<TlsInfo> {
    this.secure = undefined;
    const raw = this.#raw;
    raw.pause();
    if (head === undefined) {
      // Each read gives `data` to the sink too.
      let clear = 0;
      for (let bytes: Uint8Array | null = raw.read(); bytes !== null; bytes = raw.read()) clear += bytes.length;
      if (clear > 0) throw new Error('octets in clear came before the TLS handshake');
    }
    raw.off('data', SocketTransport.#onData).off('end', SocketTransport.#onEnd).off('close', SocketTransport.#onClose);
    // On a turn of its own: in a handler of `data` some runtimes give the first record to the plain socket still.
    await Promise.resolve();
    if (raw.destroyed || raw.readableEnded) throw new Error(LEFT);
    if (head !== undefined && head.length > 0) raw.unshift(head);
    const secured = tls.wrap(raw);
    this.#socket = secured.socket;
    this.#writer = new Writer(secured.socket, this);
    return await handshake(secured, () => this.#listen(secured.socket));
  }

  /** libuv takes a reset that comes along with the last octets for an end. To write nothing tells them apart: after a reset that fails. */
  #end(socket: Socket): void {
    if (!socket.writable) return this.#sink?.end();
    socket.write(NOTHING, (error) => void (error || socket.destroyed || this.#sink?.end()));
  }

  #lose(): void {
    const sink = this.#sink;
    this.#sink = null;
    sink?.lost(this.#failure);
  }

  // What every socket is listened to with; `this` is the socket.
  static readonly #onData = function (this: Owned, bytes: Uint8Array): void {
    const transport = this[OWNER]!;
    if (transport.#linger === null) return transport.#sink?.data(bytes);
    transport.#linger -= bytes.length;
    if (transport.#linger < 0) this.destroy();
  };
  static readonly #onEnd = function (this: Owned): void {
    const transport = this[OWNER]!;
    if (transport.#linger === null) transport.#end(this);
  };
  static readonly #onClose = function (this: Owned): void {
    this[OWNER]!.#lose();
  };
  /** It is followed by close. */
  static readonly #onError = function (this: Owned, error: Error): void {
    this[OWNER]!.#failure = error;
  };
}
