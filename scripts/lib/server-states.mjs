// What the phases, guards, conditions and effects of a server session are, in a sentence each; what they read and change of what it knows.
// `facts.x` is known of the session, `transaction.x` of its transaction, `counts.x` is counted; `policy` are the options, `given` is what triggers
// the row. A test holds what is said here against what the engine does.

import { always } from './changes.mjs';

export const PHASES = {
  wait: 'The greeting is held back for early talkers (`greetingDelay`).',
  connect: 'The connection is being decided on.',
  greeting: 'The greeting is held back by the answer to `connect`.',
  refused: 'The connection was refused with 554: only QUIT is left (RFC 5321 3.1).',
  greeted: 'Before EHLO, HELO or (LMTP) LHLO, and again after STARTTLS and XCLIENT.',
  ready: 'No transaction is open.',
  mail: 'A sender is known, and no recipient.',
  rcpt: 'At least one recipient was accepted.',
  data: 'The message is being received.',
  chunk: 'A chunk of the message is being received (BDAT).',
  chunks: 'Between two chunks.',
  drain: 'The octets of a chunk that was refused are read and dropped.',
  message: 'The message is being decided on, in LMTP for each recipient.',
  auth: 'An AUTH exchange.',
  tls: 'The transport is being secured.',
  closed: 'Nothing follows.',
};

const guard = (what, ...reads) => ({ what, reads });

/** What has to hold for a verb. */
export const GUARDS = {
  'room-for-commands': guard('Not too many commands have come since a message was accepted.', 'policy', 'counts.idleCommands'),
  smtp: guard('The session speaks SMTP.', 'policy'),
  lmtp: guard('The session speaks LMTP.', 'policy'),
  'tls-if-required': guard('TLS is active, or not required.', 'policy', 'facts.tls'),
  'auth-if-required': guard('The client has authenticated, or need not.', 'policy', 'facts.identity'),
  'room-for-transaction': guard('The session may have one more transaction.', 'policy', 'counts.transactions'),
  'room-for-recipient': guard('The message may have one more recipient.', 'policy', 'transaction.envelope'),
  'room-for-refusals': guard('Not too many recipients were refused since a message was accepted.', 'policy', 'counts.refusedRecipients'),
  'no-recipient-refused': guard('No recipient of the transaction was refused.', 'transaction.onlyRefused'),
  'not-binary': guard('The message is not declared as BINARYMIME.', 'transaction.envelope'),
  'chunking-offered': guard('CHUNKING is offered.', 'policy', 'facts.tls', 'facts.proxied', 'facts.own'),
  'tls-offered': guard('STARTTLS is taken, announced or not.', 'policy'),
  'tls-not-active': guard('TLS is not active.', 'facts.tls'),
  'ehlo-used': guard('The client has said EHLO or LHLO.', 'facts.hello'),
  'auth-configured': guard('There are mechanisms, and AUTH is among the extensions.', 'policy'),
  'auth-not-done': guard('The client has not authenticated.', 'facts.identity'),
  'auth-not-in-clear': guard('AUTH is offered as the connection stands.', 'policy', 'facts.tls', 'facts.proxied', 'facts.own'),
  'expn-offered': guard('EXPN is offered.', 'policy', 'facts.tls', 'facts.proxied', 'facts.own'),
  'help-offered': guard('HELP is offered.', 'policy', 'facts.tls', 'facts.proxied', 'facts.own'),
  'etrn-offered': guard('ETRN is offered.', 'policy', 'facts.tls', 'facts.proxied', 'facts.own'),
  'xclient-trusted': guard('The peer may speak for its client, and has not done so.', 'policy', 'facts.tls', 'facts.proxied', 'facts.own'),
  'xforward-trusted': guard(
    'The peer may tell of its client, and does not speak for one.',
    'policy',
    'facts.tls',
    'facts.proxied',
    'facts.own',
  ),
  'size-fits': guard('The declared size is not beyond the largest message.', 'policy', 'given'),
  'sender-qualified': guard('The domain of the sender is fully qualified, or need not be.', 'policy', 'given'),
  'by-time-not-too-soon': guard('The time of BY that must be met is not below the least.', 'policy', 'given'),
  'not-held-too-long': guard('The message is not to be held longer than announced, nor beyond its time of BY.', 'policy', 'given'),
  'ascii-or-smtputf8': guard('The recipient is ASCII, or MAIL said SMTPUTF8.', 'transaction.envelope', 'given'),
  'recipient-qualified': guard('The domain of the recipient is fully qualified, or need not be.', 'policy', 'given'),
  'room-for-domain': guard('The domain of the recipient is known, or there is room for one more.', 'policy', 'counts.domains', 'given'),
  'chunk-not-too-small': guard(
    'The chunk has at least 64 octets or is the last, or few small chunks came before.',
    'policy',
    'counts.smallChunks',
    'given',
  ),
  'chunk-not-too-large': guard('The octets beyond the limit are few enough to read and drop.', 'policy', 'given'),
  'mechanism-offered': guard('The mechanism is one of those that are offered.', 'policy', 'facts.tls', 'given'),
  'verb-offered': guard('The extension of the verb was offered.', 'facts.own', 'given'),
  'verb-in-its-phase': guard('The verb may come in this phase.', 'phase', 'given'),
  'attributes-known': guard('What the proxy tells is known, and has values of its kind.', 'given'),
};

