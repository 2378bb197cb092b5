import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Address, LINGER_MS, type Sink, type Transport } from '@ehlo/driver';
import type { TlsInfo } from '@ehlo/engine';
import { handshake, ignore } from './handshake.ts';
import type { ServerTls } from './server-tls.ts';

/**
 * Gives a transport that carries octets in clear the server's side of TLS, by `node:tls`, which is the same wherever that is found.
 * The transport must not be started by anybody else.
 */
export function withTls(transport: Transport, tls: ServerTls): Transport {
  return new LayeredTransport(transport, tls);
}

/** In clear until it is secured. */
class LayeredTransport implements Transport {
  readonly peer: Address;
  readonly local: Address;
  secure: Transport['secure'];
  tls: TlsInfo | undefined;
  readonly #clear: Transport;
  /** The layer that the octets of the session go through now. */
  #layer: Transport;
  /** Who hears of the transport in clear. */
  #sink: Sink | null = null;

  constructor(clear: Transport, tls: ServerTls) {
    this.#clear = clear;
    this.#layer = clear;
    this.peer = clear.peer;
    this.local = clear.local;
    this.secure = () => this.#secure(tls);
  }

  start(sink: Sink): void {
    if (this.#layer === this.#clear) this.#listen(sink);
    else this.#layer.start(sink);
  }

  write(bytes: Uint8Array): boolean {
    return this.#layer.write(bytes);
  }

  pause(): void {
    this.#layer.pause();
  }

  resume(): void {
    this.#layer.resume();
  }

  close(): void {
    this.#layer.close();
  }

  abort(): void {
    this.#layer.abort();
  }

  /** Whatever comes from now on is the handshake's: what was injected in clear breaks it. */
  async #secure(tls: ServerTls): Promise<TlsInfo> {
    this.secure = undefined;
    const session = this.#sink;
    const octets = new OctetStream(this.#clear);
    const { socket, describe } = tls.wrap(octets);
    const layer = new TlsLayer(this.#clear, octets, socket, session);
    this.#layer = layer;
    this.#listen(octets.sink);
    this.#clear.resume();
    return await handshake({ socket, describe }, () => {});
  }

  /** A transport is started once; who hears of it may change. */
  #listen(sink: Sink): void {
    const first = this.#sink === null;
    this.#sink = sink;
    if (!first) return;
    this.#clear.start({
      data: (bytes) => this.#sink?.data(bytes),
      end: () => this.#sink?.end(),
      lost: (cause) => this.#sink?.lost(cause),
      drained: () => this.#sink?.drained(),
    });
  }
}

/** The transport in clear as the stream that `node:tls` wants. */
class OctetStream extends Duplex {
  readonly sink: Sink;
  readonly #clear: Transport;
  #drained: (() => void) | null = null;
  #held = false;
  #closed = false;

  constructor(clear: Transport) {
    super({ allowHalfOpen: true });
    this.#clear = clear;
    this.sink = {
      data: (bytes) => void (this.push(bytes) || clear.pause()),
      end: () => void this.push(null),
      lost: () => void this.destroy(),
      drained: () => {
        const drained = this.#drained;
        this.#drained = null;
        drained?.();
      },
    };
  }

  /** Stops reading, whatever the reader of this stream does: not every runtime's TLS sockets stop when they are told to. */
  hold(): void {
    this.#held = true;
    this.#clear.pause();
  }

  release(): void {
    this.#held = false;
    this.#clear.resume();
  }

  override _read(): void {
    if (!this.#held) this.#clear.resume();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    if (this.#clear.write(bytes)) done();
    else this.#drained = done;
  }

  override _final(done: () => void): void {
    this.#closed = true;
    this.#clear.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#closed) this.#clear.abort();
    done(error);
  }
}

/** What a session sees of a connection that makes, or has made, its handshake. */
class TlsLayer implements Transport {
  readonly peer: Address;
  readonly local: Address;
  readonly #clear: Transport;
  readonly #octets: OctetStream;
  readonly #socket: TLSSocket;
  #sink: Sink | null;
  /** Nothing beyond the handshake is given before the session asks for it. */
  #paused = true;
  #queue: Uint8Array[] = [];
  #ended = false;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(clear: Transport, octets: OctetStream, socket: TLSSocket, sink: Sink | null) {
    this.peer = clear.peer;
    this.local = clear.local;
    this.#clear = clear;
    this.#octets = octets;
    this.#socket = socket;
    this.#sink = sink;
    socket.on('error', ignore);
    socket.on('data', (bytes: Uint8Array) => {
      if (this.#closed) return;
      this.#queue.push(bytes);
      if (this.#paused) octets.hold();
      this.#flow();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#flow();
    });
    socket.on('drain', () => this.#sink?.drained());
    socket.on('close', () => this.#lose());
    octets.on('close', () => this.#lose());
    // All is written, and the transport below is closing by itself.
    octets.on('finish', () => clearTimeout(this.#timer));
  }

  start(sink: Sink): void {
    this.#sink = sink;
    this.resume();
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
    this.#octets.hold();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
    this.#octets.release();
    // Not within the call: who resumes has not yet come to the end of what it does.
    queueMicrotask(() => this.#flow());
  }

  close(): void {
    this.#sink = null;
    this.#closed = true;
    // The last reply and the alert that ends TLS go out first; what the peer still sends is nobody's, and is not even deciphered.
    this.#timer = setTimeout(() => this.abort(), LINGER_MS);
    this.#socket.end();
    this.resume();
  }

  abort(): void {
    this.#sink = null;
    clearTimeout(this.#timer);
    this.#clear.abort();
    this.#socket.destroy();
  }

  #flow(): void {
    while (!this.#paused && this.#sink !== null) {
      const bytes = this.#queue.shift();
      if (bytes !== undefined) this.#sink.data(bytes);
      else if (this.#ended) {
        this.#ended = false;
        this.#sink.end();
      } else return;
    }
  }

  #lose(): void {
    clearTimeout(this.#timer);
    const sink = this.#sink;
    this.#sink = null;
    sink?.lost();
  }
}
