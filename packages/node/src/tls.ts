import { createHash } from 'node:crypto';
import { createSecureContext, type DetailedPeerCertificate, type SecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
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

  get requestCert(): boolean {
    return this.#settings.requestCert ?? false;
  }

  /** The certificate for a name that a client asks for. */
  context(servername: string): SecureContext {
    const name = servername.toLowerCase();
    return this.#names.get(name) ?? this.#names.get(name.replace(/^[^.]+/, '*')) ?? this.#fallback;
  }

  #load(settings: TlsSettings): SecureContext {
    const { certificates = [], ca, minVersion = 'TLSv1.2' } = settings;
    const names = new Map<string, SecureContext>();
    const contexts = [settings, ...certificates].map((certificate) => {
      const { key, cert, passphrase, servernames = [] } = certificate;
      const options: SecureContextOptions = { key: text(key), cert: text(cert), minVersion };
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
  const peer = socket.getPeerCertificate(false);
  const own = socket.getCertificate();
  const bindings = new Map<string, Uint8Array>();
  // RFC 9266: tls-exporter, 32 octets without a context; only TLS 1.3 makes it safe without more.
  if (socket.getProtocol() === 'TLSv1.3')
    bindings.set('tls-exporter', socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
  if (own !== null && 'raw' in own && own.raw instanceof Buffer) bindings.set('tls-server-end-point', endPoint(own));
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: name,
    servername: typeof socket.servername === 'string' ? socket.servername : '',
    bindings,
    ...(Object.keys(peer).length === 0 ? {} : { peerCertificate: describeCertificate(peer as DetailedPeerCertificate, socket) }),
  };
}

function describeCertificate(certificate: DetailedPeerCertificate, socket: TLSSocket): PeerCertificate {
  return {
    subject: String(certificate.subject?.CN ?? ''),
    altNames: certificate.subjectaltname ?? '',
    fingerprint256: certificate.fingerprint256,
    authorized: socket.authorized,
  };
}

/** RFC 5929 4.1: the hash of the server's certificate; SHA-256 where its signature used MD5 or SHA-1, else the signature's own. */
function endPoint(certificate: object): Uint8Array {
  const { raw } = certificate as { raw: Buffer };
  return createHash(signatureHash(raw)).update(raw).digest();
}

/** Object identifiers of signature algorithms with SHA-384 and SHA-512 (RFC 4055, RFC 5758), as they stand in DER. */
const LONG_HASHES: readonly (readonly [der: string, hash: string])[] = [
  ['06092a864886f70d01010c', 'sha384'],
  ['06092a864886f70d01010d', 'sha512'],
  ['06082a8648ce3d040303', 'sha384'],
  ['06082a8648ce3d040304', 'sha512'],
];

function signatureHash(der: Buffer): string {
  // The signatureAlgorithm is the last identifier before the signature; an identifier of a key never has these values.
  const hex = der.toString('hex');
  return LONG_HASHES.find(([identifier]) => hex.includes(identifier))?.[1] ?? 'sha256';
}
