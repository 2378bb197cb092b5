import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { checkOptions, SmtpUsageError, type TableOf, type TlsInfo } from '@ehlo/engine';
import type { Tls, Wrapped } from './handshake.ts';
import { checkPem, checkPems, pem, pems } from './pem.ts';
import { RUNTIME, rangeOf, TLS_VERSIONS, type TlsRange } from './runtime.ts';
import { demandCertificate, describeSocket, endPoint } from './tls-info.ts';

/** A certificate with its key, in PEM. */
export interface Certificate {
  /** The private key, in PEM. */
  readonly key: string | Uint8Array;
  /** The certificate with its chain, in PEM. */
  readonly cert: string | Uint8Array;
  /** Passphrase of the key. */
  readonly passphrase?: string;
  /**
   * The names that clients ask for (SNI) and that this certificate answers; `*.example.org` answers one label. The first certificate
   * answers all others.
   */
  readonly servernames?: readonly string[];
}

export interface TlsSettings extends Certificate, TlsRange {
  /** More certificates, chosen by the name that the client asks for. */
  readonly certificates?: readonly Certificate[];
  /**
   * Chooses by the name that the client asks for (SNI), in small letters, now or later; null and undefined leave it to `servernames`. An
   * object that was given before is not read again. Where it throws the handshake fails, and `tlsFailed` is told why.
   */
  readonly certificateFor?: (servername: string) => Chosen | Promise<Chosen>;
  /**
   * Ask clients for a certificate; one that is not signed by `ca` is told as such, and refused only with `rejectUnauthorized`. Default:
   * false.
   */
  readonly requestCert?: boolean;
  /** The handshake fails without a certificate of the client that `ca` has signed. Default: false. */
  readonly rejectUnauthorized?: boolean;
  /** Authorities for the clients' certificates, in PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
}

type Chosen = Certificate | null | undefined;

/** A certificate, every name, and what it may be. */
export const CERTIFICATE_OPTIONS: TableOf<Certificate> = { key: 'any', cert: 'any', passphrase: 'string', servernames: 'list' };

/** The settings, every name, and what it may be. */
export const SERVER_TLS: TableOf<TlsSettings> = {
  ...CERTIFICATE_OPTIONS,
  certificates: 'list',
  certificateFor: 'call',
  requestCert: 'switch',
  rejectUnauthorized: 'switch',
  ca: 'any',
  minVersion: TLS_VERSIONS,
  maxVersion: TLS_VERSIONS,
  ciphers: 'text',
};

/** A certificate that has been read. */
interface Loaded {
  readonly context: SecureContext;
  /** What `tls-server-end-point` binds to. */
  readonly endPoint: Uint8Array;
}

/** Settings that have been read. */
interface Ready {
  readonly settings: TlsSettings;
  /** By the name that a client asks for; empty: it asks for none. */
  readonly choose: (servername: string) => Loaded;
  /** The program's choice; null: it has none. */
  readonly ask: ((servername: string) => Promise<Loaded>) | null;
}

/**
 * The server's side of TLS. `update` takes new certificates for the handshakes that follow: sessions that are open keep theirs.
 * Throws `SmtpUsageError` where a key or certificate is missing or no PEM, and Node's error if they can't be read or do not belong together.
 */
export class ServerTls implements Tls {
  #ready: Ready;

  constructor(settings: TlsSettings) {
    this.#ready = load(settings);
  }

  /** What an option says: null where there is no TLS. */
  static from(tls: TlsSettings | ServerTls | undefined): ServerTls | null {
    if (tls === undefined || tls instanceof ServerTls) return tls ?? null;
    return new ServerTls(tls);
  }

  update(settings: TlsSettings): void {
    this.#ready = load(settings);
  }

