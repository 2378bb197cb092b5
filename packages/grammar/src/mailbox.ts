import { hostName } from './domain.ts';
import {
  AT,
  ATEXT,
  BACKSLASH,
  byteAt,
  CLASSES,
  classAt,
  DOT,
  DQUOTE,
  decodeUtf8,
  encodeUtf8,
  PRINTABLE,
  QTEXT,
  type Rule,
  skip,
  utf8NonAscii,
} from './rule.ts';

/** An address as the envelope holds it. */
export interface Mailbox {
  /** The local part itself: without quotes and backslashes, its case kept. `"a@b"` is `a@b`. */
  readonly localPart: string;
  /** The domain or address literal as it was written; empty for `<Postmaster>` and `<>`. */
  readonly domain: string;
  /**
   * As it was written, but with the fewest quotes that the grammar allows: spellings that differ in quotes alone have one `address`. Those that
   * differ in the case of the domain or of `postmaster`, in the spelling of an address literal, or by a deviation have not: to compare
   * mailboxes there are `sameMailbox` and `mailboxKey`.
   */
  readonly address: string;
}

/** RFC 5321 4.1.2: `Atom = 1*atext`. */
export const atom: Rule = (bytes, from, to, utf8) => {
  const i = skip(bytes, from, to, ATEXT, utf8);
  return i > from || i < 0 ? i : ~i;
};

/** RFC 5321 4.1.2: `Dot-string = Atom *("." Atom)`. */
export const dotString: Rule = (bytes, from, to, utf8) => {
  let i = from;
  let ends = false; // whether it may end here: after a character of an atom
  for (; i < to; i++) {
    const byte = bytes[i]!;
    if ((CLASSES[byte]! & ATEXT) !== 0) ends = true;
    else if (byte === DOT && ends) ends = false;
    else if (utf8 && byte >= 0x80) {
      const end = utf8NonAscii(bytes, i, to);
      if (end < 0) return ~end > i ? end : ends ? i : ~i;
      i = end - 1;
      ends = true;
    } else break;
  }
  return ends ? i : ~i;
};

/** RFC 5321 4.1.2: `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`. */
export const quotedString: Rule = (bytes, from, to, utf8) => {
  if (byteAt(bytes, from, to) !== DQUOTE) return ~from;
  let i = from + 1;
  for (; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === DQUOTE) return i + 1;
    if (byte === BACKSLASH) {
      i++;
      if ((classAt(bytes, i, to) & PRINTABLE) === 0) return ~i;
    } else if (utf8 && byte >= 0x80) {
      const end = utf8NonAscii(bytes, i, to);
      if (end < 0) return end;
      i = end - 1;
    } else if ((CLASSES[byte]! & QTEXT) === 0) break;
  }
  return ~i;
};

/** RFC 5321 4.1.2: `Local-part = Dot-string / Quoted-string`. */
export const localPart: Rule = (bytes, from, to, utf8) =>
  byteAt(bytes, from, to) === DQUOTE ? quotedString(bytes, from, to, utf8) : dotString(bytes, from, to, utf8);

/** RFC 5321 4.1.2: `String = Atom / Quoted-string`. */
export const string: Rule = (bytes, from, to, utf8) =>
  byteAt(bytes, from, to) === DQUOTE ? quotedString(bytes, from, to, utf8) : atom(bytes, from, to, utf8);

/** RFC 5321 4.1.2: `Mailbox = Local-part "@" ( Domain / address-literal )`. */
export const mailbox: Rule = (bytes, from, to, utf8) => {
  const i = localPart(bytes, from, to, utf8);
  if (i < 0) return i;
  return byteAt(bytes, i, to) === AT ? hostName(bytes, i + 1, to, utf8) : ~i;
};

/** The end of the local part of a mailbox that was recognised before: where its `@` stands, or `to` if it has none. */
export function localPartEnd(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] === DQUOTE) return quotedString(bytes, from, to, true);
  let i = from;
  while (i < to && bytes[i] !== AT) i++;
  return i;
}

/** The value of a mailbox that was recognised before; its local part ends at `at`. */
export function mailboxAt(bytes: Uint8Array, from: number, at: number, to: number): Mailbox {
  const written = decodeUtf8(bytes, from, to);
  // An octet is a character, unless some are beyond ASCII.
  const cut = written.length === to - from ? at - from : decodeUtf8(bytes, from, at).length;
  const domain = written.slice(cut + 1);
  // What is not quoted is canonical, or a deviation that is not to be repaired.
  if (bytes[from] !== DQUOTE) return { localPart: written.slice(0, cut), domain, address: written };
  const localPart = unquote(bytes, from + 1, at - 1);
  return { localPart, domain, address: formatMailbox(localPart, domain) };
}

/**
 * Writes a mailbox in its canonical form: quoted only where the local part is no Dot-string (RFC 5321 4.1.2, "the form that
 * uses the minimum quoting possible"). Without a domain only the local part is written.
 *
 * @example
 * ```ts
 * import { formatMailbox } from '@ehlo/grammar';
 * formatMailbox('joe smith', 'example.org')
 * // → '"joe smith"@example.org'
 * ```
 */
export function formatMailbox(localPart: string, domain: string): string {
  const bytes = encodeUtf8(localPart);
  const plain = dotString(bytes, 0, bytes.length, true) === bytes.length;
  const local = plain ? localPart : `"${localPart.replaceAll(/["\\]/g, '\\$&')}"`;
  return domain === '' ? local : `${local}@${domain}`;
}

/** RFC 5321 4.1.2: a backslash makes the next octet stand for itself. */
function unquote(bytes: Uint8Array, from: number, to: number): string {
  return decodeUtf8(bytes, from, to).replaceAll(/\\(.)/gs, '$1');
}
