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
  go: 'golang-go',
  unbound: 'unbound',
  'ldns-signzone': 'ldnsutils',
  postgres: 'postgresql',
};

/** What is used where it is there, and installed along with the others. */
const BONUS = { gsasl: 'gsasl' };

/** Those that Debian does not install side by side with the others, and how they are unpacked. */
const UNPACK = { exim4: 'unpack-exim.sh', opensmtpd: 'unpack-opensmtpd.sh', workerd: 'unpack-workerd.sh' };

/** What a scenario needs, by the words of its name. */
const NEEDS = [
  [/\bswaks\b|^HAProxy|^nginx/, 'swaks'],
  [/\bcurl\b/, 'curl'],
  [/\bsmtplib\b|\bPython\b|Cyrus SASL|^a terminal|aiosmtpd|Postfix.* as a client/, 'python3'],
  [/\bby Go\b|go-smtp/, 'go'],
  [/OpenSMTPD/, 'opensmtpd'],
  [/\bmsmtp\b/, 'msmtp'],
  [/\bopenssl\b|unbound/, 'openssl'],
  [/smtp-source|smtp-sink|posttls-finger|Postfix/, 'smtp-source'],
  [/Cyrus SASL|Postfix/, 'saslpasswd2'],
  [/aiosmtpd/, 'aiosmtpd'],
  [/a browser|^Chromium/, 'chromium'],
  [/HAProxy/, 'haproxy'],
  [/^nginx/, 'nginx'],
  [/\bgsasl\b/, 'gsasl'],
  [/Exim/, 'exim4'],
  [/unbound/, 'unbound'],
  [/unbound/, 'ldns-signzone'],
  [/Workers/, 'workerd'],
  [/PostgreSQL/, 'postgres'],
];

/** Without these swaks can't do TLS, Cyrus SASL has no mechanism, and nginx no mail. */
const BESIDE = {
  swaks: ['libnet-ssleay-perl', 'libio-socket-ssl-perl'],
  saslpasswd2: ['libsasl2-modules'],
  go: ['golang-github-emersion-go-smtp-dev', 'golang-github-emersion-go-sasl-dev'],
  nginx: ['libnginx-mod-mail'],
};

/** Where Debian keeps the sources of Go's modules. */
export const GO_MODULES = '/usr/share/gocode';

/** nginx loads it by its path. */
export const NGINX_MAIL = '/usr/lib/nginx/modules/ngx_mail_module.so';

/** Exim and OpenSMTPD are no neighbours of Postfix for Debian, and workerd comes from npm and is too large to be installed with everything else: they are unpacked here. */
const UNPACKED = fileURLToPath(new URL('../../node_modules/.cache/interop', import.meta.url));

/** /usr/sbin is where Debian keeps smtp-source; not everybody has it in PATH. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', UNPACKED];

/** Debian has a folder here for each version of PostgreSQL. */
const POSTGRES = '/usr/lib/postgresql';

/** The full path of a program, or undefined. */
export function find(program) {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : [];
  const folders = [...FOLDERS, ...versions.map((version) => join(POSTGRES, version, 'bin'))];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** What each package is a version of, for whom a failure puzzles; empty where Debian's tools are not. */
export function versions() {
  const packages = Object.values({ ...PROGRAMS, ...BONUS }).join(' ');
  const { stdout } = spawnSync('sh', ['-c', `dpkg-query -W ${packages} | tr '\\t' ' '`], { encoding: 'utf8' });
  const exim = find('exim4') === undefined ? '' : spawnSync(find('exim4'), ['-C', '/dev/null', '-bV'], { encoding: 'utf8' }).stdout;
  return [...(stdout ?? '').trim().split('\n'), ...(/^Exim version \S+/.exec(exim) ?? [])].filter((line) => line !== '');
}

/**
 * Makes sure that what scenarios of these names need is here, or with `all` every program there is one of; installs what is missing if `install`.
 * Returns what is wrong, or null.
 */
export function provide(names, all, install) {
  const debian = { ...PROGRAMS, ...BONUS };
  const known = [...Object.keys(debian), ...Object.keys(UNPACK)];
  const needed = NEEDS.filter(([words, program]) => names.some((name) => words.test(name)) && (install || BONUS[program] === undefined));
  const wanted = all && install ? known : needed.map(([, program]) => program);
  const missing = known.filter((program) => wanted.includes(program) && !isHere(program));
  if (missing.length === 0) return null;
  const packages = missing.flatMap((program) => [debian[program] ?? [], BESIDE[program] ?? []].flat());
  const steps = [
    'apt-get update',
    ...(packages.length === 0 ? [] : [`DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${packages.join(' ')}`]),
    ...missing.flatMap((program) =>
      UNPACK[program] === undefined ? [] : [`sh "${fileURLToPath(new URL(UNPACK[program], import.meta.url))}" "${UNPACKED}"`],
    ),
  ];
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  const asRoot = `${sudo}sh -c '${steps.join(' && ')}'`;
  if (!install) return `missing: ${missing.join(', ')}. Install with --install, or on Debian by:\n  ${asRoot}`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', asRoot], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) return `could not install ${missing.join(', ')}:\n${stdout}${stderr}`;
  const still = missing.filter((program) => !isHere(program));
  return still.length === 0 ? null : `all is installed, but there is no ${still.join(', ')}`;
}

/** With what it can't do without. */
function isHere(program) {
  if (program === 'saslpasswd2' && !libraries().some((folder) => existsSync(join(folder, 'sasl2', 'libscram.so')))) return false;
  if (program === 'go' && !existsSync(`${GO_MODULES}/src/github.com/emersion/go-sasl`)) return false;
  if (program === 'opensmtpd' && !/^opensmtpq:/m.test(readFileSync('/etc/passwd', 'utf8'))) return false;
  if (program === 'nginx' && !existsSync(NGINX_MAIL)) return false;
  if (program === 'exim4' && !/^Debian-exim:/m.test(readFileSync('/etc/passwd', 'utf8'))) return false;
  return find(program) !== undefined;
}

/** Debian keeps libraries in a folder for each architecture. */
function libraries() {
  return readdirSync('/usr/lib').map((name) => join('/usr/lib', name));
}
