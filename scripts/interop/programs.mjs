// The programs of others that mail is taken from: which are missing, and how Debian installs them.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian's packages, by the program that is wanted of each. */
const PROGRAMS = {
  swaks: 'swaks',
  curl: 'curl',
  python3: 'python3',
  msmtp: 'msmtp',
  openssl: 'openssl',
  'smtp-source': 'postfix',
  chromium: 'chromium',
};

/** What is used where it is there, and installed along with the others. */
const BONUS = { gsasl: 'gsasl' };

/** Without these swaks can't do TLS. */
const BESIDE = { swaks: ['libnet-ssleay-perl', 'libio-socket-ssl-perl'] };

/** /usr/sbin is where Debian keeps smtp-source; not everybody has it in PATH. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];

/** The full path of a program, or undefined. */
export function find(program) {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** Makes sure that every program is here; installs what is missing if `install`. Returns what is wrong, or null. */
export function provide(install) {
  const wanted = install ? { ...PROGRAMS, ...BONUS } : PROGRAMS;
  const missing = Object.keys(wanted).filter((program) => find(program) === undefined);
  if (missing.length === 0) return null;
  const packages = missing.flatMap((program) => [wanted[program], ...(BESIDE[program] ?? [])]);
  const command = `apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  const asRoot = `${sudo}sh -c '${command}'`;
  if (!install) return `missing: ${missing.join(', ')}. Install with --install, or on Debian by:\n  ${asRoot}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', asRoot], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) return `could not install ${packages.join(', ')}:\n${stdout}${stderr}`;
  const still = missing.filter((program) => find(program) === undefined);
  return still.length === 0 ? null : `${packages.join(', ')} are installed, but there is no ${still.join(', ')}`;
}
