import {
  type Answer,
  type AuthAnswer,
  type AuthQuestion,
  type BareLineEnd,
  type ConnectQuestion,
  checkRejection,
  type DataQuestion,
  type Envelope,
  type Forwarded,
  type Hello,
  type HelloQuestion,
  type InfoAnswer,
  type InfoQuestion,
  type MailQuestion,
  type Notice,
  type Peer,
  type QuestionType,
  type RcptQuestion,
  type Rejection,
  type StartTlsQuestion,
  type TlsInfo,
  type XclientQuestion,
} from '@ehlo/engine';
import type { Body } from './body.ts';
import type { ProxyFacts } from './proxied.ts';
import type { Address } from './transport.ts';

/** What a handler may know of the session it is asked by. A view: it shows the session as it is now. */
export interface Session {
  /** Counts the connections of a server, from 1. */
  readonly id: number;
  /** The client, as the connection, its proxy or XCLIENT tells it. */
  readonly peer: Peer;
  readonly local: Address;
  /** What a proxy has said of the connection, if one has brought it (PROXY protocol). */
  readonly proxy: ProxyFacts | null;
  /** What a trusted sender has said of the client that it had its message from (XFORWARD). */
  readonly forwarded: Forwarded | null;
  readonly hello: Hello | null;
  readonly tls: TlsInfo | null;
  readonly identity: string | null;
  readonly envelope: Envelope | null;
  /** What has been counted so far: MAIL commands, and commands that were refused as faults. */
  readonly counters: { readonly transactions: number; readonly faults: number };
  /** For the WITH clause of a Received field (RFC 3848, RFC 6531): `SMTP`, `ESMTPSA`, `LMTP`, `UTF8SMTPS` … */
  readonly protocol: string;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
  /** Closes the connection with 421 after the open transaction. */
  shutdown(): void;
}

/** A message while it arrives. */
export interface IncomingMessage {
  readonly envelope: Envelope;
  /** The content: `for await` it to its end, or refuse the message. */
  readonly body: Body;
  /** Octets of content; known when the body has ended. */
  readonly size: number;
  /** Bare CR or LF that were kept as content; known when the body has ended. */
  readonly deviations: readonly BareLineEnd[];
  /**
   * LMTP: for how many of the recipients, in order, the client has been told what became of the message. Where one was told 451, for
   * no decision came in time, the count ends before it.
   */
  readonly told: number;
}

/** Yes; yes with another text or code; or no, made by `reject`. Anything else, undefined too, is 451: silence is never consent. */
export type Decision<A = Answer> = true | A | Rejection;
/** One decision for all recipients; in LMTP also one for each. */
export type Decisions = Decision | readonly Decision[];
type Awaitable<T> = T | Promise<T>;

/** A challenge of an AUTH exchange (RFC 4954 4); the client's response comes as the next question. */
export interface Challenge {
  readonly challenge: Uint8Array;
}

/** The application. A question is asked only if its method is there; the others get the preset's answer. */
export interface Handler {
  connect?(question: ConnectQuestion, session: Session): Awaitable<Decision>;
  hello?(question: HelloQuestion, session: Session): Awaitable<Decision>;
  starttls?(question: StartTlsQuestion, session: Session): Awaitable<Decision>;
  auth?(question: AuthQuestion, session: Session): Awaitable<AuthAnswer | Rejection | Challenge>;
  mail?(question: MailQuestion, session: Session): Awaitable<Decision>;
  rcpt?(question: RcptQuestion, session: Session): Awaitable<Decision>;
  data?(question: DataQuestion, session: Session): Awaitable<Decision>;
  info?(question: InfoQuestion, session: Session): Awaitable<InfoAnswer | Rejection>;
  /** A trusted proxy tells whom it speaks for; `connect` is asked again behind it. */
  xclient?(question: XclientQuestion, session: Session): Awaitable<Decision>;
  /**
   * Takes a message. Returning (undefined, `true` or an answer; all else is 451) after the whole body was read accepts it: only then is the client told.
   * A rejection may be returned at any time; the rest of the body is then read and dropped. In LMTP a list of decisions, one for
   * each recipient in order, may be returned in place of one for all.
   */
  message?(message: IncomingMessage, session: Session): Awaitable<Decisions | undefined> | Promise<void>;
  /** A message was accepted, but the client was gone or told 451 before it could be told: it may send it again (RFC 1047). Once for a message. */
  unacknowledged?(message: IncomingMessage, session: Session): void;
  /** Everything that only tells: faults, aborts, closing; and the conversation, with the option `trace`. */
  notice?(notice: Notice, session: Session): void;
  /**
   * A method of this handler has failed. The client was told 451 (454 in AUTH) and nothing of the error. Without this method the `serve`
   * of an adapter tells the first failure of a server by a warning of the process.
   */
  error?(error: unknown, question: QuestionType, session: Session): void;
}

/**
 * Makes a refusal. Throws `SmtpUsageError` if it can be none: the code has to be 4yz or 5yz, and the enhanced code of the same class.
 *
 * @example
 * ```ts
 * import { reject } from '@ehlo/driver';
 * reject(550, '5.1.1', 'no such user')
 * // → { code: 550, enhanced: '5.1.1', text: 'no such user' }
 * ```
 */
export function reject(code: number, enhanced: string, text: string): Rejection {
  const rejection = { code, enhanced, text };
  checkRejection(rejection);
  return rejection;
}

/** Whether a decision is a refusal: its code is 4yz or 5yz. */
export function isRejection(decision: unknown): decision is Rejection {
  return (
    typeof decision === 'object' && decision !== null && 'code' in decision && typeof decision.code === 'number' && decision.code >= 400
  );
}

/** What an answer is made of. */
const ANSWER: ReadonlyMap<string, string> = new Map([
  ['code', 'number'],
  ['enhanced', 'string'],
  ['text', 'string'],
  ['delay', 'number'],
]);

/** Whether a decision is an answer. An object of another kind, such as what a store has returned, is no consent. */
export function isAnswer(decision: unknown): decision is Answer {
  if (typeof decision !== 'object' || decision === null || Array.isArray(decision)) return false;
  return Object.entries(decision).every(([name, value]) => ANSWER.has(name) && (value === undefined || typeof value === ANSWER.get(name)));
}
