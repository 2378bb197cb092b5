// Every number of the machine, with its section, and the presets.

import type { EpochMs } from './job.ts';
import type { Target } from './order.ts';
import type { ReplyRule } from './reply-rules.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Where mail for some domains goes in place of what the DNS says. */
export interface Route {
  /** Domains in small letters; `.example.org` stands for all below it, `*` for all. The first route that fits is taken. */
  readonly domains: readonly string[];
  /** Tried in order. None: the DNS is asked. */
  readonly hosts: readonly RouteHost[];
}

export interface RouteHost {
  /** A name, whose addresses are looked up, or an address; with `local` the name of a transport, in small letters. */
  readonly host: string;
  /** Default 25. */
  readonly port?: number;
  /** `lmtp`: what is accepted is delivered (RFC 2033), as by `local`, what this host does itself: nothing is looked up. Default `smtp`. */
  readonly protocol?: Target['protocol'];
  /** Whether TLS with a certificate for the host's name is demanded. Default `opportunistic`. */
  readonly tls?: 'opportunistic' | 'name' | 'clear';
}

/** The addresses that an alias or list of this host stands for (RFC 5321 3.9). */
export type Expansion =
  /** 3.9.1: the reverse-path stays. */
  | { readonly type: 'alias'; readonly to: readonly string[] }
  /** 3.9.2: the reverse-path becomes the address of who administers the list. */
  | { readonly type: 'list'; readonly to: readonly string[]; readonly owner: string };

export interface DeliverySettings {
  /** The name of this host: Reporting-MTA of notices, and a name of its own. */
  readonly hostname: string;
  /** Other names and addresses by which this host may stand in an MX list (RFC 5321 5.1). Default none. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly routes: readonly Route[];
  /** Whom an address stands for; null: it is no alias. Called with a mailbox, must not throw. Default: there are none. */
  readonly expand: (address: string) => Expansion | null;
  /** Local addresses to connect from, by turns. Default any. */
  readonly sources: readonly string[];

  /** MX hosts that are looked at, of those nearest (RFC 5321 5.1: "a configurable limit"). Ours. */
  readonly mostHosts: number;
  /** Addresses that one try connects to; at least 2 (RFC 5321 5.1). */
  readonly mostAddresses: number;
  /** Aliases in a row (RFC 1034 5.2.2 asks for a limit). Ours. */
  readonly mostAliases: number;
  /** Which family first, and which at all (RFC 5321 5.2). */
  readonly families: readonly ('ipv6' | 'ipv4')[];
  /** Classes of addresses, beside public ones, that mail goes to (`addressClass`). Default none. */
  readonly allow: readonly string[];
  /** For how long an answer is kept at the least and at the most, and an empty one at the most; milliseconds. RFC 2308 5: an empty one for no more than 3 hours. */
  readonly ttl: { readonly least: number; readonly most: number; readonly empty: number };

  /** RFC 5321 4.5.4.1: the pauses between tries, the last for ever; at least 30 minutes, two tries in the first hour, then every two or three hours. */
  readonly pauses: readonly number[];
  /** By how much of itself a pause grows at random. Ours. */
  readonly jitter: number;
  /** RFC 5321 4.5.4.1: at least 4 to 5 days. */
  readonly expiry: number;
  /** RFC 5321 4.5.4.1: notices may have a shorter time. */
  readonly noticeExpiry: number;
  /** When the sender is told of a delay, once; 0: never. RFC 5321 4.5.4.1 leaves it open; ours. */
  readonly delayed: number;
  /** What is unknown (RFC 1047): `retry` after a pause, at the price of a second copy, or `once`. */
  readonly unknown: 'retry' | 'once';
  /** How long a job stays in the machine when it is not due; longer ones go back to the queue. Ours. */
  readonly keep: number;
  /** After how long a commit that failed is ordered again. Ours. */
  readonly commit: number;

  /** A host that could not be reached, or has ended a session without doing anything: for how long it is left, first and at the most; doubled each time. Ours. */
  readonly dead: { readonly first: number; readonly most: number };
  /** For how long a host whose TLS fails is talked to in the clear, where nothing asks for TLS (RFC 7435 3); 0: never. Ours. */
  readonly brokenTls: number;
  /** Sessions to the hosts of one domain at first and at the most, with one host, from one source, and in all. Ours. */
  readonly sessions: {
    readonly first: number;
    readonly most: number;
    readonly host: number;
    readonly source: number;
    readonly total: number;
  };
  /** One session: messages (RFC 9422 MAILMAX where fewer), age and idle time; milliseconds. Ours. */
  readonly session: { readonly messages: number; readonly age: number; readonly idle: number };
  /** Recipients of one transaction (RFC 5321 4.5.3.1.8: 100 must be taken). 1: nobody learns of the others. */
  readonly mostRecipients: number;

  /** Whether MTA-STS (RFC 8461) and DANE (RFC 7672) are asked for. */
  readonly sts: boolean;
  readonly dane: boolean;
  /** Whether TLS is tried where nothing demands it (RFC 7435). */
  readonly opportunistic: boolean;

