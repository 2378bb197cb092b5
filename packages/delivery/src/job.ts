// What a queue keeps: a message for the recipients at one domain, as a JSON value.

import type { Notify, OriginalRecipient, RecipientValidSince, Reply } from '@ehlo/grammar';

/** Milliseconds since 1970-01-01T00:00Z. */
export type EpochMs = number;

/** Names a job, once and for ever; at most 255 characters. */
export type JobId = string;

/** Names the content that several jobs share. */
export type MessageId = string;

/**
 * A message for the recipients at one domain: the unit of a lease, of a try and of parallel work. It is JSON; the queue owns it, and a later
 * release reads what this one wrote.
 */
export interface Job {
  /** The form of this value. */
  readonly version: 1;
  readonly id: JobId;
  readonly message: Message;
  /** What follows the at sign, in small letters, A-labels in place of U-labels where the program converts: a name or an address literal. */
  readonly domain: string;
  readonly recipients: readonly Recipient[];
  /** When it is to be tried next. Never before `message.release`. */
  readonly due: EpochMs;
  /** Tries that have failed so far (RFC 5321 4.5.4.1): which pause is next. Default 0. */
  readonly tries?: number;
  /** Transactions that were begun so far: the number of the last. Default 0. */
  readonly attempt?: number;
  /** By an operator: nothing is done until it is released. */
  readonly held?: true;
  /** The attempt that may deliver, if its holder has not settled it. */
  readonly begun?: BegunAttempt;
}

/** A transaction whose end of data may have been sent. Without its `settle` the outcome is not known. */
export interface BegunAttempt {
  readonly attempt: number;
  /** Places in `recipients`. */
  readonly recipients: readonly number[];
  readonly at: EpochMs;
}

/** What is the same for every job of a message. */
export interface Message {
  readonly id: MessageId;
  /** A mailbox without a route (RFC 5321 Appendix C); empty for the null reverse-path. */
  readonly reversePath: string;
  /** When this host has taken it. */
  readonly arrived: EpochMs;
  /** Octets as RFC 1870 5 counts them; 0: not known. */
  readonly size: number;
  /** What the content has: RFC 6152, RFC 3030. Default 7BIT. */
  readonly body?: '8BITMIME' | 'BINARYMIME';
  /** The header has UTF-8 (RFC 6531 3.4). Addresses are looked at by the machine. */
  readonly smtpUtf8?: true;
  /** It can be made 7-bit (`SevenBitSurvey` of `@ehlo/message/seven-bit`); false also if it was not examined. Default false. */
  readonly convertible?: true;
  /** Received fields (RFC 5321 6.3), as `LoopWatch` counts them. Default 0. */
  readonly hops?: number;
  /** RFC 3461 4.3, 4.4. */
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
  /** Who submitted it, a mailbox that is trusted; empty: not known (RFC 4954 5). */
  readonly auth?: string;
  /** RFC 8689 4.1: the parameter REQUIRETLS, or the field `TLS-Required: No`. */
  readonly tls?: 'required' | 'optional';
  /** -9 to 9 (RFC 6710). Default 0. */
  readonly priority?: number;
  /** By when it is to be delivered (RFC 2852): `R` returns it then, `N` tells of the delay. `trace` is the letter T. */
  readonly by?: { readonly until: EpochMs; readonly mode: 'N' | 'R'; readonly trace?: true };
  /** Not to be tried before (RFC 4865). */
  readonly release?: EpochMs;
  /** It tells of another message: it expires sooner where the settings say so (RFC 5321 4.5.4.1). */
  readonly notice?: true;
  /** How often its recipients were replaced by others (RFC 5321 3.9, 3.4). Default 0. */
  readonly expansions?: number;
  /** Its content is lost: it cannot be delivered, and its sender is told. */
  readonly damaged?: true;
}

/** One recipient of a job. */
export interface Recipient {
  /** The mailbox of the forward-path, without a route. */
  readonly address: string;
  readonly state: RecipientState;
  /** Parameters of RCPT: RFC 3461 4.1, 4.2, RFC 7293. */
  readonly notify?: Notify;
  readonly orcpt?: OriginalRecipient;
  readonly rrvs?: RecipientValidSince;
  /** It stands for itself, too, in what it was expanded to (RFC 5321 3.9): it is not expanded again. */
  readonly itself?: true;
  /** What was said or met last: why it is due still, or how it ended. */
  readonly last?: Said;
  /** The sender was told that it is late (RFC 3461 4.1: once). */
  readonly told?: true;
  /** Attempts with unknown outcome: up to so many copies may have arrived beside the known one. Default 0. */
  readonly unknown?: number;
}

/** How a recipient can end. None of these is ever left. */
export const FINAL_STATES = ['delivered', 'relayed', 'expanded', 'failed', 'expired', 'deleted', 'unknown'] as const;

export type FinalState = (typeof FINAL_STATES)[number];

/** `due`: the recipient is waited for, leased or held, as its job is. */
export type RecipientState = 'due' | FinalState;

/** What a server said, or what was met in its place. */
export interface Said {
  readonly at: EpochMs;
  /** RFC 3463. */
  readonly status: string;
  /** The row of the table of replies that it was found in, e.g. `mailbox-full`. */
  readonly category: string;
  /** The host that replied; absent if no host was reached. */
  readonly host?: string;
  readonly reply?: Reply;
  /** The error if no host replied, as text for people. */
  readonly text?: string;
}

/** What one commit does to a job (`applyChange`). A second one of the same attempt changes nothing. */
export interface JobChange {
  readonly job: JobId;
  /** Tries and attempts after it. */
  readonly tries: number;
  readonly attempt: number;
  /** Recipients that are others now, by their places. */
  readonly recipients: readonly RecipientChange[];
  /** When it is due next; null: every recipient is final, and the job is over. */
  readonly due: EpochMs | null;
  readonly held?: boolean;
  /** The lease is given back by the same commit. False: another transaction follows at once. */
  readonly release: boolean;
  /** Jobs that come into being by it: notices, and copies for other recipients. Their names are made of the job's and the attempt's: a second commit finds them there. */
  readonly put: readonly NewJob[];
}

export interface RecipientChange {
  readonly index: number;
  readonly state: RecipientState;
  readonly last?: Said;
  readonly told?: true;
  readonly unknown?: number;
}

/** A job, and where its content comes from. */
export interface NewJob {
  readonly job: Job;
  /** `same`: that of the job it comes from, octet by octet; else what `composeNotice` makes of it. */
  readonly content: 'same' | Notice;
}

/** What a sender is told (RFC 3461 6, RFC 3464), as a value: `composeNotice` writes it. */
export interface Notice {
  /** The message of which it tells. */
  readonly of: MessageId;
  readonly at: EpochMs;
  readonly arrived: EpochMs;
  /** The recipient of the notice: the reverse-path of the message. */
  readonly to: string;
  readonly envid?: string;
  readonly ret?: 'FULL' | 'HDRS';
  /** RFC 2852 5: Deliver-By-Date. */
  readonly by?: EpochMs;
  readonly recipients: readonly NoticeRecipient[];
}

export interface NoticeRecipient {
  readonly address: string;
  readonly orcpt?: OriginalRecipient;
  readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
  readonly status: string;
  readonly last?: Said;
  /** Of `delayed`: until when it is tried. */
  readonly until?: EpochMs;
}
