// Draws the tables of transitions in docs/state-machine.md: the server's as a diagram, a table of phases and verbs, the guards; those of the client
// and of its transaction each as a diagram and a table of what moves it. Runs after a build; --check compares only.
import { CLIENT_TABLE, GUARDS, REPLIES, TABLE, TRANSACTION_TABLE } from '../packages/engine/dist/index.js';
import { between } from './lib/between.mjs';
import { always } from './lib/changes.mjs';
import { CLIENT, FACTS, TRANSACTION } from './lib/client-states.mjs';
import * as words from './lib/server-states.mjs';

const FILE = 'docs/state-machine.md';
const PHASES = ['greeted', 'ready', 'mail', 'rcpt', 'chunks', 'refused'];
const check = process.argv.includes('--check');
const isVerb = (on) => /^[A-Z]+$/.test(on);
/** Asked of every verb: it is said above the table. */
const BUDGET = 'room-for-commands';
const verbs = [...new Set(TABLE.map(({ on }) => on).filter(isVerb))];
/** Commands: verbs, and those that the program has defined. */
const commands = [...verbs, 'extension'];
const guards = [...new Set(TABLE.flatMap((row) => [...(row.guards ?? []), ...(row.checks ?? [])]))];
const row = (phase, on) => TABLE.find((candidate) => candidate.on === on && candidate.from.includes(phase));

const parts = {
  diagram: diagram(TABLE),
  verbs: verbTable(),
  carried: triggerTable(TABLE.filter(({ on, refuse }) => isVerb(on) && refuse === undefined)),
  guards: guardTable(),
  triggers: triggerTable(TABLE.filter(({ on }) => !isVerb(on))),
  reading: readingTable(),
  phases: phaseTable(),
  conditions: conditionTable(),
  effects: effectTable(),
  'client-diagram': diagram(flat(CLIENT_TABLE)),
  'client-triggers': clientTable(flat(CLIENT_TABLE)),
  'transaction-diagram': diagram(flat(TRANSACTION_TABLE), 'mail', 'over'),
  'transaction-triggers': clientTable(flat(TRANSACTION_TABLE)),
  'client-guards': wordsOfGuards(),
  'client-effects': wordsOfEffects(),
  'client-reading': [
    '| | changes |',
    '|---|---|',
    ...CLIENT.reading.map(({ what, changes }) => `| ${what} | ${changes.join(', ')} |`),
  ].join('\n'),
  'client-facts': ['| fact | |', '|---|---|', ...Object.entries(FACTS).map(([name, what]) => `| ${name} | ${what} |`)].join('\n'),
};
const results = Object.entries(parts).map(([name, text]) => between(FILE, name, text, check));
process.exitCode = results.every(Boolean) ? 0 : 1;

/** Ways from one phase to another; what stays, what refuses and what closes early is in the tables. */
function diagram(table, first = 'connect', last = 'closed') {
  const ways = new Map();
  for (const { from, on, to, refuse } of table) {
    if (to === undefined || refuse !== undefined || to === 'closed') continue;
    for (const phase of from)
      if (phase !== to) ways.set(`${phase} --> ${to}`, [...new Set([...(ways.get(`${phase} --> ${to}`) ?? []), on])]);
  }
  const arrows = [...ways].map(([way, labels]) => `  ${way} : ${labels.join(', ')}`);
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> ${first}`, ...arrows, `  ${last} --> [*]`, '```'].join('\n');
}

function verbTable() {
  const head = [`| | ${PHASES.join(' | ')} |`, `|---|${'---|'.repeat(PHASES.length)}`];
  return [...head, ...verbs.map((verb) => `| ${verb} | ${PHASES.map((phase) => cell(phase, verb)).join(' | ')} |`)].join('\n');
}

function cell(phase, verb) {
  const found = row(phase, verb);
  const { guards: before = [], checks = [], refuse, reply, to } = found;
  const asked = [...before, ...checks].filter((guard) => guard !== BUDGET);
  const notes = asked.length === 0 ? '' : ` <sup>${asked.map((guard) => guards.indexOf(guard) + 1).join(' ')}</sup>`;
  if (refuse !== undefined) return REPLIES[refuse].code + notes;
  // A row without a reply is answered in the phase that it leads to.
  const said = reply === undefined ? [] : [`**${REPLIES[reply].code}**`];
  const way = to === undefined || to === phase ? [] : [`→ ${to}`];
  return [...said, ...way].join(' ') + notes;
}

