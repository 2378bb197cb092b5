// The servers of others, each started in a folder of its own: { port, tlsPort, received(), stop() }. `received` gives the messages, in latin1.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stopMaster } from './master.mjs';
import { find, GO_MODULES } from './programs.mjs';
import { startServer } from './server.mjs';

export const CERTS = fileURLToPath(new URL('../../packages/node/test/certs/', import.meta.url));
export const USER = { name: 'tim', password: 'correct horse' };
/** What Postfix has by Cyrus SASL. */
export const CYRUS = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];
const REALM = 'peer.example';
const PATIENCE = 30_000;

/** Whether this process may start servers that change to a user of their own. */
const isRoot = process.getuid?.() === 0;

/** Postfix's own: it takes everything, and writes what it got to files. */
export async function startSink() {
  const folder = newFolder();
  writeFileSync(join(folder, 'main.cf'), 'compatibility_level = 3.6\n');
  const port = await freePort();
  const user = isRoot ? ['-u', 'nobody'] : [];
  chmodSync(folder, 0o777);
  const args = [...user, '-d', join(folder, 'message.'), `127.0.0.1:${port}`, '100'];
  const child = spawn(find('smtp-sink'), args, { env: { ...process.env, MAIL_CONFIG: folder }, stdio: 'ignore' });
  await listening(port, child);
  // It writes lines with LF, behind fields of its own, and an empty one behind all.
  const read = (name) => readFileSync(join(folder, name), 'latin1').replaceAll('\n', '\r\n').slice(0, -2);
  return {
    port,
    received: () => files(folder, /^message\./).map(read),
    stop: () => end(child, folder),
  };
}

