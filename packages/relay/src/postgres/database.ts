import type { Pool, PoolClient } from 'pg';
import { PostgresError } from './error.ts';
import type { Settings } from './options.ts';

/** A statement that every connection prepares once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Asks one thing of a connection. */
export type Ask = <Row>(statement: Statement | string, ...values: readonly unknown[]) => Promise<readonly Row[]>;

/** Thrown where the answer to COMMIT was lost: it is done, or it is not. */
export class LostCommit extends PostgresError {
  constructor(where: string, cause: unknown) {
    super('unreachable', `${where}: the answer to COMMIT is lost: ${wordsOf(cause)}`, cause);
  }
}

/** Connections to one database. Whatever fails, its connection is not used again: the next is a new one. */
export class Database {
  readonly #pool: Pool;
  /** For error messages. */
  readonly where: string;

  constructor(pool: Pool, where: string) {
    this.#pool = pool;
    this.where = where;
  }

  /** A statement, which is a transaction of its own. */
  ask: Ask = (statement, ...values) => this.#with((client) => this.#askOf(client)(statement, ...values));

  /** All of it or nothing. Throws a `LostCommit` where that is not known. */
  transaction<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#with(async (client) => {
      const ask = this.#askOf(client);
      await ask('BEGIN');
      const result = await work(ask);
      const { command } = await client.query('COMMIT').catch((error: unknown) => {
        // A server that says so has not done it; only silence tells nothing.
        throw isRefusal(error) ? this.#told(error) : new LostCommit(this.where, error);
      });
      if (command !== 'COMMIT') throw new PostgresError('refused', `${this.where}: the transaction was taken back`);
      return result;
    });
  }

  /** Waits for the connections that are in use. */
  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #with<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw this.#told(error);
    });
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  #askOf(client: PoolClient): Ask {
    return async <Row>(statement: Statement | string, ...values: readonly unknown[]) => {
      const query = typeof statement === 'string' ? { text: statement } : statement;
      try {
        return (await client.query({ ...query, values: [...values] })).rows as Row[];
      } catch (error) {
        throw this.#told(error);
      }
    };
  }

  #told(error: unknown): PostgresError {
    const { code } = error as { code?: string };
    if (isRefusal(error)) return new PostgresError('refused', `${this.where} refuses: ${wordsOf(error)} (${code})`, error);
    return new PostgresError('unreachable', `${this.where} can't be reached: ${wordsOf(error)}`, error);
  }
}

/** Opens a pool of connections. No connection is made yet. */
export async function openDatabase(settings: Settings): Promise<Database> {
  const { url, password, connections, patience, failed, owner } = settings;
  const { default: pg } = await import('pg').catch((error: unknown) => {
    throw new PostgresError('driver', 'the PostgreSQL queue needs the package pg: npm install pg', error);
  });
  const config = {
    ...(url === undefined ? {} : { connectionString: url }),
    ...(password === undefined ? {} : { password }),
    application_name: `ehlo ${owner}`.slice(0, 63),
    keepAlive: true,
    max: connections,
    connectionTimeoutMillis: patience,
    // The server ends a statement first, and says so; the client, where the server says nothing.
    statement_timeout: patience,
    query_timeout: patience + 1000,
    // A relay that stops within a transaction does not block the others for longer.
    idle_in_transaction_session_timeout: patience,
  };
  const pool = new pg.Pool(config);
  pool.on('error', failed);
  // Between two statements of a transaction no query waits for the error: the next statement gets it.
  pool.on('connect', (client) => client.on('error', () => {}));
  const { host, port, database } = new pg.Client(config);
  return new Database(pool, `PostgreSQL at ${host.startsWith('/') ? host : `${host}:${port}`}, database ${database}`);
}

/** Whether it is the server that says no (SQLSTATE), and not a connection that broke: classes 08 and 57P0x end the connection, and what was under way with it. */
function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(?:08|57P0|E)/.test(code);
}

function wordsOf(error: unknown): string {
  // What a name with several addresses has come to: an AggregateError has no words of its own.
  const { message, errors } = error as { message?: string; errors?: readonly Error[] };
  return message || errors?.map((one) => one.message).join('; ') || String(error);
}
