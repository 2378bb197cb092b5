/** Below this many octets a loop is faster than a call. */
const SHORT = 32;

/** Copies `bytes[from, to)` to `at` in the target, and returns where it ends there. */
export function append(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  if (to - from > SHORT) {
    target.set(bytes.subarray(from, to), at);
    return at + to - from;
  }
  let k = at;
  for (let i = from; i < to; i++) target[k++] = bytes[i]!;
  return k;
}
