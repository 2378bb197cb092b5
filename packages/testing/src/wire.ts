import type { Sink, Transport } from '@ehlo/driver';
import type { TlsInfo } from '@ehlo/engine';
import { encodeUtf8 } from '@ehlo/grammar';
import type { TestClock } from './clock.ts';
import { HeldClock } from './held-clock.ts';
import { splitReplies } from './reply-octets.ts';

/** How a connection is spoiled. */
export type Cut = 'stall' | 'drop' | 'reset' | 'halfClose';

/** What becomes of a reply on its way. */
export interface Directive {
  /** Said in its place, made of what the session would have said. */
  readonly instead: ((reply: Uint8Array) => Uint8Array) | null;
  /** Milliseconds that it is held back, and all that follows it. */
  readonly delay: number;
  readonly split: { readonly every: number; readonly pause: number } | null;
  /** After so many octets of it. */
  readonly cut: { readonly kind: Cut; readonly after: number } | null;
}

/** Octets that wait for their time. `counted` are those that the session has given for them. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly counted: number;
  readonly wait: number;
  readonly cut: Cut | null;
}

/** How long a client whose connection was dropped may still write, in milliseconds. */
const DROPPED_MS = 250;

/**
 * A transport between a session and its client. What a server must not do, and so the engine does not, is done here: it changes replies on their
 * way, and spoils the connection. The session counts replies, and so does this.
 */
export class Wire implements Transport {
  secure: Transport['secure'];
  readonly #inner: Transport;
  readonly #clock: TestClock;
  /** That of the session. */
  readonly clock: HeldClock;
  readonly #directives: Map<number, Directive> = new Map();
  #sink: Sink | null = null;
  #replies = 0;
  #queue: Piece[] = [];
  /** Gives up the wait for the first of the queue. */
  #waiting: (() => void) | null = null;
  #spoiled: Cut | 'tls' | null = null;
  #closing = false;
  #gone = false;
  readonly #left: () => void;

  /** `left` is called when nothing is left of the connection; `secure` begins its TLS, in place of the transport's own. */
  constructor(inner: Transport, clock: TestClock, left: () => void, secure: (inner: Transport, head?: Uint8Array) => Promise<TlsInfo>) {
    this.#inner = inner;
    this.#clock = clock;
    this.clock = new HeldClock(clock);
    this.#left = left;
    this.secure = inner.secure === undefined ? undefined : (head) => secure(inner, head);
  }

  get peer(): Transport['peer'] {
    return this.#inner.peer;
  }

  get local(): Transport['local'] {
    return this.#inner.local;
  }

  get proxy(): Transport['proxy'] {
    return this.#inner.proxy;
  }

  get tls(): TlsInfo | undefined {
    return this.#inner.tls;
  }

  set tls(tls: TlsInfo | undefined) {
    this.#inner.tls = tls;
  }

  /** What becomes of the n-th reply of the session, from 0. */
  direct(reply: number, directive: Directive): void {
    this.#directives.set(reply, directive);
  }

  start(sink: Sink): void {
    this.#sink = sink;
    this.#inner.start({
      data: (bytes) => this.#sink?.data(bytes),
      end: () => {
        this.#sink?.end();
        // Who stands still has nothing to say to this, either; but a client that has left is let go.
        if (this.#spoiled === 'stall' || this.#sink === null) this.#inner.close();
      },
      drained: () => {
        if (this.#queue.length === 0) this.#sink?.drained();
      },
      lost: (cause) => this.#lost(cause),
    });
  }

