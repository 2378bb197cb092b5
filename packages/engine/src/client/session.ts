import { encodeUtf8 } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { showText } from '../escape.ts';
import type { TlsInfo } from '../facts.ts';
import { octetsOf } from '../needle.ts';
import { checkOptions, type TableOf } from '../option-table.ts';
import { type AuthWords, WITHHELD } from '../redact.ts';
import { askCommand, askStartTls, sayHello } from './answer.ts';
import type { AuthFeature } from './auth.ts';
import type { BrokenBody } from './body-writer.ts';
import type { Capabilities } from './capabilities.ts';
import { ClientCore } from './core.ts';
import type { ClientEnvelope, ClientEvent, ClientWants, MessageFacts, TransactionPaths } from './events.ts';
import type { ClientOptions } from './options.ts';
import type { TransactionPlan } from './plan.ts';
import { ReplyReader } from './reply-reader.ts';
import type { ClientPhase } from './table.ts';
import { abort, advance, begin, endBody, pathsOf, planned } from './transaction.ts';

/** How `command` asks. */
export interface CommandOptions {
  /** Says SMTPUTF8 behind the argument of VRFY or EXPN. Default: false; RFC 6531 3.7.4.2. */
  readonly smtpUtf8?: boolean;
}

/** The options of `command`: every name, and what it may be. */
export const COMMAND_OPTIONS: TableOf<CommandOptions> = { smtpUtf8: 'switch' };

