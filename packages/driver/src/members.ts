import { type Extension, kindOf, SmtpUsageError } from '@ehlo/engine';
import { Capacity, isTurnedAway } from './capacity.ts';
import type { Client } from './client.ts';
import type { ClientError } from './client-error.ts';
import { timer } from './timer.ts';

/** A connection of a pool. */
export interface Member<X extends Extension> {
  readonly client: Client<X>;
  /** How many messages it takes at a time, by pipelining. */
  readonly depth: number;
  /** Messages that were begun, and those of them that are over. */
  sent: number;
  over: number;
  /** Since when it is idle. */
  since: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The callbacks of the pool. */
export interface Host<X extends Extension> {
  /** A connection was opened, for the first message that waits: it is used, kept or dropped. */
  free(member: Member<X>): void;
  /** No connection can be opened: the first job that waits fails with this error. */
  fail(error: unknown): void;
  /** A connection may be idle, or another may be opened. */
  moved(): void;
}

/** Milliseconds to wait for the answer to a probe; a message waits for it. */
const PROBE_PATIENCE = 5000;
/** Delays in milliseconds between retries when a server that has accepted connections before refuses all; after the last, give up. */
const PAUSES: readonly number[] = [1000, 2000, 4000];

/** The connections of a pool: opened when needed, probed when idle, as many as the server accepts. */
export class Members<X extends Extension> {
  readonly #open: () => Promise<Client<X>>;
  readonly #probe: number;
  readonly #idleTime: number;
  readonly #capacity: Capacity;
  readonly #host: Host<X>;
  readonly #idle: Member<X>[] = [];
  /** Connections that are open, those that are being asked and used included. */
  readonly #living: Set<Member<X>> = new Set();
  readonly #closing: Set<Promise<void>> = new Set();
  /** Connections that are being opened, and those that are asked whether they live. */
  #opening = 0;
  #asking = 0;
  /** Why connections could not be opened, while others were being opened. */
  #refusals: ClientError[] = [];
  /** Whether the server has accepted a connection; and the number of pauses since it began to accept none. */
  #met = false;
  #pauses = 0;
  /** The timers until the server is tried again, and until one more connection may be tried. */
  #pausing: ReturnType<typeof setTimeout> | undefined;
  #growing: ReturnType<typeof setTimeout> | undefined;
  /** Why no connection is wanted any more. */
  #ended: ClientError | null = null;

  constructor(open: () => Promise<Client<X>>, size: number, probe: number, idle: number, host: Host<X>) {
    this.#open = open;
    this.#probe = probe;
    this.#idleTime = idle;
    this.#capacity = new Capacity(size);
    this.#host = host;
  }

  /** Connections that are being opened: each is for one message that waits. */
  get coming(): number {
    return this.#opening + this.#asking;
  }

  /** Whether there is an idle one, or a place for another; if not, `moved` is called when that may have changed. */
  hasPlace(): boolean {
    return this.#idle.length > 0 || this.#mayOpen();
  }

