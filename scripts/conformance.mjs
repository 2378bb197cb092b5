// Lists in docs/conformance.md which step of which test vector shows which requirement, for each side, for deliveries and for messages, with counts; --check
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
const emailcore = read('emailcore.json');
const stays = new Set(emailcore.same.map(({ section }) => section));
const SIDES = ['server', 'client'];
const FOLDERS = { server: ['server', 'smuggling'], client: ['client'] };
// A case of a message is no conversation: it has no steps, and one side. A delivery has steps, and is told by who relays.
const COLUMNS = [...SIDES, 'delivery', 'message'];

const transcripts = Object.fromEntries(SIDES.map((side) => [side, FOLDERS[side].flatMap(transcriptsIn)]));
const cases = readdirSync('test-vectors/message').flatMap(casesIn);
const deliveries = readdirSync('test-vectors/delivery').flatMap((name) =>
  read(`delivery/${name}`).deliveries.map((one) => ({ ...one, file: `delivery/${name}` })),
);
const shownBy = {
  ...Object.fromEntries(SIDES.map((side) => [side, citations(transcripts[side])])),
  delivery: citations(deliveries),
  message: citations(cases),
};
const reasons = Object.fromEntries(COLUMNS.map((side) => [side, reasonsFor(side)]));

const rfcs = [...new Set(requirements.map(({ rfc }) => rfc))];
const text = {
  counts: counts(),
  revision: revision(),
  mutants: mutants(),
  requirements: rfcs.map(chapter).join('\n\n'),
  behaviours: table(behaviours, false),
};
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
  const entries = notVectors.filter(({ role }) => role === side || (role === undefined && SIDES.includes(side)));
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
  const ofDeliveries = `${deliveries.length} deliveries show ${shownBy.delivery.size} requirements`;
  const ofMessages = `${cases.length} cases of messages ${shownBy.message.size}.`;
  return [
    `${all.length} transcripts with ${steps} steps show ${ids.size} requirements and behaviours; ${ofDeliveries}, ${ofMessages}`,
    '',
    `| shown by a step | ${LEVELS.join(' | ')} |`,
    `|---|${'---|'.repeat(LEVELS.length)}`,
    ...rows.filter((row) => row !== ''),
  ].join('\n');
}

/** What packages/proof/test/mutants.proof.ts has counted, and those that no vector catches, with the reason for each. */
function mutants() {
  const [figures, survivors] = ['figures', 'survivors'].map((name) =>
    JSON.parse(readFileSync(`packages/proof/test/mutants/${name}.json`, 'utf8')),
  );
  const kinds = [...new Set(SIDES.flatMap((side) => Object.keys(figures[side])))].sort();
  const count = (side, of) => Object.values(figures[side]).reduce((sum, one) => sum + one[of], 0);
  const cells = (caught, all) => `${caught} of ${all}`;
  const rows = kinds.map((kind) => {
    const sides = SIDES.map((side) =>
      figures[side][kind] === undefined ? '' : cells(figures[side][kind].caught, figures[side][kind].mutants),
    );
    return `| ${kind} | ${sides.join(' | ')} |`;
  });
  const all = SIDES.map(
    (side) =>
      `${cells(count(side, 'caught'), count(side, 'mutants'))} (${((100 * count(side, 'caught')) / count(side, 'mutants')).toFixed(1)} %)`,
  );
  const reasons = SIDES.flatMap((side) => survivors[side].map((one) => `| ${side} | ${one.mutants.length} | ${cell(one.why)} |`));
  return [
    `| changed | ${SIDES.join(' | ')} |`,
    `|---|${'---|'.repeat(SIDES.length)}`,
    ...rows,
    `| all | ${all.join(' | ')} |`,
    '',
    '| not caught | | why |',
    '|---|---|---|',
    ...reasons,
  ].join('\n');
}

function chapter(rfc) {
  return `### RFC ${rfc}\n\n${table(listed(rfc), true, rfc === 5321)}`;
}

function listed(rfc) {
  return requirements.filter((one) => one.rfc === rfc && (one.testable_in_engine || one.testable_in_delivery || one.testable_in_message));
}

/** Whether a side has to show a requirement; a behaviour is shown by whoever has it. */
function concerns({ actor, testable_in_engine = true, testable_in_delivery, testable_in_message }, side) {
  if (side === 'delivery') return testable_in_delivery === true;
  return side === 'message' ? testable_in_message === true : testable_in_engine && (actor === side || actor === 'both');
}

/** What is known of the coming revision. */
function revision() {
  const { document, state, read: known, changes } = emailcore;
  const due = listed(5321);
  const sections = due.filter(({ section }) => stays.has(section)).length;
  const line = ({ what, known: quoted }) => `- ${cell(what)}${quoted ? '' : ' (expected)'}.`;
  return [
    `${document} ${state}. ${known} Of ${due.length} requirements here ${sections} stand in sections that stay as they are: \`same\` in the column \`revision\`. What changes:`,
    '',
    ...changes.map(line),
  ].join('\n');
}

function table(list, levels, revised = false) {
  const columns = COLUMNS.filter((side) => SIDES.includes(side) || list.some((one) => concerns(one, side)));
  const rows = list.map((one) => {
    const sides = columns.map((side) => shown(one, side)).join(' | ');
    const later = revised ? ` ${stays.has(one.section) ? 'same' : ''} |` : '';
    return `| ${one.id} |${levels ? ` ${one.level} |` : ''} ${cell(one.statement)} | ${sides} |${later}`;
  });
  return [
    `| |${levels ? ' |' : ''} requirement | ${columns.join(' | ')} |${revised ? ' revision |' : ''}`,
    `|---|${levels ? '---|' : ''}---|${'---|'.repeat(columns.length + (revised ? 1 : 0))}`,
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
