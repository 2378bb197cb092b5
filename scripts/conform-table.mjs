// Lists in docs/conform.md how many checks the servers of others come to what by, as scripts/interop/conform.json has them; --check compares only.
import { readFileSync } from 'node:fs';
import { between } from './lib/between.mjs';

const VERDICTS = ['conforms', 'permitted', 'inconclusive', 'violates', 'skipped'];
const peers = JSON.parse(readFileSync('scripts/interop/conform.json', 'utf8'));
const rows = Object.entries(peers).map(([name, { counts }]) => `| ${[name, ...VERDICTS.map((verdict) => counts[verdict])].join(' | ')} |`);
const table = [`| server | ${VERDICTS.join(' | ')} |`, `|---|${VERDICTS.map(() => '---|').join('')}`, ...rows].join('\n');
process.exitCode = between('docs/conform.md', 'examined', table, process.argv.includes('--check')) ? 0 : 1;
