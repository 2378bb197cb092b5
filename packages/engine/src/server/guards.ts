// How the guards and conditions of the table are read: from the facts, the counts and what triggers the row. They change nothing.
import type { MailParameters, Path } from '@ehlo/grammar';
import { instantOf } from '../instant.ts';
import type { Given, OwnCommand, TriggerData } from './change.ts';
import type { FaultCode } from './events.ts';
import type { View } from './facts.ts';
import { mechanisms, offers } from './offer.ts';
import type { Condition, Guard } from './row.ts';
import { badAttribute, XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES } from './trusted.ts';

/** Faults that are no error of the client: RFC 5321 4.5.3.1.8 wants a limit "applied in an orderly fashion". */
const LIMIT_REACHED: ReadonlySet<FaultCode> = new Set([
  'recipients',
  'transactions',
  'refused-recipients',
  'idle-commands',
  'small-chunks',
  'too-large',
]);

/** Whether a fault counts as one. */
export function counts(code: FaultCode): boolean {
  return !LIMIT_REACHED.has(code);
}

/** How a guard is read; those of arguments from the command. */
export const GUARD_CALLS: { readonly [name in Guard]: (at: View, command: never) => boolean } = {
  'room-for-commands': ({ policy, counts: { idleCommands } }) => idleCommands <= policy.limits.idleCommands,
  smtp: ({ policy }) => policy.protocol === 'smtp',
  lmtp: ({ policy }) => policy.protocol === 'lmtp',
  'tls-if-required': ({ policy, facts }) => policy.starttls !== 'required' || facts.tls !== null,
  'auth-if-required': ({ policy, facts }) => !policy.auth.required || facts.identity !== null,
  'room-for-transaction': ({ policy, counts: { transactions } }) => transactions < policy.limits.transactions,
  'room-for-recipient': ({ policy, transaction }) => (transaction.envelope?.recipients.length ?? 0) < policy.limits.recipients,
  'room-for-refusals': ({ policy, counts: { refusedRecipients } }) => refusedRecipients < policy.limits.refusedRecipients,
  'no-recipient-refused': ({ transaction }) => !transaction.onlyRefused,
  'not-binary': ({ transaction }) => transaction.envelope?.parameters.body !== 'BINARYMIME',
  'chunking-offered': (at) => offers(at, 'CHUNKING'),
  'tls-not-active': ({ facts }) => facts.tls === null,
  // It is also taken where it is not announced (`starttls: 'unannounced'`).
  'tls-offered': ({ policy }) => policy.starttls !== 'off' && policy.extensions.has('STARTTLS'),
  'ehlo-used': ({ facts: { hello } }) => hello !== null && hello.verb !== 'HELO',
  'auth-configured': ({ policy }) => policy.auth.mechanisms.length > 0 && policy.extensions.has('AUTH'),
  'auth-not-done': ({ facts }) => facts.identity === null,
  'auth-not-in-clear': (at) => offers(at, 'AUTH'),
  'expn-offered': (at) => offers(at, 'EXPN'),
  'help-offered': (at) => offers(at, 'HELP'),
  'etrn-offered': (at) => offers(at, 'ETRN'),
  'xclient-trusted': (at) => offers(at, 'XCLIENT'),
  'xforward-trusted': (at) => offers(at, 'XFORWARD'),
  'size-fits': ({ policy }, { parameters: { size = 0 } }: Given<'MAIL'>) => size <= policy.limits.messageSize,
  'sender-qualified': (at, { reversePath }: Given<'MAIL'>) => isQualified(reversePath, at),
  'by-time-not-too-soon': ({ policy }, { parameters: { by } }: Given<'MAIL'>) => by?.mode !== 'R' || by.seconds >= policy.limits.deliverBy,
  'not-held-too-long': (at, { parameters }: Given<'MAIL'>) => isHeldLittle(parameters, at),
  'ascii-or-smtputf8': ({ transaction }, { forwardPath }: Given<'RCPT'>) =>
    transaction.envelope!.parameters.smtpUtf8 === true || isAscii(forwardPath.address),
  'recipient-qualified': (at, { forwardPath }: Given<'RCPT'>) => isQualified(forwardPath, at),
  'room-for-domain': ({ policy, counts: { domains } }, { forwardPath: { domain } }: Given<'RCPT'>) =>
    domains.size < policy.limits.recipientDomains || domains.has(domain.toLowerCase()),
  'chunk-not-too-small': ({ policy, counts: { smallChunks } }, { size, last }: Given<'BDAT'>) =>
    !isSmall(size, last) || smallChunks < policy.limits.smallChunks,
  'chunk-not-too-large': ({ policy: { limits } }, { size }: Given<'BDAT'>) => size - limits.messageSize <= limits.drain,
  'mechanism-offered': (at, { mechanism }: Given<'AUTH'>) => mechanisms(at).includes(mechanism),
  'verb-offered': ({ facts }, { extension }: OwnCommand) => facts.own.some(({ keyword }) => keyword === extension.keyword),
  'verb-in-its-phase': ({ phase }, { phases }: OwnCommand) => phases.some((one) => one === phase),
  'attributes-known': (_, command: Given<'XCLIENT' | 'XFORWARD'>) => unknownAttribute(command) === null,
};

