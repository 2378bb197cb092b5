import {
  byData,
  dataPipelined,
  halfOpen,
  isAnswered,
  isOpen,
  isSettled,
  moreEnds,
  noneWanted,
  notAwaited,
  notHalfOpen,
  recipientsLeft,
  roomForData,
  roomForMail,
  roomForRcpt,
  someAccepted,
  tooMany,
} from './guards.ts';
import type { Rows, TransactionRow, TransactionTrigger } from './row.ts';
import {
  acceptMessage,
  acceptRecipient,
  beginBody,
  countRcpt,
  endBody,
  expectAnother,
  expectEnd,
  giveUp,
  leaveHalfOpen,
  openTransaction,
  postponeRecipient,
  refuseAtBody,
  refuseAtData,
  refuseAtMail,
  refuseAtMessage,
  refuseRecipient,
  sayData,
  sayMail,
  sayRcpt,
  sayRset,
  tellReady,
} from './transaction-effects.ts';

/** The order of a mail transaction by DATA: RFC 5321 3.3, RFC 2920 3.1, RFC 2033 4.2. A reply that has no row breaks the protocol. */
export const TRANSACTION_ROWS: Rows<TransactionTrigger, TransactionRow> = {
  say: [
    // Given up before any of its commands was sent, except RSET, whose reply is awaited (RFC 5321 4.3.1).
    { from: ['mail'], guards: [isSettled, notAwaited], to: 'over' },
    // Another transaction was left half open: then nothing is due, and there is room.
    { from: ['mail'], guards: [halfOpen], effects: [sayRset] },
    { from: ['mail'], guards: [notHalfOpen, roomForMail], effects: [sayMail], to: 'envelope' },
    { from: ['envelope'], guards: [recipientsLeft, roomForRcpt], effects: [sayRcpt] },
    { from: ['envelope'], guards: [isAnswered, noneWanted], effects: [leaveHalfOpen], to: 'over' },
    { from: ['envelope'], guards: [byData, isAnswered, roomForData], effects: [sayData], to: 'data' },
    { from: ['envelope'], guards: [byData, dataPipelined, roomForData], effects: [sayData], to: 'data' },
  ],
  RSET: [{ from: ['mail', 'envelope', 'data'] }],
  'RSET refused': [
    // The server may still hold recipients of the transaction before: the next message could go to them, too.
    { from: ['mail', 'envelope', 'data'], close: 'refused' },
  ],
  MAIL: [{ from: ['envelope', 'data'], effects: [openTransaction] }],
  'MAIL refused': [{ from: ['envelope', 'data'], effects: [refuseAtMail] }],
  RCPT: [
    { from: ['envelope', 'data'], guards: [isOpen], effects: [countRcpt, acceptRecipient] },
    { from: ['envelope', 'data'], effects: [countRcpt] },
  ],
  'RCPT refused': [
    // RFC 5321 4.5.3.1.10: the recipients that are left go into another transaction, at once: the server has not judged them.
    { from: ['envelope', 'data'], guards: [tooMany], effects: [countRcpt, postponeRecipient] },
    { from: ['envelope', 'data'], effects: [countRcpt, refuseRecipient] },
  ],
  DATA: [
    // It was given up meanwhile: closing before the end of the message is the only way to be sure that it is not accepted.
    { from: ['data'], guards: [someAccepted, isSettled], close: 'aborted' },
    { from: ['data'], guards: [someAccepted], effects: [beginBody, tellReady], to: 'body' },
    // RFC 2920 3.1: "if the DATA command was accepted the client SMTP should send a single dot".
    { from: ['data'], guards: [isOpen], effects: [beginBody, endBody, expectEnd], to: 'end' },
  ],
  'DATA refused': [{ from: ['data'], effects: [refuseAtData, leaveHalfOpen], to: 'over' }],
  end: [{ from: ['body'], effects: [endBody, expectEnd], to: 'end' }],
  handed: [{ from: ['end'], to: 'message' }],
  END: [
    // RFC 2033 4.2: LMTP has one reply for each accepted recipient.
    { from: ['message', 'stopped'], guards: [moreEnds], effects: [acceptMessage, expectAnother] },
    { from: ['message', 'stopped'], effects: [acceptMessage], to: 'over' },
  ],
  'END refused': [
    { from: ['message', 'stopped'], guards: [moreEnds], effects: [refuseAtMessage, expectAnother] },
    // RFC 5321 4.1.1.4: the end of data clears the buffers, whatever the reply to it is.
    { from: ['message', 'stopped'], effects: [refuseAtMessage], to: 'over' },
  ],
  'early refused': [
    // A refusal in the middle of the message ends the session: no command can be sent before the message has ended.
    { from: ['body', 'stopped', 'end'], effects: [refuseAtBody], close: 'refused' },
  ],
  abort: [
    { from: ['mail', 'envelope', 'data', 'body', 'stopped', 'end', 'message'], guards: [isSettled] },
    { from: ['mail', 'envelope', 'data'], effects: [giveUp] },
    // If we do not send the final dot, the server cannot accept it: only closing prevents that. After the dot the outcome is unknown.
    { from: ['body', 'end', 'message'], close: 'aborted' },
  ],
};
