// Who is told what (RFC 3461 5 and 6, RFC 5321 6.1), as new jobs of the same commit.

import type { EpochMs, Job, Message, NewJob, Notice, NoticeRecipient, Recipient, RecipientChange, Said } from './job.ts';
import { domainOf } from './names.ts';
import { delayedAt } from './retry.ts';
import { type DeliverySettings, type Expansion, expiryOf } from './settings.ts';

/** The possible notice about a recipient, before NOTIFY is checked. */
export interface Told {
  readonly index: number;
  readonly action: NoticeRecipient['action'];
  readonly status: string;
  readonly until?: EpochMs;
  /** RFC 2852 4.1.4: told though SUCCESS was not asked for. */
  readonly always?: boolean;
}

/** What was decided for a recipient, as far as it is told. */
interface Decided {
  readonly index: number;
  readonly said: Said;
  readonly told: readonly Told[];
}

/** To whom and when. */
interface Relayed {
  readonly now: EpochMs;
  readonly extensions: { readonly [keyword: string]: readonly string[] };
  readonly message: Message;
}

interface Expanded {
  readonly index: number;
  readonly expansion: Expansion;
}

const NONE: readonly never[] = [];

/** Which word of NOTIFY each action answers to (RFC 3461 4.1). */
const ASKED = { failed: 'FAILURE', delayed: 'DELAY', delivered: 'SUCCESS', relayed: 'SUCCESS', expanded: 'SUCCESS' } as const;

/** Whether a sender wants to be told. Without NOTIFY: of failures and of delays (RFC 3461 4.1). */
function isWanted({ notify }: Pick<Recipient, 'notify'>, action: NoticeRecipient['action'], always = false): boolean {
  if (notify === 'NEVER') return false;
  return always || (notify ?? ['FAILURE', 'DELAY']).includes(ASKED[action]);
}

/** What an address in the place of a recipient is asked to tell. RFC 3461 5.2.7.2, 5.2.7.3 (c): what was asked stays; with several in its place SUCCESS is answered by `expanded`, and asked of none. */
export function inherited({ notify, orcpt, rrvs }: Recipient, count: number): Partial<Recipient> {
  const kept = count > 1 && notify !== undefined && notify !== 'NEVER' ? notify.filter((one) => one !== 'SUCCESS') : notify;
  return {
    ...(orcpt !== undefined && { orcpt }),
    ...(kept !== undefined && { notify: kept.length === 0 ? ('NEVER' as const) : kept }),
    ...(rrvs !== undefined && { rrvs }),
  };
}

/** RFC 3461 4.1, RFC 2852 4.1.3: recipients whose delay is reported, once. */
export function lateOnes(
  job: Job,
  stay: readonly number[],
  decisions: readonly Decided[],
  now: number,
  settings: DeliverySettings,
): readonly Told[] {
  if (now < delayedAt(job, settings)) return NONE;
  // RFC 3464 2.3.9: no more is tried then. RFC 2852 4.1.3: under mode R nothing is tried after the by-time.
  const { by } = job.message;
  const expiry = expiryOf(settings, job.message);
  const until = by?.mode === 'R' ? Math.min(by.until, expiry) : expiry;
  return stay.flatMap((index): Told[] => {
    const { told, last } = job.recipients[index]!;
    const said = decisions.find((one) => one.index === index)?.said ?? last;
    // RFC 3464 2.3.4: of a delay the class is 4.
    const status = said === undefined || by?.mode === 'N' ? '4.4.7' : `4${said.status.slice(1)}`;
    return told === true ? [] : [{ index, action: 'delayed', status, until }];
  });
}

/** RFC 3461 5.2.2: a host with DSN tells of success itself; for one without, this host says how far the message came (RFC 2852 4.1.4: also where the by-time is lost there). */
export function toldOfRelay(index: number, status: string, { now, extensions, message: { by } }: Relayed): readonly Told[] {
  const isBlind = by !== undefined && !('DELIVERBY' in extensions) && now < by.until;
  const always = isBlind || by?.trace === true;
  return always || !('DSN' in extensions) ? [{ index, action: 'relayed', status, always }] : NONE;
}

/** What the sender may be told; mostly nothing. */
export function toldOf(decisions: readonly Decided[], late: readonly Told[], expansions: readonly Expanded[]): readonly Told[] {
  if (late.length === 0 && expansions.length === 0 && decisions.every((one) => one.told.length === 0)) return NONE;
  return [...decisions.flatMap((one) => one.told), ...late, ...expansions.flatMap(toldOfExpansion)];
}

/** RFC 3461 5.2.7: a list has taken the message; where an alias has several addresses, the report says `expanded`; where it has one, nothing is reported. */
function toldOfExpansion({ index, expansion }: Expanded): Told[] {
  if (expansion.type === 'list') return [{ index, action: 'delivered', status: '2.0.0' }];
  return expansion.to.length > 1 ? [{ index, action: 'expanded', status: '2.0.0' }] : [];
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
