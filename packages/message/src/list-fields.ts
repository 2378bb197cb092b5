import { dotString, octetsOf, textOf } from '@ehlo/grammar/imf';
import { blank, type Found, trimmed } from './mime-text.ts';

/** What a List-Id says (RFC 2919 2). */
export interface ListId {
  /** The phrase before it, as it is written; encoded words too. Empty where there is none. */
  readonly description: string;
  /** `list-label "." list-id-namespace`, without its brackets. Case means nothing in it (RFC 2919 6). */
  readonly id: string;
}

const LESS = 0x3c;
const GREATER = 0x3e;
const COMMA = 0x2c;

/** RFC 2919 3. */
const LONGEST_ID = 255;

/**
 * The identifier of a mailing list that the value of a List-Id has (RFC 2919 2, its obsolete form without brackets too), in the last pair of
 * brackets; null if it has none. The field itself stays as it is.
 *
 * @example
 * ```ts
 * import { listIdOf } from '@ehlo/message/mime';
 * listIdOf('"Gardeners, all of them" <gardeners.lists.example.org>')
 * // → { description: '"Gardeners, all of them"', id: 'gardeners.lists.example.org' }
 * ```
 */
export function listIdOf(value: Uint8Array | string): ListId | null {
  const bytes = octetsOf(value);
  const close = bytes.lastIndexOf(GREATER);
  const open = close < 0 ? -1 : bytes.lastIndexOf(LESS, close);
  const id = open < 0 ? trimmed(bytes, 0, bytes.length) : trimmed(bytes, open + 1, close);
  if (id.length > LONGEST_ID || dotString(id, 0, id.length) !== id.length || !id.includes(0x2e)) return null;
  return { description: textOf(trimmed(bytes, 0, Math.max(open, 0))), id: textOf(id) };
}

/**
 * The URIs of a List-Help, -Unsubscribe, -Subscribe, -Post, -Owner or -Archive (RFC 2369 2), the one to prefer first; white space within
 * brackets is none of them. What begins otherwise than with a bracket ends the list (RFC 2369 2), so that `NO` is an empty one. Whether
 * a List-Unsubscribe means one click is said by `List-Unsubscribe-Post: List-Unsubscribe=One-Click` and a valid signature over both (RFC 8058 4).
 *
 * @example
 * ```ts
 * import { listUrisOf } from '@ehlo/message/mime';
 * listUrisOf('<https://lists.example.org/u?x=1>, (by mail) <mailto:leave@lists.example.org>')
 * // → ['https://lists.example.org/u?x=1', 'mailto:leave@lists.example.org']
 * ```
 */
export function listUrisOf(value: Uint8Array | string): readonly string[] {
  const bytes = octetsOf(value);
  const ignored: Found = new Set();
  const uris: string[] = [];
  for (let i = blank(bytes, 0, bytes.length, ignored); bytes[i] === LESS; i = blank(bytes, i + 1, bytes.length, ignored)) {
    const close = bytes.indexOf(GREATER, i);
    if (close < 0) break;
    uris.push(textOf(bytes.slice(i + 1, close)).replaceAll(/\s+/g, ''));
    i = blank(bytes, close + 1, bytes.length, ignored);
    if (bytes[i] !== COMMA) break;
  }
  return uris;
}
