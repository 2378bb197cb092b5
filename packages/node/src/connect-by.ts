import { Socket } from 'node:net';
import {
  type Client,
  ClientError,
  CONNECT_OPTIONS,
  checkCredentials,
  connectOn,
  cutOff,
  type ConnectOptions as DriverOptions,
  dial,
  type Extension,
  guardedNotice,
  OTHER_NAMES,
  starttlsOf,
  type Transport,
} from '@ehlo/driver';
import { ClientSession, checkOptions, kindOf, SmtpUsageError, type TableOf } from '@ehlo/engine';
import { CLIENT_TLS, ClientTls, type ClientTlsSettings } from './client-tls.ts';
import type { Tls } from './handshake.ts';
import { SocketTransport } from './transport.ts';
import { warn } from './warn.ts';
import { withTls } from './with-tls.ts';

/** Where to connect to, and how: the same in every runtime. */
export interface ConnectPlace<X extends Extension = Extension> extends DriverOptions<X> {
  /** Host name or IP address of the server. Default: 127.0.0.1. */
  readonly host?: string;
  /** TCP port of the server. Default: 25; 465 with `implicitTls`, 587 with `auth`. */
  readonly port?: number;
  /** Path of a Unix socket, in place of host and port: LMTP's usual place. */
  readonly path?: string;
  /** Which certificates the client trusts, and its own certificate. */
  readonly tls?: ClientTlsSettings;
  /** TLS from the first octet, as on port 465. Default: false; RFC 8314 3.3. */
  readonly implicitTls?: boolean;
  /** How long finding the host and connecting to it may take; infinite for no limit. Milliseconds; default: 30000. */
  readonly connectTimeout?: number;
  /**
   * Opens the connection in another way, such as through a proxy: a socket of `node:net` that is connected, or a transport of any kind.
   * Where it can't become secure by itself, TLS is laid over it.
   */
  readonly transport?: (target: Target, signal: AbortSignal) => Promise<Socket | Transport>;
}

/** The local address is for those who can choose it. */
interface LocalPlace {
  readonly localAddress?: string;
}

/** The options of `connect`: every name, and what it may be. */
export const CONNECT_PLACE: TableOf<ConnectPlace & LocalPlace> = {
  ...CONNECT_OPTIONS,
  host: 'text',
  port: [1, 65_535],
  path: 'text',
  tls: CLIENT_TLS,
  implicitTls: 'switch',
  connectTimeout: [1],
  transport: 'call',
  localAddress: 'text',
};

/** Where a connection is to lead. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** How an adapter opens a connection; `path` is that of a Unix socket, and `tls` what it is to be secured with. */
export type Open = (target: Target, path: string | null, tls: Tls, signal: AbortSignal) => Promise<Transport>;

const NO_OCTETS: Uint8Array = new Uint8Array(0);

/** Makes the `connect` of an adapter from its way to open a connection. */
export async function connectBy<X extends Extension = never>(open: Open, given: ConnectPlace & LocalPlace): Promise<Client<X>> {
  const { localAddress: _localAddress, ...options }: ConnectPlace & LocalPlace = checkOptions(CONNECT_PLACE, given, OTHER_NAMES);
  const { host = '127.0.0.1', path = null, tls, implicitTls = false, connectTimeout = 30_000, transport: opening, ...rest } = options;
  const { port = implicitTls ? 465 : rest.auth === undefined ? 25 : 587, ...session } = rest;
  if (path !== null && (options.port ?? options.host) !== undefined)
    throw new SmtpUsageError(
      'bad-option',
      `path is in place of host and port: leave out ${options.port === undefined ? 'host' : 'port'}, or path`,
    );
  if (session.protocol === 'lmtp' && path === null && options.port === undefined && opening === undefined)
    throw new SmtpUsageError('bad-argument', 'LMTP has no port of its own: give port, or path');
  refuseMistakes(session);
  const target: Target = { host, port };
  // Credentials that may go to whoever answers under TLS ask for no certificate; the settings of TLS may, all the same.
  const anybody = session.auth !== undefined && session.credentials === 'encrypted';
  const verified = !anybody && (implicitTls || starttlsOf(session) === 'required');
  const security = new ClientTls(tls ?? {}, path === null ? host : 'localhost', verified, implicitTls);
  const transport = await dial(
    async (signal) =>
      opening === undefined
        ? await open(target, path, security, signal)
        : securable(await openedBy(() => opening(target, signal)), security),
    // One that nobody waits for any more.
    cutOff,
    connectTimeout,
    session.signal,
  );
  const notice = guardedNotice(session, warn);
  notice({ type: 'connected', peer: transport.peer });
  if (implicitTls && transport.tls === undefined) await shakeHands(transport, session);
  if (transport.tls !== undefined) notice({ type: 'secured', tls: transport.tls });
  return await connectOn(transport, session.notice === undefined ? session : { ...session, notice }, path === null ? target : {}, warn);
}

