import { encodeUtf8, type Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { Body } from './body.ts';
import type { ClientCore, Due } from './core.ts';
import type { ClientCause, ClientEnvelope, MessageFacts, Outcome, Stage, TransactionPaths } from './events.ts';
import { type PlannedRecipient, planTransaction, type TransactionPlan } from './plan.ts';

/** A mail transaction, as the client sees it. */
export interface Transaction {
  readonly id: number;
  readonly plan: TransactionPlan;
  /** The recipients that are asked for, and how many have been. */
  readonly asking: readonly PlannedRecipient[];
  asked: number;
  /** Replies to RCPT that are due. */
  pending: number;
  mail: 'unasked' | 'asked' | 'accepted' | 'refused';
  /** Recipients that the server has accepted. */
  readonly accepted: number[];
  /** Which recipients have had their outcome told, and how many have not. */
  readonly told: Uint8Array;
  untold: number;
  /** Whether the end of its message has been handed out. */
  handed: boolean;
  /** LMTP: replies to the end of its message that have come. */
  ends: number;
  /** A chunk was refused (RFC 3030 2). */
  refusal: Reply | null;
}

export function pathsOf({ plan, accepted }: Transaction): TransactionPaths {
  return {
    reversePath: encodeUtf8(plan.reversePath),
    recipients: accepted.map((index) => encodeUtf8(plan.recipients[index]!.forwardPath)),
  };
}

/** How a message is sent as things stand in the session. */
export function planned(core: ClientCore, envelope: ClientEnvelope, message: MessageFacts): TransactionPlan {
  if (envelope.recipients.length === 0) throw new SmtpUsageError('no-recipients', 'no recipients');
  const chunking = core.feature('chunking') !== undefined;
  const { options, domains } = core;
  const verified = core.tls?.peerCertificate?.authorized === true;
  return planTransaction(core.capabilities!, envelope, message, { ...options, chunking, verified, domains });
}

/** Begins a transaction. */
export function begin(core: ClientCore, envelope: ClientEnvelope, message: MessageFacts): Transaction {
  const plan = planned(core, envelope, message);
  const transaction: Transaction = {
    id: ++core.lastId,
    plan,
    asking: plan.recipients.filter(({ problem, batch }) => problem === null && batch === 0),
    asked: 0,
    pending: 0,
    mail: 'unasked',
    accepted: [],
    told: new Uint8Array(plan.recipients.length),
    untold: plan.recipients.length,
    handed: false,
    ends: 0,
    refusal: null,
  };
  const behind = core.phase === 'message';
  if (transaction.asking.length > 0) {
    core.finishing = behind ? core.active : null;
    core.active = transaction;
    core.go('send');
  }
  for (const { index, problem, batch } of plan.recipients) {
    if (problem !== null) tell(core, transaction, index, { status: 'refused', stage: 'plan', permanent: true, reply: null, problem });
    else if (batch > 0) tell(core, transaction, index, { status: 'unsent', stage: 'plan', cause: 'limits', reply: null });
  }
  return transaction;
}

/** Sends what may be sent now. */
export function advance(core: ClientCore): void {
  const { active } = core;
  if (core.phase === 'envelope') envelope(core, active!);
  if (core.quitting && core.leaving === null && core.may('quit')) {
    core.go('quit');
    core.ask('QUIT');
  }
}

function envelope(core: ClientCore, transaction: Transaction): void {
  const { plan, asking } = transaction;
  if (transaction.mail === 'unasked') {
    if (transaction.untold === 0) return over(core, transaction);
    if (core.half) {
      if (!core.hasRoom('RSET')) return;
      core.half = false;
      core.ask('RSET', 'RSET', transaction);
    }
    if (!core.hasRoom(plan.mail)) return;
    transaction.mail = 'asked';
    core.transactions++;
    core.ask('MAIL', plan.mail, transaction);
  }
  // Where MAIL is refused, all has been told.
  while (transaction.asked < asking.length && transaction.untold > 0) {
    const { line, index, domain } = asking[transaction.asked]!;
    if (!core.hasRoom(line)) return;
    if (core.capabilities!.extensions.has('LIMITS')) core.domains.add(domain);
    transaction.asked++;
    transaction.pending++;
    core.ask('RCPT', line, transaction, index);
  }
  const answered = transaction.mail !== 'asked' && transaction.pending === 0;
  if (answered && !wanted(transaction)) return over(core, transaction);
  // RFC 3030 2: BDAT comes "after all MAIL and RCPT responses are collected".
  if (plan.transfer === 'BDAT') {
    if (answered) goAhead(core, transaction);
  } else if ((answered || core.pipelines('data')) && transaction.untold > 0 && core.hasRoom('DATA')) {
    core.go('data');
    core.ask('DATA', 'DATA', transaction);
  }
}

/** Whether somebody is left whom the message is for. */
function wanted({ accepted, untold }: Transaction): boolean {
  return accepted.length > 0 && untold > 0;
}

/** What each reply of a transaction does. */
export const TRANSACTION_ANSWERS: {
  readonly [to in 'RSET' | 'MAIL' | 'RCPT' | 'DATA' | 'BDAT' | 'END']: (
    core: ClientCore,
    reply: Reply,
    due: Due,
    transaction: Transaction,
  ) => void;
} = {
  RSET(core, reply) {
    // Whom the next message would go to is not known then.
    if (reply.code >= 400) core.close('refused', reply);
  },
  MAIL(core, reply, _due, transaction) {
    transaction.mail = reply.code < 400 ? 'accepted' : 'refused';
    if (reply.code >= 400) settleAll(core, transaction, refused('mail', reply));
  },
  RCPT(core, reply, { index }, transaction) {
    transaction.pending--;
    if (reply.code >= 400)
      tell(core, transaction, index, transaction.accepted.length > 0 && isTooMany(reply) ? tooMany(reply) : refused('rcpt', reply));
    else if (transaction.mail === 'accepted') {
      transaction.accepted.push(index);
      if (transaction.told[index] === 0) core.events.push({ type: 'recipient', transaction: transaction.id, index, reply });
    }
  },
  DATA(core, reply, _due, transaction) {
    if (reply.code < 400) return goAhead(core, transaction);
    settleAll(core, transaction, refused('data', reply));
    over(core, transaction);
  },
  BDAT(core, reply, _due, transaction) {
    if (reply.code >= 400 && transaction.refusal === null) {
      transaction.refusal = reply;
      core.body!.stop();
      // If the last chunk has left, its reply decides.
      if (!transaction.handed) settleAll(core, transaction, refused('body', reply));
    }
    stopped(core, transaction);
  },
  END(core, reply, due, transaction) {
    const { accepted, plan, refusal } = transaction;
    const lmtp = core.options.protocol === 'lmtp';
    const outcome: Outcome =
      reply.code >= 400
        ? refused('message', refusal ?? reply)
        : refusal === null
          ? { status: 'accepted', stage: 'message', reply }
          : // A chunk is missing, and the server takes the message: nobody knows what it has.
            { status: 'unknown', stage: 'message', cause: 'fault', reply };
    for (const index of lmtp ? [accepted[transaction.ends++]!] : accepted) tell(core, transaction, index, outcome);
    // RFC 2033 4.2: one reply for each accepted recipient.
    if (lmtp && transaction.ends < accepted.length) {
      core.due.unshift({ ...due, size: 0 });
      return;
    }
    // RFC 5321 4.1.1.4: the end of data clears the buffers, whatever is said to it; RFC 3030 2: a BDAT that is refused does not.
    over(core, transaction, reply.code >= 400 && plan.transfer === 'BDAT');
  },
};

/** 354: the message is awaited. */
function goAhead(core: ClientCore, transaction: Transaction): void {
  const accepted = transaction.accepted.length;
  // Given up meanwhile: only without the end is the message certainly not accepted.
  if (accepted > 0 && transaction.untold === 0) return core.close('aborted');
  if (transaction.mail === 'refused') return core.fault('unexpected-code', '354');
  core.go('go-ahead');
  core.body = new Body(core, transaction);
  if (accepted > 0) core.events.push({ type: 'ready', transaction: transaction.id, accepted });
  // RFC 2920 3.1: "if the DATA command was accepted the client SMTP should send a single dot".
  else endBody(core, core.body);
}

/** The message is complete. */
export function endBody(core: ClientCore, body: Body): void {
  const { transaction } = body;
  body.ended = true;
  if (transaction.plan.transfer === 'DATA') body.end = core.expect('END', transaction, 0, 0);
  core.go('end');
}

/** The transaction is over for the server, too, unless it is left half open. */
function over(core: ClientCore, transaction: Transaction, half = transaction.mail === 'accepted' && !transaction.handed): void {
  if (half) core.half = true;
  if (core.finishing === transaction) {
    core.finishing = null;
    return;
  }
  core.active = null;
  core.body = null;
  // QUIT may stand behind the message.
  if (core.phase !== 'quit') core.go('transaction-over');
}

/** A message that was stopped among its chunks is over with the last reply that is due: RSET clears what the server has of it (RFC 3030 2). */
function stopped(core: ClientCore, transaction: Transaction): void {
  if (core.body?.stopped === true && !core.due.some((due) => due.transaction === transaction)) over(core, transaction);
}

/** Gives up a transaction: its message is never ended. Where it goes by DATA there is no other way but to end the session. */
export function abort(core: ClientCore, transaction: Transaction): void {
  if (transaction.untold === 0) return;
  const { body } = core;
  const sending = body?.transaction === transaction;
  if (transaction === core.finishing || (sending && (body.ended || transaction.plan.transfer === 'DATA'))) return core.close('aborted');
  if (sending) body.stop();
  settleAll(core, transaction, { status: 'unsent', stage: stageOf(core, transaction), cause: 'aborted', reply: null });
  stopped(core, transaction);
  advance(core);
}

/** An answer in the middle of the message: a refusal is kept and ends the upload, for nothing can be said any more but the end. */
export function answerEarly(core: ClientCore, reply: Reply, line: string): void {
  const { body } = core;
  if (body === null || body.transaction.handed || reply.code < 400) return core.fault('unsolicited-reply', line);
  settleAll(core, body.transaction, refused('body', reply));
  core.close('refused', reply);
}

function refused(stage: Stage, reply: Reply): Outcome {
  return { status: 'refused', stage, permanent: reply.code >= 500, reply, problem: null };
}

/** RFC 5321 4.5.3.1.10: those that are left are for another transaction, at once: the recipient was not looked at. */
function tooMany(reply: Reply): Outcome {
  return { status: 'unsent', stage: 'rcpt', cause: 'limits', reply };
}

/**
 * RFC 5321 4.5.3.1.10: 452 says that there are too many recipients, and 552, of old servers, is to be treated as that. Both say other things
 * of one recipient, too: RFC 3463 has X.5.3 for too many.
 */
function isTooMany({ code, enhanced = 'x.5.3' }: Reply): boolean {
  return (code === 452 || code === 552) && enhanced.endsWith('.5.3');
}

/** Tells what became of a recipient, once. */
function tell(core: ClientCore, transaction: Transaction, index: number, outcome: Outcome): void {
  if (transaction.told[index] === 1) return;
  transaction.told[index] = 1;
  transaction.untold--;
  core.events.push({ type: 'outcome', transaction: transaction.id, index, ...outcome });
  if (transaction.untold === 0) core.events.push({ type: 'settled', transaction: transaction.id });
}

/** Tells the rest: what was decided for all; or why the session is over, which leaves open what the server did with a complete message. */
export function settleAll(
  core: ClientCore,
  transaction: Transaction,
  outcome: Outcome | { readonly cause: ClientCause; readonly reply: Reply | null },
): void {
  const { handed, accepted } = transaction;
  const rest: Outcome =
    'status' in outcome
      ? outcome
      : handed && accepted.length > 0
        ? { status: 'unknown', stage: 'message', ...outcome }
        : { status: 'unsent', stage: stageOf(core, transaction), ...outcome };
  for (let index = 0; transaction.untold > 0; index++) tell(core, transaction, index, rest);
}

/** How far a transaction has come: what it waits for. */
export function stageOf(core: ClientCore, transaction: Transaction): Stage {
  const due = core.due.find((due) => due.transaction === transaction);
  if (due !== undefined) return due.to === 'END' && transaction.handed ? 'message' : STAGES[due.to as keyof typeof STAGES];
  return core.body?.transaction === transaction
    ? 'body'
    : transaction.mail === 'unasked'
      ? 'mail'
      : core.phase === 'data'
        ? 'data'
        : 'rcpt';
}

const STAGES = { RSET: 'mail', MAIL: 'mail', RCPT: 'rcpt', DATA: 'data', BDAT: 'body', END: 'body' } as const;
