import { type ClientCause, checkOptions, type Extension, type Outcome, SmtpUsageError, type TableOf } from '@ehlo/engine';
import type { Client } from './client.ts';
import { ClientError, type ClientErrorCode } from './client-error.ts';
import { Delivery, type SendEnvelope, type SendOptions, type SendResult } from './delivery.ts';
import { isRepeatable, type Message, MessageSource } from './message-source.ts';
import { OTHER_NAMES } from './other-names.ts';
import { holdStream } from './pieces.ts';
import { Signals } from './signals.ts';
import { timer } from './timer.ts';

export interface PoolOptions {
  /** Connections at a time. Default: 5. */
  readonly size?: number;
  /** Messages that one connection is used for. Default: 100. */
  readonly messages?: number;
  /** Time without use after which a connection is asked (NOOP) whether it lives before it is used. Milliseconds; default: 5000. */
  readonly probe?: number;
  /** Time without use after which a connection is ended. Milliseconds; default: 30000. */
  readonly idle?: number;
}

/** The options of a pool: every name, and what it may be. */
export const POOL_OPTIONS: TableOf<PoolOptions> = {
  size: [1],
  messages: [1],
  probe: [0],
  idle: [0],
};

/** A connection of a pool. */
interface Member {
  readonly client: Client;
  sent: number;
  /** Since when nobody uses it. */
  since: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Milliseconds that an answer to the probe may take: whoever sends waits for it. */
const PROBE_PATIENCE = 5000;

/**
 * Several connections to one server, opened as they are needed and used again. Messages beyond that wait, in order; who makes many of
 * them awaits `room` before each, so that only as many exist as are being sent. A pool that is not closed keeps its connections, and so
 * the process, for `idle` milliseconds.
 */
export class Pool<X extends Extension = never> {
  readonly #open: () => Promise<Client<X>>;
  readonly #size: number;
  readonly #messages: number;
  readonly #probe: number;
  readonly #idleTime: number;
  readonly #idle: Member[] = [];
  /** Members, those that are being opened, and those that are being closed. */
  #count = 0;
  /** Who waits for a member; null: for the place of one. */
  #waiting: ((member: Member | null) => void)[] = [];
  #wanting: (() => void)[] = [];
  /** One who wanted room has been told of some, and may be about to send. */
  #told = false;
  /** Runs while another waits for him. */
  #turn: ReturnType<typeof setTimeout> | undefined;
  readonly #sending: Set<Promise<SendResult>> = new Set();
  readonly #closing: Set<Promise<void>> = new Set();
  readonly #signals: Signals = new Signals();
  #closed = false;

  /** `open` makes a connection: `() => connect(options)`. Throws `SmtpUsageError` `bad-limit`, or `bad-option` for an option that is misspelt. */
  constructor(open: () => Promise<Client<X>>, options: PoolOptions = {}) {
    const { size = 5, messages = 100, probe = 5000, idle = 30_000 } = checkOptions(POOL_OPTIONS, options, OTHER_NAMES);
    if (typeof open !== 'function')
      throw new SmtpUsageError('bad-argument', 'a pool opens its connections by a function: () => connect(options)');
    this.#open = open;
    this.#size = size;
    this.#messages = messages;
    this.#probe = probe;
    this.#idleTime = idle;
  }

  /** Messages that wait for a connection. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves as soon as a message would not have to wait, for one after the other of those who ask: send at once then. Resolves, too, when the pool is closed. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wanting.push(resolve);
      this.#tellRoom();
    });
  }

  /** Sends a message as `Client.send` does. Where there is no connection, that is the outcome: `unsent`, and the result's `error` says why. */
  send(envelope: SendEnvelope<X>, message: Message, options: SendOptions = {}): Promise<SendResult> {
    const sending = this.#send(envelope, message, options);
    this.#sending.add(sending);
    const sent = (): void => void this.#sending.delete(sending);
    sending.then(sent, sent);
    this.#nextTurn();
    return sending;
  }

  /** Lets what was given be sent, then ends every connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#tellRoom();
    while (this.#sending.size > 0) await Promise.allSettled(this.#sending);
    for (const member of this.#idle.splice(0)) this.#drop(member);
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #send(envelope: SendEnvelope, message: Message, options: SendOptions): Promise<SendResult> {
    holdStream(message);
    let failure = new ClientError('aborted', 'the pool is closed');
    if (!this.#closed) {
      try {
        const member = await this.#acquire(options.signal);
        const used = member.sent > 0;
        const result = await this.#use(member, envelope, message, options);
        // The server has left meanwhile, or takes no more by this connection: it has nothing of it.
        if (!used || !isRepeatable(message) || !result.outcomes.every(isLeft)) return result;
        return await this.#use(await this.#acquire(options.signal), envelope, message, options);
      } catch (error) {
        if (!(error instanceof ClientError)) {
          // Not for want of a connection: a mistake of the program's. The stream is closed all the same.
          new MessageSource(message).stop();
          throw error;
        }
        failure = error;
      }
    }
    const delivery = new Delivery(envelope, message, options);
    delivery.error = failure;
    delivery.settle(unsentBy(failure));
    return await delivery.result;
  }

  async #use(member: Member, envelope: SendEnvelope, message: Message, options: SendOptions): Promise<SendResult> {
    member.sent++;
    try {
      return await member.client.send(envelope, message, options);
    } finally {
      this.#release(member);
    }
  }

  /** A connection that lives: one that was used before, or a new one. */
  async #acquire(signal: AbortSignal | undefined): Promise<Member> {
    for (;;) {
      if (signal?.aborted) throw abortedBy(signal);
      const member = this.#idle.pop() ?? (this.#reserve() ? null : await this.#wait(signal));
      if (member === null) return await this.#unless(signal, this.#connect());
      clearTimeout(member.timer);
      if (await this.#unless(signal, this.#lives(member), member)) return member;
      this.#drop(member);
    }
  }

