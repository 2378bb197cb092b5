/** Why a spool could not do what it was asked. */
export type SpoolProblem =
  /** The disk, or the quota, has no room: refuse the message with 452 (RFC 5321 4.2.3), and try again later. */
  | 'full'
  /** The disk has failed. What was written by this call may or may not be there after a crash. */
  | 'disk'
  /** Octets on the disk are not those that were written. */
  | 'damaged'
  /** Another process has the spool. */
  | 'locked'
  /** The spool was closed. */
  | 'closed';

/**
 * What a spool rejects with: `code` says what kind it is, `message` where, and what to do.
 *
 * @example
 * ```ts
 * import { SpoolError } from '@ehlo/relay/spool';
 * const replyTo = (error: unknown) => (error instanceof SpoolError && error.code === 'full' ? 452 : 451);
 * replyTo(new SpoolError('full', 'no room is left on the disk'))
 * // → 452
 * ```
 */
export class SpoolError extends Error {
  readonly code: SpoolProblem;

  constructor(code: SpoolProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'SpoolError';
    this.code = code;
  }
}

/** An error of the disk, in the words of the spool, and what to do about it. */
export function diskError(error: unknown, what: string): SpoolError {
  if (error instanceof SpoolError) return new SpoolError(error.code, `${what}: ${error.message}`, error.cause);
  if (isFull(error)) return new SpoolError('full', `${what}: no room is left on the disk`, error);
  const { code = '', message } = error as NodeJS.ErrnoException;
  const remedy = REMEDIES.get(code);
  return new SpoolError('disk', `${what}: ${message}${remedy === undefined ? '' : `; ${remedy}`}`, error);
}

const ALLOW = 'let the user of this process read and write there';
const MORE_FILES = 'allow more open files';

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['EACCES', ALLOW],
  ['EPERM', ALLOW],
  ['EROFS', 'mount it for writing'],
  ['EIO', 'see what the system says of this disk'],
  ['EMFILE', MORE_FILES],
  ['ENFILE', MORE_FILES],
]);

/** Whether the disk says that it has no room, or the quota. */
export function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

export function isDamaged(error: unknown): error is SpoolError {
  return error instanceof SpoolError && error.code === 'damaged';
}
