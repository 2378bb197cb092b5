import { type ClientCause, checkOptions, type Extension, type Outcome, SmtpUsageError, type TableOf } from '@ehlo/engine';
import type { Client } from './client.ts';
import { ClientError } from './client-error.ts';
import { Delivery, type SendEnvelope, type SendOptions, type SendResult } from './delivery.ts';
import { type Member, Members } from './members.ts';
import { isRepeatable, type Message, MessageSource } from './message-source.ts';
import { OTHER_NAMES } from './other-names.ts';
import { Pace, type PaceOptions } from './pace.ts';
import { Signals } from './signals.ts';
import { holdStream } from './stream-reader.ts';
import { timer } from './timer.ts';
import { unsentBy } from './unsent.ts';

export interface PoolOptions {
  /** Connections at a time. Default: 5. */
  readonly size?: number;
  /** Messages that one connection is used for. Default: as many as the server takes by it. */
  readonly messages?: number;
  /** Time without use after which a connection is asked (NOOP) whether it lives before it is used. Milliseconds; default: 5000. */
  readonly probe?: number;
  /** Time without use after which a connection is ended. Milliseconds; default: 30000. */
  readonly idle?: number;
  /** Messages that may begin in a time; the others wait, in order. Default: as many as there are connections for. */
  readonly pace?: PaceOptions;
}

/** How a pool is closed. */
export interface PoolCloseOptions {
  /**
   * Ends every connection at once: what was not sent is `unsent`, and a message whose end was said `unknown`. Default: false: what was
   * given is sent.
   */
  readonly now?: boolean;
}

/** The options of a pool: every name, and what it may be. */
export const POOL_OPTIONS: TableOf<PoolOptions> = {
  size: [1],
  messages: [1],
  probe: [0],
  idle: [0],
  pace: { messages: [1], within: [1] } satisfies TableOf<PaceOptions>,
};
/** The options of `close` of a pool. */
export const POOL_CLOSE: TableOf<PoolCloseOptions> = { now: 'switch' };

/** A message that waits, or is being sent. */
interface Job<X extends Extension> {
  readonly number: number;
  readonly envelope: SendEnvelope<X>;
  readonly message: Message;
  readonly options: SendOptions;
  /** The number of attempts so far. */
  tries: number;
  readonly settle: (result: SendResult | Promise<SendResult>) => void;
  forget: () => void;
}

/** Attempts per message, if the server has closed the connection meanwhile or accepts no more messages by it. */
const TRIES = 3;
/**
 * Several connections to one server, opened when needed and reused. Further messages wait, in order. A program that makes many messages
 * awaits `room` before each, so that only as many exist as are being sent. If the server accepts fewer connections than `size`, the pool uses
 * those, and tries one more each minute; the other messages wait. With `pipelining: 'transactions'` a connection that has no
 * other beside it is given the next messages before the server has answered for the last. A pool that is not closed keeps its connections, and
 * so the process, for `idle` milliseconds.
 */
export class Pool<X extends Extension = never> {
  readonly #members: Members<X>;
  readonly #messages: number;
  readonly #pace: Pace;
  /** Messages that are not begun, in order. */
  readonly #jobs: Job<X>[] = [];
  #numbers = 0;
  /** Runs until the pace lets a message begin. */
  #pacing: ReturnType<typeof setTimeout> | undefined;
  #wanting: (() => void)[] = [];
  /** A caller that waited for `room` was woken, and may be about to send. */
  #told = false;
  /** Runs while another caller waits for that one. */
  #turn: ReturnType<typeof setTimeout> | undefined;
  /** The number of messages without a result, and the callers that wait until there are none. */
  #unsettled = 0;
  #settled: (() => void)[] = [];
  readonly #signals: Signals = new Signals();
  #closed: 'no' | 'closing' | 'now' = 'no';

