// The corpus of a target, beside the vectors: inputs that have reached what those do not, as text of one character an octet.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/** The most inputs that are kept of a target, and the longest of them: the corpus is read by people, too. */
const MOST = 40;
const LONGEST = 300;

const fileOf = (name) => new URL(`./corpus/${name}.json`, import.meta.url);

export function keptOf(name) {
  if (!existsSync(fileOf(name))) return [];
  return JSON.parse(readFileSync(fileOf(name), 'utf8')).map((text) => new Uint8Array(Buffer.from(text, 'latin1')));
}

/** Keeps the shortest of these with what is kept already. */
export function keep(name, inputs) {
  const texts = [...keptOf(name), ...inputs]
    .map((octets) => Buffer.from(octets).toString('latin1'))
    .filter(({ length }) => length <= LONGEST);
  const all = [...new Set(texts)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).slice(0, MOST);
  mkdirSync(new URL('./corpus/', import.meta.url), { recursive: true });
  writeFileSync(fileOf(name), `${JSON.stringify(all, null, 2)}\n`);
}
