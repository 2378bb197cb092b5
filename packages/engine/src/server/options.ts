import type { CommandDialect, Deviation, Reply } from '@ehlo/grammar';
import type { Extension, PlainVerb } from '../extension.ts';
import type { Peer, TlsInfo } from '../facts.ts';
import type { QuestionType } from './events.ts';
import type { LimitOptions, Limits } from './limits.ts';
import type { LastBurst } from './outbox.ts';
import type { EngineReply, ReplyName } from './replies.ts';

/** A client that sends before the greeting: ignored, reported by a `fault`, or refused with 554. */
export type EarlyTalkers = 'ignore' | 'report' | 'reject';

/** A CR or LF that stands alone in a message: the message is refused at its true end, or it is content like any other octet. */
export type BareLineEnds = 'reject' | 'keep';

/** When AUTH is offered, and whether it has to be used. */
export interface AuthPolicyOptions {
  /** Refuse mail until the client has authenticated. Default: true with preset `submission`, else false. */
  readonly required?: boolean;
  /**
   * Offer AUTH without TLS, to every client: passwords can then be read on the network path. Where it is left out and a connection can have
   * no TLS, `serve` offers AUTH to clients on this machine: by a loopback address or a Unix socket, and no proxy. Default: false;
   * RFC 4954 4: "SHOULD NOT".
   */
  readonly inClear?: boolean;
}

export interface AuthOptions extends AuthPolicyOptions {
  /**
   * Names of the SASL mechanisms that the application can carry out, best first. The -PLUS ones are offered where the TLS connection can be
   * bound to.
   */
  readonly mechanisms: readonly string[];
}

/** How far ahead a message may be held (RFC 4865 3). */
export interface FutureReleaseOptions {
  /** The longest HOLDFOR. Seconds, at most 999999999; RFC 4865 3. */
  readonly seconds: number;
  /** The latest HOLDUNTIL: a date and time of RFC 3339, such as `2030-01-01T00:00:00Z`. RFC 4865 3. */
  readonly until: string;
}

export interface MtPriorityOptions {
  /** Name of the Priority Assignment Policy to announce, such as `MIXER`. Default: not disclosed; RFC 6710 9.2. */
  readonly profile?: string;
  /** Believe clients that have not authenticated, where they ask for more than 0. Default: false. */
  readonly trusted?: boolean;
}

/** A verb by which a trusted proxy speaks for its client. */
export type TrustedVerb = 'XCLIENT' | 'XFORWARD';

/** What is known of one connection. */
export interface ConnectionFacts {
  /** The client, as its connection tells. */
  readonly peer?: Peer;
  /** The transport is secure from the start: what is known of its TLS. */
  readonly tls?: TlsInfo;
}

export type StartTls = 'off' | 'offered' | 'required' | 'unannounced';

/** The policy of a server: the same for all connections. */
export interface ServerPolicyOptions {
  /** The name of this server: a domain or an address literal. RFC 5321 4.3.1. */
  readonly hostname: string;
  /**
   * What the server is for: it sets authentication, limits and leniency together. `mx` receives mail from anywhere, refuses what is
   * ambiguous and wants `rcpt` and `message` to be asked. `submission` (RFC 6409) takes mail from authenticated users only, with fully
   * qualified domains. `lmtp` (RFC 2033) delivers: a decision for each recipient. `sink` offers all that is implemented, takes every valid
   * path and keeps every octet: for tests. Default: `'mx'`.
   */
  readonly preset?: Preset;
  /**
   * STARTTLS: not at all, offered, required before mail is taken, or taken and not listed by EHLO, as for clients that try without asking.
   * Only where the transport can be secured. Default: `'off'`; RFC 3207.
   */
  readonly starttls?: StartTls;
  /**
   * Keywords of all the extensions to offer, in place of the preset's; and, beside them, extensions of the program's own, which
   * `defineExtension` has made. With only the latter, the preset's stay. `[...PRESETS.mx.extensions, 'DSN']` adds one. Offer an extension
   * only if the application does what it promises: DSN, for example, promises notifications. Default: the preset's.
   */
  readonly extensions?: readonly (string | Extension)[];
  /** How far ahead a message may be held: needed to offer FUTURERELEASE. RFC 4865 3. */
  readonly futureRelease?: FutureReleaseOptions;
  /** How MT-PRIORITY is announced, and whose word on it counts. RFC 6710. */
  readonly mtPriority?: MtPriorityOptions;
  /** Numbers in place of the limits that there are. */
  readonly limits?: LimitOptions;
  /**
   * Limits that may be lower than the standard allows, from 1 on: small quotas and short timeouts, to see what a client makes of them. For
   * preset `sink` only, and none that `limits` has, too.
   */
  readonly smallLimits?: LimitOptions;
  /** Deviations from the grammar to accept. Default: the preset's. */
  readonly tolerate?: ReadonlySet<Deviation>;
  /**
   * A CR or LF that stands alone in a message: the message is refused at its end, or it is content like any other octet. Default: the
   * preset's.
   */
  readonly bareLineEnds?: BareLineEnds;
  /** Clients that send before the greeting: ignored, reported by a `fault`, or refused with 554. Default: `'ignore'`. */
  readonly earlyTalkers?: EarlyTalkers;
  /** Every line of the conversation is a `trace` notice. Default: false. */
  readonly trace?: boolean;
}

export interface ServerOptions extends ConnectionFacts, ServerPolicyOptions {
  /** The decisions that the application wants to take; the others get the preset's answer. Default: none. */
  readonly ask?: readonly QuestionType[];
  /** Names of mechanisms, which the question `auth` carries out. */
  readonly auth?: AuthOptions;
  /** Verbs by which this peer may speak for its client: give them only to proxies of your own. Default: none. */
  readonly trust?: readonly TrustedVerb[];
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

/** A verb of the program's own, and the extension that it belongs to. */
export interface OwnVerb extends PlainVerb {
  readonly extension: Extension;
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
  /** Extensions of the program's own: what their functions throw is caught. */
  readonly own: readonly Extension[];
  /** Their verbs, by name. */
  readonly verbs: ReadonlyMap<string, OwnVerb>;
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
  readonly lastBurst: LastBurst;
  /** The offered extensions, by the facts on which they depend; computed at first use. */
  readonly offers: Map<number, Offered>;
}