function guardTable() {
  const rows = guards.map((guard, i) => {
    const { reply, fault } = GUARDS[guard];
    const { code: number, enhanced, lines, section } = REPLIES[reply];
    const users = commands.filter((verb) =>
      TABLE.some(({ on, guards: asked = [], checks = [] }) => on === verb && [...asked, ...checks].includes(guard)),
    );
    return `| ${i + 1} | \`${guard}\` | ${words.GUARDS[guard].what} | ${words.GUARDS[guard].reads.join(', ')} | ${users.join(', ')} | ${number} ${enhanced === undefined ? '' : `${enhanced} `}${lines[0]} | \`${fault}\` | ${section} |`;
  });
  return ['| | guard | | reads | of | reply where it fails | fault | source |', '|---|---|---|---|---|---|---|---|', ...rows].join('\n');
}

function phaseTable() {
  return ['| phase | |', '|---|---|', ...Object.entries(words.PHASES).map(([name, what]) => `| ${name} | ${what} |`)].join('\n');
}

function conditionTable() {
  const rows = Object.entries(words.CONDITIONS).map(([name, { what, reads }]) => `| \`${name}\` | ${what} | ${reads.join(', ')} |`);
  return ['| condition | | reads |', '|---|---|---|', ...rows].join('\n');
}

function effectTable() {
  const rows = Object.entries(words.EFFECTS).map(([name, { what, ...changes }]) => `| \`${name}\` | ${what} | ${changed(changes)} |`);
  return ['| effect | | changes |', '|---|---|---|', ...rows].join('\n');
}

/** What changes each time, and what only sometimes. */
function changed({ changes, sometimes }) {
  const parts = [changes.join(', '), sometimes.length === 0 ? '' : `sometimes ${sometimes.join(', ')}`];
  return parts.filter((part) => part !== '').join('; ');
}

function readingTable() {
  const by = ({ on, except, from }) => on?.join(', ') ?? (except === undefined ? `in ${from.join(', ')}` : `all but ${except.join(', ')}`);
  const rows = words.READING.map((one) => `| ${by(one)} | ${one.what} | ${one.changes.join(', ')} |`);
  return ['| of | | changes |', '|---|---|---|', ...rows].join('\n');
}

function triggerTable(rows) {
  const listed = rows.map(({ on, from, guards: before = [], checks = [], when = [], asks, effect, reply, refuse, to, cause }) => {
    const name = reply ?? refuse;
    const said = name === undefined ? '' : `${REPLIES[name].code} \`${name}\``;
    const end = to === 'closed' ? `closed${cause === undefined ? '' : ` (${cause})`}` : (to ?? '');
    const conditions = [...before.filter((guard) => guard !== BUDGET), ...checks, ...when].map(code).join(', ');
    return `| \`${on}\` | ${from.join(', ')} | ${conditions} | ${code(asks)} | ${code(effect)} | ${said} | ${end} |`;
  });
  return ['| | from | if | asks | effect | reply | to |', '|---|---|---|---|---|---|---|', ...listed].join('\n');
}

/** A name as it stands in the tables. */
function code(name) {
  return name === undefined ? '' : `\`${name}\``;
}

/** The rows of a table that is given by what moves it. */
function flat(table) {
  return Object.entries(table).flatMap(([on, rows]) => rows.map((row) => ({ on, ...row })));
}

/** What moves the client from where to where, what has to hold, and what follows. */
function clientTable(table) {
  const named = (calls = []) => calls.map(({ name }) => `\`${name}\``).join(', ');
  const rows = table.map(({ on, from, guards, effects, to, close, misuse }) => {
    const end = misuse === undefined ? (close === undefined ? (to ?? '') : `closed (${close})`) : `throws \`${misuse}\``;
    return `| \`${on}\` | ${from.join(', ')} | ${named(guards)} | ${named(effects)} | ${end} |`;
  });
  return ['| | from | if | does | to |', '|---|---|---|---|---|', ...rows].join('\n');
}

/** The client's guards, in words. */
function wordsOfGuards() {
  const rows = Object.entries({ ...CLIENT.guards, ...TRANSACTION.guards });
  return [
    '| guard | holds if | reads |',
    '|---|---|---|',
    ...rows.map(([name, { what, reads }]) => `| \`${name}\` | ${what} | ${reads.join(', ')} |`),
  ].join('\n');
}

/** Its effects. */
function wordsOfEffects() {
  const rows = Object.entries({ ...CLIENT.effects, ...TRANSACTION.effects }).map(([name, { what, changes = [], tells = [] }]) => {
    return `| \`${name}\` | ${what} | ${changed(always(changes))} | ${tells.join(', ')} |`;
  });
  return ['| effect | | changes | tells |', '|---|---|---|---|', ...rows].join('\n');
}
