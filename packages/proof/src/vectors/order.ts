import type { Step } from './transcript.ts';

/** A step and its number in the transcript, from 1. */
export interface Numbered {
  readonly number: number;
  readonly step: Step;
}

/** The steps as they stand. */
export function asWritten(steps: readonly Step[]): readonly Numbered[] {
  return steps.map((step, i) => ({ number: i + 1, step }));
}

/**
 * The same script with late answers: input that follows an answer is there before the answer is given. What is a fact of its own
 * stays where it is: time, the end, the greeting, the hand-over to TLS, and every look at the session's state.
 */
export function withLateAnswers(steps: readonly Step[]): readonly Numbered[] {
  const ordered: Numbered[] = [];
  let hoist = -1; // where input goes: before the first answer behind the last barrier
  let question = '';
  for (const numbered of asWritten(steps)) {
    const { step } = numbered;
    if ('event' in step && QUESTIONS.has(step.event.type)) question = step.event.type;
    if ('in' in step && hoist >= 0) {
      ordered.splice(hoist, 0, numbered);
      hoist++;
      continue;
    }
    if (isAnswer(step) && !HAND_OVERS.has(question)) {
      if (hoist < 0) hoist = ordered.length;
    } else if (!('event' in step || 'chunk' in step || 'out' in step || 'in' in step)) hoist = -1;
    ordered.push(numbered);
  }
  return ordered;
}

/** An answer to an open question. */
export function isAnswer(step: Step): boolean {
  return ('accept' in step || 'reject' in step || 'challenge' in step) && !('stale' in step);
}

const QUESTIONS: ReadonlySet<string> = new Set([
  'connect',
  'hello',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'message',
  'info',
  'xclient',
]);

/** Octets before a greeting, and behind STARTTLS, are faults: here it matters what comes first. */
const HAND_OVERS: ReadonlySet<string> = new Set(['connect', 'starttls', 'xclient']);
