// What a message says of itself, and its jobs.

import { type EpochMs, type Job, type Message, newJob } from '@ehlo/delivery';
import type { MailParameters, RcptParameters } from '@ehlo/grammar';
import { SevenBitSurvey } from '@ehlo/message/seven-bit';
import { domainKey } from './directory.ts';

/** What is known when a message is whole. */
export interface Arrived {
  readonly id: string;
  readonly reversePath: string;
  readonly parameters: MailParameters;
  readonly at: EpochMs;
  readonly size: number;
  readonly hops: number;
  /** The header has `TLS-Required: No` (RFC 8689 5). */
  readonly tlsOptional: boolean;
  readonly headerIsAscii: boolean;
  readonly isAscii: boolean;
}

/** The facts of a message, by its parameters and by what it is. */
export function messageOf(arrived: Arrived, convertible: boolean): Message {
  const { id, reversePath, parameters, at, size, hops, tlsOptional, headerIsAscii, isAscii } = arrived;
  const { body, ret, envid, auth, requireTls, mtPriority, by, holdFor, holdUntil, smtpUtf8 } = parameters;
  // RFC 6152 2: what is 7-bit goes to every host, whatever was declared. RFC 3030 3: what is binary has no lines.
  const has = body === 'BINARYMIME' ? body : isAscii ? undefined : '8BITMIME';
  const tls = requireTls === true ? 'required' : tlsOptional ? 'optional' : undefined;
  const release = holdFor !== undefined ? at + holdFor * 1000 : holdUntil !== undefined ? Date.parse(holdUntil) : undefined;
  return {
    id,
    reversePath,
    arrived: at,
    size,
    ...(has === undefined ? {} : { body: has }),
    // RFC 6531 3.4: declared, and needed.
    ...(smtpUtf8 === true && !headerIsAscii ? { smtpUtf8: true as const } : {}),
    ...(convertible ? { convertible: true as const } : {}),
    ...(hops === 0 ? {} : { hops }),
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid }),
    // RFC 4954 5: a client that is not trusted to name the submitter counts as having said `<>`; no client is trusted.
    ...(auth === undefined ? {} : { auth: '' }),
    ...(tls === undefined ? {} : { tls }),
    ...(mtPriority === undefined ? {} : { priority: mtPriority }),
    ...(by === undefined ? {} : { by: { until: at + by.seconds * 1000, mode: by.mode, ...(by.trace ? { trace: true as const } : {}) } }),
    ...(release === undefined ? {} : { release }),
    ...(reversePath === '' ? { notice: true as const } : {}),
  };
}

/** Whether it can be made 7-bit (RFC 6152 3): looked at only where it has to be. */
export async function isConvertible(content: AsyncIterable<Uint8Array>): Promise<boolean> {
  const survey = new SevenBitSurvey();
  for await (const bytes of content) {
    survey.push(bytes);
    if (survey.cannot !== null) return false;
  }
  return survey.end().cannot === null;
}

/** A recipient that was taken. */
export interface TakenRecipient {
  readonly address: string;
  readonly parameters: RcptParameters;
}

/** The jobs of a message: one for each domain of its recipients. */
export function jobsOf(message: Message, recipients: readonly TakenRecipient[]): readonly Job[] {
  const domains = new Map<string, TakenRecipient[]>();
  // Who was named twice gets one copy.
  const seen = new Set<string>();
  for (const one of recipients) {
    if (seen.has(one.address)) continue;
    seen.add(one.address);
    const domain = domainKey(one.address.slice(one.address.lastIndexOf('@') + 1));
    domains.set(domain, [...(domains.get(domain) ?? []), one]);
  }
  return [...domains].map(([domain, all], i) =>
    newJob(
      `${message.id}.${i}`,
      message,
      domain,
      all.map(({ address, parameters: { notify, orcpt } }) => {
        return { address, ...(notify === undefined ? {} : { notify }), ...(orcpt === undefined ? {} : { orcpt }) };
      }),
    ),
  );
}
