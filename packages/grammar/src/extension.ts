import {
  authParameter,
  byParameter,
  type Codec,
  type DeliverBy,
  decimal,
  envidParameter,
  flag,
  holdUntilParameter,
  type Notify,
  notifyParameter,
  type OriginalRecipient,
  oneOf,
  orcptParameter,
  type RecipientValidSince,
  rrvsParameter,
} from './codecs.ts';

/** Typed parameters of MAIL. A name is there only if the client gave it. */
export interface MailParameters {
  /** RFC 1870: the declared size in octets; a number beyond 2^53 - 1 counts as that. */
  readonly size?: number;
  /** RFC 6152, RFC 3030: what the body holds. */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  /** RFC 4954 5: who submitted the message, as the client says; empty for `<>` (not known). */
  readonly auth?: string;
  /** RFC 3461 4.3: how much of the message a failure notification returns. */
  readonly ret?: 'FULL' | 'HDRS';
  /** RFC 3461 4.4: the sender's name for this transaction. */
  readonly envid?: string;
  /** RFC 2852 */
  readonly by?: DeliverBy;
  /** RFC 4865: seconds to hold the message back. */
  readonly holdFor?: number;
  /** RFC 4865: a date and time of RFC 3339 to hold the message back until. */
  readonly holdUntil?: string;
  /** RFC 6710: -9 (least urgent) to 9. */
  readonly mtPriority?: number;
  /** RFC 8689: relay over TLS or not at all. */
  readonly requireTls?: true;
  /** RFC 6531: the addresses or the header may hold UTF-8. */
  readonly smtpUtf8?: true;
}

/** Typed parameters of RCPT. */
export interface RcptParameters {
  /** RFC 3461 4.1: when to notify the sender. */
  readonly notify?: Notify;
  /** RFC 3461 4.2 */
  readonly orcpt?: OriginalRecipient;
  /** RFC 7293 */
  readonly rrvs?: RecipientValidSince;
}

/** A parameter of MAIL or RCPT. */
export interface Parameter<T = unknown> {
  readonly keyword: string;
  /** The name under which its value stands in the typed parameters. */
  readonly name: keyof MailParameters | keyof RcptParameters;
  readonly command: 'MAIL' | 'RCPT';
  /** Octets that it adds to the longest command line (RFC 5321 4.5.3.1.4), as its RFC states them. */
  readonly octets: number;
  readonly codec: Codec<T>;
}

/** A verb that an extension adds. */
export interface VerbRule {
  readonly verb: string;
  /** Where in a session it may be used: in a mail transaction, outside of one, or both. */
  readonly transaction: 'inside' | 'outside' | 'any';
  /** RFC 2920 3.1: whether it must be the last command of a pipelined group. */
  readonly last: boolean;
  /** Reply codes that the extension defines for it. */
  readonly codes: readonly number[];
}

/** A service extension: what EHLO offers, and all that comes with it. */
export interface Extension {
  /** The EHLO keyword. */
  readonly keyword: string;
  readonly rfc: number;
  readonly verbs: readonly VerbRule[];
  readonly parameters: readonly Parameter[];
}

const NONE: readonly never[] = [];

function parameter<T>(command: 'MAIL' | 'RCPT', keyword: string, name: Parameter['name'], octets: number, codec: Codec<T>): Parameter {
  return { keyword, name, command, octets, codec: codec as Codec };
}

function extension(keyword: string, rfc: number, parameters: readonly Parameter[] = NONE, verbs: readonly VerbRule[] = NONE): Extension {
  return { keyword, rfc, verbs, parameters };
}

/**
 * Every extension that is understood, in the order in which EHLO lists them: keyword, RFC, parameters and verbs in one place.
 * What a session offers is a selection of these.
 */
