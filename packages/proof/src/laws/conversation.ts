import type { Answer, AuthQuestion, Question, Rejection, ServerOptions, ServerSession, TlsInfo } from '@ehlo/engine';
import { latin1, octets } from '@ehlo/grammar';
import { isQuestion } from '../question.ts';
import { plain, Recorder, type SessionClass } from './record.ts';

/** How the application answers one question. */
export interface Plan {
  /** `never`: time runs out; `lost`: the connection breaks before the answer. */
  readonly answer: 'accept' | 'reject' | 'never' | 'lost';
  readonly rejection: Rejection;
  /** The text of the reply if accepted. */
  readonly text: string;
  /** AUTH: steps that are answered by a challenge before the answer. */
  readonly challenges: number;
  /** DATA and BDAT: the message is discarded when so many octets of it have been seen, with 0 at once; null: never. */
  readonly discard: number | null;
  /** The part of the answer's time limit that passes before the answer: less than 1. */
  readonly delay: number;
  /** Milliseconds for which the reply is held back: 0 or one of `HOLDS`. */
  readonly hold: number;
  /** Pieces of input that arrive before the answer. */
  readonly eager: number;
  /** Answer a second time, which must do nothing. */
  readonly twice: boolean;
}

/** For how long replies are held back in these conversations: no other timer of a session is ever just as long. */
export const HOLDS: readonly number[] = [7, 77, 777];

/** What arrives: octets, or something that happens at this place between them. */
export type Piece = Uint8Array | { readonly tick: number } | { readonly shutdown: Rejection | null };

/** How a script ends. */
export type End = 'end' | 'lost' | 'timeout' | 'idle';

export interface Script {
  /** What arrives before the server speaks. */
  readonly early: readonly Piece[];
  /** What arrives then; a segment that ends with an accepted STARTTLS is followed by the TLS handshake. */
  readonly segments: readonly (readonly Piece[])[];
  readonly end: End;
}

/** What a log holds of a conversation: whatever the chunks were, it is the same. */
export type Line = Record<string, unknown> & { readonly type: string };

export const TLS: TlsInfo = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', servername: 'mx.example.org' };

/** An in-memory driver: feeds a session, answers its questions by plan, and keeps a log. It throws where the session breaks its contract. */
export class Conversation {
  readonly recorder: Recorder;
  readonly log: Line[] = [];
  /** All that was taken from `nextOutput`. */
  output = '';
  /** The largest single output. */
  largest = 0;
  /** Octets of the AUTH responses, which no log may hold. */
  readonly responses: string[] = [];
  /** Where log and output stood when TLS began, and the number of segments before. */
  secured: { readonly log: number; readonly output: number; readonly segments: number } | null = null;
  now = 0;
  /** The question that waits for its answer. */
  open: Question | null = null;
  asked: Question[] = [];
  /** Called after each event and at each wait. */
  onStep: (conversation: Conversation) => void = () => {};
  /** Called with each chunk once it has been given. */
  onGiven: (bytes: Uint8Array) => void = () => {};
  onAsked: (question: Question) => void = () => {};
  onAnswered: (question: Question, plan: Plan, conversation: Conversation) => void = () => {};

  /** How questions are answered. */
  plans: (question: Question, number: number) => Plan;
  /** The message that is to be discarded: after how many more octets of it, and how. */
  #unwanted: { left: number; readonly rejection: Rejection } | null = null;
  readonly #isSubmission: boolean;
  #pieces: Piece[] = [];
  #segments = 0;
  #closed = false;

  constructor(Session: SessionClass, options: ServerOptions, plan: (question: Question, number: number) => Plan) {
    this.recorder = new Recorder(new Session(options));
    this.#isSubmission = options.preset === 'submission';
    this.plans = plan;
  }

  /** Carries out a whole script. */
  run({ early, segments, end }: Script): this {
    for (const piece of early) this.give(piece);
    this.pump();
    const { session } = this.recorder;
    // The greeting may be held back for a while.
    if (session.phase === 'wait') this.tick(session.deadline - this.now);
    this.pump();
    for (const segment of segments) this.segment(segment);
    if (end === 'end') this.recorder.receiveEnd();
    if (end === 'lost') this.recorder.lost();
    if (end === 'timeout' && Number.isFinite(this.recorder.session.deadline)) this.tick(this.recorder.session.deadline - this.now);
    this.pump();
    return this;
  }

