// Runs every gate but the tests, one line each with its seconds; all run even when one fails.
import { spawnSync } from 'node:child_process';
import { delimiter, resolve } from 'node:path';

const gates = [
  { name: 'style', command: 'biome check . --error-on-warnings --max-diagnostics=200', hint: 'npx biome check --write .' },
  { name: 'dead code', command: 'knip --no-progress', hint: 'what nothing uses is removed, not ignored' },
  { name: 'build', command: 'node scripts/turbo.mjs run build' },
  { name: 'packages', command: 'node scripts/turbo.mjs run pack:check --output-logs=errors-only', hint: 'publint --strict, attw' },
  { name: 'changesets', command: 'node scripts/changesets.mjs' },
  { name: 'jsr', command: 'node scripts/jsr.mjs', hint: 'what JSR would not take' },
  { name: 'sizes', command: 'node scripts/size.mjs', hint: 'node scripts/size.mjs --write, when the growth is worth it' },
  { name: 'generated', command: 'node scripts/generated.mjs --check', hint: 'node scripts/generated.mjs' },
];

const env = { ...process.env, PATH: `${resolve('node_modules/.bin')}${delimiter}${process.env.PATH}` };
const failed = gates.filter((gate) => !run(gate)).map(({ name }) => name);
console.log(
  failed.length === 0
    ? `check: ${gates.length} gates hold`
    : `check: ${failed.length} of ${gates.length} gates failed: ${failed.join(', ')}`,
);
process.exitCode = failed.length > 0 ? 1 : 0;

function run({ name, command, hint }) {
  const start = performance.now();
  const { status, error, stdout, stderr } = spawnSync(command, { shell: true, encoding: 'utf8', env, maxBuffer: 64 * 1024 * 1024 });
  const ok = status === 0;
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(10)}  ${((performance.now() - start) / 1000).toFixed(1)} s`);
  if (!ok) console.log(`\n${stdout ?? ''}${stderr ?? ''}${error ?? ''}\n$ ${command}${hint ? `   (${hint})` : ''}\n`);
  return ok;
}
