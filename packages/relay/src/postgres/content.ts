/** Octets of a row of content: `pg` holds a value whole, so none is larger. */
export const PART: number = 256 * 1024;

const FIRST = 16 * 1024;

/** The same octets in parts of `PART`, the last of which is smaller, or empty. Each is the caller's. */
export async function* partsOf(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let part = new Uint8Array(FIRST);
  let filled = 0;
  for await (const bytes of content) {
    for (let from = 0; from < bytes.length; ) {
      const some = bytes.subarray(from, from + PART - filled);
      if (filled + some.length > part.length) part = larger(part, filled + some.length);
      part.set(some, filled);
      filled += some.length;
      from += some.length;
      if (filled < PART) continue;
      yield part;
      part = new Uint8Array(FIRST);
      filled = 0;
    }
  }
  yield part.subarray(0, filled);
}

export async function allParts(content: Iterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const part of partsOf(content)) parts.push(part);
  return parts;
}

/** Doubled until it has room: most messages are small. */
function larger(part: Uint8Array, octets: number): Uint8Array<ArrayBuffer> {
  let length = part.length;
  while (length < octets) length *= 2;
  const next = new Uint8Array(length);
  next.set(part);
  return next;
}