/** Throws `SmtpUsageError` `bad-option` for a local address: this runtime has no way to choose it. */
export function refuseLocalAddress(options: object, runtime: string): void {
  if ((options as LocalPlace).localAddress !== undefined)
    throw new SmtpUsageError('bad-option', `localAddress is given; ${runtime} can not choose where a connection comes from`);
}

/** Throws `SmtpUsageError` for options that no session can be made with: a mistake shows wherever it is made, whoever listens. */
function refuseMistakes({ auth, signal: _signal, notice: _notice, hostname = '[127.0.0.1]', ...session }: DriverOptions): void {
  if (auth !== undefined) checkCredentials(auth);
  new ClientSession({ ...session, hostname });
}

/** What the program's own way to connect fails with is whatever it likes: it comes as a `ClientError` all the same. */
async function openedBy(given: () => Promise<Socket | Transport>): Promise<Socket | Transport> {
  try {
    return await given();
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw new ClientError('no-connection', `no connection by the option transport: ${messageOf(error)}`, { cause: error });
  }
}

/** What a program has opened by itself. */
function securable(made: Socket | Transport, tls: Tls): Transport {
  const transport = made instanceof Socket ? new SocketTransport(made, null, null) : made;
  if (typeof (transport as Transport | null | undefined)?.start !== 'function')
    throw new SmtpUsageError(
      'bad-argument',
      `the option transport has given ${kindOf(made)}; it must give a socket of node:net that is connected, or a transport`,
    );
  return transport.secure === undefined && transport.tls === undefined ? withTls(transport, tls) : transport;
}

/** TLS from the first octet. */
async function shakeHands(transport: Transport, { limits, signal }: DriverOptions): Promise<void> {
  const { secure } = transport;
  if (secure === undefined) throw new ClientError('tls-unavailable', 'TLS is required, and this transport can not become secure');
  const { tlsTimeout = 60_000 } = limits ?? {};
  try {
    transport.tls = await dial(
      (stop) => {
        stop.addEventListener('abort', () => cutOff(transport));
        return secure.call(transport, NO_OCTETS);
      },
      () => {},
      tlsTimeout,
      signal,
      'tls',
    );
  } catch (error) {
    cutOff(transport);
    throw error instanceof ClientError
      ? error
      : new ClientError('tls-failed', `the TLS handshake failed: ${messageOf(error)}`, { stage: 'tls', cause: error });
  }
}

/** What a runtime's error means: it names neither the place nor what to do. */
export function unreachable(error: NodeJS.ErrnoException, target: Target, path: string | null): ClientError {
  const [first = error] = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [];
  // Somebody was there, and reset it at once: how soon a runtime sees that is chance.
  if (first.code === 'ECONNRESET') return new ClientError('lost', `the connection was lost: ${first.message}`, { cause: error });
  const place = path ?? hostPort(target);
  const text = REASONS[first.code ?? '']?.(place, target.host) ?? `no connection to ${place}: ${first.message}`;
  return new ClientError('no-connection', text, { cause: error });
}

/** An IPv6 address in brackets. */
function hostPort({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const REASONS: { readonly [code: string]: (place: string, host: string) => string } = {
  ECONNREFUSED: (place) => `nobody listens on ${place}`,
  ENOENT: (place) => `there is no socket ${place}`,
  EACCES: (place) => `no permission to connect to ${place}`,
  ENOTFOUND: (_, host) => `there is no host ${host}`,
  EAI_AGAIN: (_, host) => `the address of ${host} can't be found now: no name server answers`,
  ETIMEDOUT: (place) => `${place} does not answer`,
  EHOSTUNREACH: (place) => `there is no way to ${place}`,
  ENETUNREACH: (place) => `there is no way to ${place}`,
};

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
