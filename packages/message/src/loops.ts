import { type Mailbox, mailboxKey, type Parsed, parseMailbox } from '@ehlo/grammar';
import { parseReceived } from '@ehlo/grammar/trace';
import { type Field, fieldValue, trimmed } from './field.ts';

export interface LoopOptions {
  /** Received fields that a message may have. RFC 5321 6.3: 100 at the least; default 100. */
  readonly hops?: number;
  /** The names by which this system stands in `BY`. */
  readonly names?: readonly string[];
  /** Received fields with one of these names that a message may have: filters and lists may have it pass here again. Ours; default 10. */
  readonly visits?: number;
  /** The recipient to which the message is about to be delivered: a Delivered-To with the same mailbox is a loop (RFC 9228). */
  readonly recipient?: Mailbox;
}

/** Why a message goes round in circles. */
export type LoopCause =
  /** More than `hops` Received fields. */
  | 'hops'
  /** More than `visits` of them are of this system. */
  | 'visits'
  /** It was delivered to the recipient before. */
  | 'delivered';

/**
 * Finds out whether a message goes round in circles (RFC 5321 6.3), field by field as a header reader gives them. What can not be read counts
 * as a Received field all the same.
 *
 * @example
 * ```ts
 * import { HeaderReader } from '@ehlo/message';
 * import { LoopWatch } from '@ehlo/message/loops';
 * const reader = new HeaderReader();
 * reader.push(new TextEncoder().encode('Received: from a.example\r\n by mx.example.org with SMTP; 1 Jan 2026 00:00:00 +0000\r\nSubject: x\r\n\r\n'));
 * const watch = new LoopWatch({ names: ['MX.example.org'] });
 * for (let event = reader.next(); event !== null; event = reader.next()) if (event.type === 'field') watch.add(event.field);
 * [watch.hops, watch.visits, watch.loop]
 * // → [1, 1, null]
 * ```
 */
export class LoopWatch {
  readonly #options: Required<Pick<LoopOptions, 'hops' | 'visits'>>;
  readonly #names: ReadonlySet<string>;
  readonly #recipient: string | null;
  #hops = 0;
  #visits = 0;
  #delivered = false;

  constructor({ hops = 100, visits = 10, names = [], recipient }: LoopOptions = {}) {
    this.#options = { hops, visits };
    this.#names = new Set(names.map(nameKey));
    this.#recipient = recipient === undefined ? null : mailboxKey(recipient);
  }

  /** The next field of the header. */
  add(field: Field): void {
    const name = field.name.toLowerCase();
    if (name === 'received') {
      this.#hops++;
      if (this.#names.size === 0) return;
      const read = parseReceived(field.raw);
      if (read.ok && read.value.by !== null && this.#names.has(nameKey(read.value.by.name))) this.#visits++;
    } else if (name === 'delivered-to' && this.#recipient !== null && this.#recipient === deliveredTo(field)) this.#delivered = true;
  }

  /** Received fields so far. */
  get hops(): number {
    return this.#hops;
  }

  /** Those of this system. */
  get visits(): number {
    return this.#visits;
  }

  /** Why it is a loop, as far as can be said; null: it is none. */
  get loop(): LoopCause | null {
    if (this.#delivered) return 'delivered';
    if (this.#visits > this.#options.visits) return 'visits';
    return this.#hops > this.#options.hops ? 'hops' : null;
  }
}

/** The way in which a Delivered-To may differ from RFC 9228 4: some programs put angle brackets around the address. */
export type DeliveredToDeviation = 'angle-brackets';

/**
 * Parses the value of a `Delivered-To` (RFC 9228 4): one Mailbox of RFC 5321. What else stands there is none.
 *
 * @example
 * ```ts
 * import { parseDeliveredTo } from '@ehlo/message/loops';
 * const parsed = parseDeliveredTo(' <joe@example.org>');
 * parsed.ok && [parsed.value.address, parsed.deviations]
 * // → ['joe@example.org', ['angle-brackets']]
 * ```
 */
export function parseDeliveredTo(value: string): Parsed<Mailbox, DeliveredToDeviation> {
  const text = trimmed(value);
  const inside = /^<(.*)>$/.exec(text)?.[1];
  const parsed = parseMailbox(inside ?? text);
  return parsed.ok ? { ok: true, value: parsed.value, deviations: inside === undefined ? [] : ['angle-brackets'] } : parsed;
}

/**
 * Writes a `Delivered-To` field (RFC 9228 4), which a host puts on top at delivery.
 *
 * @throws {RangeError} if it is no mail address with a domain
 *
 * @example
 * ```ts
 * import { formatDeliveredTo } from '@ehlo/message/loops';
 * formatDeliveredTo({ localPart: 'joe', domain: 'example.org', address: 'joe@example.org' })
 * // → 'Delivered-To: joe@example.org\r\n'
 * ```
 */
export function formatDeliveredTo({ address }: Mailbox): string {
  const parsed = parseMailbox(address);
  if (!parsed.ok || parsed.value.domain === '') throw new RangeError('a recipient is a mail address: local-part@domain');
  return `Delivered-To: ${parsed.value.address}\r\n`;
}

function deliveredTo(field: Field): string | null {
  const parsed = parseDeliveredTo(fieldValue(field));
  return parsed.ok ? mailboxKey(parsed.value) : null;
}

function nameKey(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
