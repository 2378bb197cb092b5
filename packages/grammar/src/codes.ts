/** An enhanced status code (RFC 3463): `class.subject.detail`. */
export interface EnhancedCode {
  /** 2 success, 4 passing failure, 5 permanent failure. */
  readonly class: 2 | 4 | 5;
  readonly subject: number;
  readonly detail: number;
}

/** What the registry (RFC 5248) has to say of a code. */
export interface EnhancedCodeRule {
  readonly text: string;
  readonly rfc: number;
}

/** RFC 3463 3: what the second number tells. */
export const SUBJECTS: readonly string[] = [
  'Other or Undefined Status',
  'Addressing Status',
  'Mailbox Status',
  'Mail System Status',
  'Network and Routing Status',
  'Mail Delivery Protocol Status',
  'Message Content or Media Status',
  'Security or Policy Status',
];

/** The registry of RFC 5248, by `subject.detail`: the codes of RFC 3463 and of those that came after it. */
export const ENHANCED_CODES: ReadonlyMap<string, EnhancedCodeRule> = new Map<string, EnhancedCodeRule>([
  ['0.0', { text: 'Other undefined status', rfc: 3463 }],
  ['1.0', { text: 'Other address status', rfc: 3463 }],
  ['1.1', { text: 'Bad destination mailbox address', rfc: 3463 }],
  ['1.2', { text: 'Bad destination system address', rfc: 3463 }],
  ['1.3', { text: 'Bad destination mailbox address syntax', rfc: 3463 }],
  ['1.4', { text: 'Destination mailbox address ambiguous', rfc: 3463 }],
  ['1.5', { text: 'Destination address valid', rfc: 3463 }],
  ['1.6', { text: 'Destination mailbox has moved, No forwarding address', rfc: 3463 }],
  ['1.7', { text: "Bad sender's mailbox address syntax", rfc: 3463 }],
  ['1.8', { text: "Bad sender's system address", rfc: 3463 }],
  ['1.9', { text: 'Message relayed to non-compliant mailer', rfc: 3886 }],
  ['1.10', { text: 'Recipient address has null MX', rfc: 7505 }],
  ['2.0', { text: 'Other or undefined mailbox status', rfc: 3463 }],
  ['2.1', { text: 'Mailbox disabled, not accepting messages', rfc: 3463 }],
  ['2.2', { text: 'Mailbox full', rfc: 3463 }],
  ['2.3', { text: 'Message length exceeds administrative limit', rfc: 3463 }],
  ['2.4', { text: 'Mailing list expansion problem', rfc: 3463 }],
  ['3.0', { text: 'Other or undefined mail system status', rfc: 3463 }],
  ['3.1', { text: 'Mail system full', rfc: 3463 }],
  ['3.2', { text: 'System not accepting network messages', rfc: 3463 }],
  ['3.3', { text: 'System not capable of selected features', rfc: 3463 }],
  ['3.4', { text: 'Message too big for system', rfc: 3463 }],
  ['3.5', { text: 'System incorrectly configured', rfc: 3463 }],
  ['3.6', { text: 'Requested priority was changed', rfc: 6710 }],
  ['4.0', { text: 'Other or undefined network or routing status', rfc: 3463 }],
  ['4.1', { text: 'No answer from host', rfc: 3463 }],
  ['4.2', { text: 'Bad connection', rfc: 3463 }],
  ['4.3', { text: 'Directory server failure', rfc: 3463 }],
  ['4.4', { text: 'Unable to route', rfc: 3463 }],
  ['4.5', { text: 'Mail system congestion', rfc: 3463 }],
  ['4.6', { text: 'Routing loop detected', rfc: 3463 }],
  ['4.7', { text: 'Delivery time expired', rfc: 3463 }],
  ['5.0', { text: 'Other or undefined protocol status', rfc: 3463 }],
  ['5.1', { text: 'Invalid command', rfc: 3463 }],
  ['5.2', { text: 'Syntax error', rfc: 3463 }],
  ['5.3', { text: 'Too many recipients', rfc: 3463 }],
  ['5.4', { text: 'Invalid command arguments', rfc: 3463 }],
  ['5.5', { text: 'Wrong protocol version', rfc: 3463 }],
  ['5.6', { text: 'Authentication exchange line is too long', rfc: 4954 }],
  ['6.0', { text: 'Other or undefined media error', rfc: 3463 }],
  ['6.1', { text: 'Media not supported', rfc: 3463 }],
  ['6.2', { text: 'Conversion required and prohibited', rfc: 3463 }],
  ['6.3', { text: 'Conversion required but not supported', rfc: 3463 }],
  ['6.4', { text: 'Conversion with loss performed', rfc: 3463 }],
  ['6.5', { text: 'Conversion Failed', rfc: 3463 }],
  ['6.6', { text: 'Message content not available', rfc: 4468 }],
  ['6.7', { text: 'Non-ASCII addresses not permitted for that sender/recipient', rfc: 6531 }],
  ['6.8', { text: 'UTF-8 string reply is required, but not permitted by the SMTP client', rfc: 6531 }],
  ['6.9', { text: 'UTF-8 header message cannot be transferred to one or more recipients, so the message must be rejected', rfc: 6531 }],
  ['7.0', { text: 'Other or undefined security status', rfc: 3463 }],
  ['7.1', { text: 'Delivery not authorized, message refused', rfc: 3463 }],
  ['7.2', { text: 'Mailing list expansion prohibited', rfc: 3463 }],
  ['7.3', { text: 'Security conversion required but not possible', rfc: 3463 }],
  ['7.4', { text: 'Security features not supported', rfc: 3463 }],
  ['7.5', { text: 'Cryptographic failure', rfc: 3463 }],
  ['7.6', { text: 'Cryptographic algorithm not supported', rfc: 3463 }],
  ['7.7', { text: 'Message integrity failure', rfc: 3463 }],
  ['7.8', { text: 'Authentication credentials invalid', rfc: 4954 }],
  ['7.9', { text: 'Authentication mechanism is too weak', rfc: 4954 }],
  ['7.10', { text: 'Encryption needed', rfc: 5248 }],
  ['7.11', { text: 'Encryption required for requested authentication mechanism', rfc: 4954 }],
  ['7.12', { text: 'A password transition is needed', rfc: 4954 }],
  ['7.13', { text: 'User account disabled', rfc: 5248 }],
  ['7.14', { text: 'Trust relationship required', rfc: 5248 }],
  ['7.15', { text: 'Priority level is too low', rfc: 6710 }],
  ['7.16', { text: 'Message is too big for the specified priority', rfc: 6710 }],
  ['7.17', { text: 'Mailbox owner has changed', rfc: 7293 }],
  ['7.18', { text: 'Domain owner has changed', rfc: 7293 }],
  ['7.19', { text: 'RRVS test cannot be completed', rfc: 7293 }],
  ['7.20', { text: 'No passing DKIM signature found', rfc: 7372 }],
  ['7.21', { text: 'No acceptable DKIM signature found', rfc: 7372 }],
  ['7.22', { text: 'No valid author-matched DKIM signature found', rfc: 7372 }],
  ['7.23', { text: 'SPF validation failed', rfc: 7372 }],
  ['7.24', { text: 'SPF validation error', rfc: 7372 }],
  ['7.25', { text: 'Reverse DNS validation failed', rfc: 7372 }],
  ['7.26', { text: 'Multiple authentication checks failed', rfc: 7372 }],
  ['7.27', { text: 'Sender address has null MX', rfc: 7505 }],
  ['7.30', { text: 'REQUIRETLS support required', rfc: 8689 }],
]);

/**
 * Parses an enhanced code. RFC 3463 2: no number has leading zeros.
 *
 * @example
 * ```ts
 * import { describeEnhanced, parseEnhanced } from '@ehlo/grammar/codes';
 * [parseEnhanced('5.1.1'), describeEnhanced('5.1.1')]
 * // → [{ class: 5, subject: 1, detail: 1 }, { text: 'Bad destination mailbox address', rfc: 3463 }]
 * ```
 */
export function parseEnhanced(text: string): EnhancedCode | null {
  const match = /^([245])\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})$/.exec(text);
  if (match === null) return null;
  return { class: Number(match[1]) as 2 | 4 | 5, subject: Number(match[2]), detail: Number(match[3]) };
}

/** Writes an enhanced code. */
export function formatEnhanced(code: EnhancedCode): string {
  return `${code.class}.${code.subject}.${code.detail}`;
}

/** What a code means; null if it is not registered. */
export function describeEnhanced(text: string): EnhancedCodeRule | null {
  return ENHANCED_CODES.get(text.slice(2)) ?? null;
}
