// Clients whose states are walked, each with what its server offers: together they have every phase and guard of the two tables.
import { AUTH, CHUNKING } from '@ehlo/engine';
import type { ClientSetup } from './walk.ts';

const hostname = 'client.example';

export const CLIENT_SETUPS: { readonly [name: string]: ClientSetup } = {
  /** One command at a time; TLS where it is offered; HELO. */
  plain: { options: { hostname }, offered: ['STARTTLS'] },
  required: { options: { hostname, starttls: 'required' }, offered: [] },
  /** TLS is begun by the program. */
  own: { options: { hostname, starttls: 'off' }, offered: ['STARTTLS'] },
  pipelined: { options: { hostname, starttls: 'off' }, offered: ['PIPELINING'] },
  data: { options: { hostname, starttls: 'off', pipelining: 'data' }, offered: ['PIPELINING'] },
  transactions: { options: { hostname, starttls: 'off', pipelining: 'transactions' }, offered: ['PIPELINING', 'LIMITS MAILMAX=2'] },
  chunks: { options: { hostname, starttls: 'off', features: [CHUNKING] }, offered: ['PIPELINING', 'CHUNKING'] },
  lmtp: { options: { hostname, protocol: 'lmtp', starttls: 'off' }, offered: ['PIPELINING'] },
  logins: { options: { hostname, starttls: 'off', features: [AUTH], credentials: 'cleartext' }, offered: ['AUTH PLAIN'] },
  /** The transport does not take all at once. */
  stalls: { options: { hostname, starttls: 'off' }, offered: [], stalls: true },
};
