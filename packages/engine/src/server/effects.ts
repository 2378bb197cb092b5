// What the rows do, but those of messages. An effect reads the session and returns what changes.
import type { Reply } from '@ehlo/grammar';
import { copy } from '../octets.ts';
import { Secret } from '../secret.ts';
import { type Change, type EffectInputs, type Effects, type Fault, givenUp, NO_CHANGE } from './change.ts';
import { PLAIN_YES } from './decision.ts';
import type { AuthQuestion, FaultNotice, Question } from './events.ts';
import { NO_OWN, NO_TRANSACTION, type View } from './facts.ts';
import { counts, unknownAttribute } from './guards.ts';
import { offered, ownOffers } from './offer.ts';
import type { DialogueEffect, Row } from './row.ts';
import { toldForwarded } from './trusted.ts';
import { bare } from './wire.ts';

export const DIALOGUE_EFFECTS: Effects<DialogueEffect> = {
  holdGreeting: (_, { reply, delay }) => ({ facts: { greeting: reply }, times: 0, delay }),

  greet: (at, { reply }) => ({
    ...(at.facts.greeting === null ? NO_CHANGE : { facts: { greeting: null } }),
    events: at.policy.earlyTalkers === 'report' && !at.facts.proxied && !at.input.empty ? [earlyTalk(undefined)] : [],
    reply: bare(reply ?? at.facts.greeting!),
  }),

  turnAway: (_, { reply, delay }) => ({ facts: { turnedAway: true }, reply: bare(reply), delay }),

  turnAwayEarlyTalker: ({ policy }) => ({
    facts: { greeting: null, turnedAway: true },
    events: [earlyTalk(policy.replies.earlyTalker)],
    reply: policy.replies.earlyTalker,
    delay: 0,
  }),

  sayHello: (at, { question: { verb, name }, reply }) => {
    const own = verb === 'HELO' ? NO_OWN : ownOffers(at);
    return {
      facts: { hello: { verb, name }, own },
      transaction: NO_TRANSACTION,
      events: givenUp(at),
      reply: verb === 'HELO' ? bare(reply) : withExtensions(at, own, reply),
    };
  },

  beginTransaction: ({ facts, transaction }, { question: { reversePath, wire, parameters } }) => {
    const begun = { ...transaction, envelope: { reversePath, wire, parameters, recipients: [] } };
    return facts.speaksSmtp ? { transaction: begun } : { facts: { speaksSmtp: true }, transaction: begun };
  },

  addRecipient: (at, { question, answer, reply }) => {
    const { forwardPath, wire, parameters } = question;
    const recipient = { forwardPath, wire, parameters };
    return answer === PLAIN_YES ? { recipient } : { recipient, ...worded(at, question, reply) };
  },

  giveUpTransaction: (at) => ({ transaction: NO_TRANSACTION, events: givenUp(at) }),

  inform: (at, { question, reply }) => worded(at, question, reply),

  noteForwarded: ({ transaction }, { attributes }) => ({
    transaction: { ...transaction, forwarded: toldForwarded(transaction.forwarded, attributes) },
  }),

  beginAnew: (at, { question: { peer, identity } }) => ({
    facts: { peer, identity, proxied: true, speaksSmtp: false, hello: null, own: NO_OWN },
    transaction: NO_TRANSACTION,
    events: givenUp(at),
  }),

  // RFC 3207 4.2: "The server MUST discard any knowledge obtained from the client".
  secure: (_, { tls }) => ({ facts: { tls, speaksSmtp: false, hello: null, own: NO_OWN, identity: null }, transaction: NO_TRANSACTION }),

  beginExchange: (_, { mechanism, initial }) => ({
    facts: { exchange: { mechanism, step: 0 } },
    asks: authQuestion(mechanism, 0, initial),
  }),

  askStep: ({ facts }, { response }) => {
    const { mechanism, step } = facts.exchange!;
    return { asks: authQuestion(mechanism, step, response) };
  },

  challenge: ({ facts }, { wire }) => {
    const { mechanism, step } = facts.exchange!;
    return { facts: { exchange: { mechanism, step: step + 1 } }, wire };
  },

  authenticate: (_, { answer }) => ({ facts: { identity: (answer as { readonly identity: string }).identity, exchange: null } }),

  refuseAuth: (at, { reply, delay }, row) => failed(at, { code: 'auth-failed', reply }, row, delay),

  failAuth: (at, given, row) => failed(at, given, row, 0),

  refuse: (at, given) => {
    const { question, reply, delay } = given;
    if (question.type === 'rcpt') return { ...refusedRecipient(at), ...worded(at, question, reply), delay };
    const isGreeting = question.type === 'connect' || question.type === 'hello';
    return { ...(isGreeting ? { reply: bare(reply) } : worded(at, question, reply)), delay };
  },

  refuseCommand: (at, fault, row) => {
    const { verb, code, line, offset } = fault;
    const said = row.reply === undefined ? fault.reply : at.policy.replies[row.reply];
    const reply = isHello(verb, at) ? bare(said) : said;
    const { counts, transaction } = verb === 'RCPT' ? refusedRecipient(at) : NO_CHANGE;
    return {
      counts: { ...counts, ...faultsWith(at, code) },
      // A line that could not be read does not count as an RCPT.
      transaction: code === 'line-too-long' || code === 'bare-lf-line' ? undefined : transaction,
      events: [{ type: 'fault', code, offset, reply, line }],
      reply,
      delay: at.policy.limits.faultDelay,
    };
  },

  tellOtherProtocol: ({ policy }, { line }) => ({
    events: [{ type: 'fault', code: 'wrong-protocol', offset: 0, reply: policy.replies.wrongProtocol, line }],
  }),

  tellPlaintext: () => ({ events: [{ type: 'fault', code: 'plaintext-after-starttls', offset: 0, reply: undefined, line: '' }] }),

  sayFarewell: ({ phase }, { reply }) => ({ reply: phase === 'wait' || phase === 'connect' ? bare(reply) : reply }),

  giveUpContent: ({ policy: { replies } }) => ({ reply: { ...replies.connectNoAnswer, enhanced: '4.3.2' } }),
};

