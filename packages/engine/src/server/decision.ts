// What the application has decided, as a reply. All of it is checked before anything changes: what throws leaves its question open.
import { isReplyCode, type Reply } from '@ehlo/grammar';
import { SmtpUsageError } from '../error.ts';
import { kindOf } from '../option-table.ts';
import type { Answered } from './change.ts';
import type { Answer, AuthAnswer, InfoQuestion, Question, Rejection } from './events.ts';
import type { Decision, View } from './facts.ts';
import { OFFERS, offered } from './offer.ts';

/** A yes without further values: there is nothing to check in it. */
export const PLAIN_YES: Answer = {};

/** What an answer says. Throws `SmtpUsageError` `reply-class`, `enhanced-class`, `bad-argument`, `bad-delay`. */
export function acceptance(at: View, question: Question, answer: Answer): Answered {
  const { type } = question;
  // Most questions are about a command that has only one reply.
  if (answer === PLAIN_YES && (type === 'rcpt' || type === 'data' || type === 'message'))
    return { question, answer, reply: at.policy.replies[type], delay: 0 };
  if (answer !== PLAIN_YES) checkAnswer(answer);
  const reply = acceptingReply(at, question, answer);
  if (answer === PLAIN_YES && type !== 'auth') return { question, answer, reply, delay: 0 };
  const { delay = 0 } = answer;
  if (question.type === 'auth') checkIdentity(answer as AuthAnswer);
  else if ('identity' in answer) throw new SmtpUsageError('bad-argument', 'only an answer to AUTH has an identity');
  return { question, answer, reply, delay: delay > 0 && isUnanswered(question) ? 0 : delay };
}

/** What a refusal says, of a connection or of anything else. Throws `SmtpUsageError` as `acceptance` does. */
export function refusal(at: View, rejection: Rejection, ofConnection = false): Decision {
  checkRejection(rejection);
  const { code, enhanced, text, delay = 0 } = rejection;
  // RFC 6409 7: "521 reply code: MUST NOT".
  if (code === 521 && at.policy.qualified) throw new SmtpUsageError('reply-class', '521 has no place in submission: give another code');
  // RFC 5321 4.3.2, RFC 7504 3: instead of the greeting.
  if (ofConnection && ![421, 521, 554].includes(code))
    throw new SmtpUsageError('reply-class', `${code} can't refuse a connection: give 554, 521 or 421`);
  // RFC 5321 4.2.2: "421 <domain> Service not available"; 4.3.1 for the greeting.
  const lines = [ofConnection || code === 421 ? `${at.policy.hostname} ${text}` : text];
  // RFC 2034 4: the codes "must appear in all 2xx, 4xx, and 5xx response lines"; X.0.0 is RFC 3463's "other undefined status".
  return { reply: { code, enhanced: enhanced ?? `${code < 500 ? 4 : 5}.0.0`, lines }, delay };
}

/** Throws `SmtpUsageError` if this is not a valid refusal: `reply-class`, `enhanced-class`, `bad-argument` or `bad-delay`. */
export function checkRejection({ code, enhanced, text, delay }: Rejection): void {
  if (!isReplyCode(code) || code < 400)
    throw new SmtpUsageError('reply-class', `${shown(code)} is no refusal: give a code from 400 to 559`);
  if (enhanced !== undefined) checkEnhanced(code, enhanced);
  checkText(text, code);
  delayOf(delay);
}

/** Throws `SmtpUsageError` if a server that closes on its own must not send this: RFC 5321 3.8 has 421 for that, and no other code. */
export function checkFarewell(rejection: Rejection): void {
  checkRejection(rejection);
  if (rejection.code !== 421) throw new SmtpUsageError('reply-class', `${rejection.code} can't close a session: give 421 (RFC 5321 3.8)`);
}

/** What an answer may say. */
const ANSWER: readonly string[] = ['code', 'enhanced', 'text', 'delay', 'identity'];

/**
 * Throws `SmtpUsageError` if this is not a valid answer to any question: `reply-class`, `enhanced-class`, `bad-argument` or `bad-delay`.
 */
export function checkAnswer(answer: Answer & { readonly identity?: string }): void {
  if (typeof answer !== 'object' || answer === null || answer instanceof Error)
    throw new SmtpUsageError('bad-argument', `an answer is an object of ${ANSWER.join(', ')}`);
  const unknown = Object.keys(answer).find((name) => !ANSWER.includes(name));
  if (unknown !== undefined) throw new SmtpUsageError('bad-argument', `an answer has no ${unknown}; it has ${ANSWER.join(', ')}`);
  const { code, enhanced, text, delay } = answer;
  if (code !== undefined && !(isReplyCode(code) && code < 400))
    throw new SmtpUsageError('reply-class', `${code} accepts nothing: give a code from 200 to 399`);
  if (enhanced !== undefined) checkEnhanced(code ?? 250, enhanced);
  if (text !== undefined) checkText(text, code ?? 250);
  delayOf(delay);
  if ('identity' in answer) checkIdentity(answer as AuthAnswer);
}

