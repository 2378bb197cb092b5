// The database of the tests: PostgreSQL in this process (PGlite), or the server that EHLO_POSTGRES names by its URL, which interop starts.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';

export interface DatabaseOfTests {
  readonly port: number;
  urlOf(port: number): string;
  /** Whether several connections may be open at once. */
  readonly isShared: boolean;
  exec(sql: string): Promise<unknown>;
  rows(sql: string): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
}

export function openDatabaseOfTests(): Promise<DatabaseOfTests> {
  const { EHLO_POSTGRES: url } = process.env;
  return url === undefined ? InProcess.open() : openServer(url);
}

async function openServer(url: string): Promise<DatabaseOfTests> {
  const pool = new pg.Pool({ connectionString: url });
  const { port } = new URL(url);
  return {
    port: Number(port),
    isShared: true,
    urlOf: (other) => url.replace(`:${port}/`, `:${other}/`),
    exec: (sql) => pool.query(sql),
    rows: async (sql) => (await pool.query(sql)).rows,
    close: () => pool.end(),
  };
}

/** The real engine behind a socket that speaks its protocol. It is one backend, so that one connection waits until the other is closed. */
class InProcess implements DatabaseOfTests {
  readonly isShared = false;
  readonly #database: PGlite;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #turn: Promise<unknown> = Promise.resolve();
  #isInTransaction = false;

  private constructor(database: PGlite) {
    this.#database = database;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket.on('error', () => {}));
      this.#turn = this.#turn.then(() => this.#serve(socket));
    });
  }

  static async open(): Promise<InProcess> {
    const database = new InProcess(await PGlite.create());
    await once(database.#server.listen(0, '127.0.0.1'), 'listening');
    return database;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  urlOf(port: number): string {
    return `postgres://postgres@127.0.0.1:${port}/postgres`;
  }

  async exec(sql: string): Promise<unknown> {
    await this.#noTransaction();
    return this.#database.exec(sql);
  }

  async rows(sql: string): Promise<readonly Record<string, unknown>[]> {
    await this.#noTransaction();
    return (await this.#database.query<Record<string, unknown>>(sql)).rows;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#turn;
    await this.#database.close();
  }

  async #serve(socket: Socket): Promise<void> {
    let work: Promise<unknown> = Promise.resolve();
    const messages = new Messages('untyped first');
    socket.on('data', (chunk) => {
      for (const message of messages.of(chunk)) {
        if (letterOf(message) === 'X') socket.end();
        else work = work.then(async () => socket.write(await this.#carryOut(message)));
      }
    });
    if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
    this.#sockets.delete(socket);
    await work;
    // As a server does whose client is gone, in the middle of what it asked (53.2.4: Sync ends it).
    await this.#carryOut(Uint8Array.of(0x53, 0, 0, 0, 4));
    await this.#database.exec('ROLLBACK; DEALLOCATE ALL');
    this.#isInTransaction = false;
  }

  async #carryOut(message: Uint8Array): Promise<Uint8Array> {
    const answer = await this.#database.execProtocolRaw(message);
    // ReadyForQuery says it with its last octet: I, T or E.
    if (answer.at(-6) === 0x5a) this.#isInTransaction = answer.at(-1) !== 0x49;
    return answer;
  }

  /** A statement of the test is none of a transaction that a connection has open. */
  async #noTransaction(): Promise<void> {
    while (this.#isInTransaction) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Messages of the protocol (PostgreSQL 55.2): a letter, a length, the rest; a client's first has no letter. */
export class Messages {
  #rest = new Uint8Array(0);
  #hasLetter: boolean;

  constructor(first: 'typed first' | 'untyped first') {
    this.#hasLetter = first === 'typed first';
  }

  /** Those that are complete with this chunk. */
  of(chunk: Uint8Array): Uint8Array[] {
    let bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const messages: Uint8Array[] = [];
    for (;;) {
      const head = this.#hasLetter ? 1 : 0;
      const length = bytes.length < head + 4 ? Number.POSITIVE_INFINITY : head + new DataView(bytes.buffer).getUint32(head);
      if (bytes.length < length) break;
      messages.push(bytes.slice(0, length));
      bytes = bytes.slice(length);
      this.#hasLetter = true;
    }
    this.#rest = bytes;
    return messages;
  }
}

export function letterOf(message: Uint8Array): string {
  return String.fromCharCode(message[0]!);
}
