// What a server has stored: a line with a name and a size, and so many octets behind it.
import { closeSync, openSync, readSync } from 'node:fs';

/** Octets that are read at a time. */
const BLOCK = 1 << 20;
const LF = 10;

/** The records of a file. One that is cut off is none: its process was killed within it, and has accepted nothing. */
export function* records(path) {
  const file = openSync(path, 'r');
  let held = Buffer.alloc(0);
  const more = () => {
    const block = Buffer.alloc(BLOCK);
    const size = readSync(file, block);
    held = Buffer.concat([held, block.subarray(0, size)]);
    return size > 0;
  };
  try {
    for (;;) {
      let end = held.indexOf(LF);
      while (end < 0 && more()) end = held.indexOf(LF);
      if (end < 0) return;
      const [id, size] = held.toString('latin1', 0, end).split(' ');
      const last = end + 1 + Number(size);
      while (held.length < last) if (!more()) return;
      yield { id, octets: held.subarray(end + 1, last) };
      held = held.subarray(last);
    }
  } finally {
    closeSync(file);
  }
}
