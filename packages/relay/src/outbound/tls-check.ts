// TLS as it is demanded, and what is found when it is there.

import type { TlsDemand, TlsResult } from '@ehlo/delivery';
import { ClientError } from '@ehlo/driver/programs';
import { hasName, parseCertificate } from './certificate.ts';
import type { ConnectTo, Shown } from './connect.ts';
import { matchTlsa } from './match-tlsa.ts';

/** Holds what a server shows against a demand, once. */
export class TlsCheck {
  /** For the client. */
  readonly options: Pick<ConnectTo, 'starttls'> & { readonly tls: NonNullable<ConnectTo['tls']> };
  /** What is wrong with the certificate; null: nothing, or none was shown. */
  result: TlsResult | null = null;
  readonly #demand: TlsDemand;

  constructor(demand: TlsDemand, host: string, ca?: NonNullable<ConnectTo['tls']>['ca']) {
    this.#demand = demand;
    const servername = demand.names[0] ?? host;
    this.options = {
      starttls: STARTTLS[demand.mode],
      tls: { servername, verify: (shown) => this.#verify(shown), ...(ca === undefined ? {} : { ca }) },
    };
  }

  /** Throws where the demand is not met: nothing is said to such a server. */
  #verify(shown: Shown): boolean {
    const { mode, testing } = this.#demand;
    this.result = this.#judge(shown);
    if (this.result !== null && !testing && (mode === 'name' || mode === 'dane'))
      throw new ClientError('certificate', WORDS[this.result] ?? 'the certificate can not be verified', {
        stage: 'tls',
        cause: shown.fault,
      });
    return this.result === null;
  }

  #judge({ chain, fault }: Shown): TlsResult | null {
    const { tlsa, names } = this.#demand;
    if (tlsa.length > 0) return matchTlsa(chain, tlsa, names);
    if (fault !== null) return FAULTS[fault] ?? 'certificate-not-trusted';
    // RFC 8461 4.1: names count where they stand as DNS-IDs; the runtimes take a common name, too, where there are none.
    const leaf = chain[0] === undefined ? null : parseCertificate(chain[0]);
    return leaf === null || hasName(leaf, names) ? null : 'certificate-host-mismatch';
  }
}

const STARTTLS: { readonly [mode in TlsDemand['mode']]: NonNullable<ConnectTo['starttls']> } = {
  opportunistic: 'opportunistic',
  clear: 'off',
  encrypt: 'required',
  name: 'required',
  dane: 'required',
};

/** What OpenSSL and Node call it (RFC 8460 4.3.1 has the words); all others are `certificate-not-trusted`. */
const FAULTS: { readonly [fault: string]: TlsResult } = {
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'validation-failure',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-host-mismatch',
  HOSTNAME_MISMATCH: 'certificate-host-mismatch',
};

const WORDS: { readonly [result in TlsResult]?: string } = {
  'certificate-host-mismatch': 'the certificate is for other names than that of the host',
  'certificate-expired': 'the certificate has expired',
  'certificate-not-trusted': 'nobody who is trusted has signed the certificate',
};
