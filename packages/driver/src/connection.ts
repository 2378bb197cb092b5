import { type Rejection, type ServerOptions, ServerSession, type TlsInfo } from '@ehlo/engine';
import { Application, type View } from './application.ts';
import { guardListeners } from './guarded-signal.ts';
import type { Session } from './handler.ts';
import type { Host } from './host.ts';
import { type Program, Pump } from './pump.ts';
import type { Address, Transport } from './transport.ts';

/** One client of a server: its session and its transport, what the handler sees of it (`View`), and the callbacks of its pump (`Program`). */
export class Connection implements View, Program {
  readonly id: number;
  data: unknown;
  readonly #session: ServerSession;
  readonly #transport: Transport;
  readonly #application: Application;
  readonly #pump: Pump;
  readonly #host: Host;
  /** Created at the first use of the signal: it costs more than the rest of a connection's data. */
  #controller: AbortController | null = null;
  /** The TLS connection that was reported to the handler. */
  #tls: TlsInfo | null = null;

  constructor(id: number, transport: Transport, options: ServerOptions, data: unknown, host: Host) {
    this.id = id;
    this.data = data;
    this.#transport = transport;
    this.#host = host;
    const { peer, tls } = transport;
    const facts = tls === undefined ? { peer } : { peer, tls };
    const session = host.around(new ServerSession(options, facts), options, facts);
    this.#session = session;
    this.#application = new Application(session, this, host);
    this.#pump = new Pump(session, transport, this, host.alarms);
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
      guardListeners(this.#controller.signal, (error) => this.#host.failures.tell(error, 'signal', this));
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

  /** The session goes on: there is room again. */
  goOn(): void {
    this.#pump.goOn();
  }

  /** Answers something. */
  act(call: () => void): void {
    this.#pump.act(call);
  }

  /** Takes the events that there is room for. All output that follows from an event was queued when it is taken. */
  pull(): void {
    const session = this.#session;
    const application = this.#application;
    const { tls } = session;
    if (tls !== null && tls !== this.#tls) {
      this.#tls = tls;
      application.secured(tls);
    }
    application.forget();
    // A closed session has only these events left: the handler gets them, whether or not it reads.
    while (application.hasRoom || session.phase === 'closed') {
      const event = session.nextEvent();
      if (event === null) break;
      application.take(event);
    }
  }

  hasRoom(): boolean {
    return this.#application.hasRoom;
  }

  abrupt(): boolean {
    return false;
  }

  failed(): void {}

  insecure(error: unknown): void {
    this.#application.insecure(error);
  }

  broken(error: unknown): void {
    this.#host.failures.tell(error, 'session', this);
  }

  gone(): void {
    this.#controller?.abort();
    this.#host.closed(this);
  }

  disconnected(): void {
    this.#host.disconnected(this);
  }

  later(call: () => void): void {
    this.#host.turns.add(call);
  }
}