  /** `open` makes a connection: `() => connect(options)`. Throws `SmtpUsageError` `bad-limit`, or `bad-option` for an option that is misspelt. */
  constructor(open: () => Promise<Client<X>>, options: PoolOptions = {}) {
    const {
      size = 5,
      messages = Number.POSITIVE_INFINITY,
      probe = 5000,
      idle = 30_000,
      pace,
    } = checkOptions(POOL_OPTIONS, options, OTHER_NAMES);
    if (typeof open !== 'function')
      throw new SmtpUsageError('bad-argument', 'a pool opens its connections by a function: () => connect(options)');
    this.#messages = messages;
    this.#pace = new Pace(pace);
    this.#members = new Members(open, size, probe, idle, {
      free: (member) => this.#free(member),
      fail: (error) => this.#fail(error),
      moved: () => this.#dispatch(),
    });
  }

  /** Messages that wait for a connection. */
  get waiting(): number {
    return Math.max(0, this.#jobs.length - this.#members.coming);
  }

  /** Resolves as soon as a message would not have to wait: send it at once then. Callers are resolved one after the other; all of them when the pool closes. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wanting.push(resolve);
      this.#tellRoom();
    });
  }

  /**
   * Sends a message as `Client.send` does. If the server has closed the connection before the message, the message waits for another, at its
   * place in the queue, with up to three attempts. If no connection can be opened, the outcome is `unsent`, and the result's `error` says why.
   */
  send(envelope: SendEnvelope<X>, message: Message, options: SendOptions = {}): Promise<SendResult> {
    holdStream(message);
    const sent = new Promise<SendResult>((settle) => {
      const job: Job<X> = { number: ++this.#numbers, envelope, message, options, tries: 0, settle, forget: NOTHING };
      if (this.#closed !== 'no') this.#unsent(job, closedPool());
      else if (options?.signal?.aborted) this.#unsent(job, abortedBy(options.signal));
      else {
        this.#wait(job);
        this.#dispatch();
      }
      this.#nextTurn();
    });
    this.#unsettled++;
    sent.then(this.#over, this.#over);
    return sent;
  }

  /** Lets what was given be sent, then ends every connection; with `now` everything ends at once. Resolves when all is over. */
  async close(options: PoolCloseOptions = {}): Promise<void> {
    const { now = false } = checkOptions(POOL_CLOSE, options, OTHER_NAMES);
    if (this.#closed !== 'now') this.#closed = now ? 'now' : 'closing';
    if (now) {
      for (const job of this.#jobs.splice(0)) this.#unsent(job, closedPool());
      this.#members.abort(closedPool());
    }
    this.#tellRoom();
    while (this.#unsettled > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
    clearTimeout(this.#pacing);
    await this.#members.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Begins as many waiting messages as possible, in order: by an idle connection, or by another. */
  #dispatch(): void {
    while (this.#jobs.length > this.#members.coming) {
      if (!this.#mayBegin() || !(this.#members.want() || this.#useSecond())) break;
    }
    this.#tellRoom();
  }

  /** Whether the pace lets a message begin; if not, it is looked at again when it does. */
  #mayBegin(): boolean {
    const wait = this.#pace.wait();
    if (wait === 0) return true;
    this.#pacing ??= timer(() => {
      this.#pacing = undefined;
      this.#dispatch();
    }, wait);
    return false;
  }

  /** The first message that waits fails with the reason why there is no connection. */
  #fail(error: unknown): void {
    const job = this.#jobs.shift();
    if (job !== undefined) this.#unsent(job, error);
  }

  /** A message is given to a connection that is used already; false if there is none. */
  #useSecond(): boolean {
    const member = this.#second();
    if (member !== undefined) this.#use(member);
    return member !== undefined;
  }

  #second(): Member<X> | undefined {
    const next = this.#jobs[0];
    // If the server closes, the message is sent again on another connection. A stream cannot be, so it waits for a connection of its own.
    if (next !== undefined && !isRepeatable(next.message)) return undefined;
    const member = this.#members.second();
    return member !== undefined && member.sent < this.#messages ? member : undefined;
  }

  #use(member: Member<X>): void {
    const job = this.#jobs.shift()!;
    job.forget();
    job.tries++;
    member.sent++;
    this.#pace.begin();
    const sending = member.client.send(job.envelope, job.message, job.options);
    sending.then(
      (result) => {
        // RFC 5321 3.8: a 421 does not refuse the message.
        const tooMany = result.outcomes.every(isClosing) && this.#members.isTooMany(member);
        // The server has closed the connection, or accepts no more messages by it: it has not received this one.
        const left = tooMany || (member.sent > 1 && result.outcomes.every(isLeft));
        if (left && job.tries < TRIES && isRepeatable(job.message) && this.#closed !== 'now') this.#wait(job);
        else job.settle(result);
        this.#release(member);
      },
      () => {
        job.settle(sending);
        this.#release(member);
      },
    );
  }

  /** It waits for a connection, before all that were given later. */
  #wait(job: Job<X>): void {
    const signal = job.options?.signal;
    if (signal !== undefined) job.forget = this.#signals.add(signal, () => this.#giveUp(job, abortedBy(signal)));
    let place = this.#jobs.length;
    while (place > 0 && this.#jobs[place - 1]!.number > job.number) place--;
    if (place === this.#jobs.length) this.#jobs.push(job);
    else this.#jobs.splice(place, 0, job);
  }

  #giveUp(job: Job<X>, error: ClientError): void {
    const place = this.#jobs.indexOf(job);
    if (place < 0) return;
    this.#jobs.splice(place, 1);
    this.#unsent(job, error);
  }

  /** There is no connection for it, or the program has made a mistake: then its promise is rejected. In both cases the stream is closed. */
  #unsent(job: Job<X>, failure: unknown): void {
    const { envelope, message, options } = job;
    job.forget();
    if (failure instanceof ClientError) {
      job.settle(
        new Promise((resolve) => {
          const delivery = new Delivery(envelope, message, options);
          delivery.error = failure;
          delivery.settle(unsentBy(failure));
          resolve(delivery.result);
        }),
      );
    } else {
      new MessageSource(message).stop();
      job.settle(Promise.reject(failure));
    }
  }

  /** One more of those that were given has its outcome. */
  readonly #over = (): void => {
    if (--this.#unsettled === 0) for (const tell of this.#settled.splice(0)) tell();
  };

  /** A connection has sent a message. */
  #release(member: Member<X>): void {
    member.over++;
    // The messages that were given to it meanwhile come first.
    if (member.sent === member.over) {
      const spent = !member.client.canSend || member.sent >= this.#messages;
      if (spent) this.#members.drop(member);
      else this.#free(member);
    }
    this.#dispatch();
  }

  /** A working connection takes the first message that waits, or becomes idle. */
  #free(member: Member<X>): void {
    if (this.#jobs.length > 0 && this.#mayBegin()) this.#use(member);
    else if (this.#closed !== 'no' && this.#jobs.length === 0) this.#members.drop(member);
    else this.#members.keep(member);
  }

  /** Wakes one caller that waits for `room`; the next is woken after it has sent or given up. */
  #tellRoom(): void {
    if (this.#closed !== 'no') for (const tell of this.#wanting.splice(0)) tell();
    if (this.#wanting.length === 0 || this.#jobs.length > this.#members.coming) return;
    if (!this.#mayBegin() || !(this.#members.hasPlace() || this.#second() !== undefined)) return;
    if (!this.#told) {
      this.#told = true;
      this.#wanting.shift()!();
    }
    if (this.#wanting.length > 0) this.#turn ??= setTimeout(() => this.#nextTurn());
  }

  #nextTurn(): void {
    clearTimeout(this.#turn);
    this.#turn = undefined;
    this.#told = false;
    this.#tellRoom();
  }
}

const NOTHING = (): void => {};

function closedPool(): ClientError {
  return new ClientError('aborted', 'the pool is closed');
}

function abortedBy(signal: AbortSignal): ClientError {
  return new ClientError('aborted', 'aborted', { cause: signal.reason });
}

function isClosing(outcome: Outcome): boolean {
  return outcome.status === 'unsent' && outcome.cause === 'closing';
}

function isLeft(outcome: Outcome): boolean {
  return outcome.status === 'unsent' && LEFT.has(outcome.cause);
}

const LEFT: ReadonlySet<ClientCause> = new Set(['ended', 'lost', 'closing', 'limits']);