  /** Gives the pieces one by one, and does the TLS handshake if that is what the session waits for in the end. */
  segment(pieces: readonly Piece[]): void {
    this.#pieces = [...pieces];
    this.#segments++;
    for (;;) {
      this.pump();
      const piece = this.#pieces.shift();
      if (piece === undefined) break;
      this.give(piece);
    }
    if (this.recorder.session.wants === 'tls') {
      this.recorder.secured(TLS);
      this.log.push({ type: 'secured' });
      this.secured = { log: this.log.length, output: this.output.length, segments: this.#segments };
    }
    this.pump();
  }

  give(piece: Piece): void {
    if (piece instanceof Uint8Array) {
      this.recorder.receive(piece);
      this.onGiven(piece);
    } else if ('tick' in piece) {
      const { session } = this.recorder;
      this.log.push({ type: 'time', left: session.deadline - this.now, phase: session.phase });
      this.tick(piece.tick);
    } else this.recorder.shutdown(piece.shutdown ?? undefined);
  }

  tick(milliseconds: number): void {
    this.now += milliseconds;
    this.recorder.tick(this.now);
  }

  /** Takes events and output and answers until the session waits for the peer. */
  pump(): void {
    for (;;) {
      for (;;) {
        const event = this.recorder.nextEvent();
        if (event === null) break;
        if (this.#closed) throw new Error(`${event.type} after closed`);
        if (isQuestion(event)) {
          if (this.open !== null) throw new Error(`${event.type} while ${this.open.type} is open`);
          this.#ask(event);
        } else {
          if (this.open !== null) throw new Error(`${event.type} while ${this.open.type} is open`);
          if (event.type === 'chunk') this.#look(event.bytes);
          else this.#tell(plain(event) as Line);
        }
        this.onStep(this);
      }
      const flushed = this.flush();
      this.onStep(this);
      if (this.open !== null) this.#answer(this.open);
      else if (HOLDS.includes(this.recorder.session.deadline - this.now)) this.#outwait();
      else if (!flushed) return;
    }
  }

  /** Writes what there is; false if there is nothing. */
  flush(): boolean {
    const bytes = this.recorder.nextOutput();
    if (bytes === null) return false;
    this.largest = Math.max(this.largest, bytes.length);
    this.output += latin1(bytes, 0, bytes.length);
    this.recorder.written(bytes.length);
    return true;
  }

  /** Goes on with a session that was restored from a snapshot: it asks the open question again. */
  resume(session: ServerSession, now: number, asked: unknown = plain(this.open)): void {
    this.recorder.session = session;
    this.now = now;
    if (this.open === null) return;
    const again = this.recorder.nextEvent();
    if (again === null || JSON.stringify(plain(again)) !== JSON.stringify(asked)) throw new Error(`asked again: ${again?.type}`);
    this.open = again as Question;
  }

  /** Facts that a refused command must not change. */
  facts(): string {
    const { hello, identity, envelope, peer, forwarded } = this.recorder.session;
    return JSON.stringify({ hello, identity, envelope, peer, forwarded });
  }

  /** A reply is held back: until its time nothing is said, and what arrives is not read. */
  #outwait(): void {
    const { session } = this.recorder;
    const { deadline } = session;
    if (this.#pieces[0] instanceof Uint8Array && session.reads) this.give(this.#pieces.shift()!);
    this.tick(deadline - this.now - 1);
    const event = this.recorder.nextEvent();
    if (event !== null || this.recorder.nextOutput() !== null) throw new Error(`${event?.type ?? 'output'} while a reply is held back`);
    this.tick(1);
    const written = this.output.length;
    this.flush();
    if (this.output.length === written) throw new Error('a reply that was held back did not come at its time');
  }

  /** What of a message is looked at, and logged, ends where it is discarded, wherever it was cut. */
  #look(bytes: Uint8Array): void {
    const unwanted = this.#unwanted;
    const seen = unwanted === null ? bytes : bytes.subarray(0, unwanted.left);
    this.#tell({ type: 'chunk', octets: latin1(seen, 0, seen.length) });
    if (unwanted === null) return;
    if (unwanted.left === 0) throw new Error('content of a message that was discarded');
    unwanted.left -= seen.length;
    if (unwanted.left === 0 && !this.recorder.discard(unwanted.rejection)) throw new Error('a message can not be discarded at its content');
  }

  #tell(line: Line): void {
    if (line.type === 'closed') this.#closed = true;
    const last = this.log.at(-1);
    if (line.type === 'chunk' && last?.type === 'chunk')
      this.log[this.log.length - 1] = { ...last, octets: `${last.octets}${line.octets}` };
    else this.log.push(line);
  }

