// Which recipients one transaction is for (RFC 5321 4.5.4.1, 4.5.3.1.8, RFC 9422).

import type { Active } from './active.ts';
import type { Session } from './destination.ts';
import type { EpochMs } from './job.ts';
import type { Transaction } from './order.ts';
import type { DeliverySettings } from './settings.ts';
import { type Extensions, mailParameters, misfitOfRecipient, needsConversion, rcptParameters } from './transaction.ts';

/** The share of one job in a transaction. */
export interface Part {
  readonly active: Active;
  /** Places in the job. */
  readonly indexes: readonly number[];
  /** What the queue said to its `begin`. */
  begun: 'done' | 'lost' | 'failed' | null;
}

/** The shares of a transaction: of the job that is first, and of those with the same message; empty if the server can take none of the first's recipients. */
export function partsFor(first: Active, session: Session, settings: DeliverySettings): readonly Part[] {
  const { destination, extensions, limits } = session;
  let room = Math.min(settings.mostRecipients, limits[1]!, destination.room);
  const parts: Part[] = [];
  for (const active of destination.alike(first)) {
    if (room <= 0) break;
    const { domain } = active.job;
    if (!hasRoomFor(session, domain)) continue;
    const indexes: number[] = [];
    for (const index of active.left) {
      if (indexes.length < room && misfitOfRecipient(active.job.recipients[index]!, extensions) === null) indexes.push(index);
    }
    if (indexes.length === 0 && active === first) return [];
    if (indexes.length === 0) continue;
    parts.push({ active, indexes, begun: null });
    room -= indexes.length;
    session.domains?.add(domain);
  }
  return parts;
}

/** RFC 9422 4.3: whether recipients at this domain may still be named in a session. */
export function hasRoomFor({ domains, limits }: Session, domain: string): boolean {
  return domains === null || domains.has(domain) || domains.size < limits[2]!;
}

export function transactionOf(parts: readonly Part[], extensions: Extensions, now: EpochMs): Transaction {
  const { message } = parts[0]!.active;
  const recipients: Transaction['recipients'][number][] = [];
  for (const { active, indexes } of parts) {
    for (const index of indexes) {
      const recipient = active.job.recipients[index]!;
      recipients.push({ job: active.id, index, address: recipient.address, parameters: rcptParameters(recipient, message, extensions) });
    }
  }
  return {
    reversePath: message.reversePath,
    parameters: mailParameters(message, recipients, extensions, now),
    recipients,
    convert: needsConversion(message, extensions),
  };
}
