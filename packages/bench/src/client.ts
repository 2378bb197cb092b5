import { connect, type Socket } from 'node:net';
import type { Write } from './workload.ts';

const LF = 0x0a;
const HYPHEN = 0x2d;

/** One connection of the load: writes octets that were made before, and reads replies no closer than it must to check them. */
export class Client {
  readonly #socket: Socket;
  readonly #closed: Promise<void>;
  #due: readonly { readonly code: number }[] = [];
  #answered = 0;
  /** The first four octets of the line being read. */
  #head: number[] = [];
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  private constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes) => this.#read(bytes));
    this.#socket.on('error', (error) => this.#reject(error));
    this.#closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#reject(new Error(`closed with ${this.#due.length - this.#answered} replies due`));
        resolve();
      });
    });
  }

  /** Connects. Resolves at the greeting. */
  static async open(port: number): Promise<Client> {
    const client = new Client(port);
    await client.#expect([{ code: 220 }]);
    return client;
  }

  /** Writes, and resolves when all replies are there. Rejects at a reply of another code. */
  async write({ bytes, answers }: Write): Promise<void> {
    const answered = this.#expect(answers);
    this.#socket.write(bytes);
    await answered;
  }

  async close(): Promise<void> {
    this.#socket.end();
    await this.#closed;
  }

  #expect(due: readonly { readonly code: number }[]): Promise<void> {
    this.#due = due;
    this.#answered = 0;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  #read(bytes: Uint8Array): void {
    for (const octet of bytes) {
      if (octet !== LF) {
        if (this.#head.length < 4) this.#head.push(octet);
        continue;
      }
      const [a = 0, b = 0, c = 0, mark] = this.#head;
      this.#head = [];
      if (mark === HYPHEN) continue;
      const code = (a - 48) * 100 + (b - 48) * 10 + c - 48;
      const due = this.#due[this.#answered++]?.code;
      if (code !== due) return this.#reject(new Error(`reply ${this.#answered} is ${code}, due was ${due}`));
    }
    if (this.#answered === this.#due.length) this.#resolve();
  }
}
