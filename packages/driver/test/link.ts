import type { Listener, Sink, Transport } from '../src/index.ts';

/** How a link carries octets: in chunks of these sizes, in turn, and in all so many of them until it breaks. */
export interface Weather {
  readonly chunks: readonly number[];
  readonly breaks: number;
  /** Octets that may wait in one direction before `write` returns false. */
  readonly room: number;
}

/** Two transports that are each other's peer. */
export class Link {
  readonly client: LinkEnd;
  readonly server: LinkEnd;
  broken = false;
  readonly #weather: Weather;
  #carried = 0;
  #turn = 0;

  constructor(weather: Weather) {
    this.#weather = weather;
    this.client = new LinkEnd(this, weather.room);
    this.server = new LinkEnd(this, weather.room);
    this.client.other = this.server;
    this.server.other = this.client;
  }

  /** How many octets come next; null: none, it is broken. */
  next(waiting: number): number | null {
    const { chunks, breaks } = this.#weather;
    if (this.#carried >= breaks) {
      this.break();
      return null;
    }
    const size = Math.min(waiting, chunks[this.#turn++ % chunks.length]!, breaks - this.#carried);
    this.#carried += size;
    return size;
  }

  break(): void {
    if (this.broken) return;
    this.broken = true;
    for (const end of [this.client, this.server]) end.sink?.lost(new Error('broken'));
  }
}

export class LinkEnd implements Transport {
  readonly peer = { address: '192.0.2.1', port: 25 };
  readonly local = { address: '192.0.2.2', port: 4321 };
  other!: LinkEnd;
  sink: Sink | null = null;
  readonly #link: Link;
  readonly #room: number;
  #outbox: Uint8Array = new Uint8Array(0);
  /** Closed by its owner, who hears of no octets any more. */
  #ended = false;
  #paused = false;
  #moving = false;

  constructor(link: Link, room: number) {
    this.#link = link;
    this.#room = room;
  }

  start(sink: Sink): void {
    this.sink = sink;
    this.other.move();
  }

  write(bytes: Uint8Array): boolean {
    const whole = new Uint8Array(this.#outbox.length + bytes.length);
    whole.set(this.#outbox);
    whole.set(bytes, this.#outbox.length);
    this.#outbox = whole;
    this.move();
    return whole.length <= this.#room;
  }

  get unwritten(): number {
    return this.#outbox.length;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.other.move();
  }

  close(): void {
    this.#paused = false;
    this.#ended = true;
    this.move();
  }

  abort(): void {
    this.sink = null;
    this.#link.break();
  }

  /** Carries a chunk, on a turn of its own. */
  move(): void {
    if (this.#moving) return;
    this.#moving = true;
    setImmediate(() => {
      this.#moving = false;
      if (this.#link.broken || this.other.#paused) return;
      if (this.#outbox.length > 0) {
        const size = this.#link.next(this.#outbox.length);
        if (size === null) return;
        const bytes = this.#outbox.slice(0, size);
        this.#outbox = this.#outbox.subarray(size);
        if (!this.other.#ended) this.other.sink?.data(bytes);
        if (this.#outbox.length === 0) this.sink?.drained();
        this.move();
      } else if (this.#ended && !this.other.#ended) this.other.sink?.end();
      else if (this.#ended && this.other.#outbox.length === 0) for (const end of [this, this.other]) end.sink?.lost();
    });
  }
}

/** A listener to which links are brought by hand. */
export class LinkListener implements Listener {
  readonly address = { address: '192.0.2.1', port: 2525 };
  #connected: (transport: Transport) => void = () => {};

  accept(connected: (transport: Transport) => void): void {
    this.#connected = connected;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  bring(link: Link): void {
    this.#connected(link.server);
  }
}
