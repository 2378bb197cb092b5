import type { ClientRecipient, MessageFacts, MessageScan } from '@ehlo/engine';
import type { MailParameters, RcptParameters } from '@ehlo/grammar';
import type { SendEnvelope, SendOptions } from '@ehlo/node';
import type { WordsOf } from './words.ts';

/** The first argument of `send`. */
export const ENVELOPE: WordsOf<SendEnvelope> = {
  reversePath: {
    type: 'text, mailbox, `{ localPart, domain }`',
    what: 'the address for failure notices; empty text or `NULL_PATH` for none, `<>`',
    source: 'RFC 5321 4.1.1.2',
  },
  parameters: {
    type: 'options',
    what: 'parameters of MAIL',
    more: 'SIZE, BODY and SMTPUTF8 are found by the plan; what is given here wins.',
  },
  recipients: {
    what: 'the recipients, at least one: addresses, or addresses with parameters of RCPT',
    more: 'Outcomes name them by their place in this list.',
  },
};

/** A recipient that has parameters of its own. */
export const RECIPIENT: WordsOf<ClientRecipient> = {
  forwardPath: { type: 'text, mailbox, `{ localPart, domain }`', what: 'the address', source: 'RFC 5321 4.1.1.3' },
  parameters: { type: 'options', what: 'parameters of RCPT for this recipient' },
};

/** The third argument of `send`. */
export const SEND: WordsOf<SendOptions> = {
  facts: { what: 'what is known of the message: believed, and then a stream is not read ahead' },
  signal: { what: 'gives it up, at any moment, without ever ending the message on the wire' },
  progress: {
    what: 'called with the octets of the message that have been taken for the wire',
    more: 'Where it fails, a warning says so, once.',
  },
  notice: {
    what: 'is told what happens to this message: which recipients are accepted, that the message is wanted, what becomes of each',
    more: '`index` is the place in the envelope that was given, also where that goes in several transactions. Where it fails, a warning says so, once.',
  },
};

const KNOWN: WordsOf<MessageFacts> = {
  size: {
    what: 'octets with every line end as CRLF, one at the end of the message included, without stuffed dots',
    unit: 'octets',
    source: 'RFC 1870 5',
  },
  octets: { what: 'octets as given: the size of what is sent as BINARYMIME', unit: 'octets' },
  body: {
    what: 'what the body holds',
    more: 'Where it is not known, 8BITMIME is declared where it is offered.',
    source: 'RFC 6152, RFC 3030',
  },
  smtpUtf8: {
    what: 'whether the header holds UTF-8',
    more: "Other octets beyond ASCII in it have no standard: they go as the body's do.",
    source: 'RFC 6532 3',
  },
  bareLineEnds: { what: "whether a CR or LF stands alone: with the option `newlines: 'refuse'` such a message is not begun" },
};

/** `facts`. What `scanMessage` finds is given as it is, with what no plan asks for. */
export const FACTS: WordsOf<MessageScan> = {
  ...KNOWN,
  bareCr: { what: 'each CR that no LF follows' },
  bareLf: { what: 'each LF that no CR precedes' },
  nul: { what: 'each NUL' },
  longestLine: { what: 'octets of the longest line, its CRLF included', unit: 'octets', source: 'RFC 5321 4.5.3.1.6: at most 1000' },
};

/** Parameters of MAIL. */
export const MAIL_PARAMETERS: WordsOf<Omit<MailParameters, 'unknown'>> = {
  size: { type: 'number', what: 'the declared size; a number beyond 2^53 - 1 counts as that', unit: 'octets', source: 'RFC 1870' },
  body: { type: "`'7BIT'`, `'8BITMIME'`, `'BINARYMIME'`", what: 'what the body holds', source: 'RFC 6152, RFC 3030' },
  auth: {
    type: 'text',
    what: 'who submitted the message, a mailbox, as the client says; empty for `<>` (not known)',
    source: 'RFC 4954 5',
  },
  ret: { type: "`'FULL'`, `'HDRS'`", what: 'how much of the message a failure notification returns', source: 'RFC 3461 4.3' },
  envid: { type: 'text', what: "the sender's name for this transaction", source: 'RFC 3461 4.4' },
  by: {
    type: '`{ seconds, mode, trace }`',
    what: 'by when the message is to be delivered, and what is done if it is not',
    source: 'RFC 2852',
  },
  holdFor: { type: 'number', what: 'how long to hold the message back', unit: 'seconds', source: 'RFC 4865' },
  holdUntil: { type: 'text', what: 'a date and time of RFC 3339 to hold the message back until', source: 'RFC 4865' },
  mtPriority: { type: 'number', what: '-9 (least urgent) to 9', source: 'RFC 6710' },
  requireTls: { type: 'true', what: 'relay over TLS or not at all', source: 'RFC 8689' },
  smtpUtf8: { type: 'true', what: 'the addresses or the header may hold UTF-8', source: 'RFC 6531' },
};

/** Parameters of RCPT. */
export const RCPT_PARAMETERS: WordsOf<Omit<RcptParameters, 'unknown'>> = {
  notify: {
    type: "`'NEVER'`, or a list of `'SUCCESS'`, `'FAILURE'`, `'DELAY'`",
    what: 'when to notify the sender',
    source: 'RFC 3461 4.1',
  },
  orcpt: { type: '`{ type, address }`', what: 'the original recipient of the message', source: 'RFC 3461 4.2' },
  rrvs: { type: '`{ since, action }`', what: 'since when the mailbox must have had its owner', source: 'RFC 7293' },
};
