import type { TlsInfo } from '@ehlo/engine';
import { Inbox } from './inbox.ts';
import { notify } from './notify.ts';
import { type Address, LINGER_OCTETS, type Sink, type Transport } from './transport.ts';

/** A connection whose reads and writes are promises, as Deno's are. */
export interface ByteStream {
  /** The next octets, which become the caller's; null at the end of the peer's side. One at a time. */
  read(): Promise<Uint8Array | null>;
  /** Takes octets; resolves when the system below has them, with their number, or with nothing if it has all. One at a time. */
  write(bytes: Uint8Array): Promise<number> | Promise<void>;
  /** Ends this side, after all that was written. The peer's can still be read. */
  closeWrite(): Promise<void>;
  /** Ends both sides at once, and with them whatever waits. */
  close(): void;
  /**
   * Becomes its side of TLS; resolves with what is spoken through from then on, when its handshake is done. Called when all that was written has been
   * taken. A read that is still waiting is to be given up: it may reject, or never end. Absent: STARTTLS is not offered, or not begun.
   */
  startTls?(): Promise<StartedTls<ByteStream>>;
}

/** What came of a handshake. */
export interface StartedTls<Streams> {
  /** In place of those before. */
  readonly streams: Streams;
  /** What is known of the connection: `VERIFIED_TLS` where that is no more than that the server was verified. */
  readonly tls: TlsInfo;
}

/**
 * The facts of a TLS connection whose runtime has verified the host (RFC 9525 6) and gives no other information, such as that of
 * Cloudflare's Workers. A client sends credentials to a verified server.
 */
export const VERIFIED_TLS: TlsInfo = {
  protocol: '',
  cipher: '',
  servername: '',
  peerCertificate: { subject: '', altNames: '', fingerprint256: '', authorized: true },
};

/** What is known of a connection, and what it can do beyond carrying octets. */
export type Ends = Partial<Pick<Transport, 'peer' | 'local' | 'tls' | 'secure'>>;

const UNKNOWN: Address = { address: '', port: 0 };

/** Octets that may wait to be written before the session is told to stop. */
const HIGH_WATER = 65_536;

/**
 * Makes a transport of anything with promises for reads and writes.
 *
 * @example
 * ```ts
 * import { fromReader } from '@ehlo/driver';
 * const sent: string[] = [];
 * const transport = fromReader({
 *   read: async () => null,
 *   write: async (bytes) => void sent.push(String.fromCharCode(...bytes)),
 *   closeWrite: async () => {},
 *   close: () => {},
 * });
 * transport.write(Uint8Array.of(0x32, 0x32, 0x30)) // → true
 * sent // → ['220']
 * ```
 */
export function fromReader(stream: ByteStream, ends: Ends = {}): Transport {
  return new ReaderTransport(stream, ends);
}

class ReaderTransport implements Transport {
  readonly peer: Address;
  readonly local: Address;
  secure: Transport['secure'];
  tls: Transport['tls'];
  #stream: ByteStream;
  readonly #inbox: Inbox = new Inbox();
  #queue: Uint8Array[] = [];
  unwritten = 0;
  #writing = false;
  /** Called when there is nothing left to write. */
  #emptied: () => void = () => {};
  /** The stream that a read is waiting for. */
  #reading: ByteStream | null = null;
  /** The handshake that is under way; `clear`: octets in clear arrived that do not belong to it. */
  #handshake: { clear: boolean } | null = null;
  #giveUp: (error: Error) => void = () => {};
  #peerEnded = false;
  /** `closing`: output is pending. `closed`: this side has ended; input is discarded. */
  #state: 'open' | 'closing' | 'closed' | 'over' = 'open';
  #linger = LINGER_OCTETS;