/** RFC 2033 4.1: the semantics of LHLO are those of EHLO; in SMTP it is a command like any that is not known. */
function isHello(verb: Fault['verb'], { policy }: View): boolean {
  return verb === 'EHLO' || verb === 'HELO' || (verb === 'LHLO' && policy.protocol === 'lmtp');
}

function earlyTalk(reply: Reply | undefined): FaultNotice {
  return { type: 'fault', code: 'early-talker', offset: 0, reply, line: '' };
}

/** RFC 5321 4.1.1.1: the greeting, then the extensions. */
function withExtensions(at: View, own: View['facts']['own'], reply: Reply): Reply {
  const { hello } = offered(at, own);
  if (reply === at.policy.replies.hello) return hello;
  return { code: reply.code, lines: [...reply.lines, ...hello.lines.slice(1)] };
}

/** A step of AUTH. Its octets outlive the line, which is only lent: they are a copy. */
function authQuestion(mechanism: string, step: number, response: Uint8Array | null): AuthQuestion {
  return { type: 'auth', mechanism, step, response: response === null ? null : new Secret(copy(response)) };
}

/** An AUTH exchange has ended without success. */
function failed(at: View, { code, reply: given }: EffectInputs['failAuth'], row: Row, delay: number): Change {
  const { faultDelay } = at.policy.limits;
  const reply = row.reply === undefined ? given : at.policy.replies[row.reply];
  return {
    facts: { exchange: null },
    counts: faultsWith(at, code),
    events: [{ type: 'fault', code, offset: 0, reply, line: `AUTH ${at.facts.exchange!.mechanism} ***` }],
    reply,
    delay: Math.max(delay, faultDelay),
  };
}

/** The count with this fault. */
export function faultsWith({ counts: { faults } }: View, code: Fault['code']): { readonly faults: number } {
  return { faults: counts(code) ? faults + 1 : faults };
}

/** One recipient more that was refused. */
function refusedRecipient({ phase, counts, transaction }: View): Pick<Change, 'counts' | 'transaction'> {
  return {
    counts: { refusedRecipients: counts.refusedRecipients + 1 },
    transaction: phase === 'mail' ? { ...transaction, onlyRefused: true } : undefined,
  };
}

const BEYOND_ASCII = /\P{ASCII}/u;

/** RFC 6531 3.7.4: UTF-8 only where the client has asked for it; else the mailbox is left out of the reply. */
function worded(at: View, question: Question, reply: Reply): Pick<Change, 'reply' | 'utf8'> {
  const { wires, replies } = at.policy;
  if (wires.has(reply) || !reply.lines.some((line) => BEYOND_ASCII.test(line))) return { reply };
  if (question.type === 'rcpt' && (reply.code === 251 || reply.code === 551)) {
    if (at.transaction.envelope!.parameters.smtpUtf8 === true) return { reply, utf8: true };
    return { reply: reply.code === 251 ? replies.rcptAscii : replies.rcptMovedAscii };
  }
  if (question.type !== 'info') return { reply };
  if (question.smtpUtf8) return { reply, utf8: true };
  if ((question.verb !== 'VRFY' && question.verb !== 'EXPN') || reply.code === 421) return { reply };
  // 3.7.4.2: "the SMTPUTF8-aware SMTP server MUST use either the reply-code 252 or 550".
  return { reply: reply.code < 500 ? replies.vrfyAscii : replies.vrfyRefusedAscii };
}

/** What is wrong with the facts that a proxy tells. */
export function attributeReply(at: View, command: Parameters<typeof unknownAttribute>[0]): Reply {
  return { ...at.policy.replies.badArgument, lines: [`${unknownAttribute(command)} is not known or has no such value`] } as Reply;
}
