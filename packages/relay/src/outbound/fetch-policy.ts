import { Agent, type RequestOptions, request } from 'node:https';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { domainToASCII } from 'node:url';
import { addressClass, type PolicyAnswer, type PolicyOrder } from '@ehlo/delivery';
import type { Means } from '../runner/index.ts';

/** How policies of MTA-STS are fetched. */
export interface StsOptions {
  /** Looks the policy host up. */
  readonly lookUp: Means['lookUp'];
  /** Classes of addresses, beside public ones, at which a policy host may be (`addressClass`). Default: none. */
  readonly allow?: readonly string[];
  /** Authorities that are trusted, in PEM, in place of those that the runtime comes with. */
  readonly ca?: RequestOptions['ca'];
  /** TCP port. Default: 443. */
  readonly port?: number;
  /** Until the policy is there; milliseconds. Default: 60,000 (RFC 8461 3.3). */
  readonly timeout?: number;
}

/** RFC 8461 3.3: "a suggested maximum policy size is 64 kilobytes". */
const LARGEST = 65_536;
/** What Node and OpenSSL call a certificate that can't be taken. */
const CERTIFICATE = /CERT|UNABLE_TO|SELF_SIGNED|ISSUER|CRL/;

type Answer = Omit<PolicyAnswer, 'type' | 'to'>;

/**
 * Fetches the policy of a domain (RFC 8461 3.3): by HTTPS from its policy host alone, whose certificate has its name, without redirects or caches. Only 200
 * and text/plain count.
 */
export async function fetchPolicy(
  { id, domain }: PolicyOrder,
  { lookUp, allow = [], ca, port = 443, timeout = 60_000 }: StsOptions,
): Promise<Answer> {
  const host = domainToASCII(`mta-sts.${domain}`);
  const signal = AbortSignal.timeout(timeout);
  try {
    const addresses = host === '' ? [] : await addressesOf(host, id, lookUp, allow);
    if (addresses.length === 0) return NOT_FETCHED;
    const text = await get({
      host,
      port,
      path: '/.well-known/mta-sts.txt',
      headers: { accept: 'text/plain' },
      // No connection is shared: another name's certificate is not this one's.
      agent: new Agent({ keepAlive: false }),
      servername: host,
      minVersion: 'TLSv1.2',
      checkServerIdentity: byAlternativeName,
      lookup: (_, { all }, done) => {
        const [{ address, family }] = addresses as [Address];
        if (all) done(null, [...addresses]);
        else done(null, address, family);
      },
      signal,
      ...(ca === undefined ? {} : { ca }),
    });
    return text === null ? NOT_FETCHED : { text };
  } catch (error) {
    const isCertificate = CERTIFICATE.test(String((error as NodeJS.ErrnoException).code));
    return { text: null, problem: isCertificate ? 'sts-webpki-invalid' : 'sts-policy-fetch-error' };
  }
}

const NOT_FETCHED: Answer = { text: null, problem: 'sts-policy-fetch-error' };

interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** A DNS name of another party must not lead into the local network. */
async function addressesOf(host: string, id: number, lookUp: Means['lookUp'], allow: readonly string[]): Promise<readonly Address[]> {
  const families = [
    { rr: 'AAAA', family: 6 },
    { rr: 'A', family: 4 },
  ] as const;
  const found = await Promise.all(
    families.map(async ({ rr, family }) => {
      const { addresses = [] } = await lookUp({ type: 'lookup', id, name: host, rr });
      return addresses.map((address) => ({ address, family }));
    }),
  );
  return found.flat().filter(({ address }) => ['public', ...allow].includes(addressClass(address)));
}

/** The body; null: it is no policy. */
function get(options: RequestOptions): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      const { statusCode, headers } = response;
      const parts: Buffer[] = [];
      let length = 0;
      const stop = (): void => {
        resolve(null);
        asked.destroy();
      };
      // RFC 8461 3.2: the media type is text/plain; 3.3: "only valid if the HTTP response code is 200".
      if (statusCode !== 200 || !/^text\/plain *(?:;|$)/i.test(headers['content-type'] ?? '')) return stop();
      response.on('data', (part: Buffer) => {
        parts.push(part);
        length += part.length;
        if (length > LARGEST) stop();
      });
      response.on('error', reject);
      response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    });
    asked.on('error', reject).end();
  });
}

/** RFC 8461 3.3: "Matching is performed only against the DNS-ID identifiers". */
function byAlternativeName(host: string, certificate: PeerCertificate): Error | undefined {
  if (certificate.subjectaltname === undefined)
    return Object.assign(new Error('the certificate has no alternative name'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  return checkServerIdentity(host, certificate);
}
