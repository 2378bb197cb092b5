import type { MailParameters } from '@ehlo/grammar';
import type { View } from './facts.ts';

/** RFC 6710 4.1: no upgraded priority from untrusted sources: what is put in its place; null if nothing is. */
export function loweredPriority({ mtPriority = 0 }: MailParameters, { facts, policy }: View): number | null {
  return mtPriority > 0 && facts.identity === null && !policy.mtPriority.trusted ? 0 : null;
}

/** The parameters of MAIL as they are believed: what this client may not say is replaced; `priority` as `loweredPriority` gives it. */
export function believed(parameters: MailParameters, priority: number | null, { facts }: View): MailParameters {
  const lowered = priority === null ? parameters : { ...parameters, mtPriority: priority };
  // RFC 4954 5: "if the client is not authenticated, then the server MUST behave as if the AUTH=<> parameter was supplied".
  return parameters.auth !== undefined && facts.identity === null ? { ...lowered, auth: '' } : lowered;
}
