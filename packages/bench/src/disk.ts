import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What storing a message needs of the disk, and nothing more: a new file, written and synced, and its name in a directory, synced. One sync of
 * the directory serves all names that were made before it began. No file is ever deleted or replaced: some file systems keep a deleted one's
 * place for seconds, and the search for another one grows.
 */
export class Disk {
  readonly #folder: string;
  #count = 0;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<Disk> {
    for (const name of ['tmp', 'new']) await mkdir(join(folder, name), { recursive: true });
    return new Disk(folder);
  }

  async save(content: Uint8Array): Promise<void> {
    const name = `message-${this.#count++}`;
    const draft = join(this.#folder, 'tmp', name);
    const file = await open(draft, 'wx');
    await file.write(content);
    await file.sync();
    await file.close();
    await rename(draft, join(this.#folder, 'new', name));
    await this.#named();
  }

  #named(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      this.#running = this.#sync();
      return this.#running;
    });
    return this.#next;
  }

  async #sync(): Promise<void> {
    const directory = await open(join(this.#folder, 'new'), 'r');
    await directory.sync();
    await directory.close();
  }
}
