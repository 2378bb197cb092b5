import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Address, Inbox, type Sink, type Transport } from '@ehlo/driver';
import type { TlsInfo } from '@ehlo/engine';
import { handshake, type Tls } from './handshake.ts';
import { Writer } from './writer.ts';

/**
 * Gives a transport that carries octets in clear a side of TLS, by `node:tls`, which is the same wherever that is found.
 * The transport must not be started by anybody else.
 */
export function withTls(transport: Transport, tls: Tls): Transport {
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
  /** The sink of the transport in clear. */
  #sink: Sink | null = null;

  constructor(clear: Transport, tls: Tls) {
    this.#clear = clear;
    this.#layer = clear;
    this.peer = clear.peer;
    this.local = clear.local;
    this.secure = (head) => this.#secure(tls, head);
  }

  start(sink: Sink): void {
    if (this.#layer === this.#clear) this.#listen(sink);
    else this.#layer.start(sink);
  }

  write(bytes: Uint8Array): boolean {
    return this.#layer.write(bytes);
  }

  get unwritten(): number {
    return this.#layer.unwritten;
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
  async #secure(tls: Tls, head?: Uint8Array): Promise<TlsInfo> {
    this.secure = undefined;
    const session = this.#sink;
    const octets = new OctetStream(this.#clear);
    const wrapped = tls.wrap(octets);
    const layer = new TlsLayer(this.#clear, octets, wrapped.socket);
    this.#layer = layer;
    if (head !== undefined && head.length > 0) octets.sink.data(head);
    this.#listen(octets.sink);
    this.#clear.resume();
    setImmediate(() => octets.begin());
    const info = await handshake(wrapped, () => layer.pause());
    if (session !== null) layer.attach(session);
    return info;
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
  /** Called when the transport has taken more. */
  taken: () => void = () => {};
  /** Called when the transport is gone. */
  lost: () => void = () => {};
  /** Why the transport was lost, if it said so. */
  failure: unknown = undefined;
  readonly #clear: Transport;
  #drained: (() => void) | null = null;
  #held = false;
  /** This side is being ended. */
  ends = false;
  /** What came before `begin`. */
  #early: (() => void)[] | null = [];

  constructor(clear: Transport) {
    super({ allowHalfOpen: true });
    this.#clear = clear;
    this.sink = {
      data: (bytes) => this.whenBegun(() => void (this.push(bytes) || clear.pause())),
      end: () => this.whenBegun(() => void this.push(null)),
      lost: (cause) => {
        this.failure = cause;
        this.lost();
        this.whenBegun(() => this.destroy());
      },
      drained: () => {
        const drained = this.#drained;
        this.#drained = null;
        drained?.();
        this.taken();
      },
    };
  }

  /** Deno's TLS sockets begin in a turn of their own. What fails or is destroyed before would end the process. */
  begin(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const call of early) call();
  }

  whenBegun(call: () => void): void {
    if (this.#early === null) call();
    else this.#early.push(call);
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
    this.#clear.write(bytes);
    // Not before it has left: who asks the layer above what is unwritten must hear of it.
    if (this.#clear.unwritten === 0) done();
    else this.#drained = done;
  }

  override _final(done: () => void): void {
    this.ends = true;
    this.#clear.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.ends) this.#clear.abort();
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
  readonly #writer: Writer;
  /** Paused: nothing beyond the handshake is given before the session asks for it. */
  readonly #inbox: Inbox = new Inbox();
  #failure: Error | undefined = undefined;

  constructor(clear: Transport, octets: OctetStream, socket: TLSSocket) {
    this.peer = clear.peer;
    this.local = clear.local;
    this.#clear = clear;
    this.#octets = octets;
    this.#socket = socket;
    const inbox = this.#inbox;
    this.#writer = new Writer(socket, inbox, octets);
    octets.taken = () => this.#writer.settle();
    const lost = (): void => inbox.lost(octets.failure ?? this.#failure);
    socket.on('error', (error: Error) => {
      this.#failure ??= error;
      lost();
      this.abort();
    });
    socket.on('data', (bytes: Uint8Array) => {
      if (inbox.paused) octets.hold();
      inbox.data(bytes);
    });
    socket.on('end', () => inbox.end());
    octets.lost = lost;
    // Closed gracefully, the transport below may outlive what lies upon it: it tells its end by itself.
    const over = (): void => void (octets.ends || lost());
    socket.on('close', over);
    octets.on('close', over);
  }

  /** Tells from now on; of octets only when they are asked for. */
  attach(sink: Sink): void {
    this.#inbox.attach(sink);
  }

  start(sink: Sink): void {
    this.#inbox.attach(sink);
    this.resume();
  }

  write(bytes: Uint8Array): boolean {
    return this.#writer.write(bytes);
  }

  get unwritten(): number {
    return this.#writer.unwritten;
  }

  pause(): void {
    this.#inbox.pause();
    this.#socket.pause();
    this.#octets.hold();
  }

  resume(): void {
    this.#inbox.resume();
    this.#socket.resume();
    this.#octets.release();
  }

  close(): void {
    this.#inbox.close();
    // The last reply and the alert that ends TLS go out first; what the peer still sends is dropped.
    this.#socket.end();
    this.resume();
  }

  abort(): void {
    this.#inbox.stop();
    this.#clear.abort();
    this.#octets.whenBegun(() => this.#socket.destroy());
  }
}
