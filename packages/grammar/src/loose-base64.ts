const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD = 0x3d;

/** What base64 says, however odd it is. */
export interface LooseBase64 {
  readonly octets: Uint8Array;
  readonly digits: number;
  readonly pads: number;
  /** Whether other characters were met, or digits after a pad. */
  readonly stray: boolean;
}

/** RFC 2045 6.8: what is no digit is ignored, and so is what follows a pad, and what is no whole octet at the end. */
export function looseBase64(text: Uint8Array): LooseBase64 {
  const octets = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let [length, bits, digits, pads, stray] = [0, 0, 0, 0, false];
  for (const octet of text) {
    const value = DIGITS.indexOf(String.fromCharCode(octet));
    if (octet === PAD) pads++;
    else if (value < 0 || pads > 0) stray = true;
    else {
      bits = ((bits << 6) | value) & 0xfff;
      if (digits++ % 4 > 0) octets[length++] = bits >> (6 - 2 * ((digits - 1) % 4));
    }
  }
  return { octets: octets.slice(0, length), digits, pads, stray };
}
