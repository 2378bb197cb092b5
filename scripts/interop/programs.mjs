// The programs of others that mail is taken from and sent to: which are missing, and how Debian installs them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
  saslpasswd2: 'sasl2-bin',
  aiosmtpd: 'python3-aiosmtpd',
  chromium: 'chromium',
  haproxy: 'haproxy',
  nginx: 'nginx',
};

/** What is used where it is there, and installed along with the others. */
const BONUS = { gsasl: 'gsasl' };

/** Without these swaks can't do TLS, Cyrus SASL has no mechanism, and nginx no mail. */
const BESIDE = {
  swaks: ['libnet-ssleay-perl', 'libio-socket-ssl-perl'],
  saslpasswd2: ['libsasl2-modules'],
  nginx: ['libnginx-mod-mail'],
};

/** nginx loads it by its path. */
export const NGINX_MAIL = '/usr/lib/nginx/modules/ngx_mail_module.so';

/** Exim is no neighbour of Postfix for Debian: it is unpacked here. */
const UNPACKED = fileURLToPath(new URL('../../node_modules/.cache/interop', import.meta.url));
const UNPACK = fileURLToPath(new URL('unpack-exim.sh', import.meta.url));
/** It comes from npm, and is too large to be installed with everything else. */
const UNPACK_WORKERD = fileURLToPath(new URL('unpack-workerd.sh', import.meta.url));

/** /usr/sbin is where Debian keeps smtp-source; not everybody has it in PATH. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', UNPACKED];

/** The full path of a program, or undefined. */
export function find(program) {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** What each package is a version of, for whom a failure puzzles; empty where Debian's tools are not. */
export function versions() {
  const packages = Object.values({ ...PROGRAMS, ...BONUS }).join(' ');
  const { stdout } = spawnSync('sh', ['-c', `dpkg-query -W ${packages} | tr '\\t' ' '`], { encoding: 'utf8' });
  const exim = find('exim4') === undefined ? '' : spawnSync(find('exim4'), ['-C', '/dev/null', '-bV'], { encoding: 'utf8' }).stdout;
  return [...(stdout ?? '').trim().split('\n'), ...(/^Exim version \S+/.exec(exim) ?? [])].filter((line) => line !== '');
}

/** Makes sure that every program is here; installs what is missing if `install`. Returns what is wrong, or null. */
export function provide(install) {
  const wanted = install ? { ...PROGRAMS, ...BONUS } : PROGRAMS;
  const missing = Object.keys(wanted).filter((program) => !isHere(program));
  const exim = isHere('exim4') ? [] : ['exim4'];
  const workerd = isHere('workerd') ? [] : ['workerd'];
  if (missing.length + exim.length + workerd.length === 0) return null;
  const packages = missing.flatMap((program) => [wanted[program], ...(BESIDE[program] ?? [])]);
  const steps = [
    'apt-get update',
    ...(packages.length === 0 ? [] : [`DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages.join(' ')}`]),
    ...exim.map(() => `sh "${UNPACK}" "${UNPACKED}"`),
    ...workerd.map(() => `sh "${UNPACK_WORKERD}" "${UNPACKED}"`),
  ];
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  const asRoot = `${sudo}sh -c '${steps.join(' && ')}'`;
  const names = [...missing, ...exim, ...workerd];
  if (!install) return `missing: ${names.join(', ')}. Install with --install, or on Debian by:\n  ${asRoot}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', asRoot], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) return `could not install ${names.join(', ')}:\n${stdout}${stderr}`;
  const still = names.filter((program) => !isHere(program));
  return still.length === 0 ? null : `all is installed, but there is no ${still.join(', ')}`;
}

/** With what it can't do without. */
function isHere(program) {
  if (program === 'saslpasswd2' && !libraries().some((folder) => existsSync(join(folder, 'sasl2', 'libscram.so')))) return false;
  if (program === 'nginx' && !existsSync(NGINX_MAIL)) return false;
  if (program === 'exim4' && !/^Debian-exim:/m.test(readFileSync('/etc/passwd', 'utf8'))) return false;
  return find(program) !== undefined;
}

/** Debian keeps libraries in a folder for each architecture. */
function libraries() {
  return readdirSync('/usr/lib').map((name) => join('/usr/lib', name));
}
