import { BACKSLASH, byteAt, CR, classAt, HT, LF, PRINTABLE, SP, utf8NonAscii } from './rule.ts';

/** Where a reader of a header field stands: `~i` where byte i can't continue. */
export type Position = number;

const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;

/** RFC 5322 3.2.2: `FWS = [*WSP CRLF] 1*WSP`, folding white space without its obsolete forms. */
export function fws(bytes: Uint8Array, from: Position, to: number): Position {
  if (from < 0) return from;
  const i = white(bytes, from, to);
  if (byteAt(bytes, i, to) !== CR) return i > from ? i : ~i;
  if (byteAt(bytes, i + 1, to) !== LF) return i > from ? i : ~Math.min(i + 1, to);
  const end = white(bytes, i + 2, to);
  if (end > i + 2) return end;
  return i > from ? i : ~end;
}

function white(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (byteAt(bytes, i, to) === SP || byteAt(bytes, i, to) === HT) i++;
  return i;
}

/** RFC 5322 3.2.2: `CFWS`, comments and folding white space. Comments nest; depth is a count, not a recursion. */
function cfws(bytes: Uint8Array, from: Position, to: number): Position {
  if (from < 0) return from;
  let i = from;
  for (;;) {
    const space = fws(bytes, i, to);
    if (space >= 0) i = space;
    if (byteAt(bytes, i, to) !== OPEN_PAREN) return i > from ? i : ~i;
    i = comment(bytes, i, to);
    if (i < 0) return i;
  }
}

/** RFC 5322 3.2.2: `comment`. */
export function comment(bytes: Uint8Array, from: number, to: number): Position {
  let depth = 0;
  let i = from;
  while (i < to) {
    const byte = bytes[i]!;
    if (byte === OPEN_PAREN) depth++;
    else if (byte === CLOSE_PAREN) depth--;
    else if (byte === BACKSLASH) {
      i++;
      if ((classAt(bytes, i, to) & PRINTABLE) === 0 && byteAt(bytes, i, to) !== HT) return ~i;
    } else if (byte === SP || byte === HT || byte === CR) {
      const end = fws(bytes, i, to);
      if (end < 0) return end;
      i = end - 1;
    } else if (byte >= 0x80) {
      // RFC 6532 3.2: a comment may hold UTF-8.
      const end = utf8NonAscii(bytes, i, to);
      if (end < 0) return end;
      i = end - 1;
    } else if ((classAt(bytes, i, to) & PRINTABLE) === 0) return ~i;
    i++;
    if (depth === 0) return i;
  }
  return ~i;
}

/** `[CFWS]` */
export function maybe(bytes: Uint8Array, from: Position, to: number): Position {
  const end = cfws(bytes, from, to);
  return end < 0 && ~end === from ? from : end;
}
