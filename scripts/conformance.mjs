// Lists in docs/conformance.md which step of which test vector shows which requirement, for each side and for messages, with counts; --check
// compares only.
import { readdirSync, readFileSync } from 'node:fs';
import { between } from './lib/between.mjs';

const FILE = 'docs/conformance.md';
const NAMED = 3;
const LEVELS = ['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT', 'MAY'];

const read = (path) => JSON.parse(readFileSync(`test-vectors/${path}`, 'utf8'));
const { requirements } = read('requirements.json');
const { behaviours } = read('behaviours.json');
const { notVectors } = read('not-vectors.json');
const SIDES = ['server', 'client'];
const FOLDERS = { server: ['server', 'smuggling'], client: ['client'] };
// A case of a message is no conversation: it has no steps, and one side.
const COLUMNS = [...SIDES, 'message'];

const transcripts = Object.fromEntries(SIDES.map((side) => [side, FOLDERS[side].flatMap(transcriptsIn)]));
const cases = readdirSync('test-vectors/message').flatMap(casesIn);
const shownBy = { ...Object.fromEntries(SIDES.map((side) => [side, citations(transcripts[side])])), message: citations(cases) };
const reasons = Object.fromEntries(COLUMNS.map((side) => [side, reasonsFor(side)]));

const rfcs = [...new Set(requirements.map(({ rfc }) => rfc))];
const text = { counts: counts(), requirements: rfcs.map(chapter).join('\n\n'), behaviours: table(behaviours, false) };
const check = process.argv.includes('--check');
process.exitCode = Object.entries(text)
  .map(([name, part]) => between(FILE, name, part, check))
  .every(Boolean)
  ? 0
  : 1;

function transcriptsIn(folder) {
  return readdirSync(`test-vectors/${folder}`).flatMap((name) =>
    read(`${folder}/${name}`).transcripts.map((one) => ({ ...one, file: `${folder}/${name}` })),
  );
}

/** The cases of a file about messages that have a name; what one shows, it shows as a whole. */
function casesIn(name) {
  const lists = Object.values(read(`message/${name}`)).filter(Array.isArray);
  const named = lists.flat().filter((one) => one.name !== undefined && one.shows !== undefined);
  return named.map((one) => ({ name: one.name, file: `message/${name}`, steps: [{ shows: one.shows }] }));
}

/** Id → the transcripts that show it, each with the numbers of the steps. */
function citations(list) {
  const found = new Map();
  // The shortest first: it shows the most of what it is named for.
  for (const one of list.sort((a, b) => a.steps.length - b.steps.length || (a.name < b.name ? -1 : 1))) {
    const ids = new Map();
    for (const [i, { shows = [] }] of one.steps.entries()) for (const id of shows) ids.set(id, [...(ids.get(id) ?? []), i + 1]);
    for (const [id, shown] of ids) found.set(id, [...(found.get(id) ?? []), { ...one, shown }]);
  }
  return found;
}

function reasonsFor(side) {
  const entries = notVectors.filter(({ role }) => role === side || (role === undefined && side !== 'message'));
  return new Map(entries.flatMap(({ ids, why }) => ids.map((id) => [id, why])));
}

function counts() {
  const rows = rfcs.flatMap((rfc) =>
    COLUMNS.map((side) => {
      const cells = LEVELS.map((level) => {
        const due = listed(rfc).filter((one) => one.level === level && concerns(one, side));
        return due.length === 0 ? '' : `${due.filter(({ id }) => shownBy[side].has(id)).length} of ${due.length}`;
      });
      return cells.every((cell) => cell === '') ? '' : `| RFC ${rfc}, ${side} | ${cells.join(' | ')} |`;
    }),
  );
  const all = SIDES.flatMap((side) => transcripts[side]);
  const steps = all.reduce((sum, one) => sum + one.steps.length, 0);
  const ids = new Set(SIDES.flatMap((side) => [...shownBy[side].keys()]));
  const ofMessages = `${cases.length} cases of messages show ${shownBy.message.size} requirements.`;
  return [
    `${all.length} transcripts with ${steps} steps show ${ids.size} requirements and behaviours; ${ofMessages}`,
    '',
    `| shown by a step | ${LEVELS.join(' | ')} |`,
    `|---|${'---|'.repeat(LEVELS.length)}`,
    ...rows.filter((row) => row !== ''),
  ].join('\n');
}

function chapter(rfc) {
  return `### RFC ${rfc}\n\n${table(listed(rfc), true)}`;
}

function listed(rfc) {
  return requirements.filter((one) => one.rfc === rfc && (one.testable_in_engine || one.testable_in_message));
}

/** Whether a side has to show a requirement; a behaviour is shown by whoever has it. */
function concerns({ actor, testable_in_engine = true, testable_in_message }, side) {
  return side === 'message' ? testable_in_message === true : testable_in_engine && (actor === side || actor === 'both');
}

function table(list, levels) {
  const columns = list.some((one) => concerns(one, 'message')) ? COLUMNS : SIDES;
  const rows = list.map((one) => {
    const sides = columns.map((side) => shown(one, side)).join(' | ');
    return `| ${one.id} |${levels ? ` ${one.level} |` : ''} ${cell(one.statement)} | ${sides} |`;
  });
  return [
    `| |${levels ? ' |' : ''} requirement | ${columns.join(' | ')} |`,
    `|---|${levels ? '---|' : ''}---|${'---|'.repeat(columns.length)}`,
    ...rows,
  ].join('\n');
}

function shown(one, side) {
  const list = shownBy[side].get(one.id);
  if (list === undefined) return reasons[side].has(one.id) ? `*${cell(reasons[side].get(one.id))}*` : concerns(one, side) ? '–' : '';
  const names = list
    .slice(0, NAMED)
    .map((vector) => `[${vector.name}](../test-vectors/${vector.file})${side === 'message' ? '' : vector.shown.map((n) => ` ${n}`)}`);
  return names.join(', ') + (list.length > NAMED ? ` and ${list.length - NAMED} more` : '');
}

/** Text that can stand in a cell of a table. */
function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
