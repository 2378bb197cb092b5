import { randomFillSync } from 'node:crypto';
import type { Disk } from './disk.ts';

/** Reserved room on the disk: a file that is removed when the disk is full. */
export class Spare {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #size: number;
  #isThere = false;

  constructor(disk: Disk, path: string, size: number) {
    this.#disk = disk;
    this.#path = path;
    this.#size = size;
  }

  /** Once; again when it was given up. Where there is no room it is not made. */
  async make(): Promise<void> {
    if (this.#isThere) return;
    try {
      const file = await this.#disk.create(this.#path);
      try {
        // A file system may press zeros to nothing. What is not synced may have no place yet.
        await file.write(randomFillSync(new Uint8Array(this.#size)), 0);
        await file.sync();
        this.#isThere = true;
      } finally {
        await file.close();
      }
    } catch {
      await this.#disk.remove(this.#path).catch(() => {});
    }
  }

  /** Whether there is more room now. */
  async give(): Promise<boolean> {
    if (!this.#isThere) return false;
    this.#isThere = false;
    try {
      await this.#disk.remove(this.#path);
      return true;
    } catch {
      return false;
    }
  }
}
