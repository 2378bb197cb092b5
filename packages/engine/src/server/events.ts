import type { Deviation, MailParameters, Path, RcptParameters, Reply } from '@ehlo/grammar';
import type { Peer } from '../facts.ts';
import type { Secret } from '../secret.ts';

/** The EHLO, HELO or (LMTP) LHLO of the client. */
export interface Hello {
  readonly verb: 'EHLO' | 'HELO' | 'LHLO';
  readonly name: string;
}

export interface Recipient {
  readonly forwardPath: Path;
  /** The path as RCPT has it, to the octet: see `MailQuestion`. */
  readonly wire: string;
  readonly parameters: RcptParameters;
}

/** A mail transaction: born at MAIL, dropped whole at its end. */
export interface Envelope {
  readonly reversePath: Path;
  /** The path as MAIL has it, to the octet: see `MailQuestion`. */
  readonly wire: string;
  readonly parameters: MailParameters;
  /** The accepted recipients, in order; it grows until the transaction ends. */
  readonly recipients: readonly Recipient[];
}

/** What a session has counted; each has a limit. */
export interface Counters {
  /** MAIL commands of the session. */
  readonly transactions: number;
  /** Commands of the session that were refused as faults. */
  readonly faults: number;
  /** Commands since a message was accepted, but RCPT, BDAT and QUIT. */
  readonly idleCommands: number;
  /** Recipients that were refused since a message was accepted. */
  readonly refusedRecipients: number;
}

/** Questions stop the session until they are answered by `accept`, `reject` or, for `auth`, `challenge`. */
export type Question =
  | ConnectQuestion
  | HelloQuestion
  | StartTlsQuestion
  | AuthQuestion
  | MailQuestion
  | RcptQuestion
  | DataQuestion
  | MessageQuestion
  | InfoQuestion
  | CommandQuestion
  | XclientQuestion;

export type QuestionType = Question['type'];

/** A client has connected. Accepted: the greeting. Rejected with 554: it may only QUIT; with 421: closed. */
export interface ConnectQuestion {
  readonly type: 'connect';
  readonly peer: Peer;
}

export interface HelloQuestion extends Hello {
  readonly type: 'hello';
  readonly deviations: readonly Deviation[];
}

export interface StartTlsQuestion {
  readonly type: 'starttls';
}

/** A step of an AUTH exchange; each one is a new question. */
export interface AuthQuestion {
  readonly type: 'auth';
  /** In capitals; one of those that the session offers. */
  readonly mechanism: string;
  /** 0 at the AUTH command itself. */
  readonly step: number;
  /** The client's response, decoded; null if the AUTH command had no initial response. */
  readonly response: Secret | null;
}

export interface MailQuestion {
  readonly type: 'mail';
  readonly reversePath: Path;
  /** The path as it came, with its angle brackets where it has some: a signature over an envelope binds its octets (`encodeUtf8`), not the `address`. */
  readonly wire: string;
  /**
   * The parameters that the client gave. `auth` (RFC 4954 5) is who submitted the message; `''` stands for `<>`: not known. If a client without
   * an identity gives it, it is always `''` here. A client with an identity may name anybody: use the value only if you trust that identity to
   * speak for others, otherwise treat it as `''`. `''` never stands for the identity itself.
   */
  readonly parameters: MailParameters;
  /** The priority that the engine has put in place of a higher one, which this client may not ask for (RFC 6710 4.1); else null. */
  readonly priority: number | null;
  readonly deviations: readonly Deviation[];
}

export interface RcptQuestion {
  readonly type: 'rcpt';
  readonly forwardPath: Path;
  /** The path as it came, to the octet: see `MailQuestion`. */
  readonly wire: string;
  readonly parameters: RcptParameters;
  readonly envelope: Envelope;
  readonly deviations: readonly Deviation[];
}

/** The client wants to send the message. Accepted: 354; BDAT gets no reply now, because its chunk follows at once. */
export interface DataQuestion {
  readonly type: 'data';
  readonly verb: 'DATA' | 'BDAT';
  readonly envelope: Envelope;
}

/** A CR or LF that stands alone in a message, kept as content. */
export interface BareLineEnd {
  readonly name: 'bare-cr' | 'bare-lf';
  /** The first line that has one, from 1. */
  readonly line: number;
}

/**
 * The whole message has arrived. Accepted: 250, and with it the responsibility for the message. LMTP (RFC 2033 4.2) asks once for
 * each recipient, in order.
 */
export interface MessageQuestion {
  readonly type: 'message';
  readonly envelope: Envelope;
  /** LMTP: the recipient of this decision; null in SMTP, where it is for all recipients. */
  readonly recipient: Recipient | null;
  /** Octets of content. */
  readonly size: number;
  readonly deviations: readonly BareLineEnd[];
}

/** VRFY, EXPN, HELP or ETRN. */
export interface InfoQuestion {
  readonly type: 'info';
  readonly verb: 'VRFY' | 'EXPN' | 'HELP' | 'ETRN';
  /** Of ETRN (RFC 1985 5.3): a node, `@` and a domain with its subdomains, or `#` and the name of a queue. */
  readonly argument: string;
  /** VRFY, EXPN: the client takes UTF-8 in the answer (RFC 6531 3.7.4.2). */
  readonly smtpUtf8: boolean;
  readonly deviations: readonly Deviation[];
}

/** A verb that the program has defined (`defineExtension`). Accepted: 250. */
export interface CommandQuestion {
  readonly type: 'command';
  /** In capitals. */
  readonly verb: string;
  /** What follows the verb: printable ASCII, and UTF-8 where the session offers SMTPUTF8. */
  readonly argument: string;
  /** The transaction that is open; null if there is none. */
  readonly envelope: Envelope | null;
  readonly deviations: readonly Deviation[];
}

