import { hostName } from './domain.ts';
import { AT, ATEXT, BACKSLASH, byteAt, CLASSES, classAt, DOT, DQUOTE, latin1, octets, PRINTABLE, QTEXT, type Rule, skip } from './rule.ts';

/** An address as the envelope holds it. */
export interface Mailbox {
  /** The local part itself: without quotes and backslashes, its case kept. `"a@b"` is `a@b`. */
  readonly localPart: string;
  /** The domain or address literal as it was written; empty for `<Postmaster>` and `<>`. */
  readonly domain: string;
  /** The canonical form: the fewest quotes that the grammar allows, so that two spellings of one mailbox have one `address`. */
  readonly address: string;
}

/** RFC 5321 4.1.2: `Atom = 1*atext`. */
export const atom: Rule = (bytes, from, to) => {
  const i = skip(bytes, from, to, ATEXT);
  return i > from ? i : ~i;
};

/** RFC 5321 4.1.2: `Dot-string = Atom *("." Atom)`. */
export const dotString: Rule = (bytes, from, to) => {
  let i = atom(bytes, from, to);
  while (i >= 0 && byteAt(bytes, i, to) === DOT) i = atom(bytes, i + 1, to);
  return i;
};

/** RFC 5321 4.1.2: `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`. */
export const quotedString: Rule = (bytes, from, to) => {
  if (byteAt(bytes, from, to) !== DQUOTE) return ~from;
  let i = from + 1;
  for (; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === DQUOTE) return i + 1;
    if (byte === BACKSLASH) {
      i++;
      if ((classAt(bytes, i, to) & PRINTABLE) === 0) return ~i;
    } else if ((CLASSES[byte]! & QTEXT) === 0) break;
  }
  return ~i;
};

/** RFC 5321 4.1.2: `Local-part = Dot-string / Quoted-string`. */
export const localPart: Rule = (bytes, from, to) =>
  byteAt(bytes, from, to) === DQUOTE ? quotedString(bytes, from, to) : dotString(bytes, from, to);

/** RFC 5321 4.1.2: `String = Atom / Quoted-string`. */
export const string: Rule = (bytes, from, to) =>
  byteAt(bytes, from, to) === DQUOTE ? quotedString(bytes, from, to) : atom(bytes, from, to);

/** RFC 5321 4.1.2: `Mailbox = Local-part "@" ( Domain / address-literal )`. */
export const mailbox: Rule = (bytes, from, to) => {
  const i = localPart(bytes, from, to);
  if (i < 0) return i;
  return byteAt(bytes, i, to) === AT ? hostName(bytes, i + 1, to) : ~i;
};

/** The end of the local part of a mailbox that was recognised before: where its `@` stands, or `to` if it has none. */
export function localPartEnd(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] === DQUOTE) return quotedString(bytes, from, to);
  let i = from;
  while (i < to && bytes[i] !== AT) i++;
  return i;
}

/** The value of a mailbox that was recognised before. */
export function mailboxAt(bytes: Uint8Array, from: number, to: number): Mailbox {
  const at = localPartEnd(bytes, from, to);
  const written = latin1(bytes, from, to);
  const domain = written.slice(at - from + 1);
  if (bytes[from] !== DQUOTE && dotString(bytes, from, at) === at) {
    return { localPart: written.slice(0, at - from), domain, address: written };
  }
  const localPart = bytes[from] === DQUOTE ? unquote(bytes, from + 1, at - 1) : written.slice(0, at - from);
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
  const bytes = octets(localPart);
  const plain = dotString(bytes, 0, bytes.length) === bytes.length;
  const local = plain ? localPart : `"${localPart.replaceAll(/["\\]/g, '\\$&')}"`;
  return domain === '' ? local : `${local}@${domain}`;
}

/** RFC 5321 4.1.2: a backslash makes the next octet stand for itself. */
function unquote(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) {
    if (bytes[i] === BACKSLASH) i++;
    text += String.fromCharCode(bytes[i]!);
  }
  return text;
}
