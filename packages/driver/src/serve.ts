import {
  atOnce,
  checkFarewell,
  checkOptions,
  type Extension,
  type Rejection,
  type ServerOptions,
  type TableOf,
  type TrustedVerb,
} from '@ehlo/engine';
import { Alarms } from './alarms.ts';
import { failureOf } from './application.ts';
import { checkProtection } from './check-options.ts';
import { Connection } from './connection.ts';
import { Failures, withToldExtensions } from './failures.ts';
import type { Handler, Session } from './handler.ts';
import type { Around, Host } from './host.ts';
import { isLocalConnection } from './loopback.ts';
import { notify, toConsole, type Warn } from './notify.ts';
import { checkServe, type ServeOptions, type SessionDataOf } from './serve-options.ts';
import { type Clock, REAL_CLOCK, timer } from './timer.ts';
import type { Address, Connected, Listener, Transport } from './transport.ts';
import { Turns } from './turns.ts';

/** How a server is closed. */
export interface CloseOptions {
  /** Cuts off every connection at once: nothing is said, and nothing waited for. Default: false: they have `grace` to end. */
  readonly now?: boolean;
  /** What clients are told, in place of the usual 421; such as `reject(421, '4.3.2', 'Back in an hour')`. */
  readonly reply?: Rejection;
}

/** The options of `close`: every name, and what it may be. */
export const CLOSE_OPTIONS: TableOf<CloseOptions> = { now: 'switch', reply: 'object' };

const CROWDED: Rejection = { code: 421, enhanced: '4.3.2', text: 'Too many connections, closing transmission channel' };

const NO_TLS: Rejection = { code: 421, enhanced: '4.7.0', text: 'TLS is required and not available, closing transmission channel' };

const AS_IT_IS: Around = (session) => session;

const VERBS: readonly TrustedVerb[] = ['XCLIENT', 'XFORWARD'];

/** A running server. */
export class Server {
  readonly #listener: Listener;
  readonly #open: Set<Session> = new Set();
  /** Connections whose sessions are over and whose clients have not ended their side yet. */
  readonly #lingering: Set<Session> = new Set();
  readonly #grace: number;
  #count = 0;
  /** Connections that are within their handshake. */
  #reserved = 0;
  #closing: Promise<void> | null = null;
  /** The reply to clients that connect while the server closes. */
  #farewell: Rejection | undefined = undefined;
  /** No connection is accepted any more, not even for a reply. */
  #cut = false;
  #emptied: () => void = () => {};
  /** Removes the listener from the signal. */
  #stopListening: () => void = () => {};

