import type { AuthWords, ClientEnvelope, ClientEvent, ClientOptions, ClientSession, MessageFacts, Outcome } from '@ehlo/engine';

/** A client session's class: the engine's own, or one that stands in for it. */
export type ClientClass = new (options: ClientOptions) => ClientSession;

/** A message to be sent. */
export interface Job {
  readonly envelope: ClientEnvelope;
  readonly facts?: MessageFacts;
  /** The message, in the pieces in which it is written. */
  readonly pieces: readonly Uint8Array[];
  /** The end is said when the last piece has been handed out, not together with it. */
  readonly apart?: boolean;
  /** Give up instead of writing this piece, or the end. */
  readonly abortAt?: number;
}

/** What a program wants of a session. */
export interface Errand {
  readonly jobs: readonly Job[];
  /** AUTH before the first message: the mechanism, its initial response, and what it answers to each challenge; null cancels. */
  readonly auth?: {
    readonly mechanism: string;
    readonly initial: Uint8Array | null;
    readonly responses: readonly (Uint8Array | null)[];
    /** What of them is no secret, and what is. */
    readonly words?: AuthWords;
  };
}

/** A program that uses a client session as a driver would, without I/O: it authenticates, sends and quits. */
export class Sender {
  readonly session: ClientSession;
  /** All that was told, in order. */
  readonly events: ClientEvent[] = [];
  readonly #errand: Errand;
  #job = 0;
  /** Which job each transaction carries. */
  readonly #carries: Map<number, Job> = new Map();
  #writing: { readonly job: Job; piece: number } | null = null;
  #settled = 0;
  #challenges = 0;
  #asked = false;
  #over = false;

  constructor(session: ClientSession, errand: Errand) {
    this.session = session;
    this.#errand = errand;
  }

  /** Does all that can be done now, and gives the octets to write: of so many outputs at the most, as a transport that is slow takes them. */
  pump(most: number = Number.POSITIVE_INFINITY): Uint8Array[] {
    const { session } = this;
    const written: Uint8Array[] = [];
    for (;;) {
      const event = session.nextEvent();
      if (event !== null) this.#take(event);
      else if (!this.#act()) {
        const bytes = written.length < most ? session.nextOutput() : null;
        if (bytes === null) return written;
        // A copy: what was lent may be used again.
        written.push(bytes.slice());
        session.written(bytes.length);
      }
    }
  }

  /** Recipients of each job with what became of them; a hole where nothing was told. */
  outcomes(): (Outcome | undefined)[][] {
    const told = this.#errand.jobs.map(({ envelope }) => new Array<Outcome | undefined>(envelope.recipients.length).fill(undefined));
    for (const event of this.events) {
      if (event.type === 'outcome') told[this.#errand.jobs.indexOf(this.#carries.get(event.transaction)!)]![event.index] = event;
    }
    return told;
  }

  #take(event: ClientEvent): void {
    this.events.push(event);
    if (event.type === 'ready') this.#writing = { job: this.#carries.get(event.transaction)!, piece: 0 };
    if (event.type === 'settled') this.#settled++;
    if (event.type === 'challenge') {
      const response = this.#errand.auth?.responses[this.#challenges++];
      if (response === null || response === undefined) this.session.cancel();
      else this.session.respond(response);
    }
  }

  /** Does one thing; false if there is none to do. */
  #act(): boolean {
    const { session } = this;
    const { auth, jobs } = this.#errand;
    if (session.phase === 'closed') return false;
    if (session.canWrite && this.#writing !== null) return this.#write(this.#writing);
    if (session.phase === 'ready' && auth !== undefined && !this.#asked) {
      this.#asked = true;
      session.authenticate(auth.mechanism, auth.initial, auth.words);
      return true;
    }
    const refused = auth !== undefined && session.authenticated === null;
    if (session.canSend && this.#job < jobs.length && !refused) {
      const job = jobs[this.#job++]!;
      const id = session.send(job.envelope, job.facts);
      this.#carries.set(id, job);
      return true;
    }
    if (this.#over || session.phase !== 'ready' || (this.#settled < jobs.length && !refused && session.canSend)) return false;
    this.#over = true;
    session.quit();
    return true;
  }

  #write(writing: { readonly job: Job; piece: number }): boolean {
    const { job } = writing;
    const piece = writing.piece++;
    if (piece === job.abortAt) {
      this.session.abort();
      return true;
    }
    if (piece < job.pieces.length) this.session.write(job.pieces[piece]!);
    const last = piece >= job.pieces.length - 1 && job.apart !== true && job.abortAt !== piece + 1;
    if (last || piece >= job.pieces.length) {
      this.#writing = null;
      this.session.end();
    }
    return true;
  }
}
