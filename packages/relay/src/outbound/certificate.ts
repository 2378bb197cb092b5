// What of a certificate the chain of DANE-TA(2) is held against (RFC 5280 6.1), by node:crypto, and by DER where that does not tell.

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** Extensions whose meaning is looked at here; another one that is critical makes a certificate useless (RFC 5280 4.2). */
const KNOWN_EXTENSIONS: ReadonlySet<string> = new Set([
  '551d0f', // key usage: `checkIssued` looks whether it may sign certificates
  '551d11', // subject alternative name
  '551d13', // basic constraints
  '551d25', // extended key usage
]);
const BASIC_CONSTRAINTS = '551d13';
/** RFC 5280 4.2.1.10: not followed here, so no authority that has them is taken. */
const NAME_CONSTRAINTS = '551d1e';
/** RFC 5280 4.2.1.12: TLS WWW server authentication; any. */
const SERVER_PURPOSES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

const INTEGER = 0x02;
const BOOLEAN = 0x01;
const EXTENSIONS = 0xa3;

/** The certificate of these octets of DER; null: they are none. */
export function parseCertificate(der: Uint8Array): X509Certificate | null {
  try {
    return new X509Certificate(der);
  } catch {
    return null;
  }
}

/** SubjectPublicKeyInfo in DER: selector 1 of RFC 6698 2.1.2. */
export function publicKeyOf(certificate: X509Certificate): Uint8Array {
  return certificate.publicKey.export({ type: 'spki', format: 'der' });
}

/** Whether a certificate is for one of the names, by its alternative names alone (RFC 6125 6.4; RFC 8461 4.1): `*` stands for a whole first label. */
export function hasName(certificate: X509Certificate, names: readonly string[]): boolean {
  const by = { subject: 'never', partialWildcards: false } as const;
  // Not every runtime heeds `subject`.
  if (certificate.subjectAltName === undefined) return false;
  return names.some((name) => (isIP(name) === 0 ? certificate.checkHost(name, by) : certificate.checkIP(name)) !== undefined);
}

/** Whether the validity includes a time. */
export function isInTime(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/** Whether a server may show it. */
export function isForServers({ keyUsage }: X509Certificate): boolean {
  // Node's name for the extended key usage.
  const purposes: readonly string[] | undefined = keyUsage;
  return purposes === undefined || purposes.some((one) => SERVER_PURPOSES.includes(one));
}

/** What its extensions say: of how many certificates it may be the authority (RFC 5280 4.2.1.9), and whether an unknown one is critical. */
export function constraintsOf(certificate: X509Certificate): { readonly pathLength: number; readonly isUnknown: boolean } {
  let pathLength = Number.POSITIVE_INFINITY;
  let isUnknown = false;
  for (const { id, critical, value } of extensionsOf(certificate.raw)) {
    isUnknown ||= id === NAME_CONSTRAINTS || (critical && !KNOWN_EXTENSIONS.has(id));
    const length = id === BASIC_CONSTRAINTS ? [...elements(value)].flatMap(({ content }) => [...elements(content)]) : [];
    for (const { tag, content } of length) if (tag === INTEGER) pathLength = content.reduce((sum, octet) => sum * 256 + octet, 0);
  }
  return { pathLength, isUnknown };
}

/** RFC 5280 4.1: Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { …, extensions [3] SEQUENCE OF Extension }, … }. */
function* extensionsOf(der: Uint8Array): Generator<{ readonly id: string; readonly critical: boolean; readonly value: Uint8Array }> {
  const [certificate] = elements(der);
  const [signed] = elements(certificate!.content);
  for (const { tag, content } of elements(signed!.content)) {
    if (tag !== EXTENSIONS) continue;
    const [list] = elements(content);
    for (const extension of elements(list!.content)) {
      const parts = [...elements(extension.content)];
      const critical = parts.some((part) => part.tag === BOOLEAN && part.content[0] !== 0);
      yield { id: Buffer.from(parts[0]!.content).toString('hex'), critical, value: parts.at(-1)!.content };
    }
  }
}

/** X.690 8.1: the elements that follow each other, of octets that node:crypto has read without complaint. */
function* elements(der: Uint8Array): Generator<{ readonly tag: number; readonly content: Uint8Array }> {
  for (let at = 0; at < der.length; ) {
    const short = der[at + 1] ?? 0;
    const octets = short < 0x80 ? 0 : short - 0x80;
    const begin = at + 2 + octets;
    const length = octets === 0 ? short : der.subarray(at + 2, begin).reduce((sum, octet) => sum * 256 + octet, 0);
    yield { tag: der[at]!, content: der.subarray(begin, begin + length) };
    at = begin + length;
  }
}
