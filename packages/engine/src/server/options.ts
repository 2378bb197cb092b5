import type { CommandDialect, Deviation, Reply } from '@ehlo/grammar';
import type { Peer, TlsInfo } from '../facts.ts';
import type { QuestionType } from './events.ts';
import type { Limits } from './limits.ts';
import type { EngineReply, ReplyName } from './replies.ts';

/** Who speaks before the greeting: taken no notice of, reported by a `fault`, or refused with 554. */
export type EarlyTalkers = 'ignore' | 'report' | 'reject';

/** A CR or LF that stands alone in a message: the message is refused at its true end, or it is content like any other octet. */
export type BareLineEnds = 'reject' | 'keep';

export interface AuthOptions {
  /** Names of the SASL mechanisms that the application can carry out, best first. The -PLUS ones are offered where the TLS connection can be bound to. */
  readonly mechanisms: readonly string[];
  /** Refuse mail until the client has authenticated. */
  readonly required?: boolean;
  /**
   * Offer AUTH without TLS, to whoever connects: passwords can then be read on the way (RFC 4954 4: "SHOULD NOT"). Default false. Where
   * it is absent and a connection can have no TLS, `serve` offers AUTH to clients on this machine: by a loopback address or a Unix socket,
   * and no proxy.
   */
  readonly inClear?: boolean;
}

/** How far ahead a message may be held (RFC 4865 3). */
export interface FutureReleaseOptions {
  /** The longest HOLDFOR, at most 999999999. */
  readonly seconds: number;
  /** The latest HOLDUNTIL: a date and time of RFC 3339, e.g. `2030-01-01T00:00:00Z`. */
  readonly until: string;
}

export interface MtPriorityOptions {
  /** Name of the Priority Assignment Policy to announce (RFC 6710 9.2), e.g. `MIXER`; absent: not disclosed. */
  readonly profile?: string;
  /** Believe clients that have not authenticated, where they ask for more than 0. */
  readonly trusted?: boolean;
}

/** A verb by which a trusted proxy speaks for its client. */
export type TrustedVerb = 'XCLIENT' | 'XFORWARD';

/** What is known of one connection. */
export interface ConnectionFacts {
  readonly peer?: Peer;
  /** The transport is secure from the start (implicit TLS). */
  readonly tls?: TlsInfo;
}

export type StartTls = 'off' | 'offered' | 'required' | 'unannounced';

export interface ServerOptions extends ConnectionFacts {
  /** The name of this server: a Domain or an address literal. */
  readonly hostname: string;
  /**
   * `mx` receives mail from anywhere, refuses what is ambiguous and wants `rcpt` and `message` to be asked.
   * `submission` (RFC 6409) takes mail from authenticated users only, with fully qualified domains.
   * `lmtp` (RFC 2033) delivers: a decision for each recipient.
   * `sink` offers all that is implemented, takes every valid path and keeps every octet: for tests.
   */
  readonly preset?: Preset;
  /** The decisions that the application wants to take; the others get the preset's answer. */
  readonly ask?: readonly QuestionType[];
  /** STARTTLS: only where the transport can be secured. `unannounced`: it is taken, and EHLO does not list it, as for clients that try without asking. */
  readonly starttls?: StartTls;
  readonly auth?: AuthOptions;
  /**
   * Keywords of all the extensions to offer, in place of the preset's: `[...PRESETS.mx.extensions, 'DSN']` is one more. Offer only what the
   * application keeps its promise of: DSN, for one, is a promise to notify.
   */
  readonly extensions?: readonly string[];
  /** Needed to offer FUTURERELEASE. */
  readonly futureRelease?: FutureReleaseOptions;
  readonly mtPriority?: MtPriorityOptions;
  /** Verbs by which this peer may speak for its client: give them only to proxies of your own. */
  readonly trust?: readonly TrustedVerb[];
  readonly limits?: Partial<Limits>;
  /**
   * Limits that may be lower than the standard allows, from 1 on: small quotas and short timeouts, to see what a client makes of them. For
   * preset `sink` only, and none that `limits` has, too.
   */
  readonly smallLimits?: Partial<Limits>;
  /** Deviations from the grammar to accept; the preset's if absent. */
  readonly tolerate?: ReadonlySet<Deviation>;
  readonly bareLineEnds?: BareLineEnds;
  readonly earlyTalkers?: EarlyTalkers;
  /** Emit every line of the conversation as a `trace` notice. */
  readonly trace?: boolean;
}

export type Preset = 'mx' | 'submission' | 'lmtp' | 'sink';

/** What is offered to a client, and how its commands are read: the same for all sessions of a policy whose facts are alike. */
export interface Offered {
  /** Keywords, in the order of EHLO. */
  readonly keywords: ReadonlySet<string>;
  /** The reply to EHLO and LHLO. */
  readonly hello: Reply;
  /** RFC 5321 2.2: parameters exist only where EHLO offered their extension. */
  readonly dialect: CommandDialect;
}

/** The options, checked and complete. */
export interface Policy {
  readonly hostname: string;
  readonly protocol: 'smtp' | 'lmtp';
  readonly ask: ReadonlySet<QuestionType>;
  readonly starttls: StartTls;
  readonly auth: Required<AuthOptions>;
  /** Keywords that may be offered, where the session's state allows it. */
  readonly extensions: ReadonlySet<string>;
  readonly futureRelease: FutureReleaseOptions | null;
  readonly mtPriority: Required<MtPriorityOptions>;
  readonly trust: ReadonlySet<TrustedVerb>;
  readonly qualified: boolean;
  readonly limits: Limits;
  readonly tolerate: ReadonlySet<Deviation>;
  readonly bareLineEnds: BareLineEnds;
  readonly earlyTalkers: EarlyTalkers;
  readonly trace: boolean;
  /** The replies of the engine, with this host's name in its place. */
  readonly replies: { readonly [name in ReplyName]: EngineReply };
  /** The replies that are always the same, as octets. */
  readonly wires: Map<Reply, Uint8Array>;
  /** What is offered, by the facts that it depends on; made when it is asked for first. */
  readonly offers: Map<number, Offered>;
}
