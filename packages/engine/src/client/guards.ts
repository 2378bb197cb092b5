import type { UsageCode } from '../error.ts';
import { announcedLimit } from './capabilities.ts';
import type { ClientCore } from './core.ts';
import type { ClientGuard } from './table.ts';

/** What the program is told where a condition does not hold; `not-ready` where nothing is said here. */
export const GUARD_FAILURES: { readonly [name in ClientGuard]?: UsageCode } = {
  'tls-offered': 'not-offered',
  'auth-offered': 'not-offered',
  protected: 'unprotected',
};

/** How each condition of the table is read. */
export const CONDITIONS: { readonly [name in ClientGuard]: (core: ClientCore) => boolean } = {
  'not-leaving': ({ quitting }) => !quitting,
  'nothing-half-open': ({ half }) => !half,
  'transactions-left': ({ capabilities, transactions }) => transactions < announcedLimit(capabilities!, 'MAILMAX'),
  // RFC 3030 2: after a chunk that failed RSET has to come first.
  'transactions-pipelined': (core) => core.pipelines('transactions') && core.finishing === null && core.active!.plan.transfer === 'DATA',
  'tls-not-active': ({ tls }) => tls === null,
  'tls-offered': (core) => core.offers('STARTTLS'),
  'auth-offered': (core) => core.offers('AUTH'),
  'auth-not-done': ({ authenticated }) => authenticated === null,
  protected: ({ options: { credentials = 'verified' }, tls }) =>
    credentials === 'cleartext' || (tls !== null && (credentials === 'encrypted' || tls.peerCertificate?.authorized === true)),
};
