// A job that waits, as a text: a third of what its objects take, and there may be a million.

import type { Job, Message, Recipient } from './job.ts';
import type { Written } from './written.ts';

/** A job as a text, for as long as nothing is done with it: what every job has by its place, then the rest, as far as there is any. */
export function packJob({ version, id, message, domain, recipients, due, tries, attempt, ...rest }: Job): string {
  const { id: name, reversePath, arrived, size, ...more } = message;
  const packed = recipients.map((one) => packRecipient(one, `@${domain}`));
  const all = [version, id, domain, due, name, reversePath, arrived, size, packed, tries, attempt, membersOf(more), membersOf(rest)];
  while (all.at(-1) === undefined) all.pop();
  return JSON.stringify(all);
}

/** What `packJob` made a text of. What is absent is null, or beyond the end. */
export function unpackJob(text: string): Job {
  const [version, id, domain, due, name, reversePath, arrived, size, packed, tries, attempt, more, rest] = JSON.parse(text);
  const recipients = packed.map((one: string | Recipient) => unpackRecipient(one, domain));
  const message: Message = more ? { id: name, reversePath, arrived, size, ...more } : { id: name, reversePath, arrived, size };
  const job: Written<Job> = { version, id, message, domain, recipients, due };
  if (typeof tries === 'number') job.tries = tries;
  if (typeof attempt === 'number') job.attempt = attempt;
  return rest ? { ...job, ...rest } : job;
}

/** The domain of a job that `packJob` made a text of: said without a look at all of it. */
export function domainOfPacked(text: string): string {
  return JSON.parse(/^\[\d+,"(?:[^"\\]|\\.)*",("(?:[^"\\]|\\.)*")/.exec(text)![1]!);
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

/** Undefined: it has none. */
function membersOf<T extends object>(value: T): T | undefined {
  return isEmpty(value) ? undefined : value;
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
