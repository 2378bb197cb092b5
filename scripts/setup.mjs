// Installs the pinned dependencies with the pinned pnpm, and does nothing when they are already there; needs only Node and npm.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const STAMP = 'node_modules/.ehlo-setup';
const INSTALLED = 'node_modules/.pnpm/lock.yaml';
const packages = readdirSync('packages').filter((name) => existsSync(`packages/${name}/package.json`));

if (!upToDate()) {
  install();
  writeFileSync(STAMP, fingerprint());
}

function upToDate() {
  if (!existsSync(STAMP) || !existsSync(INSTALLED) || packages.some(lacksModules)) return false;
  return readFileSync(STAMP, 'utf8') === fingerprint();
}

/** What was asked for (manifests, lockfile, settings) and what is there (pnpm's own record of the last install). */
function fingerprint() {
  const manifests = packages.map((name) => `packages/${name}/package.json`);
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${process.cwd()}`);
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', INSTALLED, ...manifests]) {
    hash.update(`\0${file}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

function lacksModules(name) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'));
  return Object.keys({ ...dependencies, ...devDependencies }).some((dep) => !existsSync(`packages/${name}/node_modules/${dep}`));
}

function install() {
  const { packageManager } = JSON.parse(readFileSync('package.json', 'utf8'));
  // `npm run -s` hands its silence down by environment: an error must be heard all the same.
  const npx = ['--yes', '--prefer-offline', '--loglevel=error', packageManager];
  const args = [...npx, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'];
  const { status, error, stderr, stdout } = spawnSync('npx', args, { encoding: 'utf8', shell: process.platform === 'win32' });
  if (error) throw error;
  if (status === 0) return;
  // Quiet when all is well: the first line that `npm start` prints is the server's own.
  process.stderr.write(`setup: ${packageManager} install failed\n${stdout}${stderr}`);
  process.exit(status ?? 1);
}
