import type { Alarms, Sleeper } from './alarms.ts';
import type { Machine } from './machine.ts';
import { notify } from './notify.ts';
import { LINGER_MS, type Sink, type Transport } from './transport.ts';

const NOTHING = (): void => {};
const NEVER = Number.POSITIVE_INFINITY;

const IN_CLEAR = 'octets in clear came before the TLS handshake';
const ENDED = 'the connection was ended before the TLS handshake was done';

/** The callbacks of the pump. */
export interface Program {
  /** Takes the events that there is room for, and says what follows from them. */
  pull(): void;
  /** Whether more octets may come; if not, reading stops and the peer is slowed down. */
  hasRoom(): boolean;
  /** Whether the connection of a session that is over is aborted, not closed gracefully. */
  abrupt(): boolean;
  /** The connection or its TLS handshake has failed. The session is ended by the pump. */
  failed(cause: unknown): void;
  /** The session or the transport has thrown an error, which they must not do: the connection is aborted. May be called again. */
  broken(error: unknown): void;
  /** A handshake failed, or the session ended during it. Called once for each handshake that did not succeed. */
  insecure?(error: unknown): void;
  /** The pump no longer uses the transport. Called once. */
  gone(): void;
  /** The connection has ended completely; after a graceful close, the peer has ended its side, too. Called once, after `gone`. */
  disconnected?(): void;
  /** Calls it in a later turn, after the other sessions. */
  later?(call: () => void): void;
}

/**
 * Moves one session over one transport, in either role. Time and input are given to the session when they come; `run` then handles its events
 * and its output, and acts on what it wants. All of this is synchronous: only the TLS handshake is a promise, and its result comes in as input
 * does. It is itself the sink of the transport and the sleeper of the alarms: a server has thousands of pumps, most of them idle, and each
 * closure would take as much memory as seven numbers.
 */
export class Pump implements Sink, Sleeper {
  readonly #session: Machine;
  readonly #transport: Transport;
  readonly #program: Program;
  /** Nothing is pulled or written before the transport is started. */
  #started = false;
  #pumping = false;
  /** The transport was given up while `run` was running: `gone` of the program is called at the end of `run`, after the events. */
  #goneMeanwhile = false;
  #writable = true;
  /** Octets that were given to the transport, and how many of them were reported to the session as taken. */
  #given = 0;
  #taken = 0;
  /** Whether the transport brings octets, and whether they are wanted. */
  #reading = true;
  #wanted = true;
  #over = false;
  #handshaking = false;
  #leaving = false; // closed, secured or gone: the transport is not ours to read any more
  #closing = false; // gracefully: what the transport holds may still be taken
  /** Whether there is a connection; its end is reported after the end of the session. */
  #connection: 'open' | 'ended' | 'told' = 'open';
  /** This session has used its share of a turn and waits for the next. */
  #resting = false;
  readonly #alarms: Alarms;
  alarmAt: number = NEVER;
  alarmPlace = -1;

