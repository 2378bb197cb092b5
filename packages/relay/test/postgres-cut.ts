// A line to a database that breaks where it is told to.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { letterOf, Messages } from './postgres-database.ts';

/** Where a line breaks: before a statement gets to the server, or when the server has carried it out, and its answer is lost. */
export type Cut = 'before' | 'behind';

export class CuttingLine {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  #isShut = false;
  #statements = 0;
  #cut: { readonly number: number; readonly where: Cut } | null = null;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#connected(client));
  }

  static async open(target: number): Promise<CuttingLine> {
    const line = new CuttingLine(target);
    await once(line.#server.listen(0, '127.0.0.1'), 'listening');
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks at the statement of this number, the next being 1; later ones pass. */
  cutAt(number: number, where: Cut): void {
    this.#statements = 0;
    this.#cut = { number, where };
  }

  /** It breaks no more. */
  mend(): void {
    this.#cut = null;
  }

  /** Whether it has broken as it was told to. */
  get hasCut(): boolean {
    return this.#cut === null;
  }

  /** All lines break, and no new one is had, until it is opened again. */
  shut(isShut: boolean): void {
    this.#isShut = isShut;
    if (isShut) for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.shut(true);
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connected(client: Socket): void {
    if (this.#isShut) return void client.destroy();
    const server = connect(this.#target, '127.0.0.1');
    const asked = new Messages('untyped first');
    const answers = new Messages('typed first');
    const breaks = (): void => {
      this.#cut = null;
      client.destroy();
      server.destroy();
    };
    /** The answer to what was asked last is not passed on. */
    let isLast = false;
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      for (const message of asked.of(chunk)) {
        const isStatement = message.length > 4 && 'QS'.includes(letterOf(message));
        const isCut = isStatement && ++this.#statements === this.#cut?.number;
        if (isCut && this.#cut?.where === 'before') return breaks();
        isLast ||= isCut;
        server.write(message);
      }
    });
    server.on('data', (chunk) => {
      // Z: the server is ready for the next (55.2.3).
      const isDone = answers.of(chunk).some((message) => letterOf(message) === 'Z');
      if (!isLast) client.write(chunk);
      else if (isDone) breaks();
    });
  }
}
