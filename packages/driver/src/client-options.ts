import {
  AUTH,
  atOnce,
  CLIENT_OPTIONS,
  type ClientEvent,
  type ClientOptions,
  type ClientPolicyOptions,
  type Extension,
  type TableOf,
  type TlsInfo,
} from '@ehlo/engine';
import { formatAddressLiteral } from '@ehlo/grammar';
import type { ClientAuth } from './client-authentication.ts';
import { ClientError } from './client-error.ts';
import { checkCredentials } from './credentials.ts';
import { notify, once, type Warn } from './notify.ts';
import { type Address, cutOff, type Transport } from './transport.ts';

/** What `connect` takes beside the session's own options. */
export interface ConnectOptions<X extends Extension = Extension> extends ClientPolicyOptions {
  /**
   * Extensions of the program's own, which `defineExtension` has made. Their parameters can stand in envelopes, and their verbs be asked,
   * where the server offers them.
   */
  readonly extensions?: readonly X[];
  /**
   * What this client calls itself in EHLO: a domain or an address literal. Default: the address literal of its end of the connection;
   * RFC 5321 4.1.4.
   */
  readonly hostname?: string;
  /** Authenticates before anything is sent. `starttls` is `'required'` then, unless `credentials` is `'cleartext'`. */
  readonly auth?: ClientAuth;
  /**
   * STARTTLS: not at all, where it is offered, or else no session at all. Default: `'opportunistic'`; `'required'` with `auth`, unless
   * `credentials` is `'cleartext'`; RFC 3207.
   */
  readonly starttls?: 'off' | 'opportunistic' | 'required';
  /** Ends everything at once when it aborts, at any moment. */
  readonly signal?: AbortSignal;
  /**
   * Is told what happens: that there is a connection, and TLS; the server's greeting and offers, quirks and faults; and the conversation,
   * with the option `trace`. Where it fails, a warning says so, once.
   */
  readonly notice?: (notice: ClientNotice) => void;
}

const { tls: _tls, ...OF_SESSION } = CLIENT_OPTIONS;
/** The options of `auth`, and of `authenticate`. */
export const CLIENT_AUTH: TableOf<ClientAuth> = { mechanisms: 'given', user: 'given', password: 'given', token: 'given', authzid: 'given' };

/** The options of `connectOn`: every name, and what it may be. */
export const CONNECT_OPTIONS: TableOf<ConnectOptions> = { ...OF_SESSION, auth: CLIENT_AUTH, signal: 'signal', notice: 'call' };

/** There is a connection; its session is about to begin. Told by the `connect` of an adapter. */
export interface ConnectedNotice {
  readonly type: 'connected';
  readonly peer: Address;
}

/** A TLS handshake is done: by STARTTLS, or from the first octet, which the `connect` of an adapter tells. */
export interface SecuredNotice {
  readonly type: 'secured';
  readonly tls: TlsInfo;
}

/** What only tells. */
export type ClientNotice = Exclude<ClientEvent, { readonly type: 'challenge' }> | ConnectedNotice | SecuredNotice;

/** For adapters: the `notice` of the program, which may throw; `warn` is called for the first error. */
export function guardedNotice({ notice }: ConnectOptions, warn: Warn): (told: ClientNotice) => void {
  const failed = once(warn);
  return (told) =>
    notify(
      () => notice?.(told),
      (error) => failed(error, 'the function notice has failed'),
    );
}

/** The server that was asked for, for the mechanisms that want to know. */
export interface ServerName {
  readonly host?: string;
  readonly port?: number;
}

/** How much a client wants TLS: with credentials it is required, unless the program says in plain words that they may go in clear. */
export function starttlsOf({ starttls, auth, credentials }: ConnectOptions): NonNullable<ClientOptions['starttls']> {
  return starttls ?? (auth === undefined || credentials === 'cleartext' ? 'opportunistic' : 'required');
}

/**
 * The options of a session over a transport. `failed` is told what `toAscii` has thrown. Throws `ClientError` if the transport can't do what
 * they want, `SmtpUsageError` if they are wrong.
 */
export function sessionOptions(transport: Transport, options: ConnectOptions, failed: (error: unknown) => void): ClientOptions {
  const { auth, signal: _signal, notice: _notice, toAscii, ...session } = options;
  const { tls, secure, local } = transport;
  if (auth !== undefined) checkCredentials(auth);
  const starttls = starttlsOf(options);
  if (tls === undefined && secure === undefined && starttls === 'required') {
    cutOff(transport);
    throw new ClientError('tls-unavailable', 'TLS is required, and this transport can not become secure', { stage: 'tls' });
  }
  return {
    ...session,
    hostname: session.hostname ?? formatAddressLiteral(local.address) ?? '[127.0.0.1]',
    // STARTTLS is begun only on a transport that can carry it out.
    starttls: tls !== undefined || secure === undefined ? 'off' : starttls,
    ...(tls === undefined ? {} : { tls }),
    ...(toAscii === undefined ? {} : { toAscii: (domain: string) => asciiOf(domain, toAscii, failed) }),
    features: [AUTH, ...(session.features ?? [])],
  };
}

function asciiOf(domain: string, toAscii: NonNullable<ClientOptions['toAscii']>, failed: (error: unknown) => void): string | null {
  try {
    return atOnce(toAscii(domain), 'toAscii');
  } catch (error) {
    failed(error);
    return null;
  }
}
