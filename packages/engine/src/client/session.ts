import type { TlsInfo } from '../facts.ts';
import type { Capabilities } from './capabilities.ts';
import type { ClientEnvelope, ClientEvent, ClientWants, MessageFacts } from './events.ts';
import type { ClientOptions } from './options.ts';
import type { ClientPhase } from './table.ts';

/**
 * The client's side of an SMTP or LMTP session, as a pure state machine: octets, calls and time go in; octets, events and a deadline
 * come out. It does no I/O, keeps no timer, and nothing that comes from the network makes it throw.
 *
 * It greets (EHLO, HELO where that is safe) and starts TLS by itself; the program sends, authenticates and quits.
 *
 * Loop: `tick`, then `receive` or another call, then `nextEvent` until it gives null, then write `nextOutput` until that gives null,
 * then do what `wants` says.
 */
export interface ClientSession {
  /** Octets from the peer. They are read at once and not kept. Legal in every state. */
  receive(bytes: Uint8Array): void;
  /** The peer has ended its side. */
  receiveEnd(): void;
  /** The connection is gone, or the TLS handshake failed: nothing more can be read or written. */
  lost(): void;
  /**
   * The next octets to write; null if none. Call it again until it gives null, as far as the transport takes them: a message is
   * read as they are taken. The session never touches them again; but they may be a view of what `write` was given.
   */
  nextOutput(): Uint8Array | null;
  /** The transport has passed on so many more octets of the output: for the timer and the rate of the message. */
  written(octets: number): void;
  /** The next event; null if there is none. */
  nextEvent(): ClientEvent | null;
  /**
   * Begins a mail transaction and returns its number, which its events carry. What can't be sent to this server is told by outcomes at
   * stage `plan`. Throws `SmtpUsageError`: `not-ready` unless `canSend`, `bad-address`, `bad-parameter`, `no-recipients`.
   */
  send(envelope: ClientEnvelope, message?: MessageFacts): number;
  /** Whether `send` may be called. */
  readonly canSend: boolean;
  /**
   * The next octets of the message, lent until `canWrite` is true again, the last output was `written`, or the transaction is settled.
   * Line ends and dots are the session's business. Returns false if the message is not wanted any more, or not yet.
   */
  write(bytes: Uint8Array): boolean;
  /** Whether `write` and `end` may be called. */
  readonly canWrite: boolean;
  /** The message is complete. Returns false as `write` does. */
  end(): boolean;
  /**
   * Gives up the transaction that was begun last, at any moment, without ever ending its message: what is not decided is unsent, or unknown
   * if the end of the message may have left. The session lives on if the server has not been asked for the message; else it closes.
   */
  abort(): void;
  /** Asks a question outside of a transaction; its answer is a `reply` event. Throws `not-ready`, `bad-argument`. */
  command(verb: 'NOOP' | 'VRFY' | 'EXPN' | 'HELP', argument?: string): void;
  /** QUIT, as soon as what is under way is over; `closed` follows, at the latest when `quitTimeout` has run out. */
  quit(): void;
  /** Begins TLS, where that was left to the program (`starttls: 'off'`). Throws `not-ready`, `not-offered`. */
  starttls(): void;
  /** The TLS handshake is done: all that the server said in clear is forgotten (RFC 3207 4.2), and EHLO is said anew. */
  secured(tls: TlsInfo): void;
  /**
   * Begins an AUTH exchange (RFC 4954). An initial response that the line has no room for is sent behind an empty challenge. Throws
   * `SmtpUsageError`: `not-ready`, `missing-feature`, `unprotected` where the connection is less safe than the option `credentials` wants.
   */
  authenticate(mechanism: string, initial?: Uint8Array): void;
  /** Answers the open challenge. Returns false if there is none any more. */
  respond(response: Uint8Array): boolean;
  /** Cancels the exchange, at the open challenge: its end is told by a `reply` event. Returns false if there is none any more. */
  cancel(): boolean;
  /** Says what time it is, in milliseconds of any monotonic clock: at the start, before every input and call, and at `deadline`. */
  tick(now: number): void;
  /** When `tick` has to be called at the latest; infinite while nothing runs out. */
  readonly deadline: number;
  /** Whether to keep one read outstanding: always, but for the TLS hand-over and a session that is over. */
  readonly reads: boolean;
  /** What to do when `nextEvent` and `nextOutput` give null. */
  readonly wants: ClientWants;
  readonly phase: ClientPhase;
  /** What the server offers; null before its answer to EHLO, and again after `secured`. */
  readonly capabilities: Capabilities | null;
  readonly tls: TlsInfo | null;
  /** The mechanism by which the client has authenticated; null if it has not. */
  readonly authenticated: string | null;
}

/** Throws `SmtpUsageError` `bad-hostname` or `bad-limit`. */
export type ClientSessionConstructor = new (options: ClientOptions) => ClientSession;
