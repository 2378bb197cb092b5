import { BACKSLASH, byteAt, CLOSE_BRACKET, CR, classAt, DQUOTE, HT, LF, OPEN_BRACKET, PRINTABLE, SP, utf8NonAscii } from './rule.ts';

/** Where a reader of a header field stands: `~i` where byte i can't continue. */
export type Position = number;

/** What RFC 5322 4 allows beyond 3, one bit each. */
export const OLD_SPACE = 1; // 4.2 obs-FWS: lines of white space alone within folding white space
export const CONTROLS = 2; // 4.1 obs-ctext, obs-qtext, obs-qp, obs-dtext: control characters; in a literal, quoted pairs

export const OPEN_PAREN = 0x28;
export const CLOSE_PAREN = 0x29;
const DEL = 0x7f;

/** RFC 5322 3.2.2: `FWS = [*WSP CRLF] 1*WSP`; with `OLD_SPACE` also 4.2 `obs-FWS = 1*([CRLF] WSP)` (erratum 1908). */
export function fws(bytes: Uint8Array, from: Position, to: number, obsolete = 0): Position {
  if (from < 0) return from;
  let i = white(bytes, from, to);
  for (;;) {
    if (byteAt(bytes, i, to) !== CR) return i > from ? i : ~i;
    if (byteAt(bytes, i + 1, to) !== LF) return i > from ? i : ~Math.min(i + 1, to);
    const end = white(bytes, i + 2, to);
    if (end === i + 2) return i > from ? i : ~end;
    if ((obsolete & OLD_SPACE) === 0) return end;
    i = end;
  }
}

function white(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (byteAt(bytes, i, to) === SP || byteAt(bytes, i, to) === HT) i++;
  return i;
}

/** RFC 5322 3.2.2: `CFWS`, comments and folding white space. Comments nest; depth is a count, not a recursion. */
function cfws(bytes: Uint8Array, from: Position, to: number, obsolete: number): Position {
  if (from < 0) return from;
  let i = from;
  for (;;) {
    const space = fws(bytes, i, to, obsolete);
    if (space >= 0) i = space;
    if (byteAt(bytes, i, to) !== OPEN_PAREN) return i > from ? i : ~i;
    i = comment(bytes, i, to, obsolete);
    if (i < 0) return i;
  }
}

/** RFC 5322 3.2.2: `comment`; with UTF-8 (RFC 6532 3.2). */
export function comment(bytes: Uint8Array, from: number, to: number, obsolete = 0): Position {
  return byteAt(bytes, from, to) === OPEN_PAREN ? enclosed(bytes, from, to, obsolete, CLOSE_PAREN) : ~from;
}

/** RFC 5322 3.2.4: `quoted-string`, without the CFWS around it; with UTF-8 (RFC 6532 3.2). */
export function quotedText(bytes: Uint8Array, from: number, to: number, obsolete = 0): Position {
  return byteAt(bytes, from, to) === DQUOTE ? enclosed(bytes, from, to, obsolete, DQUOTE) : ~from;
}

/** RFC 5322 3.4.1: `domain-literal`, without the CFWS around it; with UTF-8 (RFC 6532 3.2). */
export function domainLiteral(bytes: Uint8Array, from: number, to: number, obsolete = 0): Position {
  return byteAt(bytes, from, to) === OPEN_BRACKET ? enclosed(bytes, from, to, obsolete, CLOSE_BRACKET) : ~from;
}

/** Reads what opens at `from`; returns the place after its `close`. */
function enclosed(bytes: Uint8Array, from: number, to: number, obsolete: number, close: number): Position {
  // Of the three only comments nest, and in a literal a quoted pair is obsolete.
  const nests = close === CLOSE_PAREN;
  const pairs = close !== CLOSE_BRACKET || (obsolete & CONTROLS) !== 0;
  let depth = 1;
  let i = from + 1;
  while (i < to) {
    const byte = bytes[i]!;
    if (byte === close) depth--;
    else if (byte === OPEN_PAREN && nests) depth++;
    else if (byte === BACKSLASH && pairs) {
      // RFC 6532 3.2: VCHAR is wider, too.
      const end = i + 1 < to && bytes[i + 1]! >= 0x80 ? utf8NonAscii(bytes, i + 1, to) : i + 2;
      if (end < 0) return end;
      if (end === i + 2 && !isText(bytes, i + 1, to, obsolete) && byteAt(bytes, i + 1, to) !== HT) return ~(i + 1);
      i = end - 1;
    } else if (byte === SP || byte === HT || byte === CR) {
      const end = fws(bytes, i, to, obsolete);
      if (end < 0) return end;
      // 3.2.2, 3.2.4: between two FWS stands something.
      if ((obsolete & OLD_SPACE) === 0 && byteAt(bytes, end, to) === CR) return ~end;
      i = end - 1;
    } else if (byte >= 0x80) {
      const end = utf8NonAscii(bytes, i, to);
      if (end < 0) return end;
      i = end - 1;
    } else if (byte === BACKSLASH || (byte === OPEN_BRACKET && close === CLOSE_BRACKET) || !isText(bytes, i, to, obsolete)) return ~i;
    i++;
    if (depth === 0) return i;
  }
  return ~i;
}

/** Printable, or 4.1 obs-NO-WS-CTL. NUL, CR and LF after a backslash (obs-qp) are not taken: programs end a text or a line there. */
function isText(bytes: Uint8Array, i: number, to: number, obsolete: number): boolean {
  if ((classAt(bytes, i, to) & PRINTABLE) !== 0) return true;
  const byte = byteAt(bytes, i, to);
  return (obsolete & CONTROLS) !== 0 && ((byte > 0 && byte < SP && byte !== HT && byte !== LF && byte !== CR) || byte === DEL);
}

/** `[CFWS]` */
export function maybe(bytes: Uint8Array, from: Position, to: number, obsolete = 0): Position {
  const end = cfws(bytes, from, to, obsolete);
  return end < 0 && ~end === from ? from : end;
}
