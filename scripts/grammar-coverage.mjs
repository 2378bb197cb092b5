// Writes the tables of docs/grammar.md: what the oracle compared, as its tests state it, the differences on purpose, the deviations and
// the extensions, as the build has them. Runs after a build; --check compares only.
import { readFileSync } from 'node:fs';
import { DANGERS, DEVIATIONS, EXTENSIONS, HISTORIC, POSTEL, STRICT } from '../packages/grammar/dist/index.js';
import { between } from './lib/between.mjs';

const FILE = 'docs/grammar.md';
const check = process.argv.includes('--check');
const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
// The tests fail when these are not what they find (`npm run proofs -- test/oracle -u` in packages/proof states them anew).
const results = ['oracle', 'oracle-extensions', 'oracle-message', 'oracle-values'].flatMap((name) =>
  json(`packages/proof/test/${name}.json`),
);
const differences = json('packages/grammar/abnf/deviations.json');

const tables = {
  oracle: oracle(),
  differences: table(['rule', 'reason', 'source', 'adds', 'drops'], differences.map(difference)),
  deviations: table(['name', 'section', 'what a sender does', 'danger', 'strict', 'postel'], Object.entries(DEVIATIONS).map(deviation)),
  extensions: table(['keyword', 'RFC', 'verbs', 'reply codes', 'parameters', 'adds'], EXTENSIONS.map(extension)),
  historic: table(['keyword', 'RFC', 'verbs', 'parameters'], HISTORIC.map(historic)),
};
process.exitCode = Object.entries(tables)
  .map(([name, text]) => between(FILE, name, text, check))
  .every(Boolean)
  ? 0
  : 1;

function oracle() {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0).toLocaleString('en-GB');
  const rows = results.map(({ rule, by, states, pairs, words, disagreements }) => [code(rule), by, states, pairs, words, disagreements]);
  const total = `${results.length} comparisons: ${sum('pairs')} pairs, ${sum('words')} words, ${sum('disagreements')} disagreements.`;
  return `${total}\n\n${table(['rule', 'read by', 'states', 'pairs', 'words', 'disagreements'], rows)}`;
}

function difference({ rule, reason, source, adds, drops }) {
  return [
    code(rule),
    reason,
    source,
    ...[adds, drops].map((words) => words.map((word) => code(JSON.stringify(word).slice(1, -1))).join(' ')),
  ];
}

function deviation([name, { section, what }]) {
  return [code(name), section, what, DANGERS[name], ...[STRICT, POSTEL].map((set) => (set.has(name) ? 'taken' : ''))];
}

function extension({ keyword, rfc, verbs, parameters }) {
  const codes = verbs.flatMap((verb) => verb.codes).join(' ');
  const names = parameters.map((parameter) => `${parameter.keyword} (${parameter.command})`).join(', ');
  return [code(keyword), rfc, verbs.map(({ verb }) => verb).join(', '), codes, names, parameters.map(({ adds }) => adds).join(', ')];
}

function historic({ keyword, rfc, verbs, parameters }) {
  return [code(keyword), rfc, verbs.join(', '), parameters.join(', ')];
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((text) => String(text).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function code(text) {
  return `\`${text}\``;
}
