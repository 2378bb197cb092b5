// What follows from an outcome for its recipient.

import type { Reply } from '@ehlo/grammar';
import { classify, movedTo } from './classify.ts';
import type { DeliveryOutcome } from './fact.ts';
import type { EpochMs, Message, RecipientChange, RecipientState, Said } from './job.ts';
import { type Told, toldOfRelay } from './notice-plan.ts';
import type { Target } from './order.ts';
import type { DeliverySettings } from './settings.ts';
import { shortSaid } from './short-reply.ts';
import type { Extensions } from './transaction.ts';

/** What was decided for a recipient. */
export interface Decision {
  readonly index: number;
  readonly state: RecipientState;
  readonly said: Said;
  /** Of one that is due still: in the next transaction, at the next host (else `orElse`), or after a pause. */
  readonly next: 'now' | 'host' | 'later' | 'none';
  /** Where there is no other host. */
  readonly orElse: 'failed' | 'due';
  /** The host gets fewer sessions. */
  readonly slow: boolean;
  readonly unknown: boolean;
  readonly told: readonly Told[];
  /** RFC 5321 3.4: the address that takes its place. */
  readonly movedTo: string | null;
}

/** In what circumstances. */
export interface Circumstances {
  readonly now: EpochMs;
  readonly host: string;
  readonly protocol: Target['protocol'];
  readonly extensions: Extensions;
  readonly message: Message;
  readonly settings: DeliverySettings;
}

/** Causes of `unsent` that come neither from the server nor from the network. */
const OWN: ReadonlySet<string> = new Set(['limits', 'aborted', 'quit']);
/** What the content contains but MAIL did not declare. */
const CONTENT: ReadonlySet<string> = new Set(['declaration', 'bare-line-end']);

export function decide(index: number, outcome: DeliveryOutcome, where: Circumstances): Decision {
  const { now, host } = where;
  const said = (category: string, status: string, reply: Reply | null = null): Said => {
    return { at: now, status, category, host, ...(reply !== null && { reply }) };
  };
  switch (outcome.status) {
    case 'accepted':
      return accepted(index, outcome.reply, where);
    case 'unknown':
      return unknown(index, said('unknown', '4.4.2', outcome.reply), where);
    case 'refused':
      if (outcome.reply !== null) return byReply(index, outcome.reply, outcome.stage, where);
      return failed(index, said('unfit', outcome.problem?.enhanced ?? '5.6.0'));
    case 'unsent':
      if (OWN.has(outcome.cause)) return due(index, said('again', '4.5.3'), 'now');
      if (CONTENT.has(outcome.cause)) return failed(index, said('content', '5.6.0'));
      if (outcome.reply !== null) return byReply(index, outcome.reply, outcome.stage, where);
      return due(index, said('lost', '4.4.2'), 'host');
  }
}

/** A recipient that is given up, and its sender told. */
export function failed(index: number, said: Said, state: 'failed' | 'expired' = 'failed'): Decision {
  return decision(index, state, said, [{ index, action: 'failed', status: said.status }]);
}

/** One that is tried again. */
export function due(index: number, said: Said, next: 'now' | 'host' | 'later', orElse: Decision['orElse'] = 'due'): Decision {
  return decision(index, 'due', said, NONE, next, orElse);
}

const NONE: readonly never[] = [];

function decision(
  index: number,
  state: RecipientState,
  said: Said,
  told: readonly Told[],
  next: Decision['next'] = 'none',
  orElse: Decision['orElse'] = 'due',
): Decision {
  return { index, state, said: shortSaid(said), next, orElse, slow: false, unknown: false, told, movedTo: null };
}

/** Whether the server accepted the message is not known (RFC 1047). */
export function unknown(index: number, said: Said, { settings }: Pick<Circumstances, 'settings'>): Decision {
  if (settings.unknown === 'retry') return { ...due(index, said, 'later'), unknown: true };
  return { ...failed(index, said), state: 'unknown', unknown: true };
}

function byReply(index: number, reply: Reply, stage: string, { now, host, message, settings }: Circumstances): Decision {
  const { category, action, permanent, status } = classify(reply, stage, host, settings.rules);
  const said: Said = { at: now, status, category, host, reply };
  const follows = settings.moved === 'follow' && reply.code === 551 && (message.expansions ?? 0) < settings.mostExpansions;
  const moved = follows ? movedTo(reply) : null;
  if (moved !== null) return { ...due(index, said, 'later'), state: 'expanded', next: 'none', movedTo: moved };
  if (action === 'fail') return failed(index, said);
  if (action === 'host') return due(index, said, 'host', permanent ? 'failed' : 'due');
  return { ...due(index, said, action === 'now' ? 'now' : 'later'), slow: action === 'slow' };
}

function accepted(index: number, reply: Reply, where: Circumstances): Decision {
  const { now, host, protocol } = where;
  const status = reply.enhanced ?? '2.0.0';
  const category = reply.code === 251 ? 'moved' : 'accepted';
  const said: Said = { at: now, status, category, host, reply };
  if (protocol !== 'smtp') return decision(index, 'delivered', said, [{ index, action: 'delivered', status }]);
  return decision(index, 'relayed', said, toldOfRelay(index, status, where));
}

/** A decision as a change of the recipient. */
export function changeOf({ index, state, said, unknown: isUnknown }: Decision, before: number): RecipientChange {
  return isUnknown ? { index, state, last: said, unknown: before + 1 } : { index, state, last: said };
}
