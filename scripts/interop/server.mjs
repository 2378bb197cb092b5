// Starts `ehlo serve`, the real command line, on a free port with a mail directory of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../packages/ehlo/bin/ehlo.js', import.meta.url));
const PATIENCE = 30_000;

/** Resolves when the server listens. With the option --json it tells what happens; without, nothing. */
export async function startServer(...options) {
  const json = options.includes('--json');
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
  const maildir = join(folder, 'mail');
  const where = options.includes('--unix') ? [] : ['--port', '0'];
  const fixed = ['--maildir', maildir, '--hostname', 'mx.interop.example', ...(json ? [] : ['--quiet'])];
  const args = [BIN, 'serve', ...where, ...fixed, ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const exited = once(child, 'close');
  const lines = [];
  const wanted = options.includes('--tls-port') ? 2 : 1;
  const told = new Promise((resolve) => {
    createInterface(child.stdout).on('line', (line) => lines.push(line) === wanted && resolve());
  });
  await Promise.race([told, exited]);
  const [first, second] = lines.map(json ? (line) => JSON.parse(line) : listening);
  const port = first?.port;
  const tlsPort = second?.port;
  if (port === undefined || (wanted === 2 && !(tlsPort && second.tls)))
    throw new Error(`ehlo serve did not start: ${lines.join()}${errors}`);
  return {
    port,
    /** For TLS from the start, with the option --tls-port. */
    tlsPort,
    get errors() {
      return errors;
    },
    /** The events of a kind so far, with --json. */
    events: (name) => lines.map((line) => JSON.parse(line)).filter(({ event }) => event === name),
    /** Names of the files in a folder of the mail directory. */
    list: (name) => readdirSync(join(maildir, name)),
    /** A message's file, one character an octet. */
    read: (name) => readFileSync(join(maildir, 'new', name), 'latin1'),
    /** Ends it as an operator would; returns its exit code. */
    async stop() {
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
      child.kill('SIGTERM');
      const [code, signal] = await exited;
      clearTimeout(timer);
      return code ?? signal;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Reads where it listens; a Unix socket has no port. */
function listening(line) {
  const [told, port = '0', tls] = /^listening on [^ ]*?(?::([0-9]+))?( \(TLS\))?$/.exec(line) ?? [];
  return told === undefined ? undefined : { port: Number(port), tls: tls !== undefined };
}
