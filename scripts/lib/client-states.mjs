// The client's tables for test-vectors/states.json: their rows, and what the names in them stand for.

import { always } from './changes.mjs';

/** Both tables as they are published. Throws for a name without words. */
export function clientStates(session, transaction) {
  return { client: states(session, CLIENT), transaction: states(transaction, TRANSACTION) };
}

function states(table, { phases, guards, effects, reading }) {
  const rows = Object.entries(table).flatMap(([on, some]) =>
    some.map(({ from, guards: asked, effects: done, to, close, misuse }) => ({
      from,
      on,
      ...named('guards', asked, guards),
      ...named('effects', done, effects),
      ...Object.fromEntries(Object.entries({ to, close, misuse }).filter(([, value]) => value !== undefined)),
    })),
  );
  const sentences = Object.entries(phases).map(([name, text]) => [name, `${text[0].toUpperCase()}${text.slice(1)}.`]);
  const all = Object.entries(effects).map(([name, { what, says = null, tells = [], changes = [] }]) => [
    name,
    { what, says, tells, ...always(changes) },
  ]);
  return { phases: Object.fromEntries(sentences), guards, effects: Object.fromEntries(all), ...(reading && { reading }), rows };
}

function named(what, calls, words) {
  if (calls === undefined) return {};
  for (const { name } of calls) if (words[name] === undefined) throw new Error(`scripts/lib/client-states.mjs has no words for ${name}`);
  return { [what]: calls.map(({ name }) => name) };
}

/** What is known beside the phase: of the session, and (from `phase` on) of one transaction. */
export const FACTS = {
  options: 'what the program has asked for once',
  limits: 'the limits, of the options and by default',
  tls: 'the TLS connection, if there is one',
  capabilities: 'what the server offers',
  authenticated: 'the mechanism by which the client has authenticated',
  exchange: 'the AUTH exchange that is under way',
  redactor: 'what was said in AUTH and must not be shown',
  quitting: 'the program wants to quit',
  leaving: 'why the session says QUIT by itself',
  closing: 'how the session ends',
  half: 'the server holds a transaction that came to nothing: RSET has to come before the next',
  mails: 'how often MAIL has been said',
  domains: 'the domains of recipients that the server was asked for, where it has limits (RFC 9422)',
  transactions: 'the transactions that are not over',
  body: 'the message that is being sent, or was last',
  command: 'the command of the program that is asked',
  due: 'the replies that are due, in order',
  flight: 'octets of commands that are not answered',
  reply: 'the reply that is being carried out',
  answered: 'what that reply answers',
  withheld: 'what that reply says, where it must not be shown',
  phase: 'the phase of the transaction',
  plan: 'how the message is sent to this server',
  asking: 'the recipients that the server is asked for',
  asked: 'how many of them have been said',
  pending: 'replies to MAIL and RCPT that are due',
  open: 'the server has accepted MAIL',
  accepted: 'the recipients that the server has accepted',
  untold: 'recipients whose outcome is not told',
  ends: 'LMTP: recipients that have had the reply to the end of the message',
  refusal: 'the reply to the first chunk that was refused',
};

/** Outcomes are told. */
const REST = ['outcome', 'settled'];

/**
 * The session: a guard with the facts that it reads, an effect with those that it changes (with a question mark: not each time), what it says to the server, and the events that it tells. */
