// Where a message is kept while it arrives: in memory as long as there is room, then in a file. It is measured when it is whole, and what keeps the queue
// busy is not a slow client.

/** A file that is gone when it is closed. */
export interface ScratchFile {
  write(bytes: Uint8Array): Promise<void>;
  /** All that was written, from its beginning. */
  read(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Makes one. */
export type OpenScratch = () => Promise<ScratchFile>;

/** What all messages together may take of memory. */
export class Memory {
  #left: number;

  constructor(octets: number) {
    this.#left = octets;
  }

  get left(): number {
    return this.#left;
  }

  take(octets: number): boolean {
    if (octets > this.#left) return false;
    this.#left -= octets;
    return true;
  }

  give(octets: number): void {
    this.#left += octets;
  }
}

/** What one message may have of it. Ours. */
const MOST = 1_048_576;

/** What is shorter is gathered in blocks of this length: octets that come one by one cost no more than those that come together. Ours. */
const BLOCK = 4096;

/** A message that arrives. */
export class Holding {
  readonly #memory: Memory;
  readonly #open: OpenScratch;
  readonly #parts: Uint8Array[] = [];
  /** What is not in the last part yet. */
  #room: Uint8Array = new Uint8Array(0);
  #taken = 0;
  #file: ScratchFile | null = null;
  #size = 0;

  constructor(memory: Memory, open: OpenScratch) {
    this.#memory = memory;
    this.#open = open;
  }

  /** Octets so far. */
  get size(): number {
    return this.#size;
  }

  /** Keeps the octets without a copy: they must not be changed afterwards. */
  async push(bytes: Uint8Array): Promise<void> {
    this.#size += bytes.length;
    if (this.#file === null && this.#keep(bytes)) return;
    this.#file ??= await this.#open();
    await this.#file.write(bytes);
  }

  /** In memory, if there is room. */
  #keep(bytes: Uint8Array): boolean {
    if (bytes.length > this.#room.length) {
      const length = Math.max(bytes.length, BLOCK);
      if (this.#taken + length > MOST || !this.#memory.take(length)) return false;
      this.#taken += length;
      this.#seal();
      if (bytes.length >= BLOCK) {
        this.#parts.push(bytes);
        return true;
      }
      this.#room = new Uint8Array(BLOCK);
      this.#parts.push(this.#room);
    }
    this.#room.set(bytes);
    this.#room = this.#room.subarray(bytes.length);
    return true;
  }

  /** The last part ends where it is filled to. */
  #seal(): void {
    const last = this.#parts.length - 1;
    if (this.#room.length > 0) this.#parts[last] = this.#parts[last]!.subarray(0, -this.#room.length);
    this.#room = new Uint8Array(0);
  }

  async *content(): AsyncGenerator<Uint8Array, void, void> {
    this.#seal();
    yield* this.#parts;
    if (this.#file !== null) yield* this.#file.read();
  }

  /** Nothing of it is left. */
  async close(): Promise<void> {
    this.#memory.give(this.#taken);
    this.#taken = 0;
    this.#parts.length = 0;
    this.#room = new Uint8Array(0);
    await this.#file?.close();
    this.#file = null;
  }
}
