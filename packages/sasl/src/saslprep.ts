import { LEFT_TO_RIGHT, NOTHING, PROHIBITED, RIGHT_TO_LEFT, SPACES, UNASSIGNED } from './saslprep-tables.ts';

/** The first code point of each range and the one behind its last, in order. */
type Ranges = readonly number[];

/** Texts of printable ASCII, which are nearly all, come out as they went in. */
const PRINTABLE = /^[ -~]*$/;

/**
 * Prepares a user name or a password for comparison (SASLprep, RFC 4013): spaces and invisible characters are mapped, the rest is
 * brought to Unicode's form KC. Null if the text has a prohibited character or mixes directions of writing.
 *
 * A `stored` text is one that is kept, or that is hashed like one: it may have only what Unicode 3.2 knows.
 *
 * @example
 * ```ts
 * import { saslprep } from '@ehlo/sasl';
 * saslprep('Ⅸ') // → 'IX'
 * ```
 */
export function saslprep(text: string, as: 'query' | 'stored' = 'query'): string | null {
  if (PRINTABLE.test(text)) return text;
  // RFC 3454 3 to 6: map, normalise, prohibit, check directions. What RFC 3454 maps to nothing has no code point left.
  const mapped = [...text]
    .map((character) => (within('spaces', character) ? ' ' : character))
    .filter((character) => !within('nothing', character));
  const prepared = mapped.join('').normalize('NFKC');
  const characters = [...prepared];
  if (characters.some((character) => within('prohibited', character))) return null;
  if (as === 'stored' && characters.some((character) => within('unassigned', character))) return null;
  return isOneDirection(characters) ? prepared : null;
}

/** RFC 3454 6: with a character that is written from right to left there is none from left to right, and such stand at both ends. */
function isOneDirection(characters: readonly string[]): boolean {
  if (!characters.some((character) => within('rightToLeft', character))) return true;
  if (characters.some((character) => within('leftToRight', character))) return false;
  return within('rightToLeft', characters[0]!) && within('rightToLeft', characters.at(-1)!);
}

const SOURCES = {
  spaces: SPACES,
  nothing: NOTHING,
  prohibited: PROHIBITED,
  rightToLeft: RIGHT_TO_LEFT,
  leftToRight: LEFT_TO_RIGHT,
  unassigned: UNASSIGNED,
} as const;

const unpacked: Map<keyof typeof SOURCES, Ranges> = new Map();

function within(table: keyof typeof SOURCES, character: string): boolean {
  let ranges = unpacked.get(table);
  if (ranges === undefined) {
    ranges = unpack(SOURCES[table]);
    unpacked.set(table, ranges);
  }
  const code = character.codePointAt(0)!;
  // The number of borders at or below the code point: odd within a range, for each range gives its start and what follows its end.
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]! <= code) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}

function unpack(table: string): Ranges {
  let at = 0;
  return table.split(' ').flatMap((token) => {
    const [gap = '', length = '0'] = token.split('-');
    const start = at + Number.parseInt(gap, 36);
    at = start + Number.parseInt(length, 36);
    return [start, at + 1];
  });
}
