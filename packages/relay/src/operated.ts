import type { EpochMs, Job, OperatorWish } from '@ehlo/delivery';

/** A job that nobody holds, as an operator's wish leaves it: what is held stays so until it is released, or given up. */
export function operated({ held, ...job }: Job, what: Exclude<OperatorWish['what'], 'delete'>, now: EpochMs): Job {
  const isHeld = what === 'hold' || (what === 'retry' && held === true);
  const isHurried = what === 'retry' || what === 'bounce';
  // RFC 4865 4: it is not sent before the time to which its sender holds it back.
  const soonest = what === 'retry' ? Math.max(now, job.message.release ?? 0) : now;
  return { ...job, due: isHurried ? Math.min(job.due, soonest) : job.due, ...(isHeld ? { held: true } : {}) };
}
