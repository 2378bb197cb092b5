// Runs every `soak:*` of package.json, one after the other; what stands behind `--` is given to each.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const names = Object.keys(scripts).filter((name) => name.startsWith('soak:'));
const failed = names.filter(
  (name) => spawnSync('npm', ['run', '-s', name, '--', ...process.argv.slice(2)], { stdio: 'inherit' }).status !== 0,
);
console.log(failed.length === 0 ? `held: ${names.join(', ')}` : `broken: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
