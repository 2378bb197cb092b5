import { open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenScratch } from './holding.ts';

/** Octets that are read at a time. */
const PART = 65_536;

/** Files in a folder that have no name: a crash leaves none. */
export function scratchFiles(folder: string = tmpdir()): OpenScratch {
  return async () => {
    const path = join(folder, `ehlo-relay-${crypto.randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    let size = 0;
    return {
      async write(bytes) {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, at, bytes.length - at, size);
          at += bytesWritten;
          size += bytesWritten;
        }
      },
      async *read() {
        for (let at = 0; at < size; ) {
          const { bytesRead, buffer } = await file.read(new Uint8Array(PART), 0, PART, at);
          if (bytesRead === 0) throw new Error('a file of a message that arrives has become shorter');
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      },
      close: () => file.close(),
    };
  };
}
