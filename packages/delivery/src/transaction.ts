// What a message asks of a server, and what is said to it (RFC 1870, 6152, 3030, 6531, 2852, 3461, 6710, 8689, 9422).

import { deliverByAnnouncement, limitsAnnouncement, type MailParameters, type RcptParameters, sizeAnnouncement } from '@ehlo/grammar';
import type { EpochMs, Message, Recipient } from './job.ts';
import { put } from './maps.ts';
import { isBeyondAscii } from './names.ts';
import type { Written } from './written.ts';

export type Extensions = { readonly [keyword: string]: readonly string[] };

/** What a session may be asked. */
export interface Offer {
  readonly extensions: Extensions;
  /** Octets of a message: `mostOctets`. */
  readonly most: number;
}

/** Why a message, or a recipient, is nothing for this server. Another host of the list may do it (RFC 5321 5.1), but for `deliver-by`: RFC 2852 7: "SHOULD NOT attempt multiple MX hosts". */
export interface Misfit {
  readonly category: 'too-large' | 'conversion' | 'smtputf8' | 'requiretls' | 'rrvs' | 'deliver-by';
  /** RFC 3463, 5248. */
  readonly status: string;
}

const misfit = (category: Misfit['category'], status: string): Misfit => ({ category, status });

/** Why the message as a whole is nothing for a server; null: it is. */
export function misfitOf(
  message: Message,
  { extensions, most }: Offer,
  wish: 'required' | 'default' | 'optional',
  now: EpochMs,
): Misfit | null {
  const { size, by } = message;
  if (by?.mode === 'R') {
    const least = Number.parseInt(deliverByAnnouncement.parse(extensions.DELIVERBY ?? []) ?? '', 10);
    // RFC 2852 4.1.4: it asks for more than the server announces.
    if ((by.until - now) / 1000 < (Number.isNaN(least) ? 1 : least)) return misfit('deliver-by', '5.4.7');
  }
  if (wish === 'required' && !('REQUIRETLS' in extensions)) return misfit('requiretls', '5.7.30'); // RFC 8689 4.2.1
  if (!('SMTPUTF8' in extensions) && (isBeyondAscii(message.reversePath) || message.smtpUtf8)) {
    // RFC 6531 3.5
    return misfit('smtputf8', isBeyondAscii(message.reversePath) ? '5.6.7' : '5.6.9');
  }
  if (needsConversion(message, extensions) && message.convertible !== true) return misfit('conversion', '5.6.3'); // RFC 6152 3, RFC 3030 3
  if (size > most) return misfit('too-large', '5.3.4'); // RFC 1870 6.1
  return by?.mode === 'R' && !('DELIVERBY' in extensions) ? misfit('deliver-by', '5.3.3') : null; // RFC 2852 4.1.4.2
}

/** Why one recipient is nothing for it. */
export function misfitOfRecipient({ address, rrvs }: Recipient, extensions: Extensions): Misfit | null {
  if (!('SMTPUTF8' in extensions) && isBeyondAscii(address)) return misfit('smtputf8', '5.6.7');
  // RFC 7293 5.1.1: without C it is not relayed to a server that would not look.
  return rrvs !== undefined && rrvs.action !== 'C' && !('RRVS' in extensions) ? misfit('rrvs', '5.7.19') : null;
}

export function needsConversion({ body }: Message, extensions: Extensions): boolean {
  if (body === 'BINARYMIME') return !('BINARYMIME' in extensions && 'CHUNKING' in extensions);
  return body === '8BITMIME' && !('8BITMIME' in extensions);
}

/** RFC 1870 3: 0 and no number say nothing. */
export function mostOctets({ SIZE }: Extensions): number {
  return sizeAnnouncement.parse(SIZE ?? []) || Number.POSITIVE_INFINITY;
}

const UNLIMITED: readonly number[] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

/** RFC 9422 3: the limits that a server names, of messages, recipients, and their domains; infinite where it names none. */
export function limitsOf({ LIMITS }: Extensions): readonly number[] {
  if (LIMITS === undefined) return UNLIMITED;
  const text = LIMITS.join(' ');
  return known.get(text) ?? put(known, text, limitsIn(LIMITS), MOST);
}

/** What was read last: most servers say the same each time. */
const known = new Map<string, readonly number[]>();
/** Ours. */
const MOST = 100;

function limitsIn(parameters: readonly string[]): readonly number[] {
  const limits = limitsAnnouncement.parse(parameters);
  return ['MAILMAX', 'RCPTMAX', 'RCPTDOMAINMAX'].map((name) => {
    const value = limits?.get(name) ?? '';
    return /^[1-9][0-9]{0,5}$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
  });
}

/** Parameters of MAIL: of each extension that is offered, what is known. */
export function mailParameters(
  message: Message,
  recipients: readonly Pick<Recipient, 'address'>[],
  extensions: Extensions,
  now: EpochMs,
): MailParameters {
  const { size, body, by, ret, envid, priority, auth } = message;
  const has = (keyword: string): boolean => keyword in extensions;
  const converts = needsConversion(message, extensions);
  const given: Written<MailParameters> = {};
  if (size > 0 && !converts && has('SIZE')) given.size = size;
  if (body !== undefined && !converts) given.body = body;
  if (
    has('SMTPUTF8') &&
    (message.smtpUtf8 || isBeyondAscii(message.reversePath) || recipients.some(({ address }) => isBeyondAscii(address)))
  )
    given.smtpUtf8 = true;
  if (message.tls === 'required' && has('REQUIRETLS')) given.requireTls = true;
  if (ret !== undefined && has('DSN')) given.ret = ret;
  if (envid !== undefined && has('DSN')) given.envid = envid;
  if (auth !== undefined && has('AUTH')) given.auth = auth;
  if (priority !== undefined && has('MT-PRIORITY')) given.mtPriority = priority;
  // RFC 2852 4.1.4: what is left of the time; less than nothing under mode N.
  if (by !== undefined && has('DELIVERBY'))
    given.by = { seconds: Math.trunc((by.until - now) / 1000), mode: by.mode, trace: by.trace === true };
  return given;
}

/** Parameters of RCPT. */
export function rcptParameters({ notify, orcpt, rrvs }: Recipient, { by }: Message, extensions: Extensions): RcptParameters {
  const dsn = 'DSN' in extensions;
  // RFC 2852 4.1.4: if this host passes on the duty to report the delay, NOTIFY asks the next host for it.
  const asked = by !== undefined && !('DELIVERBY' in extensions) && notify !== 'NEVER' ? withDelay(notify) : notify;
  const given: Written<RcptParameters> = {};
  if (asked !== undefined && dsn) given.notify = asked;
  if (orcpt !== undefined && dsn) given.orcpt = orcpt;
  if (rrvs !== undefined && 'RRVS' in extensions) given.rrvs = rrvs;
  return given;
}

function withDelay(notify: Exclude<Recipient['notify'], 'NEVER'>): NonNullable<Recipient['notify']> {
  const list = notify ?? (['FAILURE'] as const);
  return list.includes('DELAY') ? list : [...list, 'DELAY'];
}
