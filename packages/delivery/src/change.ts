import type { Job, JobChange, NewJob, Recipient, RecipientChange } from './job.ts';
import type { Written } from './written.ts';

/**
 * A job after a commit; null: all its recipients are final, and it is over. What is final stays as it is, and a change of an attempt that is settled already does
 * nothing, so that a commit may be repeated. With `acceptances` only what was accepted is taken: all that the holder of a lease that is lost may still say.
 *
 * @example
 * ```ts
 * import { applyChange, isOver, newJob } from '@ehlo/delivery';
 * const message = { id: 'm', reversePath: 'ann@example.org', arrived: 0, size: 0 };
 * const job = newJob('j', message, 'example.net', [{ address: 'joe@example.net' }]);
 * const change = { job: 'j', tries: 0, attempt: 1, recipients: [{ index: 0, state: 'relayed' as const }], due: null, release: true, put: [] };
 * const after = applyChange(job, change);
 * [isOver(after), after.recipients[0]?.state]
 * // → [true, 'relayed']
 * ```
 */
export function applyChange(job: Job, change: JobChange, { acceptances = false }: { readonly acceptances?: boolean } = {}): Job {
  if (acceptances) return { ...job, recipients: changed(job.recipients, change.recipients.filter(isAcceptance)) };
  if (change.attempt < (job.attempt ?? 0) || change.tries < (job.tries ?? 0)) return job;
  const { version, id, message, domain } = job;
  const { tries, attempt } = change;
  const recipients = changed(job.recipients, change.recipients);
  const after: Written<Job> = { version, id, message, domain, recipients, due: change.due ?? job.due, tries, attempt };
  if (change.held ?? job.held) after.held = true;
  return after;
}

/**
 * Whether a change has been committed already: the answer to its first commit was lost, and this is the second. It puts nothing then: what the
 * first has put may be over.
 */
export function isSettled(job: Job, { attempt, tries, recipients }: JobChange): boolean {
  const isThere = ({ index, state, told }: RecipientChange): boolean => {
    const one = job.recipients[index];
    return one?.state === state && (told !== true || one.told === true);
  };
  return (job.attempt ?? 0) === attempt && (job.tries ?? 0) === tries && job.begun === undefined && recipients.every(isThere);
}

/**
 * What a commit brings into being: nothing by a second one. With `acceptances` only notices that tell of nothing else (RFC 3461 5.2.2: "MUST"), where
 * one of them is news.
 */
export function putOf(job: Job, change: JobChange, { acceptances = false }: { readonly acceptances?: boolean } = {}): readonly NewJob[] {
  if (!acceptances) return isSettled(job, change) ? [] : change.put;
  const isNews = change.recipients.some((one) => isAcceptance(one) && job.recipients[one.index]?.state === 'due');
  return isNews ? change.put.filter(isOfSuccess) : [];
}

function isOfSuccess({ content }: NewJob): boolean {
  return content !== 'same' && content.recipients.every(({ action }) => action === 'relayed' || action === 'delivered');
}

/** Whether every recipient is final. */
export function isOver({ recipients }: Job): boolean {
  return recipients.every(({ state }) => state !== 'due');
}

/** Whether a change says that a server has taken the message. */
export function isAcceptance({ state }: RecipientChange): boolean {
  return state === 'relayed' || state === 'delivered';
}

type NewRecipient = Omit<Recipient, 'state'> & { readonly state?: 'due' };

/** A job that is due at once, or at the time that its message is held back to. */
export function newJob(id: Job['id'], message: Job['message'], domain: string, recipients: readonly NewRecipient[]): Job {
  const due = Math.max(message.arrived, message.release ?? 0);
  return { version: 1, id, message, domain, recipients: recipients.map(dueRecipient), due };
}

function dueRecipient(given: NewRecipient): Recipient {
  return isDue(given) ? given : { ...given, state: 'due' };
}

function isDue(given: NewRecipient): given is NewRecipient & { readonly state: 'due' } {
  return given.state === 'due';
}

function changed(recipients: readonly Recipient[], changes: readonly RecipientChange[]): readonly Recipient[] {
  if (changes.length === 0) return recipients;
  const after = recipients.slice();
  for (const { index, state, last, told, unknown } of changes) {
    const before = recipients[index];
    // Final is for ever.
    if (before?.state !== 'due') continue;
    const one: Written<Recipient> = { ...before };
    one.state = state;
    if (last) one.last = last;
    if (told) one.told = told;
    if (unknown) one.unknown = unknown;
    after[index] = one;
  }
  return after;
}
