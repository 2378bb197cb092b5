import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { encodeUtf8 } from '@ehlo/grammar';

/** A message that was stored. */
export interface Stored {
  /** Path of the file in `new/`. */
  readonly file: string;
  /** Octets of the file. */
  readonly size: number;
}

/**
 * A mail directory: each message is one file, written to `tmp/`, made durable, and only then moved to `new/`. When `store` has
 * resolved, the message survives a crash of the process and of the machine; until then nothing of it is in `new/`.
 */
export class Maildir {
  readonly #path: string;
  readonly #new: DirectorySync;

  private constructor(path: string, directory: FileHandle) {
    this.#path = path;
    this.#new = new DirectorySync(directory);
  }

  /** Opens a mail directory, and makes it where it is missing. Rejects with Node's error if it can't be written. */
  static async open(path: string): Promise<Maildir> {
    for (const folder of ['tmp', 'new', 'cur']) await mkdir(join(path, folder), { recursive: true });
    const probe = join(path, 'tmp', `probe-${process.pid}`);
    await (await open(probe, 'w')).close();
    await unlink(probe);
    await sweep(join(path, 'tmp'));
    return new Maildir(path, await open(join(path, 'new'), 'r'));
  }

  /** Stores a message under a name that contains `id`. */
  async store(id: string, header: string, body: AsyncIterable<Uint8Array>): Promise<Stored> {
    const name = `${Math.floor(Date.now() / 1000)}.${id}.${HOST}`;
    const draft = join(this.#path, 'tmp', name);
    const file = join(this.#path, 'new', name);
    const handle = await open(draft, 'wx');
    let size = 0;
    try {
      size += await write(handle, encodeUtf8(header));
      for await (const bytes of body) size += await write(handle, bytes);
      await handle.sync();
      await handle.close();
      await rename(draft, file);
    } catch (error) {
      await handle.close().catch(() => {});
      await unlink(draft).catch(() => {});
      throw error;
    }
    await this.#new.sync();
    return { file, size };
  }

  async close(): Promise<void> {
    await this.#new.close();
  }
}

/** What is left of messages that a server has fallen over: after 36 hours nobody writes to them any more (maildir(5)). */
async function sweep(drafts: string): Promise<void> {
  const oldest = Date.now() - 36 * 3_600_000;
  for (const name of await readdir(drafts)) {
    const draft = join(drafts, name);
    const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < oldest) await unlink(draft).catch(() => {});
  }
}

/** A host name as a Maildir file name may hold it. */
const HOST: string = hostname().replaceAll(/[^\w.-]/g, '_') || 'localhost';

async function write(handle: FileHandle, bytes: Uint8Array): Promise<number> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
  return bytes.length;
}

/** Makes the names in a directory durable. Those who ask while a sync runs share the next one. */
class DirectorySync {
  readonly #directory: FileHandle;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(directory: FileHandle) {
    this.#directory = directory;
  }

  sync(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null;
        this.#running = this.#directory.sync();
        return this.#running;
      });
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#running.catch(() => {});
    await this.#directory.close();
  }
}
