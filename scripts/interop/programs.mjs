// The programs of others that mail is taken from and sent to: which are missing, and how Debian installs them.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Debian's packages, by the program that is wanted of each. */
const PROGRAMS = {
  swaks: 'swaks',
  curl: 'curl',
  python3: 'python3',
  msmtp: 'msmtp',
  openssl: 'openssl',
  'smtp-source': 'postfix',
  aiosmtpd: 'python3-aiosmtpd',
};

/** What is used where it is there, and installed along with the others. */
const BONUS = { gsasl: 'gsasl' };

/** Without these swaks can't do TLS. */
const BESIDE = { swaks: ['libnet-ssleay-perl', 'libio-socket-ssl-perl'] };

/** Debian installs no two mail servers: this one is only unpacked. */
const EXIM = fileURLToPath(new URL('../../node_modules/.cache/exim/', import.meta.url));

/** /usr/sbin is where Debian keeps smtp-source; not everybody has it in PATH. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', join(EXIM, 'usr/sbin')];

/** The full path of a program, or undefined. */
export function find(program) {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** Makes sure that every program is here; installs what is missing if `install`. Returns what is wrong, or null. */
export function provide(install) {
  const wrong = provideInstalled(install);
  if (wrong === null && install && process.getuid?.() === 0 && find('exim4') === undefined) unpackExim();
  return wrong;
}

/** Without it there is one server less to send to. */
function unpackExim() {
  const user = 'id Debian-exim || useradd --system --user-group --no-create-home Debian-exim';
  const unpack = `mkdir -p ${EXIM} && cd ${EXIM} && apt-get download exim4-daemon-light && dpkg -x exim4-daemon-light_*.deb .`;
  spawnSync('sh', ['-c', `apt-get update; (${user}) && ${unpack}`], { stdio: 'ignore' });
}

function provideInstalled(install) {
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
