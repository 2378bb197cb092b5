// What the rows of a transaction's table do.
import { Body, dataParts } from './body.ts';
import type { ClientCore } from './core.ts';
import type { Outcome } from './events.ts';
import { refused, type Transaction } from './transaction.ts';

type TransactionEffect = (core: ClientCore, transaction: Transaction) => void;

/** Before a transaction, or a command of the program's. */
export function sayRset(core: ClientCore, transaction: Transaction | null = null): void {
  core.half = false;
  core.ask('RSET', 'RSET', transaction);
}

export const sayMail: TransactionEffect = (core, transaction) => {
  core.mails++;
  transaction.pending++;
  core.ask('MAIL', transaction.plan.mail, transaction);
};

export const sayRcpt: TransactionEffect = (core, transaction) => {
  const { line, index, domain } = transaction.asking[transaction.asked++]!;
  if (core.offers('LIMITS')) core.domains.add(domain);
  transaction.pending++;
  core.ask('RCPT', line, transaction, index);
};

export const sayData: TransactionEffect = (core, transaction) => core.ask('DATA', 'DATA', transaction);

export const openTransaction: TransactionEffect = (_, transaction) => {
  transaction.pending--;
  transaction.open = true;
};

export const refuseAtMail: TransactionEffect = ({ reply }, transaction) => {
  transaction.pending--;
  transaction.settle(refused('mail', reply));
};

export const countRcpt: TransactionEffect = (_, transaction) => {
  transaction.pending--;
};

export const acceptRecipient: TransactionEffect = ({ reply, answered }, transaction) => transaction.accept(answered!.index, reply);

export const refuseRecipient: TransactionEffect = ({ reply, answered }, transaction) =>
  transaction.tell(answered!.index, refused('rcpt', reply));

export const postponeRecipient: TransactionEffect = ({ reply, answered }, transaction) =>
  transaction.tell(answered!.index, { status: 'unsent', stage: 'rcpt', cause: 'limits', reply });

export const beginBody: TransactionEffect = (core, transaction) => {
  core.body = new Body(transaction, core.options.newlines, dataParts);
};

export const tellReady: TransactionEffect = ({ events }, { id, accepted }) => {
  events.push({ type: 'ready', transaction: id, accepted: accepted.length });
};

export const endBody: TransactionEffect = ({ body }) => {
  body!.ended = true;
};

export const expectEnd: TransactionEffect = (core, transaction) => {
  core.body!.end = core.expect('END', transaction, 0, 0);
};

export const expectAnother: TransactionEffect = (core, transaction) => {
  transaction.ends++;
  core.due.unshift({ ...core.answered!, size: 0 });
};

/** RSET has to come before the next, if the server holds this one. */
export const leaveHalfOpen: TransactionEffect = (core, { open }) => {
  core.half ||= open;
};

export const refuseAtData: TransactionEffect = ({ reply }, transaction) => transaction.settle(refused('data', reply));

export const refuseAtBody: TransactionEffect = ({ reply }, transaction) => transaction.settle(refused('body', reply));

export const refuseAtMessage: TransactionEffect = (core, transaction) =>
  tellEnd(core, transaction, refused('message', transaction.refusal ?? core.reply));

export const acceptMessage: TransactionEffect = (core, transaction) =>
  tellEnd(core, transaction, { status: 'accepted', stage: 'message', reply: core.reply });

export const giveUp: TransactionEffect = (core, transaction) =>
  transaction.settle({ status: 'unsent', stage: core.stageOf(transaction), cause: 'aborted', reply: null });

/** RFC 2033 4.2: in LMTP the reply to the end of the message is one recipient's. */
export function tellEnd({ options }: ClientCore, transaction: Transaction, outcome: Outcome): void {
  const { accepted, ends } = transaction;
  const lmtp = options.protocol === 'lmtp';
  const most = lmtp ? Math.min(ends + 1, accepted.length) : accepted.length;
  for (let i = lmtp ? ends : 0; i < most; i++) transaction.tell(accepted[i]!, outcome);
}
