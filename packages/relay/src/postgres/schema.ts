// The tables, as steps from one version to the next.

import type { Ask, Database } from './database.ts';
import { PostgresError } from './error.ts';

/** What leads to a version from the one before. */
export interface Step {
  readonly version: number;
  /** The oldest version whose relays can work on with these tables: while there are such, they may be upgraded one after the other. */
  readonly serves: number;
  /** In which `$schema` stands for the schema. */
  readonly statements: readonly string[];
}

export const STEPS: readonly Step[] = [
  {
    version: 1,
    serves: 1,
    statements: [
      // JSON as it was written: `jsonb` refuses U+0000 and lone surrogates, and a server may say what it likes.
      `CREATE TABLE $schema.message (
        id text PRIMARY KEY,
        envelope json NOT NULL,
        octets bigint,
        received timestamptz NOT NULL
      )`,
      `CREATE INDEX message_unfinished ON $schema.message (received) WHERE octets IS NULL`,
      `CREATE TABLE $schema.content (
        message_id text REFERENCES $schema.message ON DELETE CASCADE,
        part integer,
        bytes bytea NOT NULL,
        PRIMARY KEY (message_id, part)
      )`,
      // A job is changed several times and then gone: room in its page keeps the indexes out of it.
      `CREATE TABLE $schema.job (
        id text PRIMARY KEY,
        message_id text NOT NULL REFERENCES $schema.message,
        domain text NOT NULL,
        format integer NOT NULL,
        state json NOT NULL,
        due timestamptz NOT NULL,
        held boolean NOT NULL,
        final integer[] NOT NULL,
        begun json,
        wish text,
        owner text,
        fence bigint NOT NULL DEFAULT 0,
        lease_until timestamptz
      ) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02)`,
      `CREATE INDEX job_due ON $schema.job (due) WHERE NOT held`,
      `CREATE INDEX job_message ON $schema.job (message_id)`,
      `CREATE TABLE $schema.sts (domain text PRIMARY KEY, kept json NOT NULL, until timestamptz NOT NULL)`,
      `COMMENT ON COLUMN $schema.message.octets IS 'null: the content is still coming in'`,
      `COMMENT ON COLUMN $schema.job.state IS 'the job, as @ehlo/delivery writes it, without its mark, and without its message where that is the envelope'`,
      `COMMENT ON COLUMN $schema.job.final IS 'places of the recipients that are final'`,
      `COMMENT ON COLUMN $schema.job.begun IS 'the attempt that may have delivered, and is not settled'`,
      `COMMENT ON COLUMN $schema.job.fence IS 'grows with every lease'`,
    ],
  },
];

/** Two relays that start at once: one makes the tables, the other waits. The number is ours. */
const LOCK = 'SELECT pg_advisory_xact_lock(1164470383, hashtext($1))';

/**
 * Brings the tables to the version of this release, or leaves them where a later release has brought them, if that one says that it serves this one.
 * Rejects with what to do where it does not.
 */
export async function prepareSchema(database: Database, schema: string, steps: readonly Step[] = STEPS): Promise<void> {
  const own = steps.at(-1)!.version;
  // What is there needs no right to make anything.
  const found = await versionOf(database.ask, schema);
  if (found === null || found.version < own) {
    await database.transaction(async (ask) => {
      await ask(LOCK, schema);
      const { version } = (await versionOf(ask, schema)) ?? { version: 0 };
      if (version === 0) {
        // Who may make tables in a schema that is there need not be allowed to make one.
        const [schemas] = await ask<{ is_there: boolean }>(IS_SCHEMA, schema);
        if (schemas?.is_there !== true) await ask(`CREATE SCHEMA ${schema}`);
        await ask(`CREATE TABLE ${schema}.version (version integer NOT NULL, serves integer NOT NULL)`);
        await ask(`INSERT INTO ${schema}.version VALUES (0, 0)`);
      }
      for (const step of steps.filter((one) => one.version > version)) {
        for (const statement of step.statements) await ask(statement.replaceAll('$schema', schema));
        await ask(`UPDATE ${schema}.version SET version = $1, serves = $2`, step.version, step.serves);
      }
    });
  }
  const { version, serves } = (await versionOf(database.ask, schema))!;
  if (serves > own) {
    const what = `the tables of schema ${schema} have version ${version}, and serve relays of version ${serves} or later`;
    throw new PostgresError('newer', `${what}; this one knows version ${own}: upgrade @ehlo/relay, or name another schema`);
  }
}

// Read as rows: `to_regclass` would look into a cache that another relay's commit has not reached yet.
const IS_SCHEMA = 'SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS is_there';
const IS_VERSION = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'version') AS is_there";

async function versionOf(ask: Ask, schema: string): Promise<{ readonly version: number; readonly serves: number } | null> {
  const [found] = await ask<{ is_there: boolean }>(IS_VERSION, schema);
  if (found?.is_there !== true) return null;
  const [row] = await ask<{ version: number; serves: number }>(`SELECT version, serves FROM ${schema}.version`);
  return row ?? null;
}

/** PostgreSQL of this version tells what became of a transaction whose COMMIT was not answered (`pg_xact_status` of an `xid8`). */
const OLDEST = 130_000;

/** Rejects where a message could be acknowledged and lost, or could not be kept. */
export async function checkServer(
  { ask, where }: Database,
  { isDurable = true }: { readonly isDurable?: boolean | undefined },
): Promise<void> {
  const [row] = await ask<Record<'version' | 'number' | 'encoding' | 'fsync' | 'commit', string>>(`SELECT
    current_setting('server_version') AS version, current_setting('server_version_num') AS number,
    current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`);
  const { version, number, encoding, fsync, commit } = row!;
  const wrong = [
    Number(number) < OLDEST && `is PostgreSQL ${version}: 13 or later is wanted`,
    encoding !== 'UTF8' && `keeps text as ${encoding}: create one WITH ENCODING 'UTF8' TEMPLATE template0`,
    isDurable && fsync === 'off' && 'runs with fsync = off: what it has acknowledged may be lost',
    isDurable &&
      commit === 'off' &&
      'runs with synchronous_commit = off: what it has acknowledged may be lost; ALTER ROLE … SET synchronous_commit = on',
  ].find((one) => one !== false);
  if (wrong !== undefined) throw new PostgresError('unsuitable', `${where}, ${wrong}`);
}