  constructor(
    listener: Listener,
    options: ServeOptions,
    handler: Handler,
    failures: Failures,
    clock: Clock = REAL_CLOCK,
    around: Around = AS_IT_IS,
  ) {
    const { connections, grace, signal, trusted, sessionData, sessionOptions, authenticator } = checkServe(options, handler);
    checkProtection(listener, sessionOptions);
    const optionsFor = variantsOf(withToldExtensions(sessionOptions, failures));
    this.#listener = listener;
    this.#grace = grace;
    /** Refused connections that are not closed yet. They take no place of the option `connections`, and have a limit of their own, as large. */
    const away: Set<Session> = new Set();
    const isFull = (): boolean => this.#open.size + this.#lingering.size + this.#reserved - away.size >= connections;
    const host: Host = {
      handler,
      authenticator,
      failures,
      alarms: new Alarms(clock),
      turns: new Turns(),
      around,
      closed: (connection) => {
        this.#open.delete(connection);
        this.#lingering.add(connection);
      },
      disconnected: (connection) => {
        this.#lingering.delete(connection);
        away.delete(connection);
        if (this.#open.size + this.#lingering.size === 0) this.#emptied();
      },
    };
    const isTrusted = (verb: TrustedVerb, transport: Transport): boolean => {
      const trusts = trusted[verb];
      return (
        trusts !== undefined &&
        isYes(
          () => trusts(transport.peer),
          (error) => failures.tell(error, 'trusted', null),
        )
      );
    };
    const connected = (transport: Transport): void => {
      const options = optionsFor(transport, isTrusted('XCLIENT', transport), isTrusted('XFORWARD', transport));
      // Where TLS is required and can't be had, there is no service: never mail in clear.
      const insecure = sessionOptions.starttls === 'required' && options.starttls === 'off' && transport.tls === undefined;
      const data = sessionData === undefined ? NO_DATA : made(sessionData, (error) => failures.tell(error, 'sessionData', null));
      const unfit = insecure ? NO_TLS : isFull() ? CROWDED : data === null ? failureOf('connect') : null;
      const farewell = this.#closing !== null ? this.#farewell : unfit;
      if (this.#cut || (farewell !== null && away.size >= connections))
        return notify(
          () => transport.abort(),
          (error) => failures.tell(error, 'session', null),
        );
      const connection = new Connection(++this.#count, transport, options, data?.value, host);
      this.#open.add(connection);
      if (farewell !== null) {
        away.add(connection);
        connection.shutdown(farewell);
      }
      connection.start();
    };
    const reserve: Connected['reserve'] = () => {
      if (isFull()) return null;
      let held = 1;
      this.#reserved++;
      return () => {
        this.#reserved -= held;
        held = 0;
      };
    };
    const tlsFailed: Connected['tlsFailed'] = (error, peer) =>
      notify(
        () => handler.tlsFailed?.(error, peer, null),
        (failure) => failures.tell(failure, 'tlsFailed', null),
      );
    listener.accept(Object.assign(connected, { reserve, tlsFailed }));
    const close = (): void =>
      notify(
        () => this.close(),
        (error) => failures.tell(error, 'session', null),
      );
    signal?.addEventListener('abort', close, { once: true });
    this.#stopListening = () => signal?.removeEventListener('abort', close);
    if (signal?.aborted) close();
  }

  get address(): Address {
    return this.#listener.address;
  }

  /** Sessions that are open. */
  get connections(): number {
    return this.#open.size;
  }

  /** Connections whose session is over, and whose client has yet to end its side: for 5 seconds at the most. They have their place among all. */
  get lingering(): number {
    return this.#lingering.size;
  }

  /**
   * Takes no new connection, lets open transactions end, says 421 to everybody, and aborts what is left after `grace`. Resolves when all
   * connections are gone. With `now` none is waited for: a message that arrives is `aborted`, and one that was accepted, and whose reply was not
   * taken, is told to `unacknowledged`; it may be called so while it closes already. Rejects with `SmtpUsageError` where `reply` is no 421.
   */
  close(options: CloseOptions = {}): Promise<void> {
    try {
      const { now = false, reply } = checkOptions(CLOSE_OPTIONS, options);
      if (reply !== undefined) checkFarewell(reply);
      this.#closing ??= this.#close(now, reply);
      if (now) this.#cutOff();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #cutOff(): void {
    this.#cut = true;
    for (const connection of [...this.#open, ...this.#lingering]) connection.abort();
  }

  async #close(now: boolean, reply: Rejection | undefined): Promise<void> {
    this.#farewell = reply;
    this.#stopListening();
    const listening = this.#listener.close();
    listening.catch(() => {}); // it is awaited when the sessions are over
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    if (!now) for (const connection of this.#open) connection.shutdown(reply);
    if (this.#open.size + this.#lingering.size > 0) {
      const graceful = timer(() => this.#cutOff(), this.#grace);
      await emptied;
      clearTimeout(graceful);
    }
    await listening;
  }
}

/** The session data if the program gives none. */
const NO_DATA: { readonly value: unknown } = { value: undefined };

/** What the program keeps with a session; null where it has failed to make it. */
function made(make: () => unknown, failed: (error: unknown) => void): { readonly value: unknown } | null {
  try {
    return { value: atOnce(make(), 'sessionData') };
  } catch (error) {
    failed(error);
    return null;
  }
}

/** Whether a function of the program says yes: by `true` alone, and at once. One that fails says no. */
function isYes(call: () => unknown, failed: (error: unknown) => void): boolean {
  let yes = false;
  notify(() => {
    const answer = call();
    yes = answer === true;
    if (answer !== undefined && answer !== null && typeof answer !== 'boolean')
      failed(new TypeError('it has to return true or false, at once'));
    return answer;
  }, failed);
  return yes;
}

type Variants = (transport: Transport, xclient: boolean, xforward: boolean) => ServerOptions;

/** The options by what a connection can do and may say: there are few variants, and the sessions of each share one policy. */
function variantsOf(options: ServerOptions): Variants {
  const { auth } = options;
  const variants: ServerOptions[] = [];
  return (transport, xclient, xforward) => {
    // STARTTLS is offered only by a transport that can carry it out.
    const starttls = transport.secure === undefined ? 'off' : (options.starttls ?? 'off');
    // RFC 4954 4: without TLS, AUTH needs "some other mechanism that protects the session": this machine does. Not where TLS can be had,
    // and not for clients of a proxy that uses XCLIENT.
    const inClear = auth !== undefined && (auth.inClear ?? (starttls === 'off' && !xclient && isLocalConnection(transport)));
    const number = (starttls === 'off' ? 0 : 1) + (inClear ? 2 : 0) + (xclient ? 4 : 0) + (xforward ? 8 : 0);
    variants[number] ??= {
      ...options,
      starttls,
      trust: VERBS.filter((verb) => (verb === 'XCLIENT' ? xclient : xforward)),
      ...(auth === undefined ? {} : { auth: { ...auth, inClear } }),
    };
    return variants[number];
  };
}

/**
 * Serves SMTP to the connections of a listener. Throws `SmtpUsageError` if the options are wrong. `warn` is told, once, of a handler that
 * fails and has no method `error`, or whose `error` fails; default: the console. `clock` drives the sessions; default: the runtime's. `around`
 * gives back what is driven in place of each session, as `watched` of `@ehlo/engine` does; default: the session.
 */
export function serveOn<Data = undefined, X extends Extension = never>(
  listener: Listener,
  options: ServeOptions<Data, X> & SessionDataOf<Data>,
  handler: Handler<NoInfer<Data>, NoInfer<X>>,
  warn: Warn = toConsole,
  clock: Clock = REAL_CLOCK,
  around?: Around,
): Server {
  return new Server(listener, options, handler, new Failures(handler, warn), clock, around);
}
