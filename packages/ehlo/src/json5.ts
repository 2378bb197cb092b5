/** Where something stands in a text, from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A text that is no JSON5, and where. */
export class Json5Error extends Error {
  readonly place: Place;

  constructor(message: string, place: Place) {
    super(message);
    this.place = place;
  }
}

/** A value, and where each part of it stands, by its path: `stubs.3.match.to`. */
export interface Json5 {
  readonly value: unknown;
  placeOf(path: string): Place;
}

/** Ours: values within values. */
const DEEPEST = 100;
const SPACE = /(?:[\s\ufeff]|\/\/[^\n\r]*|\/\*[\s\S]*?\*\/)*/y;
const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/y;
const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const STRING = /"(?:[^"\\\n\r]|\\(?:\r\n|[\s\S]))*"|'(?:[^'\\\n\r]|\\(?:\r\n|[\s\S]))*'/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))/g;
const LETTERS: { readonly [letter: string]: string } = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  0: '\0',
  '\n': '',
  '\r': '',
  '\r\n': '',
};
const WORDS = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Reads JSON, with what JSON5 adds for people: comments, commas at the end, single quotes, names without quotes. Throws `Json5Error`. */
export function parseJson5(text: string): Json5 {
  const places = new Map<string, number>();
  let at = 0;

  const place = (offset: number): Place => {
    const before = text.slice(0, offset).split(/\r\n|\r|\n/);
    return { line: before.length, column: before.at(-1)!.length + 1 };
  };
  const fail = (message: string): never => {
    throw new Json5Error(message, place(at));
  };
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    at += found?.length ?? 0;
    return found;
  };
  const space = (): void => void take(SPACE);
  const string = (): string | null => {
    const quoted = take(STRING);
    if (quoted === null) return null;
    return quoted.slice(1, -1).replace(ESCAPE, (_, u?: string, x?: string, letter?: string) => {
      const code = u ?? x;
      return code === undefined ? (LETTERS[letter!] ?? letter!) : String.fromCharCode(Number.parseInt(code, 16));
    });
  };

  /** What stands between brackets, up to `end`; `one` reads one of it. */
  const list = (end: string, one: () => void): void => {
    at++;
    for (space(); text[at] !== end; space()) {
      one();
      space();
      if (text[at] === ',') at++;
      else if (text[at] !== end) fail(`here a comma or ${end} is missing`);
    }
    at++;
  };
  const value = (path: string, depth: number): unknown => {
    space();
    places.set(path, at);
    if (depth > DEEPEST) fail('there are too many values within each other');
    const inner = (name: string | number): string => (path === '' ? String(name) : `${path}.${name}`);
    if (text[at] === '[') {
      const items: unknown[] = [];
      list(']', () => void items.push(value(inner(items.length), depth + 1)));
      return items;
    }
    if (text[at] === '{') {
      const entries: [string, unknown][] = [];
      list('}', () => {
        const from = at;
        const name = string() ?? take(NAME) ?? fail('here a name is missing');
        if (entries.some(([other]) => other === name)) {
          at = from;
          fail(`the name ${JSON.stringify(name)} is there twice`);
        }
        space();
        if (text[at] !== ':') fail('here a colon is missing');
        at++;
        entries.push([name, value(inner(name), depth + 1)]);
        // What is wrong with a name is shown where that is.
        places.set(inner(name), from);
      });
      return Object.fromEntries(entries);
    }
    const quoted = string();
    if (quoted !== null) return quoted;
    const number = take(NUMBER);
    if (number !== null) return number.startsWith('-') ? -Number(number.slice(1)) : Number(number.replace('+', ''));
    const from = at;
    const word = take(NAME);
    if (word !== null && WORDS.has(word)) return WORDS.get(word);
    at = from;
    return fail(at >= text.length ? 'the text ends too soon' : 'here a value is missing');
  };

  const whole = value('', 0);
  space();
  if (at < text.length) fail('more than a value');
  return {
    value: whole,
    placeOf: (path) => {
      let known = path;
      while (!places.has(known)) known = known.slice(0, Math.max(0, known.lastIndexOf('.')));
      return place(places.get(known)!);
    },
  };
}
