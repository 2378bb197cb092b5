import type { Disk } from './disk.ts';
import { diskError, SpoolError } from './spool-error.ts';

/** Octets of content between two looks at the disk. Ours. */
const STEP = 256 * 1024;

/** What is taken in leaves room on the disk, in which it can be delivered: every commit takes some, and only what is delivered frees more. */
export class Room {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #reserve: () => number;
  /** Octets that were allowed, and may not be on the disk yet. */
  #allowed = 0;

  constructor(disk: Disk, folder: string, reserve: () => number) {
    this.#disk = disk;
    this.#folder = folder;
    this.#reserve = reserve;
  }

  /** The content, as long as there is room for it: it rejects with `full` before its first octet, or between two. */
  async *within(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let own = 0;
    const allow = async (octets: number): Promise<void> => {
      this.#allowed += octets - own;
      own = octets;
      await this.#look();
    };
    try {
      await allow(STEP);
      let left = own;
      for await (const bytes of content) {
        if (bytes.length > left) {
          await allow(Math.max(STEP, bytes.length));
          left = own;
        }
        left -= bytes.length;
        yield bytes;
      }
    } finally {
      this.#allowed -= own;
    }
  }

  async #look(): Promise<void> {
    const words = `no message is taken into ${this.#folder}`;
    const free = await this.#disk.free(this.#folder).catch((error: unknown) => {
      throw diskError(error, words);
    });
    const reserve = this.#reserve();
    if (free - this.#allowed >= reserve) return;
    throw new SpoolError(
      'full',
      `${words}: of ${free} octets that are free on the disk, ${reserve} are kept to deliver what is there; make room, or set a smaller reserve`,
    );
  }
}
