import type { Reply } from '@ehlo/grammar';
import { endAuth } from './auth.ts';
import { beginBody } from './body.ts';
import type { Core } from './core.ts';
import { acceptance, PLAIN_YES, refusal } from './decision.ts';
import { countDomain } from './envelope-rules.ts';
import type { Answer, AuthAnswer, Question, QuestionType, Rejection } from './events.ts';
import type { LimitName } from './limits.ts';
import { dialectOf, ehloLines } from './offer.ts';
import { REPLIES, type ReplyName } from './replies.ts';

/** How long each question may stay open: less than a compliant client waits (RFC 5321 4.5.3.2). */
const ANSWER_LIMITS: { readonly [type in QuestionType]: LimitName } = {
  connect: 'connectAnswer',
  hello: 'commandAnswer',
  starttls: 'commandAnswer',
  auth: 'commandAnswer',
  mail: 'commandAnswer',
  rcpt: 'commandAnswer',
  data: 'dataAnswer',
  message: 'messageAnswer',
  info: 'commandAnswer',
  xclient: 'commandAnswer',
};

/** What is said when no answer comes in time: the failure is ours, and passing. */
const NO_ANSWER: { readonly [type in QuestionType]: ReplyName } = {
  connect: 'connectNoAnswer',
  hello: 'noAnswer',
  starttls: 'tlsFailed',
  auth: 'authFailed',
  mail: 'noAnswer',
  rcpt: 'noAnswer',
  data: 'noAnswer',
  message: 'noAnswer',
  info: 'noAnswer',
  xclient: 'noAnswer',
};

/** Asks the application, or takes the preset's answer where it does not want to be asked. */
export function ask(core: Core, question: Question): void {
  if (!core.policy.ask.has(question.type)) return accepted(core, question, PLAIN_YES);
  core.question = question;
  core.events.push(question);
  core.arm(ANSWER_LIMITS[question.type]);
}

/** Carries out what was accepted, and replies. Throws `SmtpUsageError` if it can't be said; the question is open then as before. */
export function accepted(core: Core, question: Question, answer: Answer): void {
  const { state } = core;
  const { reply, delay } = acceptance(core, question, answer);
  core.question = null;
  core.delay = delay;
  switch (question.type) {
    case 'connect':
      state.greeting = reply;
      return delay > 0 ? core.hold() : greet(core);
    case 'hello': {
      const { verb, name } = question;
      core.giveUpTransaction();
      state.hello = { verb, name };
      core.dialect = dialectOf(core);
      core.go(verb);
      return core.reply(verb === 'HELO' ? reply : { code: reply.code, lines: [...reply.lines, ...ehloLines(core)] });
    }
    case 'starttls':
      core.reply(reply);
      core.go('STARTTLS');
      if (!core.input.empty) core.plaintextAfterStartTls();
      return;
    case 'auth':
      core.reply(reply);
      state.identity = (answer as AuthAnswer).identity;
      state.exchange = null;
      return core.go('auth-over');
    case 'mail':
      core.reply(reply);
      state.speaksSmtp = true;
      state.envelope = { reversePath: question.reversePath, wire: question.wire, parameters: question.parameters, recipients: [] };
      return core.go('MAIL');
    case 'rcpt':
      sayWithUtf8(core, question, reply);
      countDomain(core, question.forwardPath);
      state.envelope!.recipients.push({ forwardPath: question.forwardPath, wire: question.wire, parameters: question.parameters });
      return core.go('RCPT');
    case 'data':
      if (question.verb === 'BDAT') return;
      core.reply(reply);
      core.go('DATA');
      return beginBody(core);
    case 'message':
      core.reply(reply);
      core.outbox.accepts(question);
      state.idleCommands = 0;
      state.refusedRecipients = 0;
      return decided(core);
    case 'info':
      return sayWithUtf8(core, question, reply);
    case 'xclient':
      state.peer = question.peer;
      state.identity = question.identity;
      state.proxied = true;
      state.speaksSmtp = false;
      state.hello = null;
      core.dialect = dialectOf(core);
      core.giveUpTransaction();
      return core.go('XCLIENT');
  }
}

