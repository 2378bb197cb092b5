import type { Answer, AuthQuestion, Question, Rejection, ServerEvent, ServerOptions, ServerSession, Snapshot, TlsInfo } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import { isQuestion } from '../question.ts';

/** A server session's class: the engine's own, or one that stands in for it. */
export interface SessionClass {
  new (options: ServerOptions): ServerSession;
  restore(options: ServerOptions, snapshot: Snapshot, now: number): ServerSession;
}

/** What is done to a session, as plain data: octets are strings of one character each, questions are counted from 0. */
export type Call =
  | { readonly do: 'receive'; readonly octets: string }
  | { readonly do: 'receiveEnd' | 'lost' | 'nextEvent' | 'nextOutput' }
  | { readonly do: 'tick'; readonly now: number }
  | { readonly do: 'written'; readonly count: number }
  | { readonly do: 'accept'; readonly question: number; readonly answer: Answer | null }
  | { readonly do: 'reject'; readonly question: number; readonly rejection: Rejection }
  | { readonly do: 'challenge'; readonly question: number; readonly octets: string }
  | { readonly do: 'discard'; readonly rejection: Rejection }
  | { readonly do: 'secured'; readonly tls: TlsInfo }
  | { readonly do: 'shutdown'; readonly rejection: Rejection | null };

/** A call and what it gave back. */
export type Entry = Call & { readonly gave: unknown };

/** A session that writes down all that is done to it and all that it gives: the log replays exactly (`replay`). */
export class Recorder {
  readonly log: Entry[] = [];
  /** The session itself; a snapshot may put another in its place. */
  session: ServerSession;
  readonly #questions: Question[] = [];

  constructor(session: ServerSession) {
    this.session = session;
  }

  receive(bytes: Uint8Array): void {
    this.#note({ do: 'receive', octets: text(bytes) }, this.session.receive(bytes));
  }

  receiveEnd(): void {
    this.#note({ do: 'receiveEnd' }, this.session.receiveEnd());
  }

  lost(): void {
    this.#note({ do: 'lost' }, this.session.lost());
  }

  tick(now: number): void {
    this.#note({ do: 'tick', now }, this.session.tick(now));
  }

  nextEvent(): ServerEvent | null {
    const event = this.session.nextEvent();
    if (event !== null && isQuestion(event)) this.#questions.push(event);
    this.#note({ do: 'nextEvent' }, plain(event));
    return event;
  }

  nextOutput(): Uint8Array | null {
    const bytes = this.session.nextOutput();
    this.#note({ do: 'nextOutput' }, bytes === null ? null : text(bytes));
    return bytes;
  }

  written(count: number): void {
    this.#note({ do: 'written', count }, this.session.written(count));
  }

  accept(question: Question, answer?: Answer): boolean {
    // The caller gives what the question needs; the class of the answer can not be told from the union.
    const given = this.session.accept(question, answer as never);
    return this.#note({ do: 'accept', question: this.#numberOf(question), answer: answer ?? null }, given);
  }

  reject(question: Question, rejection: Rejection): boolean {
    return this.#note({ do: 'reject', question: this.#numberOf(question), rejection }, this.session.reject(question, rejection));
  }

  challenge(question: AuthQuestion, data: Uint8Array): boolean {
    const call: Call = { do: 'challenge', question: this.#numberOf(question), octets: text(data) };
    return this.#note(call, this.session.challenge(question, data));
  }

  discard(rejection: Rejection): boolean {
    return this.#note({ do: 'discard', rejection }, this.session.discard(rejection));
  }

  secured(tls: TlsInfo): void {
    this.#note({ do: 'secured', tls }, this.session.secured(tls));
  }

  shutdown(rejection?: Rejection): void {
    this.#note({ do: 'shutdown', rejection: rejection ?? null }, this.session.shutdown(rejection));
  }

  /** The question with this number. */
  questionAt(number: number): Question {
    const question = this.#questions[number];
    if (question === undefined) throw new Error(`question ${number} has not been asked`);
    return question;
  }

  #numberOf(question: Question): number {
    return this.#questions.lastIndexOf(question);
  }

  #note<T>(call: Call, gave: T): T {
    this.log.push({ ...call, gave: gave ?? null });
    return gave;
  }
}

/** Does to a fresh session what a log says was done to another; returns the new log, which should be the same. */
export function replay(log: readonly Call[], session: ServerSession): readonly Entry[] {
  const recorder = new Recorder(session);
  for (const call of log) apply(call, recorder);
  return recorder.log;
}

function apply(call: Call, to: Recorder): unknown {
  switch (call.do) {
    case 'receive':
      return to.receive(octets(call.octets));
    case 'tick':
      return to.tick(call.now);
    case 'written':
      return to.written(call.count);
    case 'accept':
      return to.accept(to.questionAt(call.question), call.answer ?? undefined);
    case 'reject':
      return to.reject(to.questionAt(call.question), call.rejection);
    case 'challenge':
      return to.challenge(to.questionAt(call.question) as AuthQuestion, octets(call.octets));
    case 'discard':
      return to.discard(call.rejection);
    case 'secured':
      return to.secured(call.tls);
    case 'shutdown':
      return to.shutdown(call.rejection ?? undefined);
    default:
      return to[call.do]();
  }
}

/** An event as it is now, as plain data: octets are a string, and what is secret stays so. */
export function plain(event: ServerEvent | null): unknown {
  if (event?.type === 'chunk') return { type: 'chunk', octets: text(event.bytes) };
  // A copy: the envelope of a question grows.
  return JSON.parse(JSON.stringify(event));
}

function text(bytes: Uint8Array): string {
  return latin1(bytes, 0, bytes.length);
}
