import type { Verb } from '@ehlo/grammar';
import type { CloseCause, FaultCode } from './events.ts';
import type { LimitName } from './limits.ts';
import type { ReplyName } from './replies.ts';

/** Where a server session stands: its one state variable. */
export type Phase =
  | 'connect' // before the greeting
  | 'refused' // greeted with 554: only QUIT is left (RFC 5321 3.1)
  | 'greeted' // before EHLO or HELO
  | 'ready' // no transaction
  | 'mail' // a sender, no recipient
  | 'rcpt' // at least one recipient
  | 'data' // the message is being received
  | 'chunk' // a chunk of it is being received (BDAT)
  | 'chunks' // between two chunks
  | 'message' // the message is being decided on
  | 'auth' // an AUTH exchange
  | 'tls' // the transport is being secured
  | 'closed';

/** A condition of a row; `guards.ts` says how each is read. The first that fails refuses the command. */
export type Guard =
  | 'smtp'
  | 'lmtp'
  | 'tls-if-required'
  | 'auth-if-required'
  | 'room-for-transaction'
  | 'room-for-recipient'
  | 'room-for-refusals'
  | 'no-recipient-refused'
  | 'not-binary'
  | 'chunking-offered'
  | 'tls-offered'
  | 'tls-not-active'
  | 'ehlo-used'
  | 'auth-configured'
  | 'auth-not-done'
  | 'auth-not-in-clear'
  | 'expn-offered'
  | 'help-offered'
  | 'etrn-offered'
  | 'xclient-trusted'
  | 'xforward-trusted';

/** What is said where a condition does not hold. */
export interface GuardRule {
  readonly reply: ReplyName;
  readonly fault: FaultCode;
  /** The reply is 421, and the session closes. */
  readonly closes?: CloseCause;
}

export const GUARDS: { readonly [name in Guard]: GuardRule } = {
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
};

/** What moves a session besides the verbs of its client. */
export type Happening =
  | 'greet'
  | 'turn-away'
  | 'end-of-chunk'
  | 'chunk-refused'
  | 'end-of-data'
  | 'transaction-over'
  | 'auth-over'
  | 'secured'
  | 'close';

export interface Row {
  readonly from: readonly Phase[];
  readonly on: Verb | Happening;
  readonly guards?: readonly Guard[];
  /** The phase that follows; absent: the session stays where it is. */
  readonly to?: Phase;
  /** The reply by which this verb is refused in this phase. */
  readonly refuse?: ReplyName;
}

const BEFORE_MAIL = ['greeted', 'ready'] as const;
const IN_TRANSACTION = ['mail', 'rcpt'] as const;
const COMMANDS = [...BEFORE_MAIL, ...IN_TRANSACTION, 'chunks'] as const;

/** RFC 5321 4.2.4: recognised, and not implemented. F.1 and F.6 have the first four. */
const NOT_IMPLEMENTED = ['SEND', 'SOML', 'SAML', 'TURN', 'ATRN', 'BURL'] as const;

/**
 * RFC 5321 4.1.4, the order of commands, and what the extensions add to it: the whole protocol. The first row that has the
 * phase and the verb decides; a verb without a row is refused by 503.
 */
