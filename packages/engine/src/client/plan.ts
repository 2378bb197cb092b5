import type { Parameter } from '@ehlo/grammar';
import type { Capabilities } from './capabilities.ts';
import type { ClientEnvelope, MessageFacts } from './events.ts';

/** Why a message can't be sent to this server as it is. */
export type ProblemCode =
  | 'too-large' // RFC 1870: larger than the server takes
  | '8bitmime' // octets beyond ASCII, and the server takes none
  | 'binarymime' // BINARYMIME without the server's offer, or without the feature CHUNKING
  | 'smtputf8' // RFC 6531: UTF-8 in an address or in the header
  | 'extension' // a parameter whose extension is not offered
  | 'bare-line-end'; // a CR or LF alone, with the option `newlines: 'refuse'`

/** A refusal that needs no server: it said so before. */
export interface Problem {
  readonly code: ProblemCode;
  /** RFC 3463: what a server would say. */
  readonly enhanced: string;
  /** One sentence for people; names the fix. */
  readonly text: string;
}

export interface PlannedRecipient {
  /** Its place in the envelope. */
  readonly index: number;
  /** The RCPT command, without its CRLF. */
  readonly line: string;
  /** The transaction that it belongs to, from 0 (RFC 9422: the server may take only so many in one). */
  readonly batch: number;
  readonly problem: Problem | null;
}

/** How a message would be sent: pure data, fit to be printed. */
export interface TransactionPlan {
  /** The MAIL command, without its CRLF. */
  readonly mail: string;
  readonly recipients: readonly PlannedRecipient[];
  readonly transfer: 'DATA' | 'BDAT';
  /** What is declared: octets beyond it are not sent. */
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Transactions that are needed; each takes the whole message. */
  readonly batches: number;
  /** Why nothing can be sent at all; null if something can. */
  readonly problem: Problem | null;
}

export interface PlanOptions {
  /** BDAT instead of DATA, where it is offered. */
  readonly chunking?: boolean;
  readonly newlines?: 'crlf' | 'refuse';
  /** The parameters that can be written; SIZE, BODY and SMTPUTF8 if absent. */
  readonly parameters?: readonly Parameter[];
}

/**
 * How an envelope and a message would be sent to a server with these capabilities. Throws `SmtpUsageError` `bad-address` or
 * `bad-parameter` for what no server could be told.
 */
export function planTransaction(
  capabilities: Capabilities,
  envelope: ClientEnvelope,
  message: MessageFacts = {},
  options: PlanOptions = {},
): TransactionPlan {
  throw new Error(`not yet ${capabilities.name} ${envelope.recipients.length} ${message.size} ${options.newlines}`);
}
