// The clients of others, and what each is told to send: { name, messages, send(port, folder) }.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { find } from './programs.mjs';

const PATIENCE = 120_000;
const PYTHON = fileURLToPath(new URL('send.py', import.meta.url));
const FROM = 'sender@client.example';
const TO = ['one@mx.example', 'two@mx.example', '"three of us"@mx.example'];
const DOTTED = ['From: <sender@client.example>', 'Subject: dots', '', '.', '..', '.a', '', '...', 'last', '.', ''].join('\r\n');

export const clients = [
  swaks('plain', 1),
  swaks('pipelined', 1, '--pipeline'),
  swaks('several recipients', 1, '--to', TO.join(',')),
  swaks('null sender', 1, '--from', '<>'),
  swaks('HELO', 1, '--protocol', 'SMTP'),
  swaks('dotted body', 1, '--pipeline', '--body', '.\\n..\\n.a\\n...\\n\\n.'),
  {
    name: 'curl: upload',
    messages: 1,
    send: (port, folder) => curl(port, '--upload-file', file(folder, 'dots.eml', DOTTED)),
  },
  {
    name: 'curl: upload of LF lines, several recipients',
    messages: 1,
    send: (port, folder) => {
      const lines = file(folder, 'lines.eml', DOTTED.replaceAll('\r\n', '\n').repeat(2000));
      return curl(port, '--crlf', '--mail-rcpt', 'two@mx.example', '--upload-file', lines);
    },
  },
  python('dots', 1),
  python('several', 25),
  python('eightbit', 1),
  python('large', 1),
  {
    name: 'msmtp',
    messages: 1,
    send: (port) => run('msmtp', ['--file=/dev/null', '--host=127.0.0.1', `--port=${port}`, `--from=${FROM}`, ...TO.slice(0, 2)], DOTTED),
  },
  { name: 'nodemailer: a connection each', messages: 5, send: (port) => nodemailer(port, { pool: false }, 5) },
  { name: 'nodemailer: pooled', messages: 60, send: (port) => nodemailer(port, { pool: true, maxConnections: 3 }, 60) },
  {
    name: 'smtp-source: 2000 messages on 20 connections at a time',
    messages: 2000,
    send: (port, folder) => smtpSource(folder, ['-s', '20', '-m', '2000', '-l', '1000', `127.0.0.1:${port}`]),
  },
  {
    name: 'smtp-source: 200 messages on connections that stay, 3 recipients',
    messages: 200,
    send: (port, folder) => smtpSource(folder, ['-d', '-s', '5', '-m', '200', '-l', '5000', '-r', '3', `127.0.0.1:${port}`]),
  },
];

function swaks(name, messages, ...options) {
  const own = (option, value) => (options.includes(option) ? [] : [option, value]);
  return {
    name: `swaks: ${name}`,
    messages,
    send: (port) =>
      run('swaks', ['--server', `127.0.0.1:${port}`, '--timeout', '60', ...own('--from', FROM), ...own('--to', TO[0]), ...options]),
  };
}

function curl(port, ...options) {
  const url = `smtp://127.0.0.1:${port}/client.example`;
  return run('curl', ['--silent', '--show-error', '--max-time', '60', '--url', url, '--mail-from', FROM, '--mail-rcpt', TO[0], ...options]);
}

function python(name, messages) {
  return { name: `smtplib: ${name}`, messages, send: (port) => run('python3', [PYTHON, String(port), name]) };
}

/** Postfix's tools read a main.cf; an empty one of ours will do. */
function smtpSource(folder, args) {
  const config = join(folder, 'postfix');
  mkdirSync(config, { recursive: true });
  file(config, 'main.cf', 'compatibility_level = 3.6\n');
  return run('smtp-source', args, '', { MAIL_CONFIG: config });
}

/** The one of these clients that comes by npm: the adapter's tests have it. */
async function nodemailer(port, options, count) {
  const { createTransport } = createRequire(new URL('../../packages/node/package.json', import.meta.url))('nodemailer');
  const transport = createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true, ...options });
  try {
    const send = (n) => transport.sendMail({ from: FROM, to: TO, subject: `${n}`, text: `${DOTTED}${'.dots\n'.repeat(50 * n)}` });
    const sent = await Promise.all(Array.from({ length: count }, (_, n) => send(n)));
    if (sent.some(({ rejected }) => rejected.length > 0)) throw new Error('a recipient was refused');
  } finally {
    transport.close();
  }
}

function file(folder, name, content) {
  const path = join(folder, name);
  writeFileSync(path, content, 'latin1');
  return path;
}

/** Runs a program to its end and returns what it said; throws with that if it is a failure. */
export async function run(program, args, input = '', environment = {}) {
  const env = { ...process.env, LC_ALL: 'C', ...environment };
  const child = spawn(find(program) ?? program, args, { env, timeout: PATIENCE, killSignal: 'SIGKILL' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}: ${said.slice(-2000)}`);
  return said;
}
