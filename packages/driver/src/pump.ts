import type { TlsInfo } from '@ehlo/engine';
import { notify } from './notify.ts';
import { type Clock, REAL_CLOCK } from './timer.ts';
import { LINGER_MS, type Sink, type Transport } from './transport.ts';

/** What the sessions of both roles have in common, as far as octets and time go. */
export interface Machine {
  receive(bytes: Uint8Array): void;
  receiveEnd(): void;
  lost(): void;
  nextOutput(): Uint8Array | null;
  /** So many more octets of the output were taken by the operating system. */
  written(octets: number): void;
  secured(tls: TlsInfo): void;
  tick(now: number): void;
  readonly deadline: number;
  readonly reads: boolean;
  readonly wants: string;
  readonly phase: string;
}

const NOTHING = (): void => {};

const IN_CLEAR = 'octets in clear came before the TLS handshake';
const ENDED = 'the connection was ended before the TLS handshake was done';

/** Whom a session is driven for. */
export interface Program {
  /** Takes the events that there is room for, and says what follows from them. */
  pull(): void;
  /** Whether octets may come: else the peer is slowed down. */
  hasRoom(): boolean;
  /** Whether a session that is over is to be cut off, not ended gracefully. */
  abrupt(): boolean;
  /** The connection or its handshake has failed; the session knows of it. */
  failed(cause: unknown): void;
  /** The session, or its transport, has thrown what it must not: it is left. May be called again. */
  readonly broken: (error: unknown) => void;
  /** A handshake has failed, or its session has ended meanwhile: once for each that has begun and was not told to the session. */
  readonly insecure?: (error: unknown) => void;
  /** The transport is left for good. Called once. */
  gone(): void;
  /** Nothing is left of the connection: one that is closed gracefully waits for its peer to end, too. Called once, after `gone`. */
  readonly disconnected?: () => void;
  /** Calls it in a turn to come: others come first. */
  readonly later?: (call: () => void) => void;
}

/**
 * Moves one session over one transport, in either role: the only place where engine, socket and program meet. Everything goes through
 * `run`, which is synchronous; promises are awaited outside of it.
 */
