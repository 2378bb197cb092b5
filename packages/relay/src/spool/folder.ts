import type { Disk } from './disk.ts';

/** A folder of messages. Callers that wait for its sync share the next one. */
export class Folder {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #gone: (number: number) => void;
  /** Files that were removed since the last sync began. */
  #removed: number[] = [];
  #isThere: Promise<void> | null = null;
  /** The sync under way; and the next one, for callers that came after it began. */
  #syncing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(disk: Disk, path: string, gone: (number: number) => void) {
    this.#disk = disk;
    this.#path = path;
    this.#gone = gone;
  }

  get hasRemoved(): boolean {
    return this.#removed.length > 0;
  }

  removed(number: number): void {
    this.#removed.push(number);
  }

  /** Once; again where it could not be made. */
  make(): Promise<void> {
    this.#isThere ??= this.#disk.makeFolder(this.#path).catch((error: unknown) => {
      this.#isThere = null;
      throw error;
    });
    return this.#isThere;
  }

  /** Resolved: every name that was given or taken before the call is so for good. Rejected: nothing is known of these. */
  sync(): Promise<void> {
    if (this.#syncing === null) return this.#sync();
    this.#next ??= this.#syncing.then(
      () => this.#sync(),
      () => this.#sync(),
    );
    return this.#next;
  }

  #sync(): Promise<void> {
    this.#next = null;
    const removed = this.#removed;
    // Where it fails, they are never known to be gone.
    this.#removed = [];
    this.#syncing = this.#disk.syncFolder(this.#path).then(
      () => {
        this.#syncing = null;
        for (const number of removed) this.#gone(number);
      },
      (error: unknown) => {
        this.#syncing = null;
        throw error;
      },
    );
    return this.#syncing;
  }
}
