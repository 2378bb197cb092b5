import type {
  AuthAnswer,
  AuthQuestion,
  BareLineEnd,
  ConnectQuestion,
  Counters,
  DataQuestion,
  Envelope,
  Extension,
  Forwarded,
  Hello,
  HelloQuestion,
  InfoAnswer,
  InfoQuestion,
  Notice,
  Peer,
  QuestionType,
  Rejection,
  StartTlsQuestion,
  TlsInfo,
  XclientQuestion,
} from '@ehlo/engine';
import type { Body } from './body.ts';
import type { Acceptance, Challenge, Decision, Decisions, Refusal } from './decision.ts';
import type { Address, ProxyFacts } from './transport.ts';
import type { TypedCommand, TypedEnvelope, TypedMail, TypedRcpt } from './typed.ts';

/** The session that a handler is called for. A view: it shows the current state. `Data` is the type of the data that the program keeps with a session. */
export interface Session<Data = unknown> {
  /** Counts the connections of a server, from 1. */
  readonly id: number;
  /** The client, as the connection, its proxy or XCLIENT tells it. */
  readonly peer: Peer;
  readonly local: Address;
  /** The facts of a proxy about the connection, if it came through one (PROXY protocol). */
  readonly proxy: ProxyFacts | null;
  /** The facts of a trusted sender about the client that it had its message from (XFORWARD). */
  readonly forwarded: Forwarded | null;
  readonly hello: Hello | null;
  readonly tls: TlsInfo | null;
  readonly identity: string | null;
  readonly envelope: Envelope | null;
  /** What has been counted so far. */
  readonly counters: Counters;
  /** For the WITH clause of a Received field (RFC 3848, RFC 6531): `SMTP`, `ESMTPSA`, `LMTP`, `UTF8SMTPS` … */
  readonly protocol: string;
  /** Aborts when the connection is gone. Errors of listeners, thrown or by their promise, are reported to `error`. */
  readonly signal: AbortSignal;
  /** The program's own: what the option `sessionData` has made for this connection, before anything was asked. It may be replaced. */
  data: Data;
  /**
   * Closes the connection with 421 after the open transaction; `reply` is that in words of your own, such as `reject(421, '4.7.0', 'Try later')`.
   * Throws `SmtpUsageError` `reply-class` for another code (RFC 5321 3.8).
   */
  shutdown(reply?: Rejection): void;
  /**
   * Ends the connection at once, and says nothing: a reset, where the runtime can (docs/runtimes.md). A message that arrives is aborted, one that
   * was accepted and not acknowledged is told as such, `signal` aborts, and what is answered later is not heard.
   */
  abort(): void;
}

/** A message while it arrives. */
export interface IncomingMessage<X extends Extension = never> {
  readonly envelope: TypedEnvelope<X>;
  /** The content: `for await` it to its end, or refuse the message. */
  readonly body: Body;
  /** Octets of content; known when the body has ended. */
  readonly size: number;
  /** Bare CR or LF that were kept as content; known when the body has ended. */
  readonly deviations: readonly BareLineEnd[];
  /**
   * Of use to `unacknowledged`. LMTP: how many of the recipients, in order, come before the first whose acceptance the client does not
   * know; replies are in order, so those that were accepted from there on are not acknowledged.
   */
  readonly told: number;
}

type Awaitable<T> = T | Promise<T>;

/** A decision now or later. TypeScript widens `return true` in an async function to boolean where a plain value would do, too; `false` is 451 all the same. */
type Decided = Decision | Promise<Decision | boolean>;

/**
 * What of the program has failed: a method that answers a question or is only told, a listener on `session.signal`, a function of the options or of
 * an extension, or (`session`) what the session stands on, such as a transport.
 */
export type CallbackName =
  | QuestionType
  | 'unacknowledged'
  | 'secured'
  | 'tlsFailed'
  | 'notice'
  | 'signal'
  | 'sessionData'
  | 'trusted'
  | 'stray'
  | 'session'
  | 'extension';

/**
 * The application. A question is asked only if its method is there; the others get the preset's answer. Consent is `true` or what `accept`
 * made; refusal is what `reject` made, returned or thrown. Anything else, returned or thrown, undefined too, is 451 (454 in AUTH, 421 at
 * `connect`) and told to `error`: silence is never consent. `Data` is that of `session.data`, which the option `sessionData` makes; `X` the type
 * of the extensions of the program's own.
 */
export interface Handler<Data = unknown, X extends Extension = never> {
  connect?(question: ConnectQuestion, session: Session<Data>): Decided;
  hello?(question: HelloQuestion, session: Session<Data>): Decided;
  starttls?(question: StartTlsQuestion, session: Session<Data>): Decided;
  /** Carries out a mechanism that is given by its name. Return `accept({ identity })`, not `true`, which gives no identity. */
  auth?(question: AuthQuestion, session: Session<Data>): Awaitable<Acceptance<AuthAnswer> | Challenge | Refusal>;
  mail?(question: TypedMail<X>, session: Session<Data>): Decided;
  rcpt?(question: TypedRcpt<X>, session: Session<Data>): Decided;
  data?(question: DataQuestion, session: Session<Data>): Decided;
  /** VRFY, EXPN, HELP, ETRN: `accept({ text })`. */
  info?(question: InfoQuestion, session: Session<Data>): Awaitable<Acceptance<InfoAnswer> | Refusal>;
  /** A verb of an extension of the program's own (`defineExtension`): `true` is 250. */
  command?(question: TypedCommand<X>, session: Session<Data>): Decided;
  /** A trusted proxy names its client (XCLIENT); afterwards `connect` is asked again. */
  xclient?(question: XclientQuestion, session: Session<Data>): Decided;
  /**
   * Takes a message. `true` or `accept(…)` after the whole body was read accepts it: only then is the client told. A refusal may be returned
   * or thrown at any time; the rest of the body is then read and dropped. In LMTP an array of decisions, one for each recipient in order,
   * may be returned in place of one for all; of another length it is 451 for all.
   */
  message?(message: IncomingMessage<X>, session: Session<Data>): Promise<Decisions>;
  /**
   * A message was accepted, but the client does not know it and will send the message again (RFC 1047): it had left or was answered 451 before, or
   * the reply was not sent completely (it was delayed, the client did not read, or the connection was lost). Called once per message. A reply that
   * the operating system has accepted can still be lost on the network: that is not reported.
   */
  unacknowledged?(message: IncomingMessage<X>, session: Session<Data>): void;
  /** TLS is up: by STARTTLS, or, before `connect` is asked, from the first octet. `session.tls` is the same from now on. */
  secured?(tls: TlsInfo, session: Session<Data>): void;
  /**
   * A TLS handshake has failed, or was not done when its connection or its time was over: each that begins ends by this or by `secured`.
   * `session` is null where TLS comes first, for there is none yet; `stray` is told, too.
   */
  tlsFailed?(error: unknown, peer: Peer, session: Session<Data> | null): void;
  /** Everything that only tells: faults, aborts, closing; and the conversation, with the option `trace`. */
  notice?(notice: Notice, session: Session<Data>): void;
  /**
   * A method of this handler has failed, or another function of the program that `serve` was given. A client that waited for an answer was
   * told 451 (454 in AUTH, 421 at `connect`) and nothing of the error. `session` is null where none has begun (`trusted`, `stray`), and with `extension`. Without
   * this method the first failure of a server is told by a warning.
   */
  error?(error: unknown, method: CallbackName, session: Session<Data> | null): void;
}
