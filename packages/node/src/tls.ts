import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  type PeerCertificate as NodeCertificate,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
} from 'node:tls';
import type { PeerCertificate, TlsInfo } from '@ehlo/engine';

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

/** OpenSSL resumes no session for a client with a certificate, and ends the handshake, where sessions have no name. */
const SESSIONS = 'ehlo';

/**
 * The server's side of TLS. `update` takes new certificates for the handshakes that follow: sessions that are open keep theirs.
 * Throws Node's error if a key or certificate can't be read or do not belong together.
 */
export class ServerTls {
  #names: ReadonlyMap<string, SecureContext> = new Map();
  #fallback: SecureContext;
  #settings: TlsSettings;

  constructor(settings: TlsSettings) {
    this.#settings = settings;
    this.#fallback = this.#load(settings);
  }

  update(settings: TlsSettings): void {
    this.#fallback = this.#load(settings);
    this.#settings = settings;
  }

  /** Begins the server's side of a handshake over a socket; `secure` is emitted at its end. */
  wrap(socket: Socket): TLSSocket {
    const options: ConstructorParameters<typeof TLSSocket>[1] & { allowHalfOpen: boolean } = {
      isServer: true,
      secureContext: this.#fallback,
      SNICallback: (name, answer) => answer(null, this.#context(name)),
      requestCert: this.#settings.requestCert ?? false,
      rejectUnauthorized: false,
      allowHalfOpen: true,
    };
    return new TLSSocket(socket, options);
  }

  #context(servername: string): SecureContext {
    const name = servername.toLowerCase();
    return this.#names.get(name) ?? this.#names.get(name.replace(/^[^.]+/, '*')) ?? this.#fallback;
  }

  #load(settings: TlsSettings): SecureContext {
    const { certificates = [], ca, minVersion = 'TLSv1.2' } = settings;
    const names = new Map<string, SecureContext>();
    const contexts = [settings, ...certificates].map((certificate) => {
      const { key, cert, passphrase, servernames = [] } = certificate;
      const options: SecureContextOptions = { key: text(key), cert: text(cert), minVersion, sessionIdContext: SESSIONS };
      if (passphrase !== undefined) options.passphrase = passphrase;
      if (ca !== undefined) options.ca = typeof ca === 'string' || ca instanceof Uint8Array ? text(ca) : ca.map(text);
      const context = createSecureContext(options);
      for (const name of servernames) names.set(name.toLowerCase(), context);
      return context;
    });
    this.#names = names;
    return contexts[0]!;
  }
}

/** PEM as Node's types want it. */
function text(pem: string | Uint8Array): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}

/** What the engine and the application may know of a connection that is secure now. */
export function describeTls(socket: TLSSocket): TlsInfo {
  const { name } = socket.getCipher();
  const protocol = socket.getProtocol() ?? '';
  const peer: Partial<NodeCertificate> | null = socket.getPeerCertificate();
  const own = socket.getCertificate();
  const bindings = new Map<string, Uint8Array>();
  // RFC 9266: tls-exporter, 32 octets without a context; only TLS 1.3 makes it safe without more.
  if (protocol === 'TLSv1.3') bindings.set('tls-exporter', socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
  if (own !== null && 'raw' in own && own.raw instanceof Buffer) bindings.set('tls-server-end-point', endPoint(own.raw));
  return {
    protocol,
    cipher: name,
    servername: typeof socket.servername === 'string' ? socket.servername : '',
    bindings,
    ...(peer?.fingerprint256 === undefined ? {} : { peerCertificate: describeCertificate(peer, peer.fingerprint256, socket) }),
  };
}

function describeCertificate(
  { subject, subjectaltname }: Partial<NodeCertificate>,
  fingerprint256: string,
  socket: TLSSocket,
): PeerCertificate {
  return { subject: String(subject?.CN ?? ''), altNames: subjectaltname ?? '', fingerprint256, authorized: isAuthorized(socket) };
}

/**
 * Whether the client's certificate was signed by an authority that is trusted. Node sets `authorized` only on sockets that its own
 * `tls.Server` has made; the verdict itself is OpenSSL's, and stands behind this method, which Node's types don't have.
 */
function isAuthorized(socket: TLSSocket): boolean {
  const { ssl } = socket as TLSSocket & { ssl?: { verifyError?: () => Error | null | undefined } };
  return ssl?.verifyError !== undefined && !ssl.verifyError();
}

/** RFC 5929 4.1: the hash of the server's certificate; SHA-256 where its signature used MD5 or SHA-1, else the signature's own. */
function endPoint(certificate: Buffer): Uint8Array {
  return createHash(signatureHash(certificate)).update(certificate).digest();
}

/** Object identifiers of signature algorithms with SHA-384 and SHA-512 (RFC 4055, RFC 5758), and of these hashes in the parameters of RSASSA-PSS, in DER. */
const LONG_HASHES: readonly (readonly [der: string, hash: string])[] = [
  ['06092a864886f70d01010c', 'sha384'],
  ['06092a864886f70d01010d', 'sha512'],
  ['06082a8648ce3d040303', 'sha384'],
  ['06082a8648ce3d040304', 'sha512'],
  ['0609608648016503040202', 'sha384'],
  ['0609608648016503040203', 'sha512'],
];

/** RFC 5280 4.1: Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE, signatureValue }. */
function signatureHash(der: Buffer): string {
  const [signed] = element(der, 0);
  const [, algorithm] = element(der, signed);
  const [, end] = element(der, algorithm);
  const hex = der.toString('hex', algorithm, end);
  return LONG_HASHES.find(([identifier]) => hex.includes(identifier))?.[1] ?? 'sha256';
}

/** Where the content of the DER element at an offset begins, and where the next element does. */
function element(der: Buffer, at: number): [content: number, next: number] {
  const short = der[at + 1] ?? 0;
  if (short < 0x80) return [at + 2, at + 2 + short];
  const octets = short - 0x80;
  const content = at + 2 + octets;
  return [content, content + der.readUIntBE(at + 2, octets)];
}