  /** Begins the server's side of a handshake over a socket, or over any stream. */
  wrap(stream: Duplex): Wrapped {
    const { settings, choose, ask } = this.#ready;
    let chosen: Loaded = choose('');
    const now = (servername: string, answer: Answer): void => {
      chosen = choose(servername);
      answer(null, chosen.context);
    };
    const later = (servername: string, answer: Answer): void =>
      void ask!(servername).then(
        (loaded) => {
          chosen = loaded;
          answer(null, loaded.context);
          goOn(socket);
        },
        (error: unknown) => answer(error instanceof Error ? error : new Error(String(error))),
      );
    const options: ConstructorParameters<typeof TLSSocket>[1] & { allowHalfOpen: boolean } = {
      isServer: true,
      secureContext: chosen.context,
      // Only where there is a choice: with a callback Deno keeps what belongs to each handshake that fails.
      ...(ask !== null || settings.certificates?.length ? { SNICallback: ask === null ? now : later } : {}),
      requestCert: settings.requestCert ?? false,
      rejectUnauthorized: false,
      allowHalfOpen: true,
    };
    // Node's types ask for a net.Socket; what it does is to take any Duplex.
    const socket = new TLSSocket(stream as Socket, options);
    const describe = (): TlsInfo => {
      // Not the socket's own word for the certificate: not every runtime tells the one that the name has picked.
      const info = describeSocket(socket, () => chosen.endPoint);
      return settings.rejectUnauthorized === true ? demandCertificate(info) : info;
    };
    return { socket, secured: 'secure', describe };
  }
}

type Answer = (error: Error | null, context?: SecureContext) => void;

/** Deno waits for octets of the client where it should go on with the certificate; over a stream that has none it would wait for ever. */
function goOn(socket: TLSSocket): void {
  if (RUNTIME === 'Deno') (socket as TLSSocket & { _start?: () => void })._start?.();
}

/** RFC 5246 7.4.1.1: a handshake within a session may be refused. A client could ask for one after the other, each at the server's cost. */
const secureOptions: number = constants.SSL_OP_NO_RENEGOTIATION;

/** Reads all certificates. */
function load(given: TlsSettings): Ready {
  const settings = checkOptions(SERVER_TLS, given, {}, 'tls');
  const { certificates = [], certificateFor, rejectUnauthorized = false, requestCert = false } = settings;
  if (rejectUnauthorized && !requestCert)
    throw new SmtpUsageError('bad-option', 'tls.rejectUnauthorized is about certificates of clients, which tls.requestCert has to ask for');
  const range = rangeOf(settings);
  const names = new Map<string, Loaded>();
  if (settings.ca !== undefined) checkPems('tls.ca', settings.ca, 'CERTIFICATE');
  const [first] = [settings, ...certificates].map((certificate, i) => {
    const path = i === 0 ? 'tls' : `tls.certificates.${i - 1}`;
    if (i > 0) checkOptions(CERTIFICATE_OPTIONS, certificate, {}, path);
    const loaded = read(path, certificate, settings, range);
    for (const name of certificate.servernames ?? []) names.set(name.toLowerCase(), loaded);
    return loaded;
  });
  const choose = (servername: string): Loaded => {
    const name = servername.toLowerCase();
    return names.get(name) ?? names.get(name.replace(/^[^.]+/, '*')) ?? first!;
  };
  if (certificateFor === undefined) return { settings, choose, ask: null };
  const known = new WeakMap<Certificate, Loaded>();
  const ask = async (servername: string): Promise<Loaded> => {
    // Not every runtime leaves it out where a client asks for none.
    const certificate = servername === '' ? null : await certificateFor(servername.toLowerCase());
    if (certificate === null || certificate === undefined) return choose(servername);
    const loaded = known.get(certificate) ?? read(GIVEN, checkOptions(CERTIFICATE_OPTIONS, certificate, {}, GIVEN), settings, range);
    known.set(certificate, loaded);
    return loaded;
  };
  return { settings, choose, ask };
}

/** The name of `certificateFor` in error messages. */
const GIVEN = 'tls.certificateFor()';

function read(path: string, { key, cert, passphrase }: Certificate, { ca }: TlsSettings, range: ReturnType<typeof rangeOf>): Loaded {
  checkPem(`${path}.key`, key, 'PRIVATE KEY');
  checkPem(`${path}.cert`, cert, 'CERTIFICATE');
  const options: SecureContextOptions = { key: pem(key), cert: pem(cert), ...range, sessionIdContext: SESSIONS, secureOptions };
  if (passphrase !== undefined) options.passphrase = passphrase;
  if (ca !== undefined) options.ca = pems(ca);
  const certified = new X509Certificate(pem(cert));
  // Deno would say nothing, and fail every handshake; the others say it each in a way of its own.
  if (!certified.checkPrivateKey(createPrivateKey({ key: pem(key), passphrase: passphrase ?? '' }))) throw new MismatchError();
  return { context: createSecureContext(options), endPoint: endPoint(certified.raw) };
}

/** As OpenSSL says it. */
class MismatchError extends Error {
  readonly code = 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';

  constructor() {
    super('the key is not that of the certificate');
  }
}

/** OpenSSL resumes no session for a client with a certificate, and ends the handshake, where sessions have no name. */
const SESSIONS = 'ehlo';