  constructor(session: Machine, transport: Transport, program: Program, alarms: Alarms) {
    this.#alarms = alarms;
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
      this.#transport.start(this);
    } catch (error) {
      return this.#break(error);
    }
    this.goOn();
  }

  data(bytes: Uint8Array): void {
    this.#enter();
    this.#session.receive(bytes);
    if (!this.#wanted) this.#stop();
    this.#leave();
  }

  end(): void {
    this.#enter();
    this.#session.receiveEnd();
    this.#leave();
  }

  lost(cause?: unknown): void {
    if (this.#handshaking) this.#insecure(cause ?? new Error(ENDED));
    if (!this.#over) {
      if (!this.#closing) this.#program.failed(cause);
      this.#lost();
    }
    this.#disconnect();
  }

  drained(): void {
    this.#writable = true;
    this.goOn();
    if (this.#closing && !this.#over) this.#left();
  }

  /** Calls the session after it was told the time, then handles the results. */
  act<T>(call: () => T): T {
    this.#enter();
    const result = call();
    this.#leave();
    return result;
  }

  /** Lets the session go on: its time has passed, or its program has answered or has room again. */
  goOn(): void {
    this.#enter();
    this.#leave();
  }

  /** Called before anything is done to the session: tells it the time, and what the transport has taken. */
  #enter(): void {
    const now = this.#alarms.now();
    if (this.#handshaking && now >= this.#session.deadline) this.#insecure(new Error('no TLS handshake in time'));
    this.#session.tick(now);
    try {
      if (!this.#over) this.#passed();
    } catch (error) {
      this.#break(error);
    }
  }

  /** A session that has used its share of a turn does not run before its next turn, whatever comes meanwhile. */
  #leave(): void {
    if (!this.#resting) this.run();
  }

  /** Handles all events, writes all output, then acts on `wants`. */
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

  /** A function that must not throw has thrown: the error is reported and the session ends. */
  #break(error: unknown): void {
    this.#program.broken(error);
    this.#insecure(error);
    if (this.#over) return;
    this.#try(() => this.#passed());
    this.#session.lost();
    this.#leaving = true;
    if (!this.#pumping) this.#try(() => this.#program.pull());
    this.#try(() => this.#transport.abort());
    this.#gone();
    this.#disconnect();
  }

  /** At the end: an error is reported, and the remaining steps are still done. */
  #try(call: () => void): void {
    notify(call, (error) => this.#program.broken(error));
  }

  /** Ends at once: what is not decided yet is lost. `last` is called first. */
  abort(last: () => void = NOTHING): void {
    if (this.#handshaking) this.#insecure(new Error(ENDED));
    if (!this.#over) {
      this.#session.tick(this.#alarms.now());
      last();
      this.#lost();
    }
    this.#try(() => this.#transport.abort());
    this.#disconnect();
  }

  /** Ends the session as lost. */
  #lost(): void {
    this.#try(() => this.#passed());
    this.#session.lost();
    this.#leaving = true;
    this.run();
    this.#gone();
  }

  /** Goes on in a later turn. */
  #rest(): void {
    const program = this.#program;
    if (program.later === undefined || this.#resting) return;
    this.#resting = true;
    program.later(() => {
      this.#resting = false;
      if (!this.#over) this.goOn();
    });
  }

  /** Writes the pending output. Returns true if the session may have more. */
  #flush(): boolean {
    // The last replies of a session that is over are written even if the transport is full: they are few, and closing has a time limit.
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
      this.#alarms.set(this, this.#alarms.now() + LINGER_MS);
      this.#transport.close();
      return this.#left();
    }
    if (wants === 'tls' && this.#writable) return this.#secure();
    this.#wanted = reads && this.#program.hasRoom();
    // Most answers come before the next block, and then there is nothing to stop: the first that comes unwanted stops the transport.
    if (!this.#wanted) return this.#resting ? this.#stop() : undefined;
    if (this.#reading) return;
    this.#reading = true;
    this.#transport.resume();
  }

  /** Stops reading. */
  #stop(): void {
    if (!this.#reading) return;
    this.#reading = false;
    try {
      this.#transport.pause();
    } catch (error) {
      this.#break(error);
    }
  }

  /** Closed gracefully, the transport is left when it has nothing more to write. */
  #left(): void {
    if (this.#transport.unwritten > 0) return;
    this.#passed();
    this.run();
    this.#gone();
  }

  /** RFC 3207: 220 was sent (server) or received (client); the handshake starts. */
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

  /** Reports the failed handshake first, before anything else that follows from it. */
  #insecure(error: unknown): void {
    if (!this.#handshaking) return;
    this.#handshaking = false;
    this.#program.insecure?.(error);
  }

  /** The alarm is moved only if it would ring too late: most deadlines move to a later time. */
  #schedule(): void {
    const { deadline } = this.#session;
    if (deadline < this.alarmAt) this.#alarms.set(this, deadline);
  }

  /** The alarm has rung. */
  wake(): void {
    if (this.#closing) return this.abort();
    if (this.#over) return;
    this.goOn();
    if (this.#session.phase !== 'closed') return this.#schedule();
    // A TLS handshake that did not end in time.
    if (this.#leaving && !this.#closing) this.abort();
  }

  #gone(): void {
    if (this.#pumping) {
      this.#goneMeanwhile = true;
      return;
    }
    if (!this.#closing) this.#alarms.clear(this);
    if (this.#over) return;
    this.#over = true;
    this.#program.gone();
    if (this.#connection === 'ended') this.#disconnect();
  }

  /** The connection has ended completely: that is reported when the session is over. */
  #disconnect(): void {
    this.#alarms.clear(this);
    if (this.#connection === 'told') return;
    this.#connection = this.#over ? 'told' : 'ended';
    if (this.#over) this.#program.disconnected?.();
  }
}
