// The state spaces of the server and of the client: counts of their states and edges into docs/state-machine.md, and their graphs by phases into
// docs/states.dot and docs/states-client.dot; --check compares only. `--dot SETUP` prints the graph of a setup, whole; that of a client is client/SETUP.
// Runs after a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { CLIENT_SETUPS } from '../packages/proof/dist/client-space/setups.js';
import { walkClient } from '../packages/proof/dist/client-space/walk.js';
import { SETUPS } from '../packages/proof/dist/space/setups.js';
import { walk } from '../packages/proof/dist/space/walk.js';
import { between } from './lib/between.mjs';

const FILE = 'docs/state-machine.md';

/** What is walked, and where what was found goes. */
const SIDES = {
  server: { setups: SETUPS, walk, graph: 'docs/states.dot', block: 'space' },
  client: { setups: CLIENT_SETUPS, walk: walkClient, graph: 'docs/states-client.dot', block: 'client-space' },
};

const flag = process.argv[2];
if (flag === '--dot') {
  const name = process.argv[3];
  const edges = name?.startsWith('client/') ? edgesOf(SIDES.client, name.slice('client/'.length)) : edgesOf(SIDES.server, name);
  process.stdout.write(graph(name, edges));
} else process.exitCode = Object.entries(SIDES).map(write).every(Boolean) ? 0 : 1;

/** Whether all is as it was, or has been written. */
function write([name, side]) {
  const check = flag === '--check';
  const setups = Object.keys(side.setups).map((setup) => ({ name: setup, edges: edgesOf(side, setup) }));
  const phases = setups.flatMap(({ edges }) => edges.map(({ from, act, to }) => ({ from: phaseOf(from), act, to: phaseOf(to) })));
  const drawn = graph(name, phases);
  const same = check && readFileSync(side.graph, 'utf8') === drawn;
  if (!check) writeFileSync(side.graph, drawn);
  return between(FILE, side.block, table(setups), check) && (same || !check);
}

/** All that leads from one state of a setup to another. */
function edgesOf(side, name) {
  const options = side.setups[name];
  if (options === undefined)
    throw new Error(`--dot takes one of ${Object.keys(SETUPS).join(', ')}, and client/ with ${Object.keys(CLIENT_SETUPS).join(', ')}`);
  const edges = [];
  side.walk(options, ({ from, act, to }) => edges.push({ from: from.name, act: act.name, to: to.name }));
  return edges;
}

function table(setups) {
  const rows = setups.map(({ name, edges }) => {
    const states = new Set(edges.flatMap(({ from, to }) => [from, to]));
    return { name, states: states.size, edges: edges.length, phases: new Set([...states].map(phaseOf)).size };
  });
  const sum = (what) => rows.reduce((all, row) => all + row[what], 0);
  return [
    '| setup | states | edges | phases |',
    '|---|---|---|---|',
    ...rows.map(({ name, states, edges, phases }) => `| ${name} | ${states} | ${edges} | ${phases} |`),
    `| all | ${sum('states')} | ${sum('edges')} | |`,
  ].join('\n');
}

function phaseOf(name) {
  return name.split(/[ ,]/, 1)[0];
}

/** A graph, in the language of Graphviz: what leads from one node to another stands on one edge. */
function graph(name, edges) {
  const labels = new Map();
  for (const { from, act, to } of edges) {
    const key = `${quoted(from)} -> ${quoted(to)}`;
    labels.set(key, (labels.get(key) ?? new Set()).add(act));
  }
  const lines = [...labels].map(([key, acts]) => `  ${key} [label=${quoted([...acts].join('\n'))}];`);
  return `digraph ${quoted(name)} {\n  node [shape=box];\n${lines.join('\n')}\n}\n`;
}

function quoted(text) {
  return JSON.stringify(text);
}
