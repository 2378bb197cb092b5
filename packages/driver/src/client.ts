import {
  type Capabilities,
  type ClientClosedEvent,
  type ClientEvent,
  type ClientFaultEvent,
  ClientSession,
  type CommandOptions,
  checkOptions,
  type Extension,
  type TlsInfo,
  type TransactionPlan,
} from '@ehlo/engine';
import type { Reply } from '@ehlo/grammar';
import { Alarms } from './alarms.ts';
import { type ClientAuth, ClientAuthentication } from './client-authentication.ts';
import { ClientError, errorOfClosed, withAdvice } from './client-error.ts';
import { CLIENT_AUTH, type ClientNotice, type ConnectOptions, type ServerName, sessionOptions, starttlsOf } from './client-options.ts';
import { checkCredentials } from './credentials.ts';
import { Delivery, type SendEnvelope, type SendOptions, type SendResult, transactionOf } from './delivery.ts';
import { type Message, MessageSource } from './message-source.ts';
import { notify, once, toConsole, type Warn } from './notify.ts';
import { OTHER_NAMES } from './other-names.ts';
import { Outbox } from './outbox.ts';
import { type Program, Pump } from './pump.ts';
import { Signals } from './signals.ts';
import { REAL_CLOCK } from './timer.ts';
import type { Address, Transport } from './transport.ts';

/**
 * A session with a server that is open: it sends messages one after the other, in the order in which they are given. It never throws for
 * anything that the server or the network does: each recipient of each message has its outcome.
 */
export class Client<X extends Extension = never> {
  /** Resolves when the session is over: with the reason, or null where the program has ended it. */
  readonly closed: Promise<ClientError | null>;
  readonly #session: ClientSession;
  readonly #transport: Transport;
  readonly #options: ConnectOptions;
  readonly #server: ServerName;
  readonly #pump: Pump;
  readonly #outbox: Outbox;
  readonly #signals: Signals = new Signals();
  /** Called with the error of a function of the program whose result no call waits for. */
  readonly #warn: (error: unknown, what: string) => void;
  /** Called once, when the session is open or will never be. */
  #opened: ((error: Error | null) => void) | null;
  #authentication: ClientAuthentication | null = null;
  #leaving = false;
  /** As far as it was told. */
  #tls: TlsInfo | null;
  #fault: ClientFaultEvent | null = null;
  /** What the transport has failed with. */
  #failure: unknown = null;
  /** The program has ended it, for this reason. */
  #aborting: { readonly reason: unknown } | null = null;
  #ended: ClientClosedEvent | null = null;
  #error: ClientError | null = null;

