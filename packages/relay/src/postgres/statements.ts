// Everything that is asked of the database, as data. Times go in and out as milliseconds; the clock is the database's.

import type { Statement } from './database.ts';
import { FORMAT } from './rows.ts';

type Name =
  | ('upload' | 'part' | 'sweep' | 'abandon' | 'put' | 'copy' | 'became' | 'isPut')
  | ('take' | 'renew' | 'release' | 'begin')
  | ('lock' | 'store' | 'lockMessage' | 'over')
  | ('content' | 'find' | 'count')
  | ('policies' | 'keepPolicy' | 'dropPolicies');

export type Statements = { readonly [name in Name]: Statement };

/** `clock`: what gives the time; tests have another. */
export function statementsOf(schema: string, clock = 'clock_timestamp()'): Statements {
  const texts = Object.entries(textsOf(schema, clock));
  return Object.fromEntries(texts.map(([name, text]) => [name, { name: `ehlo.${name}`, text }])) as Statements;
}

/** Rows of jobs, from arrays in which one place stands for one job. */
const JOBS = (first: number): string => {
  const $ = (index: number): string => `$${first + index}`;
  return `unnest(${$(0)}::text[], ${$(1)}::text[], ${$(2)}::int[], ${$(3)}::text[], ${$(4)}::float8[], ${$(5)}::bool[], ${$(6)}::text[], ${$(7)}::text[])
    AS new (id, domain, format, state, due, held, final, begun)`;
};

const MS = (time: string): string => `(extract(epoch from ${time}) * 1000)::float8`;
const TIME = (ms: string): string => `to_timestamp(${ms}::float8 / 1000)`;