  #ask(question: Question): void {
    this.open = question;
    this.asked.push(question);
    this.flush();
    const { phase, tls, protocol } = this.recorder.session;
    // All replies to what came before are out: nothing is held back for an answer (RFC 2920 3.2).
    this.#tell({ ...(plain(question) as Line), written: this.output.length, phase, tls, protocol, facts: this.facts() });
    this.onAsked(question);
    if (question.type === 'auth') this.responses.push(question.response === null ? '-' : `=${text(question.response.expose())}`);
  }

  #answer(question: Question): void {
    const plan = this.plans(question, this.asked.length - 1);
    this.#wait(question, plan);
    this.open = null;
    const given = this.#carryOut(question, plan);
    if (given !== (plan.answer === 'accept' || plan.answer === 'reject')) throw new Error(`the answer to ${question.type} gave ${given}`);
    if (given && plan.hold > 0 && this.#speaksAtOnce(question, plan)) this.#expectHold(question);
    if (plan.twice && (this.#accept(question, plan) || this.recorder.reject(question, this.#refusal(question, plan)))) {
      throw new Error(`${question.type} took a second answer`);
    }
    this.onAnswered(question, plan, this);
  }

  /** Whether a reply follows the answer, and the session goes on. */
  #speaksAtOnce(question: Question, { answer, challenges }: Plan): boolean {
    if (this.recorder.session.phase === 'closed') return false;
    if (question.type === 'data') return question.verb === 'DATA';
    if (answer === 'reject') return true;
    return question.type === 'auth' ? question.step >= challenges : question.type !== 'starttls' && question.type !== 'xclient';
  }

  #expectHold({ type }: Question): void {
    const left = this.recorder.session.deadline - this.now;
    if (!HOLDS.includes(left)) throw new Error(`the reply to ${type} is not held back: ${left}`);
  }

  /** Time passes and input arrives while the question is open; neither may be noticed. */
  #wait(question: Question, { delay, eager }: Plan): void {
    const limit = this.recorder.session.deadline - this.now;
    for (let i = 0; i < eager; i++) {
      if (delay > 0) this.tick(Math.floor((limit * delay) / (eager + 1)));
      // What comes before the first greeting is early talk, a fact of its own: it stays where the script has it.
      if ((question.type !== 'connect' || this.asked.length > 1) && this.#pieces[0] instanceof Uint8Array && this.recorder.session.reads)
        this.give(this.#pieces.shift()!);
      if (this.recorder.nextEvent() !== null) throw new Error(`an event while ${question.type} is open`);
    }
    if (delay > 0) this.tick(Math.floor((limit * delay) / (eager + 1)));
  }

  #carryOut(question: Question, plan: Plan): boolean {
    if (plan.answer === 'never') this.tick(this.recorder.session.deadline - this.now);
    if (plan.answer === 'lost') this.recorder.lost();
    if (plan.answer === 'reject') return this.recorder.reject(question, this.#refusal(question, plan));
    if (question.type === 'auth' && question.step < plan.challenges) {
      return this.recorder.challenge(question, octets(`challenge ${question.step}`));
    }
    const given = this.#accept(question, plan);
    if (question.type === 'data') {
      this.#unwanted = plan.discard === null || !given ? null : { left: plan.discard, rejection: this.#refusal(question, plan) };
      if (this.#unwanted?.left === 0) this.recorder.discard(this.#unwanted.rejection);
    }
    return given;
  }

  #refusal({ type }: Question, { rejection: { code, ...said }, hold }: Plan): Rejection {
    // RFC 5321 4.3.2, RFC 7504 3: a connection is refused by 421, 521 or 554 only; RFC 6409 7: 521 is none of a submission server's.
    const isWrong = (type === 'connect' && ![421, 521, 554].includes(code)) || (code === 521 && this.#isSubmission);
    const given = isWrong ? { code: 554, text: said.text } : { code, ...said };
    return hold > 0 ? { ...given, delay: hold } : given;
  }

  #accept(question: Question, { text, hold }: Plan): boolean {
    const said: Answer = text === '' && question.type !== 'info' ? {} : { text };
    const answer: Answer & { identity?: string } = hold > 0 ? { ...said, delay: hold } : said;
    return this.recorder.accept(question, question.type === 'auth' ? { ...answer, identity: identityOf(question) } : answer);
  }
}

/** Who AUTH makes of the client. */
function identityOf({ mechanism, step }: AuthQuestion): string {
  return `${mechanism.toLowerCase()}-${step}`;
}

function text(bytes: Uint8Array): string {
  return latin1(bytes, 0, bytes.length);
}
