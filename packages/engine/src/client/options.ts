import type { Deviation, Parameter } from '@ehlo/grammar';
import type { Extension } from '../extension.ts';
import type { TlsInfo } from '../facts.ts';
import type { TableOf } from '../option-table.ts';
import type { ClientFeature } from './features.ts';
import { CLIENT_LIMIT_TABLE, type ClientLimitOptions } from './limits.ts';

/** What is sent without waiting for replies, where the server offers PIPELINING (RFC 2920). Each includes those before it. */
export type Pipelining =
  | 'off'
  | 'envelope' // RSET, MAIL and every RCPT
  | 'data' // DATA after them: then a message whose recipients were all refused may still have to be ended
  | 'transactions'; // the next envelope, or QUIT, after the end of a message

/** The least protection under which `authenticate` sends credentials. */
export type Protection =
  | 'verified' // TLS, and the server's certificate is that of the host that was asked for
  | 'encrypted' // TLS with whoever answers
  | 'cleartext'; // anybody on the way can read them

/** What a client does, whatever carries it. */
export interface ClientPolicyOptions {
  /** `'lmtp'` says LHLO, and gets one reply for each recipient after the message. Default: `'smtp'`; RFC 2033. */
  readonly protocol?: 'smtp' | 'lmtp';
  /** STARTTLS: not at all, where it is offered, or else no session at all. Default: `'opportunistic'`; RFC 3207. */
  readonly starttls?: 'off' | 'opportunistic' | 'required';
  /**
   * The least protection under which credentials are sent: TLS with a verified host, TLS with any host, or none, where anybody on the
   * network path can read them. Default: `'verified'`.
   */
  readonly credentials?: Protection;
  /**
   * What is sent without waiting for replies, where the server offers PIPELINING, each with those before it: MAIL and RCPT, DATA after
   * them, the next envelope after the end of a message. Default: `'envelope'`; RFC 2920.
   */
  readonly pipelining?: Pipelining;
  /**
   * The deviations of an address that is sent as it stands; give a relay those of its server. A local part whose dots are misplaced is put
   * in quotes without it. Default: `CLIENT_TOLERATES`.
   */
  readonly tolerate?: ReadonlySet<Deviation>;
  /**
   * The A-label form of a domain, such as `domainToASCII` of `node:url`; empty text or null where it has none. Asked for an address whose
   * local part is ASCII, where the server has no SMTPUTF8: such an address may go to any server. Without it, or where it throws, the
   * recipient is refused by the plan. It changes the envelope alone, not the header of the message. RFC 6531 3.2.
   */
  readonly toAscii?: (domain: string) => string | null;
  /** A CR or LF that stands alone in a message is made CRLF, or the message is not sent; it is never sent alone. Default: `'crlf'`. */
  readonly newlines?: 'crlf' | 'refuse';
  /**
   * Replies with mixed codes or bare LF end the session, or are accepted: the most severe code counts, and a `quirk` event reports it.
   * Default: `'tolerant'`.
   */
  readonly replies?: 'strict' | 'tolerant';
  /** Parts of the client that are bundled only where they are named: `CHUNKING`, and for a session by hand `AUTH`. Default: none. */
  readonly features?: readonly ClientFeature[];
  /** The parameters of MAIL and RCPT that envelopes use; `PARAMETERS` of the grammar for all. Default: SIZE, BODY and SMTPUTF8. */
  readonly parameters?: readonly Parameter[];
  /**
   * Extensions of the program's own, which `defineExtension` has made. Their parameters can stand in envelopes, and their verbs be asked,
   * where the server offers them.
   */
  readonly extensions?: readonly Extension[];
  /** Numbers in place of the limits that there are. */
  readonly limits?: ClientLimitOptions;
  /** Every line of the conversation is told as `trace`. Default: false. */
  readonly trace?: boolean;
}

export interface ClientOptions extends ClientPolicyOptions {
  /** What this client calls itself in EHLO: a domain or an address literal. RFC 5321 4.1.4. */
  readonly hostname: string;
  /** The transport is secure from the start: what is known of its TLS. */
  readonly tls?: TlsInfo;
}

/** The options of a client session: every name, and what it may be. */
export const CLIENT_OPTIONS: TableOf<ClientOptions> = {
  hostname: 'any',
  protocol: ['smtp', 'lmtp'],
  starttls: ['off', 'opportunistic', 'required'],
  tls: 'object',
  credentials: ['verified', 'encrypted', 'cleartext'],
  pipelining: ['off', 'envelope', 'data', 'transactions'],
  tolerate: 'set',
  toAscii: 'call',
  newlines: ['crlf', 'refuse'],
  replies: ['strict', 'tolerant'],
  features: 'values',
  parameters: 'values',
  extensions: 'values',
  limits: CLIENT_LIMIT_TABLE,
  trace: 'switch',
};
