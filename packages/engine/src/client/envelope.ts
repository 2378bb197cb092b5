import type { MailParameters, RcptParameters } from '@ehlo/grammar';
import type { Address } from './address.ts';

/** What `send` carries out as one mail transaction. */
export interface ClientEnvelope {
  /** The address for failure notices; empty text or `NULL_PATH` for none, `<>`. RFC 5321 4.1.1.2. */
  readonly reversePath: Address;
  /** Parameters of MAIL. SIZE, BODY and SMTPUTF8 are found by the plan; what is given here wins. */
  readonly parameters?: MailParameters;
  /** The recipients, at least one: addresses, or addresses with parameters of RCPT. Outcomes name them by their place in this list. */
  readonly recipients: readonly ClientRecipient[];
}

export interface ClientRecipient {
  /** The address. RFC 5321 4.1.1.3. */
  readonly forwardPath: Address;
  /** Parameters of RCPT for this recipient. */
  readonly parameters?: RcptParameters;
}

/** What is known of a message before it is sent; `scanMessage` finds it all. What is absent is not known. */
export interface MessageFacts {
  /** Octets with every line end as CRLF, one at the end of the message included, without stuffed dots. Octets; RFC 1870 5. */
  readonly size?: number;
  /** Octets as given: the size of what is sent as BINARYMIME. Octets. */
  readonly octets?: number;
  /** What the body holds. Where it is not known, 8BITMIME is declared where it is offered. RFC 6152, RFC 3030. */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Whether the header holds UTF-8. Other octets beyond ASCII in it have no standard: they go as the body's do. RFC 6532 3. */
  readonly smtpUtf8?: boolean;
  /** Whether a CR or LF stands alone: with the option `newlines: 'refuse'` such a message is not begun. */
  readonly bareLineEnds?: boolean;
}

/** The sender and recipients of a transaction: paths with their angle brackets, as octets of the wire. */
export interface TransactionPaths {
  readonly reversePath: Uint8Array;
  readonly recipients: readonly Uint8Array[];
}

/** Why a message can't be sent to this server as it is. */
export type ProblemCode =
  | 'address' // no text that SMTP can carry as this address, or a deviation that the option `tolerate` does not name
  | 'too-large' // RFC 1870: larger than the server takes
  | '8bitmime' // octets beyond ASCII, and the server takes none
  | 'binarymime' // BINARYMIME without the server's offer, or without the feature CHUNKING
  | 'smtputf8' // RFC 6531: UTF-8 in an address or in the header
  | 'unprotected' // RFC 8689: REQUIRETLS without TLS, or with a server whose certificate is not that of the host that was asked for
  | 'requiretls' // RFC 8689: REQUIRETLS without the server's offer
  | 'extension' // a parameter whose extension is not offered
  | 'parameter' // RFC 2852, RFC 4865: a value beyond what the server announces
  | 'bare-line-end'; // a CR or LF alone, with the option `newlines: 'refuse'`

/** A refusal without a command: it follows from what the server announced. */
export interface Problem {
  readonly code: ProblemCode;
  /** RFC 3463: what a server would say. */
  readonly enhanced: string;
  /** One sentence for people. */
  readonly text: string;
}
