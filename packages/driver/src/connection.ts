import {
  type AbortCause,
  type Answer,
  type AuthAnswer,
  type InfoAnswer,
  type MessageQuestion,
  type Notice,
  type Question,
  type Rejection,
  type ServerOptions,
  ServerSession,
} from '@ehlo/engine';
import { Body, BodyAbortedError } from './body.ts';
import { type Challenge, type Handler, type IncomingMessage, isRejection, type Session } from './handler.ts';
import type { Address, Transport } from './transport.ts';

const NO_TLS: Rejection = { code: 421, enhanced: '4.7.0', text: 'TLS is required and not available, closing transmission channel' };

/** What setTimeout takes at the most. */
const LONGEST_TIMEOUT = 0x7fffffff;

const FAILED: Rejection = { code: 451, enhanced: '4.3.0', text: 'Requested action aborted: local error in processing' };

/** A message between its first octet and its reply. */
class Reception implements IncomingMessage {
  readonly body: Body;
  question: MessageQuestion | null = null;
  /** What the handler has decided; undefined while it is busy. */
  decision: Answer | Rejection | undefined = undefined;
  readonly envelope: MessageQuestion['envelope'];

  constructor(envelope: MessageQuestion['envelope'], read: () => void) {
    this.envelope = envelope;
    this.body = new Body(read);
  }

  get size(): number {
    return this.question?.size ?? 0;
  }

  get deviations(): MessageQuestion['deviations'] {
    return this.question?.deviations ?? [];
  }
}

/**
 * Moves one session over one transport: the only place where engine, socket and application meet. Everything goes through `pump`,
 * which is synchronous; a handler's promise is awaited outside of it.
 */