/** Says the greeting, now that it is time: who talked before it talked early. */
export function greet(core: Core): void {
  const greeting = core.state.greeting!;
  core.state.greeting = null;
  if (turnsAwayEarlyTalker(core)) return core.go('turn-away');
  core.reply(greeting);
  core.go('greet');
}

/** RFC 5321 4.3.1: "The sender SHOULD wait for this greeting message before sending any commands." */
function turnsAwayEarlyTalker(core: Core): boolean {
  const { earlyTalkers } = core.policy;
  const { early } = core.state;
  core.state.early = null;
  if (early !== true || earlyTalkers === 'ignore') return false;
  const reply = earlyTalkers === 'reject' ? core.named('earlyTalker') : undefined;
  core.events.push({ type: 'fault', code: 'early-talker', offset: 0, reply, line: '' });
  if (reply !== undefined) core.reply(reply);
  return reply !== undefined;
}

/** One decision on the message was told; in LMTP there is one for each recipient, the next as soon as this one's reply is out. */
function decided(core: Core): void {
  const { state, policy } = core;
  state.decided++;
  if (policy.protocol === 'smtp' || state.decided === state.envelope!.recipients.length) core.endTransaction();
}

/** Carries out a refusal, and replies. Throws as `accepted` does. */
export function rejected(core: Core, question: Question, rejection: Rejection): void {
  const { reply, delay } = refusal(core, rejection, question.type === 'connect');
  core.question = null;
  core.delay = delay;
  refuse(core, question, reply);
  core.delay = 0;
  // A chunk is read to its end before its reply.
  if (reply.code === 421 && core.state.phase !== 'closed' && core.state.phase !== 'chunk') core.close('refused');
}

/** No answer came in time: the question is void, whatever is answered later. */
export function expired(core: Core, question: Question): void {
  const name = NO_ANSWER[question.type];
  refuse(core, question, core.named(name));
  if (question.type === 'connect') core.close('timeout', ANSWER_LIMITS.connect);
}

function refuse(core: Core, question: Question, reply: Reply): void {
  if (question.type === 'auth') {
    endAuth(core);
    return core.fault('auth-failed', reply, `AUTH ${question.mechanism} ***`);
  }
  if (question.type === 'data' && question.verb === 'BDAT') {
    // RFC 3030 2: the octets of the chunk come before its reply.
    core.state.body!.verdict = reply;
    core.state.body!.delay = core.delay;
    return;
  }
  if (question.type === 'rcpt') core.state.refusedRecipients++;
  sayWithUtf8(core, question, reply);
  if (question.type === 'connect') core.go('turn-away');
  else if (question.type === 'message') decided(core);
}

/** RFC 6531 3.7.4: UTF-8 only where the client has asked for it; else the mailbox is left out of the reply. */
function sayWithUtf8(core: Core, question: Question, reply: Reply): void {
  if (reply.lines.every((line) => !/\P{ASCII}/u.test(line))) return core.reply(reply);
  if (question.type === 'rcpt' && (reply.code === 251 || reply.code === 551)) {
    const taken = core.state.envelope!.parameters.smtpUtf8 === true;
    return taken ? core.reply(reply, true) : core.reply(reply.code === 251 ? REPLIES.rcptAscii : REPLIES.rcptMovedAscii);
  }
  if (question.type !== 'info') return core.reply(reply);
  if (question.smtpUtf8) return core.reply(reply, true);
  if ((question.verb !== 'VRFY' && question.verb !== 'EXPN') || reply.code === 421) return core.reply(reply);
  // 3.7.4.2: "the SMTPUTF8-aware SMTP server MUST use either the reply-code 252 or 550".
  core.reply(reply.code < 500 ? REPLIES.vrfyAscii : REPLIES.vrfyRefusedAscii);
}
