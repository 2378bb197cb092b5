import type { Core } from './core.ts';
import type { FaultCode } from './events.ts';
import { offers } from './offer.ts';
import type { ReplyName } from './replies.ts';
import type { Guard } from './table.ts';

interface GuardRule {
  readonly passes: (core: Core) => boolean;
  readonly reply: ReplyName;
  readonly fault: FaultCode;
}

/** How each condition of the table is read, and what is said where it does not hold. */
export const GUARDS: { readonly [name in Guard]: GuardRule } = {
  'tls-if-required': {
    passes: ({ policy, state }) => policy.starttls !== 'required' || state.tls !== null,
    reply: 'tlsRequired',
    fault: 'tls-required',
  },
  'auth-if-required': {
    passes: ({ policy, state }) => !policy.auth.required || state.identity !== null,
    reply: 'authRequired',
    fault: 'auth-required',
  },
  'room-for-recipient': {
    passes: ({ policy, state }) => (state.envelope?.recipients.length ?? 0) < policy.limits.recipients,
    reply: 'tooManyRecipients',
    fault: 'recipients',
  },
  'no-recipient-refused': { passes: ({ state }) => state.refusedRecipients === 0, reply: 'noRecipients', fault: 'sequence' },
  'tls-not-active': { passes: ({ state }) => state.tls === null, reply: 'tlsActive', fault: 'sequence' },
  'tls-offered': { passes: (core) => offers(core, 'STARTTLS'), reply: 'notImplemented', fault: 'not-implemented' },
  'ehlo-used': { passes: ({ state }) => state.hello?.verb === 'EHLO', reply: 'ehloFirst', fault: 'sequence' },
  'auth-configured': { passes: ({ policy }) => policy.auth.mechanisms.length > 0, reply: 'notImplemented', fault: 'not-implemented' },
  'auth-not-done': { passes: ({ state }) => state.identity === null, reply: 'authenticatedAlready', fault: 'sequence' },
  'auth-not-in-clear': { passes: (core) => offers(core, 'AUTH'), reply: 'authInClear', fault: 'tls-required' },
  'expn-offered': { passes: (core) => offers(core, 'EXPN'), reply: 'notImplemented', fault: 'not-implemented' },
  'help-offered': { passes: (core) => offers(core, 'HELP'), reply: 'notImplemented', fault: 'not-implemented' },
};