/** How a condition is read. */
export const CONDITIONS: { readonly [name in Condition]: (at: View, given: TriggerData) => boolean } = {
  'reply-held-back': (_, { delay = 0 }) => delay > 0,
  'reply-closes': (_, { reply }) => reply?.code === 421,
  // A trusted proxy that sends on after its XCLIENT is no early talker. Nothing is read before the greeting: what has come is still there.
  'early-talker-unwelcome': ({ policy, facts, input }) => policy.earlyTalkers === 'reject' && !facts.proxied && !input.empty,
  'faults-spent': ({ policy, counts: { faults } }, { code }) =>
    faults + (code === undefined || counts(code) ? 1 : 0) >= policy.limits.faults,
  'no-faults-left': ({ policy, counts: { faults } }) => faults >= policy.limits.faults,
  'fault-closes': (_, { closes }) => closes !== undefined,
  'verdict-closes': ({ transaction: { verdict } }) => verdict?.reply.code === 421,
  'message-refused': ({ transaction: { verdict } }) => verdict !== null,
  'last-decision': ({ policy, transaction: { decided, envelope } }) =>
    policy.protocol === 'smtp' || decided + 1 === envelope!.recipients.length,
  'chunk-readable': ({ policy }, { size }) => size! <= policy.limits.drain,
  'turned-away': ({ facts }) => facts.turnedAway,
  'no-hello': ({ facts }) => facts.hello === null,
  'no-transaction': ({ transaction }) => transaction.envelope === null,
  'no-recipient': ({ transaction }) => transaction.envelope?.recipients.length === 0,
  'chunking-not-offered': (at) => !offers(at, 'CHUNKING'),
  'last-chunk': ({ facts }) => facts.refusedChunk!.last,
};

/** Fewer octets than that in a chunk are hardly worth a command. */
const SMALL_CHUNK = 64;

export function isSmall(size: number, last: boolean): boolean {
  return size < SMALL_CHUNK && !last;
}

function isAscii(text: string): boolean {
  let i = 0;
  while (i < text.length && text.charCodeAt(i) < 0x80) i++;
  return i === text.length;
}

/** What a proxy tells that is not known, or has no such value; null if all is well. */
export function unknownAttribute({ verb, attributes }: Given<'XCLIENT' | 'XFORWARD'>): string | null {
  return badAttribute(attributes, verb === 'XCLIENT' ? XCLIENT_ATTRIBUTES : XFORWARD_ATTRIBUTES);
}

/** RFC 6409 4.2: in a submission every domain is fully qualified. */
function isQualified({ domain }: Path, { policy }: View): boolean {
  return !policy.qualified || domain === '' || domain.startsWith('[') || domain.includes('.');
}

/** RFC 4865 4.2 (7) and (8), 5.2.2: within what is announced, and not beyond the time to deliver by. */
function isHeldLittle({ holdFor, holdUntil, by }: MailParameters, { policy: { futureRelease } }: View): boolean {
  if (holdFor !== undefined) return holdFor <= futureRelease!.seconds && holdFor <= (by?.seconds ?? holdFor);
  return holdUntil === undefined || instantOf(holdUntil) <= instantOf(futureRelease!.until);
}
