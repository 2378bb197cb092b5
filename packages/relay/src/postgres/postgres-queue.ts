import {
  applyChange,
  type BegunAttempt,
  isOver,
  type Job,
  type JobChange,
  type JobCounts,
  type JobId,
  type JobQuery,
  type KeptPolicy,
  type Lease,
  type MessageId,
  type NewJob,
  type PolicyBook,
  putOf,
  type Queue,
} from '@ehlo/delivery';
import { operated } from '../operated.ts';
import { allParts, partsOf } from './content.ts';
import { type Ask, type Database, LostCommit, openDatabase } from './database.ts';
import type { PostgresError } from './error.ts';
import { type PostgresOptions, type Settings, settingsOf } from './options.ts';
import { TablePolicies, type WritePolicy } from './policies.ts';
import { columnsOf, type JobRow, jobOf, leaseOf } from './rows.ts';
import { checkServer, prepareSchema, type Step } from './schema.ts';
import { type Statements, statementsOf } from './statements.ts';

/** Jobs of one page of `find`. */
const PAGE = 500;
/** Milliseconds between two questions about a transaction that still runs. */
const AGAIN = 100;

/**
 * A queue in PostgreSQL 13 or later, which many relays share. Its clock is the database's; what is resolved is committed. A method rejects with a `PostgresError`
 * where the database does not do its part in time; the next call opens what has broken anew.
 */
export interface PostgresQueue extends Queue {
  put(jobs: readonly Job[], content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<MessageId>;
  /** Reads every job. */
  count(): Promise<JobCounts>;
  /** For the dispatcher: MTA-STS policies that any relay had fetched when this one was opened, and those that are set; they outlive the process (RFC 8461 3.3). */
  readonly policies: PolicyBook;
  /** Ends the connections when what is under way has ended. */
  close(): Promise<void>;
}

/**
 * Opens a queue in a PostgreSQL database, and makes its tables where there are none. The package `pg` is to be installed beside it. Rejects with a `PostgresError`
 * where the database can't be reached or is not fit.
 *
 * @example
 * ```ts
 * import { openPostgres } from '@ehlo/relay/postgres';
 * const opening = openPostgres({ url: 'mysql://db.example.org/mail' });
 * await opening.catch(({ code }) => code)
 * // → 'option'
 * ```
 */
export async function openPostgres(options: PostgresOptions = {}): Promise<PostgresQueue> {
  return openQueue(settingsOf(options));
}

/** What tests set otherwise. */
export interface Circumstances {
  /** SQL that gives the time. */
  readonly clock?: string;
  readonly steps?: readonly Step[];
  readonly isDurable?: boolean;
}

export async function openQueue(settings: Settings, { clock, steps, isDurable }: Circumstances = {}): Promise<PostgresQueue> {
  const database = await openDatabase(settings);
  try {
    await checkServer(database, { isDurable });
    await prepareSchema(database, settings.schema, steps);
    const sql = statementsOf(settings.schema, clock);
    await database.ask(sql.dropPolicies);
    const rows = await database.ask<{ domain: string; kept: string }>(sql.policies);
    return new TableQueue(
      database,
      sql,
      settings,
      rows.map(({ domain, kept }) => [domain, JSON.parse(kept)]),
    );
  } catch (error) {
    await database.close();
    throw error;
  }
}

class TableQueue implements PostgresQueue {
  readonly policies: TablePolicies;
  readonly #database: Database;
  readonly #sql: Statements;
  readonly #owner: string;
  readonly #lease: number;
  readonly #patience: number;

  constructor(
    database: Database,
    sql: Statements,
    { owner, lease, patience, failed }: Settings,
    policies: Iterable<readonly [domain: string, kept: KeptPolicy]>,
  ) {
    const write: WritePolicy = async (domain, kept) => {
      await database.ask(sql.keepPolicy, domain, JSON.stringify(kept), kept.fetched + kept.policy.maxAge);
    };
    this.policies = new TablePolicies(policies, write, failed);
    this.#database = database;
    this.#sql = sql;
    this.#owner = owner;
    this.#lease = lease;
    this.#patience = patience;
  }

