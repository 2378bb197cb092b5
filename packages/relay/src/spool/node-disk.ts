import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Disk, DiskFile } from './disk.ts';
import { lockFolder } from './lock.ts';

/** The disk of this machine: a local file system, one that keeps what fsync says. Files are for their owner alone. */
export const nodeDisk: Disk = {
  async makeFolder(path) {
    const made = await mkdir(path, { recursive: true, mode: 0o700 });
    const first = made ?? path;
    try {
      // One that is there already may have been made just now by a process that has died since.
      for (let at = path; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
    } catch (error) {
      // Its name may never come to the disk, and a second sync would not tell: it has to be made anew.
      if (made !== undefined) await rm(made, { recursive: true, force: true });
      throw error;
    }
  },
  list: (path) => readdir(path),
  create: async (path) => new NodeFile(path, await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600)),
  open: async (path) => new NodeFile(path, await open(path, constants.O_RDWR)),
  rename,
  remove: unlink,
  syncFolder,
  free: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  lock: lockFolder,
};

class NodeFile implements DiskFile {
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await at(this.#path, this.#handle.stat())).size;
  }

  async read(into: Uint8Array, from: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await at(this.#path, this.#handle.read(into, done, into.length - done, from + done));
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(octets: Uint8Array, to: number): Promise<void> {
    for (let done = 0; done < octets.length; ) {
      done += (await at(this.#path, this.#handle.write(octets, done, octets.length - done, to + done))).bytesWritten;
    }
  }

  sync(): Promise<void> {
    return at(this.#path, this.#handle.datasync());
  }

  cut(size: number): Promise<void> {
    return at(this.#path, this.#handle.truncate(size));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await at(path, handle.sync());
  } finally {
    await handle.close();
  }
}

/** What fails on a file that is open says its path, as all else does. */
async function at<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error) error.message += ` '${path}'`;
    throw error;
  }
}
