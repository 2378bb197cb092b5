import type { Command, MailParameters, Path } from '@ehlo/grammar';
import { instantOf } from '../instant.ts';
import type { Core } from './core.ts';
import type { FaultCode } from './events.ts';
import type { ReplyName } from './replies.ts';

type Mail = Extract<Command, { readonly verb: 'MAIL' }>;
type Rcpt = Extract<Command, { readonly verb: 'RCPT' }>;

/** What a MAIL or RCPT that is well formed must still keep to; the first rule that is broken refuses it. */
export interface EnvelopeRule<C> {
  readonly broken: (command: C, core: Core) => boolean;
  readonly fault: FaultCode;
  readonly reply: ReplyName;
}

export const MAIL_RULES: readonly EnvelopeRule<Mail>[] = [
  // RFC 1870 6.1 (2): a declared size beyond the fixed maximum is refused at once.
  { broken: ({ parameters: { size = 0 } }, { policy }) => size > policy.limits.messageSize, fault: 'too-large', reply: 'tooLarge' },
  { broken: ({ reversePath }, core) => isUnqualified(reversePath, core), fault: 'syntax', reply: 'unqualifiedSender' },
  {
    broken: ({ parameters: { by } }, { policy }) => by?.mode === 'R' && by.seconds < policy.limits.deliverBy,
    fault: 'parameter-value',
    reply: 'deliverByTooSoon',
  },
  { broken: ({ parameters }, core) => isHeldTooLong(parameters, core), fault: 'parameter-value', reply: 'heldTooLong' },
];

export const RCPT_RULES: readonly EnvelopeRule<Rcpt>[] = [
  {
    broken: ({ forwardPath }, { state }) => state.envelope!.parameters.smtpUtf8 === undefined && /\P{ASCII}/u.test(forwardPath.address),
    fault: 'smtputf8',
    reply: 'asciiRecipient',
  },
  { broken: ({ forwardPath }, core) => isUnqualified(forwardPath, core), fault: 'syntax', reply: 'unqualifiedRecipient' },
  {
    broken: ({ forwardPath }, core) => {
      const { domains } = core.state;
      return domains.size >= core.policy.limits.recipientDomains && !domains.has(forwardPath.domain.toLowerCase());
    },
    fault: 'recipients',
    reply: 'tooManyDomains',
  },
];

/** RFC 9422 4.3: the domain of a recipient counts, whether the limit is announced or not. */
export function countDomain(core: Core, { domain }: Path): void {
  // Most are that of the recipient before: to compare costs less than a set.
  if (domain === core.counted) return;
  core.counted = domain;
  core.state.domains.add(domain.toLowerCase());
}

/** RFC 6710 4.1: no upgraded priority from untrusted sources: what is put in its place; null if nothing is. */
export function loweredPriority({ mtPriority = 0 }: MailParameters, { state, policy }: Core): number | null {
  return mtPriority > 0 && state.identity === null && !policy.mtPriority.trusted ? 0 : null;
}

/** The parameters of MAIL as they are believed: what this client may not say is replaced; `priority` as `loweredPriority` gives it. */
export function believed(parameters: MailParameters, priority: number | null, { state }: Core): MailParameters {
  const lowered = priority === null ? parameters : { ...parameters, mtPriority: priority };
  // RFC 4954 5: "if the client is not authenticated, then the server MUST behave as if the AUTH=<> parameter was supplied".
  return parameters.auth !== undefined && state.identity === null ? { ...lowered, auth: '' } : lowered;
}

/** RFC 6409 4.2: in a submission every domain is fully qualified. */
function isUnqualified({ domain }: Path, { policy }: Core): boolean {
  return policy.qualified && domain !== '' && !domain.startsWith('[') && !domain.includes('.');
}

/** RFC 4865 4.2 (7) and (8), 5.2.2: within what is announced, and not beyond the time to deliver by. */
function isHeldTooLong({ holdFor, holdUntil, by }: MailParameters, { policy: { futureRelease } }: Core): boolean {
  if (holdFor !== undefined) return holdFor > futureRelease!.seconds || holdFor > (by?.seconds ?? holdFor);
  return holdUntil !== undefined && !(instantOf(holdUntil) <= instantOf(futureRelease!.until));
}