/** The reply that accepts: the default with what the answer changes of it. */
function acceptingReply(at: View, question: Question, answer: Answer): Reply {
  const { hostname, replies } = at.policy;
  switch (question.type) {
    case 'connect':
      return changed(replies.greeting, answer, hostname);
    case 'hello':
      return changed(replies.hello, answer, hostname);
    case 'auth':
      return changed(replies.authenticated, answer);
    case 'mail':
      return changed(question.priority === null ? replies.mail : priorityReply(replies.priority, question.priority), answer);
    case 'info':
      return informed(at, question, answer);
    case 'xclient':
      // Its reply is the greeting, about which `connect` is asked.
      return changed(replies.greeting, answer);
    default:
      return changed(replies[question.type], answer);
  }
}

/** Questions without a reply that could be held back: a handshake, a greeting or the octets of a chunk come next. */
function isUnanswered(question: Question): boolean {
  return question.type === 'starttls' || question.type === 'xclient' || (question.type === 'data' && question.verb === 'BDAT');
}

/** A client waits at least five minutes for any reply except 354 (RFC 5321 4.5.3.2). */
const LONGEST_DELAY = 240_000;

function delayOf(delay = 0): number {
  if (typeof delay === 'number' && delay >= 0 && delay <= LONGEST_DELAY) return delay;
  throw new SmtpUsageError('bad-delay', `a reply can be held back for 0 to ${LONGEST_DELAY} milliseconds, not ${delay}`);
}

/** RFC 6710 4.1: "The human readable text part after the status code contains the new priority". */
function priorityReply(reply: Reply, priority: number): Reply {
  return { ...reply, lines: [`${priority} is the new priority`] };
}

function changed(reply: Reply, answer: Answer, name?: string): Reply {
  const { code = reply.code, enhanced = reply.enhanced, text } = answer;
  if (answer.code === undefined && answer.enhanced === undefined && text === undefined) return reply;
  if (Math.floor(code / 100) !== Math.floor(reply.code / 100)) {
    throw new SmtpUsageError('reply-class', `${code} can't accept here: ${reply.code} or another of its class is due`);
  }
  if (enhanced !== undefined) checkEnhanced(code, enhanced);
  const lines = text === undefined ? reply.lines : [name === undefined ? text : `${name} ${text}`];
  return enhanced === undefined ? { code, lines } : { code, enhanced, lines };
}

/** RFC 2034 4: an enhanced code "must agree with the primary response code". */
function checkEnhanced(code: number, enhanced: string): void {
  // RFC 3463 2: "status-code = class "." subject "." detail".
  if (!/^[245](?:\.(?:0|[1-9][0-9]{0,2})){2}$/.test(enhanced))
    throw new SmtpUsageError(
      'enhanced-class',
      `${shown(enhanced)} is no enhanced code: it is of three numbers, such as '5.1.1' (RFC 3463 2)`,
    );
  if (enhanced[0] === String(code)[0]) return;
  throw new SmtpUsageError('enhanced-class', `the enhanced code ${enhanced} does not agree with the reply code ${code} (RFC 2034 4)`);
}

/** Shows a value that is not a valid code. Strings are quoted, so that '550' differs from 550. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' ? kindOf(value) : String(value);
}

/** JavaScript programs may leave it out. */
function checkText(text: unknown, code: number): void {
  if (typeof text !== 'string') throw new SmtpUsageError('bad-argument', `the text of the reply ${code} is ${text}: it has to be a string`);
}

/** A client with an identity is authenticated, so a missing value must never become an identity. */
function checkIdentity({ identity }: AuthAnswer): void {
  if (typeof identity === 'string' && identity !== '') return;
  throw new SmtpUsageError('bad-argument', `identity is ${JSON.stringify(identity)}: it has to be a string, and not an empty one`);
}

function informed(at: View, { verb, argument }: InfoQuestion, answer: Answer): Reply {
  const { help, etrn, vrfy, expn } = at.policy.replies;
  if (verb === 'HELP') return changed({ ...help, lines: helpLines(at) }, answer);
  if (verb === 'ETRN') return changed({ ...etrn, lines: [`Queuing for node ${argument} started`] }, answer);
  return changed(verb === 'VRFY' && answer.text === undefined ? vrfy : expn, answer);
}

/** RFC 5321 4.1.1.8: "helpful information": the commands of this session, and its extensions with their RFCs. */
function helpLines(at: View): string[] {
  const hello = at.policy.protocol === 'lmtp' ? ['LHLO'] : ['EHLO', 'HELO'];
  const { keywords } = offered(at);
  const more = ['EXPN', 'STARTTLS', 'AUTH', 'ETRN', 'XCLIENT', 'XFORWARD'].filter((keyword) => keywords.has(keyword));
  const chunks = keywords.has('CHUNKING') ? ['BDAT'] : [];
  const own = at.policy.own.filter(({ keyword }) => keywords.has(keyword));
  const ofOwn = own.flatMap(({ verbs }) => verbs.map(({ verb }) => verb));
  const verbs = [...hello, 'MAIL', 'RCPT', 'DATA', ...chunks, 'RSET', 'NOOP', 'QUIT', 'VRFY', 'HELP', ...more, ...ofOwn];
  const ours = [...OFFERS.values()].filter(({ keyword, spec }) => keywords.has(keyword) && spec.startsWith('RFC') && spec !== 'RFC 5321');
  return ['Commands, see RFC 5321:', verbs.join(' '), ...[...ours, ...own].map(({ keyword, spec }) => `${keyword}: ${spec}`)];
}
