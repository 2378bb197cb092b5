// What the machine wants done. Each order has a number; a fact that answers it has the same.

import type { MailParameters, RcptParameters } from '@ehlo/grammar';
import type { EpochMs, JobChange, JobId } from './job.ts';
import type { OrderId, Rr } from './records.ts';
import type { TlsDemand } from './tls-demand.ts';
import type { TlsDomainReport } from './tls-ledger.ts';

/**
 * What may be repeated, is said beside each. Orders of one job come in their order; those of different jobs may be carried out at once and
 * answered in any order.
 */
export type Order = LookupOrder | PolicyOrder | OpenOrder | BeginOrder | SendOrder | CloseOrder | SettleOrder | DropOrder | ReportOrder;

/** Look a name up. Answered by `dns`. May be repeated. */
export interface LookupOrder {
  readonly type: 'lookup';
  readonly id: OrderId;
  /** Without a dot at the end. */
  readonly name: string;
  readonly rr: Rr;
}

/** Fetch `https://mta-sts.<domain>/.well-known/mta-sts.txt` (RFC 8461 3.3). Answered by `policy`. May be repeated. */
export interface PolicyOrder {
  readonly type: 'policy';
  readonly id: OrderId;
  readonly domain: string;
}

/** Connect, greet, and secure the connection as demanded. Answered by `opened` or `failed`. May be repeated. */
export interface OpenOrder {
  readonly type: 'open';
  readonly id: OrderId;
  readonly target: Target;
  readonly tls: TlsDemand;
  /** The local address; absent: any. */
  readonly source?: string;
}

/** One address of one host. */
export interface Target {
  /** The name of the host, or the address where nothing else is known. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** `local`: `host` and `address` are the name of a transport of this host. */
  readonly protocol: 'smtp' | 'lmtp' | 'local';
}

/** Write down, durably, that this attempt may deliver. Answered by `begun`. Once. */
export interface BeginOrder {
  readonly type: 'begin';
  readonly id: OrderId;
  readonly job: JobId;
  readonly attempt: number;
  readonly recipients: readonly number[];
}

/**
 * Carry a transaction out. Begin at once; the end of the content leaves when every `begin` is answered with `done`, and never if one is not.
 * Answered by `outcomes`. Once.
 */
export interface SendOrder {
  readonly type: 'send';
  readonly id: OrderId;
  /** The `open` order of the session. */
  readonly session: OrderId;
  /** The jobs that it is for, all of one message, each with the `begin` that it waits for. */
  readonly parts: readonly { readonly job: JobId; readonly begin: OrderId }[];
  readonly transaction: Transaction;
}

export interface Transaction {
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  readonly parameters: MailParameters;
  /** Outcomes name them by their places here. */
  readonly recipients: readonly TransactionRecipient[];
  /** The content has to be made 7-bit on its way (RFC 6152 3). */
  readonly convert: boolean;
}

export interface TransactionRecipient {
  readonly job: JobId;
  /** The place in the job. */
  readonly index: number;
  readonly address: string;
  readonly parameters: RcptParameters;
}

/** End a session with QUIT. Not answered. */
export interface CloseOrder {
  readonly type: 'close';
  readonly id: OrderId;
  readonly session: OrderId;
}

/** Commit. Answered by `settled`. May be repeated. */
export interface SettleOrder {
  readonly type: 'settle';
  readonly id: OrderId;
  readonly job: JobId;
  readonly change: JobChange;
}

/** The machine holds the job no longer: stop renewing its lease. Not answered. */
export interface DropOrder {
  readonly type: 'drop';
  readonly id: OrderId;
  readonly job: JobId;
}

/** Send a TLS report to those who asked for it (RFC 8460 3). Not answered. */
export interface ReportOrder {
  readonly type: 'report';
  readonly id: OrderId;
  /** `mailto:` and `https:` URIs, as the domain gives them. */
  readonly rua: readonly string[];
  readonly report: TlsDomainReport;
  readonly at: EpochMs;
}
