// What the log says, read from its beginning to its end.

import { applyChange, type Job, type JobId, type KeptPolicy, type Lease } from '@ehlo/delivery';
import { briefOf, type JobBrief } from './jobs.ts';
import type { Place } from './log.ts';
import type { LogRecord, Put, Scan, Subject } from './record.ts';

/** What is written after the value of a job: it has to be applied to the value. */
type Delta = (job: Job) => Job;

/** What the log says of one job of one message file. */
export class Logged {
  /** Where its value stands last; null: only in its message file. */
  value: { readonly brief: JobBrief; readonly where: Place } | null = null;
  deltas: Delta[] = [];
  wish: Lease['wish'];
  isOver = false;
  /** Something that was written of it can not be read, and nothing that came later makes up for it. */
  isDamaged = false;

  is(job: Job, where: Place, wish?: Lease['wish']): void {
    this.value = { brief: briefOf(job), where };
    this.deltas = [];
    this.wish = wish;
    this.isOver = false;
    this.isDamaged = false;
  }
}

export class Replay {
  /** By message files, and by jobs. */
  readonly files: Map<number, Map<JobId, Logged>> = new Map();
  /** Message files that count no more. */
  readonly gone: Set<number> = new Set();
  readonly policies: Map<string, KeptPolicy> = new Map();
  /** Lines that can not be read. */
  damaged = 0;
  /** The largest number of a message file. */
  last = 0;

  /** A file of the log; the oldest comes first. */
  read(file: number, { records, damaged }: Scan): void {
    const lines = [...records, ...damaged].sort((a, b) => a.at - b.at);
    for (const line of lines) {
      if ('record' in line) this.#record(line.record, { file, at: line.at, length: line.length });
      else this.#damage(line.about);
    }
  }

  /** Of a message file, every job that the log knows. */
  of(n: number): ReadonlyMap<JobId, Logged> {
    return this.files.get(n) ?? NONE;
  }

  #record(record: LogRecord, where: Place): void {
    if ('sts' in record) {
      this.policies.set(record.sts, record.kept);
      return;
    }
    if ('put' in record) for (const one of record.put ?? []) this.#put(one, where);
    // What log files count was known before they were read.
    if (!('n' in record)) return;
    this.last = Math.max(this.last, record.n);
    if ('gone' in record) {
      this.gone.add(record.n);
      return;
    }
    const logged = this.#logged(record.n, record.id);
    if ('job' in record) logged.is(record.job, where, record.wish);
    else if ('over' in record) {
      logged.isOver = true;
      logged.isDamaged = false;
    } else if ('unreadable' in record) logged.isDamaged = true;
    else if ('begun' in record) logged.deltas.push((job) => ({ ...job, begun: record.begun }));
    else logged.deltas.push((job) => applyChange(job, { ...record.change, put: [] }));
  }

  #put({ n, job }: Put, where: Place): void {
    this.last = Math.max(this.last, n);
    this.#logged(n, job.id).is(job, where);
  }

  #damage(about: readonly Subject[]): void {
    this.damaged++;
    for (const { n, id } of about) this.#logged(n, id).isDamaged = true;
  }

  #logged(n: number, id: JobId): Logged {
    let jobs = this.files.get(n);
    if (jobs === undefined) {
      jobs = new Map();
      this.files.set(n, jobs);
    }
    let logged = jobs.get(id);
    if (logged === undefined) {
      logged = new Logged();
      jobs.set(id, logged);
    }
    return logged;
  }
}

const NONE: ReadonlyMap<JobId, Logged> = new Map();