  async put(jobs: readonly Job[], content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<MessageId> {
    const [first] = jobs;
    if (first === undefined) throw new RangeError('a message without a job has nowhere to go');
    const { id } = first.message;
    let octets = 0;
    let last: Uint8Array | null = null;
    let number = 0;
    try {
      // No transaction is open while the content comes in, however slowly: the parts of a large one are written as they come, and count with the last.
      for await (const part of partsOf(content)) {
        if (last !== null) await this.#upload(first, number++, last);
        last = part;
        octets += part.length;
      }
    } catch (error) {
      if (number > 0) await this.#database.ask(this.#sql.abandon, id).catch(() => {});
      throw error;
    }
    await this.#commitPut(id, [JSON.stringify(first.message), octets, number, last, ...arraysOf(jobs)]);
    return id;
  }

  async take(most: number): Promise<readonly Lease[]> {
    return (await this.#database.ask<JobRow>(this.#sql.take, this.#owner, this.#lease, most)).map(leaseOf);
  }

  async renew(leases: readonly Lease[]): Promise<ReadonlySet<JobId>> {
    const held = await this.#database.ask<{ id: JobId }>(this.#sql.renew, ...namesOf(leases), this.#lease);
    return new Set(held.map(({ id }) => id));
  }

  async release(leases: readonly Lease[]): Promise<void> {
    await this.#database.ask(this.#sql.release, ...namesOf(leases));
  }

  async begin({ job, fence }: Lease, attempt: BegunAttempt): Promise<boolean> {
    return (await this.#database.ask(this.#sql.begin, job.id, fence, JSON.stringify(attempt), attempt.recipients)).length > 0;
  }

  async settle(lease: Lease, change: JobChange, notices: ReadonlyMap<JobId, readonly Uint8Array[]>): Promise<boolean> {
    // Before the transaction: nothing is waited for in it but the database.
    const contents = new Map<JobId, readonly Uint8Array[]>();
    for (const { job, content } of change.put) {
      if (content !== 'same') contents.set(job.id, await allParts(notices.get(job.id) ?? []));
    }
    return this.#database.transaction(async (ask) => {
      const [row] = await ask<LockedRow>(this.#sql.lock, change.job);
      // It is over: this is the second time, or another has brought it to its end.
      if (row === undefined) return true;
      const job = jobOf(row);
      const isOurs = Number(row.fence) === lease.fence;
      const after = applyChange(job, change, { acceptances: !isOurs });
      for (const one of putOf(job, change, { acceptances: !isOurs })) await this.#born(ask, one, job.message.id, contents);
      const isEnd = isOurs ? change.due === null : isOver(after);
      if (isEnd) await this.#over(ask, after);
      else await this.#store(ask, after, { isFree: isOurs && change.release, wish: isOurs && change.release ? null : row.wish });
      return isOurs;
    });
  }

  async *content(id: MessageId): AsyncGenerator<Uint8Array> {
    let octets = 0;
    for (let number = 0; ; number++) {
      // A connection is held for no longer than a part takes.
      const [row] = await this.#database.ask<{ octets: number; bytes: Uint8Array | null }>(this.#sql.content, id, number);
      if (row === undefined || (row.bytes === null && octets < row.octets)) throw new RangeError(`there is no content of ${id}`);
      if (row.bytes === null) return;
      octets += row.bytes.length;
      if (row.bytes.length > 0) yield row.bytes;
      if (octets >= row.octets) return;
    }
  }

  async *find({ job: id, message, domain, held, dueBefore }: JobQuery): AsyncGenerator<Job> {
    const query = [message ?? null, domain ?? null, held ?? null, dueBefore ?? null, id ?? null];
    for (let behind: JobId | null = ''; behind !== null; ) {
      const rows: readonly JobRow[] = await this.#database.ask<JobRow>(this.#sql.find, behind, PAGE, ...query);
      const jobs = rows.map(jobOf);
      yield* jobs;
      behind = jobs.length < PAGE ? null : jobs.at(-1)!.id;
    }
  }

  async count(): Promise<JobCounts> {
    const [counts] = await this.#database.ask<JobCounts>(this.#sql.count);
    return counts!;
  }

  operate(id: JobId, what: 'hold' | 'release' | 'retry' | 'delete' | 'bounce'): Promise<boolean> {
    return this.#database.transaction(async (ask) => {
      const [row] = await ask<LockedRow>(this.#sql.lock, id);
      if (row === undefined || !row.isFree) return false;
      const job = jobOf(row);
      if (what === 'delete') await this.#over(ask, job);
      else await this.#store(ask, operated(job, what, row.now), { isFree: false, wish: what === 'bounce' ? what : row.wish });
      return true;
    });
  }

  async close(): Promise<void> {
    await this.policies.written();
    await this.#database.close();
  }

  /** A part that is not the last. */
  async #upload({ message }: Job, number: number, part: Uint8Array): Promise<void> {
    if (number === 0) {
      await this.#database.ask(this.#sql.sweep);
      await this.#database.ask(this.#sql.upload, message.id, JSON.stringify(message));
    }
    await this.#database.ask(this.#sql.part, message.id, number, part);
  }

