// How the guards of the tables are read: they change nothing.
import { announcedLimit } from './capabilities.ts';
import type { ClientCore } from './core.ts';
import type { Transaction } from './transaction.ts';

type ClientGuard = (core: ClientCore) => boolean;
type TransactionGuard = (core: ClientCore, transaction: Transaction) => boolean;

// Of a session

export const notLeaving: ClientGuard = ({ quitting }) => !quitting;
export const isLeaving: ClientGuard = ({ quitting }) => quitting;
export const halfOpen: ClientGuard = ({ half }) => half;
export const notHalfOpen: ClientGuard = ({ half }) => !half;
export const transactionsLeft: ClientGuard = ({ capabilities, mails }) => mails < announcedLimit(capabilities!, 'MAILMAX');
/** RFC 2920 3.1. RFC 3030 2: after a chunk that failed RSET has to come first. */
export const transactionsPipelined: ClientGuard = (core) => {
  const [first, another] = core.transactions;
  const ended = first!.phase === 'end' || first!.phase === 'message';
  return another === undefined && ended && first!.plan.transfer === 'DATA' && core.pipelines('transactions');
};
export const tlsWanted: ClientGuard = ({ options, tls }) => options.starttls !== 'off' && tls === null;
export const tlsRequired: ClientGuard = ({ options }) => options.starttls === 'required';
export const tlsNotActive: ClientGuard = ({ tls }) => tls === null;
export const tlsOffered: ClientGuard = (core) => core.offers('STARTTLS');
export const tlsNotOffered: ClientGuard = (core) => !core.offers('STARTTLS');
export const ehloUnknown: ClientGuard = ({ answered, reply: { code } }) => answered!.to === 'EHLO' && code >= 500 && code <= 504;

// Of a transaction

export const isSettled: TransactionGuard = (_, { settled }) => settled;
/** No command of it waits for a reply, except RSET. */
export const notAwaited: TransactionGuard = ({ due }, transaction) => due.every((one) => one.transaction !== transaction);
export const isOpen: TransactionGuard = (_, { open }) => open;
export const byData: TransactionGuard = (_, { plan }) => plan.transfer === 'DATA';
export const recipientsLeft: TransactionGuard = (_, transaction) => transaction.recipientsLeft;
export const isAnswered: TransactionGuard = (_, { pending, recipientsLeft }) => pending === 0 && !recipientsLeft;
export const dataPipelined: TransactionGuard = (core, { settled, recipientsLeft }) => !settled && !recipientsLeft && core.pipelines('data');
export const someAccepted: TransactionGuard = (_, { accepted }) => accepted.length > 0;
export const noneWanted: TransactionGuard = (_, { accepted, settled }) => accepted.length === 0 || settled;
export const roomForMail: TransactionGuard = (core, { plan }) => core.hasRoom(plan.mail);
export const roomForRcpt: TransactionGuard = (core, { asking, asked }) => core.hasRoom(asking[asked]!.line);
export const roomForData: TransactionGuard = (core) => core.hasRoom('DATA');
/**
 * RFC 5321 4.5.3.1.10: 452 says that there are too many recipients, and 552, of old servers, is to be treated as that. Both say other things
 * of one recipient, too: RFC 3463 has X.5.3 for too many.
 */
export const tooMany: TransactionGuard = ({ reply: { code, enhanced = 'x.5.3' } }, { accepted }) =>
  accepted.length > 0 && (code === 452 || code === 552) && enhanced.endsWith('.5.3');
/** RFC 2033 4.2 */
export const moreEnds: TransactionGuard = ({ options }, { accepted, ends }) => options.protocol === 'lmtp' && ends + 1 < accepted.length;
