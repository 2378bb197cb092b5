// A client that says what it is told, octet by octet: for what no client library would show of a server.
import { connect, type Socket } from 'node:net';
import type { TestServer } from '../../src/testing.ts';

export class RawClient {
  readonly socket: Socket;
  #text = '';
  #end: string | null = null;
  #wake: () => void = () => {};

  constructor({ host, port }: Pick<TestServer, 'host' | 'port'>) {
    this.socket = connect({ host, port, allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text) => {
      this.#text += text;
      this.#wake();
    });
    this.socket.on('end', () => this.#over('FIN'));
    this.socket.on('error', (error: NodeJS.ErrnoException) => this.#over(error.code ?? error.message));
    this.socket.on('close', () => this.#over('closed'));
  }

  /** What came since it was asked last, once it ends like this, or the connection is over: `…|FIN`. */
  async read(until: RegExp = /(?:^|\n)[0-9]{3}(?: [^\n]*)?\r\n$/): Promise<string> {
    while (!until.test(this.#text) && this.#end === null)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const text = this.#text;
    this.#text = '';
    return this.#end === null ? text : `${text}|${this.#end}`;
  }

  /** Says lines, each with its CRLF, and reads the reply to the last. */
  async say(...lines: string[]): Promise<string> {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
    return await this.read();
  }

  /** How it ended, and what was said before. */
  async end(): Promise<string> {
    return await this.read(/(?!)/);
  }

  #over(how: string): void {
    this.#end ??= how;
    this.#wake();
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Speaks up to `DATA`, and says what came. */
export async function transaction(client: RawClient, to = 'bob@example.org'): Promise<string> {
  await client.read();
  await client.say('EHLO client.example');
  await client.say('MAIL FROM:<ann@example.org>');
  return await client.say(`RCPT TO:<${to}>`);
}
