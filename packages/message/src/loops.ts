import { type Mailbox, mailboxKey, parseMailbox } from '@ehlo/grammar';
import { parseReceived } from '@ehlo/grammar/trace';
import { type Field, fieldValue } from './field.ts';

export interface LoopOptions {
  /** Received fields that a message may have. RFC 5321 6.3: 100 at the least; default 100. */
  readonly hops?: number;
  /** The names by which this system stands in `BY`. */
  readonly names?: readonly string[];
  /** Received fields with one of these names that a message may have: filters and lists may have it pass here again. Ours; default 10. */
  readonly visits?: number;
  /** To whom the message is about to be delivered: a Delivered-To that names the same mailbox is a loop (RFC 9228). */
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
    } else if (name === 'delivered-to' && this.#recipient !== null && deliveredTo(field) === this.#recipient) this.#delivered = true;
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

/** RFC 9228: `Delivered-To` has one Mailbox of RFC 5321; some programs put it in angle brackets. Null if it is none. */
function deliveredTo(field: Field): string | null {
  const parsed = parseMailbox(fieldValue(field).replace(/^<(.*)>$/, '$1'));
  return parsed.ok ? mailboxKey(parsed.value) : null;
}

function nameKey(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