const VERB = /^[A-Z][A-Z0-9-]*$/;
const ASCII_LINE = /^[ -~]*$/;
/** Verbs that are no question with an answer, and what there is in their place. */
const NOT_PLAIN: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ...['EHLO', 'HELO', 'LHLO', 'XCLIENT', 'TURN', 'ATRN'].map((verb) => [verb, 'it begins the session anew'] as const),
  ...['MAIL', 'RCPT', 'DATA', 'BDAT', 'BURL', 'SEND', 'SOML', 'SAML'].map((verb) => [verb, 'send says what a message needs'] as const),
  ...['STARTTLS', 'X-ANONYMOUSTLS'].map((verb) => [verb, 'the option starttls has it said'] as const),
  ['AUTH', 'authenticate has it said'],
  ['QUIT', 'quit or close has it said'],
]);
const UTF8_LINE = /^[^\p{Cc}\p{Cs}]*$/u;
/** RFC 5321 4.5.3.1.4: 512 octets, its CRLF included. */
const LONGEST_LINE = 510;

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
    this.#core.over('lost');
  }

  /**
   * The next octets to write; null if there are none now. Call it again until it gives null, as far as the transport takes them: a message
   * is read as they are taken, at most 64 KiB at a time. The session does not touch them again; they may be a view of what `write` was given.
   */
  nextOutput(): Uint8Array | null {
    return this.#core.takeOutput();
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
    this.#core.demand('send');
    const { id } = begin(this.#core, envelope, message);
    this.#moved();
    return id;
  }

  /**
   * How `send` would send it now, or why it would not: what the server has announced, and the domains that it was asked for in this session
   * (RFC 9422 4.3), are looked at. Throws `SmtpUsageError` as `send` does.
   */
  plan(envelope: ClientEnvelope, message: MessageFacts = {}): TransactionPlan {
    if (this.#core.capabilities === null) throw new SmtpUsageError('not-ready', "can't plan before the answer to EHLO");
    return planned(this.#core, envelope, message);
  }

  /** Whether `send` may be called. */
  get canSend(): boolean {
    return this.#core.may('send');
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
    const { phase, body } = this.#core;
    return phase === 'body' && !body!.stopped && body!.writer.idle;
  }

  /** The message is complete; it may be said at once behind `write`. Returns false if it is not wanted (any more, or yet). */
  end(): boolean {
    const { phase, body } = this.#core;
    if (phase !== 'body' || body!.stopped || !this.#isWhole(body!.writer.end())) return false;
    endBody(this.#core, body!);
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
    const given = [core.active, core.finishing].find((one) => one !== null && (transaction === undefined || one.id === transaction));
    if (given) abort(core, given);
    this.#moved();
  }

  /**
   * Says a command outside of a transaction: NOOP, VRFY, ETRN, one of the program's own, any that is one line and has one reply, which comes as
   * a `reply` event. With `smtpUtf8`, VRFY and EXPN take UTF-8, and the answer may hold some (RFC 6531 3.7.4.2). Throws `not-ready`;
   * `bad-argument` for what is no line, and for a verb that changes the session or its transport, or has a message behind it; `not-offered`
   * unless the server offers SMTPUTF8, or the extension of the program's own that the verb belongs to. A reply of the kind 3yz, which asks for more, ends the session.
   */
  command(verb: string, argument = '', options: CommandOptions = {}): void {
    const { smtpUtf8 = false } = checkOptions(COMMAND_OPTIONS, options);
    const core = this.#core;
    const name = String(verb).toUpperCase();
    const utf8 = smtpUtf8 && (name === 'VRFY' || name === 'EXPN');
    const line = `${name}${argument === '' ? '' : ` ${argument}`}${utf8 ? ' SMTPUTF8' : ''}`;
    const instead = NOT_PLAIN.get(name);
    if (instead !== undefined) throw new SmtpUsageError('bad-argument', `${name} is no command for itself: ${instead}`);
    if (!VERB.test(name)) throw new SmtpUsageError('bad-argument', 'a verb is one word of letters, digits and hyphens, such as NOOP');
    if (!(utf8 ? UTF8_LINE : ASCII_LINE).test(line) || encodeUtf8(line).length > LONGEST_LINE)
      throw new SmtpUsageError('bad-argument', `${name} takes one line of printable ${utf8 ? 'UTF-8' : 'ASCII'}`);
    core.demand('command');
    this.#demandOffered(name);
    if (utf8 && !core.offers('SMTPUTF8')) throw new SmtpUsageError('not-offered', 'the server does not offer SMTPUTF8');
    core.go('command');
    askCommand(core, { verb: name, line, utf8 });
    core.settle();
  }

  /**
   * QUIT, as soon as what is under way is over; `closed` follows, at the latest when `quitTimeout` has run out. Called before `secured`
   * it is the first command under TLS: so a client leaves to which the handshake has not shown enough (RFC 3207 4.1).
   */
  quit(): void {
    this.#core.quitting = true;
    this.#moved();
  }

  /** Begins TLS, where that was left to the program (`starttls: 'off'`). Throws `not-ready`, `not-offered`. */
  starttls(): void {
    this.#core.demand('starttls');
    askStartTls(this.#core);
    this.#core.settle();
  }

  /** The TLS handshake is done: all that the server said in clear is forgotten (RFC 3207 4.2), and EHLO is said anew. */
  secured(tls: TlsInfo): void {
    const core = this.#core;
    if (core.phase === 'closed') return;
    if (core.phase !== 'tls') throw new SmtpUsageError('not-waiting-for-tls', 'no STARTTLS has been accepted');
    core.tls = tls;
    core.capabilities = null;
    core.go('secured');
    // RFC 3207 4.1: who finds that the security is not enough "SHOULD issue an SMTP QUIT command immediately".
    if (core.quitting) core.leave('quit', null);
    else sayHello(core);
    core.settle();
  }

  /**
   * Begins an AUTH exchange (RFC 4954). An initial response that the line has no room for is sent behind an empty challenge. Throws
   * `SmtpUsageError`: `not-ready`, `not-offered`, `missing-feature`, `bad-argument`, and `unprotected` where the connection is less safe than
   * the option `credentials` wants. `words` says what of it is secret: no reply that holds such a word is shown. Without them nothing that
   * responses say is, and within the exchange only the codes of replies.
   */
  authenticate(mechanism: string, initial: Uint8Array | null = null, words: AuthWords = {}): void {
    const auth = this.#core.feature('auth');
    if (auth === undefined) throw new SmtpUsageError('missing-feature', 'AUTH is not among the option features');
    auth.begin(this.#core, mechanism, initial, words);
    this.#core.settle();
  }

  /** Answers the open challenge. Returns false if there is none any more; throws `bad-argument` if the response is too long for a line. */
  respond(response: Uint8Array): boolean {
    return this.#challenged((auth) => auth.respond(this.#core, response));
  }

  /** Cancels the exchange, at the open challenge: its end is told by a `reply` event. Returns false if there is none any more. */
  cancel(): boolean {
    return this.#challenged((auth) => auth.cancel(this.#core));
  }

  /** A text that the server has said by another way than a reply, such as in a challenge, as it may be shown: see `showText`. */
  show(text: string): string {
    return this.#core.redactor?.withholds([octetsOf(text)]) ? WITHHELD : showText(text);
  }

  /** Says what time it is, in milliseconds of any monotonic clock: at the start, before every input and call, and at `deadline`. */
  tick(now: number): void {
    this.#core.tick(now);
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
    const { phase, exchange } = this.#core;
    if (phase === 'closed') return 'close';
    if (phase === 'tls') return 'tls';
    return exchange?.state === 'open' ? 'answer' : 'input';
  }

  get phase(): ClientPhase {
    return this.#core.phase;
  }

  /**
   * Whom the message that is wanted now is for, and from whom, as MAIL and RCPT had it: what a signature over the envelope of one transaction
   * binds. The recipients are those that were asked for and accepted. Null unless `phase` is `'body'`.
   */
  get paths(): TransactionPaths | null {
    const { phase, body } = this.#core;
    return phase === 'body' ? pathsOf(body!.transaction) : null;
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

  /** A verb of an extension of the program's own is said to who offers it, and outside of a transaction. */
  #demandOffered(name: string): void {
    const own = this.#core.options.extensions?.find(({ verbs }) => verbs.some(({ verb }) => verb === name));
    if (own === undefined) return;
    if (!this.#core.offers(own.keyword)) throw new SmtpUsageError('not-offered', `the server does not offer ${own.keyword}`);
    if (own.verbs.every(({ verb, phases }) => verb !== name || !phases.includes('ready')))
      throw new SmtpUsageError('bad-argument', `${name} has its place within a transaction, and this is outside of one`);
  }

  /** A message that can't be sent on ends the session without its end. */
  #isWhole(broken: BrokenBody | null): boolean {
    if (broken !== null) this.#core.close(broken);
    return broken === null;
  }

  #challenged(carryOut: (auth: AuthFeature) => void): boolean {
    if (this.#core.exchange?.state !== 'open') return false;
    carryOut(this.#core.feature('auth')!);
    this.#core.settle();
    return true;
  }

  /** After a call of the program: what may be sent now is sent. */
  #moved(): void {
    advance(this.#core);
    this.#core.settle();
  }
}
