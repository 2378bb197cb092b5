// A job that waits, as a text: a third of what its objects take, and there may be a million.

import type { Job, Message, Recipient } from './job.ts';
import type { Written } from './written.ts';

/** A job as a text, for as long as nothing is done with it: what every job has by its place, the rest by name behind it. */
export function packJob({ version, id, message, domain, recipients, due, tries, attempt, ...rest }: Job): string {
  const { id: name, reversePath, arrived, size, ...more } = message;
  const packed = recipients.map((one) => packRecipient(one, `@${domain}`));
  const named = isEmpty(rest) ? (isEmpty(more) ? [] : [more]) : [more, rest];
  return JSON.stringify([version, id, domain, due, tries, attempt, name, reversePath, arrived, size, packed, ...named]);
}

/** What `packJob` made a text of. */
export function unpackJob(text: string): Job {
  const [version, id, domain, due, tries, attempt, name, reversePath, arrived, size, packed, more, rest] = JSON.parse(text);
  const recipients = packed.map((one: string | Recipient) => unpackRecipient(one, domain));
  const message: Message =
    more === undefined ? { id: name, reversePath, arrived, size } : { id: name, reversePath, arrived, size, ...more };
  const job: Written<Job> = { version, id, message, domain, recipients, due };
  // JSON has null in place of what is absent.
  if (tries !== null) job.tries = tries;
  if (attempt !== null) job.attempt = attempt;
  return rest === undefined ? job : { ...job, ...rest };
}

/** Most recipients are an address at the domain that is due. */
function packRecipient(recipient: Recipient, domain: string): string | Recipient {
  const { address, state, ...rest } = recipient;
  if (state !== 'due' || !address.endsWith(domain) || !isEmpty(rest)) return recipient;
  return address.slice(0, -domain.length);
}

function unpackRecipient(packed: string | Recipient, domain: string): Recipient {
  return typeof packed === 'string' ? { address: `${packed}@${domain}`, state: 'due' } : packed;
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
