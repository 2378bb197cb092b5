import { isReplyCode, type Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { endAuth } from './auth.ts';
import { beginBody } from './body.ts';
import type { Core } from './core.ts';
import type { Answer, AuthAnswer, InfoQuestion, Question, QuestionType, Rejection } from './events.ts';
import type { LimitName } from './limits.ts';
import { dialectOf, ehloLines, offered } from './offer.ts';
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
};

/** Asks the application, or takes the preset's answer where it does not want to be asked. */
export function ask(core: Core, question: Question): void {
  if (!core.policy.ask.has(question.type)) return accepted(core, question, {});
  core.question = question;
  core.events.push(question);
  core.arm(ANSWER_LIMITS[question.type]);
}

/** Carries out what was accepted, and replies. */
export function accepted(core: Core, question: Question, answer: Answer): void {
  const { state } = core;
  switch (question.type) {
    case 'connect': {
      const greeting = changed(core.named('greeting'), answer, `${core.policy.hostname} `);
      if (turnsAwayEarlyTalker(core)) return core.go('turn-away');
      core.reply(greeting);
      return core.go('greet');
    }
    case 'hello': {
      const { verb, name } = question;
      const first = changed(core.named('hello'), answer, `${core.policy.hostname} `);
      core.giveUpTransaction();
      state.hello = { verb, name };
      core.dialect = dialectOf(core);
      core.go(verb);
      return core.reply(verb === 'HELO' ? first : { code: first.code, lines: [...first.lines, ...ehloLines(core)] });
    }
    case 'starttls':
      core.reply(changed(REPLIES.starttls, answer));
      core.go('STARTTLS');
      if (!core.input.empty) core.plaintextAfterStartTls();
      return;
    case 'auth':
      core.reply(changed(REPLIES.authenticated, answer));
      state.identity = (answer as AuthAnswer).identity;
      state.exchange = null;
      return core.go('auth-over');
    case 'mail':
      core.reply(changed(REPLIES.mail, answer));
      state.envelope = { reversePath: question.reversePath, parameters: question.parameters, recipients: [] };
      return core.go('MAIL');
    case 'rcpt':
      core.reply(changed(REPLIES.rcpt, answer));
      state.envelope!.recipients.push({ forwardPath: question.forwardPath, parameters: question.parameters });
      return core.go('RCPT');
    case 'data':
      core.reply(changed(REPLIES.data, answer));
      core.go('DATA');
      return beginBody(core);
    case 'message':
      core.reply(changed(REPLIES.message, answer));
      return core.endTransaction();
    case 'info':
      return core.reply(informed(core, question, answer));
  }
}

/** RFC 5321 4.3.1: "The sender SHOULD wait for this greeting message before sending any commands." */
function turnsAwayEarlyTalker(core: Core): boolean {
  const { earlyTalkers } = core.policy;
  if (!core.state.early || earlyTalkers === 'ignore') return false;
  const reply = earlyTalkers === 'reject' ? core.named('earlyTalker') : undefined;
  core.events.push({ type: 'fault', code: 'early-talker', offset: 0, reply, line: '' });
  if (reply !== undefined) core.reply(reply);
  return reply !== undefined;
}

/** Carries out a refusal, and replies. */
export function rejected(core: Core, question: Question, rejection: Rejection): void {
  const reply = rejectionReply(core, rejection, question.type === 'connect');
  refuse(core, question, reply);
  if (reply.code === 421 && core.state.phase !== 'closed') core.close('refused');
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
  core.reply(reply);
  if (question.type === 'connect') core.go('turn-away');
  else if (question.type === 'message') core.endTransaction();
}

/** A refusal as a reply. Throws `SmtpUsageError` `reply-class` or `enhanced-class`. */
export function rejectionReply(core: Core, rejection: Rejection, named = false): Reply {
  const { code, enhanced, text } = rejection;
  // RFC 5321 4.3.2, RFC 7504 3: instead of the greeting.
  if (named && ![421, 521, 554].includes(code))
    throw new SmtpUsageError('reply-class', `${code} can't refuse a connection: give 554, 521 or 421`);
  if (!isReplyCode(code) || code < 400) throw new SmtpUsageError('reply-class', `${code} is no refusal: give a code from 400 to 559`);
  // RFC 5321 4.2.2: "421 <domain> Service not available"; 4.3.1 for the greeting.
  const lines = [named || code === 421 ? `${core.policy.hostname} ${text}` : text];
  return enhanced === undefined ? { code, lines } : { code, enhanced: agreeing(code, enhanced), lines };
}

/** The default reply with what the answer changes of it. */
function changed(reply: Reply, answer: Answer, prefix = ''): Reply {
  const { code = reply.code, enhanced = reply.enhanced, text } = answer;
  if (answer.code === undefined && answer.enhanced === undefined && text === undefined) return reply;
  if (!isReplyCode(code) || Math.floor(code / 100) !== Math.floor(reply.code / 100)) {
    throw new SmtpUsageError('reply-class', `${code} can't accept here: ${reply.code} or another of its class is due`);
  }
  const lines = text === undefined ? reply.lines : [prefix + text];
  return enhanced === undefined ? { code, lines } : { code, enhanced: agreeing(code, enhanced), lines };
}

/** RFC 2034 4: an enhanced code "must agree with the primary response code". */
function agreeing(code: number, enhanced: string): string {
  if (/^[245]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(enhanced) && enhanced[0] === String(code)[0]) return enhanced;
  throw new SmtpUsageError('enhanced-class', `the enhanced code ${enhanced} does not agree with the reply code ${code} (RFC 2034 4)`);
}

function informed(core: Core, { verb }: InfoQuestion, answer: Answer): Reply {
  if (verb === 'HELP') return changed({ ...REPLIES.help, lines: help(core) }, answer);
  return changed(verb === 'VRFY' && answer.text === undefined ? REPLIES.vrfy : REPLIES.expn, answer);
}

/** RFC 5321 4.1.1.8: "helpful information": the commands of this session. */
function help(core: Core): string[] {
  const verbs = ['EHLO', 'HELO', 'MAIL', 'RCPT', 'DATA', 'RSET', 'NOOP', 'QUIT', 'VRFY', 'HELP'];
  const more = offered(core).filter((keyword) => ['EXPN', 'STARTTLS', 'AUTH'].includes(keyword));
  return ['Commands, see RFC 5321:', [...verbs, ...more].join(' ')];
}
