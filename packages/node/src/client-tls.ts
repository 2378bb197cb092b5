import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { domainToASCII } from 'node:url';
import { ClientError } from '@ehlo/driver';
import { type TableOf, yesOrNo } from '@ehlo/engine';
import type { Tls, Wrapped } from './handshake.ts';
import { checkPem, checkPems, pem, pems } from './pem.ts';
import { rangeOf, TLS_VERSIONS, type TlsRange } from './runtime.ts';
import { describeTls, endPoint } from './tls-info.ts';

/** What a client trusts, and what it shows. */
export interface ClientTlsSettings extends TlsRange {
  /** Authorities that are trusted, in PEM, in place of those that the runtime comes with. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** The name that is asked for (SNI) and that the certificate must have. Default: the host; RFC 6066 3. */
  readonly servername?: string;
  /**
   * Whether a certificate that is not verified ends the session. Default: true, unless TLS is only opportunistic, or `credentials` is
   * `'encrypted'`.
   */
  readonly rejectUnauthorized?: boolean;
  /**
   * Decides in place of `rejectUnauthorized` whether the identity of the server is verified: true, it is; false, it is not, and the session
   * continues. It is given the certificates that the server has shown, in DER, and what the runtime finds wrong with them. It must decide
   * at once: what it throws, and any other answer, such as a promise, ends the session.
   */
  readonly verify?: (shown: ShownCertificates) => boolean;
  /** The private key of the client's own certificate, in PEM. */
  readonly key?: string | Uint8Array;
  /** The client's own certificate with its chain, in PEM. */
  readonly cert?: string | Uint8Array;
  /** Passphrase of the key. */
  readonly passphrase?: string;
}

/** What a server has shown in the handshake, and what the runtime makes of it. */
export interface ShownCertificates {
  /** In DER: the server's own first, then each that has signed the one before, as far as the server has shown them or the runtime knows them. */
  readonly chain: readonly Uint8Array[];
  /** Why it is not verified, as the runtime calls it, such as `CERT_HAS_EXPIRED`; null: it is trusted, and has the name that was asked for. */
  readonly fault: string | null;
}

/** The settings, every name, and what it may be. */
export const CLIENT_TLS: TableOf<ClientTlsSettings> = {
  ca: 'any',
  servername: 'text',
  rejectUnauthorized: 'switch',
  verify: 'call',
  key: 'any',
  cert: 'any',
  passphrase: 'string',
  minVersion: TLS_VERSIONS,
  maxVersion: TLS_VERSIONS,
  ciphers: 'text',
};

/** The client's side of TLS with one server. */
export class ClientTls implements Tls {
  readonly #options: ConnectionOptions;
  readonly #implicit: boolean;
  readonly #verify: ClientTlsSettings['verify'];

