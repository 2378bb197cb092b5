// Texts for the steps of `why`: only programs that show them import this file.

import type { Step, StepName } from './step.ts';
import type { TlsReason } from './tls-demand.ts';

export { stepsAtRest } from './rest.ts';

/** A sentence and the RFC section behind it. `{name}` stands for the step's value, `{name:one|many}` for a word in singular or plural. */
export interface StepWords {
  readonly text: string;
  /** Empty where the rule is ours. */
  readonly section: string;
}

export const STEP_WORDS: { readonly [name in StepName]: StepWords } = {
  'static-route': { text: 'The settings send mail for this domain to {hosts}.', section: '' },
  literal: { text: '{domain} is an address: mail goes to it, and nothing is looked up.', section: 'RFC 5321 2.3.5' },
  alias: { text: '{domain} is an alias of {alias}, which is taken in its place.', section: 'RFC 5321 5.1' },
  mx: { text: '{host} takes mail for the domain, with preference {preference}.', section: 'RFC 5321 5.1' },
  'implicit-mx': { text: 'There is no MX record, so {host} itself is the host.', section: 'RFC 5321 5.1' },
  'null-mx': { text: '{domain} says that it takes no mail.', section: 'RFC 7505 3' },
  'null-mx-ignored': { text: '{domain} has a null MX beside others: it is left aside.', section: 'RFC 7505 3' },
  'mx-is-address': { text: 'An MX record of {domain} has an address where a name must stand: it is left out.', section: 'RFC 5321 5.1' },
  'mx-is-alias': { text: '{host} is an alias of {alias}, which an MX host must not be: it is followed.', section: 'RFC 2181 10.3' },
  self: {
    text: 'This host stands in the list: it and all that are not better are left out; {left} {left:is|are} left.',
    section: 'RFC 5321 5.1',
  },
  cut: { text: '{left} more {left:host is|hosts are} not looked at.', section: 'RFC 5321 5.1' },
  'addresses-cut': { text: '{left} more {left:address|addresses} of {host} {left:is|are} not looked at.', section: 'RFC 5321 5.1' },
  'no-address': { text: '{host} has no address.', section: 'RFC 5321 5.1' },
  'refused-address': { text: '{host} has {address}, which is {class}: nothing is sent there.', section: 'RFC 6890 2' },
  'dns-failed': { text: '{host} could not be looked up for now.', section: 'RFC 5321 5.1' },
  problem: { text: 'There is no way: {category} ({status}).', section: 'RFC 5321 5.1' },
  dane: { text: 'TLSA records of {host}: {state}, {records} of use.', section: 'RFC 7672 2.2' },
  sts: { text: 'The domain has an MTA-STS policy, mode {mode}, hosts {mx}.', section: 'RFC 8461 3.2' },
  'sts-cached': { text: 'An MTA-STS policy is kept from before, mode {mode}, hosts {mx}.', section: 'RFC 8461 3.3' },
  'sts-skips': { text: '{host} is not taken: nothing says that it is who it should be.', section: 'RFC 8461 4.1' },
  added: { text: 'The try begins; {tries} {tries:has|have} failed before.', section: 'RFC 5321 4.5.4.1' },
  waits: { text: 'It waits for its next try, at {until}; {tries} {tries:has|have} failed.', section: 'RFC 5321 4.5.4.1' },
  held: { text: 'An operator has it held: nothing is done until it is released.', section: '' },
  unsettled: { text: 'Transaction {attempt} was begun, and nothing is known of its end.', section: 'RFC 1047' },
  connects: { text: '{host} [{address}] is connected to, TLS: {tls} ({because}).', section: 'RFC 5321 5.1' },
  'not-reached': { text: '{host} was not to be had: it failed at {stage} ({status}).', section: 'RFC 5321 5.1' },
  'host-dead': { text: 'Every host was out of reach a short while ago: none is tried before {until}.', section: 'RFC 5321 4.5.4.1' },
  begins: {
    text: 'Transaction {attempt} begins with {host}, for {recipients} {recipients:recipient|recipients}.',
    section: 'RFC 5321 3.3',
  },
  'fits-not': { text: '{host} can not take this: {category}.', section: 'RFC 5321 2.2.1' },
  'moves-on': { text: 'The other hosts are tried in place of {host}.', section: 'RFC 5321 5.1' },
  said: { text: '{host} said {reply} ({status}, {category}).', section: 'RFC 5321 4.2.1' },
  met: { text: 'A try met {category} ({status}).', section: 'RFC 3463' },
  'again-at-once': { text: 'What is left is tried at once.', section: 'RFC 5321 4.5.3.1.10' },
  later: { text: 'It is tried again later; {tries} {tries:try has|tries have} failed.', section: 'RFC 5321 4.5.4.1' },
  final: { text: 'It is over: {state} ({status}).', section: 'RFC 5321 6.1' },
  notice: { text: 'The sender is told, by {job}.', section: 'RFC 3461 6' },
  operator: { text: 'An operator wants: {what}.', section: '' },
};

/** Of `met`, where it is said what. */
const TROUBLE: StepWords = { text: '{host} was not to be had: {text} ({status}, {category}).', section: 'RFC 5321 4.5.4.1' };

/** Why TLS is demanded as it is. */
export const TLS_WORDS: { readonly [reason in TlsReason]: StepWords } = {
  'no-policy': { text: 'the domain has no policy', section: 'RFC 7435 3' },
  'sts-enforce': { text: 'the MTA-STS policy demands it', section: 'RFC 8461 5.1' },
  'sts-testing': { text: 'the MTA-STS policy is in testing: failures are told, and ignored', section: 'RFC 8461 5' },
  dane: { text: 'the host has TLSA records', section: 'RFC 7672 2.2' },
  'dane-unusable': { text: 'the host has TLSA records, and none of them can be used', section: 'RFC 7672 2.2' },
  requiretls: { text: 'the sender requires it', section: 'RFC 8689 4.2.1' },
  'tls-required-no': { text: 'the sender wants it delivered all the same', section: 'RFC 8689 4.2.2' },
  'broken-before': { text: 'TLS has failed there, and nothing demands it', section: 'RFC 7435 3' },
  route: { text: 'the settings say so', section: '' },
};

/**
 * A step in plain words, with its section.
 *
 * @example
 * ```ts
 * import { explainStep } from '@ehlo/delivery/words';
 * explainStep({ at: 0, what: 'mx', detail: { host: 'mx.example.net', preference: 10 } })
 * // → 'mx.example.net takes mail for the domain, with preference 10. (RFC 5321 5.1)'
 * ```
 */
export function explainStep({ what, detail }: Step): string {
  const { text, section } = what === 'met' && (detail.text ?? '') !== '' ? TROUBLE : STEP_WORDS[what];
  const said = text.replaceAll(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const value = detail[name] ?? '';
    if (many !== undefined) return value === 1 ? one! : many;
    if (name === 'because') return TLS_WORDS[value as TlsReason]?.text ?? String(value);
    return TIMES.has(name) && typeof value === 'number' ? timeText(value) : String(value);
  });
  return section === '' ? said : `${said} (${section})`;
}

/** Details that are times. */
const TIMES: ReadonlySet<string> = new Set(['until']);

/** In UT, to the second, as RFC 3339 has it. */
function timeText(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString().replace(/\.\d+Z$/, 'Z');
}
