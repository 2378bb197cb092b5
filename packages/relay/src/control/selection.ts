// Which jobs are meant: the query of a request, and whether a job is one of them.

import type { Job, JobId, JobQuery, MessageId, OperatorWish } from '@ehlo/delivery';

/**
 * Where a job stands. `leased`: this relay has it. Else `held` by an operator, `waiting` for its time, or `due`: not taken yet, or another
 * relay has it.
 */
export type JobState = 'leased' | 'held' | 'waiting' | 'due';

/** Which jobs are selected; an absent member selects all. */
export interface Selection {
  readonly ids?: readonly JobId[];
  readonly message?: MessageId;
  readonly domain?: string;
  readonly state?: JobState;
  /** A mailbox; `@` and a domain: every mailbox there; empty: the null reverse-path. */
  readonly sender?: string;
  /** A mailbox, or `@` and a domain. */
  readonly recipient?: string;
  /** Seconds since this host has taken the message: so many, or more. */
  readonly older?: number;
}

/** What a job is looked at with. */
export interface JobSight {
  readonly now: number;
  readonly holds: (job: JobId) => boolean;
}

/** A query that says nothing that can be meant. */
export class SelectionError extends Error {}

const STATES: ReadonlySet<string> = new Set<JobState>(['leased', 'held', 'waiting', 'due']);
const TEXTS = ['message', 'domain', 'sender', 'recipient'] as const;
const KNOWN: ReadonlySet<string> = new Set([...TEXTS, 'id', 'state', 'older']);
/** Ours: names in one request, which fit into its first line. */
const MOST_IDS = 100;

/** Reads a query; what stands in `others` is not its own. Throws `SelectionError`. */
export function selectionOf(query: URLSearchParams, others: readonly string[] = []): Selection {
  for (const name of query.keys()) {
    if (!KNOWN.has(name) && !others.includes(name))
      throw new SelectionError(`there is no filter ${name}; there are ${[...KNOWN].join(', ')}`);
    if (name !== 'id' && query.getAll(name).length > 1) throw new SelectionError(`${name} stands there twice`);
  }
  const ids = query.getAll('id');
  if (ids.length > MOST_IDS) throw new SelectionError(`one request names ${MOST_IDS} jobs at the most`);
  const state = query.get('state');
  if (state !== null && !STATES.has(state)) throw new SelectionError(`state is one of ${[...STATES].join(', ')}`);
  const older = query.get('older');
  if (older !== null && !/^[0-9]{1,12}$/.test(older)) throw new SelectionError('older is a whole number of seconds');
  const texts = TEXTS.flatMap((name) => (query.get(name) === null ? [] : [[name, query.get(name)!] as const]));
  return {
    ...(ids.length === 0 ? {} : { ids }),
    ...Object.fromEntries(texts),
    ...(state === null ? {} : { state: state as JobState }),
    ...(older === null ? {} : { older: Number(older) }),
  };
}

/** As much of a selection as a queue can look for by itself: one query for each name, or one for all. */
export function queriesOf({ ids, message, domain, state }: Selection, now: number): readonly JobQuery[] {
  const query: JobQuery = {
    ...(message === undefined ? {} : { message }),
    ...(domain === undefined ? {} : { domain: domain.toLowerCase() }),
    ...(state === 'held' ? { held: true } : {}),
    ...(state === 'due' ? { dueBefore: now } : {}),
  };
  return ids === undefined ? [query] : ids.map((job) => ({ ...query, job }));
}

export function stateOf(job: Job, { now, holds }: JobSight): JobState {
  if (holds(job.id)) return 'leased';
  if (job.held === true) return 'held';
  return job.due > now ? 'waiting' : 'due';
}

/** Whether a job is meant. */
export function isMeant(job: Job, { ids, message, domain, state, sender, recipient, older }: Selection, where: JobSight): boolean {
  return (
    (ids === undefined || ids.includes(job.id)) &&
    (message === undefined || job.message.id === message) &&
    (domain === undefined || job.domain === domain.toLowerCase()) &&
    (state === undefined || stateOf(job, where) === state) &&
    (sender === undefined || isMailbox(job.message.reversePath, sender)) &&
    (recipient === undefined || job.recipients.some(({ address }) => isMailbox(address, recipient))) &&
    (older === undefined || where.now - job.message.arrived >= older * 1000)
  );
}

/**
 * Whether an action skips a job that its filters select: jobs that arrive while it runs, with the notices that it causes; and, if it gives jobs up, every
 * notice, because no sender could be told (RFC 5321 6.1). A filter by job, message or null reverse-path selects them in any case.
 */
export function isPassedOver(
  what: OperatorWish['what'],
  { message }: Job,
  { ids, message: name, sender }: Selection,
  began: number,
): boolean {
  if (ids !== undefined || name !== undefined) return false;
  return message.arrived > began || (what === 'bounce' && message.notice === true && sender !== '');
}

/** Domains are compared without regard to case, local parts with it (RFC 5321 2.4). */
function isMailbox(address: string, wanted: string): boolean {
  const [local, domain] = parts(address);
  const [wantedLocal, wantedDomain] = parts(wanted);
  return domain === wantedDomain && (wantedLocal === '' && wantedDomain !== '' ? true : local === wantedLocal);
}

function parts(address: string): readonly [local: string, domain: string] {
  const at = address.lastIndexOf('@');
  return at < 0 ? [address, ''] : [address.slice(0, at), address.slice(at + 1).toLowerCase()];
}
