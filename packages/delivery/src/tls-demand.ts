// What a connection has to be before a message may go over it.

import type { Tlsa } from './records.ts';

/**
 * How TLS is demanded of one host.
 * - `opportunistic`: with TLS if it is offered and works, whatever the certificate (RFC 7435); else in the clear
 * - `clear`: TLS has failed there before, and nothing asks for it
 * - `encrypt`: TLS, whatever the certificate (RFC 7672 2.2: TLSA records of which none is usable)
 * - `name`: TLS, with a certificate that is valid for one of `names` (RFC 8461 4.2, RFC 8689 4.2.1)
 * - `dane`: TLS, with a certificate that one of `tlsa` matches (RFC 7672 3)
 */
export type TlsMode = 'opportunistic' | 'clear' | 'encrypt' | 'name' | 'dane';

export interface TlsDemand {
  readonly mode: TlsMode;
  /** For SNI (the host's own where there is none), and to be found in the certificate; none: no certificate is right, which a report tells. With `dane` for usage 2 alone (RFC 7672 3.1.1: usage 3 has neither names nor dates). */
  readonly names: readonly string[];
  readonly tlsa: readonly Tlsa[];
  /** The oldest version that will do where TLS is demanded (RFC 8996); null: any. */
  readonly least: 'TLSv1.2' | null;
  /** Whether the session is of no use without the server's offer of REQUIRETLS. */
  readonly requireTls: boolean;
  /** Failing is told in reports, and ignored: a policy in testing (RFC 8461 5), or `TLS-Required: No`. The certificate is looked at as `name` or `dane` would. */
  readonly testing: boolean;
  /** The rule that it follows from. */
  readonly because: TlsReason;
}

/** Why TLS is demanded as it is; `@ehlo/delivery/words` says each in a sentence. */
export type TlsReason =
  | 'no-policy'
  | 'sts-enforce'
  | 'sts-testing'
  | 'dane'
  | 'dane-unusable'
  | 'requiretls'
  | 'tls-required-no'
  | 'broken-before'
  | 'route';
