import type { ClientAuth } from '@ehlo/driver';
import type { ClientOptions } from '@ehlo/engine';
import type { ClientTlsSettings, ConnectOptions, PaceOptions, PoolOptions } from '@ehlo/node';
import { TLS_RANGE } from './tls-range.ts';
import type { WordsOf } from './words.ts';

/** What `connect` takes. */
export const CONNECT: WordsOf<ConnectOptions> = {
  host: { what: 'host name or IP address of the server', default: '127.0.0.1' },
  port: { what: 'TCP port of the server', default: '25; 465 with `implicitTls`, 587 with `auth`' },
  path: { what: "path of a Unix socket, in place of host and port: LMTP's usual place" },
  localAddress: { what: 'the local address to connect from, which only Node can choose' },
  connectTimeout: {
    what: 'how long finding the host and connecting to it may take; infinite for no limit',
    unit: 'milliseconds',
    default: '30000',
  },
  transport: {
    what: 'opens the connection in another way, such as through a proxy: a socket of `node:net` that is connected, or a transport of any kind',
    more: "Where it can't become secure by itself, TLS is laid over it.",
  },
  tls: { what: 'which certificates the client trusts, and its own certificate' },
  implicitTls: { what: 'TLS from the first octet, as on port 465', default: 'false', source: 'RFC 8314 3.3' },
  starttls: {
    what: 'STARTTLS: not at all, where it is offered, or else no session at all',
    default: "`'opportunistic'`; `'required'` with `auth`, unless `credentials` is `'cleartext'`",
    source: 'RFC 3207',
  },
  auth: {
    what: 'authenticates before anything is sent',
    more: "`starttls` is `'required'` then, unless `credentials` is `'cleartext'`.",
  },
  credentials: {
    what: 'the least protection under which credentials are sent: TLS with a verified host, TLS with any host, or none, where anybody on the network path can read them',
    default: "`'verified'`",
  },
  hostname: {
    type: 'text',
    what: 'what this client calls itself in EHLO: a domain or an address literal',
    default: 'the address literal of its end of the connection',
    source: 'RFC 5321 4.1.4',
  },
  protocol: {
    what: "`'lmtp'` says LHLO, and gets one reply for each recipient after the message",
    default: "`'smtp'`",
    source: 'RFC 2033',
  },
  pipelining: {
    what: 'what is sent without waiting for replies, where the server offers PIPELINING, each with those before it: MAIL and RCPT, DATA after them, the next envelope after the end of a message',
    default: "`'envelope'`",
    source: 'RFC 2920',
  },
  tolerate: {
    what: 'the deviations of an address that is sent as it stands; give a relay those of its server',
    more: 'A local part whose dots are misplaced is put in quotes without it.',
    default: '`CLIENT_TOLERATES`',
  },
  toAscii: {
    what: 'the A-label form of a domain, such as `domainToASCII` of `node:url`; empty text or null where it has none',
    more:
      'Asked for an address whose local part is ASCII, where the server has no SMTPUTF8: such an address may go to any server. Without it, or where ' +
      'it throws, the recipient is refused by the plan. It changes the envelope alone, not the header of the message.',
    source: 'RFC 6531 3.2',
  },
  newlines: {
    what: 'a CR or LF that stands alone in a message is made CRLF, or the message is not sent; it is never sent alone',
    default: "`'crlf'`",
  },
  replies: {
    what: 'replies with mixed codes or bare LF end the session, or are accepted: the most severe code counts, and a `quirk` event reports it',
    default: "`'tolerant'`",
  },
  features: {
    what: 'parts of the client that are bundled only where they are named: `CHUNKING`, and for a session by hand `AUTH`',
    default: 'none',
  },
  parameters: {
    what: 'the parameters of MAIL and RCPT that envelopes use; `PARAMETERS` of the grammar for all',
    default: 'SIZE, BODY and SMTPUTF8',
  },
  extensions: {
    what: "extensions of the program's own, which `defineExtension` has made",
    more: 'Their parameters can stand in envelopes, and their verbs be asked, where the server offers them.',
  },
  limits: { what: 'numbers in place of the limits that there are' },
  trace: { what: 'every line of the conversation is told as `trace`', default: 'false' },
  signal: { what: 'ends everything at once when it aborts, at any moment' },
  notice: {
    what: "is told what happens: that there is a connection, and TLS; the server's greeting and offers, quirks and faults; and the conversation, with the option `trace`",
    more: 'Where it fails, a warning says so, once.',
  },
};

