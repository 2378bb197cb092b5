import type { Handler, Listener, Sink, Transport } from '../src/index.ts';

/** Reads a message, and takes it. */
export const taking: NonNullable<Handler['message']> = async ({ body }) => {
  await body.bytes();
  return true;
};

/** A connection without a network: what the client sends is handed over by hand, what the server writes is kept. */
export class MemoryTransport implements Transport {
  readonly peer = { address: '192.0.2.1', port: 4321 };
  readonly local = { address: '192.0.2.2', port: 25 };
  sink: Sink | null = null;
  written = '';
  /** What `write` returns. */
  writable = true;
  unwritten = 0;
  paused = false;
  closed = false;
  aborted = false;
  /** Whether the client keeps its side open when this one is closed. */
  stays = false;
  secure?: Transport['secure'];
  tls?: Transport['tls'];

  start(sink: Sink): void {
    this.sink = sink;
  }

  write(bytes: Uint8Array): boolean {
    this.written += String.fromCharCode(...bytes);
    return this.writable;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  close(): void {
    this.closed = true;
    if (!this.stays && this.unwritten === 0) queueMicrotask(() => this.sink?.lost());
  }

  abort(): void {
    this.aborted = true;
  }

  send(text: string): void {
    this.sink!.data(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  /** What was written since the last call. */
  take(): string {
    const { written } = this;
    this.written = '';
    return written;
  }

  /** The reply lines since the last call, when `count` final ones have come. */
  async replies(count: number): Promise<string[]> {
    for (let turn = 0; turn < 1000; turn++) {
      const finals = this.written.match(/^[0-9]{3} .*\r\n/gm) ?? [];
      if (finals.length >= count) return this.take().split('\r\n').slice(0, -1);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error(`waited for ${count} replies, got ${JSON.stringify(this.written)}`);
  }
}

export class MemoryListener implements Listener {
  readonly address = { address: '192.0.2.2', port: 2525 };
  closed = false;
  #connected: (transport: Transport) => void = () => {};

  accept(connected: (transport: Transport) => void): void {
    this.#connected = connected;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  connect(prepare: (transport: MemoryTransport) => void = () => {}): MemoryTransport {
    const transport = new MemoryTransport();
    prepare(transport);
    this.#connected(transport);
    return transport;
  }
}
