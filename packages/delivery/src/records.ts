// What orders and facts speak of.

/** Numbers an order; never used twice by one machine. */
export type OrderId = number;

export type Rr = 'MX' | 'A' | 'AAAA' | 'CNAME' | 'TLSA' | 'TXT';

/**
 * The DNSSEC state of an answer (RFC 4035 4.3). Without a trusted validating resolver: `insecure`. `indeterminate` is treated like `bogus`
 * (RFC 7672 2.1.1).
 */
export type Security = 'secure' | 'insecure' | 'bogus' | 'indeterminate';

export interface Mx {
  readonly preference: number;
  /** The exchange, without a dot at the end; empty for the root. */
  readonly exchange: string;
}

/** RFC 6698 2.1. */
export interface Tlsa {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  /** Hexadecimal, small letters. */
  readonly data: string;
}

/** RFC 8460 4.3: result types. */
export type TlsResult =
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure'
  | 'tlsa-invalid'
  | 'dnssec-invalid'
  | 'dane-required'
  | 'sts-policy-fetch-error'
  | 'sts-policy-invalid'
  | 'sts-webpki-invalid';
