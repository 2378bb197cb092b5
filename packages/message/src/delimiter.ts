/** RFC 2046 5.1.1: a boundary has at most 70 octets. Ours: longer ones are taken up to this. */
export const LONGEST_BOUNDARY = 200;

/** Ours: a longer line is no delimiter, whatever blanks it ends with. */
const LONGEST_DELIMITER = 512;

const HT = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const HYPHEN = 0x2d;

/** A line that is, or begins like, a delimiter. */
export interface Delimiter {
  /** Whose boundary it is; -1: a boundary and text behind it. */
  readonly depth: number;
  readonly closes: boolean;
  /** Whether white space stands behind the boundary. */
  readonly padded: boolean;
  /** Behind its line end. */
  readonly to: number;
}

/**
 * What the line that begins at `at` is: `"--" boundary ["--"] transport-padding CRLF` (RFC 2046 5.1.1), of the innermost of these boundaries;
 * null: no delimiter; `unknown`: that is said by octets that have not come. `last`: none will.
 */
export function delimiterAt(
  bytes: Uint8Array,
  at: number,
  last: boolean,
  boundaries: readonly (Uint8Array | null)[],
): Delimiter | 'unknown' | null {
  const room = bytes.length - at;
  if (bytes[at] !== HYPHEN || (room > 1 ? bytes[at + 1] !== HYPHEN : last)) return null;
  const window = bytes.subarray(at, at + LONGEST_DELIMITER);
  const lf = window.indexOf(LF);
  const whole = lf >= 0 || last || room >= LONGEST_DELIMITER;
  const line = lf >= 0 ? window.subarray(0, lf) : window;
  let goesOn = false;
  let open = false;
  for (let depth = boundaries.length - 1; depth >= 0; depth--) {
    const boundary = boundaries[depth];
    if (boundary === null || boundary === undefined) continue;
    const matched = matching(line, boundary);
    if (matched < boundary.length) {
      open ||= !whole && matched + 2 >= line.length;
      continue;
    }
    const end = boundary.length + 2;
    const closes = line[end] === HYPHEN && line[end + 1] === HYPHEN;
    const padding = closes ? end + 2 : end;
    const behind = afterBlanks(line, padding);
    if (behind < line.length) {
      // One hyphen may become two.
      if (!whole && line[end] === HYPHEN && line.length === end + 1) open = true;
      else goesOn = true;
    } else if (whole && (lf >= 0 || last)) {
      const padded = padding < line.length && !(line[padding] === CR && padding + 1 === line.length);
      return { depth, closes, padded, to: at + (lf >= 0 ? lf + 1 : line.length) };
    } else if (whole) goesOn = true;
    else open = true;
  }
  if (open) return 'unknown';
  return goesOn ? { depth: -1, closes: false, padded: false, to: at } : null;
}

/** How many octets of a boundary stand behind the two hyphens. */
function matching(line: Uint8Array, boundary: Uint8Array): number {
  let k = 0;
  while (k < boundary.length && line[k + 2] === boundary[k]) k++;
  return k;
}

/** Behind blanks, and behind a CR that ends the line. */
function afterBlanks(line: Uint8Array, from: number): number {
  let i = from;
  while (line[i] === SP || line[i] === HT) i++;
  return line[i] === CR && i + 1 === line.length ? i + 1 : i;
}

/** RFC 2046 5.1.1: `boundary := 0*69<bchars> bcharsnospace` */
export function isOddBoundary(boundary: string): boolean {
  return !/^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/.test(boundary);
}
