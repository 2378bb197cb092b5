// Installs the pinned dependencies with the pinned pnpm; needs only Node and npm.
import { spawnSync } from 'node:child_process';

const args = ['--yes', '--prefer-offline', 'pnpm@12.21.0', 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=silent'];
const { status, error, stderr, stdout } = spawnSync('npx', args, { encoding: 'utf8', shell: process.platform === 'win32' });
if (error) throw error;
// Quiet when all is well: the first line that `npm start` prints is the server's own.
if (status !== 0) process.stderr.write(stdout + stderr);
process.exit(status ?? 1);
