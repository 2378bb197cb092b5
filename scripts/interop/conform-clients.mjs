// Clients of others, and ours, examined by `ehlo conform --client`. Of each the counts of verdicts are kept, and a sum of which check came to what, so
// that a change is seen: a client of the same version that comes to other verdicts fails. --interop-write writes them anew.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eximClient, postfixClient } from './conform-mailers.mjs';
import { find } from './programs.mjs';
import { scenario } from './stage.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const RECORD = at('conform-clients.json');
const EHLO = at('../../packages/ehlo/bin/ehlo.js');
const PYTHON = '/usr/bin/python3';

/** How many clients run at a time: most of their time is the start of a process, or a wait. */
const SESSIONS = '6';

/** What is asked of a client that asks for STARTTLS and authenticates: the checks of these, for the others were run without. */
const LOGIN = ['--tls', '--auth', '--only', '3207', '--only', '4954'];

const CLIENTS = [
  {
    name: 'curl',
    version: () => printed('curl', ['--version'], /^curl (\S+)/),
    exec: 'curl -sS --max-time 8 --url smtp://{host}:{port}/client.example --mail-from {from} {each:--mail-rcpt $} -T {message}',
  },
  {
    name: 'swaks',
    version: () => printed('swaks', ['--version'], /swaks version (\S+)/),
    exec: 'swaks --server {host} --port {port} --ehlo client.example --timeout 8 --from {from} --to {commas} --data @{message-lf} --suppress-data --silent 3',
  },
  {
    name: 'msmtp',
    version: () => printed('msmtp', ['--version'], /^msmtp version (\S+)/),
    exec: 'msmtp --file=/dev/null --host={host} --port={port} --domain=client.example --timeout=8 --from={from} {recipients} < {message-lf}',
  },
  {
    name: 'smtplib',
    version: () => printed(PYTHON, ['--version'], /^Python (\S+)/),
    exec: `${PYTHON} ${at('conform-send.py')} SMTP {host} {port} {from} {message} {recipients}`,
  },
  { name: 'nodemailer', version: () => '10.6.0', exec: `node ${at('conform-send.mjs')} {host} {port} {from} {message} {recipients}` },
  {
    name: 'swaks, LMTP',
    version: () => printed('swaks', ['--version'], /swaks version (\S+)/),
    how: ['--lmtp'],
    exec: 'swaks --protocol LMTP --server {host} --port {port} --lhlo client.example --timeout 8 --from {from} --to {commas} --data @{message-lf} --suppress-data --silent 3',
  },
  {
    name: 'smtplib, LMTP',
    version: () => printed(PYTHON, ['--version'], /^Python (\S+)/),
    how: ['--lmtp'],
    exec: `${PYTHON} ${at('conform-send.py')} LMTP {host} {port} {from} {message} {recipients}`,
  },
  {
    name: 'curl, TLS and AUTH',
    version: () => printed('curl', ['--version'], /^curl (\S+)/),
    how: LOGIN,
    exec: 'curl -sS --max-time 8 --ssl-reqd -k -u ann:secret --url smtp://{host}:{port}/client.example --mail-from {from} {each:--mail-rcpt $} -T {message}',
  },
  {
    name: 'msmtp, TLS and AUTH',
    version: () => printed('msmtp', ['--version'], /^msmtp version (\S+)/),
    how: LOGIN,
    exec: 'msmtp --file=/dev/null --host={host} --port={port} --tls=on --tls-certcheck=off --auth=on --user=ann --passwordeval="echo secret" --domain=client.example --timeout=8 --from={from} {recipients} < {message-lf}',
  },
  {
    name: 'smtplib, TLS and AUTH',
    version: () => printed(PYTHON, ['--version'], /^Python (\S+)/),
    how: LOGIN,
    exec: `${PYTHON} ${at('conform-send.py')} SMTP {host} {port} {from} {message} {recipients} --login ann secret`,
  },
  {
    name: 'ehlo send, TLS and AUTH',
    version: () => '',
    own: true,
    how: LOGIN,
    exec: `EHLO_PASSWORD=secret node ${EHLO} send --server {host}:{port} --tls required --tls-insecure --auth-user ann --hostname client.example --timeout 8 --from {from} {each:--to $} {message}`,
  },
  {
    name: 'ehlo send',
    version: () => '',
    own: true,
    exec: `node ${EHLO} send --server {host}:{port} --tls none --hostname client.example --timeout 8 --from {from} {each:--to $} {message}`,
  },
];

