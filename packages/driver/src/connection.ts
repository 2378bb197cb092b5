import { type Rejection, type ServerOptions, ServerSession } from '@ehlo/engine';
import { Application } from './application.ts';
import type { Authenticator } from './authentication.ts';
import type { Handler, Session } from './handler.ts';
import type { Address, Transport } from './transport.ts';

const NO_TLS: Rejection = { code: 421, enhanced: '4.7.0', text: 'TLS is required and not available, closing transmission channel' };

/** What setTimeout takes at the most. */
const LONGEST_TIMEOUT = 0x7fffffff;

/**
 * Moves one session over one transport: the only place where engine, socket and application meet. Everything goes through `pump`,
 * which is synchronous; a handler's promise is awaited outside of it.
 */
export class Connection implements Session {
  readonly id: number;
  readonly #session: ServerSession;
  readonly #transport: Transport;
  readonly #application: Application;
  readonly #closed: () => void;
  /** Made when somebody asks for the signal: it costs more than the rest of a connection's bookkeeping. */
  #controller: AbortController | null = null;
  #pumping = false;
  #writable = true;
  #reading = true;
  #over = false;
  #leaving = false; // closed, secured or gone: the transport is not ours to read any more
  #timer: ReturnType<typeof setTimeout> | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(
    id: number,
    transport: Transport,
    options: ServerOptions,
    handler: Handler,
    closed: () => void,
    authenticator: Authenticator | null = null,
  ) {
    this.id = id;
    this.#transport = transport;
    this.#closed = closed;
    const secure = transport.secure !== undefined;
    this.#session = new ServerSession({
      ...options,
      peer: transport.peer,
      ...(transport.tls === undefined ? {} : { tls: transport.tls }),
      // STARTTLS is offered only by a transport that can carry it out.
      ...(secure ? {} : { starttls: 'off' }),
    });
    this.#application = new Application(this.#session, handler, this, () => this.#pump(), authenticator);
    // Where TLS is required and can't be had, there is no service: never mail in clear.
    if (options.starttls === 'required' && !secure && transport.tls === undefined) this.#session.shutdown(NO_TLS);
  }

  get peer(): Session['peer'] {
    return this.#session.peer;
  }

  get proxy(): Session['proxy'] {
    return this.#transport.proxy ?? null;
  }

  get forwarded(): Session['forwarded'] {
    return this.#session.forwarded;
  }

  get counters(): Session['counters'] {
    return this.#session.counters;
  }

  get local(): Address {
    return this.#transport.local;
  }

  get hello(): Session['hello'] {
    return this.#session.hello;
  }

  get tls(): Session['tls'] {
    return this.#session.tls;
  }

  get identity(): string | null {
    return this.#session.identity;
  }

  get envelope(): Session['envelope'] {
    return this.#session.envelope;
  }

  get protocol(): string {
    return this.#session.protocol;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#over) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  start(): void {
    this.#transport.start({
      data: (bytes) => {
        this.#session.tick(performance.now());
        this.#session.receive(bytes);
        this.#pump();
      },
      end: () => {
        this.#session.tick(performance.now());
        this.#session.receiveEnd();
        this.#pump();
      },
      lost: () => {
        this.#session.lost();
        this.#leaving = true;
        this.#pump();
        this.#gone();
      },
      drained: () => {
        this.#writable = true;
        this.#session.tick(performance.now());
        this.#pump();
      },
    });
    this.#session.tick(performance.now());
    this.#pump();
  }

  shutdown(rejection?: Rejection): void {
    this.#session.tick(performance.now());
    this.#session.shutdown(rejection);
    this.#pump();
  }

  /** Ends at once: what is not yet accepted is not accepted. */
  abort(): void {
    if (this.#leaving) return this.#transport.abort();
    this.#session.lost();
    this.#leaving = true;
    this.#pump();
    this.#transport.abort();
    this.#gone();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#pull() || this.#flush());
    this.#pumping = false;
    if (!this.#leaving) this.#follow();
  }

  /** Takes the events that there is room for. Always false: all that follows from them has been said. */
  #pull(): boolean {
    while (this.#application.hasRoom) {
      const event = this.#session.nextEvent();
      if (event === null) break;
      this.#application.take(event);
    }
    return false;
  }

  /** Writes what there is; true if more may have come to be sayable by it. */
  #flush(): boolean {
    // The last replies of a session that is over go out whatever the transport says: they are few, and closing is bounded.
    if (this.#leaving || !(this.#writable || this.#session.phase === 'closed')) return false;
    const output = this.#session.nextOutput();
    if (output === null) return false;
    this.#writable = this.#transport.write(output);
    return true;
  }

  /** Does what the session wants next. */
  #follow(): void {
    const { wants, reads } = this.#session;
    this.#schedule();
    if (wants === 'close') {
      this.#leaving = true;
      this.#transport.close();
      return this.#gone();
    }
    if (wants === 'tls' && this.#writable) return this.#secure();
    const reading = reads && this.#application.hasRoom;
    if (reading === this.#reading) return;
    this.#reading = reading;
    if (reading) this.#transport.resume();
    else this.#transport.pause();
  }

  /** RFC 3207: the 220 is out; what comes now is the handshake. */
  #secure(): void {
    const { secure } = this.#transport;
    if (secure === undefined || this.#leaving) return;
    this.#leaving = true;
    secure.call(this.#transport).then(
      (tls) => {
        this.#leaving = this.#session.phase === 'closed';
        if (this.#leaving) return this.#transport.abort();
        this.#session.tick(performance.now());
        this.#session.secured(tls);
        this.#reading = false;
        this.#pump();
      },
      () => {
        this.#session.lost();
        this.#pump();
        this.#transport.abort();
        this.#gone();
      },
    );
  }

  /** One timer, which is moved only when it would fire too late: deadlines mostly move away. */
  #schedule(): void {
    const { deadline } = this.#session;
    if (deadline >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = deadline;
    const wait = Math.min(Math.max(0, Math.ceil(deadline - performance.now())), LONGEST_TIMEOUT);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#session.tick(performance.now());
      this.#pump();
      if (this.#session.phase !== 'closed') return this.#schedule();
      if (!this.#leaving || this.#over) return;
      // A TLS handshake that did not end in time.
      this.#transport.abort();
      this.#gone();
    }, wait);
  }

  #gone(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort();
    this.#closed();
  }
}
