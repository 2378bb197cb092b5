import { type Rejection, type ServerOptions, ServerSession, type TlsInfo } from '@ehlo/engine';
import { Application } from './application.ts';
import type { Authenticator } from './authentication.ts';
import type { Failures } from './failures.ts';
import { guardListeners } from './guarded-signal.ts';
import type { Handler, Session } from './handler.ts';
import { type Program, Pump } from './pump.ts';
import type { Clock } from './timer.ts';
import type { Address, Transport } from './transport.ts';
import type { Turns } from './turns.ts';

/** One client of a server: its session, moved over its transport, and its view for the handler. */
export class Connection implements Session {
  readonly id: number;
  data: unknown;
  readonly #session: ServerSession;
  readonly #transport: Transport;
  readonly #pump: Pump;
  readonly #failures: Failures;
  /** Made when somebody asks for the signal: it costs more than the rest of a connection's bookkeeping. */
  #controller: AbortController | null = null;
  /** What has been told of it. */
  #tls: TlsInfo | null = null;

  constructor(
    id: number,
    transport: Transport,
    options: ServerOptions,
    handler: Handler,
    closed: () => void,
    disconnected: () => void,
    turns: Turns,
    authenticator: Authenticator | null,
    failures: Failures,
    data: unknown,
    clock: Clock,
  ) {
    this.id = id;
    this.data = data;
    this.#transport = transport;
    this.#failures = failures;
    const { peer, tls } = transport;
    this.#session = new ServerSession(options, tls === undefined ? { peer } : { peer, tls });
    const application = new Application(this.#session, handler, this, () => this.#pump.act(() => {}), authenticator, failures, clock);
    const program: Program = {
      // All that follows from an event has been said when it is taken.
      pull: () => this.#pull(application),
      hasRoom: () => application.hasRoom,
      abrupt: () => false,
      failed: () => {},
      insecure: (error) => application.insecure(error),
      broken: (error) => failures.tell(error, 'session', this),
      gone: () => {
        this.#controller?.abort();
        closed();
      },
      disconnected,
      later: (call) => turns.add(call),
    };
    this.#pump = new Pump(this.#session, transport, program, clock);
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
      guardListeners(this.#controller.signal, (error) => this.#failures.tell(error, 'signal', this));
      if (this.#pump.over) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  start(): void {
    this.#pump.start();
  }

  shutdown(rejection?: Rejection): void {
    this.#pump.act(() => this.#session.shutdown(rejection));
  }

  abort(): void {
    this.#pump.abort();
  }

  /** Takes the events that there is room for. */
  #pull(application: Application): void {
    const { tls } = this.#session;
    if (tls !== null && tls !== this.#tls) {
      this.#tls = tls;
      application.secured(tls);
    }
    while (application.hasRoom) {
      const event = this.#session.nextEvent();
      if (event === null) break;
      application.take(event);
    }
  }
}
