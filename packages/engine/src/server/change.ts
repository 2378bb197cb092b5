import type { Command, Reply, Verb } from '@ehlo/grammar';
import type { Answer, AuthQuestion, CloseCause, FaultCode, MessageQuestion, Question, Recipient, ServerEvent } from './events.ts';
import { type Counts, type Decision, type Facts, isReceiving, type Transaction, type View } from './facts.ts';
import type { OwnVerb } from './options.ts';
import type { Effect, Row } from './row.ts';

/** The result of a row. An effect returns it, and `Machine` applies it. */
export interface Change {
  /** Facts in place of those before. */
  readonly facts?: Partial<Facts>;
  readonly transaction?: Transaction | undefined;
  readonly counts?: Partial<Counts>;
  /** Events for the program, before the reply is sent. */
  readonly events?: readonly ServerEvent[];
  /** Replaces the reply of the row. */
  readonly reply?: Reply;
  /** How many times the reply is sent; 1 if absent. */
  readonly times?: number;
  /** Milliseconds by which this reply, and all after it, are delayed. */
  readonly delay?: number;
  /** The client takes UTF-8 in it (RFC 6531 3.7.4). */
  readonly utf8?: boolean;
  /** Raw output that is not a reply of the tables: an AUTH challenge. */
  readonly wire?: Uint8Array;
  /** A recipient to add to the envelope. */
  readonly recipient?: Recipient;
  /** Another chunk of the message, to be read next. */
  readonly chunk?: Given<'BDAT'>;
  /** The reply accepts this message. */
  readonly accepts?: MessageQuestion;
  /** The question to ask in the next phase. */
  readonly asks?: Question;
}

/** The data that comes with a trigger; with a verb it is the command. */
export interface TriggerData extends Partial<Decision> {
  readonly code?: FaultCode;
  readonly closes?: CloseCause | undefined;
  /** The limit that ran out. */
  readonly limit?: string;
  /** Octets of a refused chunk; infinite: not known. */
  readonly size?: number;
}

/** A question that was answered, by the program or by the preset. */
export interface Answered<Q extends Question = Question> extends Decision {
  readonly question: Q;
  readonly answer: Answer;
}

/** A command that is refused as a fault. */
export interface Fault {
  readonly verb: Verb | 'extension' | null;
  readonly code: FaultCode;
  readonly reply: Reply;
  /** As it came, fit for a log. */
  readonly line: string;
  readonly offset: number;
  readonly closes?: CloseCause | undefined;
}

/** A BDAT that is refused. */
export interface ChunkFault extends Fault {
  readonly size: number;
  readonly last: boolean;
}

/** The input of each effect. */
export interface EffectInputs {
  readonly holdGreeting: Answered;
  readonly greet: Partial<Answered>;
  readonly turnAway: Answered;
  readonly turnAwayEarlyTalker: unknown;
  readonly sayHello: Answered<Extract<Question, { readonly type: 'hello' }>>;
  readonly beginTransaction: Answered<Extract<Question, { readonly type: 'mail' }>>;
  readonly addRecipient: Answered<Extract<Question, { readonly type: 'rcpt' }>>;
  readonly beginData: unknown;
  readonly beginChunks: Given<'BDAT'>;
  readonly nextChunk: Given<'BDAT'>;
  readonly endOfChunk: unknown;
  readonly concludeRefused: unknown;
  readonly takeResponsibility: Answered<MessageQuestion>;
  readonly refuseDecision: Answered<MessageQuestion>;
  readonly refuseMessage: Refusal;
  readonly refuseFirstChunk: Answered;
  readonly refuseChunk: ChunkFault;
  readonly loseChunk: ChunkFault;
  readonly answerChunk: unknown;
  readonly failChunk: unknown;
  readonly failLastChunk: unknown;
  readonly giveUpTransaction: unknown;
  readonly inform: Answered<Extract<Question, { readonly type: 'info' | 'command' }>>;
  readonly noteForwarded: Given<'XFORWARD'>;
  readonly beginAnew: Answered<Extract<Question, { readonly type: 'xclient' }>>;
  readonly secure: { readonly tls: Facts['tls'] };
  readonly beginExchange: Given<'AUTH'>;
  readonly askStep: { readonly response: Uint8Array };
  readonly challenge: { readonly wire: Uint8Array };
  readonly authenticate: Answered<AuthQuestion>;
  readonly refuseAuth: Answered<AuthQuestion>;
  readonly failAuth: Pick<Fault, 'code' | 'reply'>;
  readonly refuse: Answered;
  readonly refuseCommand: Fault;
  readonly tellOtherProtocol: Pick<Fault, 'line'>;
  readonly tellPlaintext: unknown;
  readonly sayFarewell: { readonly reply: Reply };
  readonly giveUpContent: unknown;
}

/** A message that is refused while it is received, and the events about it. */
export interface Refusal extends Decision {
  readonly cause: Extract<ServerEvent, { readonly type: 'aborted' }>['cause'];
}

/** A command of a verb that the program has defined. */
export interface OwnCommand extends OwnVerb {
  readonly argument: string;
}

export type Given<V extends Verb> = Extract<Command, { readonly verb: V }>;

/** Effects by their names. */
export type Effects<Name extends Effect> = { readonly [name in Name]: (at: View, given: EffectInputs[name], row: Row) => Change };

/** Nothing but the reply and the phase of the row. */
export const NO_CHANGE: Change = {};

/** The reply to the end of a message; RFC 2033 4.2, 4.3: in LMTP one for each recipient, none if there are none. */
export function conclusion({ policy, transaction: { envelope } }: View, { reply, delay }: Decision): Change {
  const times = policy.protocol === 'lmtp' ? (envelope?.recipients.length ?? 0) : 1;
  return { reply, times, delay: times === 0 ? 0 : delay };
}

const NOTHING_TOLD: readonly ServerEvent[] = [];

/** The event for a message that will not arrive. */
export function aborted(at: View, cause: Refusal['cause'], reply?: Reply): readonly ServerEvent[] {
  if (!isReceiving(at)) return NOTHING_TOLD;
  return [reply === undefined ? { type: 'aborted', cause } : { type: 'aborted', cause, reply }];
}

/** The event for a transaction that RSET or a new EHLO ends (RFC 5321 4.1.4). */
export function givenUp(at: View): readonly ServerEvent[] {
  return at.transaction.envelope === null ? NOTHING_TOLD : [...aborted(at, 'reset'), { type: 'reset' }];
}
