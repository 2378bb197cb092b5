import { createHash, createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { isUsableTlsa, type Tlsa, type TlsResult } from '@ehlo/delivery';
import { constraintsOf, hasName, isForServers, isInTime, parseCertificate, publicKeyOf } from './certificate.ts';

/**
 * Whether what a server has shown is what one of its TLSA records says (RFC 7672 3.1, RFC 7671): null, it is; else how far the best of them came, in
 * the words of RFC 8460 4.3.1. `chain` is in DER, the server's own certificate first.
 *
 * - Usage 3: the server's own certificate, whatever its names and dates (RFC 7672 3.1.1).
 * - Usage 2: a certificate that has signed it, through others of the chain; names and dates count (RFC 7672 3.1.2, 3.2.2). One that stands whole
 *   in the record, or whose key does, need not be in the chain (RFC 7671 5.2.2, 5.2.3).
 * - Of records that differ in their digest alone those of the strongest count (RFC 7671 9).
 *
 * @example
 * ```ts
 * import { matchTlsa } from '@ehlo/relay/outbound';
 * matchTlsa([], [{ usage: 3, selector: 1, matching: 1, data: '0'.repeat(64) }], ['mx.example.org'])
 * // → 'validation-failure'
 * ```
 */
export function matchTlsa(
  chain: readonly Uint8Array[],
  tlsa: readonly Tlsa[],
  names: readonly string[],
  now: number = Date.now(),
): TlsResult | null {
  const parsed = chain.map(parseCertificate);
  const [leaf] = parsed;
  if (leaf === undefined || leaf === null) return 'validation-failure';
  const certificates = parsed.filter((one) => one !== null);
  const records = strongest(tlsa.filter(isUsableTlsa));
  if (records.some((record) => record.usage === 3 && fits(leaf, record))) return null;
  let worst: TlsResult = 'certificate-not-trusted';
  for (const record of records.filter(({ usage }) => usage === 2)) {
    const found = underAnchor(leaf, certificates, record, now);
    if (found === null) return hasName(leaf, names) ? null : 'certificate-host-mismatch';
    if (found === 'certificate-expired') worst = found;
  }
  return worst;
}

/** Whether a path leads from the server's certificate to one that the record is of. */
function underAnchor(leaf: X509Certificate, chain: readonly X509Certificate[], record: Tlsa, now: number): TlsResult | null {
  const inRecord = record.selector === 0 && record.matching === 0 ? parseCertificate(Buffer.from(record.data, 'hex')) : null;
  const others = [...chain.slice(1), ...(inRecord === null ? [] : [inRecord])];
  const key = record.selector === 1 && record.matching === 0 ? keyOf(record.data) : null;
  const path: X509Certificate[] = [leaf];
  for (let last = leaf; ; ) {
    // RFC 7671 5.2.3: a key alone has no name, no dates and no constraints.
    if (key !== null && last.verify(key)) return judged(path, now);
    const issuer = others.find((one) => !path.includes(one) && last.checkIssued(one) && last.verify(one.publicKey));
    if (issuer === undefined) return 'certificate-not-trusted';
    path.push(issuer);
    if (fits(issuer, record)) return judged(path, now);
    last = issuer;
  }
}

/** RFC 5280 6.1: a path whose signatures hold, the server's certificate first. */
function judged(path: readonly X509Certificate[], now: number): TlsResult | null {
  if (!isForServers(path[0]!)) return 'certificate-not-trusted';
  for (const [below, certificate] of path.entries()) {
    const { pathLength, isUnknown } = constraintsOf(certificate);
    // RFC 5280 4.2.1.9: so many authorities may stand between it and the server's.
    if (isUnknown || (below > 0 && (!certificate.ca || below - 1 > pathLength))) return 'certificate-not-trusted';
  }
  return path.every((certificate) => isInTime(certificate, now)) ? null : 'certificate-expired';
}

/** RFC 6698 2.1.2, 2.1.3. */
function fits(certificate: X509Certificate, { selector, matching, data }: Tlsa): boolean {
  const selected = selector === 0 ? certificate.raw : publicKeyOf(certificate);
  const hash = DIGESTS[matching];
  return (hash === undefined ? Buffer.from(selected).toString('hex') : createHash(hash).update(selected).digest('hex')) === data;
}

const DIGESTS: readonly (string | undefined)[] = [undefined, 'sha256', 'sha512'];

/** RFC 7671 9: for each usage and selector those of the strongest digest, and those without one. */
function strongest(records: readonly Tlsa[]): readonly Tlsa[] {
  return records.filter((one) => {
    return (
      one.matching === 0 ||
      !records.some((other) => other.usage === one.usage && other.selector === one.selector && other.matching > one.matching)
    );
  });
}

function keyOf(data: string): KeyObject | null {
  try {
    return createPublicKey({ key: Buffer.from(data, 'hex'), format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}
