import type { MailParameters, RcptParameters, Reply } from '@ehlo/grammar';
import type { Secret } from '../secret.ts';
import type { Address } from './address.ts';
import type { Capabilities } from './capabilities.ts';
import type { Problem } from './plan.ts';

/** What `send` carries out as one mail transaction. */
export interface ClientEnvelope {
  /** Whom failures are told: an address; empty text or `NULL_PATH` for nobody, `<>`. RFC 5321 4.1.1.2. */
  readonly reversePath: Address;
  /** Parameters of MAIL. SIZE, BODY and SMTPUTF8 are found by the plan; what is given here wins. */
  readonly parameters?: MailParameters;
  /**
   * Whom the message goes to, at least one: addresses, or addresses with parameters of RCPT. Outcomes name them by their place in this
   * list.
   */
  readonly recipients: readonly ClientRecipient[];
}

export interface ClientRecipient {
  /** The address. RFC 5321 4.1.1.3. */
  readonly forwardPath: Address;
  /** Parameters of RCPT for this recipient. */
  readonly parameters?: RcptParameters;
}

/** What is known of a message before it is sent; `scanMessage` finds it all. What is absent is not known. */
export interface MessageFacts {
  /** Octets with every line end as CRLF, one at the end of the message included, without stuffed dots. Octets; RFC 1870 5. */
  readonly size?: number;
  /** Octets as given: the size of what is sent as BINARYMIME. Octets. */
  readonly octets?: number;
  /** What the body holds. Where it is not known, 8BITMIME is declared where it is offered. RFC 6152, RFC 3030. */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Whether the header holds UTF-8. Other octets beyond ASCII in it have no standard: they go as the body's do. RFC 6532 3. */
  readonly smtpUtf8?: boolean;
  /** Whether a CR or LF stands alone: with the option `newlines: 'refuse'` such a message is not begun. */
  readonly bareLineEnds?: boolean;
}

/** Whom a transaction is from and for: paths with their angle brackets, as octets of the wire. */
export interface TransactionPaths {
  readonly reversePath: Uint8Array;
  readonly recipients: readonly Uint8Array[];
}

/** The stage of the session in which something was decided. */
export type Stage = 'plan' | 'connect' | 'hello' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'body' | 'message';

/** Why a session is over, or a recipient unsent. */
export type ClientCause =
  | 'quit' // the program said so
  | 'ended' // the server ended its side
  | 'lost' // the connection is gone
  | 'refused' // the greeting or the answer to EHLO was a refusal, or one came in the middle of the message
  | 'closing' // 421
  | 'tls' // TLS is required, and not offered or refused
  | 'timeout'
  | 'fault' // the server broke the protocol
  | 'aborted' // by `abort`
  | 'limits' // more than the server takes in one transaction or session, as announced (RFC 9422) or said (452 behind others); send them in another
  | 'declaration' // an octet beyond ASCII in what was declared as 7BIT
  | 'bare-line-end'; // a CR or LF alone, with the option `newlines: 'refuse'`

/**
 * What became of one recipient. Exactly one is told for each, on every way in which a session can end. Only `unsent` may be sent again
 * without a thought; `unknown` may already have been delivered.
 */
export type Outcome =
  | { readonly status: 'accepted'; readonly stage: 'message'; readonly reply: Reply }
  /** By the server's reply; or, at stage `plan`, by what it announced: then `problem` says what it lacks, and nothing was sent. */
  | {
      readonly status: 'refused';
      readonly stage: Stage;
      readonly permanent: boolean;
      readonly reply: Reply | null;
      readonly problem: Problem | null;
    }
  /** Certainly not accepted. `reply` is what the server said last, where that ended the session. */
  | { readonly status: 'unsent'; readonly stage: Stage; readonly cause: ClientCause; readonly reply: Reply | null }
  /** The end of the message may have left, and no reply came: the server may have accepted it. */
  | { readonly status: 'unknown'; readonly stage: 'message'; readonly cause: ClientCause; readonly reply: Reply | null };

/** The server's greeting, if it is a welcome. EHLO follows by itself. */
export interface GreetingEvent {
  readonly type: 'greeting';
  readonly reply: Reply;
}

/** The answer to EHLO, HELO or LHLO. It comes twice where TLS follows; what the first one offered is forgotten then. */
export interface HelloEvent {
  readonly type: 'hello';
  readonly capabilities: Capabilities;
}

/** STARTTLS is accepted: when the output is written, `wants` is `'tls'`; secure the transport, then call `secured` (or `lost`). */
export interface UpgradeEvent {
  readonly type: 'upgrade';
}

