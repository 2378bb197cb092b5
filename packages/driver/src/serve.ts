import {
  type AuthOptions,
  checkFarewell,
  checkOptions,
  type Extension,
  type QuestionType,
  type Rejection,
  SERVER_OPTIONS,
  type ServerOptions,
  type ServerPolicyOptions,
  ServerSession,
  type TableOf,
  type TrustedVerb,
} from '@ehlo/engine';
import { failureOf } from './application.ts';
import { type Authentication, Authenticator, isAuthentication } from './authentication.ts';
import { checkProtection, checkQuestions } from './check-options.ts';
import { Connection } from './connection.ts';
import { checkMechanisms } from './credentials.ts';
import { Failures, withToldExtensions } from './failures.ts';
import type { Handler } from './handler.ts';
import { checkHandler } from './handler-methods.ts';
import { isLocalConnection } from './loopback.ts';
import { notify, toConsole, type Warn } from './notify.ts';
import { OTHER_NAMES } from './other-names.ts';
import { type Clock, REAL_CLOCK, timer } from './timer.ts';
import type { Address, Connected, Listener, Transport } from './transport.ts';
import { Turns } from './turns.ts';

/** Who may speak for others: functions that get the address of the peer. */
export interface TrustedOptions {
  /** Whether this connection may say who its client is. */
  readonly XCLIENT?: (peer: Address) => boolean;
  /** Whether this connection may say whom it had a message from. */
  readonly XFORWARD?: (peer: Address) => boolean;
}

/** What `serve` takes beside the session's options. `ask` follows from the handler's methods; `peer` and `tls` from the transport. */
export interface ServeOptions<Data = unknown, X extends Extension = Extension> extends ServerPolicyOptions {
  /**
   * Keywords of all the extensions to offer, in place of the preset's; and, beside them, extensions of the program's own, which
   * `defineExtension` has made. With those alone the preset's stay. `[...PRESETS.mx.extensions, 'DSN']` is one more. Offer only what the
   * application keeps its promise of: DSN, for one, is a promise to notify. Default: the preset's.
   */
  readonly extensions?: readonly (string | X)[];
  /** How clients authenticate: mechanisms as values, and who judges; or names of mechanisms that `auth` of the handler carries out. */
  readonly auth?: Authentication | AuthOptions;
  /**
   * Who may speak for its client by XCLIENT, or for whom it had a message from by XFORWARD: proxies of your own, by their connection. Only
   * `true`, at once, is trust: a function that fails is told to the handler's `error`. Default: nobody.
   */
  readonly trusted?: TrustedOptions;
  /** Connections at a time, until they are gone. As many more are told 421, and beyond that they are closed. Default: 10000. */
  readonly connections?: number;
  /** Makes what `session.data` is of each connection, before anything is asked. Where it throws, the client is told 421. */
  readonly sessionData?: () => Data;
  /** How long `close` lets open sessions finish, and their clients go. Milliseconds; default: 30000. */
  readonly grace?: number;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

/** What the handler keeps with a session has to be made, unless it may be undefined. */
export type SessionDataOf<Data> = undefined extends Data ? unknown : { readonly sessionData: () => Data };

/** How a server is closed. */
export interface CloseOptions {
  /** Cuts off every connection at once: nothing is said, and nothing waited for. Default: false: they have `grace` to end. */
  readonly now?: boolean;
  /** What clients are told, in place of the usual 421; such as `reject(421, '4.3.2', 'Back in an hour')`. */
  readonly reply?: Rejection;
}

/** The options of `close`: every name, and what it may be. */
export const CLOSE_OPTIONS: TableOf<CloseOptions> = { now: 'switch', reply: 'object' };

const { ask: _ask, peer: _peer, tls: _tls, trust: _trust, ...OF_SESSION } = SERVER_OPTIONS;
const SERVE_AUTH: TableOf<Authentication> = {
  mechanisms: 'list',
  required: 'switch',
  inClear: 'switch',
  lookup: 'call',
  verify: 'call',
  authorize: 'call',
  pepper: 'object',
};
const TRUSTED: TableOf<TrustedOptions> = { XCLIENT: 'call', XFORWARD: 'call' };

/** The options of `serveOn`: every name, and what it may be. */
export const SERVE_OPTIONS: TableOf<ServeOptions> = {
  ...OF_SESSION,
  auth: SERVE_AUTH,
  trusted: TRUSTED,
  connections: [1],
  sessionData: 'call',
  grace: [0],
  signal: 'signal',
};

/** Connections at a time, if nothing is said. */
export const CONNECTIONS = 10_000;
const GRACE = 30_000;

const CROWDED: Rejection = { code: 421, enhanced: '4.3.2', text: 'Too many connections, closing transmission channel' };

const QUESTIONS: readonly QuestionType[] = [
  'connect',
  'hello',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'message',
  'info',
  'command',
  'xclient',
];

const NO_TLS: Rejection = { code: 421, enhanced: '4.7.0', text: 'TLS is required and not available, closing transmission channel' };

const VERBS: readonly TrustedVerb[] = ['XCLIENT', 'XFORWARD'];

/** A running server. */
export class Server {
  readonly #listener: Listener;
  readonly #open: Set<Connection> = new Set();
  /** Their sessions are over; their clients have yet to end their side. */
  readonly #lingering: Set<Connection> = new Set();
  readonly #grace: number;
  #count = 0;
  /** Connections that are within their handshake. */
  #reserved = 0;
  #closing: Promise<void> | null = null;
  /** What clients are told that come while it closes. */
  #farewell: Rejection | undefined = undefined;
  /** Nobody is let in any more, not even to be told. */
  #cut = false;
  #emptied: () => void = () => {};

