import { Inbox } from './inbox.ts';
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
}

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

/**
 * Makes a transport of a pair of Web streams, such as a socket of Cloudflare's Workers or the two ends of a `TransformStream`.
 *
 * @example
 * ```ts
 * import { fromStreams } from '@ehlo/driver';
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
 * fromStreams({ readable, writable }, { peer: { address: '192.0.2.1', port: 25 } }).peer.address // → '192.0.2.1'
 * ```
 */
export function fromStreams(
  { readable, writable }: { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<Uint8Array> },
  ends: Ends = {},
): Transport {
  const reader = readable.getReader();
  const writer = writable.getWriter();
  const ignore = (): void => {};
  // A stream that fails tells it by `read` and `write`, too.
  reader.closed.catch(ignore);
  writer.closed.catch(ignore);
  const stream: ByteStream = {
    read: async () => (await reader.read()).value ?? null,
    write: (bytes) => writer.write(bytes),
    closeWrite: () => writer.close(),
    close() {
      reader.cancel().catch(ignore);
      writer.abort().catch(ignore);
    },
  };
  return fromReader(stream, ends);
}

class ReaderTransport implements Transport {
  readonly peer: Address;
  readonly local: Address;
  readonly secure: Transport['secure'];
  tls: Transport['tls'];
  readonly #stream: ByteStream;
  readonly #inbox: Inbox = new Inbox();
  #queue: Uint8Array[] = [];
  unwritten = 0;
  #writing = false;
  #reading = false;
  #peerEnded = false;
  /** `closing`: there is still something to write; `closed`: this side is ended, and the peer's is read and dropped. */
  #state: 'open' | 'closing' | 'closed' | 'over' = 'open';
  #linger = LINGER_OCTETS;

  constructor(stream: ByteStream, { peer = UNKNOWN, local = UNKNOWN, tls, secure }: Ends) {
    this.#stream = stream;
    this.peer = peer;
    this.local = local;
    this.tls = tls;
    this.secure = secure;
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
    this.#inbox.resume();
    void this.#read();
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

  /** One read at a time, and none that nobody wants. */
  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (!this.#inbox.paused && !this.#peerEnded && this.#state !== 'over') this.#take(await this.#stream.read());
    } catch (error) {
      this.#end(error);
    }
    this.#reading = false;
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
    this.#stream.close();
    this.#inbox.lost(error);
  }
}
