// Publishes to JSR what Deno needs: `@ehlo/deno`, all that it stands on, `@ehlo/sasl` and `@ehlo/testing`, from their sources. Without --publish nothing leaves this
// machine: it is only checked that JSR would take them. What deno.json says follows from package.json.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const PACKAGES = ['grammar', 'engine', 'sasl', 'driver', 'message', 'testing', 'node', 'deno'];
const DENO = resolve('packages/deno/node_modules/deno/deno');

const folder = mkdtempSync(join(tmpdir(), 'ehlo-jsr-'));
try {
  for (const name of PACKAGES) lay(name);
  write('deno.json', { workspace: PACKAGES.map((name) => `./${name}`), nodeModulesDir: 'manual' });
  // The types of node:*, which JSR has by itself.
  link('@types/node', 'node_modules/@types/node');
  const how = process.argv.includes('--publish') ? [] : ['--dry-run'];
  const { status } = spawnSync(DENO, ['publish', '--allow-dirty', ...how], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, NO_COLOR: '1' },
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A package as JSR wants it. */
function lay(name) {
  const from = `packages/${name}`;
  const { name: full, version, license, exports, dependencies = {} } = JSON.parse(readFileSync(`${from}/package.json`, 'utf8'));
  mkdirSync(join(folder, name));
  const parts = readdirSync(from).filter((part) => part === 'src' || part.endsWith('.md'));
  for (const part of parts) cpSync(`${from}/${part}`, join(folder, name, part), { recursive: true });
  cpSync('LICENSE', join(folder, name, 'LICENSE'));
  const entries = Object.entries(exports).map(([key, conditions]) => [key, conditions['@ehlo/source']]);
  const foreign = Object.entries(dependencies).filter(([, wanted]) => !wanted.startsWith('workspace:'));
  for (const [dependency] of foreign) link(dependency, `${from}/node_modules/${dependency}`);
  const imports = Object.fromEntries(foreign.map(([dependency, wanted]) => [dependency, `npm:${dependency}@${wanted}`]));
  write(`${name}/deno.json`, { name: full, version, license, exports: Object.fromEntries(entries), imports });
}

function link(dependency, from) {
  const path = join(folder, 'node_modules', dependency);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(resolve(from), path);
}

function write(path, content) {
  writeFileSync(join(folder, path), `${JSON.stringify(content, null, 2)}\n`);
}
