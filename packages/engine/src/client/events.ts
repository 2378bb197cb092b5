import type { Reply } from '@ehlo/grammar';
import type { Secret } from '../secret.ts';
import type { Capabilities } from './capabilities.ts';
import type { Problem } from './envelope.ts';
import type { Quirk } from './quirk.ts';

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
  | 'limits' // more than the server takes in one transaction or session, as announced (RFC 9422) or said (452 after others were accepted); send them in another
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
  /** Certainly not accepted. `reply` is the last reply of the server, if it ended the session. */
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

/** RCPT was accepted. The outcome of the recipient is reported later. */
export interface RecipientEvent {
  readonly type: 'recipient';
  readonly transaction: number;
  readonly index: number;
  readonly reply: Reply;
}

/** The server waits for the message: `write` it while `canWrite`, then `end`. `session.paths` has its envelope. */
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

/** Every outcome of a transaction was reported. */
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
  | 'base64' // the challenge is not base64; the exchange is cancelled
  | 'too-many-challenges';

/** The server broke the protocol. All faults but those of an AUTH exchange end the session: later replies can't be matched to commands any more. */
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
