import {
  type AuthOptions,
  checkOptions,
  type QuestionType,
  type Rejection,
  SERVER_OPTIONS,
  type ServerOptions,
  ServerSession,
  type TableOf,
  type TrustedVerb,
} from '@ehlo/engine';
import { aside, toConsole, type Warn } from './aside.ts';
import { type Authentication, Authenticator, isAuthentication } from './authentication.ts';
import { checkLeast, checkProtection, checkQuestions } from './check-options.ts';
import { Connection } from './connection.ts';
import { checkMechanisms } from './credentials.ts';
import { Failures } from './failures.ts';
import type { Handler } from './handler.ts';
import { checkHandler } from './handler-methods.ts';
import { OTHER_NAMES } from './other-names.ts';
import { staysHere } from './staying.ts';
import { timer } from './timer.ts';
import type { Address, Connected, Listener, Transport } from './transport.ts';
import { Turns } from './turns.ts';

/** What `serve` takes beside the session's options. `ask` follows from the handler's methods; `peer` and `tls` from the transport. */
export interface ServeOptions extends Omit<ServerOptions, 'ask' | 'auth' | 'peer' | 'tls' | 'trust'> {
  /** Mechanisms as values, and who judges; or names of mechanisms that the handler's `auth` carries out. */
  readonly auth?: Authentication | AuthOptions;
  /**
   * Who may speak for its client by XCLIENT, or for whom it had a message from by XFORWARD: proxies of your own, by their connection. Only
   * `true`, at once, is trust: a function that fails is told to the handler's `error`.
   */
  readonly trusted?: { readonly [verb in TrustedVerb]?: (peer: Address) => boolean };
  /** Connections at a time, until they are gone; as many more are told 421, and beyond that they are closed. Default 10000. */
  readonly connections?: number;
  /** How long `close` lets open sessions finish, and their clients go, in milliseconds. Default 30000. */
  readonly grace?: number;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

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
const TRUSTED: TableOf<{ readonly [verb in TrustedVerb]?: unknown }> = { XCLIENT: 'call', XFORWARD: 'call' };

/** The options of `serveOn`: every name, and what it may be. */
export const SERVE_OPTIONS: TableOf<ServeOptions> = {
  ...OF_SESSION,
  auth: SERVE_AUTH,
  trusted: TRUSTED,
  connections: 'number',
  grace: 'number',
  signal: 'object',
};

/** Connections at a time, if nothing is said. */
export const CONNECTIONS = 10_000;
const GRACE = 30_000;

const CROWDED: Rejection = { code: 421, enhanced: '4.3.2', text: 'Too many connections, closing transmission channel' };

const QUESTIONS: readonly QuestionType[] = ['connect', 'hello', 'starttls', 'auth', 'mail', 'rcpt', 'data', 'message', 'info', 'xclient'];

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
  #emptied: () => void = () => {};

  constructor(listener: Listener, options: ServeOptions, handler: Handler, failures: Failures) {
    checkHandler(handler);
    const {
      connections = CONNECTIONS,
      grace = GRACE,
      signal,
      auth,
      trusted = {},
      ...session
    } = checkOptions(SERVE_OPTIONS, options, OTHER_NAMES);
    checkLeast({ connections }, 1);
    checkLeast({ grace }, 0);
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
    const optionsFor = variantsOf(sessionOptions);
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
      const away = this.#closing !== null ? undefined : insecure ? NO_TLS : isFull() ? CROWDED : null;
      if (away !== null && turnedAway >= connections) return transport.abort();
      const connection = new Connection(++this.#count, transport, options, handler, closed, disconnected, turns, authenticator, failures);
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
    listener.accept(Object.assign(connected, { reserve }));
    const close = (): void =>
      aside(
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
   * connections are gone.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const listening = this.#listener.close();
    listening.catch(() => {}); // it is awaited when the sessions are over
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const connection of this.#open) connection.shutdown();
    if (this.#open.size + this.#lingering.size > 0) {
      const graceful = timer(() => {
        for (const connection of [...this.#open, ...this.#lingering]) connection.abort();
      }, this.#grace);
      await emptied;
      clearTimeout(graceful);
    }
    await listening;
  }
}

/** Whether a function of the program says yes: by `true` alone, and at once. One that fails says no. */
function isYes(call: () => unknown, failed: (error: unknown) => void): boolean {
  let yes = false;
  aside(() => {
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
    const safe = starttls === 'off' && !trust.includes('XCLIENT') && staysHere(transport);
    const inClear = auth?.inClear ?? safe;
    const key = `${starttls} ${inClear} ${trust.join(' ')}`;
    const variant = variants.get(key) ?? { ...options, starttls, trust, ...(auth === undefined ? {} : { auth: { ...auth, inClear } }) };
    variants.set(key, variant);
    return variant;
  };
}

/**
 * Serves SMTP to the connections of a listener. Throws `SmtpUsageError` if the options are wrong. `warn` is told, once, of a handler that
 * fails and has no method `error`, or whose `error` fails; default: the console.
 */
export function serveOn(listener: Listener, options: ServeOptions, handler: Handler, warn: Warn = toConsole): Server {
  return new Server(listener, options, handler, new Failures(handler, warn));
}
