import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { measureSessionsOf } from './connections.ts';
import { Contender, type Measured } from './contender.ts';
import { type Effort, measureBy, type Row, type Sample } from './row.ts';
import { lines, SHAPES, sequential, small, type Workload } from './workload.ts';

/** Servers of Debian's that are measured where they are asked for; each with the package that has it. */
export const PEERS = ['smtp-sink', 'aiosmtpd'] as const;

export type PeerName = (typeof PEERS)[number];

/** Those that a row with peers compares, in this order. */
export const BESIDE = ['ehlo', 'smtp-sink', 'aiosmtpd', 'floor'] as const;

export type PeerSamples = Record<(typeof BESIDE)[number], Sample[]>;

/** The program, its arguments for a port, and the package of Debian that has it. */
const PROGRAMS: { readonly [name in PeerName]: (port: number) => readonly [program: string, args: readonly string[], debian: string] } = {
  // It will not run as root.
  'smtp-sink': (port) => ['smtp-sink', [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), `127.0.0.1:${port}`, '511'], 'postfix'],
  aiosmtpd: (port) => ['aiosmtpd', ['-n', '-c', 'aiosmtpd.handlers.Sink', '-l', `127.0.0.1:${port}`], 'python3-aiosmtpd'],
};

/** Small messages and commands, beside servers that need no npm. */
export async function measurePeers(row: Row, effort: Effort): Promise<PeerSamples> {
  const servers = await startAll(row.workload);
  try {
    return (await measureBy(servers, row, effort)) as PeerSamples;
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}

/** Greeting, EHLO, QUIT. */
export async function measurePeerSessions(effort: Effort, workload: Workload): Promise<PeerSamples> {
  const servers = await startAll(workload);
  try {
    return (await measureSessionsOf(servers, workload, effort)) as PeerSamples;
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}

async function startAll(workload: Workload): Promise<(readonly [name: string, server: Measured])[]> {
  const servers: (readonly [name: string, server: Measured])[] = [];
  for (const name of BESIDE)
    servers.push([name, name === 'ehlo' || name === 'floor' ? await Contender.start(name, workload) : await Peer.start(name)]);
  return servers;
}

/** A server that is a program of its own. It does not say what it has received: that its replies are right is what is checked. */
class Peer implements Measured {
  readonly counts = 'nothing';
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(name: PeerName): Promise<Peer> {
    const port = await freePort();
    const [program, args, debian] = PROGRAMS[name](port);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', () => reject(new Error(`${program} is not installed: apt install ${debian}`)));
      child.once('exit', (code) => reject(new Error(`${program} has ended, with code ${code}`)));
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

/** Messages of 4 KiB by Postfix's smtp-source, over as many connections: its processor time is in hundredths of a second, so there are many. */
export async function measureSource({ rounds, milliseconds }: Effort, connections: number): Promise<{ rate: number; cpu: number }[]> {
  const server = await Contender.start('ehlo', sequential(small()));
  const size = lines(SHAPES.lines76, 4096).content.length;
  const count = Math.max(connections, 5 * milliseconds);
  const samples: { rate: number; cpu: number }[] = [];
  try {
    for (let round = -1; round < rounds; round++) {
      const args = ['-d', '-s', connections, '-m', count, '-l', size, '-f', 'sender@client.example', '-t', 'recipient@bench.example'];
      const start = performance.now();
      const child = spawn('sh', ['-c', 'smtp-source "$@" && times', 'sh', ...args.map(String), `127.0.0.1:${server.port}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (bytes: Buffer) => {
        text += bytes.toString();
      });
      const [code] = (await once(child, 'close')) as [number];
      if (code !== 0) throw new Error('smtp-source has failed; where it is not installed: apt install postfix');
      const seconds = (performance.now() - start) / 1000;
      // The second line is that of the children: user and system.
      const used = [...text.split('\n')[1]!.matchAll(/(\d+)m([\d.]+)s/g)].map(([, m, s]) => 60 * Number(m) + Number(s));
      if (round >= 0) samples.push({ rate: count / seconds, cpu: (1e6 * used.reduce((sum, part) => sum + part, 0)) / count });
    }
  } finally {
    await server.stop();
  }
  return samples;
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
