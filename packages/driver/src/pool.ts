import type { ClientCause, Outcome } from '@ehlo/engine';
import type { Client } from './client.ts';
import { ClientError, type ClientErrorCode } from './client-error.ts';
import { Delivery, type SendEnvelope, type SendOptions, type SendResult } from './delivery.ts';
import { isRepeatable, type Message } from './message-source.ts';

export interface PoolOptions {
  /** Connections at a time. Default 5. */
  readonly size?: number;
  /** Messages that one connection is used for. Default 100. */
  readonly messages?: number;
  /** Milliseconds without use after which a connection is asked (NOOP) whether it lives before it is used. Default 5000. */
  readonly probe?: number;
  /** Milliseconds without use after which a connection is ended. Default 30000. */
  readonly idle?: number;
}

/** A connection of a pool. */
interface Member {
  readonly client: Client;
  sent: number;
  /** Since when nobody uses it. */
  since: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Several connections to one server, opened as they are needed and used again. Messages beyond that wait, in order; who makes many of
 * them awaits `room` before each, so that only as many exist as are being sent.
 */
export class Pool {
  readonly #open: () => Promise<Client>;
  readonly #size: number;
  readonly #messages: number;
  readonly #probe: number;
  readonly #idleTime: number;
  readonly #idle: Member[] = [];
  /** Members, and those that are being opened. */
  #count = 0;
  /** Who waits for a member; null: for the place of one. */
  #waiting: ((member: Member | null) => void)[] = [];
  #wanting: (() => void)[] = [];
  readonly #sending: Set<Promise<SendResult>> = new Set();
  #closed = false;

  /** `open` makes a connection: `() => connect(options)`. */
  constructor(open: () => Promise<Client>, { size = 5, messages = 100, probe = 5000, idle = 30_000 }: PoolOptions = {}) {
    this.#open = open;
    this.#size = Math.max(1, size);
    this.#messages = Math.max(1, messages);
    this.#probe = probe;
    this.#idleTime = idle;
  }

  /** Messages that wait for a connection. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves as soon as a message would not have to wait. */
  async room(): Promise<void> {
    while (this.#waiting.length > 0 || (this.#idle.length === 0 && this.#count >= this.#size))
      await new Promise<void>((resolve) => this.#wanting.push(resolve));
  }

  /** Sends a message as `Client.send` does. Where there is no connection, that is the outcome: `unsent`, and the result's `error` says why. */
  send(envelope: SendEnvelope, message: Message, options: SendOptions = {}): Promise<SendResult> {
    const sending = this.#send(envelope, message, options);
    this.#sending.add(sending);
    const sent = (): void => void this.#sending.delete(sending);
    sending.then(sent, sent);
    return sending;
  }

  /** Lets what was given be sent, then ends every connection. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#sending.size > 0) await Promise.allSettled(this.#sending);
    await Promise.all(this.#idle.splice(0).map((member) => this.#end(member)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #send(envelope: SendEnvelope, message: Message, options: SendOptions): Promise<SendResult> {
    let failure: unknown = new ClientError('aborted', 'the pool is closed');
    if (!this.#closed) {
      try {
        const member = await this.#acquire(options.signal);
        const used = member.sent > 0;
        const result = await this.#use(member, envelope, message, options);
        // The server has left while nothing was asked of it: nothing was sent.
        if (!used || !isRepeatable(message) || !result.outcomes.every(isLeft)) return result;
        return await this.#use(await this.#acquire(options.signal), envelope, message, options);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        failure = error;
      }
    }
    const delivery = new Delivery(envelope, message, options);
    delivery.error = failure;
    delivery.settle(unsentBy(failure as ClientError));
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
      const member = this.#idle.pop() ?? (this.#reserve() ? null : await this.#wait(signal));
      if (member === null) return await this.#connect();
      clearTimeout(member.timer);
      if (await this.#lives(member)) return member;
      this.#drop(member);
    }
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
        signal?.removeEventListener('abort', aborted);
        resolve(member);
      };
      const aborted = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== granted);
        reject(new ClientError('aborted', 'aborted', { cause: signal?.reason }));
      };
      this.#waiting.push(granted);
      signal?.addEventListener('abort', aborted);
      if (signal?.aborted) aborted();
    });
  }

  /** Its place is taken already. */
  async #connect(): Promise<Member> {
    try {
      return { client: await this.#open(), sent: 0, since: 0, timer: undefined };
    } catch (error) {
      this.#count--;
      this.#grant(null);
      throw error;
    }
  }

  async #lives({ client, since }: Member): Promise<boolean> {
    if (client.ended) return false;
    if (since === 0 || performance.now() - since < this.#probe) return true;
    return await client.command('NOOP').then(
      () => !client.ended,
      () => false,
    );
  }

  #release(member: Member): void {
    if (member.client.ended || member.sent >= this.#messages) {
      this.#drop(member);
      return this.#grant(null);
    }
    member.since = performance.now();
    if (this.#waiting.length > 0) return this.#grant(member);
    member.timer = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(member), 1);
      this.#drop(member);
    }, this.#idleTime);
    this.#idle.push(member);
    this.#grant(null);
  }

  /** Gives whoever waits first a member, or the place of one; or tells that there is room. */
  #grant(member: Member | null): void {
    const [first] = this.#waiting;
    if (first !== undefined) {
      if (member === null && !this.#reserve()) return;
      this.#waiting.shift();
      first(member);
    } else for (const wake of this.#wanting.splice(0)) wake();
  }

  #drop(member: Member): void {
    this.#count--;
    void this.#end(member);
  }

  async #end({ client, timer }: Member): Promise<void> {
    clearTimeout(timer);
    await client.close();
  }
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
  return outcome.status === 'unsent' && (outcome.cause === 'ended' || outcome.cause === 'lost' || outcome.cause === 'closing');
}
