import {
  type AuthOptions,
  checkOptions,
  type Extension,
  type QuestionType,
  SERVER_OPTIONS,
  type ServerOptions,
  type ServerPolicyOptions,
  ServerSession,
  type TableOf,
} from '@ehlo/engine';
import { type Authentication, Authenticator, isAuthentication } from './authentication.ts';
import { checkQuestions } from './check-options.ts';
import { checkMechanisms } from './credentials.ts';
import type { Handler } from './handler.ts';
import { checkHandler } from './handler-methods.ts';
import { OTHER_NAMES } from './other-names.ts';
import type { Address } from './transport.ts';

/** Who may speak for others: functions that get the address of the peer. */
export interface TrustedOptions {
  /** Whether this connection may give the facts of its client (XCLIENT). */
  readonly XCLIENT?: (peer: Address) => boolean;
  /** Whether this connection may give the facts of the client that it had a message from (XFORWARD). */
  readonly XFORWARD?: (peer: Address) => boolean;
}

/** What `serve` takes beside the session's options. `ask` follows from the handler's methods; `peer` and `tls` from the transport. */
export interface ServeOptions<Data = unknown, X extends Extension = Extension> extends ServerPolicyOptions {
  /**
   * Keywords of all the extensions to offer, in place of the preset's; and, beside them, extensions of the program's own, which
   * `defineExtension` has made. With only the latter, the preset's stay. `[...PRESETS.mx.extensions, 'DSN']` adds one. Offer an extension
   * only if the application does what it promises: DSN, for example, promises notifications. Default: the preset's.
   */
  readonly extensions?: readonly (string | X)[];
  /**
   * How clients authenticate: mechanisms as values, and the functions that check credentials; or names of mechanisms that `auth` of the
   * handler carries out.
   */
  readonly auth?: Authentication | AuthOptions;
  /**
   * Which connections may give the facts of their client by XCLIENT, or of the client that they had a message from by XFORWARD: those of
   * your own proxies. A function has to return `true`, at once, to trust; its errors are reported to the handler's `error`. Default: none.
   */
  readonly trusted?: TrustedOptions;
  /** Connections at a time, until they are gone. As many more are told 421, and beyond that they are closed. Default: 10000. */
  readonly connections?: number;
  /**
   * Makes what `session.data` is of each connection, before anything is asked. Where it throws, or gives a promise, the client is told 421:
   * what takes time is for `connect`.
   */
  readonly sessionData?: () => Data;
  /** How long `close` lets open sessions finish, and their clients go. Milliseconds; default: 30000. */
  readonly grace?: number;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

/** What the handler keeps with a session has to be made, unless it may be undefined. */
export type SessionDataOf<Data> = undefined extends Data ? unknown : { readonly sessionData: () => Data };

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

/** The checked options of a server; separate: the options of its sessions, and the authenticator of their clients. */
export interface CheckedServe {
  readonly connections: number;
  readonly grace: number;
  readonly signal: AbortSignal | undefined;
  readonly trusted: TrustedOptions;
  readonly sessionData: (() => unknown) | undefined;
  readonly sessionOptions: ServerOptions;
  readonly authenticator: Authenticator | null;
}

/**
 * For programs that make their own listener: throws the errors that `serveOn` would throw for these options and this handler, before a client can
 * connect. What depends on the listener is left to `serveOn`. Throws `SmtpUsageError`.
 */
export function checkServe<Data, X extends Extension>(given: ServeOptions<Data, X>, handler: Handler<Data, X>): CheckedServe {
  checkHandler(handler);
  const {
    auth,
    connections = CONNECTIONS,
    grace = GRACE,
    signal,
    trusted = {},
    sessionData,
    ...session
  } = checkOptions<ServeOptions>(SERVE_OPTIONS, given, OTHER_NAMES);
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
  return { connections, grace, signal, trusted, sessionData, sessionOptions, authenticator };
}
