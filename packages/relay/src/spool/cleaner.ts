// The log does not grow for ever: what still counts of its oldest file is written down again, and the file goes.

import type { KeptPolicy, PolicyBook } from '@ehlo/delivery';
import type { Jobs, Kept } from './jobs.ts';
import type { Log, Place } from './log.ts';
import type { MessageStore } from './message-store.ts';
import type { LogRecord } from './record.ts';

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
  const { records } = await log.scan(oldest);
  await Promise.all(records.map(({ record, at, length }) => carryOver(record, { file: oldest, at, length }, cleaning)));
  await log.drop(oldest);
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
    const isAlive = 'over' in record && jobs.get(record.id)?.message.file.number === record.n;
    if (store.has(record.n) && !isAlive) await log.append('gone' in record ? record : { n: record.n, id: record.id, over: true });
    return;
  }
  const kept = jobs.get(record.id);
  if (kept?.message.file.number !== record.n) return;
  if ('job' in record ? isHere(kept) : kept.isChanged) await rewrite(kept, () => ('job' in record ? isHere(kept) : kept.isChanged));
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
