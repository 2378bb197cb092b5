import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { checkOptions, type TableOf } from '@ehlo/engine';
import type { Tls, Wrapped } from './handshake.ts';
import { checkPem, pem, pems } from './pem.ts';
import { describeSocket, endPoint } from './tls-info.ts';

/** A certificate with its key, in PEM. */
export interface Certificate {
  readonly key: string | Uint8Array;
  readonly cert: string | Uint8Array;
  /** Passphrase of the key. */
  readonly passphrase?: string;
  /** The names that clients ask for (SNI) and that this certificate answers; `*.example.org` answers one label. The first certificate answers all others. */
  readonly servernames?: readonly string[];
}

export interface TlsSettings extends Certificate {
  /** More certificates, chosen by the name that the client asks for. */
  readonly certificates?: readonly Certificate[];
  /** Ask clients for a certificate; one that is not signed by `ca` is told as such, not refused. */
  readonly requestCert?: boolean;
  /** Authorities for the clients' certificates, in PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Default TLSv1.2 (RFC 8314 4.1 wants no less). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

const CERTIFICATE: TableOf<Certificate> = { key: 'any', cert: 'any', passphrase: 'any', servernames: 'list' };

/** The settings, every name, and what it may be. */
const SERVER_TLS: TableOf<TlsSettings> = {
  ...CERTIFICATE,
  certificates: 'list',
  requestCert: 'switch',
  ca: 'any',
  minVersion: ['TLSv1.2', 'TLSv1.3'],
};

/** A certificate that has been read. */
interface Loaded {
  readonly context: SecureContext;
  /** What `tls-server-end-point` binds to. */
  readonly endPoint: Uint8Array;
}

/**
 * The server's side of TLS. `update` takes new certificates for the handshakes that follow: sessions that are open keep theirs.
 * Throws `SmtpUsageError` where a key or certificate is missing or no PEM, and Node's error if they can't be read or do not belong together.
 */
export class ServerTls implements Tls {
  #settings: TlsSettings;
  #choose: (servername: string) => Loaded;

  constructor(settings: TlsSettings) {
    this.#choose = load(settings);
    this.#settings = settings;
  }

  /** What an option says: null where there is no TLS. */
  static from(tls: TlsSettings | ServerTls | undefined): ServerTls | null {
    if (tls === undefined || tls instanceof ServerTls) return tls ?? null;
    return new ServerTls(tls);
  }

  update(settings: TlsSettings): void {
    this.#choose = load(settings);
    this.#settings = settings;
  }

  /** Begins the server's side of a handshake over a socket, or over any stream. */
  wrap(stream: Duplex): Wrapped {
    const choose = this.#choose;
    const options: ConstructorParameters<typeof TLSSocket>[1] & { allowHalfOpen: boolean } = {
      isServer: true,
      secureContext: choose('').context,
      // Only where there is a choice: with a callback Deno keeps what belongs to each handshake that fails.
      ...(this.#settings.certificates?.length ? { SNICallback: (name, answer) => answer(null, choose(name).context) } : {}),
      requestCert: this.#settings.requestCert ?? false,
      rejectUnauthorized: false,
      allowHalfOpen: true,
    };
    // Node's types ask for a net.Socket; what it does is to take any Duplex.
    const socket = new TLSSocket(stream as Socket, options);
    // Not the socket's own word for the certificate: not every runtime tells the one that the name has picked.
    return { socket, secured: 'secure', describe: () => describeSocket(socket, (name) => choose(name).endPoint) };
  }
}

/** RFC 5246 7.4.1.1: a handshake within a session may be refused. A client could ask for one after the other, each at the server's cost. */
const secureOptions: number = constants.SSL_OP_NO_RENEGOTIATION;

/** Reads all certificates; what comes back picks one by the name that a client asks for. */
function load(given: TlsSettings): (servername: string) => Loaded {
  const settings = checkOptions(SERVER_TLS, given, {}, 'tls');
  const { certificates = [], ca, minVersion = 'TLSv1.2' } = settings;
  for (const [i, one] of certificates.entries()) checkOptions(CERTIFICATE, one, {}, `tls.certificates.${i}`);
  const names = new Map<string, Loaded>();
  const [first] = [settings, ...certificates].map((certificate) => {
    const { key, cert, passphrase, servernames = [] } = certificate;
    checkPem('tls.key', key, 'PRIVATE KEY');
    checkPem('tls.cert', cert, 'CERTIFICATE');
    const options: SecureContextOptions = { key: pem(key), cert: pem(cert), minVersion, sessionIdContext: SESSIONS, secureOptions };
    if (passphrase !== undefined) options.passphrase = passphrase;
    if (ca !== undefined) options.ca = pems(ca);
    const certified = new X509Certificate(pem(cert));
    // Deno would say nothing, and fail every handshake; the others say it each in a way of its own.
    if (!certified.checkPrivateKey(createPrivateKey({ key: pem(key), passphrase: passphrase ?? '' }))) throw new MismatchError();
    const loaded: Loaded = { context: createSecureContext(options), endPoint: endPoint(certified.raw) };
    for (const name of servernames) names.set(name.toLowerCase(), loaded);
    return loaded;
  });
  return (servername) => {
    const name = servername.toLowerCase();
    return names.get(name) ?? names.get(name.replace(/^[^.]+/, '*')) ?? first!;
  };
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
