import { versions } from 'node:process';
import { SmtpUsageError } from '@ehlo/engine';

/** Whose `node:tls` this is: they differ in what they can. */
export const RUNTIME: 'Node' | 'Deno' | 'Bun' = 'deno' in versions ? 'Deno' : 'bun' in versions ? 'Bun' : 'Node';

/** The versions of TLS that may be asked for, the lower first. */
export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** What one side of TLS may be limited to. */
export interface TlsRange {
  /** The lowest TLS version that is accepted. Default: TLSv1.2; RFC 8314 4.1 wants no less. */
  readonly minVersion?: TlsVersion;
  /** The highest TLS version that is accepted. Default: the highest of the runtime. */
  readonly maxVersion?: TlsVersion;
  /**
   * Ciphers in the words of OpenSSL, the best first, such as `ECDHE-ECDSA-AES256-GCM-SHA384`. Not on Deno; on Bun those of TLS 1.2 alone.
   * Default: the runtime's.
   */
  readonly ciphers?: string;
}

/**
 * The range as `node:tls` takes it. Throws `SmtpUsageError` `bad-option` for one that has nothing in it, and where the runtime would not keep to it:
 * a cipher that was ruled out must not be used because nobody has heard of that.
 */
export function rangeOf({ minVersion = 'TLSv1.2', maxVersion, ciphers }: TlsRange): TlsRange & { readonly minVersion: TlsVersion } {
  if (maxVersion !== undefined && maxVersion < minVersion)
    throw new SmtpUsageError(
      'bad-option',
      `tls.maxVersion is ${maxVersion}, and tls.minVersion ${minVersion}: there is no version between them`,
    );
  if (ciphers !== undefined && RUNTIME === 'Deno')
    throw new SmtpUsageError('bad-option', 'tls.ciphers: Deno chooses its ciphers by itself; leave it out');
  if (ciphers !== undefined && RUNTIME === 'Bun' && /(?:^|:)TLS_/.test(ciphers))
    throw new SmtpUsageError(
      'bad-option',
      'tls.ciphers: Bun chooses the ciphers of TLS 1.3 by itself; leave out those that begin with TLS_',
    );
  return {
    minVersion,
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
  };
}
