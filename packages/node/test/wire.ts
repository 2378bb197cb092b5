// A client that sends octets as they are and reads whole replies: what a test says is what is on the wire.
import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { PATIENCE } from '../../../vitest.setup.ts';

export class Wire {
  readonly socket: Socket;
  /** What was received and not yet taken, in latin1. */
  received = '';
  /** How the server's side ended, if it has: by FIN, or by the code of an error. */
  ended: string | null = null;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.#wake();
    });
    const end = (how: string): void => {
      this.ended ??= how;
      this.#wake();
    };
    socket.on('end', () => end('FIN'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.on('close', () => end('closed'));
  }

  /** Resolves when the connection stands. */
  static async open(options: NetConnectOpts): Promise<Wire> {
    const socket = connect({ ...options, allowHalfOpen: true });
    const wire = new Wire(socket);
    await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE) });
    return wire;
  }

  send(octets: string | Uint8Array): void {
    this.socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** Takes one whole reply, its last CRLF left out. */
  async reply(): Promise<string> {
    const found = await this.#until(() => /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.received)?.[0]);
    this.received = this.received.slice(found.length);
    return found.slice(0, -2);
  }

  async replies(count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) found.push(await this.reply());
    return found;
  }

  /** Sends a line and takes the reply to it. */
  async say(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return await this.reply();
  }

  /** Takes all that comes until the server ends its side. */
  async rest(): Promise<string> {
    await this.#until(() => this.ended ?? undefined);
    const rest = this.received;
    this.received = '';
    return rest;
  }

  /** Greeting, EHLO, and the envelope of a message up to 354. */
  async open354(reversePath = '<sender@client.example>'): Promise<void> {
    await this.reply();
    await this.say('EHLO client.example');
    for (const line of [`MAIL FROM:${reversePath}`, 'RCPT TO:<one@mx.example>']) await this.say(line);
    const reply = await this.say('DATA');
    if (!reply.startsWith('354')) throw new Error(`no 354: ${reply}`);
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    const limit = Date.now() + PATIENCE;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const left = limit - Date.now();
      if (left <= 0 || this.ended !== null) throw new Error(`waited in vain (${this.ended}); received: ${JSON.stringify(this.received)}`);
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

/** Waits until a condition holds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const limit = Date.now() + PATIENCE;
  while (!holds()) {
    if (Date.now() > limit) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until a count has not grown for a while, and returns it. */
export async function standstill(count: () => number): Promise<number> {
  const limit = Date.now() + PATIENCE;
  let last = count();
  for (let since = Date.now(); Date.now() - since < 400; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (count() === last) continue;
    last = count();
    since = Date.now();
    if (since > limit) throw new Error(`never stood still: ${last}`);
  }
  return last;
}

/** A promise that the test settles. */
export class Gate<T = void> {
  open: (value: T) => void = () => {};
  readonly passed: Promise<T> = new Promise((resolve) => {
    this.open = resolve;
  });
}