export const CLIENT = {
  phases: {
    connect: 'the greeting is awaited',
    hello: 'EHLO, HELO or LHLO is asked',
    greeted: 'it is answered, and what follows is decided; left at once',
    starttls: 'STARTTLS is asked',
    tls: 'the transport is being secured',
    ready: 'no transaction',
    auth: "an AUTH exchange: the server's turn",
    challenge: "an AUTH exchange: the program's turn",
    cancelled: 'an AUTH exchange is cancelled: the last reply is awaited',
    command: 'a command of the program is asked',
    transaction: 'a mail transaction: its own table says how far it is',
    quit: 'QUIT is asked',
    closed: 'nothing follows',
  },
  guards: {
    notLeaving: { what: 'The program has not called quit.', reads: ['quitting'] },
    isLeaving: { what: 'The program has called quit.', reads: ['quitting'] },
    halfOpen: { what: 'The server holds a transaction that came to nothing.', reads: ['half'] },
    notHalfOpen: { what: 'The server holds no transaction.', reads: ['half'] },
    transactionsLeft: { what: 'The server takes another transaction in this session (RFC 9422 3).', reads: ['capabilities', 'mails'] },
    transactionsPipelined: {
      what: 'One transaction is open, its message was sent by DATA to its end, and a command may follow without waiting (RFC 2920 3.1).',
      reads: ['transactions', 'phase', 'plan', 'capabilities', 'options'],
    },
    tlsWanted: { what: 'There is no TLS, and STARTTLS is to be said where it is offered.', reads: ['options', 'tls'] },
    tlsRequired: { what: 'TLS is required.', reads: ['options'] },
    tlsNotActive: { what: 'There is no TLS.', reads: ['tls'] },
    tlsOffered: { what: 'The server offers STARTTLS.', reads: ['capabilities'] },
    tlsNotOffered: { what: 'The server does not offer STARTTLS.', reads: ['capabilities'] },
    ehloUnknown: { what: 'The server does not know EHLO: 500 to 504 (RFC 5321 3.2).', reads: ['answered', 'reply'] },
    authNotOffered: { what: 'The server does not offer AUTH.', reads: ['capabilities'] },
    authNotDone: { what: 'The client has not authenticated.', reads: ['authenticated'] },
    notProtected: { what: 'The connection is less safe than the option credentials wants.', reads: ['options', 'tls'] },
    challengeRefused: { what: 'The challenge is not base64, or there were too many.', reads: ['reply', 'exchange', 'limits'] },
    initialUnsaid: { what: 'The AUTH line had no room for the initial response.', reads: ['exchange'] },
  },
  effects: {
    tellGreeting: { what: 'Tells the greeting.', tells: ['greeting'] },
    sayHello: { what: 'Says EHLO, in LMTP LHLO.', changes: ['due', 'flight'], says: 'EHLO' },
    sayHelo: { what: 'Says HELO.', changes: ['due', 'flight'], says: 'HELO' },
    takeOffer: { what: 'Reads what the server offers.', changes: ['capabilities'], tells: ['hello', 'quirk'] },
    forgetOffer: { what: 'Forgets what the server offered in clear (RFC 3207 4.2).', changes: ['capabilities'] },
    sayStarttls: { what: 'Says STARTTLS.', changes: ['due', 'flight'], says: 'STARTTLS' },
    tellUpgrade: { what: 'Tells that the transport is to be secured.', tells: ['upgrade'] },
    tellStarttlsRefused: { what: 'Tells the refusal of STARTTLS.', tells: ['reply'] },
    sayAuth: {
      what: 'Says AUTH, and remembers what must not be shown.',
      changes: ['exchange?', 'redactor?', 'due', 'flight'],
      says: 'AUTH',
    },
    sayResponse: { what: 'Says a response.', changes: ['exchange', 'due', 'flight'], says: 'a response' },
    sayCancel: { what: 'Cancels the exchange by a single asterisk (RFC 4954 4).', changes: ['due', 'flight'], says: 'an asterisk' },
    countChallenge: { what: 'Counts a challenge.', changes: ['exchange'] },
    tellChallenge: { what: 'Tells the challenge.', tells: ['challenge'] },
    tellChallengeRefused: { what: 'Tells what is wrong with the challenge.', tells: ['fault'] },
    takeIdentity: { what: 'The client has authenticated.', changes: ['authenticated'], tells: ['authenticated'] },
    tellAuthRefused: { what: 'Tells the refusal of AUTH.', tells: ['reply'] },
    endExchange: { what: 'Ends the exchange.', changes: ['exchange'] },
    sayCommand: { what: 'Says the command of the program.', changes: ['due', 'flight'], says: 'the command' },
    sayRset: { what: 'Says RSET: the server holds nothing then.', changes: ['half', 'due', 'flight'], says: 'RSET' },
    tellAnswer: { what: 'Tells the reply to the command.', tells: ['reply'] },
    leaveRefused: { what: 'Says QUIT, because the server has refused.', changes: ['leaving', 'due', 'flight'], says: 'QUIT' },
    leaveWithoutTls: { what: 'Says QUIT: TLS is required and not available.', changes: ['leaving', 'due', 'flight'], says: 'QUIT' },
    leaveAsked: { what: 'Says QUIT at once under TLS (RFC 3207 4.1).', changes: ['leaving', 'due', 'flight'], says: 'QUIT' },
    sayQuit: { what: 'Says QUIT.', changes: ['due', 'flight'], says: 'QUIT' },
    settleRest: { what: 'Tells the outcomes that are not decided: unknown or unsent.', changes: ['phase?', 'untold?'], tells: REST },
    dropAll: { what: 'Drops what was under way.', changes: ['transactions?', 'body?', 'exchange?', 'due?'] },
    tellClosed: { what: 'Tells the end.', tells: ['closed'] },
  },
  /** What changes outside of effects, ahead of a row or behind it. */
  reading: [
    { what: 'A reply is read: it answers what is due first.', changes: ['reply', 'answered', 'withheld', 'premature', 'due', 'flight'] },
    { what: 'What a call of the program brings is kept for its row.', changes: ['command', 'exchange', 'quitting', 'tls', 'transactions'] },
    { what: 'Octets of the message are handed out.', changes: ['body'] },
    { what: 'The row leads its transaction to another phase; one that is over is dropped.', changes: ['phase', 'transactions', 'body'] },
    { what: 'Why the session ends is kept for the row that ends it.', changes: ['closing'] },
  ],
};