  /** The commit that makes a message durable. Where its answer is lost, the database is asked what became of it. */
  async #commitPut(id: MessageId, values: readonly unknown[]): Promise<void> {
    let xid = '';
    try {
      await this.#database.transaction(async (ask) => {
        const [row] = await ask<{ xid: string }>(this.#sql.put, id, ...values);
        xid = row!.xid;
      });
    } catch (error) {
      if (!(error instanceof LostCommit) || !(await this.#isCommitted(xid, id))) throw error;
    }
  }

  async #isCommitted(xid: string, id: MessageId): Promise<boolean> {
    for (const end = performance.now() + this.#patience; performance.now() < end; await pause(AGAIN)) {
      const status = await this.#statusOf(xid);
      if (status === 'aborted') return false;
      // A server that has crashed may give the number once more: it is the message that counts. One that is gone already is sent again, and not lost.
      const isOver = status === 'committed' || status === 'unknown';
      const [found] = isOver ? await this.#database.ask<{ isPut: boolean }>(this.#sql.isPut, id).catch(() => []) : [];
      if (found !== undefined) return found.isPut;
    }
    return false;
  }

  /** `unknown`: another server has taken over, which does not know of it; null: there is no answer. */
  async #statusOf(xid: string): Promise<string | null> {
    try {
      const [row] = await this.#database.ask<{ status: string | null }>(this.#sql.became, xid);
      return row?.status ?? 'unknown';
    } catch (error) {
      return (error as PostgresError).code === 'refused' ? 'unknown' : null;
    }
  }

  /** A job that comes into being by a commit. */
  async #born(ask: Ask, { job }: NewJob, from: MessageId, contents: ReadonlyMap<JobId, readonly Uint8Array[]>): Promise<void> {
    const { id } = job.message;
    const envelope = JSON.stringify(job.message);
    const parts = contents.get(job.id);
    if (parts === undefined) {
      await ask(this.#sql.copy, id, envelope, from, ...arraysOf([job]));
      return;
    }
    const octets = parts.reduce((sum, { length }) => sum + length, 0);
    const last = parts.length - 1;
    if (last > 0) await ask(this.#sql.upload, id, envelope);
    for (const [number, part] of parts.slice(0, last).entries()) await ask(this.#sql.part, id, number, part);
    await ask(this.#sql.put, id, envelope, octets, last, parts[last], ...arraysOf([job]));
  }

  async #store(ask: Ask, job: Job, { isFree, wish }: { readonly isFree: boolean; readonly wish: Lease['wish'] | null }): Promise<void> {
    await ask(this.#sql.store, job.id, ...columnsOf(job), isFree, wish);
  }

  async #over(ask: Ask, { id, message }: Job): Promise<void> {
    await ask(this.#sql.lockMessage, message.id);
    await ask(this.#sql.over, id);
  }
}

interface LockedRow extends JobRow {
  readonly isFree: boolean;
  /** Milliseconds, by the database's clock. */
  readonly now: number;
}

/** Jobs as the columns of a table: ids, domains, formats, states, times, holds, final places, marks. */
function arraysOf(jobs: readonly Job[]): readonly (readonly unknown[])[] {
  const rows = jobs.map((job) => [job.id, job.domain, ...columnsOf(job)]);
  return rows[0]!.map((_, column) => rows.map((row) => row[column]));
}

/** Leases as arrays of jobs and of fences. */
function namesOf(leases: readonly Lease[]): readonly [readonly JobId[], readonly number[]] {
  return [leases.map(({ job }) => job.id), leases.map(({ fence }) => fence)];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
