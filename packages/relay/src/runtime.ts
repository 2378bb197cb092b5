// What a relay is given, and what it reads before it begins.

import type { PolicyBook, Queue } from '@ehlo/delivery';
import type { Authentication } from '@ehlo/driver';
import { ConfigError } from './config/check.ts';
import type { QueueConfig, RelayConfig } from './config/config.ts';
import { type DnsOptions, dnsLookup } from './dns/index.ts';
import type { Listen, RelayTls } from './front/doors.ts';
import { loadPolicy, readNamed } from './front/load.ts';
import type { RelayLog } from './front/log.ts';
import type { Policy } from './front/policy.ts';
import type { Means } from './runner/index.ts';

/** A queue that is open, for the relay to close. */
export interface OpenQueue {
  readonly queue: Queue & { close?(): Promise<void> };
  /** MTA-STS policies that outlive the process (RFC 8461 3.3). */
  readonly policies?: PolicyBook;
  /** Milliseconds that a lease lasts. Default 30,000. */
  readonly lease?: number;
}

/** Who may log in. */
export interface RelayUsers {
  readonly auth: Authentication;
  /** Whether the user still exists: sessions of a removed user may send nothing more. */
  has(user: string): boolean;
}

/** What of a runner's means leads outward. */
export type Outward = Pick<Means, 'open' | 'fetchPolicy' | 'report'>;

/** What a relay is given: everything that is another on each runtime. */
export interface RelayRuntime<Tls extends RelayTls = RelayTls> {
  /** The `listen` of an adapter. `name` is that of the listener. */
  readonly listen: Listen<Tls>;
  /** Whether the socket of that listener was there when this process began: `listen` can have it once. Default: none was. */
  readonly isInherited?: (name: string) => boolean;
  /** A certificate, in PEM. Throws where it is none. */
  readonly tls: (certificate: { readonly cert: string; readonly key: string }) => Tls;
  /** Users by the text of their file. Throws where a line is none, with its number. */
  readonly users: (text: string, file: string) => RelayUsers;
  /** Opens the queue. */
  readonly queue: (config: QueueConfig) => Promise<OpenQueue>;
  /** How mail goes out. Called again with each configuration; `lookUp` is that of the relay. */
  readonly outbound: (config: RelayConfig, lookUp: Means['lookUp']) => Promise<Outward>;
  /** Default: the DNS client of `@ehlo/relay/dns`. */
  readonly lookUp?: Means['lookUp'];
  readonly log: RelayLog;
}

/** All that a configuration refers to, read. */
export interface Loaded<Tls> {
  readonly policy: Policy;
  readonly certificate: { readonly cert: string; readonly key: string } | null;
  readonly tls: Tls | null;
  readonly auth: Authentication | null;
  /** Of deliveries. */
  readonly lookUp: Means['lookUp'];
  /** Of the front: strangers choose what it asks. */
  readonly lookUpSender: Means['lookUp'];
  readonly outbound: Outward;
}

/** Reads all that a configuration refers to. Throws `ConfigError`. */
export async function load<Tls extends RelayTls>(config: RelayConfig, runtime: RelayRuntime<Tls>): Promise<Loaded<Tls>> {
  const lookUp = lookUpOf(config, runtime);
  const { tls, users } = config;
  const certificate = tls === undefined ? null : { cert: await readNamed('tls.cert', tls.cert), key: await readNamed('tls.key', tls.key) };
  const named = <T>(path: string, make: () => T): T => {
    try {
      return make();
    } catch (error) {
      throw new ConfigError([{ path, text: `${path}: ${(error as Error).message}` }]);
    }
  };
  const known =
    users === undefined
      ? null
      : await readNamed('users.file', users.file).then((text) => named('users', () => runtime.users(text, users.file)));
  return {
    policy: await loadPolicy(config, (user) => known?.has(user) === true),
    certificate,
    tls: certificate === null ? null : named('tls', () => runtime.tls(certificate)),
    auth: known?.auth ?? null,
    lookUp,
    lookUpSender: lookUpOf(config, runtime, FRONT),
    outbound: await runtime.outbound(config, lookUp),
  };
}

/** A client waits for the answer. Places of its own: names whose servers are silent keep no delivery waiting. */
const FRONT: DnsOptions = { timeout: 2000, rounds: 1 };

function lookUpOf<Tls extends RelayTls>(
  { dns: { servers, trustResolver } }: RelayConfig,
  { lookUp }: RelayRuntime<Tls>,
  options: DnsOptions = {},
): Means['lookUp'] {
  return lookUp ?? dnsLookup({ ...options, trustResolver, ...(servers.length === 0 ? {} : { servers }) });
}
