import {
  type Codec,
  type DeliverBy,
  decimal,
  deliverBy,
  envid,
  flag,
  holdUntil,
  type Notify,
  notify,
  type OriginalRecipient,
  oneOf,
  orcpt,
  type RecipientValidSince,
  submitter,
  validSince,
} from './codecs.ts';

/** A parameter that is not in force, as it came. */
export interface UnknownParameter {
  /** In capitals. */
  readonly keyword: string;
  /** The octets after the `=`; none where it has no value: an empty value can't be written (RFC 5321 4.1.2). */
  readonly value: Uint8Array;
}

/** What MAIL and RCPT may both have. */
export interface OtherParameters {
  /** Those that are not in force, in order; there only where the dialect keeps them (`keepUnknown`), and some were given. */
  readonly unknown?: readonly UnknownParameter[];
}

/** Typed parameters of MAIL. A name is there only if the client gave it. */
export interface MailParameters extends OtherParameters {
  /** The declared size; a number beyond 2^53 - 1 counts as that. Octets; RFC 1870. */
  readonly size?: number;
  /** What the body holds. RFC 6152, RFC 3030. */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** Who submitted the message, a mailbox, as the client says; empty for `<>` (not known). RFC 4954 5. */
  readonly auth?: string;
  /** How much of the message a failure notification returns. RFC 3461 4.3. */
  readonly ret?: 'FULL' | 'HDRS';
  /** The sender's name for this transaction. RFC 3461 4.4. */
  readonly envid?: string;
  /** By when the message is to be delivered, and what is done if it is not. RFC 2852. */
  readonly by?: DeliverBy;
  /** How long to hold the message back. Seconds; RFC 4865. */
  readonly holdFor?: number;
  /** A date and time of RFC 3339 to hold the message back until. RFC 4865. */
  readonly holdUntil?: string;
  /** -9 (least urgent) to 9. RFC 6710. */
  readonly mtPriority?: number;
  /** Relay over TLS or not at all. RFC 8689. */
  readonly requireTls?: true;
  /** The addresses or the header may hold UTF-8. RFC 6531. */
  readonly smtpUtf8?: true;
}

/** Typed parameters of RCPT. */
export interface RcptParameters extends OtherParameters {
  /** When to notify the sender. RFC 3461 4.1. */
  readonly notify?: Notify;
  /** The original recipient of the message. RFC 3461 4.2. */
  readonly orcpt?: OriginalRecipient;
  /** Since when the mailbox must have had its owner. RFC 7293. */
  readonly rrvs?: RecipientValidSince;
}

/** A parameter of MAIL or RCPT. */
export interface Parameter<Name extends string = string, Value = unknown, Command extends 'MAIL' | 'RCPT' = 'MAIL' | 'RCPT'> {
  readonly keyword: string;
  /** The name under which its value stands in the typed parameters. */
  readonly name: Name;
  readonly command: Command;
  /** The keyword of the extension that it belongs to. */
  readonly extension: string;
  /** Octets that it adds to the longest command line (RFC 5321 4.5.3.1.4), as its RFC states them. */
  readonly adds: number;
  readonly codec: Codec<Value>;
}

export const sizeParameter: Parameter = {
  keyword: 'SIZE',
  name: 'size',
  command: 'MAIL',
  extension: 'SIZE',
  adds: 26,
  codec: /* @__PURE__ */ decimal(/^[0-9]{1,20}$/),
};
/** RFC 6152 */
export const bodyParameter: Parameter = {
  keyword: 'BODY',
  name: 'body',
  command: 'MAIL',
  extension: '8BITMIME',
  adds: 0,
  codec: /* @__PURE__ */ oneOf('7BIT', '8BITMIME'),
};
/** RFC 3030 3: in place of that of 8BITMIME, where BINARYMIME is offered. */
export const binaryBodyParameter: Parameter = {
  keyword: 'BODY',
  name: 'body',
  command: 'MAIL',
  extension: 'BINARYMIME',
  adds: 16,
  codec: /* @__PURE__ */ oneOf('7BIT', '8BITMIME', 'BINARYMIME'),
};
export const smtpUtf8Parameter: Parameter = {
  keyword: 'SMTPUTF8',
  name: 'smtpUtf8',
  command: 'MAIL',
  extension: 'SMTPUTF8',
  adds: 10,
  codec: flag,
};
export const retParameter: Parameter = {
  keyword: 'RET',
  name: 'ret',
  command: 'MAIL',
  extension: 'DSN',
  adds: 0,
  codec: /* @__PURE__ */ oneOf('FULL', 'HDRS'),
};
export const envidParameter: Parameter = { keyword: 'ENVID', name: 'envid', command: 'MAIL', extension: 'DSN', adds: 107, codec: envid };
export const notifyParameter: Parameter = {
  keyword: 'NOTIFY',
  name: 'notify',
  command: 'RCPT',
  extension: 'DSN',
  adds: 28,
  codec: notify,
};
export const orcptParameter: Parameter = { keyword: 'ORCPT', name: 'orcpt', command: 'RCPT', extension: 'DSN', adds: 507, codec: orcpt };
export const byParameter: Parameter = { keyword: 'BY', name: 'by', command: 'MAIL', extension: 'DELIVERBY', adds: 17, codec: deliverBy };
export const holdForParameter: Parameter = {
  keyword: 'HOLDFOR',
  name: 'holdFor',
  command: 'MAIL',
  extension: 'FUTURERELEASE',
  adds: 34,
  codec: /* @__PURE__ */ decimal(/^[1-9][0-9]{0,8}$/),
};
export const holdUntilParameter: Parameter = {
  keyword: 'HOLDUNTIL',
  name: 'holdUntil',
  command: 'MAIL',
  extension: 'FUTURERELEASE',
  adds: 34,
  codec: holdUntil,
};
export const mtPriorityParameter: Parameter = {
  keyword: 'MT-PRIORITY',
  name: 'mtPriority',
  command: 'MAIL',
  extension: 'MT-PRIORITY',
  adds: 15,
  codec: /* @__PURE__ */ decimal(/^(?:-?[1-9]|0)$/),
};
export const rrvsParameter: Parameter = {
  keyword: 'RRVS',
  name: 'rrvs',
  command: 'RCPT',
  extension: 'RRVS',
  adds: 33,
  codec: validSince,
};
export const requireTlsParameter: Parameter = {
  keyword: 'REQUIRETLS',
  name: 'requireTls',
  command: 'MAIL',
  extension: 'REQUIRETLS',
  adds: 11,
  codec: flag,
};
export const authParameter: Parameter = {
  keyword: 'AUTH',
  name: 'auth',
  command: 'MAIL',
  extension: 'AUTH',
  adds: 500,
  codec: submitter,
};

/** Every parameter that is understood, in the order in which it is written. */
export const PARAMETERS: readonly Parameter[] = [
  sizeParameter,
  bodyParameter,
  binaryBodyParameter,
  smtpUtf8Parameter,
  retParameter,
  envidParameter,
  notifyParameter,
  orcptParameter,
  byParameter,
  holdForParameter,
  holdUntilParameter,
  mtPriorityParameter,
  rrvsParameter,
  requireTlsParameter,
  authParameter,
];

/** Parameters by their keywords, in capitals; of two with one keyword the later. */
export function byKeyword(parameters: readonly Parameter[]): ReadonlyMap<string, Parameter> {
  return new Map(parameters.map((parameter) => [parameter.keyword, parameter]));
}
