import type { Reply } from '@ehlo/grammar';
import type { ClientCore } from './core.ts';
import type { Asked, Due } from './due.ts';
import type { ClientFaultCode } from './events.ts';
import type { ClientTrigger, TransactionTrigger } from './row.ts';
import { advance, close, fire, fireTransaction } from './run.ts';

/** Carries out a reply: it answers what was asked first and is not answered yet, or nothing. Returns what is wrong with it, if something is. */
export function answer(core: ClientCore, reply: Reply): ClientFaultCode | null {
  const due = core.due[0];
  core.reply = reply;
  // RFC 5321 3.8, 4.2.1: 421 may come at any time, and in place of any reply.
  const closing = reply.code === 421;
  // The lines of a refusal may begin in the middle of the message, and end after it.
  const premature = core.premature && !(due?.to === 'END' && reply.code >= 400);
  const early = due === undefined || !due.live || premature;
  if (early && !closing) return answerEarly(core);
  if (!early) core.premature = false;
  if (!early && !fits(due.to, reply.code)) return 'unexpected-code';
  // A 421 does not refuse this command: the server did not process it. But it is the answer to a complete message, and to QUIT.
  if (early || (closing && due.to !== 'END' && due.to !== 'QUIT')) {
    close(core, 'closing', reply);
    return null;
  }
  core.due.shift();
  core.flight -= due.size;
  core.answered = due;
  if (!carryOut(core, due)) return 'unexpected-code';
  if (closing) close(core, 'closing', reply);
  if (core.phase === 'closed') return null;
  advance(core);
  core.settle();
  return null;
}

/** RFC 5321 4.3.2: the first digit decides. */
function fits(to: Asked, code: number): boolean {
  const first = Math.floor(code / 100);
  return first > 3 || (to === 'AUTH' ? first === 2 || code === 334 : first === (to === 'DATA' ? 3 : 2));
}

/** Takes the row of the reply. False if it has none: then the command can't be answered by such a reply. */
function carryOut(core: ClientCore, { to, transaction }: Due): boolean {
  const { code } = core.reply;
  if (transaction !== null) return fireTransaction(core, transaction, (code < 400 ? to : `${to} refused`) as TransactionTrigger);
  const name = TRIGGERS[to]!;
  const any = to === 'QUIT' || to === 'COMMAND';
  return fire(core, any || code < 300 ? name : (`${name} ${code < 400 ? 'challenge' : 'refused'}` as ClientTrigger));
}

/** What the reply to each of these is called in the table. */
const TRIGGERS: { readonly [to in Asked]?: ClientTrigger } = {
  GREETING: 'greeting',
  EHLO: 'hello',
  HELO: 'hello',
  LHLO: 'hello',
  STARTTLS: 'STARTTLS',
  AUTH: 'AUTH',
  RSET: 'RSET',
  COMMAND: 'answer',
  QUIT: 'QUIT',
};

/** A reply to nothing: a refusal in the middle of the message is kept. */
function answerEarly(core: ClientCore): ClientFaultCode | null {
  const { body, reply } = core;
  const kept = reply.code >= 400 && body !== null && fireTransaction(core, body.transaction, 'early refused');
  return kept ? null : 'unsolicited-reply';
}
