// A connection without a socket.
import type { Peer, Silence } from '../src/client/peer.ts';
import { fromBytes, toBytes } from '../src/octets.ts';

/** One direction of a pipe. */
class Flow {
  readonly #blocks: string[] = [];
  #over: Silence | null = null;
  #wake: () => void = () => {};

  push(text: string): void {
    if (this.#over === null && text !== '') this.#blocks.push(text);
    this.#wake();
  }

  end(how: Silence): void {
    this.#over ??= how;
    this.#wake();
  }

  async read(ms: number): Promise<string | { readonly over: Silence }> {
    for (let waited = false; ; waited = true) {
      const block = this.#blocks.shift();
      if (block !== undefined) return block;
      if (this.#over !== null) return { over: this.#over };
      if (waited) return { over: 'silence' };
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** Between a client that is played and who examines it. */
export class Pipe {
  readonly toServer: Flow = new Flow();
  readonly toClient: Flow = new Flow();

  /** The server begins with TLS; false: it closes in place of that. */
  readonly handshake: Promise<boolean>;
  #shake: (done: boolean) => void = () => {};

  constructor() {
    this.handshake = new Promise((resolve) => {
      this.#shake = resolve;
    });
  }

  #close(how: Silence): void {
    this.toClient.end(how);
    this.#shake(false);
  }

  get peer(): Peer {
    return {
      read: async (ms) => {
        const seen = await this.toServer.read(ms);
        return typeof seen === 'string' ? toBytes(seen) : seen.over;
      },
      write: async (bytes) => this.toClient.push(fromBytes(bytes)),
      wait: async () => {},
      end: () => this.#close('end'),
      reset: () => this.#close('reset'),
      secure: async () => this.#shake(true),
    };
  }
}
