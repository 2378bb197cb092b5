// A configuration that has been read: every option with its value. Their words are those of the tables beside it.

import type { AddressClass } from '@ehlo/delivery';

/** What a relay is, whole. Durations are milliseconds, sizes octets. */
export interface RelayConfig {
  readonly hostname: string;
  readonly postmaster: string;
  readonly names: readonly string[];
  readonly listeners: readonly ListenerConfig[];
  readonly tls?: TlsConfig;
  readonly users?: UsersConfig;
  readonly relayFrom: readonly string[];
  readonly domains: readonly string[];
  readonly recipients: readonly string[];
  readonly recipientsFile?: string;
  readonly subaddress?: string;
  readonly aliases: { readonly [address: string]: readonly string[] };
  readonly aliasesFile?: string;
  readonly lists: { readonly [address: string]: ListConfig };
  readonly routes: readonly RouteConfig[];
  readonly queue: QueueConfig;
  readonly delivery: DeliveryConfig;
  readonly dns: DnsConfig;
  readonly limits: LimitsConfig;
  readonly control?: ControlConfig;
  readonly log: LogConfig;
}

export interface ListenerConfig {
  readonly kind: 'mx' | 'submission' | 'lmtp';
  readonly name?: string;
  readonly host: string;
  readonly port?: number;
  readonly path?: string;
  readonly mode?: string;
  readonly tls?: 'off' | 'offered' | 'required' | 'implicit';
  readonly auth: boolean;
  readonly openRelay: boolean;
  readonly proxies: readonly string[];
  readonly xclient: readonly string[];
  readonly nullMx: boolean;
}

export interface TlsConfig {
  readonly cert: string;
  readonly key: string;
}

export interface UsersConfig {
  readonly file: string;
  readonly senders: { readonly [user: string]: readonly string[] };
}

export interface ListConfig {
  readonly members: readonly string[];
  readonly membersFile?: string;
  readonly owner: string;
}

export type RouteConfig = MxRoute | HostRoute | LmtpRoute | MaildirRoute | HttpRoute | CommandRoute;

interface Route {
  readonly domains: readonly string[];
}

export interface MxRoute extends Route {
  readonly to: 'mx';
}

export interface HostRoute extends Route {
  readonly to: 'host';
  readonly hosts: readonly string[];
  readonly port: number;
  readonly tls: 'clear' | 'opportunistic' | 'name';
  readonly user?: string;
  readonly password?: SecretPlace;
}

export interface LmtpRoute extends Route {
  readonly to: 'lmtp';
  readonly host: string;
  readonly port: number;
  readonly path?: string;
}

export interface MaildirRoute extends Route {
  readonly to: 'maildir';
  readonly folder: string;
}

export interface HttpRoute extends Route {
  readonly to: 'http';
  readonly url: string;
  readonly authorization?: SecretPlace;
  readonly timeout: number;
}

export interface CommandRoute extends Route {
  readonly to: 'command';
  readonly command: readonly string[];
  readonly timeout: number;
}

/** Where a secret stands. */
export type SecretPlace = { readonly file: string } | { readonly env: string };

export type QueueConfig = SpoolConfig | PostgresConfig | MemoryConfig;

export interface SpoolConfig {
  readonly kind: 'spool';
  readonly folder: string;
}

export interface PostgresConfig {
  readonly kind: 'postgres';
  readonly url: string;
  readonly password?: SecretPlace;
  readonly schema: string;
  readonly connections: number;
  readonly lease: number;
}

export interface MemoryConfig {
  readonly kind: 'memory';
}

export interface DeliveryConfig {
  readonly preset: 'mta' | 'submission' | 'smarthost' | 'test';
  readonly expiry?: number;
  readonly noticeExpiry?: number;
  readonly delayed?: number;
  readonly pauses?: readonly number[];
  readonly families: readonly ('ipv4' | 'ipv6')[];
  readonly allow?: readonly AddressClass[];
  readonly sources: readonly SourceConfig[];
  readonly ca?: string;
  readonly sign?: string;
  readonly sts: boolean;
  readonly dane: boolean;
  readonly unknown: 'retry' | 'once';
  readonly mostRecipients: number;
  readonly sessions: number;
  readonly sessionsPerHost: number;
  readonly sessionsPerDomain: number;
}

/** An address that mail leaves from, and the name that the relay gives itself there. */
export interface SourceConfig {
  readonly address: string;
  readonly hostname: string;
}

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly trustResolver: boolean;
}

export interface LimitsConfig {
  readonly connections: number;
  readonly connectionsPerClient: number;
  readonly messageSize: number;
  readonly recipients: number;
  readonly hops: number;
  readonly memory: number;
  readonly scratch?: string;
  readonly grace: number;
  readonly authFailures: number;
  readonly authPause: number;
}

export interface ControlConfig {
  readonly socket: string;
  readonly metrics?: number;
}

export interface LogConfig {
  readonly format: 'text' | 'json';
  readonly level: 'error' | 'warn' | 'info' | 'debug';
}
