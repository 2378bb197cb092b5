export const EMPTY: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** Octets that are nobody else's. (`slice` of a Buffer of Node is a view.) */
export function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** Octets joined; the one part itself where there is only one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const filled = parts.filter((part) => part.length > 0);
  if (filled.length === 1) return filled[0]!;
  const whole = new Uint8Array(filled.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of filled) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
