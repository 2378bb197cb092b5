import { createHash } from 'node:crypto';
import type { PeerCertificate as NodeCertificate, TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsInfo } from '@ehlo/engine';

/** What a runtime tells of a connection that is secure now. */
export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
  /** The name that the client has asked for; empty if it did not. */
  readonly servername: string;
  /** `tls-server-end-point`, of the certificate that was shown. */
  readonly endPoint: Uint8Array;
  /** The certificate of the client, and whether an authority that is trusted has signed it. */
  readonly peer: Partial<NodeCertificate> | null | undefined;
  readonly authorized: boolean;
  /** RFC 5705; null where the runtime has none. */
  readonly exporter: ((length: number, label: string, context: Buffer) => Uint8Array) | null;
}

/** What the engine and the application may know of a connection that is secure now. */
export function describeTls({ protocol, cipher, servername, endPoint, peer, authorized, exporter }: TlsFacts): TlsInfo {
  const bindings = new Map<string, Uint8Array>();
  // RFC 9266: tls-exporter, 32 octets without a context; only TLS 1.3 makes it safe without more.
  if (protocol === 'TLSv1.3' && exporter !== null) bindings.set('tls-exporter', exporter(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
  bindings.set('tls-server-end-point', endPoint);
  const peerCertificate = describeCertificate(peer ?? {}, authorized);
  // Not every runtime keeps the case that the client has used, and it means nothing.
  return { protocol, cipher, servername: servername.toLowerCase(), bindings, ...(peerCertificate === null ? {} : { peerCertificate }) };
}

/** The same of a socket of `node:tls`, as Node and others have it. */
export function describeSocket(socket: TLSSocket, endPointOf: (servername: string) => Uint8Array): TlsInfo {
  const servername = typeof socket.servername === 'string' ? socket.servername : '';
  return describeTls({
    protocol: socket.getProtocol() ?? '',
    // The registered name, where the runtime has it: RFC 8314 4.3 wants no other in a Received field.
    cipher: socket.getCipher().standardName ?? socket.getCipher().name,
    servername,
    endPoint: endPointOf(servername),
    peer: socket.getPeerCertificate(),
    authorized: isAuthorized(socket),
    // Deno has none.
    exporter: 'exportKeyingMaterial' in socket ? socket.exportKeyingMaterial.bind(socket) : null,
  });
}

/** Throws where the client has shown no certificate that an authority which is trusted has signed. */
export function demandCertificate(info: TlsInfo): TlsInfo {
  const { peerCertificate } = info;
  if (peerCertificate?.authorized === true) return info;
  const what = peerCertificate === undefined ? 'no certificate' : `a certificate (${peerCertificate.subject}) that is not trusted`;
  throw new Error(`the client has shown ${what}`);
}

function describeCertificate(
  { subject, subjectaltname, fingerprint256 }: Partial<NodeCertificate>,
  authorized: boolean,
): PeerCertificate | null {
  if (fingerprint256 === undefined) return null;
  return { subject: String(subject?.CN ?? ''), altNames: subjectaltname ?? '', fingerprint256, authorized };
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
export function endPoint(certificate: Uint8Array): Uint8Array {
  // Not every runtime's are Buffers.
  return createHash(signatureHash(Buffer.from(certificate)))
    .update(certificate)
    .digest();
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
