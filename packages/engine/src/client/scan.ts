import type { MessageFacts } from './events.ts';

/** All that one pass over a message finds. */
export interface MessageScan extends Required<MessageFacts> {
  /** Octets as given. */
  readonly octets: number;
  readonly bareCr: number;
  readonly bareLf: number;
  /** Octets that are NUL. */
  readonly nul: number;
  /** Octets of the longest line, its CRLF included (RFC 5321 4.5.3.1.6: at most 1000). */
  readonly longestLine: number;
}