/** aiosmtpd, by a program of ours that keeps what it gives. */
export async function startAiosmtpd(mode) {
  const folder = newFolder();
  const script = fileURLToPath(new URL('receive.py', import.meta.url));
  const args = [script, folder, join(CERTS, 'server.crt'), join(CERTS, 'server.key'), mode, USER.name, USER.password];
  const child = spawn('/usr/bin/python3', args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(child.stdout, 'data');
  return {
    port: Number(line),
    received: () => files(folder, /^\d+$/).map((name) => readFileSync(join(folder, name), 'latin1')),
    stop: () => end(child, folder),
  };
}

/** Postfix, which passes everything on to a server of ours. */
export async function startPostfix() {
  const folder = newFolder();
  chmodSync(folder, 0o755);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const behind = await startServer('--raw');
  const path = (name) => join(folder, name);
  for (const name of ['etc', 'etc/sasl', 'queue', 'log', 'tls', 'data']) mkdirSync(path(name));
  for (const [id, name] of [['postfix', 'data']]) chownSync(path(name), number('-u', id), number('-g', id));
  copyCertificate(path('tls'));
  const settings = {
    compatibility_level: '3.6',
    queue_directory: path('queue'),
    data_directory: path('data'),
    command_directory: '/usr/sbin',
    daemon_directory: '/usr/lib/postfix/sbin',
    maillog_file: path('log/mail.log'),
    maillog_file_prefixes: folder,
    inet_interfaces: 'loopback-only',
    inet_protocols: 'ipv4',
    myhostname: 'peer.example',
    mydestination: '',
    local_recipient_maps: '',
    alias_maps: '',
    relay_domains: 'static:ALL',
    mynetworks: '127.0.0.0/8',
    smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: path('tls/server.crt'),
    smtpd_tls_key_file: path('tls/server.key'),
    smtpd_sasl_auth_enable: 'yes',
    smtpd_sasl_type: 'cyrus',
    smtpd_sasl_local_domain: REALM,
    smtpd_sasl_authenticated_header: 'yes',
    smtpd_tls_auth_only: 'yes',
    cyrus_sasl_config_path: path('etc/sasl'),
    // Nothing is added to a message but what every server adds.
    local_header_rewrite_clients: '',
    smtp_dns_support_level: 'disabled',
    smtp_host_lookup: 'native',
    default_transport: `smtp:[127.0.0.1]:${behind.port}`,
    relay_transport: `smtp:[127.0.0.1]:${behind.port}`,
    smtpd_client_connection_rate_limit: '0',
    smtpd_client_connection_count_limit: '0',
  };
  writeFileSync(
    path('etc/main.cf'),
    Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
  );
  cyrusUser(path);
  const services = [
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
  ];
  for (const name of ['bounce', 'defer', 'trace']) services.push(`${name} unix - - n - 0 bounce`);
  for (const name of ['smtp', 'relay']) services.push(`${name} unix - - n - - smtp`);
  for (const name of ['error', 'retry']) services.push(`${name} unix - - n - - error`);
  services.push(
    'rewrite unix - - n - - trivial-rewrite',
    'proxymap unix - - n - - proxymap',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
  );
  services.push(
    'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush',
    'showq unix n - n - - showq',
    'postlog unix-dgram n - n - 1 postlogd',
  );
  services.push(`127.0.0.1:${port} inet n - n - - smtpd`, `127.0.0.1:${tlsPort} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes`);
  writeFileSync(path('etc/master.cf'), `${services.join('\n')}\n`);
  const postfix = (command) => spawnSync(find('postfix'), ['-c', path('etc'), command], { stdio: 'ignore' });
  postfix('check');
  const child = spawn(find('postfix'), ['-c', path('etc'), 'start-fg'], { stdio: 'ignore' });
  await listening(port, child);
  return {
    port,
    tlsPort,
    received: () => behind.list('new').map((name) => behind.read(name)),
    async stop() {
      await stopMaster(path('queue'));
      await behind.stop();
      behind.remove();
      await end(child, folder);
    },
  };
}

/** Cyrus SASL has a database of its own, with the password as it is: what every mechanism can be served by. */
function cyrusUser(path) {
  const database = path('data/sasldb');
  const args = ['-p', '-c', '-f', database, '-u', REALM, USER.name];
  const { status, stderr } = spawnSync(find('saslpasswd2'), args, { input: USER.password, encoding: 'utf8' });
  if (status !== 0) throw new Error(`saslpasswd2 ended with ${status}: ${stderr}`);
  chownSync(database, number('-u', 'postfix'), number('-g', 'postfix'));
  const settings = ['pwcheck_method: auxprop', 'auxprop_plugin: sasldb', `sasldb_path: ${database}`, `mech_list: ${CYRUS.join(' ')}`];
  writeFileSync(path('etc/sasl/smtpd.conf'), `${settings.join('\n')}\n`);
}

/** Exim, which files everything. */
export async function startExim() {
  const folder = newFolder();
  chmodSync(folder, 0o755);
  const [port, tlsPort] = [await freePort(), await freePort()];
  const path = (name) => join(folder, name);
  const [user, group] = [number('-u', 'Debian-exim'), number('-g', 'Debian-exim')];
  for (const name of ['spool', 'log', 'mail']) {
    mkdirSync(path(name));
    chownSync(path(name), user, group);
  }
  copyCertificate(folder);
  chownSync(path('server.key'), user, group);
  const { name, password } = USER;
  const authenticator = (title, mechanism, ...lines) => [`${title}:`, `  driver = ${mechanism}`, ...lines.map((line) => `  ${line}`)];
  const config = [
    `exim_path = ${find('exim4')}`,
    `spool_directory = ${path('spool')}`,
    `log_file_path = ${path('log/%slog')}`,
    `pid_file_path = ${path('exim.pid')}`,
    'primary_hostname = peer.example',
    `local_interfaces = <; [127.0.0.1]:${port} ; [127.0.0.1]:${tlsPort}`,
    `tls_on_connect_ports = ${tlsPort}`,
    'tls_advertise_hosts = *',
    `tls_certificate = ${path('server.crt')}`,
    `tls_privatekey = ${path('server.key')}`,
    'smtputf8_advertise_hosts = *',
    'chunking_advertise_hosts = *',
    'message_size_limit = 20M',
    'rfc1413_query_timeout = 0s',
    // Nothing is looked up in the DNS: where a name server is slow, each session waits.
    'host_lookup =',
    'helo_lookup_domains =',
    'never_users =',
    'acl_smtp_rcpt = accept',
    'begin routers',
    'all:',
    '  driver = accept',
    '  transport = file',
    'begin transports',
    'file:',
    '  driver = appendfile',
    `  directory = ${path('mail')}`,
    '  maildir_format',
    '  use_crlf',
    '  user = Debian-exim',
    'begin authenticators',
    ...authenticator(
      'plain',
      'plaintext',
      'public_name = PLAIN',
      'server_prompts = :',
      `server_condition = \${if and{{eq{$auth2}{${name}}}{eq{$auth3}{${password}}}}}`,
      'server_set_id = $auth2',
    ),
    ...authenticator(
      'login',
      'plaintext',
      'public_name = LOGIN',
      'server_prompts = Username:: : Password::',
      `server_condition = \${if and{{eq{$auth1}{${name}}}{eq{$auth2}{${password}}}}}`,
      'server_set_id = $auth1',
    ),
    ...authenticator(
      'cram',
      'cram_md5',
      'public_name = CRAM-MD5',
      `server_secret = \${if eq{$auth1}{${name}}{${password}}fail}`,
      'server_set_id = $auth1',
    ),
  ];
  writeFileSync(path('exim.conf'), `${config.join('\n')}\n`);
  const child = spawn(find('exim4'), ['-C', path('exim.conf'), '-bdf', '-q1s'], { stdio: 'ignore', detached: true });
  await listening(port, child);
  return {
    port,
    tlsPort,
    received: () => {
      const mail = path('mail/new');
      return existsSync(mail) ? files(mail, /./).map((file) => readFileSync(join(mail, file), 'latin1')) : [];
    },
    async stop() {
      // Its queue runners outlive it, and would make their folders again. Where nobody reaps them they are there, dead, for good.
      for (const limit = Date.now() + 2000; Date.now() < limit && signalGroup(child.pid); )
        await new Promise((resolve) => setTimeout(resolve, 20));
      await end(child, folder);
    },
  };
}

/** OpenSMTPD in clear: its TLS does not work on Debian 12. It takes everything, and keeps it in its queue. One at a time: its folders are built in. */
export async function startOpenSmtpd() {
  const folder = newFolder();
  const port = await freePort();
  const config = join(folder, 'smtpd.conf');
  const lines = [
    `listen on 127.0.0.1 port ${port} hostname peer.example`,
    'action "keep" relay host smtp://127.0.0.1:1',
    'match from any for any action "keep"',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const resolver = join(folder, 'resolv.conf');
  writeFileSync(resolver, 'lookup file\n');
  // It looks each client up before it greets, in the DNS first, and has no option for another: where a name server is slow, each check waits.
  const apart = spawnSync('unshare', ['-m', 'true']).status === 0 ? ['unshare', '-m'] : [];
  const [program, ...args] = [...apart, 'sh', '-c', `${apart.length > 0 ? 'mount --bind "$0" /etc/resolv.conf; ' : ''}exec "$@"`, resolver];
  const child = spawn(program, [...args, find('opensmtpd'), '-d', '-f', config], { stdio: 'ignore' });
  await listening(port, child);
  return { port, stop: () => end(child, folder) };
}

/** go-smtp of Debian, by a program of ours. */
export async function startGoSmtp() {
  const folder = newFolder();
  const program = join(folder, 'receive');
  const source = fileURLToPath(new URL('receive.go', import.meta.url));
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: GO_MODULES, GOCACHE: join(folder, 'cache') };
  const { status, stderr } = spawnSync(find('go'), ['build', '-o', program, source], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`go build: ${stderr}`);
  const args = [join(CERTS, 'server.crt'), join(CERTS, 'server.key'), USER.name, USER.password];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(child.stdout, 'data');
  return { port: Number(line), stop: () => end(child, folder) };
}

/** Whether there was anybody in the group to be told to end. */
function signalGroup(leader) {
  try {
    return process.kill(-leader, 'SIGTERM');
  } catch {
    return false;
  }
}

function newFolder() {
  return mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
}

function copyCertificate(folder) {
  for (const name of ['server.crt', 'server.key']) copyFileSync(join(CERTS, name), join(folder, name));
  chmodSync(join(folder, 'server.key'), 0o600);
}

function files(folder, pattern) {
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .sort();
}

/** A user's or group's number. */
function number(option, user) {
  return Number(spawnSync('id', [option, user], { encoding: 'utf8' }).stdout);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port, child) {
  for (const limit = Date.now() + PATIENCE; Date.now() < limit && child.exitCode === null; ) {
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${child.spawnfile} does not listen on port ${port} (${child.exitCode})`);
}

async function end(child, folder) {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  rmSync(folder, { recursive: true, force: true });
}
