import { hostname } from 'node:os';
import { PostgresError } from './error.ts';

export interface PostgresOptions {
  /**
   * Where the database is: `postgres://user:password@host:5432/name?sslmode=verify-full`, or `socket:/var/run/postgresql?db=name`. What it leaves out is
   * taken of PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD and ~/.pgpass.
   */
  readonly url?: string;
  /** In place of one in `url`; a function is asked for each connection. */
  readonly password?: string | (() => string | Promise<string>);
  /** The schema of the tables, which nothing else is kept in: small letters, digits and `_`. Default `ehlo`. */
  readonly schema?: string;
  /** The name of this holder of jobs in the table. Default: name of the host and number of the process. */
  readonly owner?: string;
  /** Milliseconds that a lease lasts, by the database's clock: 1,000 to 3,600,000. Default 30,000. */
  readonly lease?: number;
  /** Connections that are opened at the most: 1 to 1,000. Default 10. */
  readonly connections?: number;
  /** Milliseconds to wait for a connection, and for the answer to a statement: 100 to 600,000. Default 10,000. */
  readonly patience?: number;
  /** Told of connections that break while nothing is asked of them. They are opened anew when they are needed. */
  readonly failed?: (error: unknown) => void;
}

/** All options, checked. */
export interface Settings extends Required<Omit<PostgresOptions, 'url' | 'password'>> {
  readonly url: string | undefined;
  readonly password: PostgresOptions['password'];
}

const NUMBERS = {
  lease: { least: 1000, most: 3_600_000 },
  connections: { least: 1, most: 1000 },
  patience: { least: 100, most: 600_000 },
} as const;

const DEFAULTS: Settings = {
  url: undefined,
  password: undefined,
  schema: 'ehlo',
  owner: `${hostname()}:${process.pid}`,
  lease: 30_000,
  connections: 10,
  patience: 10_000,
  failed: () => {},
};

export function settingsOf(options: PostgresOptions): Settings {
  const unknown = Object.keys(options).find((name) => !(name in DEFAULTS));
  if (unknown !== undefined) throw wrong(unknown, `there is no such option; there are ${Object.keys(DEFAULTS).join(', ')}`);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = { ...DEFAULTS, ...given };
  for (const [name, { least, most }] of Object.entries(NUMBERS)) {
    const value = settings[name as keyof typeof NUMBERS];
    if (!Number.isInteger(value) || value < least || value > most) throw wrong(name, `a whole number from ${least} to ${most} is wanted`);
  }
  for (const name of ['url', 'schema', 'owner'] as const) {
    if (settings[name] !== undefined && typeof settings[name] !== 'string') throw wrong(name, 'a string is wanted');
  }
  if (settings.url !== undefined && !/^(?:postgres(?:ql)?:\/\/|socket:)/.test(settings.url)) {
    throw wrong('url', 'it begins with postgres://, or with socket: and the folder of the socket');
  }
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(settings.schema))
    throw wrong('schema', 'small letters, digits and _ are wanted, 63 at the most, a digit not first');
  return settings;
}

function wrong(option: string, what: string): PostgresError {
  return new PostgresError('option', `openPostgres: ${option}: ${what}`);
}
