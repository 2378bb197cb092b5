import { isReplyCode, type Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { endAuth } from './auth.ts';
import { beginBody } from './body.ts';
import type { Core } from './core.ts';
import { countDomain } from './envelope-rules.ts';
import type { Answer, AuthAnswer, InfoQuestion, Question, QuestionType, Rejection } from './events.ts';
import type { LimitName } from './limits.ts';
import { dialectOf, ehloLines, OFFERS, offered } from './offer.ts';
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
  if (!core.policy.ask.has(question.type)) return accepted(core, question, {});
  core.question = question;
  core.events.push(question);
  core.arm(ANSWER_LIMITS[question.type]);
}

/** Carries out what was accepted, and replies. */
export function accepted(core: Core, question: Question, answer: Answer): void {
  const { state } = core;
  core.delay = isUnanswered(question) ? 0 : delayOf(answer.delay);
  switch (question.type) {
    case 'connect':
      state.greeting = changed(core.named('greeting'), answer, `${core.policy.hostname} `);
      return core.delay > 0 ? core.hold() : greet(core);
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
      if (!isIdentity((answer as AuthAnswer).identity))
        throw new SmtpUsageError('bad-argument', 'who authenticates is somebody: give an identity that is not empty');
      core.reply(changed(REPLIES.authenticated, answer));
      state.identity = (answer as AuthAnswer).identity;
      state.exchange = null;
      return core.go('auth-over');
    case 'mail':
      core.reply(changed(question.priority === null ? REPLIES.mail : priorityReply(question.priority), answer));
      state.envelope = { reversePath: question.reversePath, parameters: question.parameters, recipients: [] };
      return core.go('MAIL');
    case 'rcpt':
      sayWithUtf8(core, question, changed(REPLIES.rcpt, answer));
      countDomain(core, question.forwardPath);
      state.envelope!.recipients.push({ forwardPath: question.forwardPath, parameters: question.parameters });
      return core.go('RCPT');
    case 'data':
      if (question.verb === 'BDAT') return;
      core.reply(changed(REPLIES.data, answer));
      core.go('DATA');
      return beginBody(core);
    case 'message':
      core.reply(changed(REPLIES.message, answer));
      return decided(core);
    case 'info':
      return sayWithUtf8(core, question, informed(core, question, answer));
    case 'xclient':
      state.peer = question.peer;
      state.identity = question.identity;
      state.proxied = true;
      state.hello = null;
      core.dialect = dialectOf(core);
      core.giveUpTransaction();
      return core.go('XCLIENT');
  }
}

function isIdentity(identity: unknown): boolean {
  return typeof identity === 'string' && identity !== '';
}

/** Says the greeting, now that it is time: who talked before it talked early. */
export function greet(core: Core): void {
  const greeting = core.state.greeting!;
  core.state.greeting = null;
  if (turnsAwayEarlyTalker(core)) return core.go('turn-away');
  core.reply(greeting);
  core.go('greet');
}

/** Nothing is said that could be held back: a handshake, a greeting or the octets of a chunk come next. */
function isUnanswered(question: Question): boolean {
  return question.type === 'starttls' || question.type === 'xclient' || (question.type === 'data' && question.verb === 'BDAT');
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

/** Carries out a refusal, and replies. */
export function rejected(core: Core, question: Question, rejection: Rejection): void {
  const reply = rejectionReply(core, rejection, question.type === 'connect');
  core.delay = delayOf(rejection.delay);
  refuse(core, question, reply);
  core.delay = 0;
  // A chunk is read to its end before its reply.
  if (reply.code === 421 && core.state.phase !== 'closed' && core.state.phase !== 'chunk') core.close('refused');
}

/** What a client waits at the least for any reply is five minutes (RFC 5321 4.5.3.2), but for 354. */
const LONGEST_DELAY = 240_000;

/** Throws `SmtpUsageError` `bad-delay`. */
export function delayOf(delay = 0): number {
  if (delay >= 0 && delay <= LONGEST_DELAY) return delay;
  throw new SmtpUsageError('bad-delay', `a reply can be held back for 0 to ${LONGEST_DELAY} milliseconds, not ${delay}`);
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

/** RFC 6710 4.1: "The human readable text part after the status code contains the new priority". */
function priorityReply(priority: number): Reply {
  return { ...REPLIES.priority, lines: [`${priority} is the new priority`] };
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
  // RFC 2034 4: the codes "must appear in all 2xx, 4xx, and 5xx response lines"; X.0.0 is RFC 3463's "other undefined status".
  return { code, enhanced: enhanced === undefined ? `${code < 500 ? 4 : 5}.0.0` : agreeing(code, enhanced), lines };
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
  if (/^[245](?:\.(?:0|[1-9][0-9]{0,2})){2}$/.test(enhanced) && enhanced[0] === String(code)[0]) return enhanced;
  throw new SmtpUsageError('enhanced-class', `the enhanced code ${enhanced} does not agree with the reply code ${code} (RFC 2034 4)`);
}

function informed(core: Core, { verb, argument }: InfoQuestion, answer: Answer): Reply {
  if (verb === 'HELP') return changed({ ...REPLIES.help, lines: help(core) }, answer);
  if (verb === 'ETRN') return changed({ ...REPLIES.etrn, lines: [`Queuing for node ${argument} started`] }, answer);
  return changed(verb === 'VRFY' && answer.text === undefined ? REPLIES.vrfy : REPLIES.expn, answer);
}

/** RFC 5321 4.1.1.8: "helpful information": the commands of this session, and its extensions with their RFCs. */
function help(core: Core): string[] {
  const hello = core.policy.protocol === 'lmtp' ? ['LHLO'] : ['EHLO', 'HELO'];
  const keywords = offered(core);
  const more = ['EXPN', 'STARTTLS', 'AUTH', 'ETRN', 'XCLIENT', 'XFORWARD'].filter((keyword) => keywords.includes(keyword));
  const chunks = keywords.includes('CHUNKING') ? ['BDAT'] : [];
  const verbs = [...hello, 'MAIL', 'RCPT', 'DATA', ...chunks, 'RSET', 'NOOP', 'QUIT', 'VRFY', 'HELP', ...more];
  const extensions = keywords
    .map((keyword) => [keyword, OFFERS.get(keyword)!.rfc] as const)
    .filter(([, rfc]) => rfc !== null && rfc !== 5321);
  return ['Commands, see RFC 5321:', verbs.join(' '), ...extensions.map(([keyword, rfc]) => `${keyword}: RFC ${rfc}`)];
}
