/** Ours: characters of a text and of all, entries of a list, what a value may hold in all, and how deep. */
const TEXT = 4000;
const ALL_TEXT = 1_000_000;
const ENTRIES = 1000;
const VALUES = 50_000;
const DEPTH = 60;

/** A value as JSON can hold it, cut where a mail was made to be large: texts end with `…`, lists earlier, and what is too deep is null. */
export function bounded(value: unknown): unknown {
  let left = VALUES;
  let characters = ALL_TEXT;
  const short = (text: string): string => {
    const most = Math.min(TEXT, characters);
    characters -= Math.min(text.length, most);
    return text.length > most ? `${text.slice(0, most)}…` : text;
  };
  const cut = (one: unknown, depth: number): unknown => {
    if (typeof one === 'string') return short(one);
    if (typeof one !== 'object' || one === null) return one;
    if (--left < 0 || depth > DEPTH) return null;
    if (Array.isArray(one)) return one.slice(0, ENTRIES).map((entry) => cut(entry, depth + 1));
    if (one instanceof Map) return cut(Object.fromEntries(one), depth);
    return Object.fromEntries(
      Object.entries(one)
        .slice(0, ENTRIES)
        .map(([name, entry]) => [name, cut(entry, depth + 1)]),
    );
  };
  return cut(value, 0);
}