/** A challenge of the AUTH exchange: answer by `respond` or `cancel`. */
export interface ChallengeEvent {
  readonly type: 'challenge';
  readonly mechanism: string;
  /** Empty where the server asks for the initial response. */
  readonly data: Secret;
}

/** 235. Whether the mechanism is content, too (a server's signature), is for the mechanism to say. */
export interface AuthenticatedEvent {
  readonly type: 'authenticated';
  readonly mechanism: string;
  readonly reply: Reply;
}

/** RCPT was accepted. What becomes of the recipient is told later. */
export interface RecipientEvent {
  readonly type: 'recipient';
  readonly transaction: number;
  readonly index: number;
  readonly reply: Reply;
}

/** The server waits for the message: `write` it while `canWrite`, then `end`. `session.paths` says whom it is for. */
export interface ReadyEvent {
  readonly type: 'ready';
  readonly transaction: number;
  /** Recipients that it is for; at least one. */
  readonly accepted: number;
}

/** What became of a recipient. */
export type OutcomeEvent = {
  readonly type: 'outcome';
  readonly transaction: number;
  /** The recipient's place in the envelope. */
  readonly index: number;
} & Outcome;

/** Every outcome of a transaction has been told. */
export interface SettledEvent {
  readonly type: 'settled';
  readonly transaction: number;
}

/** The reply to `command`; or to STARTTLS or AUTH, where it was refused. */
export interface ReplyEvent {
  readonly type: 'reply';
  /** In capitals. */
  readonly verb: string;
  readonly reply: Reply;
  /** With AUTH, what the server has said, where that may hold a secret and `reply` does not tell it: to be read, and not to be shown. */
  readonly withheld?: Secret;
}

/** What a reply had that it should not have, and was taken all the same. */
export type Quirk =
  | 'bare-lf-line' // a line that ends with LF alone; refused if `replies` is `'strict'`
  | 'mixed-codes' // different codes in one reply, of which the highest counts; refused if `replies` is `'strict'`, or if they are 2yz and 3yz
  | 'odd-text' // UTF-8 that nobody has asked for (RFC 6531 3.7.4), or an octet that no reply text may hold: it is shown as `?`, a CR at the end left out
  | 'unended-line' // a last line without its CRLF, behind which the server ended its side; not read if `replies` is `'strict'`
  | 'odd-ehlo-line' // a line of EHLO that is no keyword: it switches nothing on
  | 'odd-ehlo-space' // blanks or tabs too many in a line of EHLO: it counts
  | 'auth-equals'; // the old `AUTH=`: it counts as AUTH

export interface QuirkEvent {
  readonly type: 'quirk';
  readonly quirk: Quirk;
  /** The line, fit for a log. */
  readonly line: string;
}

export type ClientFaultCode =
  | 'speaks-tls' // a TLS record where the greeting was expected: use implicit TLS on this port
  | 'malformed-reply'
  | 'bare-lf-line'
  | 'mixed-codes'
  | 'reply-too-long' // a line, the lines of one reply, or all of them together
  | 'unsolicited-reply' // a reply to nothing
  | 'unexpected-code' // a reply that can not answer what it answers
  | 'plaintext-after-starttls'
  | 'base64' // a challenge that is none; the exchange is cancelled
  | 'too-many-challenges';

/** The server broke the protocol. All but those of an AUTH exchange end the session: what a later reply answers is not known any more. */
export interface ClientFaultEvent {
  readonly type: 'fault';
  readonly code: ClientFaultCode;
  /** The line as it came, fit for a log. */
  readonly line: string;
}

/** A line of the conversation, fit for a log; only with the option `trace`. The message is left out. */
export interface ClientTraceEvent {
  readonly type: 'trace';
  readonly from: 'client' | 'server';
  readonly line: string;
}

/** The session is over: take the output that is left, then close. Nothing follows. */
export interface ClientClosedEvent {
  readonly type: 'closed';
  readonly cause: ClientCause;
  readonly stage: Stage | 'ready';
  /** The reply that ended it, if one did. */
  readonly reply: Reply | null;
  /** The limit that ran out, with the cause `timeout`. */
  readonly limit: string | null;
}

export type ClientEvent =
  | GreetingEvent
  | HelloEvent
  | UpgradeEvent
  | ChallengeEvent
  | AuthenticatedEvent
  | RecipientEvent
  | ReadyEvent
  | OutcomeEvent
  | SettledEvent
  | ReplyEvent
  | QuirkEvent
  | ClientFaultEvent
  | ClientTraceEvent
  | ClientClosedEvent;

/** What to do when no event is left and the output is written. `'answer'`: an AUTH challenge is open. */
export type ClientWants = 'input' | 'answer' | 'tls' | 'close';
