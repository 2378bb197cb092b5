import type { UsageCode } from '../error.ts';
import { announcedLimit } from './capabilities.ts';
import type { ClientCore } from './core.ts';
import type { ClientGuard } from './table.ts';

/** What the program is told where a condition does not hold. */
export const GUARD_FAILURES: { readonly [name in ClientGuard]: { readonly code: UsageCode; readonly text: string } } = {
  'not-leaving': { code: 'not-ready', text: 'quit() has been called' },
  'nothing-half-open': { code: 'not-ready', text: 'the server holds a transaction that was given up' },
  'transactions-left': { code: 'not-ready', text: 'the server takes no more transactions in this session (RFC 9422)' },
  'transactions-pipelined': { code: 'not-ready', text: 'the reply to the message before is due' },
  'tls-not-active': { code: 'not-ready', text: 'TLS is active already' },
  'tls-offered': { code: 'not-offered', text: 'the server does not offer STARTTLS' },
  'auth-offered': { code: 'not-offered', text: 'the server does not offer AUTH' },
  'auth-not-done': { code: 'not-ready', text: 'the client has authenticated already (RFC 4954 4)' },
  protected: { code: 'unprotected', text: 'no credentials are sent on this connection: it is not as safe as the option credentials wants' },
};

/** How each condition of the table is read. */
const CONDITIONS: { readonly [name in ClientGuard]: (core: ClientCore) => boolean } = {
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

export function holds(core: ClientCore, guard: ClientGuard): boolean {
  return CONDITIONS[guard](core);
}
