import { close, closeSync, constants, fsync, open, rename, unlink, writev } from 'node:fs';
import { promisify } from 'node:util';

// Files by their descriptor. The handles of `node:fs/promises` cost a fifth more processor time a message: each is an object that has to be
// found unreachable before it can be freed.

const openFile: (path: string, flags: string | number) => Promise<number> = promisify(open);
const syncFile: (file: number) => Promise<void> = promisify(fsync);
const closeFile: (file: number) => Promise<void> = promisify(close);
export const renameFile: (from: string, to: string) => Promise<void> = promisify(rename);
export const unlinkFile: (path: string) => Promise<void> = promisify(unlink);

/** Octets, and pieces of them, that are written at once. */
const BLOCK = 65_536;
const PIECES = 64;

/** Fails with EEXIST if the name is taken. */
const NEW: number = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/**
 * A write to such a file returns when it is on disk, as if fdatasync followed it: what is written at once takes one call on another thread, not two.
 * Only Linux flushes the cache of the drive for it, as fsync does.
 */
const SYNCED: number = process.platform === 'linux' ? constants.O_DSYNC : 0;

/** Does what it is given, again where it can mend what that has failed of. */
export type Within = (call: () => Promise<number>) => Promise<number>;

/**
 * Writes a new file and flushes it to disk; where that fails, nothing is left of it. It is made when what is to be written first is there: what
 * is short takes one write. Rejects with EEXIST if the name is taken, and as the content does.
 */
export async function writeFile(path: string, content: AsyncIterable<Uint8Array>, within: Within): Promise<void> {
  let file: number | null = null;
  try {
    let synced = false;
    for await (const { pieces, size, last } of blocksOf(content)) {
      if (file === null) {
        synced = last && SYNCED > 0;
        file = await within(() => openFile(path, synced ? NEW | SYNCED : NEW));
      }
      await writePieces(file, pieces, size);
    }
    if (!synced) await syncFile(file!);
  } catch (error) {
    if (file === null) throw error;
    // What is not flushed may have to be written at the end: not on the loop.
    await closeFile(file).catch(() => {});
    await unlinkFile(path).catch(() => {});
    throw error;
  }
  // All is on disk, and closing has nothing to wait for: a call on another thread costs more.
  closeSync(file!);
}

/** Makes the names in a directory durable. */
export async function flushDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return; // it has no such thing
  const directory = await openFile(path, 'r');
  try {
    await syncFile(directory);
  } finally {
    closeSync(directory);
  }
}

/** What is written at once. */
interface Block {
  readonly pieces: readonly Uint8Array[];
  readonly size: number;
  /** Nothing follows. */
  readonly last: boolean;
}

/** Content as it is written: one block at least. */
async function* blocksOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Block> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of content) {
    pieces.push(bytes);
    size += bytes.length;
    if (size < BLOCK && pieces.length < PIECES) continue;
    yield { pieces, size, last: false };
    pieces = [];
    size = 0;
  }
  yield { pieces, size, last: true };
}

async function writePieces(file: number, pieces: readonly Uint8Array[], size: number): Promise<void> {
  let left = pieces;
  for (let written = 0; written < size; ) {
    const octets = await writeSome(file, left);
    written += octets;
    if (written < size) left = behind(left, octets);
  }
}

function writeSome(file: number, pieces: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => writev(file, pieces, (error, octets) => (error === null ? resolve(octets) : reject(error))));
}

/** What follows so many octets. */
function behind(pieces: readonly Uint8Array[], octets: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let skipped = octets;
  for (const piece of pieces) {
    if (skipped < piece.length) left.push(skipped > 0 ? piece.subarray(skipped) : piece);
    skipped = Math.max(0, skipped - piece.length);
  }
  return left;
}