  constructor(stream: ByteStream, { peer = UNKNOWN, local = UNKNOWN, tls, secure }: Ends) {
    this.#stream = stream;
    this.peer = peer;
    this.local = local;
    this.tls = tls;
    this.secure = secure ?? (stream.startTls === undefined ? undefined : () => this.#secure());
  }

  start(sink: Sink): void {
    this.#inbox.attach(sink);
    this.resume();
  }

  write(bytes: Uint8Array): boolean {
    this.unwritten += bytes.length;
    if (this.#state !== 'open') return true;
    this.#queue.push(bytes);
    void this.#write();
    return this.unwritten < HIGH_WATER;
  }

  pause(): void {
    this.#inbox.pause();
  }

  resume(): void {
    const { holds } = this.#inbox;
    this.#inbox.resume();
    // What was kept is handled first: it may be the reply after which TLS begins, and then nothing may be read in clear.
    if (holds) queueMicrotask(() => void this.#read());
    else void this.#read();
  }

  close(): void {
    this.#inbox.close();
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    void this.#write();
    void this.#read();
  }

  abort(): void {
    this.#inbox.stop();
    this.#end();
  }

  /** Reads while octets are wanted, one read at a time. */
  async #read(): Promise<void> {
    const stream = this.#stream;
    if (this.#reading === stream || this.#handshake !== null) return;
    this.#reading = stream;
    try {
      while (!this.#inbox.paused && !this.#peerEnded && this.#state !== 'over') {
        const bytes = await stream.read();
        if (this.#handshake !== null || stream !== this.#stream) return this.#intrude(bytes);
        this.#take(bytes);
      }
    } catch (error) {
      // One that was given up for a handshake says nothing.
      if (this.#handshake === null && stream === this.#stream) this.#end(error);
    }
    if (this.#reading === stream) this.#reading = null;
  }

  /** RFC 3207 4.2: what came in clear is no part of what follows. */
  #intrude(bytes: Uint8Array | null): void {
    if (bytes !== null && this.#handshake !== null) this.#handshake.clear = true;
  }

  /** Nothing that was read in clear is kept: it breaks the handshake. */
  async #secure(): Promise<TlsInfo> {
    this.secure = undefined;
    this.#inbox.pause();
    const handshake = { clear: this.#inbox.holds };
    this.#handshake = handshake;
    const ended = new Promise<never>((_, reject) => {
      this.#giveUp = reject;
    });
    const started = this.#startTls();
    const { streams, tls } = await Promise.race([started, ended]);
    this.#handshake = null;
    this.#stream = streams;
    if (!handshake.clear) return tls;
    this.#end();
    throw new Error('octets in clear came before the TLS handshake');
  }

  async #startTls(): Promise<StartedTls<ByteStream>> {
    if (this.#writing) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
    }
    const started = await this.#stream.startTls!();
    // No caller waits for it any more.
    if (this.#state === 'over') started.streams.close();
    return started;
  }

  #take(bytes: Uint8Array | null): void {
    if (bytes === null) {
      this.#peerEnded = true;
      this.#inbox.end();
      if (this.#state === 'closed') this.#end();
    } else if (this.#state === 'open') this.#inbox.data(bytes);
    else {
      this.#linger -= bytes.length;
      if (this.#linger < 0) this.#end();
    }
  }

  async #write(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      for (let bytes = this.#queue.shift(); bytes !== undefined; bytes = this.#queue.shift()) {
        const taken = (await this.#stream.write(bytes)) ?? bytes.length;
        if (taken < bytes.length) this.#queue.unshift(bytes.subarray(taken));
        this.unwritten -= taken;
        if (this.unwritten === 0) this.#inbox.drained();
      }
      if (this.#state === 'closing') await this.#closeWrite();
    } catch (error) {
      this.#end(error);
    }
    this.#writing = false;
    this.#emptied();
  }

  async #closeWrite(): Promise<void> {
    await this.#stream.closeWrite();
    if (this.#state !== 'closing') return;
    this.#state = 'closed';
    if (this.#peerEnded) this.#end();
  }

  #end(error?: unknown): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#queue = [];
    this.#giveUp(new Error('the connection was ended before the TLS handshake was done'));
    let cause = error;
    notify(
      () => this.#stream.close(),
      (failure) => {
        cause ??= failure;
      },
    );
    this.#inbox.lost(cause);
  }
}
