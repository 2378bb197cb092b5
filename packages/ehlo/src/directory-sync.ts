import { flushDirectory } from './files.ts';

/**
 * Makes the names in a directory durable. Calls during a sync share the next one. The directory is opened each time: one that
 * was taken away and made again is another.
 */
export class DirectorySync {
  readonly #path: string;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  sync(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#running = flushDirectory(this.#path);
        return this.#running;
      });
    return this.#next;
  }
}
