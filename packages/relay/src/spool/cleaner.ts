// The log does not grow for ever: what still counts of its oldest file is written down again, and the file goes.

import type { JobId, KeptPolicy, PolicyBook } from '@ehlo/delivery';
import type { Jobs, Kept } from './jobs.ts';
import type { Log, Place } from './log.ts';
import type { MessageStore } from './message-store.ts';
import type { LogRecord, Scan } from './record.ts';
import { SpoolError } from './spool-error.ts';

/** Log files that may be there beside twice what counts of them. */
export const SPARE = 4;

export interface Cleaning {
  readonly log: Log;
  readonly store: MessageStore;
  readonly jobs: Jobs;
  readonly policies: PolicyBook;
  /** Writes the value of a job down anew, where `stale` still says so when its turn comes. */
  rewrite(kept: Kept, stale: () => boolean): Promise<void>;
  now(): number;
  failed(error: SpoolError): void;
}

/** Whether more than half of the log counts no more, a few files left aside. */
export function isCleaningDue({ log, jobs }: Cleaning, fileSize: number): boolean {
  return log.files > SPARE + (2 * jobs.written) / fileSize;
}

export async function cleanOldest(cleaning: Cleaning): Promise<void> {
  const { log, store } = cleaning;
  const oldest = log.oldest;
  if (oldest === null) return;
  // Files whose removal is durable: what the log says of them may be forgotten.
  await store.settle();
  const { records, damaged } = await log.scan(oldest);
  await Promise.all(records.map(({ record, at, length }) => carryOver(record, { file: oldest, at, length }, cleaning)));
  if (damaged.length > 0) await makeUpFor(damaged, oldest, cleaning);
  await log.drop(oldest);
}

/** Lines that can't be read go with their file: all that may hang on them is written anew, as it is in memory. */
async function makeUpFor(damaged: Scan['damaged'], file: number, { log, store, jobs, rewrite, failed }: Cleaning): Promise<void> {
  const mayHang = (kept: Kept): boolean => kept.isChanged || kept.where.file === file;
  for (const kept of [...jobs].filter(mayHang)) await rewrite(kept, () => mayHang(kept));
  for (const { at, about } of damaged) {
    failed(new SpoolError('damaged', `log/${file}: the record at octet ${at} is not as it was written, and goes`));
    for (const subject of about) {
      if (store.isLeft(subject.n)) await log.append({ ...subject, unreadable: true });
      else if (isPast(subject, store, jobs)) await log.append({ ...subject, over: true });
    }
  }
}

async function carryOver(record: LogRecord, where: Place, { log, store, jobs, policies, rewrite, now }: Cleaning): Promise<void> {
  if ('sts' in record) {
    if (isCurrent(policies.at(record.sts, now()), record.kept)) await log.append(record);
    return;
  }
  const left = leftOf(record, store);
  if (left !== null) await log.append(left);
  const isHere = (kept: Kept): boolean => kept.where.file === where.file && kept.where.at === where.at;
  for (const { n, job } of 'put' in record ? (record.put ?? []) : []) {
    const kept = jobs.get(job.id);
    if (kept?.message.file.number === n && isHere(kept)) await rewrite(kept, () => isHere(kept));
  }
  if (!('n' in record) || store.isLeft(record.n)) return;
  if ('gone' in record || 'over' in record) {
    if ('gone' in record ? store.has(record.n) : isPast(record, store, jobs))
      await log.append('gone' in record ? record : { n: record.n, id: record.id, over: true });
    return;
  }
  const kept = jobs.get(record.id);
  if (kept?.message.file.number !== record.n) return;
  if ('job' in record ? isHere(kept) : kept.isChanged) await rewrite(kept, () => ('job' in record ? isHere(kept) : kept.isChanged));
}

/** Whether a job is over whose message file is there, or may be there again. */
function isPast({ n, id }: { readonly n: number; readonly id: JobId }, store: MessageStore, jobs: Jobs): boolean {
  return store.has(n) && jobs.get(id)?.message.file.number !== n;
}

/** What a record says of files of which nothing else is known now; null: nothing. */
function leftOf(record: LogRecord, store: MessageStore): LogRecord | null {
  const put = ('put' in record ? record.put : undefined)?.filter(({ n }) => store.isLeft(n)) ?? [];
  if ('n' in record && store.isLeft(record.n)) return record;
  return put.length > 0 ? { put } : null;
}

function isCurrent(kept: KeptPolicy | null, record: KeptPolicy): boolean {
  return kept !== null && kept.id === record.id && kept.fetched === record.fetched;
}
