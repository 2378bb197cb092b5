// The runtimes as real programs, and the server and client that each of them runs.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '../../../../vitest.setup.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
export const CERTS: string = at('../../../node/test/certs');

interface Programs {
  readonly binary: string | null;
  readonly options: readonly string[];
}

const programs = JSON.parse(readFileSync(at('./programs.json'), 'utf8')) as Record<'node' | 'deno' | 'bun', Programs>;

/** The packages' own binaries, not their shims: a signal must reach them. They are made by their install scripts. */
const command = ({ binary, options }: Programs): readonly [binary: string, ...options: string[]] => [
  binary === null ? process.execPath : at(`../../${binary}`),
  ...options,
];

export const RUNTIMES = { node: command(programs.node), deno: command(programs.deno), bun: command(programs.bun) } as const;

export type Runtime = keyof typeof RUNTIMES;

export interface Event {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A server, and a client, in a process of their own. */
export class Subject {
  readonly #child: ChildProcess;
  readonly events: Event[] = [];
  readonly #answers: { readonly answer: unknown; readonly to: string }[] = [];
  #errors = '';
  #wake: () => void = () => {};
  /** TCP with STARTTLS, TCP with TLS from the start, and 0 for a Unix socket. */
  ports: readonly number[] = [];
  /** The adapter that `import 'ehlo'` has chosen. */
  adapter = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface(child.stdout!).on('line', (line) => {
      const said = JSON.parse(line) as Event & Partial<{ ports: number[]; adapter: string; answer: unknown; to: string }>;
      if (said.ports !== undefined) [this.ports, this.adapter] = [said.ports, said.adapter ?? ''];
      else if (said.to !== undefined) this.#answers.push({ answer: said.answer, to: said.to });
      else this.events.push(said);
      this.#wake();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    child.once('close', () => this.#wake());
  }

  static async start(runtime: Runtime, options: object = {}): Promise<Subject> {
    const [binary, ...args] = RUNTIMES[runtime];
    const script = [at('./ends.mjs'), JSON.stringify({ certs: CERTS, ...options })];
    const subject = new Subject(
      spawn(binary, [...args, ...script], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } }),
    );
    await subject.until('it listens', () => subject.ports.length > 0 || undefined);
    return subject;
  }

  get port(): number {
    return this.ports[0]!;
  }

  get tlsPort(): number {
    return this.ports[1]!;
  }

  /** Asks the server for something. */
  async ask(
    command: 'open' | 'sessions' | 'memory' | 'heap' | 'reload' | 'close' | 'send' | 'fail' | 'attempt' | 'abort',
    argument?: object,
  ): Promise<unknown> {
    this.#child.stdin!.write(`${command}${argument === undefined ? '' : ` ${JSON.stringify(argument)}`}\n`);
    return await this.until(`an answer to ${command}`, () => {
      const index = this.#answers.findIndex(({ to }) => to === command);
      return index < 0 ? undefined : [this.#answers.splice(index, 1)[0]!.answer];
    }).then(([answer]) => answer);
  }

  /** Takes the next event of a kind. */
  async event(kind: string): Promise<Event> {
    return await this.until(`the event ${kind}`, () => {
      const index = this.events.findIndex(({ event }) => event === kind);
      return index < 0 ? undefined : this.events.splice(index, 1)[0];
    });
  }

  /** Nobody is connected any more; and all that has happened so far is forgotten. */
  async idle(): Promise<void> {
    for (const limit = Date.now() + PATIENCE; (await this.ask('sessions')) !== 0; ) {
      if (Date.now() > limit) throw new Error(`sessions are left: ${JSON.stringify(this.events.slice(-5))}`);
    }
    this.events.length = 0;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (!this.#exited) await once(this.#child, 'close');
  }

  get #exited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until there is something else than undefined. */
  async until<T>(what: string, look: () => T | undefined): Promise<T> {
    for (const limit = Date.now() + PATIENCE; ; ) {
      const found = look();
      if (found !== undefined) return found;
      const left = limit - Date.now();
      if (left <= 0 || this.#exited) throw new Error(`never: ${what}; ${JSON.stringify(this.events)}; ${this.#errors}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
