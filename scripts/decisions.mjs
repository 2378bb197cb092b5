// Lists docs/decisions/NNN-*.md in their README, from the first line and the status of each; --check compares only.
import { readdirSync, readFileSync } from 'node:fs';
import { between } from './lib/between.mjs';

const DIR = 'docs/decisions';
const files = readdirSync(DIR).filter((name) => /^\d{3}-.*\.md$/.test(name));
const rows = files.sort().map(row);
const table = ['| | decision | status |', '|---|---|---|', ...rows].join('\n');
process.exitCode = between(`${DIR}/README.md`, 'decisions', table, process.argv.includes('--check')) ? 0 : 1;

function row(name) {
  const text = readFileSync(`${DIR}/${name}`, 'utf8');
  const title = /^# (?:\d{3}[.:]? *)?(.+)$/m.exec(text)?.[1] ?? name;
  const status = /^(?:\*\*)?Status:?(?:\*\*)?:? *(.+)$/im.exec(text)?.[1] ?? 'accepted';
  return `| ${name.slice(0, 3)} | [${title}](${name}) | ${status} |`;
}
