// Writes packages/ehlo/dist/rfc-index.json.gz, which `ehlo rfc` reads: for each section of each RFC its requirements, the vectors that show them,
// the rows of the state machines that carry it out, and the source lines that name it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { sectionsOf } from './lib/row-sections.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path) => JSON.parse(readFileSync(`${root}test-vectors/${path}`, 'utf8'));
/** They hold no rule of any RFC: they test and measure. */
const UNTOLD = ['bench', 'proof'];
const VECTORS = ['server', 'smuggling', 'client', 'message', 'delivery'];
const TABLES = ['server', 'client', 'transaction'];
/** `RFC 5321 4.1.2, 4.1.3 and 4.5.3`. */
const NAMED = /RFC (\d{3,5})((?:,? (?:and |or )?(?:[A-H]|\d+)(?:\.\d+)*(?![\w.]*\w))*)/;
/** `4.1.4`, behind an RFC that was named in the same file. */
const BARE = /(?<![\w.])(\d{1,2}(?:\.\d+)+|[A-H]\.\d+)(?![\w.]*\w)/;
const MENTION = new RegExp(`${NAMED.source}|${BARE.source}`, 'g');

const index = {};
const shownBy = citations();
for (const { id, rfc, section, level, actor, statement } of read('requirements.json').requirements) {
  const requirement = { id, level, actor, statement, vectors: shownBy.get(id) ?? [] };
  entry(rfc, section).requirements.push(requirement);
}
const states = read('states.json');
for (const table of TABLES) for (const row of states[table].rows) addRow(table, row);
for (const path of sources()) addSource(path, readFileSync(root + path, 'utf8'));
writeFileSync(`${root}packages/ehlo/dist/rfc-index.json.gz`, gzipSync(JSON.stringify(index), { level: 9 }));

function entry(rfc, section) {
  index[rfc] ??= {};
  index[rfc][section] ??= { requirements: [], rows: [], sources: [] };
  return index[rfc][section];
}

function addRow(table, row) {
  for (const place of sectionsOf(table, row)) entry(...place).rows.push({ table, ...row });
}

/** Id of a requirement → where it is shown: `server/rcpt.json: rcpt-moved`. */
function citations() {
  const found = new Map();
  for (const folder of VECTORS) {
    for (const file of readdirSync(`${root}test-vectors/${folder}`)) {
      const cases = Object.values(read(`${folder}/${file}`))
        .filter(Array.isArray)
        .flat();
      for (const one of cases.filter(({ name }) => name !== undefined)) {
        const ids = new Set([...(one.shows ?? []), ...(one.steps ?? []).flatMap(({ shows = [] }) => shows)]);
        for (const id of ids) found.set(id, [...(found.get(id) ?? []), `${folder}/${file}: ${one.name}`]);
      }
    }
  }
  return found;
}

function sources() {
  const packages = readdirSync(`${root}packages`).filter((name) => !UNTOLD.includes(name));
  const files = packages.flatMap((name) =>
    readdirSync(`${root}packages/${name}/src`, { recursive: true }).map((file) => `packages/${name}/src/${file}`),
  );
  return files.filter((path) => path.endsWith('.ts')).sort();
}

/** A bare number is a section of the RFC that the file has named last, and only in a comment. */
function addSource(path, text) {
  let rfc = null;
  for (const [i, line] of text.split('\n').entries()) {
    const seen = new Set();
    for (const [, number, list, bare] of line.matchAll(MENTION)) {
      if (number !== undefined) rfc = number;
      else if (rfc === null || !/\/\/|^\s*\/?\*/.test(line)) continue;
      for (const section of bare === undefined ? (list.match(/[A-H](?:\.\d+)*|\d+(?:\.\d+)*/g) ?? []) : [bare]) {
        if (seen.has(`${rfc} ${section}`)) continue;
        seen.add(`${rfc} ${section}`);
        entry(rfc, section).sources.push({ file: path, line: i + 1, text: line.trim() });
      }
    }
  }
}