/** What only a session by hand takes, or takes in another way. */
export const CLIENT_SESSION: WordsOf<Pick<ClientOptions, 'hostname' | 'starttls' | 'tls'>> = {
  hostname: { type: 'text', what: CONNECT.hostname.what, source: 'RFC 5321 4.1.4' },
  starttls: { ...CONNECT.starttls, default: "`'opportunistic'`" },
  tls: { type: '`TlsInfo`', what: 'the transport is secure from the start: what is known of its TLS' },
};

/** `auth` of `connect`. */
export const CLIENT_AUTH: WordsOf<ClientAuth> = {
  mechanisms: {
    type: 'list',
    what: 'mechanisms of `@ehlo/sasl`, best first: `[scram(), plain()]`',
    more:
      'The client uses the first that the server offers and that fits the credentials. It tries the next if the server refuses the mechanism and not the ' +
      'credentials; one that shows a secret follows one that does not only under TLS with a server whose certificate was verified.',
  },
  user: { type: 'text', what: 'the name of the user' },
  password: { type: 'text, `Secret`', what: 'the password, as a text or a `Secret`' },
  token: {
    type: 'text, `Secret`, or a function that gives one',
    what: 'an OAuth 2.0 access token, in place of a password; or what gives one, asked anew for each connection, for tokens expire',
  },
  authzid: { type: 'text', what: 'the identity to act as, if it is not the user', source: 'RFC 4422 3.4.1' },
};

/** `tls` of `connect`. */
export const CLIENT_TLS: WordsOf<ClientTlsSettings> = {
  ca: {
    type: 'text, octets, or a list of these',
    what: 'authorities that are trusted, in PEM, in place of those that the runtime comes with',
  },
  servername: { what: 'the name that is asked for (SNI) and that the certificate must have', default: 'the host', source: 'RFC 6066 3' },
  rejectUnauthorized: {
    what: 'whether a certificate that is not verified ends the session',
    default: "true, unless TLS is only opportunistic, or `credentials` is `'encrypted'`",
  },
  verify: {
    what: 'decides in place of `rejectUnauthorized` whether the identity of the server is verified: true, it is; false, it is not, and the session continues',
    more: 'It is given the certificates that the server has shown, in DER, and what the runtime finds wrong with them. It must decide at once: what it throws, and any other answer, such as a promise, ends the session.',
  },
  key: { type: 'text or octets', what: "the private key of the client's own certificate, in PEM" },
  cert: { type: 'text or octets', what: "the client's own certificate with its chain, in PEM" },
  passphrase: { type: 'text', what: 'passphrase of the key' },
  ...TLS_RANGE,
};

/** The second argument of `new Pool`. */
export const POOL: WordsOf<PoolOptions> = {
  size: { what: 'connections at a time', default: '5' },
  messages: { what: 'messages that one connection is used for', default: 'as many as the server takes by it' },
  probe: {
    what: 'time without use after which a connection is asked (NOOP) whether it lives before it is used',
    unit: 'milliseconds',
    default: '5000',
  },
  idle: { what: 'time without use after which a connection is ended', unit: 'milliseconds', default: '30000' },
  pace: {
    what: 'messages that may begin in a time; the others wait, in order',
    default: 'as many as there are connections for',
  },
};

/** `pace` of `new Pool`. */
export const PACE: WordsOf<PaceOptions> = {
  messages: { what: 'messages that may begin within that time' },
  within: { what: 'the time, whenever it begins', unit: 'milliseconds' },
};
