import type { LimitName } from './limits.ts';
import type { Guard, GuardRule, Phase, Row } from './row.ts';
import { TRIGGER_ROWS } from './trigger-rows.ts';
import { VERB_ROWS } from './verb-rows.ts';

/** The reply if a guard does not hold. */
export const GUARDS: { readonly [name in Guard]: GuardRule } = {
  'room-for-commands': { reply: 'tooManyIdle', fault: 'idle-commands', closes: 'idle-commands' },
  smtp: { reply: 'lhloOnly', fault: 'not-implemented' },
  lmtp: { reply: 'notImplemented', fault: 'not-implemented' },
  'tls-if-required': { reply: 'tlsRequired', fault: 'tls-required' },
  'auth-if-required': { reply: 'authRequired', fault: 'auth-required' },
  'room-for-transaction': { reply: 'tooManyTransactions', fault: 'transactions', closes: 'transactions' },
  'room-for-refusals': { reply: 'tooManyRefused', fault: 'refused-recipients', closes: 'refused-recipients' },
  'room-for-recipient': { reply: 'tooManyRecipients', fault: 'recipients' },
  'no-recipient-refused': { reply: 'noRecipients', fault: 'sequence' },
  'not-binary': { reply: 'binaryNeedsBdat', fault: 'sequence' },
  'chunking-offered': { reply: 'bdat', fault: 'not-implemented' },
  'tls-not-active': { reply: 'tlsActive', fault: 'sequence' },
  'tls-offered': { reply: 'notImplemented', fault: 'not-implemented' },
  'ehlo-used': { reply: 'ehloFirst', fault: 'sequence' },
  'auth-configured': { reply: 'notImplemented', fault: 'not-implemented' },
  'auth-not-done': { reply: 'authenticatedAlready', fault: 'sequence' },
  'auth-not-in-clear': { reply: 'authInClear', fault: 'tls-required' },
  'expn-offered': { reply: 'notImplemented', fault: 'not-implemented' },
  'help-offered': { reply: 'notImplemented', fault: 'not-implemented' },
  'etrn-offered': { reply: 'notImplemented', fault: 'not-implemented' },
  'xclient-trusted': { reply: 'notImplemented', fault: 'not-implemented' },
  'xforward-trusted': { reply: 'notImplemented', fault: 'not-implemented' },
  // RFC 1870 6.1 (2): a declared size beyond the fixed maximum is refused at once.
  'size-fits': { reply: 'tooLarge', fault: 'too-large' },
  'sender-qualified': { reply: 'unqualifiedSender', fault: 'syntax' },
  'by-time-not-too-soon': { reply: 'deliverByTooSoon', fault: 'parameter-value' },
  'not-held-too-long': { reply: 'heldTooLong', fault: 'parameter-value' },
  'ascii-or-smtputf8': { reply: 'asciiRecipient', fault: 'smtputf8' },
  'recipient-qualified': { reply: 'unqualifiedRecipient', fault: 'syntax' },
  'room-for-domain': { reply: 'tooManyDomains', fault: 'recipients' },
  'chunk-not-too-small': { reply: 'tooManyFaults', fault: 'small-chunks', closes: 'faults' },
  // What is beyond the largest message is read and dropped, but not without limit.
  'chunk-not-too-large': { reply: 'tooLarge', fault: 'too-large' },
  'mechanism-offered': { reply: 'unknownMechanism', fault: 'mechanism' },
  'attributes-known': { reply: 'badArgument', fault: 'parameter-value' },
  'verb-offered': { reply: 'notImplemented', fault: 'not-implemented' },
  'verb-in-its-phase': { reply: 'outOfPlace', fault: 'sequence' },
};

/** RFC 5321 3.1: after a 554 "the server MUST wait for the client to send a QUIT", and answers 503 to anything else. */
const REFUSED_ROWS: readonly Row[] = [...new Set(VERB_ROWS.map(({ on }) => on))]
  .filter((on) => on !== 'QUIT')
  .map((on) => ({ on, from: ['refused'], refuse: 'onlyQuit' }));

/**
 * The order of the protocol: a row names what its verb or trigger does. A verb has one row in each phase in which lines are commands; of the rows
 * of another trigger, the first whose conditions hold is taken. Not in the rows: how a line is read, what reading changes (`reading` in
 * states.json), and what an effect decides by the type of a question or the verb of a fault.
 */
export const TABLE: readonly Row[] = [...[...VERB_ROWS, ...REFUSED_ROWS].map(withBudget), ...TRIGGER_ROWS];

/** After too many commands without a message (`idleCommands`), every verb that is known gets 421, and the session closes. */
function withBudget(row: Row): Row {
  return { ...row, guards: ['room-for-commands', ...(row.guards ?? [])] };
}

/** What is waited for in a phase while no question is open. */
export const TIMERS: { readonly [phase in Phase]: LimitName | null } = {
  wait: 'greetingDelay',
  connect: null,
  greeting: null,
  refused: 'commandTimeout',
  greeted: 'commandTimeout',
  ready: 'commandTimeout',
  mail: 'commandTimeout',
  rcpt: 'commandTimeout',
  data: 'dataTimeout',
  chunk: 'dataTimeout',
  chunks: 'commandTimeout',
  drain: 'dataTimeout',
  message: null,
  auth: 'authTimeout',
  tls: 'tlsTimeout',
  closed: null,
};
