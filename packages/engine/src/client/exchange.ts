import type { AuthWords } from '../redact.ts';

/** An AUTH exchange. */
export interface ClientExchange {
  readonly mechanism: string;
  readonly words: AuthWords;
  /** What follows the mechanism in the AUTH line: the initial response, where there is room for it. */
  readonly written: string;
  /** The response that is sent next, or with AUTH; null: none. */
  response: Uint8Array | null;
  challenges: number;
}
