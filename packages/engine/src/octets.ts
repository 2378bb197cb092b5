const LF = 0x0a;
const CR = 0x0d;

export const EMPTY: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** A copy that shares no memory. (`slice` of a Buffer of Node is a view.) */
export function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Octets joined; a part itself where it is all of them. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  for (const part of parts) if (part.length === size) return part;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Below this many octets a loop is faster than a call. */
const SHORT = 32;

/** Copies `bytes[from, to)` into the target. */
export function append(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): void {
  if (to - from > SHORT) target.set(bytes.subarray(from, to), at);
  else for (let i = from; i < to; i++) target[at + i - from] = bytes[i]!;
}

/** Where text ends in `bytes[from, to)`: at a CR or LF. */
export function textEnd(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  // Four at a time: most octets are above CR.
  while (i + 3 < to && bytes[i]! > CR && bytes[i + 1]! > CR && bytes[i + 2]! > CR && bytes[i + 3]! > CR) i += 4;
  while (i < to && bytes[i] !== CR && bytes[i] !== LF) i++;
  return i;
}

/** The same octets, to be read four at a time. */
export function wordsOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The highest bit of each octet of a word: of what is beyond ASCII. */
export const HIGH = 0x80808080;

/** Whether an octet of a word is at most CR. Among octets without the high bit, subtracting CR+1 sets it only if one of them is at most CR. */
export function hasControl(word: number): boolean {
  return ((word - 0x0e0e0e0e) & ~word & HIGH) !== 0;
}
