// Keeps the text between two markers of a document: `<!-- begin:name -->` … `<!-- end:name -->`.
import { readFileSync, writeFileSync } from 'node:fs';

/** Writes `text` between the markers of `file`; with `check`, only says whether it is there already. */
export function between(file, name, text, check) {
  const [begin, end] = [`<!-- begin:${name} -->`, `<!-- end:${name} -->`];
  const old = readFileSync(file, 'utf8');
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file}: no markers ${begin} … ${end}`);
  const fresh = `${old.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${old.slice(to)}`;
  if (fresh === old) return true;
  if (!check) writeFileSync(file, fresh);
  return !check;
}
