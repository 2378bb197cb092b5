// What a runner is given: how the orders of a dispatcher are carried out.

import type {
  DnsAnswer,
  EpochMs,
  Failed,
  LookupOrder,
  Opened,
  OpenOrder,
  Outcomes,
  PolicyAnswer,
  PolicyOrder,
  Queue,
  ReportOrder,
  Transaction,
} from '@ehlo/delivery';

/** The wall clock, a call at a time by it, and a call after a pause. */
export interface Schedule {
  now(): EpochMs;
  /** Calls once, at that time or later; what it returns takes the call back. */
  at(time: EpochMs, call: () => void): () => void;
  /** Calls once, so many milliseconds from now or later, whatever happens to the wall clock; what it returns takes the call back. */
  in(pause: number, call: () => void): () => void;
}

/** A session with a server, between transactions. */
export interface RemoteSession {
  /** What EHLO said, and how the connection is protected. */
  readonly opened: Omit<Opened, 'type' | 'to'>;
  /**
   * Carries a transaction out. The end of the message leaves when `content` ends; if `content` throws, it never does, and no recipient may be
   * told to be accepted. It may be read more than once, each time from its beginning. Never rejects.
   */
  send(transaction: Transaction, content: AsyncIterable<Uint8Array>): Promise<Omit<Outcomes, 'type' | 'to'>>;
  /** QUIT. */
  close(): void;
  /** Settles when the connection has ended, by either side. */
  readonly ended: Promise<void>;
}

/** Everything outside. What is thrown or rejected by any of them is told to `failed`, and counts as the failure of that order alone. */
export interface Means {
  readonly queue: Queue;
  readonly schedule: Schedule;
  lookUp(order: LookupOrder): Promise<Omit<DnsAnswer, 'type' | 'to'>>;
  /** RFC 8461 3.3. */
  fetchPolicy(order: PolicyOrder): Promise<Omit<PolicyAnswer, 'type' | 'to'>>;
  /** A session that is secured as the order demands, or why there is none. The signal aborts when the runner stops before that, and never after. */
  open(order: OpenOrder, signal: AbortSignal): Promise<RemoteSession | Omit<Failed, 'type' | 'to'>>;
  /** RFC 8460 3. Absent: reports are made, and go nowhere. */
  report?(order: ReportOrder): void;
  /** For the boundary of a notice (RFC 2046 5.1.1): other characters each time, that cannot be guessed. */
  boundary(): string;
  /** What went wrong in one of these. */
  failed(error: unknown, what: string): void;
}