  /** One more connection is wanted: an idle one, or a new one. False if neither is possible now. */
  want(): boolean {
    const member = this.#idle.pop();
    if (member !== undefined) this.#take(member);
    else if (this.#mayOpen()) void this.#connect();
    else return false;
    return true;
  }

  /**
   * A busy connection that can take the next message by pipelining: its commands are sent after the final dot of the last message. Only a
   * connection by which the server has accepted a message: a server with too many connections refuses the first.
   */
  second(): Member<X> | undefined {
    for (const member of this.#living) {
      const { client, depth, sent, over } = member;
      if (over > 0 && sent > over && sent - over < depth && client.canSend) return member;
    }
    return undefined;
  }

  /** Nobody uses it now. */
  keep(member: Member<X>): void {
    member.since = performance.now();
    member.timer = timer(() => {
      this.#idle.splice(this.#idle.indexOf(member), 1);
      this.drop(member);
    }, this.#idleTime);
    this.#idle.push(member);
  }

  /** Ends a connection; its place is free when it is gone. */
  drop(member: Member<X>): void {
    clearTimeout(member.timer);
    this.#living.delete(member);
    const closing = member.client.close().then(() => {
      this.#closing.delete(closing);
      this.#host.moved();
    });
    this.#closing.add(closing);
  }

  /** The server closed a new connection at once: while the others are open, it accepts no more. */
  isTooMany({ sent }: Member<X>): boolean {
    const others = this.#living.size - 1;
    if (sent > 1 || others === 0) return false;
    this.#capacity.refused(others, performance.now());
    return true;
  }

  /** Aborts all connections now, and those that are being opened as soon as they are open. */
  abort(reason: ClientError): void {
    this.#ended = reason;
    this.#stopTimers();
    for (const { client } of this.#living) client.abort(reason);
  }

  /** Ends the idle ones; resolves when they are gone. */
  async close(): Promise<void> {
    this.#stopTimers();
    for (const member of this.#idle.splice(0)) this.drop(member);
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  get #count(): number {
    return this.#living.size + this.#opening + this.#closing.size;
  }

  /** Uses a connection that was idle; one that was idle for long is probed first. */
  #take(member: Member<X>): void {
    clearTimeout(member.timer);
    if (member.client.ended) return this.drop(member);
    if (performance.now() - member.since < this.#probe) return this.#host.free(member);
    this.#asking++;
    void lives(member.client).then((lives) => {
      this.#asking--;
      if (lives) this.#host.free(member);
      else this.drop(member);
      this.#host.moved();
    });
  }

  /** Whether there is a place for one more connection. */
  #mayOpen(): boolean {
    // Refused connections are handled when it is known what became of those that are still being opened.
    if (this.#pausing !== undefined || this.#refusals.length > 0) return false;
    const { most } = this.#capacity;
    if (this.#count < most) return true;
    if (this.#count > most || this.#opening > 0) return false;
    // As many as are wanted at all: asked for each message.
    if (this.#capacity.isWhole) return false;
    const wait = this.#capacity.grow(performance.now());
    if (wait === 0) return true;
    this.#growing ??= timer(() => {
      this.#growing = undefined;
      this.#host.moved();
    }, wait);
    return false;
  }

  async #connect(): Promise<void> {
    this.#opening++;
    await this.#client().then(
      (client) => {
        this.#opening--;
        this.#taken({ client, depth: client.depth, sent: 0, over: 0, since: 0, timer: undefined });
      },
      (error: unknown) => {
        this.#opening--;
        this.#refused(error);
      },
    );
    this.#host.moved();
  }

  async #client(): Promise<Client<X>> {
    const client: unknown = await this.#open();
    if (typeof (client as Client<X> | null | undefined)?.send !== 'function')
      throw new SmtpUsageError('bad-argument', `a pool opens its connections by a function that gives a client, not ${kindOf(client)}`);
    return client as Client<X>;
  }

  #taken(member: Member<X>): void {
    this.#living.add(member);
    this.#met = true;
    this.#pauses = 0;
    this.#capacity.taken(this.#living.size);
    if (this.#refusals.splice(0).length > 0) this.#capacity.refused(this.#living.size, performance.now());
    if (this.#ended === null) return this.#host.free(member);
    member.client.abort(this.#ended);
    this.drop(member);
  }

  /** A connection could not be opened. If others are open, the server accepts no more, and the message waits for one of those. */
  #refused(error: unknown): void {
    if (!isTurnedAway(error)) return this.#host.fail(error);
    if (this.#living.size > 0) return this.#capacity.refused(this.#living.size, performance.now());
    this.#refusals.push(error);
    if (this.#opening > 0) return;
    // The server accepts no connection. If it accepted one before, it is tried again: it may still count connections that have just closed.
    const pause = this.#met ? PAUSES[this.#pauses++] : undefined;
    const refusals = this.#refusals.splice(0);
    if (pause !== undefined) {
      this.#pausing = timer(() => {
        this.#pausing = undefined;
        this.#host.moved();
      }, pause);
      return;
    }
    this.#capacity.forget();
    this.#pauses = 0;
    this.#met = false;
    for (const refusal of refusals) this.#host.fail(refusal);
  }

  #stopTimers(): void {
    clearTimeout(this.#pausing);
    clearTimeout(this.#growing);
    this.#pausing = this.#growing = undefined;
  }
}

async function lives(client: Pick<Client, 'abort' | 'command' | 'ended'>): Promise<boolean> {
  const patience = setTimeout(() => client.abort(), PROBE_PATIENCE);
  return await client
    .command('NOOP')
    .then(
      () => !client.ended,
      () => false,
    )
    .finally(() => clearTimeout(patience));
}