export const EXTENSIONS: readonly Extension[] = [
  extension('PIPELINING', 2920),
  extension('SIZE', 1870, [parameter('MAIL', 'SIZE', 'size', 26, decimal(/^[0-9]{1,20}$/))]),
  extension('8BITMIME', 6152, [parameter('MAIL', 'BODY', 'body', 0, oneOf('7BIT', '8BITMIME', 'BINARYMIME'))]),
  extension('ENHANCEDSTATUSCODES', 2034),
  extension('CHUNKING', 3030, NONE, [{ verb: 'BDAT', transaction: 'inside', last: false, codes: [250, 503, 554] }]),
  extension('BINARYMIME', 3030),
  extension('SMTPUTF8', 6531, [parameter('MAIL', 'SMTPUTF8', 'smtpUtf8', 10, flag)]),
  extension('DSN', 3461, [
    parameter('MAIL', 'RET', 'ret', 0, oneOf('FULL', 'HDRS')),
    parameter('MAIL', 'ENVID', 'envid', 107, envidParameter),
    parameter('RCPT', 'NOTIFY', 'notify', 28, notifyParameter),
    parameter('RCPT', 'ORCPT', 'orcpt', 507, orcptParameter),
  ]),
  extension('DELIVERBY', 2852, [parameter('MAIL', 'BY', 'by', 17, byParameter)]),
  extension('FUTURERELEASE', 4865, [
    parameter('MAIL', 'HOLDFOR', 'holdFor', 34, decimal(/^[1-9][0-9]{0,8}$/)),
    parameter('MAIL', 'HOLDUNTIL', 'holdUntil', 34, holdUntilParameter),
  ]),
  extension('MT-PRIORITY', 6710, [parameter('MAIL', 'MT-PRIORITY', 'mtPriority', 15, decimal(/^(?:-?[1-9]|0)$/))]),
  extension('RRVS', 7293, [parameter('RCPT', 'RRVS', 'rrvs', 33, rrvsParameter)]),
  extension('REQUIRETLS', 8689, [parameter('MAIL', 'REQUIRETLS', 'requireTls', 11, flag)]),
  extension('LIMITS', 9422),
  extension('STARTTLS', 3207, NONE, [{ verb: 'STARTTLS', transaction: 'outside', last: true, codes: [220, 454, 501, 530] }]),
  extension(
    'AUTH',
    4954,
    [parameter('MAIL', 'AUTH', 'auth', 500, authParameter)],
    [{ verb: 'AUTH', transaction: 'outside', last: true, codes: [235, 334, 432, 454, 500, 501, 503, 504, 530, 534, 535, 538] }],
  ),
  extension('ETRN', 1985, NONE, [{ verb: 'ETRN', transaction: 'outside', last: true, codes: [250, 251, 252, 253, 458, 459, 500, 501] }]),
  extension('VRFY', 5321, NONE, [{ verb: 'VRFY', transaction: 'any', last: true, codes: [] }]),
  extension('EXPN', 5321, NONE, [{ verb: 'EXPN', transaction: 'any', last: true, codes: [] }]),
  extension('HELP', 5321, NONE, [{ verb: 'HELP', transaction: 'any', last: false, codes: [] }]),
];

/** A keyword that is known and not implemented: historic, experimental or of no use here. */
export interface Historic {
  readonly keyword: string;
  readonly rfc: number;
  readonly parameters: readonly string[];
  readonly verbs: readonly string[];
}

/** Known by name, so that they can be refused for what they are. */
export const HISTORIC: readonly Historic[] = [
  { keyword: 'BURL', rfc: 4468, parameters: [], verbs: ['BURL'] },
  { keyword: 'ATRN', rfc: 2645, parameters: [], verbs: ['ATRN'] },
  { keyword: 'CHECKPOINT', rfc: 1845, parameters: ['TRANSID'], verbs: [] },
  { keyword: 'NO-SOLICITING', rfc: 3865, parameters: ['SOLICIT'], verbs: [] },
  { keyword: 'MTRK', rfc: 3885, parameters: ['MTRK'], verbs: [] },
  { keyword: 'SUBMITTER', rfc: 4405, parameters: ['SUBMITTER'], verbs: [] },
  { keyword: 'CONPERM', rfc: 4141, parameters: ['CONPERM'], verbs: [] },
  { keyword: 'CONNEG', rfc: 4141, parameters: ['CONNEG'], verbs: [] },
  { keyword: 'UTF8SMTP', rfc: 5336, parameters: ['ALT-ADDRESS'], verbs: [] },
  { keyword: 'SEND', rfc: 821, parameters: [], verbs: ['SEND'] },
  { keyword: 'SOML', rfc: 821, parameters: [], verbs: ['SOML'] },
  { keyword: 'SAML', rfc: 821, parameters: [], verbs: ['SAML'] },
  { keyword: 'TURN', rfc: 821, parameters: [], verbs: ['TURN'] },
];

interface Registered {
  readonly extension: string;
  readonly parameter: Parameter;
}

const PARAMETERS: ReadonlyMap<string, Registered> = new Map(
  EXTENSIONS.flatMap(({ keyword, parameters }) =>
    parameters.map((parameter) => [parameter.keyword, { extension: keyword, parameter }] as const),
  ),
);

/** The parameter with this keyword (in capitals), and the extension it belongs to. */
export function findParameter(keyword: string): Registered | undefined {
  return PARAMETERS.get(keyword);
}
