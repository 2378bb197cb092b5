const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 0x3d;
const VALUES: Int8Array = new Int8Array(256).fill(-1);
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value;

/** Encodes octets as RFC 4648 4 writes base64, padded, without line breaks. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let shift = 18; shift >= 0; shift -= 6) text += ALPHABET[(word >> shift) & 63]!;
  }
  const pads = (3 - (bytes.length % 3)) % 3;
  return text.slice(0, text.length - pads) + '='.repeat(pads);
}

/**
 * Decodes base64 strictly, as RFC 4954 4 demands: no octet outside the alphabet, `=` only at the end, whole groups of four,
 * and no bits set after the last octet. Returns null for anything else.
 */
export function decodeBase64(bytes: Uint8Array, from = 0, to: number = bytes.length): Uint8Array | null {
  const length = to - from;
  if (length % 4 !== 0) return null;
  const pads = length === 0 || bytes[to - 1] !== PAD ? 0 : bytes[to - 2] === PAD ? 2 : 1;
  const out = new Uint8Array((length / 4) * 3 - pads);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < length; i++) {
    const value = i < length - pads ? VALUES[bytes[from + i]!]! : 0;
    if (value < 0) return null;
    bits = (bits << 6) | value;
    if (i % 4 !== 3) continue;
    for (let shift = 16; shift >= 0; shift -= 8) {
      const octet = (bits >> shift) & 0xff;
      if (at < out.length) out[at++] = octet;
      else if (octet !== 0) return null;
    }
    bits = 0;
  }
  return out;
}
