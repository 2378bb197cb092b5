import type { Verb } from '@ehlo/grammar';
import type { CloseCause, FaultCode, QuestionType } from './events.ts';
import type { ReplyName } from './replies.ts';

/** Where a server session stands: its one state variable. */
export type Phase =
  | 'wait' // before the greeting, which is held back for early talkers
  | 'connect' // the connection is being decided on
  | 'greeting' // the greeting is held back by the answer to `connect`
  | 'refused' // greeted with 554: only QUIT is left (RFC 5321 3.1)
  | 'greeted' // before EHLO or HELO
  | 'ready' // no transaction
  | 'mail' // a sender, no recipient
  | 'rcpt' // at least one recipient
  | 'data' // the message is being received
  | 'chunk' // a chunk of it is being received (BDAT)
  | 'chunks' // between two chunks
  | 'drain' // a chunk that was refused is read and dropped
  | 'message' // the message is being decided on
  | 'auth' // an AUTH exchange
  | 'tls' // the transport is being secured
  | 'closed';

/** What moves a session besides the verbs of its client. */
export type Trigger =
  // Answers to a question that no verb has asked, and refusals of any.
  | 'accepted'
  | 'challenged'
  | 'rejected'
  | 'no-answer'
  // The client
  | 'extension' // a verb that the program has defined
  | 'unknown' // a verb that is not known
  | 'fault' // a command that is refused
  | 'chunk-refused' // BDAT that is refused
  | 'response' // to a challenge
  | 'bad-response'
  | 'other-protocol'
  | 'plaintext' // octets after STARTTLS, before the handshake
  | 'end' // the client has ended its side, and nothing is left to be read
  // A message
  | 'refuse-message'
  | 'end-of-chunk'
  | 'end-of-data'
  | 'chunk-drained'
  | 'too-much'
  // Time, the transport, the program
  | 'time-out'
  | 'content-not-taken'
  | 'stalled'
  | 'lost'
  | 'secured'
  | 'leave';

/** What a row does outside of messages; `effects.ts` says how. */
export type DialogueEffect =
  | 'holdGreeting'
  | 'greet'
  | 'turnAway'
  | 'turnAwayEarlyTalker'
  | 'sayHello'
  | 'beginTransaction'
  | 'addRecipient'
  | 'giveUpTransaction'
  | 'inform'
  | 'noteForwarded'
  | 'beginAnew'
  | 'secure'
  | 'beginExchange'
  | 'askStep'
  | 'challenge'
  | 'authenticate'
  | 'refuseAuth'
  | 'failAuth'
  | 'refuse'
  | 'refuseCommand'
  | 'tellOtherProtocol'
  | 'tellPlaintext'
  | 'sayFarewell'
  | 'giveUpContent';

/** What a row does to a message; `message-effects.ts` says how. */
export type MessageEffect =
  | 'beginData'
  | 'beginChunks'
  | 'nextChunk'
  | 'endOfChunk'
  | 'concludeRefused'
  | 'takeResponsibility'
  | 'refuseDecision'
  | 'refuseMessage'
  | 'refuseFirstChunk'
  | 'refuseChunk'
  | 'loseChunk'
  | 'answerChunk'
  | 'failChunk'
  | 'failLastChunk';

/** What a row does to the facts, the counts and the events. */
export type Effect = DialogueEffect | MessageEffect;

export interface Row {
  readonly from: readonly Phase[];
  readonly on: Verb | Trigger;
  /** For verbs: the first guard that does not hold refuses the command. */
  readonly guards?: readonly Guard[];
  /** For verbs: guards that are checked after the arguments are parsed. */
  readonly checks?: readonly Guard[];
  /** For triggers: the row is skipped unless all conditions hold. */
  readonly when?: readonly Condition[];
  /** The question that is asked before the row is taken. If it is refused, the row `rejected` is taken instead. */
  readonly asks?: QuestionType;
  readonly effect?: Effect;
  /** The reply, unless the answer or the effect gives another. */
  readonly reply?: ReplyName;
  /** The phase that follows; absent: the session stays where it is. */
  readonly to?: Phase;
  /** Why the session closes, where `to` is `closed` and the trigger does not give the cause. */
  readonly cause?: CloseCause;
  /** The reply that refuses this verb in this phase; it counts as a `fault`. */
  readonly refuse?: ReplyName;
}

/** What has to hold for a verb: before its arguments are read and (from `size-fits` on) of the arguments; `guards.ts` has the functions. */
export type Guard =
  | 'room-for-commands'
  | 'smtp'
  | 'lmtp'
  | 'tls-if-required'
  | 'auth-if-required'
  | 'room-for-transaction'
  | 'room-for-recipient'
  | 'room-for-refusals'
  | 'no-recipient-refused'
  | 'not-binary'
  | 'chunking-offered'
  | 'tls-offered'
  | 'tls-not-active'
  | 'ehlo-used'
  | 'auth-configured'
  | 'auth-not-done'
  | 'auth-not-in-clear'
  | 'expn-offered'
  | 'help-offered'
  | 'etrn-offered'
  | 'xclient-trusted'
  | 'xforward-trusted'
  | 'size-fits'
  | 'sender-qualified'
  | 'by-time-not-too-soon'
  | 'not-held-too-long'
  | 'ascii-or-smtputf8'
  | 'recipient-qualified'
  | 'room-for-domain'
  | 'chunk-not-too-small'
  | 'chunk-not-too-large'
  | 'mechanism-offered'
  | 'attributes-known'
  | 'verb-offered'
  | 'verb-in-its-phase';

/** What chooses among the rows of one trigger. */
export type Condition =
  | 'reply-held-back'
  | 'reply-closes'
  | 'early-talker-unwelcome'
  | 'faults-spent'
  | 'no-faults-left'
  | 'fault-closes'
  | 'verdict-closes'
  | 'message-refused'
  | 'last-decision'
  | 'chunk-readable'
  | 'turned-away'
  | 'no-hello'
  | 'no-transaction'
  | 'no-recipient'
  | 'chunking-not-offered'
  | 'last-chunk';

/** The reply if a guard does not hold. */
export interface GuardRule {
  readonly reply: ReplyName;
  readonly fault: FaultCode;
  /** The reply is 421, and the session closes. */
  readonly closes?: CloseCause;
}
