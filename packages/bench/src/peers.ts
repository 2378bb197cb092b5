import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measured } from './contender.ts';

/** Servers of Debian's that are measured where they are asked for. */
export const PEERS = ['smtp-sink', 'aiosmtpd', 'go-smtp'] as const;

export type PeerName = (typeof PEERS)[number];

interface Program {
  /** The packages of Debian's that it needs; its version is that of the first. */
  readonly debian: readonly [string, ...string[]];
  /** The program, and its arguments for a port. */
  readonly command: (port: number) => readonly [program: string, args: readonly string[]];
}

const PROGRAMS: { readonly [name in PeerName]: Program } = {
  'smtp-sink': {
    debian: ['postfix'],
    // It will not run as root.
    command: (port) => ['smtp-sink', [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), `127.0.0.1:${port}`, '511']],
  },
  aiosmtpd: {
    debian: ['python3-aiosmtpd'],
    command: (port) => ['aiosmtpd', ['-n', '-c', 'aiosmtpd.handlers.Sink', '-l', `127.0.0.1:${port}`]],
  },
  'go-smtp': {
    debian: ['golang-github-emersion-go-smtp-dev', 'golang-github-emersion-go-sasl-dev', 'golang-go'],
    command: (port) => [goSmtp(), [`127.0.0.1:${port}`]],
  },
};

/** The name of a peer with the version of its package, where Debian's tools can tell. */
export function described(peer: PeerName): string {
  // A line: the package, a tab, its version.
  const { stdout, status } = spawnSync('dpkg-query', ['--show', PROGRAMS[peer].debian[0]], { encoding: 'utf8' });
  return status === 0 ? `${peer} ${stdout.split('\t')[1]!.replace(/-.*$/s, '')}` : peer;
}

/** A server that is a program of its own. It does not say what it has received: that its replies are right is what is checked. */
export class Peer implements Measured {
  readonly counts = 'nothing';
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(name: PeerName): Promise<Peer> {
    const port = await freePort();
    const [program, args] = PROGRAMS[name].command(port);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', () => reject(missing(name)));
      child.once('exit', (code) => reject(new Error(`${name} has ended, with code ${code}`)));
    });
    failed.catch(() => {});
    await Promise.race([reachable(port), failed]);
    return new Peer(child, port);
  }

  async report(): Promise<{ readonly cpu: number; readonly messages: number; readonly octets: number }> {
    return { cpu: await cpuOf(this.#child.pid!), messages: 0, octets: 0 };
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

function missing(name: PeerName): Error {
  return new Error(`${name} is not installed: apt install ${PROGRAMS[name].debian.join(' ')}`);
}

let built: string | undefined;

/** go-smtp is a library: the program that serves by it is compiled, once, into a folder that goes with this process. */
function goSmtp(): string {
  if (built !== undefined) return built;
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'go-smtp');
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(folder, 'cache') };
  const source = fileURLToPath(new URL('../src/servers/go-smtp.go', import.meta.url));
  try {
    execFileSync('go', ['build', '-o', program, source], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  } catch {
    throw missing('go-smtp');
  }
  built = program;
  return program;
}

/** Milliseconds of the processor that a process has used (proc(5): fields 14 and 15, in hundredths of a second). */
async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when somebody listens. */
async function reachable(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const is = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (is) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