  /** Waits for what comes, unless the signal aborts first: then the member is for the next. */
  #unless<T>(signal: AbortSignal | undefined, coming: Promise<T>, member?: Member): Promise<T> {
    if (signal === undefined) return coming;
    return new Promise((resolve, reject) => {
      const forget = this.#signals.add(signal, () => {
        reject(abortedBy(signal));
        coming.then(
          (come) => this.#release(member ?? (come as Member)),
          () => {},
        );
      });
      coming.finally(forget).then(resolve, reject);
    });
  }

  /** Takes a place for one more connection, if there is one. */
  #reserve(): boolean {
    if (this.#count >= this.#size) return false;
    this.#count++;
    return true;
  }

  #wait(signal: AbortSignal | undefined): Promise<Member | null> {
    return new Promise((resolve, reject) => {
      const granted = (member: Member | null): void => {
        forget?.();
        resolve(member);
      };
      this.#waiting.push(granted);
      const forget =
        signal &&
        this.#signals.add(signal, () => {
          this.#waiting = this.#waiting.filter((one) => one !== granted);
          reject(abortedBy(signal));
        });
    });
  }

  /** Its place is taken already. */
  async #connect(): Promise<Member> {
    try {
      return { client: await this.#open(), sent: 0, since: 0, timer: undefined };
    } catch (error) {
      this.#vacate();
      throw error;
    }
  }

  async #lives({ client, since }: Member): Promise<boolean> {
    if (client.ended) return false;
    if (since === 0 || performance.now() - since < this.#probe) return true;
    const timer = setTimeout(() => client.abort(), PROBE_PATIENCE);
    return await client
      .command('NOOP')
      .then(
        () => !client.ended,
        () => false,
      )
      .finally(() => clearTimeout(timer));
  }

  #release(member: Member): void {
    const spent = !member.client.canSend || member.sent >= this.#messages;
    if (spent || (this.#closed && this.#waiting.length === 0)) return this.#drop(member);
    member.since = performance.now();
    const first = this.#waiting.shift();
    if (first !== undefined) return first(member);
    member.timer = timer(() => {
      this.#idle.splice(this.#idle.indexOf(member), 1);
      this.#drop(member);
    }, this.#idleTime);
    this.#idle.push(member);
    this.#tellRoom();
  }

  /** Ends a connection; its place is free when it is gone. */
  #drop({ client, timer }: Member): void {
    clearTimeout(timer);
    const closing = client.close().then(() => {
      this.#closing.delete(closing);
      this.#vacate();
    });
    this.#closing.add(closing);
  }

  /** A place is free: for whoever waits first, or for who wants room. */
  #vacate(): void {
    this.#count--;
    if (this.#waiting.length > 0 && this.#reserve()) this.#waiting.shift()!(null);
    else this.#tellRoom();
  }

  /** Tells one who wants room that there is some; the next when he has sent, or has let his turn pass. */
  #tellRoom(): void {
    const room = this.#waiting.length === 0 && (this.#idle.length > 0 || this.#count < this.#size);
    if (this.#closed) for (const tell of this.#wanting.splice(0)) tell();
    if (!room || this.#wanting.length === 0) return;
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

function abortedBy(signal: AbortSignal): ClientError {
  return new ClientError('aborted', 'aborted', { cause: signal.reason });
}

/** What becomes of a message for which there is no connection. */
export function unsentBy({ code, stage, reply }: ClientError): Outcome {
  return { status: 'unsent', stage, cause: CAUSES[code] ?? 'lost', reply };
}

const CAUSES: { readonly [code in ClientErrorCode]?: ClientCause } = {
  'tls-unavailable': 'tls',
  'tls-failed': 'tls',
  certificate: 'tls',
  unprotected: 'tls',
  'auth-refused': 'refused',
  refused: 'refused',
  closing: 'closing',
  protocol: 'fault',
  'speaks-tls': 'fault',
  timeout: 'timeout',
  ended: 'ended',
  aborted: 'aborted',
};

function isLeft(outcome: Outcome): boolean {
  return outcome.status === 'unsent' && LEFT.has(outcome.cause);
}

const LEFT: ReadonlySet<ClientCause> = new Set(['ended', 'lost', 'closing', 'limits']);
