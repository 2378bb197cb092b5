import type {
  AbortCause,
  Answer,
  AuthAnswer,
  Envelope,
  InfoAnswer,
  MessageQuestion,
  Notice,
  Question,
  Rejection,
  ServerEvent,
  ServerSession,
} from '@ehlo/engine';
import { aside } from './aside.ts';
import type { Authenticator } from './authentication.ts';
import { type Body, BodyAbortedError } from './body.ts';
import { type Challenge, type Handler, isAnswer, isRejection, type Session } from './handler.ts';
import { Reception } from './reception.ts';

/** The failure is ours, and passing. A connection can't be refused by 451 (RFC 5321 4.3.2), and AUTH has a code of its own (RFC 4954 6). */
function failureOf(type: Question['type']): Rejection {
  if (type === 'auth') return { code: 454, enhanced: '4.7.0', text: 'Temporary authentication failure' };
  return { code: type === 'connect' ? 421 : 451, enhanced: '4.3.0', text: 'Requested action aborted: local error in processing' };
}

/** Couples a session to its handler: events go to the handler's methods, and what they return or throw becomes the answer. */
export class Application {
  readonly #session: ServerSession;
  readonly #handler: Handler;
  readonly #view: Session;
  readonly #pump: () => void;
  readonly #auth: Handler['auth'];
  readonly #unheard: NonNullable<Handler['error']>;
  #reception: Reception | null = null;

  /**
   * `pump` is called when something was answered later, or when there is room again. AUTH is the authenticator's, where there is one.
   * `unheard` is told of failures that the handler has no `error` for.
   */
  constructor(
    session: ServerSession,
    handler: Handler,
    view: Session,
    pump: () => void,
    authenticator: Authenticator | null,
    unheard: NonNullable<Handler['error']>,
  ) {
    this.#session = session;
    this.#handler = handler;
    this.#auth = authenticator?.exchange(view);
    this.#view = view;
    this.#pump = pump;
    this.#unheard = unheard;
  }

