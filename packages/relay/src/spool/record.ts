// The lines of a spool, each with its checksum; and those of the log: what was written down of jobs and policies, one after the other.

import { crc32 } from 'node:zlib';
import type { BegunAttempt, Job, JobChange, JobId, KeptPolicy, Lease } from '@ehlo/delivery';

/** One commit. `n` is the number of the message file; a job's name is its own in that file. */
export type LogRecord =
  /** An attempt may deliver. */
  | { readonly n: number; readonly id: JobId; readonly begun: BegunAttempt }
  /** A change of a job that stays with its holder. */
  | { readonly n: number; readonly id: JobId; readonly change: Omit<JobChange, 'put'>; readonly put?: readonly Put[] }
  /** A job as it is now: whatever was written of it before is no matter. */
  | { readonly n: number; readonly id: JobId; readonly job: Job; readonly wish?: Lease['wish']; readonly put?: readonly Put[] }
  | { readonly n: number; readonly id: JobId; readonly over: true; readonly put?: readonly Put[] }
  /** Of a line that could not be read any more: what became of the job is not known. */
  | { readonly n: number; readonly id: JobId; readonly unreadable: true }
  /** Jobs that came into being beside their message files. */
  | { readonly put: readonly Put[] }
  /** A message file that counts no more, whether it is there or not. */
  | { readonly n: number; readonly gone: true }
  /** Log files before this one count no more, whether they are there or not. */
  | { readonly first: number }
  /** A policy of MTA-STS (RFC 8461 3.3). */
  | { readonly sts: string; readonly kept: KeptPolicy };

/** A job of the message file `n`. */
export interface Put {
  readonly n: number;
  readonly job: Job;
}

/** Where a line stands in its file: all of it. */
export interface Span {
  readonly at: number;
  readonly length: number;
}

export interface Scan {
  readonly records: readonly (Span & { readonly record: LogRecord })[];
  /** Lines that are not as they were written, with the jobs that they may be about. */
  readonly damaged: readonly (Span & { readonly about: readonly Subject[] })[];
  /** What counts of the file. */
  readonly end: number;
}

/** CRC-32 of all that follows it, as eight hexadecimal digits. */
const CRC_LENGTH = 8;
/** The first line of what was written and synced at once, and the others. */
const FIRST = '+';
const NEXT = ' ';
const LF = 0x0a;
const PLUS = 0x2b;

/** A line that tells whether it is as it was written: CRC, text, LF. */
export function seal(text: string): Buffer {
  const line = Buffer.from(`${'0'.repeat(CRC_LENGTH)}${text}\n`);
  line.write(hex(crc32(line.subarray(CRC_LENGTH, -1)), CRC_LENGTH), 0, 'latin1');
  return line;
}

/** The text of such a line; null: it is not as it was written. */
export function unseal(line: Uint8Array): string | null {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.length);
  if (bytes.length <= CRC_LENGTH || bytes[bytes.length - 1] !== LF) return null;
  if (bytes.toString('latin1', 0, CRC_LENGTH) !== hex(crc32(bytes.subarray(CRC_LENGTH, -1)), CRC_LENGTH)) return null;
  return bytes.toString('utf8', CRC_LENGTH, bytes.length - 1);
}

/** A record as a line: its place in its batch, JSON. */
export function formatRecord(record: LogRecord, isFirst: boolean): Uint8Array {
  // Twice: if one of them is damaged, the other still names the job.
  const twice = 'id' in record ? { ...record, key: [record.n, record.id] } : record;
  return seal(`${isFirst ? FIRST : NEXT}${JSON.stringify(twice)}`);
}

/** A job of a message file. */
export interface Subject {
  readonly n: number;
  readonly id: JobId;
}

/** Reads one line; null: it is not as it was written. */
export function parseRecord(line: Uint8Array): LogRecord | null {
  const text = unseal(line);
  return text === null ? null : (JSON.parse(text.slice(1)) as LogRecord);
}

/**
 * Reads a log file. In the last file a batch may be torn: a crash came before its sync ended, so it was never reported as written. So damaged records
 * after the first line of the last batch, and all that follows, are cut off. Damage before that is a loss: those records were complete once.
 */
export function scanLog(octets: Uint8Array, isLast: boolean): Scan {
  const records: Scan['records'][number][] = [];
  const damaged: Scan['damaged'][number][] = [];
  let lastBatch = 0;
  for (let at = 0; at < octets.length; ) {
    const lf = octets.indexOf(LF, at);
    const next = lf === -1 ? octets.length : lf + 1;
    const line = octets.subarray(at, next);
    const record = parseRecord(line);
    if (record === null) damaged.push({ at, length: next - at, about: subjectsOf(line) });
    else {
      records.push({ at, length: next - at, record });
      if (line[CRC_LENGTH] === PLUS) lastBatch = at;
    }
    at = next;
  }
  const torn = isLast ? damaged.find(({ at }) => at >= lastBatch) : undefined;
  const end = torn?.at ?? octets.length;
  const counts = ({ at }: Span): boolean => at < end;
  return { records: records.filter(counts), damaged: damaged.filter(counts), end };
}

/** Which log file is the first that counts, by the last record of these that says so; null: none does. */
export function firstIn(octets: Uint8Array): number | null {
  const bytes = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  for (let at = bytes.lastIndexOf('{"first":'); at > CRC_LENGTH; at = bytes.lastIndexOf('{"first":', at - 1)) {
    const record = parseRecord(bytes.subarray(at - CRC_LENGTH - 1, bytes.indexOf(LF, at) + 1));
    if (record !== null && 'first' in record) return record.first;
  }
  return null;
}

/** The job of a record, as it is there. */
export function jobIn(record: LogRecord, id: JobId): Job | null {
  if ('job' in record && record.id === id) return record.job;
  return ('put' in record ? record.put : undefined)?.find(({ job }) => job.id === id)?.job ?? null;
}

/** By what stands first in it, and last. */
function subjectsOf(line: Uint8Array): readonly Subject[] {
  const text = new TextDecoder().decode(line.subarray(CRC_LENGTH + 1));
  const [first, last] = [FIRST_KEY, LAST_KEY].map((key) => subjectIn(key.exec(text)));
  if (!first || !last) return first ? [first] : last ? [last] : [];
  return first.n === last.n && first.id === last.id ? [first] : [first, last];
}

const FIRST_KEY = /^\{"n":(\d{1,15}),"id":("(?:[^"\\\p{Cc}]|\\["\\])*")/u;
const LAST_KEY = /"key":\[(\d{1,15}),("(?:[^"\\\p{Cc}]|\\["\\])*")\]\}.?$/su;

function subjectIn(found: RegExpExecArray | null): Subject | null {
  return found === null ? null : { n: Number(found[1]), id: JSON.parse(found[2]!) as string };
}

export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