/** Mailers, of which each has a queue. */
const MAILERS = [
  { name: 'Postfix', version: () => printed('postconf', ['-hd', 'mail_version'], /^(\S+)/), start: postfixClient },
  { name: 'Exim', version: () => printed(find('exim4'), ['-C', '/dev/null', '-bV'], /^Exim version (\S+)/), start: eximClient },
];

/** Our engine without sockets. */
const ENGINE = { version: () => '', own: true, how: ['--shim', `node ${at('../../examples/conform-shim.mjs')}`] };
const ENGINES = {
  'our engine as a client, without sockets': { ...ENGINE, name: 'our engine' },
  'our engine as a client, under TLS that it is told of': { ...ENGINE, name: 'our engine, TLS', how: ['--tls', ...ENGINE.how] },
  'our engine as a client, LMTP': { ...ENGINE, name: 'our engine, LMTP', how: ['--lmtp', ...ENGINE.how] },
};

export const conformClientScenarios = [
  ...CLIENTS.map((client) => ({ name: `conform: ${client.name} as a client`, run: () => examine(client) })),
  ...MAILERS.flatMap((mailer) => [asMailer(mailer, 'smtp', mailer.name), asMailer(mailer, 'lmtp', `${mailer.name}, LMTP`)]),
  ...Object.entries(ENGINES).map(([name, client]) => ({ name: `conform: ${name}`, run: () => examine(client) })),
];

function asMailer({ version, start }, protocol, name) {
  const run = async (stage) => examine({ name, version, how: protocol === 'lmtp' ? ['--lmtp'] : [], exec: await start(stage, protocol) });
  return { ...scenario(`conform: ${name} as a client`, run), root: true };
}

async function examine({ name, version, exec, how = [], own = false }) {
  const command = exec === undefined ? [] : ['--exec', exec];
  const child = spawn('node', [EHLO, 'conform', '--client', '--format', 'json', '--sessions', SESSIONS, ...how, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part) => {
    errors += part;
  });
  const [code] = await once(child, 'close');
  if (code > 1) throw new Error(`ehlo conform ended with ${code}: ${errors}`);
  const { findings, counts: found } = JSON.parse(text);
  const { conforms, permitted, inconclusive, violates, skipped } = found;
  const counts = { conforms, permitted, inconclusive, violates, skipped };
  // Of ours nothing is left open that a sentence of a standard does not permit.
  const bad = findings.filter(({ verdict }) => own && (verdict === 'violates' || verdict === 'inconclusive'));
  if (bad.length > 0) throw new Error(bad.map(({ id, because, dialogue }) => `${id}: ${because}\n${JSON.stringify(dialogue)}`).join('\n'));
  const verdicts = findings.map(({ id, verdict }) => `${id} ${verdict}`).join('\n');
  keep(name, { version: version(), ...counts, sum: createHash('sha256').update(verdicts).digest('hex').slice(0, 16) });
}

/** Holds what came against what is kept; a client that is not kept is. */
function keep(name, found) {
  const record = JSON.parse(readFileSync(RECORD, 'utf8'));
  const known = record[name];
  if (known === undefined || process.argv.includes('--interop-write')) {
    writeFileSync(RECORD, `${JSON.stringify({ ...record, [name]: found }, null, 2)}\n`);
    return;
  }
  if (known.version === found.version && JSON.stringify(known) !== JSON.stringify(found))
    throw new Error(`${name} has come to other verdicts: ${JSON.stringify(found)}, not ${JSON.stringify(known)}`);
}

function printed(command, options, pattern) {
  const { stdout = '' } = spawnSync(command, options, { encoding: 'utf8' });
  return pattern.exec(stdout)?.[1] ?? 'unknown';
}
