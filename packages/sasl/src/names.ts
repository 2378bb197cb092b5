import { decodeUtf8 } from './bytes.ts';
import { saslprep } from './saslprep.ts';

/** The name of a user, prepared; null if it is empty or can't be one. SASLprep lets no control character through. */
export function userName(text: string): string | null {
  return saslprep(text) || null;
}

/** A name in octets of UTF-8. */
export function userNameOf(bytes: Uint8Array): string | null {
  const text = decodeUtf8(bytes);
  return text === null ? null : userName(text);
}

/**
 * Whom to act as. RFC 4422 3.4.1: its form is the protocol's affair, so it stays as it was given; but one that can't be prepared, or of which
 * nothing is left then, is nobody (RFC 4954 4: "the server MUST fail the authentication").
 */
export function isIdentity(text: string): boolean {
  return userName(text) !== null;
}

/** The identity in octets of UTF-8; null if there is none in them, `undefined` if it can't be one. */
export function identityOf(bytes: Uint8Array): string | null | undefined {
  if (bytes.length === 0) return null;
  const text = decodeUtf8(bytes);
  return text !== null && isIdentity(text) ? text : undefined;
}