  private constructor(
    transport: Transport,
    options: ConnectOptions,
    server: ServerName,
    warn: Warn,
    opened: (error: Error | null) => void,
  ) {
    const { signal } = options;
    const told = once(warn);
    const session = new ClientSession(sessionOptions(transport, options, (error) => told(error, 'the function toAscii has failed')));
    this.#session = session;
    this.#transport = transport;
    this.#tls = transport.tls ?? null;
    this.#options = options;
    this.#server = server;
    this.#opened = opened;
    this.#warn = told;
    this.#outbox = new Outbox(session, (call) => this.#pump.act(call));
    let over: (error: ClientError | null) => void = () => {};
    this.closed = new Promise((resolve) => {
      over = resolve;
    });
    const aborted = (): void => this.abort(signal?.reason);
    const failed = (cause: unknown): void => {
      this.#failure ??= cause;
    };
    const program: Program = {
      pull: () => this.#pull(),
      hasRoom: () => true,
      abrupt: () => this.#ended?.cause === 'aborted' || this.#ended?.cause === 'timeout',
      failed,
      broken: failed,
      gone: () => {
        signal?.removeEventListener('abort', aborted);
        over(this.#error);
      },
    };
    this.#pump = new Pump(session, transport, program, new Alarms(REAL_CLOCK));
    signal?.addEventListener('abort', aborted);
  }

  /** Greets the server over a transport; see `connectOn`. */
  static open<X extends Extension = never>(
    transport: Transport,
    options: ConnectOptions,
    server: ServerName,
    warn: Warn = toConsole,
  ): Promise<Client<X>> {
    return new Promise((resolve, reject) => {
      const client = new Client<X>(transport, options, server, warn, (error) => (error === null ? resolve(client) : reject(error)));
      client.#pump.start();
      if (options.signal?.aborted) client.abort(options.signal.reason);
    });
  }

  get peer(): Address {
    return this.#transport.peer;
  }

  get tls(): TlsInfo | null {
    return this.#session.tls;
  }

  /** What the server offers. */
  get capabilities(): Capabilities {
    return this.#session.capabilities!;
  }

  /** The mechanism by which the client has authenticated; null if it has not. */
  get authenticated(): string | null {
    return this.#session.authenticated;
  }

  /** Whether nothing more can be sent: the session is over, or about to be. */
  get ended(): boolean {
    return this.#leaving || this.#ended !== null;
  }

  /** Whether another message can be sent, now or after others: not if the session is over, or the server accepts no more in it (RFC 9422). */
  get canSend(): boolean {
    return !this.ended && (this.#session.phase !== 'ready' || this.#session.canSend);
  }

  /**
   * How many messages the connection takes at a time: one; three with `pipelining: 'transactions'`, where the commands of the next message are sent
   * after the dot of the last: one that waits for its reply, one that is being sent, and the next.
   */
  get depth(): number {
    const { pipelining, features = [] } = this.#options;
    const offered = this.#session.capabilities?.extensions;
    const chunks = offered?.has('CHUNKING') === true && features.some(({ name }) => name === 'chunking');
    return pipelining === 'transactions' && offered?.has('PIPELINING') === true && !chunks ? 3 : 1;
  }

  /** Messages and questions that wait for their turn or for their end. */
  get pending(): number {
    return this.#outbox.pending;
  }

  /**
   * Sends a message, after those that were given before. Resolves when each recipient has its outcome, also those whose address can't be
   * written; rejects with `SmtpUsageError` only, for what is wrong by its type.
   */
  send(envelope: SendEnvelope<X>, message: Message, options: SendOptions = {}): Promise<SendResult> {
    let delivery: Delivery;
    try {
      delivery = new Delivery(envelope, message, options, this.#warn);
    } catch (error) {
      return Promise.reject(error);
    }
    const { signal } = options;
    this.#outbox.add(delivery);
    if (signal !== undefined) {
      const forget = this.#signals.add(signal, () => this.#pump.act(() => this.#outbox.abandon(delivery, signal.reason)));
      delivery.result.then(forget, forget);
    }
    this.#said();
    return delivery.result;
  }

  /**
   * How a message would be sent, or why it can't be; nothing is. A stream is read as far as `send` reads it ahead, and closed. Rejects with
   * `SmtpUsageError` as `send` does, with what the message's source fails with, and with the signal's reason.
   */
  async plan(
    envelope: SendEnvelope<X>,
    message: Message,
    { facts, signal }: Pick<SendOptions, 'facts' | 'signal'> = {},
  ): Promise<TransactionPlan> {
    const { capabilities } = this;
    const source = new MessageSource(message);
    let forget = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        if (signal !== undefined) forget = this.#signals.add(signal, () => reject(signal.reason));
        source.open(capabilities, facts).then(resolve, reject);
      });
    } finally {
      forget();
      source.stop();
    }
    return this.#session.plan(transactionOf(envelope), source.facts ?? {});
  }

