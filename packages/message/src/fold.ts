import { encodeUtf8, textOf } from '@ehlo/grammar/imf';

const HT = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;

/** RFC 5322 2.1.1, without the line end: what a line SHOULD have at the most, and MUST. */
export const FOLD_AT = 78;
export const LONGEST_LINE = 998;

/** Whether a line of a field has more octets than that, its line end apart. */
export function isLonger(raw: Uint8Array, octets: number): boolean {
  return lines(raw).some(([from, to]) => to - from > octets);
}

/**
 * A field with its lines of more than `longest` octets folded at 78 (RFC 5322 2.2.3): line ends are put in front of white space that is there,
 * nothing else changes. Null if a line of more than 998 octets is left.
 */
export function foldField(raw: Uint8Array, valueAt: number, longest: number, lineEnd: string): Uint8Array | null {
  const folded = folds(raw, valueAt, longest, lineEnd);
  return isLonger(folded, LONGEST_LINE) ? null : folded;
}

/**
 * Folds a text that is written, so that no line has more than 78 octets where there is white space to fold at; its first one begins at `column`.
 */
export function fold(text: string, column: number): string {
  return textOf(folds(encodeUtf8('x'.repeat(column) + text), column, FOLD_AT, '\r\n')).slice(column);
}

function folds(raw: Uint8Array, valueAt: number, longest: number, lineEnd: string): Uint8Array {
  const cuts: number[] = [];
  for (const [from, to] of lines(raw)) if (to - from > longest) cuts.push(...cutsOf(raw, from, to, Math.max(from, valueAt)));
  return insert(raw, cuts, lineEnd);
}

/** Where each line begins, and where its octets end in front of the line end. */
function lines(raw: Uint8Array): readonly (readonly [from: number, to: number])[] {
  const found: [number, number][] = [];
  for (let from = 0; from < raw.length; ) {
    const lf = raw.indexOf(LF, from);
    const to = lf < 0 ? raw.length : raw[lf - 1] === CR && lf > from ? lf - 1 : lf;
    found.push([from, to]);
    from = lf < 0 ? raw.length : lf + 1;
  }
  return found;
}

/** Where to cut a line: each time at the last place that keeps it within 78 octets, else at the next one. Nothing is cut before `valueAt`. */
function cutsOf(raw: Uint8Array, from: number, to: number, valueAt: number): readonly number[] {
  const cuts: number[] = [];
  let start = from;
  let last = -1;
  for (const at of places(raw, valueAt, to)) {
    if (at - start > FOLD_AT && last >= 0) {
      cuts.push(last);
      start = last;
    }
    last = at;
    if (at - start > FOLD_AT) {
      cuts.push(at);
      start = at;
      last = -1;
    }
  }
  if (to - start > FOLD_AT && last >= 0) cuts.push(last);
  return cuts;
}

/**
 * White space behind which and before which stands something: RFC 5322 3.2.2 has no line of white space alone. Not behind a bare CR, which
 * would become a part of the line end.
 */
function* places(raw: Uint8Array, from: number, to: number): Generator<number, void, void> {
  let end = to;
  while (end > from && isWhite(raw[end - 1]!)) end--;
  let i = from;
  while (i < end && isWhite(raw[i]!)) i++;
  for (; i < end; i++) {
    if (isWhite(raw[i]!) && !isWhite(raw[i - 1]!) && raw[i - 1] !== CR) yield i;
  }
}

function isWhite(octet: number): boolean {
  return octet === SP || octet === HT;
}

function insert(raw: Uint8Array, cuts: readonly number[], lineEnd: string): Uint8Array {
  const folded = new Uint8Array(raw.length + cuts.length * lineEnd.length);
  let to = 0;
  let from = 0;
  for (const cut of cuts) {
    folded.set(raw.subarray(from, cut), to);
    to += cut - from;
    for (let k = 0; k < lineEnd.length; k++) folded[to++] = lineEnd.charCodeAt(k);
    from = cut;
  }
  folded.set(raw.subarray(from), to);
  return folded;
}