/** What chooses among the rows of one trigger. */
export const CONDITIONS = {
  'reply-held-back': guard('The answer holds the reply back.', 'given'),
  'reply-closes': guard('The reply is 421.', 'given'),
  'early-talker-unwelcome': guard('Octets came before the greeting, and such clients are refused.', 'policy', 'facts.proxied', 'input'),
  'faults-spent': guard('This fault is the last that is taken.', 'policy', 'counts.faults', 'given'),
  'no-faults-left': guard('The last fault that is taken has come.', 'policy', 'counts.faults'),
  'fault-closes': guard('The guard that does not hold closes the session.', 'given'),
  'verdict-closes': guard('The message is refused by 421.', 'transaction.verdict'),
  'message-refused': guard('The message is refused.', 'transaction.verdict'),
  'last-decision': guard('SMTP, or the last recipient of LMTP, is decided on.', 'policy', 'transaction.decided', 'transaction.envelope'),
  'chunk-readable': guard('The size of the chunk is known, and small enough to read and drop.', 'policy', 'given'),
  'turned-away': guard('The connection was refused with 554.', 'facts.turnedAway'),
  'no-hello': guard('The client has not sent EHLO, HELO or LHLO.', 'facts.hello'),
  'no-transaction': guard('No transaction is open.', 'transaction.envelope'),
  'no-recipient': guard('The transaction has no recipient.', 'transaction.envelope'),
  'chunking-not-offered': guard('CHUNKING is not offered.', 'policy', 'facts.tls', 'facts.proxied', 'facts.own'),
  'last-chunk': guard('The refused chunk is the last one of its message.', 'facts.refusedChunk'),
};

/** Dropped whole, or (LMTP) counted on. */
const TRANSACTION = 'transaction';
/** A change that is not made each time ends with a question mark. */
const effect = (what, says, ...changes) => ({ what, says, ...always(changes) });

