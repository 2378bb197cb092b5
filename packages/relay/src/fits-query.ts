import type { Job, JobQuery } from '@ehlo/delivery';

/** Whether a job is looked for. What PostgreSQL asks in its `find` is the same. */
export function fitsQuery(job: Job, { job: id, message, domain, held, dueBefore }: JobQuery): boolean {
  return (
    (id === undefined || job.id === id) &&
    (message === undefined || job.message.id === message) &&
    (domain === undefined || job.domain === domain) &&
    (held === undefined || (job.held === true) === held) &&
    (dueBefore === undefined || job.due <= dueBefore)
  );
}
