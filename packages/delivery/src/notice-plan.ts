// Who is told what (RFC 3461 5 and 6, RFC 5321 6.1), as new jobs of the same commit.

import type { EpochMs, Job, Message, NewJob, Notice, NoticeRecipient, Recipient, RecipientChange } from './job.ts';
import { domainOf } from './names.ts';

/** The possible notice about a recipient, before NOTIFY is checked. */
export interface Told {
  readonly index: number;
  readonly action: NoticeRecipient['action'];
  readonly status: string;
  readonly until?: EpochMs;
  /** RFC 2852 4.1.4: told though SUCCESS was not asked for. */
  readonly always?: boolean;
}

/** Which word of NOTIFY each action answers to (RFC 3461 4.1). */
const ASKED = { failed: 'FAILURE', delayed: 'DELAY', delivered: 'SUCCESS', relayed: 'SUCCESS', expanded: 'SUCCESS' } as const;

/** Whether a sender wants to be told. Without NOTIFY: of failures and of delays (RFC 3461 4.1). */
function isWanted({ notify }: Pick<Recipient, 'notify'>, action: NoticeRecipient['action'], always = false): boolean {
  if (notify === 'NEVER') return false;
  return always || (notify ?? ['FAILURE', 'DELAY']).includes(ASKED[action]);
}

/**
 * The job of one notice about all recipients of a job that must be reported now. None if no notice is requested, if the message has a null
 * reverse-path, or if it is a notice whose reverse-path a list has replaced by its owner's: "No error message … in response to an error message"
 * (RFC 5321 4.5.4, 6.1). Its name consists of those of the job and the commit, so that a repeated commit finds it.
 */
export function noticeOf(
  job: Job,
  told: readonly Told[],
  changes: readonly RecipientChange[],
  number: string,
  now: EpochMs,
): readonly NewJob[] {
  const { message, recipients } = job;
  const wanted = told.filter(({ index, action, always }) => isWanted(recipients[index]!, action, always));
  const { reversePath, envid, ret, by, tls } = message;
  if (reversePath === '' || message.notice || wanted.length === 0) return [];
  const last = new Map(changes.map((one) => [one.index, one.last]));
  const notice: Notice = {
    of: message.id,
    at: now,
    arrived: message.arrived,
    to: reversePath,
    ...(envid !== undefined && { envid }),
    // RFC 8689 5: a message that required TLS is not returned in full over a connection that may have none.
    ...(tls === 'required' ? { ret: 'HDRS' as const } : ret !== undefined && { ret }),
    ...(by !== undefined && { by: by.until }),
    recipients: wanted.map(({ index, action, status, until }) => {
      const { address, orcpt, last: before } = recipients[index]!;
      const said = last.get(index) ?? before;
      return {
        address,
        action,
        status,
        ...(orcpt !== undefined && { orcpt }),
        ...(said !== undefined && { last: said }),
        ...(until !== undefined && { until }),
      };
    }),
  };
  // A holder that has lost its lease may still tell of a success, and is not to take the name of what the next one tells.
  const mark = wanted.every(({ action }) => action === 'relayed' || action === 'delivered') ? 's' : '';
  return [{ job: noticeJob(`${job.id}/notice-${number}${mark}`, message, now), content: notice }];
}

function noticeJob(id: string, { reversePath, tls, priority }: Message, now: EpochMs): Job {
  return {
    version: 1,
    id,
    // RFC 5321 6.1: "a null reverse-path"; its recipient is the reverse-path of the message, without a route.
    // RFC 8689 5: of what was to go over TLS alone it is told so, too, where the next host does that.
    message: {
      id,
      reversePath: '',
      arrived: now,
      size: 0,
      notice: true,
      ...(tls === 'required' && { tls }),
      // RFC 6710 4.6: "SHOULD use the priority value of the message".
      ...(priority !== undefined && { priority }),
    },
    domain: domainOf(reversePath),
    // RFC 3461 6: no notice about a notice.
    recipients: [{ address: reversePath, state: 'due', notify: 'NEVER' }],
    due: now,
  };
}
