// The life of each message in a log: one event for each step. The README has the table.

import { isAcceptance, type Job, type NewJob, putOf, type RecipientChange, type Said } from '@ehlo/delivery';
import type { Seen } from './seen.ts';

/** An event of the log: `at` in ISO 8601, what has happened, and of what. Values are JSON, in which what others have written stands as it is. */
export interface LogEvent {
  readonly at: string;
  readonly event: LogEventName;
  readonly [field: string]: unknown;
}

export type LogEventName =
  | 'put'
  | 'attempt'
  | 'outcome'
  | 'deferred'
  | 'held'
  | 'notice'
  | 'copied'
  | 'final'
  | 'lost'
  | 'connected'
  | 'unreached'
  | 'disconnected'
  | 'lookup-failed'
  | 'policy-failed'
  | 'failed'
  | 'wish';

type Fields = { readonly [field: string]: unknown };
type Row = readonly [event: LogEventName, fields: Fields];

/** Ours: addresses that one event names; the others are counted. */
const MOST_ADDRESSES = 100;

/**
 * The events that something seen is; none where it is nothing to tell.
 *
 * @example
 * ```ts
 * import { logEvents } from '@ehlo/relay/watch';
 * logEvents({ type: 'wished', at: 0, what: 'hold', job: 'j1' })
 * // → [{ at: '1970-01-01T00:00:00.000Z', event: 'wish', what: 'hold', job: 'j1' }]
 * ```
 */
export function logEvents(seen: Seen): readonly LogEvent[] {
  const at = new Date(seen.at).toISOString();
  return rowsOf(seen).map(([event, fields]) => ({ at, event, ...fields }));
}

function rowsOf(seen: Seen): readonly Row[] {
  switch (seen.type) {
    case 'put':
      return seen.jobs.map((job) => ['put', put(job)] as const);
    case 'begun': {
      const to = seen.attempt.recipients.map((index) => seen.job.recipients[index]?.address ?? '');
      return [['attempt', { ...nameOf(seen.job), attempt: seen.attempt.attempt, ...addresses(to) }]];
    }
    case 'settled':
      return settled(seen);
    case 'opened': {
      const { tls, verified, result } = seen.opened;
      return [['connected', { ...hostOf(seen.order), tls, verified, ...(result === undefined ? {} : { result }) }]];
    }
    case 'unreached': {
      const { stage, reply, result, text } = seen.failed;
      return [
        [
          'unreached',
          {
            ...hostOf(seen.order),
            stage,
            ...replyOf(reply),
            ...(result === undefined ? {} : { result }),
            ...(text === undefined ? {} : { text }),
          },
        ],
      ];
    }
    case 'ended':
      return [['disconnected', hostOf(seen.order)]];
    case 'looked-up':
      return seen.answer.status === 'failed' ? [['lookup-failed', { name: seen.order.name, rr: seen.order.rr }]] : [];
    case 'policy':
      return seen.answer.text === null ? [['policy-failed', { domain: seen.order.domain, problem: seen.answer.problem }]] : [];
    case 'failed':
      return [['failed', { what: seen.what, error: seen.error instanceof Error ? seen.error.message : String(seen.error) }]];
    case 'wished':
      return [['wish', { what: seen.what, job: seen.job }]];
  }
}

function put(job: Job): Fields {
  const { message, domain, due, recipients } = job;
  return {
    ...nameOf(job),
    from: message.reversePath,
    domain,
    octets: message.size,
    ...(due > message.arrived ? { due: new Date(due).toISOString() } : {}),
    ...addresses(recipients.map(({ address }) => address)),
  };
}

/** Of a commit whose lease was another's, only what was accepted is written, and what it would put; the queue has put none that was there already. */
function settled({ job, change, isWhole, at }: Extract<Seen, { type: 'settled' }>): readonly Row[] {
  const name = nameOf(job);
  const changes = isWhole ? change.recipients : change.recipients.filter(isAcceptance);
  const outcomes = changes.flatMap((one): Row[] =>
    isNews(one) ? [['outcome', { ...name, attempt: change.attempt, ...outcome(job, one) }]] : [],
  );
  const put = isWhole ? change.put : putOf(job, change, { acceptances: true });
  const made = put.map((one): Row => (one.content === 'same' ? ['copied', copied(name, one)] : ['notice', notice(name, one)]));
  return [...outcomes, ...made, ...(isWhole ? end(name, job, change, at) : [['lost', name] as const])];
}

/** A recipient that was told of as late has no other outcome than before. */
function isNews({ state, last }: RecipientChange): boolean {
  return state !== 'due' || last !== undefined;
}

function outcome(job: Job, { index, state, last, unknown }: RecipientChange): Fields {
  return {
    to: job.recipients[index]?.address ?? '',
    state,
    ...(last === undefined ? {} : saidFields(last)),
    ...(unknown === undefined ? {} : { unknown }),
  };
}

function saidFields({ status, category, host, reply, text }: Said): Fields {
  return { status, category, ...(host === undefined ? {} : { host }), ...replyOf(reply), ...(text === undefined ? {} : { text }) };
}

function copied(name: Fields, { job }: NewJob): Fields {
  return { ...name, copy: job.id, domain: job.domain, ...addresses(job.recipients.map(({ address }) => address)) };
}

function notice(name: Fields, { job, content }: NewJob): Fields {
  const tells = content === 'same' ? [] : content.recipients.map(({ address, action, status }) => `${action} ${status} ${address}`);
  return { ...name, notice: job.id, for: job.recipients[0]?.address ?? '', tells: tells.slice(0, MOST_ADDRESSES) };
}

function end(name: Fields, job: Job, { due, held, tries }: Extract<Seen, { type: 'settled' }>['change'], at: number): readonly Row[] {
  if (due === null) return [['final', { ...name, seconds: Math.max(0, Math.round((at - job.message.arrived) / 1000)), tries }]];
  if (held === true) return [['held', name]];
  return due > at ? [['deferred', { ...name, until: new Date(due).toISOString(), tries }]] : [];
}

function nameOf({ id, message }: Job): Fields {
  return { job: id, message: message.id };
}

function hostOf({ target: { host, address, port, protocol } }: Extract<Seen, { type: 'ended' }>['order']): Fields {
  return { host, address, port, protocol };
}

function replyOf(reply: Said['reply']): Fields {
  return reply === undefined ? {} : { reply: `${reply.code} ${reply.lines.join(' ')}` };
}

function addresses(to: readonly string[]): Fields {
  return to.length <= MOST_ADDRESSES ? { to } : { to: to.slice(0, MOST_ADDRESSES), others: to.length - MOST_ADDRESSES };
}