  write(bytes: Uint8Array): boolean {
    if (this.#spoiled !== null || this.#gone) return true;
    if (this.#directives.size === 0 && this.#queue.length === 0) {
      this.#replies += splitReplies(bytes).length;
      return this.#inner.write(bytes);
    }
    for (const reply of splitReplies(bytes)) this.#say(reply, this.#replies++);
    return this.#flush();
  }

  get unwritten(): number {
    return this.#inner.unwritten + this.#queue.reduce((sum, { counted }) => sum + counted, 0);
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    if (this.#spoiled !== 'stall') this.#inner.resume();
  }

  close(): void {
    if (this.#spoiled !== null) return;
    this.#closing = true;
    if (this.#queue.length === 0) this.#inner.close();
  }

  abort(): void {
    // Its last words wait for their time, or it stands still on purpose: the session is over, and the connection is not.
    if (this.#gone || (this.#spoiled === null && this.#queue.length === 0)) return this.destroy();
    this.#closing = true;
    this.#sink = null;
  }

  /** Ends at once, whatever was to come. */
  destroy(): void {
    this.#giveUp();
    this.#queue = [];
    this.#leave();
    this.#inner.abort();
    this.#end();
  }

  /** Spoils the connection, now. With `reading` false nothing more is read, either. */
  cut(kind: Cut, reading = true): void {
    if (this.#spoiled !== null || this.#gone) return;
    this.#spoiled = kind;
    this.#queue = [];
    if (kind === 'stall') {
      if (!reading) this.#inner.pause();
      return;
    }
    this.#leave();
    if (kind === 'reset') this.#inner.abort();
    else this.#inner.close();
    // A dropped connection is read from no longer; that a client which does not look writes on ends, too.
    if (kind === 'drop') setTimeout(() => void (this.#gone || this.destroy()), DROPPED_MS);
    if (kind === 'reset') this.#end();
  }

  /** Breaks a handshake: what comes in place of it is none. */
  breakTls(): void {
    this.#spoiled = 'tls';
    this.#inner.write(encodeUtf8('this is no TLS\r\n'));
    this.#inner.close();
    setTimeout(() => void (this.#gone || this.destroy()), DROPPED_MS);
  }

  /** What waits for its time will never be said. */
  #giveUp(): void {
    this.#waiting?.();
    this.#waiting = null;
    this.clock.go();
  }

  #say(reply: Uint8Array, index: number): void {
    const directive = this.#directives.get(index);
    this.#directives.delete(index);
    const { instead = null, delay = 0, split = null, cut = null } = directive ?? {};
    const said = instead === null ? reply : instead(reply);
    const sent = cut === null ? said : said.subarray(0, cut.after);
    const every = split?.every ?? Math.max(1, sent.length);
    for (let at = 0; at < sent.length || at === 0; at += every) {
      const wait = at === 0 ? delay : (split?.pause ?? 0);
      const last = at + every >= sent.length;
      this.#queue.push({
        bytes: sent.subarray(at, at + every),
        counted: last ? reply.length : 0,
        wait,
        cut: last ? (cut?.kind ?? null) : null,
      });
    }
  }

  /** Writes what has its time; true if nothing is left. */
  #flush(): boolean {
    let writable = true;
    while (this.#waiting === null) {
      const [piece] = this.#queue;
      if (piece === undefined) return writable;
      if (piece.wait > 0) {
        this.clock.stop();
        this.#waiting = this.#clock.timer(() => {
          this.#waiting = null;
          this.#queue[0] = { ...piece, wait: 0 };
          this.#flushed(this.#flush());
          if (this.#waiting === null) this.clock.go();
        }, piece.wait);
        return false;
      }
      this.#queue.shift();
      if (piece.bytes.length > 0) writable = this.#inner.write(piece.bytes);
      if (piece.cut !== null) {
        this.cut(piece.cut);
        return true;
      }
    }
    return false;
  }

  /** Later than it was written. */
  #flushed(writable: boolean): void {
    if (this.#queue.length > 0 || this.#spoiled !== null) return;
    if (this.#closing) this.#inner.close();
    if (writable) this.#sink?.drained();
  }

  /** The session is over, and its timers with it: that is told, but not within a call of its own. */
  #leave(): void {
    const sink = this.#sink;
    this.#sink = null;
    queueMicrotask(() => sink?.lost(new Error('the connection was cut')));
  }

  #lost(cause: unknown): void {
    this.#giveUp();
    this.#queue = [];
    this.#sink?.lost(cause);
    this.#sink = null;
    this.#end();
  }

  #end(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#left();
  }
}
