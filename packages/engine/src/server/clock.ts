import type { LimitName, Limits } from './limits.ts';

/** A clock as plain data: the time that is left for each timer. */
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

/** The session's time: one timer for what is waited for, and one for the reader of its replies. It has no callbacks: the caller polls it. */
export class Clock {
  now = 0;
  readonly #limits: Limits;
  #timer: LimitName | null = null;
  #ends: number = NEVER;
  #flushEnds: number = NEVER;
  /** When the program was given the content that it is busy with; infinite: it is not busy. */
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

  /** Starts the delay of a reply that is held back. */
  hold(milliseconds: number): void {
    this.#timer = 'faultDelay';
    this.#ends = this.now + milliseconds;
  }

  /** Whether a reply is held back: until it is sent, nothing is read. */
  get holds(): boolean {
    return this.#timer === 'faultDelay';
  }

  stop(): void {
    this.#timer = null;
    this.#ends = NEVER;
  }

  /** There are replies that the peer has to read. */
  awaitReader(): void {
    this.#flushEnds = this.now + this.#limits.flushTimeout;
  }

  /** The replies were handed out, or dropped. */
  readerDone(): void {
    this.#flushEnds = NEVER;
  }

  /** The program has been given content. Until it asks for more it is busy, and that time is not counted against the client. */
  gave(): void {
    this.#busySince = this.now;
  }

  /** The program asks for more content: the client's timer continues where it stopped. */
  resumed(): void {
    if (this.#busySince === NEVER) return;
    if (this.busy) this.#ends += this.now - this.#busySince;
    this.#busySince = NEVER;
  }

  /** Whether the session waits for the program, not for the client. */
  get busy(): boolean {
    return this.#busySince < NEVER && CLIENTS.has(this.#timer);
  }

  /** When the next timer ends. While the program is busy with content, its own limit (`messageAnswer`) applies in place of the client's. */
  get deadline(): number {
    return Math.min(this.#timerEnds, this.#flushEnds);
  }

  /** Sets the time; returns the timer that has ended. */
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
