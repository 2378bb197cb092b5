// What is known of a recipient with which nothing is done.

import type { Job, Said } from './job.ts';
import type { Step } from './step.ts';

/**
 * The steps of one recipient that follow from the job alone, oldest first: for a job in a queue that no dispatcher holds (`Dispatcher.why` is for
 * those that one holds).
 *
 * @example
 * ```ts
 * import { newJob } from '@ehlo/delivery';
 * import { stepsAtRest } from '@ehlo/delivery/words';
 * const message = { id: 'm', reversePath: 'ann@example.org', arrived: 7, size: 0 };
 * stepsAtRest(newJob('j', message, 'example.net', [{ address: 'joe@example.net' }]), 0)
 * // → [{ at: 7, what: 'waits', detail: { until: 7, tries: 0 } }]
 * ```
 */
export function stepsAtRest(job: Job, recipient: number): readonly Step[] {
  const one = job.recipients[recipient];
  if (one === undefined) return [];
  const { last, state } = one;
  const { begun, due, held, tries = 0 } = job;
  const said = last === undefined ? [] : [saidStep(last, recipient)];
  if (state !== 'due') {
    const status = last?.status ?? '2.0.0';
    return [...said, { at: last?.at ?? job.message.arrived, what: 'final', detail: { state, status }, recipient }];
  }
  const open: readonly Step[] =
    begun?.recipients.includes(recipient) === true
      ? [{ at: begun.at, what: 'unsettled', detail: { attempt: begun.attempt }, recipient }]
      : [];
  const rest: Step =
    held === true ? { at: due, what: 'held', detail: { tries } } : { at: due, what: 'waits', detail: { until: due, tries } };
  return [...said, ...open, rest];
}

/** What was said or met last. */
export function saidStep({ at, category, status, host: own = '', reply, text = '' }: Said, recipient: number, host: string = own): Step {
  const what = reply === undefined ? 'met' : 'said';
  return { at, what, detail: { host, category, status, reply: reply?.code ?? 0, text }, recipient };
}
