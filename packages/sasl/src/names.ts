import { decodeUtf8 } from './bytes.ts';
import { saslprep } from './saslprep.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\0-\x1f\x7f-\x9f]/;

/** The name of a user, prepared; null if it is empty or can't be one. SASLprep lets no control character through. */
export function userName(text: string): string | null {
  return saslprep(text) || null;
}

/** A name in octets of UTF-8. */
export function userNameOf(bytes: Uint8Array): string | null {
  const text = decodeUtf8(bytes);
  return text === null ? null : userName(text);
}

/** Whom to act as. RFC 4422 3.4.1: its form is the protocol's affair; control characters are nobody's. */
export function isIdentity(text: string): boolean {
  return text !== '' && !CONTROLS.test(text);
}

/** The identity in octets of UTF-8; null if there is none in them, `undefined` if it can't be one. */
export function identityOf(bytes: Uint8Array): string | null | undefined {
  if (bytes.length === 0) return null;
  const text = decodeUtf8(bytes);
  return text !== null && isIdentity(text) ? text : undefined;
}