  /**
   * Authenticates (RFC 4954) between messages, for programs that decide by what the server offers (`capabilities`). Rejects with `ClientError` if
   * it is refused or not possible; the session continues, except if the server failed to prove that it knows the password. Rejects with
   * `SmtpUsageError` for wrong options, and if the client is already authenticated.
   */
  authenticate(auth: ClientAuth): Promise<void> {
    return new Promise((resolve, reject) => {
      checkOptions(CLIENT_AUTH, auth, OTHER_NAMES, 'auth');
      checkCredentials(auth);
      const begin = (over: () => void): void =>
        this.#exchange(auth, (error) => {
          over();
          // A server that is content, and has not shown that it may be, is an impostor.
          if (error instanceof ClientError && this.authenticated !== null) this.#leaving = true;
          if (error === null) resolve();
          else reject(error);
        });
      this.#outbox.add({ begin, reject });
      this.#said();
    });
  }

  /**
   * Says a command between messages: NOOP, VRFY, RSET, ETRN, one of the program's own, any that is one line and has one reply. With
   * `smtpUtf8`, VRFY and EXPN take UTF-8 and may be answered in it. Rejects with `ClientError` if the session ends before the answer, whatever
   * that is, and with `SmtpUsageError` for what is no line, or begins a message, another session or TLS.
   */
  command(verb: string, argument = '', options: CommandOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#outbox.add({ verb, argument, options, resolve, reject });
      this.#said();
    });
  }

  /** Says QUIT when all that was given is over; resolves when the connection is left. */
  async close(): Promise<void> {
    this.#leaving = true;
    this.#pump.goOn();
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends at once. Pending output is not sent; a message whose end was sent is `unknown`. */
  abort(reason?: unknown): void {
    if (this.#ended !== null) return;
    this.#aborting = { reason };
    this.#pump.abort(() => this.#outbox.abort());
  }

  /** Something was given to the outbox. */
  #said(): void {
    if (this.#ended !== null) this.#outbox.end(this.#ended, this.#error);
    else this.#pump.goOn();
  }

  #pull(): void {
    const session = this.#session;
    const { tls } = session;
    if (tls !== null && tls !== this.#tls) {
      this.#tls = tls;
      this.#tell({ type: 'secured', tls });
    }
    do {
      for (let event = session.nextEvent(); event !== null; event = session.nextEvent()) this.#take(event);
      if (this.#ended !== null) break;
      if (this.#opened !== null && session.phase === 'ready') this.#authenticate();
    } while (this.#opened === null && this.#outbox.advance());
    this.#outbox.keep(this.#error);
    if (this.#leaving && this.#opened === null && this.#outbox.pending === 0 && session.phase === 'ready') session.quit();
  }

  #take(event: ClientEvent): void {
    if (event.type !== 'challenge') this.#tell(event);
    switch (event.type) {
      case 'challenge':
      case 'authenticated':
        return this.#authentication?.take(event);
      case 'reply':
        if (event.verb === 'AUTH') this.#authentication?.take(event);
        else if (event.verb !== 'STARTTLS') this.#outbox.take(event);
        return;
      case 'recipient':
      case 'ready':
      case 'outcome':
      case 'settled':
        return this.#outbox.take(event);
      case 'fault':
        this.#fault = event;
        return this.#authentication?.take(event);
      case 'closed':
        return this.#end(event);
    }
  }

  /** The session can be used: now, or after authentication. */
  #authenticate(): void {
    const { auth } = this.#options;
    if (auth === undefined) return this.#open(null);
    if (this.#authentication === null) this.#exchange(auth, (error) => this.#open(error));
  }

  #exchange(auth: ClientAuth, done: (error: Error | null) => void): void {
    const act = (call: () => void): void => this.#pump.act(call);
    try {
      this.#authentication = new ClientAuthentication(this.#session, auth, this.#server, act, done);
      this.#authentication.begin();
    } catch (error) {
      // Options that can't be used.
      done(error as Error);
    }
  }

  #open(error: Error | null): void {
    if (error instanceof ClientError) this.#error ??= error;
    if (error !== null) this.#leaving = true;
    this.#opened?.(error);
    this.#opened = null;
  }

  #end(event: ClientClosedEvent): void {
    const closed: ClientClosedEvent = this.#aborting === null ? event : { ...event, cause: 'aborted' };
    this.#ended = closed;
    const failure = this.#aborting === null ? this.#failure : this.#aborting.reason;
    const error = failure instanceof ClientError ? failure : errorOfClosed(closed, this.#fault, failure);
    this.#error ??= error !== null && starttlsOf(this.#options) === 'opportunistic' ? withAdvice(error) : error;
    this.#outbox.end(closed, this.#error);
    this.#opened?.(this.#error ?? new ClientError('aborted', 'the session was ended'));
    this.#opened = null;
  }

  #tell(notice: ClientNotice): void {
    const { notice: tell } = this.#options;
    if (tell !== undefined)
      notify(
        () => tell(notice),
        (error) => this.#warn(error, 'the function notice has failed'),
      );
  }
}
