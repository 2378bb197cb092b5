import { decodeUtf8 } from '../bytes.ts';

/** RFC 5802 7: attr-val, of any letter. */
const ATTRIBUTE = /^[A-Za-z]=[^\0]+$/;

/**
 * The values of a message's attributes, which stand in this order; optional extensions may follow. Null if it is not so, or if there
 * is a mandatory extension ("m"), which would have to be understood (RFC 5802 5.1).
 */
export function attributes(text: string, letters: string): string[] | null {
  const parts = text.split(',');
  if (parts.length < letters.length) return null;
  if (parts.some((part, i) => !ATTRIBUTE.test(part) || part[0] === 'm' || (i < letters.length && part[0] !== letters[i]))) return null;
  return parts.slice(0, letters.length).map((part) => part.slice(2));
}

/** The text of a message; empty if it is not UTF-8. */
export function textOfMessage(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? '';
}

/**
 * RFC 5802 7: printable ASCII except a comma. That 1024 octets are enough is ours: each side repeats the other's, and what it says has to
 * fit on a line of the protocol (RFC 4954 4: 12288 octets of base64).
 */
const NONCE = /^[!-+\--~]{1,1024}$/;

export function isNonce(text: string): boolean {
  return NONCE.test(text);
}

/** A nonce is the program's part: without a good one there is no exchange. */
export function ownNonce(nonce: string | undefined): string {
  if (nonce === undefined || !isNonce(nonce))
    throw new TypeError('nonce must be 1 to 1024 characters of printable ASCII without a comma (RFC 5802 5.1)');
  return nonce;
}
