import type { AbortCause, Envelope, MessageQuestion, Notice, Question, ServerEvent, ServerSession, TlsInfo } from '@ehlo/engine';
import { type Asked, AskedQuestion, type Asker } from './asked-question.ts';
import { type Body, isAborted } from './body.ts';
import { decide } from './decide.ts';
import { type Acceptance, type Challenge, isChallenge, isRefusal, type Refusal, reject, YES } from './decision.ts';
import type { CallbackName, Handler, Session } from './handler.ts';
import type { Host } from './host.ts';
import { notify } from './notify.ts';
import { type Receiver, Reception, type Verdict } from './reception.ts';

/** A temporary failure of the server. A connection can't be refused by 451 (RFC 5321 4.3.2), and AUTH has a code of its own (RFC 4954 6). */
export function failureOf(type: Question['type']): Refusal {
  if (type === 'auth') return reject(454, '4.7.0', 'Temporary authentication failure');
  return reject(type === 'connect' ? 421 : 451, '4.3.0', 'Requested action aborted: local error in processing');
}

/** The view of a session that the handler is given, and what lets the session go on. */
export interface View extends Session {
  goOn(): void;
  /** Calls the session after it was told the time, then handles the results. */
  act(call: () => void): void;
}

/** Couples a session to its handler: events go to the handler's methods, and what they return or throw becomes the answer. */
export class Application implements Asker, Receiver {
  readonly #session: ServerSession;
  readonly #view: View;
  readonly #host: Host;
  readonly #auth: Handler['auth'];
  #reception: Reception | null = null;
  /** Messages that were accepted, and of which the client may not know yet. */
  #accepted: readonly Reception[] = NONE;

  /** The view is told to go on when something was answered later, or when there is room again. AUTH is the authenticator's, where there is one. */
  constructor(session: ServerSession, view: View, host: Host) {
    this.#session = session;
    this.#view = view;
    this.#host = host;
    this.#auth = host.authenticator?.exchange(view);
  }

  /** Forgets the messages of which the client knows. A weak map would do that by itself, and hold them all until a full collection. */
  forget(): void {
    if (this.#accepted.length === 0 || this.#session.phase === 'closed') return;
    const { unacknowledged } = this.#session;
    if (this.#accepted.length > unacknowledged) this.#accepted = unacknowledged === 0 ? NONE : this.#accepted.slice(-unacknowledged);
  }

  /** Whether there is room for more of the message that arrives. If it is complete or decided on already, nothing more is kept for its reader. */
  get hasRoom(): boolean {
    const reception = this.#reception;
    return reception === null || reception.question !== null || reception.decision !== undefined || reception.body.hasRoom;
  }

  secured(tls: TlsInfo): void {
    this.#tell('secured', () => this.#host.handler.secured?.(tls, this.#view));
  }

  insecure(error: unknown): void {
    this.#tell('tlsFailed', () => this.#host.handler.tlsFailed?.(error, this.#view.peer, this.#view));
  }

  take(event: ServerEvent): void {
    switch (event.type) {
      case 'chunk':
        return this.#content(event.bytes);
      case 'message':
        return this.#arrived(event);
      case 'aborted':
      case 'reset':
      case 'fault':
      case 'trace':
      case 'unacknowledged':
      case 'closed':
        return this.#notice(event);
      default:
        decide(new AskedQuestion(event, this));
    }
  }

  #notice(notice: Exclude<Notice, { readonly type: 'chunk' }>): void {
    if (notice.type === 'aborted') this.#aborted(notice.cause);
    if (notice.type === 'closed') this.#gone();
    if (notice.type === 'unacknowledged') {
      const { envelope, recipient } = notice;
      const reception = this.#accepted.find((one) => one.envelope === envelope);
      if (reception !== undefined) this.#unacknowledged(reception, recipient === null ? 0 : envelope.recipients.indexOf(recipient));
    }
    this.#tell('notice', () => this.#host.handler.notice?.(notice, this.#view));
  }

  /** The client has left: recipients whose decision it did not receive (LMTP) are not acknowledged. */
  #gone(): void {
    const reception = this.#reception;
    if (reception?.question == null || reception.decision === undefined) return;
    this.#reception = null;
    this.#missed(reception, reception.asked, reception.envelope.recipients.length);
  }

  /** A complete message still waits for its handler; only an incomplete one is aborted. */
  #aborted(cause: AbortCause): void {
    const reception = this.#reception;
    if (!this.#isArriving) return;
    this.#reception = null;
    reception!.body.abort(cause);
  }

