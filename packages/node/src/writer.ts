import type { Duplex } from 'node:stream';

/** Whose writer it is. */
export interface Owner {
  /** All has been taken, after a write that has left something. */
  drained(): void;
}

/** Writes to a socket, and counts the octets that the operating system has not accepted. */
export class Writer {
  readonly #socket: Duplex;
  readonly #below: Duplex | null;
  readonly #owner: Owner;
  #unwritten = 0;
  /** A write is pending; report when it completes. */
  #waiting = false;

  /**
   * `below`: the stream under a TLS socket, if that is not the system's own. A TLS socket of Bun accepts everything, so the octets that wait in
   * `below` count, too. The owner of `below` calls `settle` when it is empty.
   */
  constructor(socket: Duplex, owner: Owner, below: Duplex | null = null) {
    this.#socket = socket;
    this.#below = below;
    this.#owner = owner;
  }

  /** A socket that was destroyed or has failed forgets what it held: that was never taken. */
  get unwritten(): number {
    if (this.#unwritten === 0) return 0;
    const [socket, below] = [this.#socket, this.#below];
    if (isAlive(socket) && (below === null || isAlive(below))) this.#unwritten = socket.writableLength + (below?.writableLength ?? 0);
    return this.#unwritten;
  }

  /** Returns false if no more should be written before that is taken. */
  write(bytes: Uint8Array): boolean {
    this.#unwritten += bytes.length;
    const more = this.#socket.write(bytes, this.#wrote) && this.#below?.writableNeedDrain !== true;
    this.#waiting = this.unwritten > 0;
    return more || !this.#waiting;
  }

  /** More has been taken. */
  settle(): void {
    this.#wrote();
  }

  /** One function for all writes: Node makes a closure of none of them. */
  readonly #wrote = (error?: Error | null): void => {
    if (error || !this.#waiting || this.unwritten > 0) return;
    this.#waiting = false;
    this.#owner.drained();
  };
}

function isAlive({ destroyed, errored }: Duplex): boolean {
  return !destroyed && errored === null;
}
