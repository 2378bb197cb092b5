/**
 * - `driver`: the package `pg` is not installed;
 * - `option`: an option is wrong;
 * - `unreachable`: there is no connection, or it broke, or nothing came in time: what was asked for is done, or it is not;
 * - `refused`: the database said no, and nothing was done; `cause.code` is its SQLSTATE;
 * - `unsuitable`: it is too old, keeps other text than UTF-8, or acknowledges what it has not written;
 * - `newer`: its tables are those of a later release, which this one can't work with.
 */
export type PostgresErrorCode = 'driver' | 'option' | 'unreachable' | 'refused' | 'unsuitable' | 'newer';

/** What every method of a `PostgresQueue` rejects with where the database does not do its part. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly code: PostgresErrorCode;

  constructor(code: PostgresErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}
