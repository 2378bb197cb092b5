import { encodeUtf8 } from '@ehlo/grammar';
import { copy } from '../octets.ts';
import { BodyWriter } from './body-writer.ts';
import type { Due, Part } from './due.ts';
import type { ClientLimits } from './limits.ts';
import type { Transaction } from './transaction.ts';

/** A message being sent. Its next octets are made when they are taken, so that no more than a block is kept. */
export class Body {
  readonly transaction: Transaction;
  readonly writer: BodyWriter;
  /** The program has called `end`. */
  ended = false;
  /** All of it has been handed out, or no more of it will be. */
  done = false;
  /** The reply to its end. */
  end: Due | null = null;
  /** Stands for the block that is on its way: a new one restarts the timer. */
  block: object = {};
  readonly #parts: (body: Body) => Part[];
  #stopped = false;
  #ready: Part[] = [];
  #octets = 0;
  /** Since when octets are on their way, if any are; and how long others were before. */
  #since: number = Number.POSITIVE_INFINITY;
  #waited = 0;

  /** `parts` makes what can be handed out next. */
  constructor(transaction: Transaction, newlines: 'crlf' | 'refuse' | undefined, parts: (body: Body) => Part[]) {
    this.transaction = transaction;
    this.#parts = parts;
    const { transfer, body, smtpUtf8 } = transaction.plan;
    // Only ever by BDAT: without it the plan has refused.
    const exact = body === 'BINARYMIME';
    this.writer = new BodyWriter({
      stuff: transfer === 'DATA',
      exact,
      refuseBare: newlines === 'refuse' && !exact,
      ascii: body === '7BIT' && !smtpUtf8,
    });
  }

  /** The next octets; null if there are none for now. */
  peek(): Part | null {
    if (this.#ready.length === 0 && !this.#stopped) this.#ready = this.#parts(this);
    return this.#ready[0] ?? null;
  }

  taken(part: Part): void {
    this.#ready.shift();
    this.done = part.due?.to === 'END' || (this.#stopped && this.#ready.length === 0);
  }

  /** Stops it. The octets of a chunk that was announced still have to be sent (RFC 3030 2); the program gives no more of them. */
  stop(): void {
    this.#stopped = true;
    this.#ready = this.#ready.map(({ bytes, due }) => ({ bytes: copy(bytes), due }));
    this.done = this.#ready.length === 0;
  }

  /** Octets have been handed out. */
  leaves(now: number): void {
    this.#since = Math.min(this.#since, now);
  }

  /** Octets have left. The timer restarts at each block, not at each octet: a server that takes them one by one can't keep the session open. */
  left(octets: number, all: boolean, now: number, block: number): void {
    const blocks = Math.floor(this.#octets / block);
    this.#octets += octets;
    if (Math.floor(this.#octets / block) > blocks) this.block = {};
    if (!all) return;
    this.#waited += Math.max(0, now - this.#since);
    this.#since = Number.POSITIVE_INFINITY;
    this.block = {};
  }

  /** When the mean speed falls below the least; only time in which octets were on their way counts, not the program's. */
  rateEnds({ rate, blockTimeout }: ClientLimits): number {
    return rate === 0 ? Number.POSITIVE_INFINITY : this.#since + blockTimeout + (1000 * this.#octets) / rate - this.#waited;
  }
}

/** RFC 5321 4.1.1.4: a dot on a line of its own ends the message. */
export function dataParts({ writer, ended, end }: Body): Part[] {
  const bytes = writer.next();
  if (bytes !== null) return [{ bytes, due: null }];
  return ended && writer.idle ? [{ bytes: encodeUtf8(`${writer.finish()}.\r\n`), due: end }] : [];
}
