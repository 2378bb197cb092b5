// Runs the real command line, and speaks SMTP to it.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test as base } from 'vitest';
import { PATIENCE } from '../../../vitest.setup.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const BIN = at('../bin/ehlo.js');

/** The command line is the same on all of them: vitest.config.ts says which one is meant. The binaries, not their shims, which a signal would not pass. */
const RUNTIMES: Record<string, readonly [binary: string, ...options: string[]]> = {
  node: [process.execPath],
  deno: [at('../node_modules/deno/deno'), 'run', '--no-lock', '--cached-only', ...permissions()],
  bun: [at('../node_modules/bun/bin/bun.exe'), 'run', '--no-install'],
};
const [BINARY, ...OPTIONS] = RUNTIMES[process.env.EHLO_RUNTIME ?? 'node']!;

export interface Event {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** What Deno must allow, as the README says it. */
function permissions(): string[] {
  const readme = readFileSync(at('../README.md'), 'utf8');
  return /^deno run ((?:--allow-\S+ )+)npm:ehlo/m.exec(readme)?.[1]?.trim().split(' ') ?? [];
}

/** What a command reads on standard input; null: nothing, and no end; a descriptor or a socket: what that has. */
type Input = string | Uint8Array | number | Socket | null;

/** A command that runs. */
export class Cli {
  readonly child: ChildProcess;
  /** What it has printed so far, by lines. */
  readonly lines: string[] = [];
  errors = '';
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, input?: Input) {
    // Neither colours nor anything else by the environment that the tests happen to run in.
    const { PATH, HOME } = process.env;
    const open = typeof input === 'number' || input instanceof Socket;
    const stdio: StdioOptions = [input === undefined ? 'ignore' : open ? input : 'pipe', 'pipe', 'pipe'];
    this.child = spawn(BINARY, [...OPTIONS, BIN, ...args], { stdio, env: { PATH, HOME, ...env } });
    this.child.stdin?.on('error', () => {});
    if (!open && input !== null) this.child.stdin?.end(input);
    createInterface(this.child.stdout!).on('line', (line) => this.lines.push(line));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    this.exited = once(this.child, 'close').then(([code, signal]: (number | string | null)[]) => code ?? signal ?? '');
  }

  /** Waits for a line. */
  async line(pattern: RegExp): Promise<string> {
    let gone = false;
    void this.exited.then(() => {
      gone = true;
    });
    const found = await until(`a line like ${pattern}`, () => this.lines.find((line) => pattern.test(line)) ?? (gone ? '' : undefined));
    if (found === '') throw new Error(`the command ended: ${this.errors}`);
    return found;
  }

  /** Waits for words on standard error, which comes by a pipe of its own: what is printed or sent after them may be read before. */
  async told(pattern: RegExp): Promise<string> {
    return await until(`words like ${pattern}`, () => pattern.exec(this.errors)?.[0]);
  }

  /** Waits for an event of `--json`. */
  async event(name: string): Promise<Event> {
    return JSON.parse(await this.line(new RegExp(`^{"event":"${name}"`))) as Event;
  }

  /** The port it listens on. */
  async port(): Promise<number> {
    const line = await this.line(/^listening on |"event":"listening"/);
    return Number(/(\d+)}?$/.exec(line)?.[1]);
  }
}

/** A raw SMTP client. */
export class Client {
  readonly socket: Socket;
  received = '';
  ended = false;

  constructor(to: number | Socket, host = '127.0.0.1') {
    this.socket = typeof to === 'number' ? connect(to, host) : to;
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.ended = true;
    });
  }

  /** Sends a line or a whole message, in latin1, and takes the reply. */
  async say(text: string): Promise<string> {
    this.socket.write(`${text}\r\n`, 'latin1');
    return await this.reply();
  }

  async reply(): Promise<string> {
    const found = await until('a reply', () => {
      const reply = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.received)?.[0];
      return reply ?? (this.ended ? '' : undefined);
    });
    this.received = this.received.slice(found.length);
    return found.slice(0, -2);
  }

  /** Greeting, EHLO, and an envelope up to 354. */
  async data(...recipients: string[]): Promise<string> {
    await this.reply();
    await this.say('EHLO client.example');
    return await this.again(...recipients);
  }

  /** An envelope up to 354. */
  async again(...recipients: string[]): Promise<string> {
    const to = recipients.length === 0 ? ['one@mx.example'] : recipients;
    for (const line of ['MAIL FROM:<sender@client.example>', ...to.map((path) => `RCPT TO:<${path}>`)]) await this.say(line);
    return await this.say('DATA');
  }
}

interface Fixtures {
  /** A folder that is gone after the test. */
  folder: string;
  /** Runs a command; `ehlo serve` in that folder, with a free port, if its words begin with an option. */
  run: (args?: readonly string[], env?: NodeJS.ProcessEnv, input?: Input) => Cli;
  /** Messages in new/, by their names; latin1. */
  stored: () => Map<string, string>;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads a fixture's needs from this pattern, and it has none.
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'ehlo-cli-'));
    await use(folder);
    rmSync(folder, { recursive: true, force: true });
  },
  run: async ({ folder }, use) => {
    const running: Cli[] = [];
    await use((args = [], env = {}, input) => {
      const whole =
        args[0] === undefined || args[0].startsWith('-') ? ['serve', '--port', '0', '--maildir', join(folder, 'mail'), ...args] : args;
      const cli = new Cli(whole, env, input);
      running.push(cli);
      return cli;
    });
    for (const { child, exited } of running) {
      child.kill('SIGKILL');
      await exited;
    }
  },
  stored: async ({ folder }, use) => {
    await use(() => {
      const path = join(folder, 'mail', 'new');
      return new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'latin1')]));
    });
  },
});

/** Waits until there is something else than undefined. */
export async function until<T>(what: string, look: () => T | undefined): Promise<T> {
  for (const limit = Date.now() + PATIENCE; Date.now() < limit; ) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  throw new Error(`waited in vain for ${what}`);
}