/** A mail transaction. */
export const TRANSACTION = {
  phases: {
    mail: 'MAIL is to be said',
    envelope: 'MAIL is said, and RCPT is being said',
    data: 'DATA is said',
    body: 'the message is being sent',
    stopped: 'no more of it is wanted: what was announced of its chunks is sent, and their replies are awaited',
    end: 'its end is said, and not handed out',
    message: 'its end is handed out, and the last reply awaited',
    over: 'the session goes on without it',
  },
  guards: {
    halfOpen: CLIENT.guards.halfOpen,
    notHalfOpen: CLIENT.guards.notHalfOpen,
    isSettled: { what: 'Every outcome is told.', reads: ['untold'] },
    notAwaited: { what: 'Nothing that was said of it waits for its reply.', reads: ['due'] },
    isOpen: { what: 'The server has accepted MAIL.', reads: ['open'] },
    byData: { what: 'The message goes by DATA.', reads: ['plan'] },
    byBdat: { what: 'The message goes by BDAT.', reads: ['plan'] },
    recipientsLeft: { what: 'A recipient has yet to be asked for.', reads: ['asked', 'asking', 'untold'] },
    isAnswered: { what: 'All that was to be asked is asked and answered.', reads: ['pending', 'asked', 'asking', 'untold'] },
    dataPipelined: {
      what: 'DATA may be sent before the commands before it are answered.',
      reads: ['untold', 'asked', 'asking', 'capabilities', 'options'],
    },
    someAccepted: { what: 'The server has accepted a recipient.', reads: ['accepted'] },
    someWanted: { what: 'At least one recipient is left for the message.', reads: ['accepted', 'untold'] },
    noneWanted: { what: 'No recipient is left for the message.', reads: ['accepted', 'untold'] },
    roomForMail: { what: 'MAIL may be said now.', reads: ['plan', 'due', 'capabilities', 'options', 'flight', 'limits'] },
    roomForRcpt: { what: 'RCPT may be said now.', reads: ['asking', 'asked', 'due', 'capabilities', 'options', 'flight', 'limits'] },
    roomForData: { what: 'DATA may be said now.', reads: ['due', 'capabilities', 'options', 'flight', 'limits'] },
    tooMany: {
      what: 'The reply says that there are too many recipients, after others were accepted (RFC 5321 4.5.3.1.10).',
      reads: ['reply', 'accepted'],
    },
    moreEnds: {
      what: 'LMTP: another recipient has a reply to the end of the message (RFC 2033 4.2).',
      reads: ['options', 'accepted', 'ends'],
    },
    lastEnd: { what: 'No other recipient has a reply to the end of the message.', reads: ['options', 'accepted', 'ends'] },
    chunksAnswered: { what: 'No reply to the transaction is due.', reads: ['due'] },
    chunkMissing: { what: 'A chunk was refused.', reads: ['refusal'] },
  },
  effects: {
    sayRset: CLIENT.effects.sayRset,
    sayMail: { what: 'Says MAIL.', changes: ['mails', 'pending', 'due', 'flight'], says: 'MAIL' },
    sayRcpt: { what: 'Says RCPT for the next recipient.', changes: ['asked', 'pending', 'domains?', 'due', 'flight'], says: 'RCPT' },
    sayData: { what: 'Says DATA.', changes: ['due', 'flight'], says: 'DATA' },
    openTransaction: { what: 'The server has accepted MAIL.', changes: ['pending', 'open'] },
    refuseAtMail: { what: 'MAIL is refused, and with it all recipients.', changes: ['pending', 'untold?'], tells: REST },
    countRcpt: { what: 'A reply to RCPT has come.', changes: ['pending'] },
    acceptRecipient: { what: 'The server has accepted a recipient.', changes: ['accepted'], tells: ['recipient'] },
    refuseRecipient: { what: 'The server has refused a recipient.', changes: ['untold?'], tells: REST },
    postponeRecipient: { what: 'A recipient is for another transaction.', changes: ['untold?'], tells: ['outcome'] },
    refuseAtData: { what: 'DATA is refused, and with it all recipients.', changes: ['untold?'], tells: REST },
    beginBody: { what: 'The message begins, by DATA.', changes: ['body'] },
    beginChunks: { what: 'The message begins, by BDAT.', changes: ['body'] },
    tellReady: { what: 'Tells that the message is wanted.', tells: ['ready'] },
    endBody: { what: 'The message is complete.', changes: ['body'] },
    expectEnd: { what: 'A reply to the end of the message will be due.', changes: ['body', 'due'] },
    expectAnother: { what: 'The reply for the next recipient is due first.', changes: ['ends', 'due'] },
    stopBody: { what: 'No more of the message is wanted.', changes: ['body?'] },
    keepRefusal: { what: 'Keeps the reply to the first chunk that is refused.', changes: ['refusal'] },
    refuseAtBody: { what: 'The message is refused while it is sent, and with it all recipients.', changes: ['untold?'], tells: REST },
    refuseAtMessage: { what: 'The message is refused: in LMTP for one recipient.', changes: ['untold?'], tells: REST },
    acceptMessage: { what: 'The server has the message: in LMTP for one recipient.', changes: ['untold?'], tells: REST },
    doubtMessage: {
      what: 'A chunk was refused, and the server accepts the message: the outcome is unknown.',
      changes: ['untold?'],
      tells: REST,
    },
    leaveHalfOpen: { what: 'The server holds the transaction, if it has accepted MAIL.', changes: ['half?'] },
    giveUp: { what: 'The program has given it up: what is not decided is unsent.', changes: ['untold'], tells: REST },
  },
};
