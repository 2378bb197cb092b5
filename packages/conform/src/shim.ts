// Engines without sockets: a program that is spoken to by JSON lines, one of ours, then one of its own.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Protocol } from './check.ts';
import type { ClientProtocol } from './client/check.ts';
import type { Peer, Silence } from './client/peer.ts';
import { fromBytes, toBytes } from './octets.ts';

/** What a program is told, a line each. */
export type Told =
  | { readonly server: { readonly protocol: Protocol } }
  | {
      readonly client: {
        readonly protocol: ClientProtocol;
        readonly from: string;
        readonly to: readonly string[];
        readonly content: string;
      };
    }
  | { readonly input: string }
  | { readonly secured: true }
  | { readonly end: true }
  | { readonly lost: true }
  | { readonly tick: number };

/** What it answers to each. */
interface Answered {
  /** Octets in base64. */
  readonly output?: string;
  /** The handshake of TLS is due, or the connection is to be closed. */
  readonly wants?: 'tls' | 'close';
  /** The task is done: whether all recipients were accepted. */
  readonly done?: boolean;
  /** Behind the last line: it takes another task. */
  readonly again?: boolean;
}

/** Programs by one command: another is started where none is idle. */
export class Shims {
  readonly #command: string;
  readonly #patience: number;
  readonly #idle: Shim[] = [];
  #closed = false;

  constructor(command: string, patience: number) {
    this.#command = command;
    this.#patience = patience;
  }

  /** One that was given a task. */
  async begin(task: Told): Promise<Shim> {
    const known = this.#idle.pop();
    // It may have ended since it said that it takes another.
    if (known !== undefined && (await known.begin(task).catch(() => false))) return known;
    known?.stop();
    const shim = new Shim(this.#command, this.#patience);
    try {
      await shim.begin(task);
    } catch (error) {
      shim.stop();
      throw error;
    }
    return shim;
  }

  /** Its task is over: it is kept, if it takes another. */
  done(shim: Shim): void {
    if (shim.again && !this.#closed) this.#idle.push(shim);
    else shim.stop();
  }

  close(): void {
    this.#closed = true;
    for (const shim of this.#idle.splice(0)) shim.stop();
  }
}

/** A program that stands for a connection. */
export class Shim implements Peer {
  /** What it says of its task; null: nothing yet. */
  done: boolean | null = null;
  /** It takes another task behind this one. */
  again = false;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #patience: number;
  #output: Uint8Array[] = [];
  #wants: Answered['wants'] = undefined;
  #gone = false;
  #lost = false;

  constructor(command: string, patience: number) {
    this.#patience = patience;
    this.#child = spawn('sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] }) as unknown as ChildProcessWithoutNullStreams;
    this.#child.stdin.on('error', () => {});
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Gives it a task, with nothing left of one before. False: it has ended. */
  async begin(task: Told): Promise<boolean> {
    this.done = null;
    this.#output = [];
    this.#lost = false;
    await this.tell(task);
    return !this.#gone;
  }

  /** Says a line, and takes the line that answers it. */
  async tell(told: Told): Promise<void> {
    if (this.#gone) return;
    this.#child.stdin.write(`${JSON.stringify(told)}\n`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`--shim: no answer to ${JSON.stringify(told).slice(0, 80)}`)), this.#patience);
    });
    const { value, done } = await Promise.race([this.#answers.next(), late]).finally(() => clearTimeout(timer));
    if (done === true) {
      this.#gone = true;
      this.again = false;
      return;
    }
    const answered = parsed(value as string);
    if (answered.output !== undefined && answered.output !== '') this.#output.push(toBytes(atob(answered.output)));
    this.#wants = answered.wants;
    this.done = answered.done ?? this.done;
    this.again = answered.again === true;
  }

  async read(): Promise<Uint8Array | Silence> {
    const bytes = this.#output.shift();
    if (bytes !== undefined) return bytes;
    return this.#gone || this.#wants === 'close' ? 'end' : 'silence';
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.tell({ input: base64(fromBytes(bytes)) });
  }

  async wait(ms: number): Promise<void> {
    await this.tell({ tick: ms });
  }

  /** The end is told when the session is over; what is still to be said by then was said. */
  end(): void {}

  reset(): void {
    this.#lost = true;
  }

  /** Nothing more comes: the connection was ended, or is lost. */
  async over(): Promise<void> {
    await this.tell(this.#lost ? { lost: true } : { end: true });
  }

  async secure(): Promise<void> {
    if (this.#wants !== 'tls') throw new Error('the shim did not want TLS');
    await this.tell({ secured: true });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

function parsed(line: string): Answered {
  try {
    return JSON.parse(line) as Answered;
  } catch {
    throw new Error(`--shim: this is no JSON: ${line.slice(0, 80)}`);
  }
}

/** Octets, one character each, in base64. */
export function base64(latin1: string): string {
  return btoa(latin1);
}