/** A trusted proxy gives the facts of its client (XCLIENT). If accepted, the session starts again with `connect`. */
export interface XclientQuestion {
  readonly type: 'xclient';
  /** The peer as it will be. */
  readonly peer: Peer;
  /** Who the client is, as the proxy has found out; null if it has not authenticated. */
  readonly identity: string | null;
}

/** Notices only tell. */
export type Notice = ChunkNotice | AbortedNotice | ResetNotice | FaultNotice | TraceNotice | UnacknowledgedNotice | ClosedNotice;

/** Content of the message, without stuffed dots: a view of what `receive` was given, and lent no longer than that; or a block that is never used again. */
export interface ChunkNotice {
  readonly type: 'chunk';
  readonly bytes: Uint8Array;
}

/** Why a message will not arrive. */
export type AbortCause =
  | 'too-large'
  | 'bare-line-end'
  | 'discarded'
  | 'reset' // by RSET, EHLO or HELO between two chunks
  | CloseCause;

/** The message that was being received will not arrive; no more of its chunks follow. */
export interface AbortedNotice {
  readonly type: 'aborted';
  readonly cause: AbortCause;
  /** The reply that the client gets at the end of its data, where it gets one. */
  readonly reply?: Reply;
}

/** The transaction was given up by RSET or by a new EHLO or HELO. */
export interface ResetNotice {
  readonly type: 'reset';
}

export type FaultCode =
  | 'early-talker'
  | 'wrong-protocol'
  | 'line-too-long'
  | 'bare-lf-line'
  | 'unknown-verb'
  | 'not-implemented'
  | 'sequence'
  | 'syntax'
  | 'deviation'
  | 'unexpected-argument'
  | 'unknown-parameter'
  | 'misplaced-parameter'
  | 'duplicate-parameter'
  | 'parameter-value'
  | 'smtputf8'
  | 'base64'
  | 'cancelled'
  | 'mechanism'
  | 'auth-failed'
  | 'tls-required'
  | 'auth-required'
  | 'recipients'
  | 'transactions'
  | 'refused-recipients'
  | 'idle-commands'
  | 'too-large'
  | 'small-chunks'
  | 'plaintext-after-starttls';

/** The client broke a rule; the reply is on its way. */
export interface FaultNotice {
  readonly type: 'fault';
  readonly code: FaultCode;
  /** Octets from the start of the line to the first one that is wrong. */
  readonly offset: number;
  /** The reply to the client; undefined if none can be sent. */
  readonly reply: Reply | undefined;
  /** The line as it came, fit for a log: credentials are left out, odd octets escaped. */
  readonly line: string;
}

/** A line of the conversation, fit for a log; only with the option `trace`. */
export interface TraceNotice {
  readonly type: 'trace';
  readonly from: 'client' | 'server';
  readonly line: string;
  /** Of the server's lines: the rule of the engine that gave the reply and the place in the standard, or the application. */
  readonly cause?: { readonly rule: string; readonly section: string } | 'application';
}

export type CloseCause =
  | 'quit'
  | 'ended' // the client ended its side
  | 'lost'
  | 'refused' // the application said 421
  | 'shutdown'
  | 'faults'
  | 'wrong-protocol'
  | 'plaintext-after-starttls'
  | 'bdat' // octets of a chunk would follow, of which nobody knows how many
  | 'transactions'
  | 'refused-recipients'
  | 'idle-commands'
  | 'drain'
  | 'timeout';

/**
 * A message was accepted, and the transport did not take the whole reply before the session ended: the client does not know, and will
 * send the message again (RFC 1047). Once for each acceptance, before `closed`.
 */
export interface UnacknowledgedNotice {
  readonly type: 'unacknowledged';
  /** As the `message` question had it. */
  readonly envelope: Envelope;
  /** LMTP: whose acceptance was lost; null in SMTP, where it was that of all. */
  readonly recipient: Recipient | null;
}

/**
 * The session is over. Nothing follows. Where an acceptance was still on its way it comes only when that was taken, or never will be: after
 * `written`, or `lost`.
 */
export interface ClosedNotice {
  readonly type: 'closed';
  readonly cause: CloseCause;
  /** The limit that ran out, with the cause `timeout`. */
  readonly limit?: string;
}

export type ServerEvent = Question | Notice;

/** How a question is accepted: what to change of the default reply. */
export interface Answer {
  /** A code of the same class as the default's. */
  readonly code?: number;
  readonly enhanced?: string;
  /** Text of the reply; a line break makes more lines. */
  readonly text?: string;
  /** Milliseconds to hold the reply back; nothing is read meanwhile. At most 240000: the client waits five minutes. */
  readonly delay?: number;
}

export interface AuthAnswer extends Answer {
  /** Who the client is, from now on. */
  readonly identity: string;
}

export interface InfoAnswer extends Answer {
  readonly text: string;
}

export type AnswerOf<Q extends Question> = Q extends AuthQuestion ? AuthAnswer : Q extends InfoQuestion ? InfoAnswer : Answer | undefined;

/** A refusal: code 4yz or 5yz. 421 closes the session. */
export interface Rejection {
  readonly code: number;
  readonly enhanced?: string;
  readonly text: string;
  /** Milliseconds to hold the reply back; nothing is read meanwhile. At most 240000: the client waits five minutes. 421 is not held back: it closes. */
  readonly delay?: number;
}

/** What the driver has to do when no event is left. `close`: gracefully, with what is left of the output; `abort`: at once, for the peer does not read. */
export type Wants = 'input' | 'answer' | 'flush' | 'tls' | 'close' | 'abort';
