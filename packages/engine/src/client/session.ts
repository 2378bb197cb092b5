import { SmtpUsageError } from '../error.ts';
import { showText } from '../escape.ts';
import type { TlsInfo } from '../facts.ts';
import { octetsOf } from '../needle.ts';
import { checkOptions, type TableOf } from '../option-table.ts';
import { type AuthWords, WITHHELD } from '../redact.ts';
import type { AuthFeature } from './auth.ts';
import type { BrokenBody } from './body-writer.ts';
import type { Capabilities } from './capabilities.ts';
import { plainCommand } from './command.ts';
import { ClientCore } from './core.ts';
import type { ClientEnvelope, MessageFacts, TransactionPaths } from './envelope.ts';
import type { ClientEvent, ClientWants } from './events.ts';
import type { ClientOptions } from './options.ts';
import { takeOutput } from './output.ts';
import type { ClientPhase, TransactionPhase } from './phases.ts';
import { type PlanOptions, planTransaction, type TransactionPlan } from './plan.ts';
import { ReplyReader } from './reply-reader.ts';
import { advance, close, demand, fire, fireTransaction, may, over } from './run.ts';
import { Transaction } from './transaction.ts';

/** How `command` asks. */
export interface CommandOptions {
  /** Says SMTPUTF8 after the argument of VRFY or EXPN. Default: false; RFC 6531 3.7.4.2. */
  readonly smtpUtf8?: boolean;
}

/** The options of `command`: every name, and what it may be. */
export const COMMAND_OPTIONS: TableOf<CommandOptions> = { smtpUtf8: 'switch' };

/**
 * The client's side of an SMTP or LMTP session, as a pure state machine: octets, calls and time go in; octets, events and a deadline
 * come out. It does no I/O, keeps no timer, and nothing that comes from the network makes it throw.
 *
 * It says hello (EHLO; HELO where that is safe) and begins TLS by itself; the program authenticates, sends and quits.
 *
 * Loop: `tick`, then `receive` or another call, then `nextEvent` and `nextOutput` until both give null, then do what `wants` says.
 *
 * @example
 * ```ts
 * import { ClientSession } from '@ehlo/engine';
 * import { latin1, octets } from '@ehlo/grammar';
 * const session = new ClientSession({ hostname: 'client.example.org' });
 * session.receive(octets('220 mx.example.net\r\n'));
 * const wire = session.nextOutput()!;
 * session.receive(octets('250-mx.example.net\r\n250 PIPELINING\r\n'));
 * session.send({ reversePath: '', recipients: [{ forwardPath: 'ann@example.net' }] });
 * const group = session.nextOutput()!;
 * latin1(wire, 0, wire.length) + latin1(group, 0, group.length)
 * // → 'EHLO client.example.org\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.net>\r\n'
 * ```
 */
export class ClientSession {
  readonly #core: ClientCore;
  readonly #reader: ReplyReader = new ReplyReader();
  /** What plans are made with, and under which TLS. */
  #planning: { readonly tls: TlsInfo | null; readonly options: PlanOptions } | null = null;

  /** Throws `SmtpUsageError` `bad-hostname`, `bad-limit`, or `bad-option` for an option that is misspelt or can't have its value. */
  constructor(options: ClientOptions) {
    this.#core = new ClientCore(options);
  }

  /** Octets from the peer: they are read at once and not kept. Legal in every state. */
  receive(bytes: Uint8Array): void {
    const core = this.#core;
    if (core.phase !== 'closed' && bytes.length > 0) this.#reader.read(core, bytes);
  }

  /** The peer has ended its side. A reply whose last line lacks only its CRLF is read. */
  receiveEnd(): void {
    this.#reader.end(this.#core);
  }

