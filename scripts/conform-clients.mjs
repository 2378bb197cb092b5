// Writes into docs/conform-clients.md what clients of others have come to, as interop has found it; --check compares only.
import { readFileSync } from 'node:fs';
import { between } from './lib/between.mjs';

const record = JSON.parse(readFileSync('scripts/interop/conform-clients.json', 'utf8'));
const VERDICTS = ['conforms', 'permitted', 'inconclusive', 'violates', 'skipped'];
const rows = Object.entries(record).map(([name, { version, ...counts }]) => {
  const [program, ...way] = name.split(', ');
  return `| ${[`${program} ${version}`.trim(), ...way].join(', ')} | ${VERDICTS.map((verdict) => counts[verdict]).join(' | ')} |`;
});
const table = [`| client | ${VERDICTS.join(' | ')} |`, `|---|${'---|'.repeat(VERDICTS.length)}`, ...rows].join('\n');
process.exitCode = between('docs/conform-clients.md', 'clients', table, process.argv.includes('--check')) ? 0 : 1;
