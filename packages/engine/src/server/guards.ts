import type { Core } from './core.ts';
import { offers } from './offer.ts';
import type { Guard } from './table.ts';

/** How each condition of the table is read. */
export const CONDITIONS: { readonly [name in Guard]: (core: Core) => boolean } = {
  smtp: ({ policy }) => policy.protocol === 'smtp',
  lmtp: ({ policy }) => policy.protocol === 'lmtp',
  'tls-if-required': ({ policy, state }) => policy.starttls !== 'required' || state.tls !== null,
  'auth-if-required': ({ policy, state }) => !policy.auth.required || state.identity !== null,
  'room-for-transaction': ({ policy, state }) => state.transactions < policy.limits.transactions,
  'room-for-recipient': ({ policy, state }) => (state.envelope?.recipients.length ?? 0) < policy.limits.recipients,
  'room-for-refusals': ({ policy, state }) => state.refusedRecipients < policy.limits.refusedRecipients,
  'no-recipient-refused': ({ state }) => !state.onlyRefused,
  'not-binary': ({ state }) => state.envelope?.parameters.body !== 'BINARYMIME',
  'chunking-offered': (core) => offers(core, 'CHUNKING'),
  'tls-not-active': ({ state }) => state.tls === null,
  // Unannounced, it is taken all the same.
  'tls-offered': ({ policy }) => policy.starttls !== 'off' && policy.extensions.has('STARTTLS'),
  'ehlo-used': ({ state }) => state.hello !== null && state.hello.verb !== 'HELO',
  'auth-configured': ({ policy }) => policy.auth.mechanisms.length > 0 && policy.extensions.has('AUTH'),
  'auth-not-done': ({ state }) => state.identity === null,
  'auth-not-in-clear': (core) => offers(core, 'AUTH'),
  'expn-offered': (core) => offers(core, 'EXPN'),
  'help-offered': (core) => offers(core, 'HELP'),
  'etrn-offered': (core) => offers(core, 'ETRN'),
  'xclient-trusted': (core) => offers(core, 'XCLIENT'),
  'xforward-trusted': (core) => offers(core, 'XFORWARD'),
};
