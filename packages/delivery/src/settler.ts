// What becomes of a job after a try, or a part of one, as one commit.

import { type Active, dueOf } from './active.ts';
import type { Context } from './context.ts';
import { expansionJobs } from './expand.ts';
import type { EpochMs, Job, JobChange, NewJob, RecipientChange, Said } from './job.ts';
import { lateOnes, noticeOf, toldOf } from './notice-plan.ts';
import { changeOf, type Decision, due, failed } from './outcome.ts';
import { dueAfter } from './retry.ts';
import { type Expansion, expiryOf } from './settings.ts';
import type { Written } from './written.ts';

const NONE: readonly never[] = [];

/** What a commit is made of. */
export interface Settlement {
  readonly decisions: readonly Decision[];
  /** Jobs with copies for other addresses, and the notices about their recipients. */
  readonly expansions?: readonly { readonly index: number; readonly expansion: Expansion }[];
  /** When it is due next, where that is not for the pauses to say; it was no try. */
  readonly due?: number;
  readonly held?: boolean;
  /** No transaction was begun for it: it counts as a try, so that what it puts has a name of its own. */
  readonly counts?: boolean;
  /** When the try began that it is the outcome of. Default: that of the job now. */
  readonly began?: EpochMs;
}

/** The same outcome for all recipients that are still open in this try. It counts as a try. */
export function alike({ left }: Active, said: Said, state: 'failed' | 'expired' | 'due'): Settlement {
  const decisions = left.map((index) => (state === 'due' ? due(index, said, 'later') : failed(index, said, state)));
  return { decisions, counts: true };
}

/** The change that a settlement is. Recipients that are owed more in this try stay in `active.left`. */
export function changeFor(active: Active, settlement: Settlement, { now, settings, chance }: Context): JobChange {
  const { job, wish } = active;
  const { expansions = NONE, held, began = active.started } = settlement;
  const decisions = settlement.decisions.map((one) => (one.next === 'later' ? overdue(one, active, began, settings, now) : one));
  // Places of recipients that are final, and of those that this try is over for.
  const gone = new Set(expansions.map(({ index }) => index));
  const done = new Set(gone);
  for (const { index, next, state } of decisions) {
    if (next === 'later' || next === 'none') done.add(index);
    if (state !== 'due') gone.add(index);
  }
  active.left = active.left.filter((index) => !done.has(index));
  const stay = dueOf(job).filter((index) => !gone.has(index));
  // A try is over when nothing of it is left; it has failed if something is due still.
  const isOver = active.left.length === 0 && settlement.due === undefined;
  const hasFailed = isOver && stay.length > 0;
  // It was put off: no host may be tried yet.
  const isPut = settlement.due !== undefined && !held;
  const late = hasFailed || isPut ? lateOnes(job, stay, decisions, now, settings) : NONE;
  // What is told has a name of its own: the commit is that of a transaction, it counts as a try, or its notice is marked.
  const tries = active.tries + (hasFailed || settlement.counts === true ? 1 : 0);
  const mark = expansions.length > 0 ? 'x' : isPut && late.length > 0 ? 'd' : '';
  // This try is over for some, and others are tried still. Until the pause is over the job is not due in the queue: its next holder sends to all of
  // them, and one may have the message. The first such commit of a try sets the pause, later ones keep it.
  const waits = stay.some((index) => !active.left.includes(index));
  const isPaused = hasFailed || (waits && job.due <= Math.max(now, active.due));
  const pause = isPaused ? dueAfter(job, tries || 1, now, chance.of(`${job.id} ${tries}`), settings) : waits ? job.due : now;
  const next = Math.max(settlement.due ?? pause, waits ? pause : 0);
  const recipients = decisions.map((one): RecipientChange => {
    const change = changeOf(one, job.recipients[one.index]!.unknown ?? 0);
    return late.some(({ index }) => index === one.index) ? { ...change, told: true } : change;
  });
  for (const { index } of expansions) recipients.push({ index, state: 'expanded' });
  for (const { index } of late) if (!decisions.some((one) => one.index === index)) recipients.push({ index, state: 'due', told: true });
  const told = toldOf(decisions, late, expansions);
  const dueAt = stay.length === 0 ? null : next;
  const { attempt } = active;
  const release = dueAt === null || held === true || (wish === null && (isOver || isPut) && dueAt - now > settings.keep);
  const copied = copies(job, decisions, expansions);
  const noticed = told.length === 0 ? NONE : noticeOf(job, told, recipients, `${attempt}.${tries}${mark}`, now);
  const put = copied.length === 0 ? noticed : [...copied, ...noticed];
  const change: Written<JobChange> = { job: job.id, tries, attempt, recipients, due: dueAt, release, put };
  if (held !== undefined) change.held = held;
  return change;
}

/** Design: a recipient expires only when a try that began at or after its expiry has failed. */
function overdue(decision: Decision, { job }: Active, began: EpochMs, settings: Context['settings'], now: number): Decision {
  const { by } = job.message;
  const { index, said, unknown } = decision;
  // RFC 2852 4.1.3: "no further delivery attempts may be made".
  if (by?.mode === 'R' && now >= by.until) return { ...failed(index, { ...said, status: '5.4.7', category: 'expired' }), unknown };
  return began >= expiryOf(settings, job.message) ? { ...failed(index, said, 'expired'), unknown } : decision;
}

function copies(job: Job, decisions: readonly Decision[], expansions: NonNullable<Settlement['expansions']>): readonly NewJob[] {
  const moved = decisions.filter(({ movedTo }) => movedTo !== null);
  if (expansions.length === 0 && moved.length === 0) return NONE;
  const aliases = moved.map(({ index, movedTo }) => ({ index, expansion: { type: 'alias' as const, to: [movedTo!] } }));
  return [...expansions, ...aliases].flatMap(({ index, expansion }) => expansionJobs(job, index, expansion));
}
