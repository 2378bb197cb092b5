/** What a Content-Type says (RFC 2045 5.1), as far as a reader of parts needs it. */
export interface ContentType {
  /** `type/subtype`, in small letters. */
  readonly type: string;
  /** By their names in small letters; the first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** RFC 2045 5.2: what is meant where nothing is said. */
export const PLAIN: ContentType = { type: 'text/plain', parameters: new Map() };

const QUOTE = '"';

/** Reads the value of a Content-Type, however odd it is; comments are left out. What names no type is text/plain (RFC 2045 5.2). */
export function contentTypeOf(value: string): ContentType {
  const [first = '', ...rest] = segments(value);
  const type = first.trim().toLowerCase();
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return PLAIN;
  const parameters = new Map<string, string>();
  for (const segment of rest) {
    const equals = segment.indexOf('=');
    const name = segment.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    if (name !== '' && !parameters.has(name)) parameters.set(name, unquoted(segment.slice(equals + 1).trim()));
  }
  return { type, parameters };
}

/** The parts between semicolons, without comments. A backslash counts within quotes and comments; both may lack their end. */
function segments(value: string): string[] {
  const all: string[] = [];
  let segment = '';
  let quoted = false;
  let depth = 0;
  for (let i = 0; i < value.length; i++) {
    const character = value[i]!;
    if (character === '\\' && (quoted || depth > 0)) {
      if (quoted) segment += value.slice(i, i + 2);
      i++;
    } else if (depth > 0) depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    else if (character === '(' && !quoted) depth++;
    else if (character === ';' && !quoted) {
      all.push(segment);
      segment = '';
    } else {
      if (character === QUOTE) quoted = !quoted;
      segment += character;
    }
  }
  return [...all, segment];
}

function unquoted(text: string): string {
  if (!text.startsWith(QUOTE)) return /^\S*/.exec(text)![0];
  const end = text.length > 1 && text.endsWith(QUOTE) ? text.length - 1 : text.length;
  return text.slice(1, end).replaceAll(/\\(.)/g, '$1');
}