  /** The connection is gone, or the TLS handshake has failed: nothing more can be read or written. */
  lost(): void {
    over(this.#core, 'lost');
  }

  /**
   * The next octets to write; null if there are none now. Call it again until it gives null, as far as the transport takes them: a message
   * is read as they are taken, at most 64 KiB at a time. The session does not touch them again; they may be a view of what `write` was given.
   */
  nextOutput(): Uint8Array | null {
    return takeOutput(this.#core);
  }

  /** So many more octets of the output have left the transport: that moves the timer and the least rate of a message. */
  written(octets: number): void {
    this.#core.written(octets);
  }

  /** The next event; null if there is none. */
  nextEvent(): ClientEvent | null {
    return this.#core.takeEvent();
  }

  /**
   * Begins a mail transaction and returns its number, which its events carry. What can't be sent to this server is told by outcomes at
   * stage `plan`. Throws `SmtpUsageError`: `not-ready` unless `canSend`, `no-recipients`, and `bad-address` or `bad-parameter` for what is
   * none by its type.
   */
  send(envelope: ClientEnvelope, message: MessageFacts = {}): number {
    const core = this.#core;
    demand(core, 'send');
    const plan = this.#planned(envelope, message);
    const transaction = new Transaction(++core.lastId, plan, (event) => core.events.push(event));
    if (transaction.asking.length > 0) {
      fire(core, 'send');
      core.transactions.push(transaction);
    }
    for (const { index, problem, batch } of plan.recipients) {
      if (problem !== null) transaction.tell(index, { status: 'refused', stage: 'plan', permanent: true, reply: null, problem });
      else if (batch > 0) transaction.tell(index, { status: 'unsent', stage: 'plan', cause: 'limits', reply: null });
    }
    this.#moved();
    return transaction.id;
  }

  /**
   * How `send` would send it now, or why it would not: what the server has announced, and the domains that it was asked for in this session
   * (RFC 9422 4.3), are looked at. Throws `SmtpUsageError` as `send` does.
   */
  plan(envelope: ClientEnvelope, message: MessageFacts = {}): TransactionPlan {
    if (this.#core.capabilities === null) throw new SmtpUsageError('not-ready', "can't plan before the answer to EHLO");
    return this.#planned(envelope, message);
  }

  /** Whether `send` may be called. */
  get canSend(): boolean {
    return may(this.#core, 'send');
  }

  /**
   * The next octets of the message, of any number. They are lent until they were handed out and `written`, or the transaction is settled.
   * Line ends and dots are the session's business. Returns false if nothing is wanted (any more, or yet): see `canWrite`.
   */
  write(bytes: Uint8Array): boolean {
    return this.canWrite && this.#isWhole(this.#core.body!.writer.write(bytes));
  }

  /** Whether `write` and `end` may be called: the message is wanted, and all that was written of it has been handed out. */
  get canWrite(): boolean {
    const { active, body } = this.#core;
    return active?.phase === 'body' && body!.writer.idle;
  }

  /** The message is complete; may be called directly after `write`. Returns false if it is not wanted (any more, or yet). */
  end(): boolean {
    const { active, body } = this.#core;
    if (active?.phase !== 'body' || !this.#isWhole(body!.writer.end())) return false;
    fireTransaction(this.#core, active, 'end');
    this.#moved();
    return true;
  }

  /**
   * Gives up a transaction, the last if no number is given, at any moment and without ever ending its message: what is not decided is
   * unsent, or unknown if the end of the message may have left. The session lives on if no message was asked for, or if it is among its
   * chunks (`CHUNKING`); else it closes.
   */
  abort(transaction?: number): void {
    const core = this.#core;
    const given = transaction === undefined ? core.active : core.transactions.find(({ id }) => id === transaction);
    if (given) fireTransaction(core, given, 'abort');
    this.#moved();
  }

  /**
   * Says a command outside of a transaction: NOOP, VRFY, ETRN, one of the program's own, any that is one line and has one reply, which comes as
   * a `reply` event. With `smtpUtf8`, VRFY and EXPN take UTF-8, and the answer may hold some (RFC 6531 3.7.4.2). Throws `not-ready`;
   * `bad-argument` for what is no line, and for a verb that changes the session or its transport, or is followed by a message; `not-offered`
   * unless the server offers SMTPUTF8, or the extension of the program's own that the verb belongs to. A reply of the kind 3yz, which asks for more, ends the session.
   */
  command(verb: string, argument = '', options: CommandOptions = {}): void {
    const { smtpUtf8 = false } = checkOptions(COMMAND_OPTIONS, options);
    const core = this.#core;
    const command = plainCommand(verb, argument, smtpUtf8);
    demand(core, 'command');
    this.#demandOffered(command.verb);
    if (command.utf8 && !core.offers('SMTPUTF8')) throw new SmtpUsageError('not-offered', 'the server does not offer SMTPUTF8');
    core.command = command;
    fire(core, 'command');
    core.settle();
  }

  /**
   * Sends QUIT after the commands and messages under way; `closed` follows, at the latest after `quitTimeout`. If called before `secured`,
   * QUIT is the first command under TLS: a client that does not trust the certificate can leave this way (RFC 3207 4.1).
   */
  quit(): void {
    this.#core.quitting = true;
    this.#moved();
  }

  /** Begins TLS, where that was left to the program (`starttls: 'off'`). Throws `not-ready`, `not-offered`. */
  starttls(): void {
    demand(this.#core, 'starttls');
    fire(this.#core, 'starttls');
    this.#core.settle();
  }

  /** The TLS handshake is done: all that the server sent in clear is discarded (RFC 3207 4.2), and EHLO is sent again. */
  secured(tls: TlsInfo): void {
    const core = this.#core;
    if (core.phase === 'closed') return;
    if (core.phase !== 'tls') throw new SmtpUsageError('not-waiting-for-tls', 'no STARTTLS has been accepted');
    core.tls = tls;
    fire(core, 'secured');
    core.settle();
  }

  /**
   * Begins an AUTH exchange (RFC 4954). An initial response that is too long for the line is sent after an empty challenge. Throws
   * `SmtpUsageError`: `not-ready`, `not-offered`, `missing-feature`, `bad-argument`, and `unprotected` where the connection is less safe than
   * the option `credentials` wants. Every part of a response is secret but the names in `words`; `words` names further secrets. The
   * text of a reply that contains a secret is hidden. During the exchange, replies show only their codes if a secret is too short to be searched for.
   */
  authenticate(mechanism: string, initial: Uint8Array | null = null, words: AuthWords = {}): void {
    const core = this.#core;
    const auth = core.feature('auth') as AuthFeature | undefined;
    if (auth === undefined) throw new SmtpUsageError('missing-feature', 'AUTH is not among the option features');
    const exchange = auth.exchange(mechanism, initial, words);
    demand(core, 'authenticate');
    core.exchange = exchange;
    fire(core, 'authenticate');
    core.settle();
  }

  /** Answers the open challenge. Returns false if there is none any more; throws `bad-argument` if the response is too long for a line. */
  respond(response: Uint8Array): boolean {
    const core = this.#core;
    if (core.phase !== 'challenge') return false;
    (core.feature('auth') as AuthFeature).encoded(response);
    core.exchange!.response = response;
    fire(core, 'respond');
    core.settle();
    return true;
  }

  /** Cancels the exchange at the open challenge: a `reply` event reports its end. Returns false if no challenge is open (any more). */
  cancel(): boolean {
    const cancelled = fire(this.#core, 'cancel');
    this.#core.settle();
    return cancelled;
  }

  /** A text that the server has said by another way than a reply, such as in a challenge, as it may be shown: see `showText`. */
  show(text: string): string {
    return this.#core.redactor?.withholds([octetsOf(text)]) ? WITHHELD : showText(text);
  }

  /** Says what time it is, in milliseconds of any monotonic clock: at the start, before every input and call, and at `deadline`. */
  tick(now: number): void {
    const limit = this.#core.tick(now);
    if (limit !== null) over(this.#core, 'timeout', null, limit);
  }

  /** When `tick` has to be called at the latest; infinite while nothing runs out. */
  get deadline(): number {
    return this.#core.deadline;
  }

  /** Whether to keep one read outstanding: always, but for the hand-over to TLS and a session that is over. */
  get reads(): boolean {
    const { phase } = this.#core;
    return phase !== 'tls' && phase !== 'closed';
  }

  /** What to do when `nextEvent` and `nextOutput` give null. */
  get wants(): ClientWants {
    return WANTS[this.#core.phase] ?? 'input';
  }

  /** The phase of the session; in a transaction, that of the last one begun. */
  get phase(): ClientPhase | TransactionPhase {
    const { phase, active } = this.#core;
    return phase === 'transaction' ? active!.phase : phase;
  }

  /**
   * The envelope of the message that is being sent, as MAIL and RCPT had it: for a signature that binds the envelope of one transaction. It has
   * the accepted recipients only. Null unless `phase` is `'body'`.
   */
  get paths(): TransactionPaths | null {
    const { active } = this.#core;
    return active?.phase === 'body' ? active.paths : null;
  }

  /** What the server offers; null before its answer to EHLO, and again after `secured`. */
  get capabilities(): Capabilities | null {
    return this.#core.capabilities;
  }

  get tls(): TlsInfo | null {
    return this.#core.tls;
  }

  /** The mechanism by which the client has authenticated; null if it has not. */
  get authenticated(): string | null {
    return this.#core.authenticated;
  }

  /** A verb of an extension that the program defined may be sent only to a server that offers it, and outside of a transaction. */
  #demandOffered(name: string): void {
    const own = this.#core.options.extensions?.find(({ verbs }) => verbs.some(({ verb }) => verb === name));
    if (own === undefined) return;
    if (!this.#core.offers(own.keyword)) throw new SmtpUsageError('not-offered', `the server does not offer ${own.keyword}`);
    if (own.verbs.every(({ verb, phases }) => verb !== name || !phases.includes('ready')))
      throw new SmtpUsageError('bad-argument', `${name} has its place within a transaction, and this is outside of one`);
  }

  #planned(envelope: ClientEnvelope, message: MessageFacts): TransactionPlan {
    if (envelope.recipients.length === 0) throw new SmtpUsageError('no-recipients', 'no recipients');
    return planTransaction(this.#core.capabilities!, envelope, message, this.#planOptions());
  }

  /** Made anew only where TLS has begun: a plan is made for every message. */
  #planOptions(): PlanOptions {
    const core = this.#core;
    const { tls, domains } = core;
    if (this.#planning?.tls !== tls) {
      const chunking = core.feature('chunking') !== undefined;
      const verified = tls?.peerCertificate?.authorized === true;
      this.#planning = { tls, options: { ...core.options, chunking, verified, domains } };
    }
    return this.#planning!.options;
  }

  /** A message that can't be sent on ends the session without its end. */
  #isWhole(broken: BrokenBody | null): boolean {
    if (broken !== null) close(this.#core, broken);
    return broken === null;
  }

  /** After a call of the program: what may be sent now is sent. */
  #moved(): void {
    advance(this.#core);
    this.#core.settle();
  }
}

const WANTS: { readonly [phase in ClientPhase]?: ClientWants } = { closed: 'close', tls: 'tls', challenge: 'answer' };