/** What rows do, and what is said: the words for that (`row`, `given` …) are explained in test-vectors/README.md. */
export const EFFECTS = {
  holdGreeting: effect('The greeting is kept until its delay is over.', null, 'facts.greeting'),
  greet: effect('The client is greeted; if it sent early, that is reported where the policy asks for it.', 'greeting', 'facts.greeting?'),
  turnAway: effect('The connection is refused.', 'given', 'facts.turnedAway'),
  turnAwayEarlyTalker: effect('A client that sent early is refused and reported.', 'given', 'facts.greeting?', 'facts.turnedAway'),
  sayHello: effect('The name of the client is known; a transaction is given up.', 'row', 'facts.hello?', 'facts.own?', `${TRANSACTION}?`),
  beginTransaction: effect('The envelope is created.', 'row', 'facts.speaksSmtp?', 'transaction.envelope'),
  addRecipient: effect('The envelope has one recipient more.', 'program', 'transaction.envelope', 'counts.domains?'),
  beginData: effect('The message begins.', 'row', 'transaction.message'),
  beginChunks: effect(
    'The message begins with its first chunk; the program is asked about it.',
    null,
    'transaction.message',
    'counts.smallChunks?',
  ),
  nextChunk: effect('The message continues with another chunk.', null, 'transaction.message?', 'counts.smallChunks?'),
  endOfChunk: effect('The chunk is answered, by the verdict where there is one.', 'verdict', 'transaction.verdict?'),
  concludeRefused: effect(
    'The message is answered by its verdict, in LMTP once for each recipient; the transaction ends.',
    'verdict',
    TRANSACTION,
  ),
  takeResponsibility: effect(
    'The message is accepted; after the last decision the transaction ends.',
    'row',
    'counts.idleCommands?',
    'counts.refusedRecipients?',
    TRANSACTION,
  ),
  refuseDecision: effect('The message is refused; after the last decision the transaction ends.', 'given', TRANSACTION),
  refuseMessage: effect('The message that is being received is refused; the program is told.', null, 'transaction.verdict'),
  refuseFirstChunk: effect('The message that has begun is refused; the reply comes after its chunk is read.', null, 'transaction.verdict'),
  refuseChunk: effect(
    'The octets of the refused chunk will be read, and then comes its reply.',
    null,
    'facts.refusedChunk',
    'counts.faults',
  ),
  loseChunk: effect('The refused chunk can not be read.', 'lost', 'counts.faults?'),
  answerChunk: effect('The refused chunk is answered.', 'refusedChunk', 'facts.refusedChunk'),
  failChunk: effect(
    'The refused chunk is answered, and the message of its transaction is lost.',
    'refusedChunk',
    'facts.refusedChunk',
    'transaction.message',
    'transaction.verdict',
  ),
  failLastChunk: effect(
    'The refused chunk is answered, in LMTP once for each recipient; the transaction ends.',
    'refusedChunk',
    'facts.refusedChunk',
    TRANSACTION,
  ),
  giveUpTransaction: effect('The transaction is given up.', 'row', `${TRANSACTION}?`),
  inform: effect('The program, or the engine for it, has answered.', 'program'),
  noteForwarded: effect('What the proxy tells of its client is known.', 'row', 'transaction.forwarded?'),
  beginAnew: effect(
    'The proxy speaks for its client from now on.',
    null,
    'facts.peer?',
    'facts.identity?',
    'facts.proxied',
    'facts.speaksSmtp?',
    'facts.hello?',
    'facts.own?',
    `${TRANSACTION}?`,
  ),
  secure: effect(
    'What the client said in clear is forgotten.',
    null,
    'facts.tls',
    'facts.speaksSmtp?',
    'facts.hello',
    'facts.own?',
    'facts.identity?',
    `${TRANSACTION}?`,
  ),
  beginExchange: effect('The exchange begins; the program is asked for its first step.', null, 'facts.exchange'),
  askStep: effect('The program is asked for the next step.', null),
  challenge: effect('The challenge is sent.', 'challenge', 'facts.exchange'),
  authenticate: effect('The client has an identity.', 'row', 'facts.identity', 'facts.exchange'),
  refuseAuth: effect('The exchange ends by a refusal, which is a fault.', 'given', 'facts.exchange', 'counts.faults'),
  failAuth: effect('The exchange ends by a fault of the client.', 'given', 'facts.exchange', 'counts.faults'),
  refuse: effect('The program has refused what it was asked.', 'program', 'counts.refusedRecipients?', 'transaction.onlyRefused?'),
  refuseCommand: effect(
    'The command is refused, which is a fault and is reported.',
    'given',
    'counts.faults?',
    'counts.refusedRecipients?',
    'transaction.onlyRefused?',
  ),
  tellOtherProtocol: effect('Reports that the client speaks another protocol.', 'row'),
  tellPlaintext: effect('Reports that octets came after STARTTLS.', null),
  sayFarewell: effect('The server says why it closes.', 'given'),
  giveUpContent: effect('The program has not asked for the next event after content of a message in time.', 'content'),
};

