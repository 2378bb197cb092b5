import { type AuthOptions, type QuestionType, type Rejection, type ServerOptions, ServerSession, type TrustedVerb } from '@ehlo/engine';
import { type Authentication, Authenticator, isAuthentication } from './authentication.ts';
import { Connection } from './connection.ts';
import type { Handler } from './handler.ts';
import { timer } from './timer.ts';
import type { Address, Listener } from './transport.ts';

/** What `serve` takes beside the session's options. `ask` follows from the handler's methods; `peer` and `tls` from the transport. */
export interface ServeOptions extends Omit<ServerOptions, 'ask' | 'auth' | 'peer' | 'tls' | 'trust'> {
  /** Mechanisms as values, and who judges; or names of mechanisms that the handler's `auth` carries out. */
  readonly auth?: Authentication | AuthOptions;
  /** Who may speak for its client by XCLIENT, or for whom it had a message from by XFORWARD: proxies of your own, by their connection. */
  readonly trusted?: { readonly [verb in TrustedVerb]?: (peer: Address) => boolean };
  /** Connections at a time; one more is told 421. Default 10000. */
  readonly connections?: number;
  /** How long `close` lets open sessions finish, in milliseconds. Default 30000. */
  readonly grace?: number;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

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
  readonly #grace: number;
  #count = 0;
  #closing: Promise<void> | null = null;
  #emptied: () => void = () => {};

  constructor(listener: Listener, options: ServeOptions, handler: Handler) {
    const { connections = CONNECTIONS, grace = GRACE, signal, auth, trusted = {}, ...session } = options;
    const authenticator = auth !== undefined && isAuthentication(auth) ? new Authenticator(auth, session.hostname) : null;
    const authOptions = auth !== undefined && !isAuthentication(auth) ? auth : authenticator?.options;
    const ask: QuestionType[] = QUESTIONS.filter((type) => handler[type] !== undefined || (type === 'auth' && authenticator !== null));
    // The message question is always asked: the driver itself answers it where the handler does not.
    const sessionOptions: ServerOptions = {
      ...session,
      ...(authOptions === undefined ? {} : { auth: authOptions }),
      ask: handler.message === undefined && session.preset === 'sink' ? [...ask, 'message'] : ask,
    };
    new ServerSession(sessionOptions); // wrong options are told here, not at the first connection
    const optionsFor = variantsOf(sessionOptions);
    this.#listener = listener;
    this.#grace = grace;
    listener.accept((transport) => {
      const closed = (): void => {
        this.#open.delete(connection);
        if (this.#open.size === 0) this.#emptied();
      };
      const trust = VERBS.filter((verb) => trusted[verb]?.(transport.peer));
      const options = optionsFor(transport.secure !== undefined, trust);
      const connection = new Connection(++this.#count, transport, options, handler, closed, authenticator);
      // Where TLS is required and can't be had, there is no service: never mail in clear.
      if (session.starttls === 'required' && options.starttls === 'off' && transport.tls === undefined) connection.shutdown(NO_TLS);
      const crowded = this.#open.size >= connections;
      this.#open.add(connection);
      if (this.#closing !== null) connection.shutdown();
      else if (crowded) connection.shutdown(CROWDED);
      connection.start();
    });
    signal?.addEventListener('abort', () => void this.close(), { once: true });
    if (signal?.aborted) void this.close();
  }

  get address(): Address {
    return this.#listener.address;
  }

  /** Sessions that are open. */
  get connections(): number {
    return this.#open.size;
  }

  /** Takes no new connection, lets open transactions end, says 421 to everybody, and aborts what is left after `grace`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const listening = this.#listener.close();
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const connection of this.#open) connection.shutdown();
    if (this.#open.size > 0) {
      const graceful = timer(() => {
        for (const connection of this.#open) connection.abort();
      }, this.#grace);
      await emptied;
      clearTimeout(graceful);
    }
    await listening;
  }
}

/** The options by what a connection can do and may say: there are few variants, and the sessions of each share one policy. */
function variantsOf(options: ServerOptions): (secure: boolean, trust: readonly TrustedVerb[]) => ServerOptions {
  const variants = new Map<string, ServerOptions>();
  return (secure, trust) => {
    const key = `${secure} ${trust.join(' ')}`;
    // STARTTLS is offered only by a transport that can carry it out.
    const variant = variants.get(key) ?? { ...options, trust, ...(secure ? {} : { starttls: 'off' as const }) };
    variants.set(key, variant);
    return variant;
  };
}

/** Serves SMTP to the connections of a listener. Throws `SmtpUsageError` if the options are wrong. */
export function serveOn(listener: Listener, options: ServeOptions, handler: Handler): Server {
  return new Server(listener, options, handler);
}
