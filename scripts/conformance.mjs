// Lists in docs/conformance.md which test vectors show which requirement, with counts; --check compares only.
import { readdirSync, readFileSync } from 'node:fs';
import { between } from './lib/between.mjs';

const FILE = 'docs/conformance.md';
const NAMED = 3;
const LEVELS = ['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT', 'MAY'];

const read = (path) => JSON.parse(readFileSync(`test-vectors/${path}`, 'utf8'));
const { requirements } = read('requirements.json');
const { behaviours } = read('behaviours.json');
const { notVectors } = read('not-vectors.json');
const reasons = new Map(notVectors.flatMap(({ ids, why }) => ids.map((id) => [id, why])));
const transcripts = ['server', 'smuggling', 'client'].flatMap((folder) =>
  readdirSync(`test-vectors/${folder}`).flatMap((name) =>
    read(`${folder}/${name}`).transcripts.map((one) => ({ ...one, file: `${folder}/${name}` })),
  ),
);
const shownBy = new Map();
for (const one of transcripts) for (const id of one.spec) shownBy.set(id, [...(shownBy.get(id) ?? []), one]);
// The shortest first: it shows the most of what it is named for.
for (const list of shownBy.values()) list.sort((a, b) => a.steps.length - b.steps.length || (a.name < b.name ? -1 : 1));

const rfcs = [...new Set(requirements.map(({ rfc }) => rfc))];
const text = { counts: counts(), requirements: rfcs.map(chapter).join('\n\n'), behaviours: table(behaviours, false) };
const check = process.argv.includes('--check');
process.exitCode = Object.entries(text)
  .map(([name, part]) => between(FILE, name, part, check))
  .every(Boolean)
  ? 0
  : 1;

function counts() {
  const rows = rfcs.map((rfc) => {
    const cells = LEVELS.map((level) => {
      const due = testable(rfc).filter((one) => one.level === level);
      return due.length === 0 ? '' : `${due.filter(({ id }) => shownBy.has(id)).length} of ${due.length}`;
    });
    return `| RFC ${rfc} | ${cells.join(' | ')} |`;
  });
  const steps = transcripts.reduce((sum, one) => sum + one.steps.length, 0);
  return [
    `${transcripts.length} transcripts with ${steps} steps show ${shownBy.size} requirements and behaviours.`,
    '',
    `| shown by vectors | ${LEVELS.join(' | ')} |`,
    `|---|${'---|'.repeat(LEVELS.length)}`,
    ...rows,
  ].join('\n');
}

function chapter(rfc) {
  return `### RFC ${rfc}\n\n${table(testable(rfc), true)}`;
}

function testable(rfc) {
  return requirements.filter((one) => one.rfc === rfc && one.testable_in_engine);
}

function table(list, levels) {
  const rows = list.map(({ id, level, statement }) => `| ${id} |${levels ? ` ${level} |` : ''} ${cell(statement)} | ${shown(id)} |`);
  return [`| |${levels ? ' |' : ''} requirement | shown by |`, `|---|${levels ? '---|' : ''}---|---|`, ...rows].join('\n');
}

function shown(id) {
  const list = shownBy.get(id);
  if (list === undefined) return reasons.has(id) ? `*${cell(reasons.get(id))}*` : '–';
  const names = list.slice(0, NAMED).map(({ name, file }) => `[${name}](../test-vectors/${file})`);
  return names.join(', ') + (list.length > NAMED ? ` and ${list.length - NAMED} more` : '');
}

/** Text that can stand in a cell of a table. */
function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