/**
 * What is changed while octets are read, ahead of any row: by a line that has what stands in `on` for its verb, or (`except`) any other than that,
 * or by the content of a message in a phase.
 */
export const READING = [
  {
    what: 'A line is AUTH, or has no verb and looks like it: it may hold a credential, and so may the line that follows.',
    on: ['AUTH', 'unknown'],
    changes: ['facts.redact'],
  },
  { what: 'After any other command no credential follows.', except: ['AUTH', 'unknown'], changes: ['facts.redact'] },
  {
    what: 'A command counts until a message is accepted, but RCPT and BDAT, which have limits of their own, and QUIT.',
    except: ['RCPT', 'BDAT', 'QUIT', 'unknown'],
    changes: ['counts.idleCommands'],
  },
  { what: 'A MAIL whose arguments can be read counts, taken or refused.', on: ['MAIL'], changes: ['counts.transactions'] },
  { what: 'The content of the message is read.', from: ['data', 'chunk'], changes: ['transaction.message'] },
  { what: 'The octets of a refused chunk are read.', from: ['drain'], changes: ['facts.refusedChunk'] },
];

/** Replies that are said in place of that of the row, or (`rejected`) of that of the program. */
export const INSTEAD = {
  priority: { of: ['mail'], what: 'The priority of the message is another than the client asked for (RFC 6710 4.1).' },
  expn: { of: ['vrfy'], what: 'The answer has a text: the mailbox was verified.' },
  rcptAscii: { of: ['rcpt'], what: 'The answer is 251, and shows a mailbox to a client that takes no UTF-8 (RFC 6531 3.7.4.1).' },
  rcptMovedAscii: {
    of: ['rejected'],
    what: 'RCPT is refused by 551, which shows a mailbox to a client that takes no UTF-8 (RFC 6531 3.7.4.1).',
  },
  vrfyAscii: { of: ['vrfy', 'expn'], what: 'The answer shows a mailbox to a client that takes no UTF-8 (RFC 6531 3.7.4.2).' },
  vrfyRefusedAscii: {
    of: ['rejected'],
    what: 'VRFY or EXPN is refused by another code than 421, which shows a mailbox to a client that takes no UTF-8 (RFC 6531 3.7.4.2).',
  },
};

/** The reply to a fault that no row and no guard names: the first that fits, by what triggers it, by its code, and by the rule of the grammar that failed. */
export const FAULTS = [
  { on: 'bad-response', code: 'line-too-long', reply: 'authLineTooLong' },
  { on: 'bad-response', code: 'cancelled', reply: 'authCancelled' },
  { on: 'refuse-message', code: 'too-large', reply: 'tooLarge' },
  { on: 'refuse-message', code: 'bare-line-end', reply: 'bareLineEnd' },
  { code: 'line-too-long', reply: 'lineTooLong' },
  { code: 'bare-lf-line', reply: 'bareLfLine' },
  { code: 'unknown-parameter', reply: 'unknownParameter' },
  { code: 'misplaced-parameter', reply: 'unknownParameter' },
  { code: 'base64', reply: 'badBase64' },
  { code: 'smtputf8', reply: 'asciiSender' },
  { rule: 'Reverse-path', reply: 'badSender' },
  { rule: 'Forward-path', reply: 'badRecipient' },
  { reply: 'badArgument' },
];

/** What is said where the program gives no answer in time, by its question. */
export const UNANSWERED = { starttls: 'tlsFailed', auth: 'authFailed', default: 'noAnswer' };

/** What closing changes, whatever the effect. */
export const CLOSING = ['facts.greeting', 'facts.refusedChunk', TRANSACTION];

/** RFC 2034 3 (4): where no enhanced code is said: in these phases, and in any reply to these verbs. */
export const BARE = { phases: ['wait', 'connect', 'greeting'], verbs: ['EHLO', 'HELO', 'LHLO'] };
