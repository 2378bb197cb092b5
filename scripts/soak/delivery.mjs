// As many messages as one likes through the machine of delivery, in a world of tables with all its faults (docs/delivery.md): one file of plain
// JavaScript, so that nothing but what it does is measured. `--messages 100000` for fewer, `--seed 7` for
// other ones.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({ options: { messages: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } } });
const [messages, seed] = [Number(values.messages), Number(values.seed)];
const folder = mkdtempSync(join(tmpdir(), 'ehlo-soak-'));
try {
  const outfile = join(folder, 'world.mjs');
  const stdin = {
    contents: "export { hostTables, MASS_FAULTS, runMass } from './mass.ts';",
    resolveDir: 'packages/proof/test/world',
    loader: 'ts',
  };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', conditions: ['@ehlo/source'], logLevel: 'error' });
  const { hostTables, MASS_FAULTS, runMass } = await import(pathToFileURL(outfile).href);
  const tables = await hostTables(MASS_FAULTS);
  const from = process.cpuUsage();
  const { story: _, ...sums } = runMass({ seed, messages, days: 5, faults: MASS_FAULTS }, tables);
  const { user, system } = process.cpuUsage(from);
  console.log(JSON.stringify({ messages, seed, ...sums }, null, 2));
  console.log(`${((user + system) / 1e6).toFixed(1)} s of processor time, ${((user + system) / messages).toFixed(0)} µs a message`);
  process.exitCode = sums.violations.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