function textsOf(schema: string, clock: string): { readonly [name in Name]: string } {
  const job = `${schema}.job`;
  const message = `${schema}.message`;
  const content = `${schema}.content`;
  /** A job that is there already stays as it is. */
  const putJobs = (first: number): string => `INSERT INTO ${job} (id, message_id, domain, format, state, due, held, final, begun)
    SELECT id, $1, domain, format, state::json, ${TIME('due')}, held, final::int[], begun::json FROM ${JOBS(first)}
    ON CONFLICT DO NOTHING`;
  const isHeldBy = (id: string, fence: string): string => `job.id = ${id} AND job.fence = ${fence} AND job.lease_until > ${clock}`;
  const isFree = `(job.lease_until IS NULL OR job.lease_until <= ${clock})`;
  const seen = `job.state::text AS state, job.begun::text AS begun, message.envelope::text AS envelope, job.fence::text AS fence, job.wish,
    coalesce(${MS('job.lease_until')}, 0) AS until`;

  return {
    /** Of a content that comes in parts: message, envelope. What an earlier try has left is taken away. */
    upload: `WITH old AS (DELETE FROM ${content} USING ${message} WHERE message.id = $1 AND message.octets IS NULL AND content.message_id = $1)
      INSERT INTO ${message} AS message (id, envelope, received) VALUES ($1, $2::json, ${clock})
      ON CONFLICT (id) DO UPDATE SET received = EXCLUDED.received WHERE message.octets IS NULL`,
    /** message, number, octets */
    part: `INSERT INTO ${content} SELECT id, $2::int, $3::bytea FROM ${message} WHERE id = $1 AND octets IS NULL`,
    /** Contents that did not come to their end, of relays that have died or lost the database. */
    sweep: `DELETE FROM ${message} WHERE octets IS NULL AND received < ${clock} - interval '1 day'`,
    abandon: `DELETE FROM ${message} WHERE id = $1 AND octets IS NULL`,
    /** message, envelope, octets of the content, number and octets of the last part, jobs. A content that is there already stays as it is. */
    put: `WITH whole AS (
        INSERT INTO ${message} AS message (id, envelope, octets, received) VALUES ($1, $2::json, $3, ${clock})
        ON CONFLICT (id) DO UPDATE SET octets = EXCLUDED.octets, envelope = EXCLUDED.envelope WHERE message.octets IS NULL RETURNING id),
      last AS (INSERT INTO ${content} SELECT id, $4::int, $5::bytea FROM whole),
      jobs AS (${putJobs(6)})
      SELECT pg_current_xact_id()::text AS xid`,
    /** message, envelope, the message whose content it has, jobs */
    copy: `WITH whole AS (
        INSERT INTO ${message} (id, envelope, octets, received) SELECT $1, $2::json, octets, ${clock} FROM ${message} WHERE id = $3
        ON CONFLICT DO NOTHING RETURNING id),
      parts AS (INSERT INTO ${content} SELECT whole.id, part, bytes FROM whole, ${content} WHERE message_id = $3)
      ${putJobs(4)}`,
    /** What became of a transaction. */
    became: `SELECT pg_xact_status($1::text::xid8) AS status`,
    isPut: `SELECT EXISTS (SELECT FROM ${message} WHERE id = $1 AND octets IS NOT NULL) AS "isPut"`,

    /** owner, milliseconds of the lease, most */
    take: `WITH free AS (
        SELECT id FROM ${job} WHERE NOT held AND due <= ${clock} AND ${isFree} AND format <= ${FORMAT}
        ORDER BY due LIMIT $3 FOR UPDATE SKIP LOCKED),
      taken AS (
        UPDATE ${job} SET owner = $1, fence = fence + 1, lease_until = ${clock} + $2::int * interval '1 ms'
        FROM free WHERE job.id = free.id RETURNING job.*)
      SELECT ${seen} FROM taken AS job JOIN ${message} ON message.id = job.message_id ORDER BY job.due`,
    /** jobs, fences, milliseconds */
    renew: `UPDATE ${job} SET lease_until = ${clock} + $3::int * interval '1 ms'
      FROM unnest($1::text[], $2::bigint[]) AS lease (id, fence) WHERE ${isHeldBy('lease.id', 'lease.fence')} RETURNING job.id`,
    release: `UPDATE ${job} SET owner = NULL, lease_until = NULL
      FROM unnest($1::text[], $2::bigint[]) AS lease (id, fence) WHERE ${isHeldBy('lease.id', 'lease.fence')}`,
    /** job, fence, mark, its recipients */
    begin: `UPDATE ${job} SET begun = $3::json WHERE ${isHeldBy('$1', '$2')} AND NOT final && $4::int[] RETURNING id`,

    /** Nobody else changes it until the transaction is over. */
    lock: `SELECT ${seen}, ${isFree} AS "isFree", ${MS(clock)} AS now
      FROM ${job} JOIN ${message} ON message.id = job.message_id WHERE job.id = $1 FOR UPDATE OF job`,
    /** job, format, state, due, held, final, mark, whether the lease ends, wish */
    store: `UPDATE ${job} SET format = $2, state = $3::json, due = ${TIME('$4')}, held = $5, final = $6::int[], begun = $7::json, wish = $9,
      owner = CASE WHEN $8 THEN NULL ELSE owner END, lease_until = CASE WHEN $8 THEN NULL ELSE lease_until END WHERE id = $1`,
    /** So that of two who end the last two jobs of a message the second sees that it is the last. */
    lockMessage: `SELECT FROM ${message} WHERE id = $1 FOR UPDATE`,
    /** The message goes with its last job, its content with it. */
    over: `WITH gone AS (DELETE FROM ${job} WHERE id = $1 RETURNING id, message_id)
      DELETE FROM ${message} USING gone WHERE message.id = gone.message_id
      AND NOT EXISTS (SELECT FROM ${job} WHERE job.message_id = message.id AND job.id <> gone.id)`,

    /** message, number of the part: binary, so that octets come as they are */
    content: `SELECT message.octets::float8 AS octets, content.bytes FROM ${message} LEFT JOIN ${content} ON message_id = message.id AND part = $2
      WHERE message.id = $1 AND octets IS NOT NULL`,
    /** behind which id, most, message, domain, held, due before, job */
    find: `SELECT ${seen} FROM ${job} JOIN ${message} ON message.id = job.message_id
      WHERE job.id > $1 AND ($3::text IS NULL OR job.message_id = $3) AND ($4::text IS NULL OR job.domain = $4)
      AND ($5::bool IS NULL OR job.held = $5) AND ($6::float8 IS NULL OR job.due <= ${TIME('$6')})
      AND ($7::text IS NULL OR job.id = $7) ORDER BY job.id LIMIT $2`,
    count: `SELECT count(*) FILTER (WHERE NOT free)::int AS leased, count(*) FILTER (WHERE free AND held)::int AS held,
      count(*) FILTER (WHERE free AND NOT held AND due <= ${clock})::int AS due, count(*) FILTER (WHERE free AND NOT held AND due > ${clock})::int AS waiting,
      ${MS(`min(due) FILTER (WHERE free AND NOT held AND due <= ${clock})`)} AS oldest
      FROM (SELECT due, held, ${isFree} AS free FROM ${job}) AS job`,

    policies: `SELECT domain, kept::text AS kept FROM ${schema}.sts WHERE until > ${clock}`,
    /** domain, policy, until */
    keepPolicy: `INSERT INTO ${schema}.sts VALUES ($1, $2::json, ${TIME('$3')})
      ON CONFLICT (domain) DO UPDATE SET kept = EXCLUDED.kept, until = EXCLUDED.until`,
    dropPolicies: `DELETE FROM ${schema}.sts WHERE until <= ${clock}`,
  };
}