  /** RFC 5321 6.3: at least 100. */
  readonly mostHops: number;
  /** Expansions of expansions (RFC 5321 3.9), and answers 551 that are followed. With more than ten, names of jobs may grow beyond 255 characters. Ours. */
  readonly mostExpansions: number;
  /** What an answer 551 with an address does (RFC 5321 3.4): the address is told to the sender, or taken. */
  readonly moved: 'fail' | 'follow';
  /** Rules for replies, before the machine's own. */
  readonly rules: readonly ReplyRule[];
}

/** A relay between domains. */
const MTA: Omit<DeliverySettings, 'hostname'> = {
  names: [],
  addresses: [],
  routes: [],
  expand: () => null,
  sources: [],
  mostHosts: 20,
  mostAddresses: 5,
  mostAliases: 8,
  families: ['ipv6', 'ipv4'],
  allow: [],
  ttl: { least: MINUTE, most: DAY, empty: HOUR },
  pauses: [30 * MINUTE, 2 * HOUR, 3 * HOUR],
  jitter: 0.1,
  expiry: 5 * DAY,
  noticeExpiry: 5 * DAY,
  delayed: 4 * HOUR,
  unknown: 'retry',
  keep: MINUTE,
  commit: 5 * SECOND,
  dead: { first: 5 * MINUTE, most: HOUR },
  brokenTls: DAY,
  sessions: { first: 2, most: 20, host: 20, source: 1000, total: 1000 },
  session: { messages: 100, age: 5 * MINUTE, idle: 5 * SECOND },
  mostRecipients: 100,
  sts: true,
  dane: true,
  opportunistic: true,
  mostHops: 100,
  mostExpansions: 10,
  moved: 'fail',
  rules: [],
};

export type DeliveryPreset = 'mta' | 'submission' | 'smarthost' | 'test';

/**
 * What is set together: `mta` between domains; `submission` for one's own users, who are told sooner; `smarthost` where one host of one's own takes everything
 * (give `routes`): it may be asked again sooner than others; `test` in seconds, on loopback, too.
 */
export const DELIVERY_PRESETS: { readonly [name in DeliveryPreset]: Omit<DeliverySettings, 'hostname'> } = {
  mta: MTA,
  submission: { ...MTA, delayed: HOUR, noticeExpiry: 2 * DAY },
  smarthost: {
    ...MTA,
    // RFC 5321 4.5.4.1: other pauses "may be … when the SMTP client can determine the reason for non-delivery"; here the host is one's own.
    pauses: [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE],
    dead: { first: 30 * SECOND, most: 5 * MINUTE },
    allow: ['private', 'loopback'],
    sts: false,
  },
  test: {
    ...MTA,
    pauses: [SECOND, 2 * SECOND],
    jitter: 0,
    expiry: 30 * SECOND,
    noticeExpiry: 30 * SECOND,
    delayed: 4 * SECOND,
    keep: DAY,
    commit: SECOND,
    ttl: { least: 0, most: SECOND, empty: SECOND },
    dead: { first: SECOND, most: 2 * SECOND },
    allow: ['private', 'loopback', 'documentation'],
    session: { messages: 100, age: 10 * SECOND, idle: SECOND },
  },
};

/** The name of this host, and what is to be other than in the preset. */
export interface DeliveryOptions extends Partial<DeliverySettings> {
  readonly hostname: string;
  /** Default `mta`. */
  readonly preset?: DeliveryPreset;
}

/**
 * All settings, by a preset and what is given beside it. Throws a `RangeError` for numbers that a standard forbids: fewer than 2 addresses
 * (RFC 5321 5.1), fewer than 100 hops (RFC 5321 6.3), no pauses.
 *
 * @example
 * ```ts
 * import { deliverySettings } from '@ehlo/delivery';
 * const { pauses, expiry } = deliverySettings({ hostname: 'mx.example.org' });
 * [pauses[0], expiry]
 * // → [1800000, 432000000]
 * ```
 */
export function deliverySettings({ preset = 'mta', ...given }: DeliveryOptions): DeliverySettings {
  const settings = { ...DELIVERY_PRESETS[preset], ...given };
  if (settings.mostAddresses < 2) throw new RangeError('mostAddresses: 2 or more (RFC 5321 5.1)');
  if (settings.mostHops < 100) throw new RangeError('mostHops: 100 or more (RFC 5321 6.3)');
  if (!settings.pauses.every((pause) => pause > 0) || settings.pauses.length === 0)
    throw new RangeError('pauses: 1 or more (RFC 5321 4.5.4.1)');
  return settings;
}

/** When a recipient is given up, if a try that began then or later fails. */
export function expiryOf(
  { expiry, noticeExpiry }: DeliverySettings,
  message: { readonly arrived: EpochMs; readonly release?: EpochMs; readonly notice?: true },
): EpochMs {
  return Math.max(message.arrived, message.release ?? 0) + (message.notice ? noticeExpiry : expiry);
}
