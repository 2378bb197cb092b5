import type { Stored } from './mechanism.ts';
import { userName } from './names.ts';
import { Decoy } from './secret.ts';
import { isPassword } from './steps.ts';

/** A user with what is stored of it. */
export type User = readonly [name: string, stored: Stored];

/** Users of a server, in memory. */
export interface UserTable {
  /** What is stored of a user. For one who does not exist: something like it that nobody has the password of. */
  lookup(user: string): Stored | null;
  /** Whether there is such a user. */
  has(user: string): boolean;
  /** Whether every user can be served by a mechanism. */
  serves(mechanism: string): boolean;
}

const BY_PASSWORD = /^(?:PLAIN|LOGIN)$/;
const BY_EITHER = /^SCRAM-(SHA-(?:1|256|512))(?:-PLUS)?$/;

/**
 * A table of users. Names are compared as SASLprep prepares them; throws a `RangeError` for one that it does not allow, or that stands
 * there twice. `pepper`: octets that only this server knows; whether a user exists can't be told from its answers, nor, where all
 * users are stored in one form, from their time.
 *
 * @example
 * ```ts
 * import { userTable } from '@ehlo/sasl';
 * const users = userTable([['tim', 'tanstaaftanstaaf']], crypto.getRandomValues(new Uint8Array(32)));
 * users.lookup('tim') // → 'tanstaaftanstaaf'
 * ```
 */
export function userTable(users: Iterable<User>, pepper: Uint8Array): UserTable {
  const byName = new Map<string, Stored>();
  for (const [given, stored] of users) {
    const name = userName(given);
    if (name === null) throw new RangeError(`${JSON.stringify(given)} can't be the name of a user (RFC 4013)`);
    if (byName.has(name)) throw new RangeError(`user ${JSON.stringify(name)} is there twice`);
    byName.set(name, stored);
  }
  const all = [...byName.values()];
  const [first = null] = all;
  return {
    lookup: (user) => byName.get(user) ?? (first === null ? null : likeness(first, user, pepper)),
    has: (user) => byName.has(user),
    serves: (mechanism) => all.every((stored) => canServe(stored, mechanism)),
  };
}

/** What serves an unknown user as long as the users that there are. */
function likeness(stored: Stored, user: string, pepper: Uint8Array): Stored {
  return isPassword(stored) ? new Decoy([...pepper].join(' ')) : stored.decoy(user, pepper);
}

function canServe(stored: Stored, mechanism: string): boolean {
  if (BY_PASSWORD.test(mechanism)) return true;
  const [, hash] = BY_EITHER.exec(mechanism) ?? [];
  if (isPassword(stored)) return hash !== undefined || mechanism === 'CRAM-MD5';
  return stored.hash === hash;
}