  /** Whether the reader of the message that arrives can keep up. */
  get hasRoom(): boolean {
    return this.#reception === null || this.#reception.question !== null || this.#reception.body.hasRoom;
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
      case 'closed':
        return this.#notice(event);
      default:
        this.#ask(event);
    }
  }

  #notice(notice: Exclude<Notice, { readonly type: 'chunk' }>): void {
    if (notice.type === 'aborted') this.#aborted(notice.cause);
    if (notice.type === 'closed') this.#gone();
    aside(() => this.#handler.notice?.(notice, this.#view));
  }

  /** The client has left: if it was told only a part of what was decided (LMTP), the rest of the recipients are not acknowledged. */
  #gone(): void {
    const reception = this.#reception;
    if (reception?.question == null || reception.decision === undefined) return;
    this.#reception = null;
    if (!isRejection(reception.decision)) this.#unacknowledged(reception);
  }

  /** A reception that is whole is of an earlier message, which the handler has not decided on yet: it is not the one that is cut. */
  #aborted(cause: AbortCause): void {
    const reception = this.#reception;
    if (!this.#isArriving) return;
    this.#reception = null;
    reception!.body.abort(cause);
  }

  #ask(question: Exclude<Question, MessageQuestion>): void {
    this.#decide(
      question.type,
      () => {
        const method = question.type === 'auth' && this.#auth !== undefined ? this.#auth : this.#handler[question.type];
        return (method as (question: Question, session: Session) => unknown).call(this.#handler, question, this.#view);
      },
      (decision) => this.#answer(question, decision),
    );
  }

  /** Calls the handler; what it returns or throws is turned into a decision, now or later. */
  #decide(type: Question['type'], call: () => unknown, decided: (decision: unknown) => void): void {
    const failed = (error: unknown): void => {
      if (isRejection(error)) return decided(error);
      if (!(error instanceof BodyAbortedError)) this.#failed(error, type);
      decided(failureOf(type));
    };
    let result: unknown;
    try {
      result = call();
    } catch (error) {
      return failed(error);
    }
    if (!isPromise(result)) return decided(result);
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
  }

  #answer(question: Exclude<Question, MessageQuestion>, decision: unknown): void {
    const session = this.#session;
    session.tick(performance.now());
    this.#carryOut(question, () => {
      if (isRejection(decision)) return session.reject(question, decision);
      if (question.type === 'auth') {
        if (typeof decision === 'object' && decision !== null) {
          if ('challenge' in decision) return session.challenge(question, (decision as Challenge).challenge);
          if ('identity' in decision) return session.accept(question, decision as AuthAnswer);
        }
      } else if (question.type === 'info') {
        if (typeof decision === 'object' && decision !== null) return session.accept(question, decision as InfoAnswer);
      } else if (decision === true) return session.accept(question);
      else if (isAnswer(decision)) return session.accept(question, decision);
      this.#failed(new TypeError(`the handler of '${question.type}' decided nothing: return true, an answer or reject(…)`), question.type);
      return session.reject(question, failureOf(question.type));
    });
  }

  /** Says what was decided; false if nobody asks any more. What can't be said throws and leaves the question open: then it is our failure. */
  #carryOut(question: Question, say: () => boolean): boolean {
    try {
      return say();
    } catch (error) {
      this.#failed(error, question.type);
      if (!this.#session.reject(question, failureOf(question.type))) this.#giveUp();
      return true;
    }
  }

  /** A command is left without its reply, and the client would take the next one for it: nothing more is said, but 421 if it can be. */
  #giveUp(): void {
    const session = this.#session;
    session.shutdown(failureOf('connect'));
    // There a farewell waits for an end that may not come.
    if (session.envelope !== null || session.phase === 'auth') session.lost();
  }

  /** Content for the reader. A message that is over before he could see any of it was refused: he gets to know of no such message. */
  #content(bytes: Uint8Array): void {
    const { envelope } = this.#session;
    if (this.#isArriving || envelope !== null) this.#receiving(envelope!).body.push(bytes);
  }

  /** Whether there is a reception that is not whole. One that is, and is still here, was not answered in time: the client was told 451. */
  get #isArriving(): boolean {
    return this.#reception !== null && this.#reception.question === null;
  }

  /** The reception of the message whose octets arrive; the handler is called at the first of them. */
  #receiving(envelope: Envelope): Reception {
    if (this.#isArriving) return this.#reception!;
    const reception = new Reception(envelope, () => this.#pump());
    this.#reception = reception;
    this.#decide(
      'message',
      () => (this.#handler.message === undefined ? drop(reception.body) : this.#handler.message(reception, this.#view)),
      (decision) => this.#decided(reception, decision),
    );
    return reception;
  }

  /** The handler has decided, perhaps before the message is here. */
  #decided(reception: Reception, decision: unknown): void {
    reception.decision = this.#understood(reception, decision);
    const { question, missed } = reception;
    if (this.#reception !== reception) {
      if (!isRejection(reception.decision)) this.#unacknowledged(reception);
      return;
    }
    this.#session.tick(performance.now());
    if (question !== null) this.#conclude(reception, question);
    else if (isRejection(reception.decision)) this.#discard(reception.decision);
    // RFC 1047: these were told 451 for want of a decision, and are sent the message again.
    if (missed.some((one) => !isRejection(one))) this.#unacknowledged(reception);
  }

  /** What the handler has given, as decisions: a message is never accepted whose body was not read to the end. */
  #understood(reception: Reception, decision: unknown): NonNullable<Reception['decision']> {
    if (isRejection(decision)) return decision;
    const wrong = this.#wrong(decision, reception);
    if (wrong !== null) {
      this.#failed(new TypeError(`the handler of 'message' ${wrong}`), 'message');
      return failureOf('message');
    }
    if (reception.body.consumed) {
      return Array.isArray(decision)
        ? decision.map((one: unknown) => asDecision(one) ?? failureOf('message'))
        : (asDecision(decision) ?? {});
    }
    if (this.#reception === reception) this.#failed(new Error('the message was accepted, but its body was not read to the end'), 'message');
    return failureOf('message');
  }

  /** What is wrong with a decision on a message; null if nothing is. */
  #wrong(decision: unknown, reception: Reception): string | null {
    if (Array.isArray(decision)) return this.#notForEach(decision, reception);
    if (decision === undefined || asDecision(decision) !== undefined) return null;
    return `decided nothing by ${typeof decision}: return nothing, true, an answer or reject(…)`;
  }

  /** What is wrong with decisions that are to be one for each recipient; null if nothing is. */
  #notForEach(decisions: readonly unknown[], { envelope: { recipients } }: Reception): string | null {
    if (this.#session.hello?.verb !== 'LHLO') return 'gave a decision for each recipient, which only LMTP can tell: give one for all';
    return decisions.length === recipients.length ? null : `gave ${decisions.length} decisions for ${recipients.length} recipients`;
  }

  /** A refusal before the end: the rest is drained by the engine. */
  #discard(rejection: Rejection): void {
    try {
      this.#session.discard(rejection);
    } catch (error) {
      this.#failed(error, 'message');
      this.#session.discard(failureOf('message'));
    }
  }

  /** The whole message is here; in LMTP this is said for each recipient. */
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
    const refused = isRejection(decision);
    const session = this.#session;
    const told = this.#carryOut(question, () => (refused ? session.reject(question, decision) : session.accept(question, decision)));
    if (told) reception.tell();
    // RFC 1047: the client is gone or has been told 451, and will send the message again.
    else if (!refused) this.#unacknowledged(reception);
  }

  #failed(error: unknown, type: Question['type']): void {
    aside(() => {
      if (this.#handler.error === undefined) this.#unheard(error, type, this.#view);
      else this.#handler.error(error, type, this.#view);
    });
  }

  #unacknowledged(reception: Reception): void {
    if (reception.lamented) return;
    reception.lamented = true;
    aside(() => this.#handler.unacknowledged?.(reception, this.#view));
  }
}

/** A decision that is one: an answer, a refusal, or `true`. */
function asDecision(decision: unknown): Answer | Rejection | undefined {
  if (decision === true) return {};
  return isRejection(decision) || isAnswer(decision) ? decision : undefined;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Without a `message` method a body is read and dropped: a sink. */
async function drop(body: Body): Promise<void> {
  for await (const _ of body);
}
