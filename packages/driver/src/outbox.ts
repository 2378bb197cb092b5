import type { ClientCause, ClientClosedEvent, ClientEvent, ClientSession, CommandOptions, Outcome, Stage } from '@ehlo/engine';
import type { Reply } from '@ehlo/grammar';
import { ClientError } from './client-error.ts';
import { Delivery, type SendNotice } from './delivery.ts';

/** An AUTH exchange between messages; `begin` is told what to call when it is over. */
export interface Login {
  begin(over: () => void): void;
  readonly reject: (error: unknown) => void;
}

/** A question outside of a transaction. */
export interface Question {
  readonly verb: string;
  readonly argument: string;
  readonly options: CommandOptions;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

/** The work of an open session: messages and commands, one after the other. */
export class Outbox {
  readonly #session: ClientSession;
  readonly #act: (call: () => void) => void;
  readonly #waiting: (Delivery | Question | Login)[] = [];
  /** The transactions that are not settled. */
  readonly #begun: Map<number, Delivery> = new Map();
  /** Deliveries that are over: their promises are resolved when every event was handled. */
  #over: Delivery[] = [];
  #writing: Delivery | null = null;
  #asked: Question | Login | null = null;
  /** A transaction was begun: it may be half open, and AUTH has no place in one (RFC 4954 4). */
  #used = false;

  /** `act` does something to the session, and what follows from it. */
  constructor(session: ClientSession, act: (call: () => void) => void) {
    this.#session = session;
    this.#act = act;
  }

  /** Messages and questions that are not over. */
  get pending(): number {
    return this.#waiting.length + this.#begun.size + (this.#asked === null ? 0 : 1);
  }

  add(one: Delivery | Question | Login): void {
    this.#waiting.push(one);
  }

  take(event: Extract<ClientEvent, { readonly type: 'reply' }> | SendNotice): void {
    if (event.type === 'reply') {
      // The NOOP that is said before a login was not asked for by the program.
      if (this.#asked === null || 'begin' in this.#asked) return;
      this.#asked.resolve(event.reply);
      this.#asked = null;
      return;
    }
    const delivery = this.#begun.get(event.transaction)!;
    delivery.take(event);
    if (event.type === 'ready') {
      this.#writing = delivery;
      // Null where the server has gone on meanwhile.
      const paths = delivery.source.isTailored ? this.#session.paths : null;
      if (paths !== null) delivery.source.begin(paths);
    } else if (event.type === 'settled') {
      this.#begun.delete(event.transaction);
      if (this.#writing === delivery) this.#writing = null;
      if (delivery.again()) this.#waiting.unshift(delivery);
      else this.#over.push(delivery);
    }
  }

  /** Begins and writes what can be now; true if something may have come of it. */
  advance(): boolean {
    return this.#begin() || this.#write();
  }

  /** Keeps the promises of those that are over. `error` is why the session is over, if it is. */
  keep(error: ClientError | null): void {
    if (this.#over.length === 0) return;
    for (const delivery of this.#over.splice(0)) delivery.settle(unsent('aborted'), error);
  }

  /** The session is over: all waiting calls are told. */
  end(closed: ClientClosedEvent, error: ClientError | null): void {
    const { stage, cause, reply } = closed;
    const outcome: Outcome = { status: 'unsent', stage: BEFORE_MAIL.has(stage) ? (stage as Stage) : 'mail', cause, reply };
    const unanswered = this.#asked === null ? [] : [this.#asked];
    this.#asked = null;
    for (const waiting of [...unanswered, ...this.#waiting.splice(0)]) {
      if (waiting instanceof Delivery) waiting.settle(outcome, error);
      else waiting.reject(error ?? new ClientError('aborted', 'the session was ended'));
    }
  }

  /** Gives up a message, wherever it is. */
  abandon(delivery: Delivery, error: unknown): void {
    if (delivery.settled) return;
    delivery.abandon(error);
    const place = this.#waiting.indexOf(delivery);
    if (place < 0) return this.#abort(delivery);
    this.#waiting.splice(place, 1);
    delivery.settle(unsent('aborted'));
  }

  /** Gives up every message that has been begun. */
  abort(): void {
    for (const id of [...this.#begun.keys()]) this.#session.abort(id);
  }

  #abort(delivery: Delivery): void {
    for (const [id, begun] of [...this.#begun]) if (begun === delivery) this.#session.abort(id);
  }

  #begin(): boolean {
    const session = this.#session;
    const next = this.#waiting[0];
    if (next === undefined || this.#asked !== null) return false;
    if (next instanceof Delivery) return this.#beginDelivery(next);
    if (session.phase !== 'ready') return false;
    if ('begin' in next && this.#used) {
      this.#used = false;
      // The session says RSET before it, where one is half open.
      session.command('NOOP');
      return true;
    }
    this.#waiting.shift();
    if ('begin' in next) {
      this.#asked = next;
      next.begin(() => {
        this.#asked = null;
      });
      return true;
    }
    try {
      session.command(next.verb, next.argument, next.options);
      this.#asked = next;
    } catch (error) {
      next.reject(error);
    }
    return true;
  }

  #beginDelivery(delivery: Delivery): boolean {
    const session = this.#session;
    // RFC 9422 3: where nothing is under way and nothing can be begun, the server takes no more messages in this session.
    if (session.phase === 'ready' && !session.canSend) {
      this.#waiting.shift();
      delivery.settle(unsent('limits'));
      return true;
    }
    const ready = (failure: { readonly error: unknown } | null): void =>
      this.#act(() => {
        if (failure !== null) this.abandon(delivery, failure.error);
      });
    if (!delivery.open(session.capabilities!, ready)) return false;
    if (!session.canSend) return false;
    this.#waiting.shift();
    try {
      this.#used = true;
      this.#begun.set(session.send(delivery.envelope, delivery.source.facts!), delivery);
    } catch (error) {
      delivery.fail(error);
    }
    return true;
  }

  /** Writes the message as far as the session takes it and its source has it. */
  #write(): boolean {
    const session = this.#session;
    const delivery = this.#writing;
    if (delivery === null || !session.canWrite) return false;
    const { source } = delivery;
    let bytes: Uint8Array | null | undefined;
    try {
      bytes = source.take(() => this.#act(() => {}));
    } catch (error) {
      this.#writing = null;
      this.abandon(delivery, error);
      return true;
    }
    if (bytes === undefined) return false;
    if (bytes !== null) {
      session.write(bytes);
      delivery.wrote(bytes.length);
    }
    if (bytes === null || source.ended) {
      session.end();
      this.#writing = null;
    }
    return true;
  }
}

/** Stages of a session that is not open yet. */
const BEFORE_MAIL: ReadonlySet<string> = new Set(['connect', 'hello', 'tls', 'auth'] satisfies Stage[]);

function unsent(cause: Extract<ClientCause, 'aborted' | 'limits'>): Outcome {
  return { status: 'unsent', stage: 'mail', cause, reply: null };
}
