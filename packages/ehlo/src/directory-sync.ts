import { open } from 'node:fs/promises';

/**
 * Makes the names in a directory durable. Those who ask while a sync runs share the next one. The directory is opened each time: one that
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
        this.#running = flush(this.#path);
        return this.#running;
      });
    return this.#next;
  }
}

async function flush(path: string): Promise<void> {
  if (process.platform === 'win32') return; // it has no such thing
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