export class Pump {
  readonly #session: Machine;
  readonly #transport: Transport;
  readonly #program: Program;
  /** Nothing is said to a transport that has not been started: it is not ours yet. */
  #started = false;
  #pumping = false;
  /** The transport was left while the session was pulled or written: who waits for the end has yet to hear why. */
  #goneMeanwhile = false;
  #writable = true;
  /** Octets that were given to the transport, and how many of them the session knows to be taken. */
  #given = 0;
  #taken = 0;
  #reading = true;
  #over = false;
  #handshaking = false;
  #leaving = false; // closed, secured or gone: the transport is not ours to read any more
  #closing = false; // gracefully: what the transport holds may still be taken
  /** Whether there is a connection; its end is told when the session is over. */
  #connection: 'open' | 'ended' | 'told' = 'open';
  #lingering: () => void = NOTHING;
  /** This session has had its share of a turn. */
  #resting = false;
  readonly #clock: Clock;
  #timer: (() => void) | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(session: Machine, transport: Transport, program: Program, clock: Clock = REAL_CLOCK) {
    this.#clock = clock;
    this.#session = session;
    this.#transport = transport;
    this.#program = program;
  }

  get over(): boolean {
    return this.#over;
  }

  start(): void {
    this.#started = true;
    try {
      this.#transport.start(this.#sink());
    } catch (error) {
      return this.#break(error);
    }
    this.act(NOTHING);
  }

  #sink(): Sink {
    const session = this.#session;
    return {
      data: (bytes) => this.act(() => session.receive(bytes)),
      end: () => this.act(() => session.receiveEnd()),
      lost: (cause) => {
        this.#insecure(cause ?? new Error(ENDED));
        if (!this.#over) {
          if (!this.#closing) this.#program.failed(cause);
          this.#lost();
        }
        this.#disconnect();
      },
      drained: () => {
        this.#writable = true;
        this.act(NOTHING);
        if (this.#closing) this.#left();
      },
    };
  }

  /** Does something to the session, at its time, and what follows from it. */
  act<T>(call: () => T): T {
    const now = this.#clock.now();
    if (this.#handshaking && now >= this.#session.deadline) this.#insecure(new Error('no TLS handshake in time'));
    this.#session.tick(now);
    this.#passed();
    const result = call();
    // A session that has had its share waits for its turn, whatever happens meanwhile.
    if (!this.#resting) this.run();
    return result;
  }

  /** Says, writes and does all that can be now. */
  run(): void {
    if (this.#pumping || !this.#started) return;
    this.#pumping = true;
    if (this.#handshaking && this.#session.phase === 'closed') this.#insecure(new Error(IN_CLEAR));
    try {
      do {
        this.#program.pull();
        // Its output is full: the other sessions come first, however much this one has been sent.
        if (this.#session.wants === 'flush' && this.#writable) this.#rest();
      } while (this.#flush() && !this.#resting);
    } catch (error) {
      this.#pumping = false;
      return this.#break(error);
    }
    this.#pumping = false;
    if (this.#goneMeanwhile) this.#gone();
    if (this.#leaving) return;
    try {
      this.#follow();
    } catch (error) {
      this.#break(error);
    }
  }

  /** Something has thrown that must not: the session is over, and whoever waits for it is told. */
  #break(error: unknown): void {
    this.#program.broken(error);
    this.#insecure(error);
    if (this.#over) return;
    const { broken } = this.#program;
    notify(() => this.#passed(), broken);
    this.#session.lost();
    this.#leaving = true;
    notify(() => this.#program.pull(), broken);
    notify(() => this.#transport.abort(), broken);
    this.#gone();
    this.#disconnect();
  }

  /** Ends at once: what is not yet decided is lost. `last` is done to the session before. */
  abort(last: () => void = NOTHING): void {
    this.#insecure(new Error(ENDED));
    if (!this.#over) {
      this.#session.tick(performance.now());
      last();
      this.#lost();
    }
    this.#transport.abort();
    this.#disconnect();
  }

  /** Nothing more is taken, and the session gets to know it. */
  #lost(): void {
    this.#passed();
    this.#session.lost();
    this.#leaving = true;
    this.run();
    this.#gone();
  }

  /** Goes on in a turn to come. */
  #rest(): void {
    const { later } = this.#program;
    if (later === undefined || this.#resting) return;
    this.#resting = true;
    later(() => {
      this.#resting = false;
      if (!this.#over) this.act(NOTHING);
    });
  }

  /** Writes what there is; true if more may have come to be sayable by it. */
  #flush(): boolean {
    // The last replies of a session that is over go out whatever the transport says: they are few, and closing is bounded.
    if (this.#leaving || !(this.#writable || this.#session.phase === 'closed')) return false;
    const output = this.#session.nextOutput();
    if (output === null) return false;
    this.#given += output.length;
    this.#writable = this.#transport.write(output);
    this.#passed();
    return true;
  }

  /** Tells the session what the operating system has taken: a buffer of ours, or of the runtime's, may still be lost with the connection. */
  #passed(): void {
    const taken = this.#given - this.#transport.unwritten;
    if (taken <= this.#taken) return;
    this.#session.written(taken - this.#taken);
    this.#taken = taken;
  }

  /** Does what the session wants next. */
  #follow(): void {
    const { wants, reads } = this.#session;
    this.#schedule();
    if (wants === 'abort' || (wants === 'close' && this.#program.abrupt())) return this.abort();
    if (wants === 'close') {
      this.#leaving = true;
      this.#closing = true;
      this.#lingering = this.#clock.timer(() => this.abort(), LINGER_MS);
      this.#transport.close();
      return this.#left();
    }
    if (wants === 'tls' && this.#writable) return this.#secure();
    const reading = reads && this.#program.hasRoom();
    if (reading === this.#reading) return;
    this.#reading = reading;
    if (reading) this.#transport.resume();
    else this.#transport.pause();
  }

  /** Closed gracefully, the transport is left when it has nothing more to write. */
  #left(): void {
    if (this.#transport.unwritten > 0) return;
    this.#passed();
    this.run();
    this.#gone();
  }

  /** RFC 3207: the 220 is out, or in; what comes now is the handshake. */
  #secure(): void {
    const { secure } = this.#transport;
    if (secure === undefined || this.#leaving) return;
    this.#leaving = true;
    this.#handshaking = true;
    secure.call(this.#transport).then(
      (tls) => {
        this.#handshaking = false;
        this.#leaving = this.#session.phase === 'closed';
        if (this.#leaving) return this.abort();
        this.#reading = false;
        this.act(() => this.#session.secured(tls));
      },
      (error) => {
        this.#insecure(error);
        this.#program.failed(error);
        this.abort();
      },
    );
  }

  /** Before all that follows from it. */
  #insecure(error: unknown): void {
    if (!this.#handshaking) return;
    this.#handshaking = false;
    this.#program.insecure?.(error);
  }

  /** One timer, which is moved only when it would fire too late: deadlines mostly move away. */
  #schedule(): void {
    const { deadline } = this.#session;
    if (deadline >= this.#timerAt) return;
    this.#timer?.();
    this.#timerAt = deadline;
    const wait = Math.max(0, Math.ceil(deadline - this.#clock.now()));
    this.#timer = this.#clock.timer(() => {
      this.#timer = null;
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.act(NOTHING);
      if (this.#session.phase !== 'closed') return this.#schedule();
      // A TLS handshake that did not end in time.
      if (this.#leaving && !this.#closing) this.abort();
    }, wait);
  }

  #gone(): void {
    if (this.#pumping) {
      this.#goneMeanwhile = true;
      return;
    }
    this.#timer?.();
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#over) return;
    this.#over = true;
    this.#program.gone();
    if (this.#connection === 'ended') this.#disconnect();
  }

  /** Nothing is left of the connection: that is told when the session is over. */
  #disconnect(): void {
    this.#lingering();
    if (this.#connection === 'told') return;
    this.#connection = this.#over ? 'told' : 'ended';
    if (this.#over) this.#program.disconnected?.();
  }
}
