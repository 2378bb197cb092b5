// Notices as octets, before the commit that queues them (RFC 3461 6).

import type { JobChange, JobId, Message, NewJob, Notice } from '@ehlo/delivery';
import { composeNotice, type NoticeInit } from '@ehlo/delivery/notices';
import { type ComposedReport, contentOf } from '@ehlo/message/report';

/** What the notices of a commit are made with. */
export interface NoticeMeans {
  readonly hostname: string;
  boundary(): string;
  content(id: Message['id']): AsyncIterable<Uint8Array>;
  /** What went wrong with the content. */
  failed(error: unknown): void;
}

/** A commit, and the octets of each notice that it puts. */
export interface Written {
  readonly change: JobChange;
  readonly notices: ReadonlyMap<JobId, readonly Uint8Array[]>;
  /** False where the content could not be read: when the commit is repeated, it may be readable. */
  readonly isWhole: boolean;
}

/** RFC 3461 6.2: the largest original that goes back whole, which is also what is read of a larger one for its header. Ours. */
const LIMIT = 65_536;

/** As much of the content as may go back, and the size of it all. */
interface Original {
  readonly octets: Uint8Array;
  readonly size: number;
}

/**
 * Writes the notices of a change about a message. Where the original can't be read, they come without it, and without what was said where that can't be
 * written: the sender is told in any case. Their jobs get what is known then: size, and whether SMTPUTF8 is needed.
 */
export async function writeNotices(change: JobChange, message: Message, means: NoticeMeans): Promise<Written> {
  const notices = new Map<JobId, readonly Uint8Array[]>();
  if (change.put.every(({ content }) => content === 'same')) return { change, notices, isWhole: true };
  const original = await beginningOf(means.content(message.id), message.size).catch((error: unknown) => {
    means.failed(error);
    return null;
  });
  const put = change.put.flatMap((one) => (one.content === 'same' ? one : written(one, one.content, original, message, means, notices)));
  return { change: { ...change, put }, notices, isWhole: original !== null };
}

function written(
  { job }: NewJob,
  notice: Notice,
  found: Original | null,
  message: Message,
  means: NoticeMeans,
  notices: Map<JobId, readonly Uint8Array[]>,
): readonly NewJob[] {
  const { hostname, boundary } = means;
  const { octets, size } = found ?? { octets: new Uint8Array(0), size: message.size };
  const end = endOfHeader(octets);
  const { body, smtpUtf8 = false } = message;
  const original =
    end === null ? {} : { original: { header: octets.subarray(0, end), size, smtpUtf8, ...(body === undefined ? {} : { body }) } };
  const init = (): NoticeInit => ({ hostname, id: job.id, boundary: boundary(), limit: LIMIT, ...original });
  const report = composed(notice, init(), means) ?? composed(plain(notice), init(), means);
  // No notice can be written to this reverse-path. The outcome is recorded nevertheless.
  if (report === null) return [];
  const parts = [...contentOf(report, [octets])];
  notices.set(job.id, parts);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = { ...job.message, size: length, ...(report.smtpUtf8 ? { smtpUtf8: true as const } : {}) };
  return [{ content: notice, job: { ...job, message: whole } }];
}

/** The notice; null: it can't be written, and that was told. */
function composed(notice: Notice, init: NoticeInit, { failed }: NoticeMeans): ComposedReport | null {
  try {
    return composeNotice(notice, init);
  } catch (error) {
    failed(error);
    return null;
  }
}

/** The same without what servers and senders wrote: which recipients, and whether it is permanent (RFC 3463 2). */
function plain({ envid: _, recipients, ...notice }: Notice): Notice {
  const bare = recipients.map(({ address, action, status, until }) => {
    return { address: address.replaceAll(/\p{Cc}/gu, '?'), action, status: `${status[0]}.0.0`, ...(until !== undefined && { until }) };
  });
  return { ...notice, recipients: bare };
}

/** The size is what was said before, or counted. */
async function beginningOf(content: AsyncIterable<Uint8Array>, said: number): Promise<Original> {
  const kept: Uint8Array[] = [];
  let length = 0;
  let size = 0;
  for await (const bytes of content) {
    const part = bytes.slice(0, LIMIT - length);
    kept.push(part);
    length += part.length;
    size += bytes.length;
    if (length === LIMIT && said > 0) break;
  }
  const octets = new Uint8Array(length);
  let at = 0;
  for (const part of kept) {
    octets.set(part, at);
    at += part.length;
  }
  return { octets, size: Math.max(size, said) };
}

/** Where the header is over, its last line end included (RFC 5322 2.1); null: not within what is there. */
function endOfHeader(octets: Uint8Array): number | null {
  const CR = 0x0d;
  for (let at = octets.indexOf(CR); at !== -1; at = octets.indexOf(CR, at + 1)) {
    if (octets[at + 1] === 0x0a && octets[at + 2] === CR && octets[at + 3] === 0x0a) return at + 2;
  }
  return null;
}
