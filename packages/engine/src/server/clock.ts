import type { LimitName, Limits } from './limits.ts';

/** A clock as plain data: what is left of everything. */
export interface ClockSnapshot {
  readonly timer: LimitName | null;
  /** Milliseconds that are left; negative: they are over. */
  readonly left: number;
  readonly flushLeft: number;
  /** Milliseconds that the program has been busy with content; negative and infinite: it is not. */
  readonly busyFor: number;
}

/** Limits on how long the client is waited for. */
const CLIENTS: ReadonlySet<LimitName | null> = new Set<LimitName>(['commandTimeout', 'dataTimeout']);

const NEVER = Number.POSITIVE_INFINITY;

/** The session's time: one timer for what is waited for, and one for the reader of its replies. It calls nobody: it is asked. */
export class Clock {
  now = 0;
  readonly #limits: Limits;
  #timer: LimitName | null = null;
  #ends: number = NEVER;
  #flushEnds: number = NEVER;
  /** Since when the program has content for which it has not come back; infinite: it has none. */
  #busySince: number = NEVER;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The limit whose timer runs. */
  get timer(): LimitName | null {
    return this.#timer;
  }

  /** Starts the timer of a limit, in place of the one that ran. */
  start(timer: LimitName): void {
    this.#timer = timer;
    this.#ends = this.now + this.#limits[timer];
  }

  /** Starts to wait until what is held back may be said. */
  hold(milliseconds: number): void {
    this.#timer = 'faultDelay';
    this.#ends = this.now + milliseconds;
  }

  /** Whether something is held back: until it is out nothing is read. */
  get holds(): boolean {
    return this.#timer === 'faultDelay';
  }

  stop(): void {
    this.#timer = null;
    this.#ends = NEVER;
  }

  /** There are replies to be read. */
  awaitReader(): void {
    this.#flushEnds = this.now + this.#limits.flushTimeout;
  }

  /** The reader has taken them, or will not. */
  readerDone(): void {
    this.#flushEnds = NEVER;
  }

  /** The program has been given content: until it comes for more it is busy with that, and its slowness is not the client's. */
  gave(): void {
    this.#busySince = this.now;
  }

  /** The program comes for more: the client's time goes on where it stood. */
  resumed(): void {
    if (this.#busySince === NEVER) return;
    if (this.busy) this.#ends += this.now - this.#busySince;
    this.#busySince = NEVER;
  }

  /** Whether it is the program that is waited for. */
  get busy(): boolean {
    return this.#busySince < NEVER && CLIENTS.has(this.#timer);
  }

  /** When the time is over; while the program is busy with content it is its own, for an answer that never comes. */
  get deadline(): number {
    return Math.min(this.#timerEnds, this.#flushEnds);
  }

  /** Lets time pass; says what is over. */
  pass(now: number): 'reader' | 'timer' | null {
    if (now > this.now) this.now = now;
    if (this.now >= this.#flushEnds) return 'reader';
    return this.now >= this.#timerEnds ? 'timer' : null;
  }

  snapshot(): ClockSnapshot {
    const { now } = this;
    return { timer: this.#timer, left: this.#ends - now, flushLeft: this.#flushEnds - now, busyFor: now - this.#busySince };
  }

  /** Goes on from a snapshot. */
  resume({ timer, left, flushLeft, busyFor }: ClockSnapshot, now: number): void {
    this.now = now;
    this.#timer = timer;
    this.#ends = now + left;
    this.#flushEnds = now + flushLeft;
    this.#busySince = now - busyFor;
  }

  get #timerEnds(): number {
    return this.busy ? this.#busySince + this.#limits.messageAnswer : this.#ends;
  }
}
