import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  cramMd5,
  login,
  oauthBearer,
  parseScramKeys,
  plain,
  SHA1,
  SHA256,
  SHA512,
  type Stored,
  scram,
  type User,
  type UserTable,
  userTable,
  xoauth2,
} from '@ehlo/sasl';
import type { Authentication } from '#adapter';

/** The options of `ehlo serve` that say who may authenticate. */
export interface UsersOptions {
  readonly host: string;
  /** `name:password`, or `name:{SCRAM-SHA-256}…`. */
  readonly user?: readonly string[];
  /** A file of such lines. */
  readonly users?: string;
  readonly allowCleartextAuth: boolean;
  readonly requireAuth: boolean;
  /** Anybody, by whatever is shown. */
  readonly acceptAnyAuth: boolean;
}

/** Best first. */
const MECHANISMS = [scram(), scram(SHA512), scram(SHA1), cramMd5(), plain(), login()].flat();
/** Those that show what is to be judged. */
const ANY = [plain(), login(), oauthBearer(), xoauth2()];
const HASHES = [SHA1, SHA256, SHA512];
/** The same for as long as this process lives: salts of users that there are not stay as they are when a file is read again. */
const PEPPER = randomBytes(32);

/** Who may authenticate, and how to read their file anew. */
export interface LoadedUsers {
  readonly auth: Authentication;
  /** Reads the file again, for the exchanges that follow; what is wrong is thrown, and changes nothing. Null where there is no file. */
  readonly reload: (() => Promise<void>) | null;
}

/**
 * How clients authenticate themselves, by what every user can be served by; null where no option names a user. Without TLS it is
 * warned of: only those on this machine may see a password.
 */
export async function loadUsers(options: UsersOptions, tls: boolean, warn: (line: string) => void): Promise<LoadedUsers | null> {
  const { user = [], users, host, allowCleartextAuth, requireAuth, acceptAnyAuth } = options;
  if (acceptAnyAuth) {
    if (user.length > 0 || users !== undefined) throw new Error('--accept-any-auth takes anybody: leave out --user and --users');
    return { auth: { mechanisms: ANY, inClear: true, verify: () => true }, reload: null };
  }
  if (user.length === 0 && users === undefined) {
    const needs = requireAuth ? '--require-auth' : allowCleartextAuth ? '--allow-cleartext-auth' : null;
    if (needs !== null) throw new Error(`${needs} needs users: --user name:password, or --users FILE`);
    return null;
  }
  if (!tls && !LOOPBACK.test(host) && !allowCleartextAuth) throw new Error(inClear(host));
  let table = await readTable(options);
  const mechanisms = MECHANISMS.filter(({ name }) => table.serves(name));
  if (!tls) warn('there is no TLS: whoever can listen to the connections reads the passwords; see --cert and --tls-self-signed');
  const reload = async (): Promise<void> => {
    const next = await readTable(options);
    // Which mechanisms are offered is decided at the start.
    const unserved = mechanisms.filter(({ name }) => !next.serves(name)).map(({ name }) => name);
    if (unserved.length > 0) throw new Error(`not all of them can be served by ${unserved.join(', ')}: start the server anew`);
    table = next;
  };
  return {
    auth: { mechanisms, lookup: (name) => table.lookup(name), pepper: PEPPER, inClear: allowCleartextAuth || !tls },
    reload: users === undefined ? null : reload,
  };
}

/** Users of a file, by its text. Throws for a line that is none. */
export function usersOf(text: string, file: string): { readonly auth: Authentication; has(user: string): boolean } {
  const entries = parseUsers(text, file);
  if (entries.length === 0) throw new Error(`${file} names no user; a line is name:password`);
  const table = tableOf(entries);
  const mechanisms = MECHANISMS.filter(({ name }) => table.serves(name));
  return { auth: { mechanisms, lookup: (name) => table.lookup(name), pepper: PEPPER }, has: (name) => table.has(name) };
}

async function readTable({ user = [], users }: UsersOptions): Promise<UserTable> {
  const entries = user.map((text) => parseUser(text, '--user'));
  if (users !== undefined) entries.push(...parseUsers(await readUsers(users), users));
  if (entries.length === 0) throw new Error(`${users} names no user; a line is name:password`);
  return tableOf(entries);
}

const LOOPBACK = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|::1)$/;

function inClear(host: string): string {
  const remedy = 'give a certificate (--cert and --key, or --tls-self-signed), or --allow-cleartext-auth';
  return `on ${host} passwords would cross the network in clear: ${remedy}`;
}

async function readUsers(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`the users' file can't be read: ${(error as Error).message}`);
  }
}

/** Empty lines, and those that begin with `#`, say nothing. */
function parseUsers(text: string, file: string): User[] {
  return text.split(/\r?\n/).flatMap((line, index) => (/^(?:#|\s*$)/.test(line) ? [] : [parseUser(line, `${file}, line ${index + 1}`)]));
}

function parseUser(text: string, where: string): User {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) throw new Error(`${where}: a user is name:password`);
  return [text.slice(0, colon), parseStored(text.slice(colon + 1), where)];
}

function parseStored(text: string, where: string): Stored {
  if (!text.startsWith('{SCRAM-')) return text;
  const keys = parseScramKeys(text, HASHES);
  if (keys !== null) return keys;
  throw new Error(`${where}: keys are {SCRAM-SHA-256}iterations,salt,storedKey,serverKey, the last three in base64`);
}

function tableOf(entries: readonly User[]): UserTable {
  try {
    return userTable(entries, PEPPER);
  } catch (error) {
    throw error instanceof RangeError ? new Error(error.message) : error;
  }
}
