import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Question, Report } from './servers/report.ts';
import { answersOf, type Workload } from './workload.ts';

/** The servers that are compared; the first is ours. */
export const CONTENDERS = ['ehlo', 'smtp-server', 'floor'] as const;

export type ContenderName = (typeof CONTENDERS)[number];

/** What runs them: Node, but for idle connections. */
export const RUNTIMES = ['node', 'deno', 'bun'] as const;

export type Runtime = (typeof RUNTIMES)[number];

const { resolve } = createRequire(import.meta.url);

/** How `fork` starts each runtime; and the floor of its own sockets. */
const STARTS: { readonly [runtime in Runtime]: { readonly execPath: string; readonly execArgv: string[]; readonly floor: ServerName } } = {
  node: { execPath: process.execPath, execArgv: ['--expose-gc'], floor: 'floor' },
  deno: {
    execPath: resolve('deno/deno'),
    execArgv: ['run', '-A', '--no-config', '--no-lock', '--node-modules-dir=manual', '--cached-only', '--v8-flags=--expose-gc'],
    floor: 'floor-deno',
  },
  bun: { execPath: resolve('bun/bin/bun.exe'), execArgv: ['--expose-gc', 'run', '--no-install'], floor: 'floor-bun' },
};

type ServerName = ContenderName | 'floor-deno' | 'floor-bun';

/** A server that is measured. */
export interface Measured {
  readonly port: number;
  /** What it counts of what it receives: messages with their content, octets of the wire, or nothing that it says. */
  readonly counts: 'content' | 'wire' | 'nothing';
  report(): Promise<Pick<Report, 'cpu' | 'messages' | 'octets'>>;
  stop(): Promise<void>;
}

/** A server of ours, or of npm, in a process of its own. */
export class Contender implements Measured {
  readonly counts: 'content' | 'wire';
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number, counts: 'content' | 'wire' = 'content') {
    this.#child = child;
    this.port = port;
    this.counts = counts;
  }

  static async start(
    name: ContenderName,
    workload: Workload,
    { runtime = 'node', flags = [] }: { readonly runtime?: Runtime; readonly flags?: readonly string[] } = {},
  ): Promise<Contender> {
    const { floor, execPath, execArgv } = STARTS[runtime];
    const child = fork(server(name === 'floor' ? floor : name), [scheduleOf(workload)], { execPath, execArgv: [...execArgv, ...flags] });
    const [{ port }] = (await answer(child)) as [{ port: number }];
    return new Contender(child, port, name === 'floor' ? 'wire' : 'content');
  }

  /** `ehlo serve`, as its users start it. */
  static async startStorage(maildir: string): Promise<Contender> {
    const program = fileURLToPath(new URL('../../ehlo/bin/ehlo.js', import.meta.url));
    const child = fork(program, ['serve', '--port', '0', '--quiet', '--limit-transactions', '999999999', '--maildir', maildir], {
      execArgv: ['--expose-gc', '--import', pathToFileURL(server('report')).href],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    return new Contender(child, Number(/:([0-9]+)\s*$/.exec(line.toString())?.[1]));
  }

  /** The floor, with what it receives written and synced, for a client that waits for each reply. */
  static async startFloorStorage(folder: string, workload: Workload): Promise<Contender> {
    const child = fork(server('floor-storage'), [scheduleOf(workload), folder]);
    const [{ port }] = (await answer(child)) as [{ port: number }];
    return new Contender(child, port, 'wire');
  }

  report(): Promise<Report> {
    return this.#ask('report');
  }

  /** The same once its garbage is collected: when memory is what is asked for. */
  collected(): Promise<Report> {
    return this.#ask('collect');
  }

  async #ask(what: Question): Promise<Report> {
    this.#child.send(what);
    const [report] = (await answer(this.#child)) as [Report];
    return report;
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

/** What a floor is told: replies, and after how many lines. */
function scheduleOf({ opening, cycle }: Workload): string {
  return JSON.stringify({ opening: answersOf(opening), cycle: answersOf(cycle) });
}

/** The built file of a server: beside this one once it is built, too. */
function server(name: ServerName | 'floor-storage' | 'report'): string {
  return fileURLToPath(new URL(`../dist/servers/${name}.js`, import.meta.url));
}

/** The next message of a child; rejects if it dies instead. */
async function answer(child: ChildProcess): Promise<unknown[]> {
  const over = new AbortController();
  const { signal } = over;
  const dead = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a server has died, with code ${code}`);
  });
  try {
    return await Promise.race([once(child, 'message', { signal }), dead]);
  } finally {
    over.abort();
  }
}
