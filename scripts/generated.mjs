// Writes every generated document again; with --check, fails when one of them is out of date.
import { spawnSync } from 'node:child_process';

// Contract of a generator: it writes its document, and with --check compares instead and exits 1 when they differ.
const generators = [
  { document: 'docs/size.md', command: ['scripts/size.mjs', '--table'] },
  { document: 'docs/grammar.md', command: ['scripts/grammar-coverage.mjs'] },
  { document: 'docs/interop.md', command: ['scripts/interop-table.mjs'] },
  { document: 'docs/decisions/README.md', command: ['scripts/decisions.mjs'] },
  { document: 'docs/options.md, and the docstrings of options', command: ['scripts/options.mjs'] },
  { document: 'docs/relay.schema.json, and the options in docs/relay.md', command: ['scripts/relay-options.mjs'] },
  { document: 'docs/state-machine.md', command: ['scripts/state-machine.mjs'] },
  {
    document: 'docs/states.dot, docs/states-client.dot, and the state spaces in docs/state-machine.md',
    command: ['scripts/state-space.mjs'],
  },
  { document: 'test-vectors/states.json, and that of packages/web', command: ['scripts/states.mjs'] },
  { document: 'docs/conform.md', command: ['scripts/conform-table.mjs'] },
  { document: 'docs/conformance.md', command: ['scripts/conformance.mjs'] },
  { document: 'docs/conform-clients.md', command: ['scripts/conform-clients.mjs'] },
];

const check = process.argv.includes('--check');
const stale = generators.filter((generator) => !run(generator));
for (const { document, command } of stale) console.error(`${document} is out of date: node ${command.join(' ')}`);
process.exitCode = stale.length > 0 ? 1 : 0;

function run({ command }) {
  const { status } = spawnSync(process.execPath, check ? [...command, '--check'] : command, { stdio: 'inherit' });
  return status === 0;
}
