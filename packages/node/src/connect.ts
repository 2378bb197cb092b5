import { connect as dialSocket, Socket } from 'node:net';
import { type Client, ClientError, connectOn, type ConnectOptions as DriverOptions, dial, starttlsOf, type Transport } from '@ehlo/driver';
import { ClientTls, type ClientTlsSettings } from './client-tls.ts';
import { SocketTransport } from './transport.ts';

export interface ConnectOptions extends DriverOptions {
  /** Host name or IP address. Default 127.0.0.1. */
  readonly host?: string;
  /** TCP port. Default 25; 465 with `implicitTls`, 587 with `auth`. */
  readonly port?: number;
  /** Path of a Unix socket, in place of host and port: LMTP's usual place. */
  readonly path?: string;
  readonly tls?: ClientTlsSettings;
  /** TLS from the first octet (RFC 8314 3.3), as on port 465. */
  readonly implicitTls?: boolean;
  /** Milliseconds that finding the host and connecting to it may take. Default 30000. */
  readonly connectTimeout?: number;
  /** The local address to connect from. */
  readonly localAddress?: string;
  /** Opens the connection in another way, such as through a proxy: a socket that is connected, or a transport of any kind. */
  readonly transport?: (target: Target, signal: AbortSignal) => Promise<Socket | Transport>;
}

/** Where a connection is to lead. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

const NO_OCTETS: Uint8Array = new Uint8Array(0);

/**
 * Connects to a server, greets it, and secures and authenticates as the options say. Resolves when messages can be sent.
 *
 * TLS is taken where it is offered, from whoever answers; with `starttls: 'required'`, `implicitTls` or `auth` it is required, and the
 * certificate verified. Rejects with `ClientError`, whose `code` is stable and whose text names the fix, if there is no session.
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const { host = '127.0.0.1', path, tls, implicitTls = false, connectTimeout = 30_000, localAddress, transport: open, ...rest } = options;
  const { port = implicitTls ? 465 : rest.auth === undefined ? 25 : 587, ...session } = rest;
  const target: Target = { host, port };
  const verified = implicitTls || starttlsOf(session) === 'required';
  const security = new ClientTls(tls ?? {}, path === undefined ? host : 'localhost', verified);
  const given = open === undefined ? null : await dial((signal) => open(target, signal), connectTimeout, session.signal);
  const made = given ?? (await dial((signal) => openSocket({ ...target, path, localAddress }, signal), connectTimeout, session.signal));
  const transport = made instanceof Socket ? new SocketTransport(made, path ?? null, security) : made;
  if (implicitTls && transport.tls === undefined) await shakeHands(transport, session);
  return await connectOn(transport, session, path === undefined ? target : {});
}

/** TLS from the first octet. */
async function shakeHands(transport: Transport, { limits, signal }: DriverOptions): Promise<void> {
  const { secure } = transport;
  if (secure === undefined) throw new ClientError('tls-unavailable', 'TLS is required, and this transport can not become secure');
  const { tlsTimeout = 60_000 } = limits ?? {};
  try {
    transport.tls = await dial(
      (stop) => {
        stop.addEventListener('abort', () => transport.abort());
        return secure.call(transport, NO_OCTETS);
      },
      tlsTimeout,
      signal,
    );
  } catch (error) {
    transport.abort();
    throw error instanceof ClientError
      ? error
      : new ClientError('tls-failed', `the TLS handshake failed: ${messageOf(error)}`, { stage: 'tls', cause: error });
  }
}

interface Place extends Target {
  readonly path: string | undefined;
  readonly localAddress: string | undefined;
}

function openSocket({ path, localAddress, ...target }: Place, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const local = localAddress === undefined ? {} : { localAddress };
    // allowHalfOpen: the end of the server's side is for the session to judge.
    const socket = dialSocket({ allowHalfOpen: true, ...(path === undefined ? { ...target, ...local } : { path }) });
    const stop = (): void => void socket.destroy();
    const fail = (error: Error): void => reject(explain(error, path ?? hostPort(target), target.host));
    const left = (): void => fail(new Error('closed'));
    const settled = (): void => {
      signal.removeEventListener('abort', stop);
      socket.off('connect', connected).off('close', settled).off('close', left);
    };
    const connected = (): void => {
      settled();
      socket.off('error', fail);
      resolve(socket);
    };
    socket.once('connect', connected).once('error', fail).once('close', left).once('close', settled);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
}

/** An IPv6 address in brackets. */
function hostPort({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Node's errors name neither the place nor what to do. */
function explain(error: NodeJS.ErrnoException, place: string, host: string): ClientError {
  const [first = error] = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [];
  const { code = '' } = first;
  const text = REASONS[code]?.(place, host) ?? `no connection to ${place}: ${first.message}`;
  return new ClientError('no-connection', text, { cause: error });
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
