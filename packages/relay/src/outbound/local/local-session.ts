// What this host delivers by itself, behind the same interface as a session with another.

import type { DeliveryOutcome, Transaction, TransactionRecipient } from '@ehlo/delivery';
import type { Means, RemoteSession } from '../../runner/index.ts';
import { isOneLine } from './address-name.ts';

/** One message for one recipient. */
export interface LocalDelivery {
  /** Empty for the null reverse-path. */
  readonly reversePath: string;
  readonly recipient: TransactionRecipient;
  /** The same with each try: by it a second copy is known. */
  readonly key: string;
  /** With `Return-Path` in front (RFC 5321 4.4). What it throws is told: then nothing of it may be kept. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Delivers; whatever it throws is a failure of this host, and the message is tried again. */
export type Deliver = (delivery: LocalDelivery) => Promise<DeliveryOutcome>;

/**
 * What a session of this host offers: everything that content may have, and one recipient a time (RFC 9422), so that each has an outcome, and a copy, of its
 * own. Not RRVS: the owner of a mailbox at an earlier time is not known here.
 */
const EXTENSIONS: RemoteSession['opened']['extensions'] = {
  '8BITMIME': [],
  CHUNKING: [],
  BINARYMIME: [],
  SMTPUTF8: [],
  DSN: [],
  REQUIRETLS: [],
  DELIVERBY: [],
  'MT-PRIORITY': [],
  LIMITS: ['RCPTMAX=1'],
};

/** A session with a transport of this host. `secure`: a demand for TLS is met, because nothing leaves the host, or only with that protection. */
export function localSession(deliver: Deliver, failed: Means['failed'], secure = true): RemoteSession {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return {
    opened: { extensions: EXTENSIONS, tls: secure, verified: secure },
    async send(transaction, content) {
      const outcomes: DeliveryOutcome[] = [];
      for (const recipient of transaction.recipients) outcomes.push(await outcomeOf(transaction, recipient, content, deliver, failed));
      return { outcomes, open: true };
    },
    close: end,
    ended,
  };
}

async function outcomeOf(
  { reversePath }: Transaction,
  recipient: TransactionRecipient,
  content: AsyncIterable<Uint8Array>,
  deliver: Deliver,
  failed: Means['failed'],
): Promise<DeliveryOutcome> {
  const { job, index, address } = recipient;
  if (!isOneLine(reversePath) || !isOneLine(address)) return NO_NAME;
  try {
    return await deliver({ reversePath, recipient, key: `${job}/${index}`, content: withReturnPath(reversePath, content) });
  } catch (error) {
    failed(error, 'local');
    return refused(451, '4.3.0', 'This host could not deliver the message');
  }
}

/** RFC 5321 4.4: "When the delivery SMTP server makes the "final delivery" of a message, it inserts a return-path line". */
async function* withReturnPath(reversePath: string, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`Return-Path: <${reversePath}>\r\n`);
  yield* content;
}

/** What is said of a delivery, as an LMTP server would (RFC 2033 4.2). */
export function accepted(text: string): DeliveryOutcome {
  return { status: 'accepted', reply: { code: 250, enhanced: '2.0.0', lines: [text] } };
}

export function refused(code: number, enhanced: string, text: string): DeliveryOutcome {
  return { status: 'refused', stage: 'message', permanent: code >= 500, reply: { code, enhanced, lines: [text] } };
}

/** The address has what can stand in no name. */
export const NO_NAME: DeliveryOutcome = refused(550, '5.1.3', 'This address can not be delivered to here');

/** It may have been delivered. */
export const UNKNOWN: DeliveryOutcome = { status: 'unknown', reply: null };

/** Content that tells whether it came to its end, or what it has thrown: what a reader makes of that may be another error. */
export class Watched implements AsyncIterable<Uint8Array> {
  isEnded = false;
  failure: { readonly error: unknown } | null = null;
  readonly #content: AsyncIterable<Uint8Array>;

  constructor(content: AsyncIterable<Uint8Array>) {
    this.#content = content;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#content;
      this.isEnded = true;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
