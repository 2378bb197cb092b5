// Aliases and lists (RFC 5321 3.9), and answers that name another address (RFC 5321 3.4).

import type { Job, Message, NewJob, Recipient } from './job.ts';
import { entryOf } from './maps.ts';
import { domainOf } from './names.ts';
import { inherited } from './notice-plan.ts';
import type { Expansion } from './settings.ts';

/**
 * The jobs for the addresses of an alias or a list, one for each domain. An alias changes only the recipient (RFC 5321 3.9.1). A list also changes
 * the reverse-path (3.9.2: "MUST be changed") to its owner, and the sender's requests for notices end there (RFC 3461 5.2.7.1). An alias or a list that
 * contains itself is not expanded again for that address (RFC 5321 6.3).
 */
export function expansionJobs(job: Job, index: number, expansion: Expansion): readonly NewJob[] {
  const { message } = job;
  const from = job.recipients[index]!;
  const expansions = (message.expansions ?? 0) + 1;
  const isList = expansion.type === 'list';
  const { envid, ret, by, ...rest } = message;
  // RFC 5321 4.5.4: a message with a null reverse-path causes no notice, though a list gives it another reverse-path.
  const next: Message = isList
    ? { ...rest, reversePath: expansion.owner, expansions, ...(message.reversePath === '' && { notice: true }) }
    : { ...message, expansions };
  const domains = new Map<string, Recipient[]>();
  for (const address of new Set(expansion.to)) {
    const domain = domainOf(address);
    const recipients = entryOf(domains, domain, (): Recipient[] => []);
    recipients.push({
      address,
      state: 'due',
      ...(isSame(address, from.address) && { itself: true }),
      ...(!isList && inherited(from, expansion.to.length)),
    });
  }
  return [...domains].map(([domain, recipients], number) => {
    return { job: { version: 1, id: `${job.id}/${index}.${number}`, message: next, domain, recipients, due: job.due }, content: 'same' };
  });
}

/** RFC 5321 2.4: the case of a local part is its host's to say. */
function isSame(one: string, other: string): boolean {
  return domainOf(one) === domainOf(other) && one.slice(0, one.lastIndexOf('@')) === other.slice(0, other.lastIndexOf('@'));
}