  /** Asks the handler, for an `AskedQuestion`. */
  call(question: Asked): unknown {
    const { handler } = this.#host;
    const { type } = question;
    const method = type === 'auth' && this.#auth !== undefined ? this.#auth : handler[type];
    return (method as (question: Question, session: Session) => unknown).call(handler, question, this.#view);
  }

  /** The refusal for something that the handler threw. */
  refusalFor(error: unknown, type: Question['type']): Refusal {
    if (isRefusal(error)) return error;
    this.#failed(error, type);
    return failureOf(type);
  }

  /** Gives the decision, if its question is still open. A synchronous answer counts at the command's time; blocking code also uses the client's time. */
  answer(question: Asked, decision: Acceptance | Refusal | Challenge): void {
    this.#carryOut(question, decision);
  }

  later(call: () => void): void {
    this.#view.act(call);
  }

  goOn(): void {
    this.#view.goOn();
  }

  /** Answers the question; false if it is no longer open. An answer that the engine rejects throws and leaves it open; then a failure is answered. */
  #carryOut(question: Question, decision: Acceptance | Refusal | Challenge): boolean {
    const session = this.#session;
    try {
      // `true` is the session's own default answer.
      if (decision === YES) return session.accept(question, undefined as never);
      if (isRefusal(decision)) return session.reject(question, decision);
      if (isChallenge(decision)) return question.type === 'auth' && session.challenge(question, decision.challenge);
      return session.accept(question, decision as never);
    } catch (error) {
      this.#failed(error, question.type);
      if (!this.#session.reject(question, failureOf(question.type))) this.#giveUp();
      return true;
    }
  }

  /** A command gets no reply, so the client would take the next reply for it. So nothing more is sent, except 421 where it can be. */
  #giveUp(): void {
    const session = this.#session;
    session.shutdown(failureOf('connect'));
    // In these states the 421 would wait for an end that may never come.
    if (session.envelope !== null || session.phase === 'auth') session.lost();
  }

  /** Content for the reader. The answer is handled after the reader has the content. */
  #content(bytes: Uint8Array): void {
    this.#receiving(this.#session.envelope!).body.push(bytes);
  }

  /** Whether a message is being received. A complete one that is still here was not answered in time: the client was told 451. */
  get #isArriving(): boolean {
    return this.#reception !== null && this.#reception.question === null;
  }

  /** The reception of the message whose octets arrive; the handler is called at the first of them. */
  #receiving(envelope: Envelope): Reception {
    if (this.#isArriving) return this.#reception!;
    const reception = new Reception(envelope, this);
    this.#reception = reception;
    decide(reception);
    return reception;
  }

  /** Gives a message to the handler. */
  receive(reception: Reception): unknown {
    const { handler } = this.#host;
    return handler.message === undefined ? drop(reception.body) : handler.message(reception, this.#view);
  }

  get hasRecipients(): boolean {
    return this.#session.hello?.verb === 'LHLO';
  }

  /** The handler has decided, perhaps before the message is here. */
  received(reception: Reception, decision: Verdict | readonly Verdict[]): void {
    reception.decision = decision;
    const { question, asked, body } = reception;
    // RFC 1047: the recipients asked about before the decision were answered 451; the client sends the message to them again.
    if (this.#reception !== reception) return this.#missed(reception, 0, asked);
    this.#missed(reception, 0, asked - 1);
    if (question !== null) this.#conclude(reception, question);
    else if (isRefusal(decision)) this.#discard(decision);
    else if (!body.consumed) body.drop();
  }

  /** A refusal before the end: the rest is drained by the engine. */
  #discard(refusal: Refusal): void {
    try {
      this.#session.discard(refusal);
    } catch (error) {
      this.#failed(error, 'message');
      this.#session.discard(failureOf('message'));
    }
  }

  /** The whole message has arrived; in LMTP this is called for each recipient. */
  #arrived(question: MessageQuestion): void {
    const again = question.recipient !== null && this.#reception?.envelope === question.envelope;
    const reception = again ? this.#reception! : this.#receiving(question.envelope);
    reception.question = question;
    reception.asked++;
    reception.body.end();
    if (reception.decision !== undefined) this.#conclude(reception, question);
  }

  #conclude(reception: Reception, question: MessageQuestion): void {
    const decision = reception.next ?? failureOf('message');
    const last = question.recipient === null || reception.asked >= question.envelope.recipients.length;
    if (last) this.#reception = null;
    const { asked, envelope } = reception;
    const before = this.#session.unacknowledged;
    // The client is gone, or got a 451.
    if (!this.#carryOut(question, decision)) this.#missed(reception, asked - 1, envelope.recipients.length);
    else if (this.#session.unacknowledged > before && this.#accepted.at(-1) !== reception) this.#accepted = [...this.#accepted, reception];
  }

  #failed(error: unknown, method: CallbackName): void {
    // An error that the body threw into its reader is not a failure of the reader.
    if (!isAborted(error)) this.#host.failures.tell(error, method, this.#view);
  }

  /** Calls a method of the handler whose result is not used. */
  #tell(method: CallbackName, call: () => unknown): void {
    notify(call, (error) => this.#failed(error, method));
  }

  /** The decisions for the recipients `[from, to)` can no longer be sent to the client. */
  #missed(reception: Reception, from: number, to: number): void {
    const first = reception.firstAccepted(from, to);
    if (first >= 0) this.#unacknowledged(reception, first);
  }

  /** RFC 1047: the client does not know that the message was accepted, of those recipients that follow the first `told`, and will send it again. */
  #unacknowledged(reception: Reception, told: number): void {
    if (reception.missed) return;
    reception.missed = true;
    reception.told = told;
    this.#tell('unacknowledged', () => this.#host.handler.unacknowledged?.(reception, this.#view));
  }
}

const NONE: readonly Reception[] = [];

/** Without a `message` method a body is read and dropped: a sink. */
async function drop(body: Body): Promise<true> {
  for await (const _ of body);
  return true;
}
