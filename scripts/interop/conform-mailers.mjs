// Mailers that `ehlo conform --client` examines: each is given a message for each check, and delivers it to the port of that check at once.
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { postfix } from './postfix.mjs';
import { find } from './programs.mjs';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Where it goes is told by the name in EHLO. It gives up as soon as the others do, and what it has to tell the sender goes nowhere. */
export async function postfixClient(stage, protocol = 'smtp') {
  const places = stage.file('places', `/^p([0-9]+)\\.example$/ FILTER ${protocol}:[127.0.0.1]:$1\n`);
  const stages = ['connect', 'helo', 'mail', 'rcpt', 'data_init', 'data_xfer', 'data_done', 'quit', 'rset'];
  const { port } = await postfix(stage, 'discard:', [
    `smtpd_helo_restrictions = check_helo_access regexp:${places}`,
    'smtputf8_enable = yes',
    // Nobody else is there to be asked.
    'smtpd_client_connection_count_limit = 0',
    ...stages.flatMap((name) => [`smtp_${name}_timeout = 8s`, `lmtp_${name === 'helo' ? 'lhlo' : name}_timeout = 8s`]),
  ]);
  return `/usr/bin/python3 ${at('conform-postfix.py')} ${port} ${stage.path('maillog')} {port} {from} {message} {recipients}`;
}

/** It has a queue of its own for each message. */
export async function eximClient(stage, protocol = 'smtp') {
  chmodSync(stage.folder, 0o777);
  stage.copy(find('exim4'), 0o755);
  stage.file('exim.conf', EXIM(stage.folder, protocol));
  return `sh ${at('conform-exim.sh')} ${stage.folder} {port} {from} {message-lf} {recipients}`;
}

const EXIM = (folder, protocol) => `
PORT = 1
QUEUE = ${folder}
exim_path = ${folder}/exim4
spool_directory = QUEUE
log_file_path = QUEUE/%slog
primary_hostname = client.example
host_lookup =
helo_lookup_domains =
never_users =
keep_environment =
allow_utf8_domains = true
begin routers
# What it has to tell the sender.
told:
  driver = redirect
  domains = sender.example
  data = :blackhole:
all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = out
begin transports
out:
  driver = smtp
  protocol = ${protocol}
  port = PORT
  allow_localhost
  connect_timeout = 8s
  command_timeout = 8s
  data_timeout = 8s
  final_timeout = 8s
`;
