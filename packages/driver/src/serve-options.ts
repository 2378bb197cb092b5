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

/** The options of a server, checked: those of its sessions apart, and whoever authenticates their clients. */
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
 * For who listens by himself: what `serveOn` would throw of its options and its handler, before anybody can connect. What a listener can not
 * give is left to `serveOn`. Throws `SmtpUsageError`.
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
