import { type Address, Inbox, LINGER_OCTETS, type Sink, type Transport } from '@ehlo/driver';
import type { TlsInfo } from '@ehlo/engine';
import { demandCertificate, describeTls } from '@ehlo/node/adapter';

/** What `upgradeTLS` wants, and what there is to tell of it. */
export interface Certificates {
  readonly options: Bun.TLSOptions;
  /** `tls-server-end-point`. */
  readonly endPoint: Uint8Array;
  /** The client has to show one that is trusted. */
  readonly demanded: boolean;
}

interface Handshake {
  done(): void;
  failed(error: Error): void;
}

const UNKNOWN: Address = { address: '', port: 0 };

/** A socket of Bun as a transport; with `tls` it can be secured. `path` is that of the Unix socket it came by. */
export class SocketTransport implements Transport {
  readonly peer: Address;
  readonly local: Address;
  /** Absent where the listener has no certificate, and where TLS is active already. */
  secure: Transport['secure'];
  tls: TlsInfo | undefined;
  /** The one that is spoken through. After `upgradeTLS` the one before goes on to tell what it carries: records of TLS. */
  #socket: Bun.Socket<SocketTransport>;
  readonly #inbox: Inbox = new Inbox();
  /** What Bun has not taken: it takes what the kernel takes, and keeps nothing. */
  #queue: Uint8Array[] = [];
  unwritten = 0;
  #peerEnded = false;
  /** Nothing can be written any more. */
  #broken = false;
  #state: 'open' | 'closing' | 'over' = 'open';
  #linger = LINGER_OCTETS;
  #handshake: Handshake | null = null;

  constructor(socket: Bun.Socket<unknown>, path: string | null, tls: Certificates | null) {
    const own = socket as Bun.Socket<SocketTransport>;
    own.data = this;
    this.#socket = own;
    this.secure = tls === null ? undefined : () => this.#secure(tls);
    this.peer = path === null ? { address: own.remoteAddress, port: own.remotePort } : UNKNOWN;
    this.local = path === null ? { address: own.localAddress, port: own.localPort } : { address: path, port: 0 };
    // Replies are written whole: waiting for more only costs time.
    own.setNoDelay(true);
    own.pause();
  }

  /** The handlers of every socket. Those sockets that `upgradeTLS` has left behind are not heard. */
  static readonly handlers: Bun.SocketHandler<SocketTransport> = {
    data: (socket, bytes) => void (socket.data.#isHeard(socket) && socket.data.#received(bytes)),
    end: (socket) => void (socket.data.#isHeard(socket) && socket.data.#ended()),
    drain: (socket) => void (socket.data.#isHeard(socket) && socket.data.#drained()),
    close: (socket, error) => void (socket.data.#isHeard(socket) && socket.data.#lost(error)),
    error: (socket, error) => void (socket.data.#isHeard(socket) && socket.data.#lost(error)),
    // `secured` says that there is a handshake; the error, that the client's certificate is not one of an authority's.
    handshake: (socket, secured, error) => void (socket.data.#isHeard(socket) && socket.data.#shaken(secured, error)),
  };

  start(sink: Sink): void {
    this.#inbox.attach(sink);
    this.resume();
  }

  write(bytes: Uint8Array): boolean {
    this.unwritten += bytes.length;
    if (this.#state !== 'open') return true;
    if (this.#queue.length === 0) bytes = this.#send(bytes);
    if (bytes.length > 0) this.#queue.push(bytes);
    return this.#queue.length === 0;
  }

  pause(): void {
    this.#inbox.pause();
    this.#socket.pause();
  }

  resume(): void {
    this.#inbox.resume();
    this.#socket.resume();
  }

  close(): void {
    this.#inbox.close();
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#socket.resume();
    if (this.#queue.length === 0) this.#shutDown();
  }

  abort(): void {
    this.#inbox.stop();
    this.#over();
    this.#socket.terminate();
  }

  /** The server's side of a handshake. */
  async #secure({ options, endPoint, demanded }: Certificates): Promise<TlsInfo> {
    this.secure = undefined;
    this.#inbox.pause();
    const shaken = new Promise<void>((done, failed) => {
      this.#handshake = { done, failed };
    });
    const [, socket] = this.#socket.upgradeTLS<SocketTransport>({ data: this, tls: options, socket: SocketTransport.handlers });
    this.#socket = socket;
    socket.resume();
    await shaken;
    const info = describeTls({
      protocol: socket.getTLSVersion(),
      cipher: socket.getCipher().standardName,
      servername: socket.getServername() ?? '',
      endPoint,
      peer: socket.getPeerCertificate(),
      authorized: socket.authorized,
      exporter: (length, label, context) => socket.exportKeyingMaterial(length, label, context),
    });
    return demanded ? demandCertificate(info) : info;
  }

  #isHeard(socket: Bun.Socket<SocketTransport>): boolean {
    return socket === this.#socket;
  }

  #shaken(secured: boolean, error: Error | null): void {
    const handshake = this.#handshake;
    this.#handshake = null;
    if (!secured) return handshake?.failed(error ?? new Error('the TLS handshake failed'));
    // Nothing beyond it is read before the session asks for it.
    this.#socket.pause();
    handshake?.done();
  }

  #received(bytes: Uint8Array): void {
    if (this.#state === 'open') return this.#inbox.data(bytes);
    // A last reply must not be lost to a reset, which unread input would cause: it is read for a bounded while.
    this.#linger -= bytes.length;
    if (this.#linger < 0) this.#socket.terminate();
  }

  #ended(): void {
    // A reset that a write has met comes as an end, and then as a close.
    if (this.#broken) return;
    this.#peerEnded = true;
    this.#handshake?.failed(new Error('the peer left before the TLS handshake was done'));
    this.#inbox.end();
    if (this.#state === 'closing' && this.#queue.length === 0) this.#socket.end();
  }

  #drained(): void {
    if (this.#queue.length === 0) return;
    for (let bytes = this.#queue[0]; bytes !== undefined; bytes = this.#queue[0]) {
      const rest = this.#send(bytes);
      if (rest.length > 0) {
        this.#queue[0] = rest;
        return;
      }
      this.#queue.shift();
    }
    if (this.#state === 'closing') this.#shutDown();
    this.#inbox.drained();
  }

  /** What of it Bun has not taken: all, where the connection is gone. */
  #send(bytes: Uint8Array): Uint8Array {
    const written = this.#socket.write(bytes);
    if (written < 0 && !this.#broken) {
      // One that is paused would never tell: its close comes when it is read.
      this.#broken = true;
      queueMicrotask(() => {
        this.#socket.terminate();
        this.#lost(undefined);
      });
    }
    const octets = Math.max(0, written);
    this.unwritten -= octets;
    return bytes.subarray(octets);
  }

  /** Ends this side; the connection is over when the peer has ended its own, too. `end` would not wait for that. */
  #shutDown(): void {
    if (this.#peerEnded) this.#socket.end();
    else this.#socket.shutdown();
  }

  #lost(error: Error | undefined): void {
    this.#handshake?.failed(error ?? new Error('the peer left before the TLS handshake was done'));
    this.#over();
    this.#inbox.lost(error);
  }

  #over(): void {
    this.#state = 'over';
    this.#queue = [];
  }
}
