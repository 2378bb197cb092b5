import type { Reply } from '@ehlo/grammar';
import { append, concat, copy, EMPTY } from '../octets.ts';
import type { ClosedNotice, MessageQuestion, UnacknowledgedNotice } from './events.ts';

/** An acceptance of a message, and the octets of output up to the end of its reply. */
interface Acceptance extends Pick<MessageQuestion, 'envelope' | 'recipient'> {
  readonly ends: number;
}

/** Replies that the transport has not taken, as plain data. */
export interface OutboxSnapshot {
  /** Handed out, and not yet taken by the transport. */
  readonly unwritten: number;
  readonly queue: Uint8Array;
  readonly late: Uint8Array;
  /** Acceptances that were not taken, with the octets that are missing of each. */
  readonly acceptances: readonly Acceptance[];
  readonly farewell: Reply | null;
  readonly stalled: boolean;
  readonly ending: ClosedNotice | null;
}

/**
 * The largest number of queued replies: no command is read beyond it, so that one session with many commands does not keep the others waiting.
 * The replies to MAIL, to the 100 RCPT that every server takes (RFC 5321 4.5.3.1.8) and to DATA fit into one write.
 */
const REPLIES_AT_ONCE = 128;

/** Replies on their way: held back, queued, handed out, taken by the transport; and the acceptances among them. */
export class Outbox {
  /** Set by `shutdown()`: the reply that closes the session at the next command boundary outside of a transaction. */
  farewell: Reply | null = null;
  /** The peer has not read its replies in time. */
  stalled = false;
  /** The session is over, but its end is not reported yet: an acceptance is still being sent. */
  ending: ClosedNotice | null = null;
  #late: Uint8Array[] = [];
  #queue: Uint8Array[] = [];
  #queued = 0;
  // Octets since the session began.
  #made = 0;
  #handed = 0;
  #taken = 0;
  /** Acceptances whose reply was not taken to its last octet. */
  #acceptances: Acceptance[] = [];

  /** Octets that wait to be handed out. */
  get size(): number {
    return this.#queued;
  }

  /** Whether they have to be taken before more are made; `limit` is in octets. */
  isFull(limit: number): boolean {
    return this.#queued >= limit || this.#queue.length >= REPLIES_AT_ONCE;
  }

  /** Whether a reply is held back: later replies have to wait, too. */
  get holds(): boolean {
    return this.#late.length > 0;
  }

  /** Acceptances that were not taken. */
  get unacknowledged(): number {
    return this.#acceptances.length;
  }

  push(wire: Uint8Array): void {
    this.#made += wire.length;
    this.#enqueue(wire);
  }

  holdBack(wire: Uint8Array): void {
    this.#made += wire.length;
    this.#late.push(wire);
  }

  /** What was held back is queued. */
  release(): void {
    for (const wire of this.#late) this.#enqueue(wire);
    this.#late = [];
  }

  /** The last reply accepts a message. */
  accepts({ envelope, recipient }: MessageQuestion): void {
    this.#acceptances.push({ envelope, recipient, ends: this.#made });
  }

  /** Hands out all that is queued. */
  take(last: LastBurst): Uint8Array | null {
    if (this.#queued === 0) return null;
    const bytes = this.#queue.length === 1 ? this.#queue[0]! : last.joined(this.#queue, this.#queued);
    this.#queue = [];
    this.#queued = 0;
    this.#handed += bytes.length;
    return bytes;
  }

  /** So many more octets were taken by the transport. */
  written(octets: number): void {
    this.#taken = Math.min(this.#handed, this.#taken + octets);
    while (this.#acceptances.length > 0 && this.#acceptances[0]!.ends <= this.#taken) this.#acceptances.shift();
  }

  /** Drops the replies that were not handed out. */
  drop(): void {
    this.#late = [];
    this.#queue = [];
    this.#queued = 0;
  }

  /** The transport accepts no more output. */
  lose(): void {
    this.drop();
    this.#taken = this.#handed;
  }

  /**
   * How the session ends, as soon as it is known which acceptances the transport has not taken (RFC 1047), each of them once; empty while
   * it may yet take one, and while the session goes on.
   */
  told(): readonly (UnacknowledgedNotice | ClosedNotice)[] {
    const { ending } = this;
    const mayTake = this.#queued > 0 || this.#taken < this.#handed;
    if (ending === null || (mayTake && this.#acceptances.length > 0)) return NOTHING;
    this.ending = null;
    const untold = this.#acceptances.splice(0).map(({ envelope, recipient }) => ({ type: 'unacknowledged', envelope, recipient }) as const);
    return [...untold, ending];
  }

  snapshot(): OutboxSnapshot {
    const acceptances = this.#acceptances.map((acceptance) => ({ ...acceptance, ends: acceptance.ends - this.#taken }));
    const { farewell, stalled, ending } = this;
    const unwritten = this.#handed - this.#taken;
    return { unwritten, queue: copy(concat(this.#queue)), late: copy(concat(this.#late)), acceptances, farewell, stalled, ending };
  }

  /** Goes on from a snapshot. */
  resume({ unwritten, queue, late, acceptances, farewell, stalled, ending }: OutboxSnapshot): void {
    this.farewell = farewell;
    this.stalled = stalled;
    this.ending = ending;
    this.#handed = unwritten;
    this.#made = unwritten;
    if (queue.length > 0) this.push(copy(queue));
    if (late.length > 0) this.holdBack(copy(late));
    this.#acceptances = [...acceptances];
  }

  #enqueue(wire: Uint8Array): void {
    this.#queue.push(wire);
    this.#queued += wire.length;
  }
}

const NOTHING: readonly ClosedNotice[] = [];

/** The last group of joined replies. Most clients send the same groups of commands, and comparing costs less than joining. */
export class LastBurst {
  #wires: readonly Uint8Array[] = [];
  #whole: Uint8Array = EMPTY;

  joined(wires: readonly Uint8Array[], octets: number): Uint8Array {
    if (wires.length === this.#wires.length && wires.every((wire, i) => wire === this.#wires[i])) return this.#whole;
    this.#wires = wires;
    this.#whole = joined(wires, octets);
    return this.#whole;
  }
}

/** Replies are short: a loop joins them faster than calls. */
function joined(wires: readonly Uint8Array[], octets: number): Uint8Array {
  const whole = new Uint8Array(octets);
  let at = 0;
  for (const wire of wires) {
    append(whole, at, wire, 0, wire.length);
    at += wire.length;
  }
  return whole;
}
