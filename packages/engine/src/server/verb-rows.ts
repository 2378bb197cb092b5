import { BEFORE_MAIL, COMMANDS, IN_TRANSACTION, LINES } from './phases.ts';
import type { Row } from './row.ts';

/** RFC 5321 4.2.4: recognised, and not implemented. F.1 and F.6 have the first four. */
const NOT_IMPLEMENTED = ['SEND', 'SOML', 'SAML', 'TURN', 'ATRN', 'BURL'] as const;

/** RFC 5321 4.1.4, the order of commands, and what the extensions add to it. */
export const VERB_ROWS: readonly Row[] = [
  { on: 'EHLO', from: COMMANDS, guards: ['smtp'], asks: 'hello', effect: 'sayHello', reply: 'hello', to: 'ready' },
  { on: 'HELO', from: COMMANDS, guards: ['smtp', 'tls-if-required'], asks: 'hello', effect: 'sayHello', reply: 'hello', to: 'ready' },
  { on: 'LHLO', from: COMMANDS, guards: ['lmtp'], asks: 'hello', effect: 'sayHello', reply: 'hello', to: 'ready' }, // RFC 2033 4.1
  {
    on: 'MAIL',
    from: ['ready'],
    guards: ['tls-if-required', 'auth-if-required', 'room-for-transaction'],
    checks: ['size-fits', 'sender-qualified', 'by-time-not-too-soon', 'not-held-too-long'],
    asks: 'mail',
    effect: 'beginTransaction',
    reply: 'mail',
    to: 'mail',
  },
  { on: 'MAIL', from: ['greeted'], guards: ['tls-if-required'], refuse: 'helloFirst' },
  { on: 'MAIL', from: IN_TRANSACTION, refuse: 'nestedMail' },
  {
    on: 'RCPT',
    from: IN_TRANSACTION,
    guards: ['room-for-refusals', 'room-for-recipient'],
    checks: ['ascii-or-smtputf8', 'recipient-qualified', 'room-for-domain'],
    asks: 'rcpt',
    effect: 'addRecipient',
    reply: 'rcpt',
    to: 'rcpt',
  },
  { on: 'RCPT', from: ['greeted'], guards: ['tls-if-required'], refuse: 'helloFirst' },
  { on: 'RCPT', from: ['ready'], guards: ['tls-if-required'], refuse: 'mailFirst' },
  { on: 'DATA', from: ['rcpt'], guards: ['not-binary'], asks: 'data', effect: 'beginData', reply: 'data', to: 'data' },
  { on: 'DATA', from: ['mail'], guards: ['no-recipient-refused'], refuse: 'rcptFirst' },
  { on: 'DATA', from: ['greeted'], guards: ['tls-if-required'], refuse: 'helloFirst' },
  { on: 'DATA', from: ['ready'], guards: ['tls-if-required'], refuse: 'mailFirst' },
  // 4.1.4: these may be used at any time, before EHLO too, and touch no transaction (RSET ends one).
  { on: 'RSET', from: ['greeted'], guards: ['tls-if-required'], effect: 'giveUpTransaction', reply: 'reset' },
  {
    on: 'RSET',
    from: ['ready', ...IN_TRANSACTION, 'chunks'],
    guards: ['tls-if-required'],
    effect: 'giveUpTransaction',
    reply: 'reset',
    to: 'ready',
  },
  { on: 'NOOP', from: COMMANDS, reply: 'noop' },
  {
    on: 'HELP',
    from: COMMANDS,
    guards: ['help-offered', 'tls-if-required', 'auth-if-required'],
    asks: 'info',
    effect: 'inform',
    reply: 'help',
  },
  { on: 'VRFY', from: COMMANDS, guards: ['tls-if-required', 'auth-if-required'], asks: 'info', effect: 'inform', reply: 'vrfy' },
  {
    on: 'EXPN',
    from: COMMANDS,
    guards: ['expn-offered', 'tls-if-required', 'auth-if-required'],
    asks: 'info',
    effect: 'inform',
    reply: 'expn',
  },
  { on: 'QUIT', from: LINES, reply: 'quit', to: 'closed', cause: 'quit' },

  // RFC 3030 2: the chunks of a message, in place of DATA. The first one is asked about as DATA is; its octets are on their way meanwhile.
  {
    on: 'BDAT',
    from: ['rcpt'],
    guards: ['chunking-offered'],
    checks: ['chunk-not-too-small', 'chunk-not-too-large'],
    effect: 'beginChunks',
    to: 'chunk',
  },
  {
    on: 'BDAT',
    from: ['chunks'],
    guards: ['chunking-offered'],
    checks: ['chunk-not-too-small', 'chunk-not-too-large'],
    effect: 'nextChunk',
    to: 'chunk',
  },
  { on: 'BDAT', from: ['mail'], guards: ['chunking-offered', 'no-recipient-refused'], refuse: 'rcptFirst' },
  { on: 'BDAT', from: ['greeted'], guards: ['chunking-offered', 'tls-if-required'], refuse: 'helloFirst' },
  { on: 'BDAT', from: ['ready'], guards: ['chunking-offered', 'tls-if-required'], refuse: 'mailFirst' },
  ...(['MAIL', 'RCPT', 'DATA'] as const).map((on) => ({ on, from: ['chunks'], refuse: 'chunksOpen' }) as const),

  // RFC 3207
  {
    on: 'STARTTLS',
    from: ['ready'],
    guards: ['tls-not-active', 'tls-offered', 'ehlo-used'],
    asks: 'starttls',
    reply: 'starttls',
    to: 'tls',
  },
  { on: 'STARTTLS', from: ['greeted'], refuse: 'ehloFirst' },
  { on: 'STARTTLS', from: [...IN_TRANSACTION, 'chunks'], refuse: 'inTransaction' },

  // RFC 4954
  {
    on: 'AUTH',
    from: ['ready'],
    guards: ['auth-configured', 'tls-if-required', 'ehlo-used', 'auth-not-done', 'auth-not-in-clear'],
    checks: ['mechanism-offered'],
    effect: 'beginExchange',
    to: 'auth',
  },
  { on: 'AUTH', from: ['greeted'], guards: ['tls-if-required'], refuse: 'ehloFirst' },
  { on: 'AUTH', from: [...IN_TRANSACTION, 'chunks'], refuse: 'inTransaction' },

  // RFC 1985 5: not in a transaction.
  {
    on: 'ETRN',
    from: ['ready'],
    guards: ['etrn-offered', 'tls-if-required', 'auth-if-required', 'ehlo-used'],
    asks: 'info',
    effect: 'inform',
    reply: 'etrn',
  },
  { on: 'ETRN', from: ['greeted'], guards: ['etrn-offered', 'tls-if-required'], refuse: 'ehloFirst' },
  { on: 'ETRN', from: [...IN_TRANSACTION, 'chunks'], guards: ['etrn-offered'], refuse: 'inTransaction' },

  // Of Postfix: what a trusted proxy says of its client. XCLIENT begins the session anew, with a greeting for its reply.
  {
    on: 'XCLIENT',
    from: BEFORE_MAIL,
    guards: ['xclient-trusted'],
    checks: ['attributes-known'],
    asks: 'xclient',
    effect: 'beginAnew',
    to: 'connect',
  },
  { on: 'XCLIENT', from: [...IN_TRANSACTION, 'chunks'], guards: ['xclient-trusted'], refuse: 'inTransaction' },
  {
    on: 'XFORWARD',
    from: BEFORE_MAIL,
    guards: ['xforward-trusted'],
    checks: ['attributes-known'],
    effect: 'noteForwarded',
    reply: 'xforward',
  },
  { on: 'XFORWARD', from: [...IN_TRANSACTION, 'chunks'], guards: ['xforward-trusted'], refuse: 'inTransaction' },

  // Verbs that the program has defined: one line, one reply, and the session stays where it is.
  {
    on: 'extension',
    from: ['ready', ...IN_TRANSACTION],
    guards: ['tls-if-required', 'auth-if-required'],
    checks: ['verb-offered', 'verb-in-its-phase'],
    asks: 'command',
    effect: 'inform',
    reply: 'command',
  },
  { on: 'extension', from: ['greeted'], guards: ['tls-if-required'], refuse: 'ehloFirst' },
  { on: 'extension', from: ['chunks'], refuse: 'chunksOpen' },

  ...NOT_IMPLEMENTED.map((on) => ({ on, from: COMMANDS, refuse: 'notImplemented' }) as const),
];
