// What the machine is told.

import type { Reply } from '@ehlo/grammar';
import type { JobId } from './job.ts';
import type { Mx, OrderId, Security, Tlsa, TlsResult } from './records.ts';

export type Fact = DnsAnswer | PolicyAnswer | Opened | Failed | Closed | Begun | Outcomes | Settled | LeaseLost | HostIsBack | OperatorWish;

/** The answer to `lookup`. */
export interface DnsAnswer {
  readonly type: 'dns';
  readonly to: OrderId;
  /** `found`: records, or an alias; `empty`: the name has none of this type; `nxdomain`: there is no such name; `failed`: SERVFAIL, REFUSED, no answer in time. */
  readonly status: 'found' | 'empty' | 'nxdomain' | 'failed';
  readonly security: Security;
  /** Seconds. */
  readonly ttl: number;
  /** The last name of the chain of CNAMEs, where the name is an alias. Without records of that name the machine looks it up itself. */
  readonly alias?: string;
  readonly mx?: readonly Mx[];
  /** Of A and AAAA, in the resolver's order. */
  readonly addresses?: readonly string[];
  readonly tlsa?: readonly Tlsa[];
  /** The strings of each record joined. */
  readonly txt?: readonly string[];
  /** Records that there are beyond those that stand here. Default 0. */
  readonly left?: number;
}

/** The answer to `policy`: the text, or null where it could not be had (RFC 8461 3.3: a redirect, another status than 200, a certificate for another name). */
export interface PolicyAnswer {
  readonly type: 'policy';
  readonly to: OrderId;
  readonly text: string | null;
  /** RFC 8460 4.3.2: why it could not be had. */
  readonly problem?: 'sts-policy-fetch-error' | 'sts-webpki-invalid';
}

/** A session is open and waits for a transaction. */
export interface Opened {
  readonly type: 'opened';
  readonly to: OrderId;
  /** What EHLO said last, by keyword in capitals; none after HELO. */
  readonly extensions: { readonly [keyword: string]: readonly string[] };
  readonly tls: boolean;
  /** Whether the certificate was what the demand wants. */
  readonly verified: boolean;
  /** Why not, where it was not demanded (RFC 8460 4.3.1). */
  readonly result?: TlsResult;
}

/** There is no session. */
export interface Failed {
  readonly type: 'failed';
  readonly to: OrderId;
  readonly stage: 'connect' | 'greeting' | 'hello' | 'tls' | 'auth';
  /** What the server said, if it did. */
  readonly reply?: Reply;
  readonly result?: TlsResult;
  /** For people. */
  readonly text?: string;
}

/** A session that is idle has ended. */
export interface Closed {
  readonly type: 'closed';
  /** The `open` order of the session. */
  readonly to: OrderId;
}

/** The answer to `begin`: `lost`, the lease is another's; `failed`, the queue could not write. */
export interface Begun {
  readonly type: 'begun';
  readonly to: OrderId;
  readonly result: 'done' | 'lost' | 'failed';
}

/** What became of one recipient of a transaction; the client's `Outcome` is one. */
export type DeliveryOutcome =
  | { readonly status: 'accepted'; readonly reply: Reply }
  | {
      readonly status: 'refused';
      readonly stage: string;
      readonly permanent: boolean;
      readonly reply: Reply | null;
      readonly problem?: { readonly enhanced: string; readonly text: string } | null;
    }
  | { readonly status: 'unsent'; readonly stage: string; readonly cause: string; readonly reply: Reply | null }
  | { readonly status: 'unknown'; readonly reply: Reply | null };

/** The answer to `send`, one outcome for each recipient in order. */
export interface Outcomes {
  readonly type: 'outcomes';
  readonly to: OrderId;
  readonly outcomes: readonly DeliveryOutcome[];
  /** Whether the session takes another transaction. */
  readonly open: boolean;
}

/** The answer to `settle`: `lost`, the lease is another's, and nothing but acceptances was written; `failed`, the queue could not write. */
export interface Settled {
  readonly type: 'settled';
  readonly to: OrderId;
  readonly result: 'done' | 'lost' | 'failed';
}

/** Another holds the job. Nothing new is ordered for it; outcomes of an open transaction still lead to a `settle`. */
export interface LeaseLost {
  readonly type: 'lost';
  readonly job: JobId;
}

/** A host, or a domain, is there again (ETRN, RFC 1985; an operator): what waits for it is due. */
export interface HostIsBack {
  readonly type: 'back';
  readonly name: string;
}

/** An operator's wish for a job that the machine holds; others are the queue's own business. */
export interface OperatorWish {
  readonly type: 'operator';
  readonly job: JobId;
  /** `bounce` fails the open recipients and tells the sender; `delete` sends no notice. */
  readonly what: 'hold' | 'release' | 'retry' | 'delete' | 'bounce';
}