  /**
   * `verified`: whether a certificate that is not verified ends the session, if the settings don't say. `implicit`: TLS from the first octet,
   * not behind STARTTLS.
   */
  constructor(settings: ClientTlsSettings, host: string, verified: boolean, implicit = false) {
    const { ca, key, cert, passphrase, verify, rejectUnauthorized = verified } = settings;
    if (ca !== undefined) checkPems('tls.ca', ca, 'CERTIFICATE');
    if (key !== undefined) checkPem('tls.key', key, 'PRIVATE KEY');
    if (cert !== undefined) checkPem('tls.cert', cert, 'CERTIFICATE');
    const servername = nameInTls(settings.servername ?? host);
    this.#implicit = implicit;
    this.#verify = verify;
    this.#options = {
      // RFC 6066 3: an address is no name that could be asked for; the certificate is held against it all the same.
      ...(isIP(servername) === 0 ? { servername } : {}),
      host: servername,
      ...rangeOf(settings),
      rejectUnauthorized: rejectUnauthorized && verify === undefined,
      ...(ca === undefined ? {} : { ca: pems(ca) }),
      ...(key === undefined ? {} : { key: pem(key) }),
      ...(cert === undefined ? {} : { cert: pem(cert) }),
      ...(passphrase === undefined ? {} : { passphrase }),
    };
  }

  wrap(stream: Duplex): Wrapped {
    // Node's types ask for a net.Socket; what it does is to take any Duplex.
    const socket = connect({ ...this.#options, socket: stream as Socket });
    return { socket, secured: 'secureConnect', describe: () => this.#describe(socket), explain: (error) => explain(error, this.#implicit) };
  }

  #describe(socket: TLSSocket): ReturnType<typeof describeTls> {
    const verify = this.#verify;
    // Its name was compared, too.
    return describeServer(socket, verify === undefined ? socket.authorized : yesOrNo(verify(shownBy(socket)), 'tls.verify'));
  }
}

function describeServer(socket: TLSSocket, authorized: boolean): ReturnType<typeof describeTls> {
  const peer = socket.getPeerCertificate();
  return describeTls({
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().standardName ?? socket.getCipher().name,
    servername: typeof socket.servername === 'string' ? socket.servername : '',
    // Not every runtime gives a Buffer.
    endPoint: endPoint(Buffer.from(peer.raw)),
    peer,
    authorized,
    exporter: 'exportKeyingMaterial' in socket ? socket.exportKeyingMaterial.bind(socket) : null,
  });
}

function shownBy(socket: TLSSocket): ShownCertificates {
  const chain = new Map<string, Uint8Array>();
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  // A root is its own issuer.
  while (next?.raw !== undefined && !chain.has(String(next.fingerprint256))) {
    chain.set(String(next.fingerprint256), new Uint8Array(next.raw));
    next = next.issuerCertificate;
  }
  // A code in Node, whatever its types say; an error elsewhere.
  const { authorized, authorizationError } = socket as { authorized: boolean; authorizationError?: unknown };
  const { code = authorizationError } = (authorizationError ?? {}) as { code?: unknown };
  return { chain: [...chain.values()], fault: authorized ? null : String(code ?? 'UNVERIFIED') };
}

/** RFC 6066 3: the name is in ASCII, by A-labels, and has no dot at its end. The certificate is held against the same form. */
function nameInTls(name: string): string {
  const dotless = name.replace(/\.$/, '');
  // What no IDN can be is asked for as it is, and found nowhere.
  return /[^ -~]/.test(dotless) ? domainToASCII(dotless) || dotless : dotless;
}

/** OpenSSL's errors name neither what it is about nor what to do. */
function explain(error: NodeJS.ErrnoException, implicit: boolean): Error {
  const { code = '', message } = error;
  const made = (name: 'certificate' | 'speaks-cleartext' | 'tls-failed', text: string): ClientError =>
    new ClientError(name, text, { stage: 'tls', cause: error });
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return made('certificate', `the server's certificate is not that of the host that was asked for${altname(message)}`);
  if (CERTIFICATE.test(code))
    return made('certificate', `the server's certificate ${CERTIFICATE_FAULTS[code] ?? untrusted(code, message)}`);
  if (!CLEARTEXT.test(code)) return made('tls-failed', `the TLS handshake failed: ${reasonOf(error)}`);
  return implicit
    ? made('speaks-cleartext', 'this port does not speak TLS first: connect in clear, with STARTTLS')
    : made('tls-failed', 'the server accepts STARTTLS, and then goes on in clear');
}

/** What is meant where the runtimes' libraries name only their own functions and codes. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/handshake.?failure|no.shared.cipher/i, 'the two have no cipher in common'],
  [
    /protocol.?version|unsupported.?protocol|version.?too.?low/i,
    'the two have no version of TLS in common; tls.minVersion is the least that is taken',
  ],
  [/key.?too.?small|bad.?dh|small.?dh/i, 'the key of the server is too short'],
];

function reasonOf({ message, reason = message }: NodeJS.ErrnoException & { readonly reason?: string }): string {
  const meant = REASONS.find(([pattern]) => pattern.test(reason) || pattern.test(message));
  // `error:0A000410:SSL routines:ssl3_read_bytes:tlsv1 alert internal error:…`, `…OPENSSL_internal:TLSV1_ALERT_INTERNAL_ERROR`
  return meant?.[1] ?? /(?:SSL routines:[^:]*|OPENSSL_internal):([^:\n]+)/.exec(reason)?.[1] ?? reason;
}

const CERTIFICATE = /CERT|UNABLE_TO_VERIFY|SELF_SIGNED|CRL|ISSUER/;
const CLEARTEXT = /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/;

/** `…'s cert's altnames: IP: 192.0.2.1 is not in the cert's list: `, which may be empty. */
function altname(message: string): string {
  const why = message
    .split(': ')
    .slice(1)
    .join(': ')
    .replace(/[:\s]+$/, '');
  return `${why === '' ? '' : `: ${why}`}; ask by a name that it has, by host or tls.servername`;
}

/** What no other authority would mend. */
const CERTIFICATE_FAULTS: { readonly [code: string]: string } = {
  CERT_HAS_EXPIRED: 'has expired: the server needs a new one, if the clock here is right',
  CERT_NOT_YET_VALID: 'is not valid yet: is the clock here right?',
};

function untrusted(code: string, message: string): string {
  return `is not trusted: ${message}${AUTHORITY.test(code) ? '; give the authority that has signed it, by tls.ca' : ''}`;
}

/** Nobody who is known has signed it. */
const AUTHORITY = /UNABLE_TO|SELF_SIGNED|ISSUER/;
