// The smallest input that still fails, as far as leaving out can find it.

/** Looks no longer than for so many tries. */
const TRIES = 3000;

export function shrunk(octets, fails) {
  let small = octets;
  let tries = 0;
  for (let size = small.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < small.length && tries < TRIES; ) {
      const less = new Uint8Array([...small.subarray(0, at), ...small.subarray(at + size)]);
      tries++;
      if (fails(less)) small = less;
      else at += size;
    }
  }
  return small;
}