  constructor(listener: Listener, options: ServeOptions, handler: Handler, failures: Failures, clock: Clock = REAL_CLOCK) {
    checkHandler(handler);
    const {
      connections = CONNECTIONS,
      grace = GRACE,
      signal,
      auth,
      trusted = {},
      sessionData,
      ...session
    } = checkOptions(SERVE_OPTIONS, options, OTHER_NAMES);
    if (auth !== undefined) checkMechanisms(auth.mechanisms, 'server');
    const authenticator = auth !== undefined && isAuthentication(auth) ? new Authenticator(auth, session.hostname) : null;
    const authOptions = auth !== undefined && !isAuthentication(auth) ? auth : authenticator?.options;
    // Preset sink takes messages without the method `message`, too, and the driver drops them; the other presets demand it.
    const ask: QuestionType[] = QUESTIONS.filter(
      (type) =>
        handler[type] !== undefined || (type === 'auth' && authenticator !== null) || (type === 'message' && session.preset === 'sink'),
    );
    const sessionOptions: ServerOptions = { ...session, ...(authOptions === undefined ? {} : { auth: authOptions }), ask };
    checkQuestions(sessionOptions, ask);
    new ServerSession(sessionOptions); // wrong options are told here, not at the first connection
    checkProtection(listener, sessionOptions);
    const optionsFor = variantsOf(withToldExtensions(sessionOptions, failures));
    this.#listener = listener;
    this.#grace = grace;
    const turns = new Turns();
    /** Those that are turned away and not yet gone: they take no place, and have a bound of their own. */
    let turnedAway = 0;
    const isFull = (): boolean => this.#open.size + this.#lingering.size + this.#reserved - turnedAway >= connections;
    const connected = (transport: Transport): void => {
      const closed = (): void => {
        this.#open.delete(connection);
        this.#lingering.add(connection);
      };
      const disconnected = (): void => {
        this.#lingering.delete(connection);
        if (away !== null) turnedAway--;
        if (this.#open.size + this.#lingering.size === 0) this.#emptied();
      };
      const trust = VERBS.filter((verb) =>
        isYes(
          () => trusted[verb]?.(transport.peer),
          (error) => failures.tell(error, 'trusted', null),
        ),
      );
      const options = optionsFor(transport, trust);
      // Where TLS is required and can't be had, there is no service: never mail in clear.
      const insecure = session.starttls === 'required' && options.starttls === 'off' && transport.tls === undefined;
      const data = made(sessionData, (error) => failures.tell(error, 'sessionData', null));
      const unfit = insecure ? NO_TLS : isFull() ? CROWDED : data === null ? failureOf('connect') : null;
      const away = this.#closing !== null ? this.#farewell : unfit;
      if (this.#cut || (away !== null && turnedAway >= connections)) return transport.abort();
      const connection = new Connection(
        ++this.#count,
        transport,
        options,
        handler,
        closed,
        disconnected,
        turns,
        authenticator,
        failures,
        data?.value,
        clock,
      );
      this.#open.add(connection);
      if (away !== null) {
        turnedAway++;
        connection.shutdown(away);
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

/** What the program keeps with a session; null where it has failed to make it. */
function made(make: (() => unknown) | undefined, failed: (error: unknown) => void): { readonly value: unknown } | null {
  try {
    return { value: make?.() };
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

/** The options by what a connection can do and may say: there are few variants, and the sessions of each share one policy. */
function variantsOf(options: ServerOptions): (transport: Transport, trust: readonly TrustedVerb[]) => ServerOptions {
  const variants = new Map<string, ServerOptions>();
  return (transport, trust) => {
    // STARTTLS is offered only by a transport that can carry it out.
    const starttls = transport.secure === undefined ? 'off' : (options.starttls ?? 'off');
    const { auth } = options;
    // RFC 4954 4: without TLS, AUTH needs "some other mechanism that protects the session": this machine does. Not where TLS can be had,
    // and not for whom a proxy speaks by XCLIENT.
    const safe = starttls === 'off' && !trust.includes('XCLIENT') && isLocalConnection(transport);
    const inClear = auth?.inClear ?? safe;
    const key = `${starttls} ${inClear} ${trust.join(' ')}`;
    const variant = variants.get(key) ?? { ...options, starttls, trust, ...(auth === undefined ? {} : { auth: { ...auth, inClear } }) };
    variants.set(key, variant);
    return variant;
  };
}

/**
 * Serves SMTP to the connections of a listener. Throws `SmtpUsageError` if the options are wrong. `warn` is told, once, of a handler that
 * fails and has no method `error`, or whose `error` fails; default: the console. `clock` drives the sessions; default: the runtime's.
 */
export function serveOn<Data = undefined, X extends Extension = never>(
  listener: Listener,
  options: ServeOptions<Data, X> & SessionDataOf<Data>,
  handler: Handler<NoInfer<Data>, NoInfer<X>>,
  warn: Warn = toConsole,
  clock: Clock = REAL_CLOCK,
): Server {
  return new Server(listener, options, handler, new Failures(handler, warn), clock);
}
