// A job as a row, and a row as a job.

import type { Job, Lease } from '@ehlo/delivery';

/** The newest form of a job that this release reads. */
export const FORMAT = 1;

/** What statements give. JSON comes as text: how `pg` reads its type may be set otherwise by the program. */
export interface JobRow {
  /** The job without its mark, and without its message where that is the one that was put with the content. */
  readonly state: string;
  readonly begun: string | null;
  /** The message that was put with the content. */
  readonly envelope: string;
  readonly fence: string;
  readonly wish: 'bounce' | null;
  /** Milliseconds. */
  readonly until: number;
}

export function jobOf({ state, begun, envelope }: Pick<JobRow, 'state' | 'begun' | 'envelope'>): Job {
  const { message = JSON.parse(envelope), ...job } = JSON.parse(state);
  return { ...job, message, ...(begun === null ? {} : { begun: JSON.parse(begun) }) };
}

export function leaseOf(row: JobRow): Lease {
  const { fence, wish, until } = row;
  return { job: jobOf(row), fence: Number(fence), until, ...(wish === null ? {} : { wish }) };
}

/** What is written of a job, in the order in which statements take it: format, state, due, held, final, begun. */
export function columnsOf({ message, begun, ...job }: Job): readonly [number, string, number, boolean, string, string | null] {
  const final = job.recipients.flatMap(({ state }, index) => (state === 'due' ? [] : index));
  const mark = begun === undefined ? null : JSON.stringify(begun);
  // A copy shares the content, and has an envelope of its own: that of a list is another's (RFC 5321 3.9.2).
  const own = message.expansions === undefined ? job : { ...job, message };
  return [job.version, JSON.stringify(own), job.due, job.held === true, `{${final.join(',')}}`, mark];
}