export const TABLE: readonly Row[] = [
  { on: 'greet', from: ['connect'], to: 'greeted' },
  { on: 'turn-away', from: ['connect'], to: 'refused' },

  { on: 'EHLO', from: COMMANDS, guards: ['smtp'], to: 'ready' },
  { on: 'HELO', from: COMMANDS, guards: ['smtp', 'tls-if-required'], to: 'ready' },
  { on: 'LHLO', from: COMMANDS, guards: ['lmtp'], to: 'ready' }, // RFC 2033 4.1
  { on: 'MAIL', from: ['ready'], guards: ['tls-if-required', 'auth-if-required', 'room-for-transaction'], to: 'mail' },
  { on: 'MAIL', from: ['greeted'], guards: ['tls-if-required'], refuse: 'helloFirst' },
  { on: 'MAIL', from: IN_TRANSACTION, refuse: 'nestedMail' },
  { on: 'RCPT', from: IN_TRANSACTION, guards: ['room-for-refusals', 'room-for-recipient'], to: 'rcpt' },
  { on: 'RCPT', from: ['greeted'], guards: ['tls-if-required'], refuse: 'helloFirst' },
  { on: 'RCPT', from: ['ready'], guards: ['tls-if-required'], refuse: 'mailFirst' },
  { on: 'DATA', from: ['rcpt'], guards: ['not-binary'], to: 'data' },
  { on: 'DATA', from: ['mail'], guards: ['no-recipient-refused'], refuse: 'rcptFirst' },
  { on: 'DATA', from: ['greeted'], guards: ['tls-if-required'], refuse: 'helloFirst' },
  { on: 'DATA', from: ['ready'], guards: ['tls-if-required'], refuse: 'mailFirst' },
  { on: 'end-of-data', from: ['data', 'chunk'], to: 'message' },
  { on: 'transaction-over', from: [...IN_TRANSACTION, 'data', 'chunk', 'chunks', 'message'], to: 'ready' },
  // 4.1.4: these may be used at any time, before EHLO too, and touch no transaction (RSET ends one).
  { on: 'RSET', from: ['greeted'], guards: ['tls-if-required'] },
  { on: 'RSET', from: ['ready', ...IN_TRANSACTION, 'chunks'], guards: ['tls-if-required'], to: 'ready' },
  { on: 'NOOP', from: COMMANDS },
  { on: 'HELP', from: COMMANDS, guards: ['help-offered', 'tls-if-required', 'auth-if-required'] },
  { on: 'VRFY', from: COMMANDS, guards: ['tls-if-required', 'auth-if-required'] },
  { on: 'EXPN', from: COMMANDS, guards: ['expn-offered', 'tls-if-required', 'auth-if-required'] },
  { on: 'QUIT', from: [...COMMANDS, 'refused'], to: 'closed' },

  // RFC 3030 2: the chunks of a message, in place of DATA.
  { on: 'BDAT', from: ['rcpt', 'chunks'], guards: ['chunking-offered'], to: 'chunk' },
  { on: 'BDAT', from: ['mail'], guards: ['chunking-offered', 'no-recipient-refused'], refuse: 'rcptFirst' },
  { on: 'BDAT', from: ['greeted'], guards: ['chunking-offered', 'tls-if-required'], refuse: 'helloFirst' },
  { on: 'BDAT', from: ['ready'], guards: ['chunking-offered', 'tls-if-required'], refuse: 'mailFirst' },
  { on: 'end-of-chunk', from: ['chunk'], to: 'chunks' },
  { on: 'chunk-refused', from: [...IN_TRANSACTION, 'chunks'], to: 'chunks' },
  ...(['MAIL', 'RCPT', 'DATA'] as const).map((on) => ({ on, from: ['chunks'], refuse: 'chunksOpen' }) as const),

  // RFC 3207
  { on: 'STARTTLS', from: ['ready'], guards: ['tls-not-active', 'tls-offered', 'ehlo-used'], to: 'tls' },
  { on: 'STARTTLS', from: ['greeted'], refuse: 'ehloFirst' },
  { on: 'STARTTLS', from: [...IN_TRANSACTION, 'chunks'], refuse: 'inTransaction' },
  { on: 'secured', from: ['tls'], to: 'greeted' },

  // RFC 4954
  {
    on: 'AUTH',
    from: ['ready'],
    guards: ['auth-configured', 'tls-if-required', 'ehlo-used', 'auth-not-done', 'auth-not-in-clear'],
    to: 'auth',
  },
  { on: 'AUTH', from: ['greeted'], guards: ['tls-if-required'], refuse: 'ehloFirst' },
  { on: 'AUTH', from: [...IN_TRANSACTION, 'chunks'], refuse: 'inTransaction' },
  { on: 'auth-over', from: ['auth'], to: 'ready' },

  // RFC 1985 5: not in a transaction.
  { on: 'ETRN', from: ['ready'], guards: ['etrn-offered', 'tls-if-required', 'auth-if-required', 'ehlo-used'] },
  { on: 'ETRN', from: ['greeted'], guards: ['etrn-offered', 'tls-if-required'], refuse: 'ehloFirst' },
  { on: 'ETRN', from: [...IN_TRANSACTION, 'chunks'], guards: ['etrn-offered'], refuse: 'inTransaction' },

  // Of Postfix: what a trusted proxy says of its client. XCLIENT begins the session anew, with a greeting for its reply.
  { on: 'XCLIENT', from: BEFORE_MAIL, guards: ['xclient-trusted'], to: 'connect' },
  { on: 'XCLIENT', from: [...IN_TRANSACTION, 'chunks'], guards: ['xclient-trusted'], refuse: 'inTransaction' },
  { on: 'XFORWARD', from: BEFORE_MAIL, guards: ['xforward-trusted'] },
  { on: 'XFORWARD', from: [...IN_TRANSACTION, 'chunks'], guards: ['xforward-trusted'], refuse: 'inTransaction' },

  ...NOT_IMPLEMENTED.map((on) => ({ on, from: COMMANDS, refuse: 'notImplemented' }) as const),

  { on: 'close', from: ['connect', 'refused', ...COMMANDS, 'data', 'chunk', 'message', 'auth', 'tls'], to: 'closed' },
];

/** What is waited for in a phase while no question is open. */
export const TIMERS: { readonly [phase in Phase]: LimitName | null } = {
  connect: null,
  refused: 'commandTimeout',
  greeted: 'commandTimeout',
  ready: 'commandTimeout',
  mail: 'commandTimeout',
  rcpt: 'commandTimeout',
  data: 'dataTimeout',
  chunk: 'dataTimeout',
  chunks: 'commandTimeout',
  message: null,
  auth: 'authTimeout',
  tls: 'tlsTimeout',
  closed: null,
};

const INDEX: ReadonlyMap<Phase, ReadonlyMap<Verb | Happening, Row>> = index(TABLE);

/** The row that decides over `on` in `phase`. */
export function findRow(phase: Phase, on: Verb | Happening): Row | undefined {
  return INDEX.get(phase)?.get(on);
}

function index(table: readonly Row[]): ReadonlyMap<Phase, ReadonlyMap<Verb | Happening, Row>> {
  const phases = new Map<Phase, Map<Verb | Happening, Row>>();
  for (const row of table) {
    for (const phase of row.from) {
      const rows = phases.get(phase) ?? new Map<Verb | Happening, Row>();
      if (!rows.has(row.on)) rows.set(row.on, row);
      phases.set(phase, rows);
    }
  }
  return phases;
}