export class Connection implements Session {
  readonly id: number;
  readonly #session: ServerSession;
  readonly #transport: Transport;
  readonly #handler: Handler;
  readonly #closed: () => void;
  /** Made when somebody asks for the signal: it costs more than the rest of a connection's bookkeeping. */
  #controller: AbortController | null = null;
  #reception: Reception | null = null;
  #pumping = false;
  #writable = true;
  #reading = true;
  #over = false;
  #leaving = false; // closed, secured or gone: the transport is not ours to read any more
  #timer: ReturnType<typeof setTimeout> | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(id: number, transport: Transport, options: ServerOptions, handler: Handler, closed: () => void) {
    this.id = id;
    this.#transport = transport;
    this.#handler = handler;
    this.#closed = closed;
    const secure = transport.secure !== undefined;
    this.#session = new ServerSession({
      ...options,
      peer: transport.peer,
      ...(transport.tls === undefined ? {} : { tls: transport.tls }),
      // STARTTLS is offered only by a transport that can carry it out.
      ...(secure ? {} : { starttls: 'off' }),
    });
    // Where TLS is required and can't be had, there is no service: never mail in clear.
    if (options.starttls === 'required' && !secure && transport.tls === undefined) this.#session.shutdown(NO_TLS);
  }

  get peer(): Address {
    return this.#transport.peer;
  }

  get local(): Address {
    return this.#transport.local;
  }

  get hello(): Session['hello'] {
    return this.#session.hello;
  }

  get tls(): Session['tls'] {
    return this.#session.tls;
  }

  get identity(): string | null {
    return this.#session.identity;
  }

  get envelope(): Session['envelope'] {
    return this.#session.envelope;
  }

  get protocol(): string {
    return this.#session.protocol;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#over) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  start(): void {
    this.#transport.start({
      data: (bytes) => {
        this.#session.tick(performance.now());
        this.#session.receive(bytes);
        this.#pump();
      },
      end: () => {
        this.#session.tick(performance.now());
        this.#session.receiveEnd();
        this.#pump();
      },
      lost: () => {
        this.#session.lost();
        this.#leaving = true;
        this.#pump();
        this.#gone();
      },
      drained: () => {
        this.#writable = true;
        this.#session.tick(performance.now());
        this.#pump();
      },
    });
    this.#session.tick(performance.now());
    this.#pump();
  }

  shutdown(rejection?: Rejection): void {
    this.#session.tick(performance.now());
    this.#session.shutdown(rejection);
    this.#pump();
  }

  /** Ends at once: what is not yet accepted is not accepted. */
  abort(): void {
    if (this.#leaving) return this.#transport.abort();
    this.#session.lost();
    this.#leaving = true;
    this.#pump();
    this.#transport.abort();
    this.#gone();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#pull() || this.#flush());
    this.#pumping = false;
    if (!this.#leaving) this.#follow();
  }

  /** Takes the events that there is room for. Always false: all that follows from them has been said. */
  #pull(): boolean {
    for (;;) {
      if (!this.#hasRoom) return false;
      const event = this.#session.nextEvent();
      if (event === null) return false;
      switch (event.type) {
        case 'chunk':
          // The engine lends the octets; the application gets its own.
          this.#receiving().body.push(event.bytes.slice());
          break;
        case 'message':
          this.#arrived(event);
          break;
        case 'aborted':
        case 'reset':
        case 'fault':
        case 'trace':
        case 'closed':
          this.#notice(event);
          break;
        default:
          this.#ask(event);
      }
    }
  }

  /** Whether the reader of the message that arrives can keep up. */
  get #hasRoom(): boolean {
    return this.#reception === null || this.#reception.question !== null || this.#reception.body.hasRoom;
  }

  /** Writes what there is; true if more may have come to be sayable by it. */
  #flush(): boolean {
    // The last replies of a session that is over go out whatever the transport says: they are few, and closing is bounded.
    if (this.#leaving || !(this.#writable || this.#session.phase === 'closed')) return false;
    const output = this.#session.nextOutput();
    if (output === null) return false;
    this.#writable = this.#transport.write(output);
    return true;
  }

  /** Does what the session wants next. */
  #follow(): void {
    const { wants, reads } = this.#session;
    this.#schedule();
    if (wants === 'close') {
      this.#leaving = true;
      this.#transport.close();
      return this.#gone();
    }
    if (wants === 'tls' && this.#writable) return this.#secure();
    const reading = reads && this.#hasRoom;
    if (reading === this.#reading) return;
    this.#reading = reading;
    if (reading) this.#transport.resume();
    else this.#transport.pause();
  }

  /** RFC 3207: the 220 is out; what comes now is the handshake. */
  #secure(): void {
    const { secure } = this.#transport;
    if (secure === undefined || this.#leaving) return;
    this.#leaving = true;
    secure.call(this.#transport).then(
      (tls) => {
        this.#leaving = this.#session.phase === 'closed';
        if (this.#leaving) return this.#transport.abort();
        this.#session.tick(performance.now());
        this.#session.secured(tls);
        this.#reading = true;
        this.#pump();
      },
      () => {
        this.#session.lost();
        this.#pump();
        this.#transport.abort();
        this.#gone();
      },
    );
  }

  /** One timer, which is moved only when it would fire too late: deadlines mostly move away. */
  #schedule(): void {
    const { deadline } = this.#session;
    if (deadline >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = deadline;
    const wait = Math.min(Math.max(0, Math.ceil(deadline - performance.now())), LONGEST_TIMEOUT);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#session.tick(performance.now());
      this.#pump();
      if (this.#session.phase !== 'closed') return this.#schedule();
      if (!this.#leaving || this.#over) return;
      // A TLS handshake that did not end in time.
      this.#transport.abort();
      this.#gone();
    }, wait);
  }

  #gone(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort();
    this.#closed();
  }

  #notice(notice: Exclude<Notice, { readonly type: 'chunk' }>): void {
    if (notice.type === 'aborted') this.#aborted(notice.cause);
    try {
      this.#handler.notice?.(notice, this);
    } catch (error) {
      this.#failed(error, 'connect');
    }
  }

  #aborted(cause: AbortCause): void {
    this.#reception?.body.abort(cause);
    this.#reception = null;
  }

  #ask(question: Exclude<Question, MessageQuestion>): void {
    this.#decide(
      question.type,
      () => (this.#handler[question.type] as (question: Question, session: Session) => unknown).call(this.#handler, question, this),
      (decision) => this.#answer(question, decision),
    );
  }

  /** Calls the handler; what it returns or throws is turned into a decision, now or later. */
  #decide(type: Question['type'], call: () => unknown, decided: (decision: unknown) => void): void {
    const failed = (error: unknown): void => {
      if (isRejection(error)) return decided(error);
      if (!(error instanceof BodyAbortedError)) this.#failed(error, type);
      decided(FAILED);
    };
    try {
      const result = call();
      if (isPromise(result)) {
        result.then(
          (decision) => {
            decided(decision);
            this.#pump();
          },
          (error) => {
            failed(error);
            this.#pump();
          },
        );
      } else decided(result);
    } catch (error) {
      failed(error);
    }
  }

  #answer(question: Exclude<Question, MessageQuestion>, decision: unknown): boolean {
    const session = this.#session;
    session.tick(performance.now());
    try {
      if (isRejection(decision)) return session.reject(question, decision);
      if (question.type === 'auth') {
        if (typeof decision === 'object' && decision !== null) {
          if ('challenge' in decision) return session.challenge(question, (decision as Challenge).challenge);
          if ('identity' in decision) return session.accept(question, decision as AuthAnswer);
        }
      } else if (question.type === 'info') {
        if (typeof decision === 'object' && decision !== null) return session.accept(question, decision as InfoAnswer);
      } else if (decision === true) return session.accept(question);
      else if (typeof decision === 'object' && decision !== null) return session.accept(question, decision as Answer);
      this.#failed(new TypeError(`the handler of '${question.type}' decided nothing: return true, an answer or reject(…)`), question.type);
    } catch (error) {
      this.#failed(error, question.type);
    }
    return session.reject(question, FAILED);
  }

  /** The reception of the message whose octets arrive; the handler is called at the first of them. */
  #receiving(): Reception {
    // One that is whole already was not answered in time: its handler is still busy, and the client was told 451.
    if (this.#reception !== null && this.#reception.question === null) return this.#reception;
    const reception = new Reception(this.#session.envelope!, () => this.#pump());
    this.#reception = reception;
    this.#decide(
      'message',
      () => (this.#handler.message === undefined ? drop(reception.body) : this.#handler.message(reception, this)),
      (decision) => this.#decided(reception, decision),
    );
    return reception;
  }

  /** The handler has decided, perhaps before the message is here. */
  #decided(reception: Reception, decision: unknown): void {
    if (isRejection(decision)) reception.decision = decision;
    else if (reception.body.consumed) reception.decision = typeof decision === 'object' && decision !== null ? (decision as Answer) : {};
    else {
      if (this.#reception === reception)
        this.#failed(new Error('the message was accepted, but its body was not read to the end'), 'message');
      reception.decision = FAILED;
    }
    if (this.#reception === reception) {
      this.#session.tick(performance.now());
      if (reception.question !== null) this.#conclude(reception, reception.question);
      else if (isRejection(reception.decision)) this.#discard(reception.decision);
    } else if (!isRejection(reception.decision)) this.#handler.unacknowledged?.(reception, this);
  }

  /** A refusal before the end: the rest is drained by the engine. */
  #discard(rejection: Rejection): void {
    try {
      this.#session.discard(rejection);
    } catch (error) {
      this.#failed(error, 'message');
      this.#session.discard(FAILED);
    }
  }

  #arrived(question: MessageQuestion): void {
    const reception = this.#receiving();
    reception.question = question;
    reception.body.end();
    if (reception.decision !== undefined) this.#conclude(reception, question);
  }

  #conclude(reception: Reception, question: MessageQuestion): void {
    this.#reception = null;
    const decision = reception.decision ?? FAILED;
    try {
      if (isRejection(decision)) this.#session.reject(question, decision);
      // RFC 1047: the client is gone or has been told 451, and will send the message again.
      else if (!this.#session.accept(question, decision)) this.#handler.unacknowledged?.(reception, this);
    } catch (error) {
      this.#failed(error, 'message');
      this.#session.reject(question, FAILED);
    }
  }

  #failed(error: unknown, type: Question['type']): void {
    this.#handler.error?.(error, type, this);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Without a `message` method a body is read and dropped: a sink. */
async function drop(body: Body): Promise<void> {
  for await (const _ of body);
}
