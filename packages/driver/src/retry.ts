import type { ClientCause, Outcome } from '@ehlo/engine';
import type { Reply } from '@ehlo/grammar';

/** When a message may be sent to a recipient again: at once, after a pause (RFC 5321 4.5.4.1: half an hour), or not as it is. */
export type Retry = 'now' | 'later' | 'never';

/** What follows from an outcome. */
export interface RetryAdvice {
  readonly retry: Retry;
  /** The rule by which it is so, with its section. */
  readonly reason: string;
}

/** RFC 3463 2: class, subject, detail. */
const ENHANCED = /^([245])\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)/;

/** Causes that lie in the program or in the number of recipients, and what to correct. All other causes lie in the network or the server. */
const OWN: { readonly [cause in ClientCause]?: RetryAdvice } = {
  limits: { retry: 'now', reason: 'in another transaction or session (RFC 5321 4.5.3.1.10, RFC 9422 4)' },
  aborted: { retry: 'now', reason: 'the program has given it up, and the server has refused nothing' },
  quit: { retry: 'now', reason: 'the program has ended the session, and the server has refused nothing' },
  declaration: { retry: 'never', reason: 'the message is not what was declared of it (RFC 6152 3)' },
  'bare-line-end': { retry: 'never', reason: 'the message has a CR or LF alone (RFC 5321 2.3.8)' },
};

const ACCEPTED: RetryAdvice = { retry: 'never', reason: 'it is accepted' };
const UNKNOWN: RetryAdvice = { retry: 'later', reason: 'it may have arrived, and would arrive twice (RFC 1047)' };
const NO_ANSWER: RetryAdvice = { retry: 'later', reason: 'the server could not be asked (RFC 5321 4.5.4.1)' };
const TOO_MANY: RetryAdvice = { retry: 'later', reason: '552 to RCPT says that there are too many recipients (RFC 5321 4.5.3.1.10)' };

/**
 * Whether and when to send to a recipient again, given its outcome. The enhanced code decides, if the reply has one with the same first digit as
 * the reply code (RFC 2034 4), else the first digit of the reply code: 4 is a transient failure, 5 a permanent one (RFC 3463 2, RFC 5321 4.2.1). A
 * refusal by the plan is permanent for this server.
 *
 * @example
 * ```ts
 * import { retryOf } from '@ehlo/driver';
 * const full = { code: 452, enhanced: '4.2.2', lines: ['mailbox full'] };
 * retryOf({ status: 'refused', stage: 'rcpt', permanent: false, reply: full, problem: null })
 * // → { retry: 'later', reason: '4.2.2 is a transient failure (RFC 3463 2)' }
 * ```
 */
export function retryOf(outcome: Outcome): RetryAdvice {
  if (outcome.status === 'accepted') return ACCEPTED;
  if (outcome.status === 'unknown') return UNKNOWN;
  if (outcome.status === 'unsent') return OWN[outcome.cause] ?? (outcome.reply === null ? NO_ANSWER : byReply(outcome.reply));
  const { stage, reply, problem } = outcome;
  if (reply === null)
    return { retry: 'never', reason: `${problem?.text ?? 'it is refused'} (${problem?.enhanced ?? '5.0.0'}, RFC 3463 2)` };
  // Old servers say 552 for 452; with an enhanced code for another thing they mean that.
  if (stage === 'rcpt' && reply.code === 552 && (enhancedOf(reply) ?? '5.5.3') === '5.5.3') return TOO_MANY;
  return byReply(reply);
}

/**
 * Whether to send again may do good and can do no harm: `retry` is not `'never'`, and the message can't have arrived already. One that is
 * `unknown` may: whether two are better than none is the program's to say.
 *
 * @example
 * ```ts
 * import { isRetryable } from '@ehlo/driver';
 * isRetryable({ status: 'unsent', stage: 'rcpt', cause: 'lost', reply: null }) // → true
 * ```
 */
export function isRetryable(outcome: Outcome): boolean {
  return outcome.status !== 'unknown' && retryOf(outcome).retry !== 'never';
}

function byReply(reply: Reply): RetryAdvice {
  const enhanced = enhancedOf(reply);
  const retry = reply.code < 500 ? 'later' : 'never';
  const kind = retry === 'later' ? 'transient' : 'permanent';
  return { retry, reason: `${enhanced ?? reply.code} is a ${kind} failure (${enhanced === undefined ? 'RFC 5321 4.2.1' : 'RFC 3463 2'})` };
}

/** The enhanced code of a reply, also if not every line has it; undefined if it does not agree with the reply code. */
function enhancedOf({ code, enhanced, lines }: Reply): string | undefined {
  const found = enhanced ?? ENHANCED.exec(lines[0] ?? '')?.[0];
  return found?.[0] === String(code)[0] ? found : undefined;
}
