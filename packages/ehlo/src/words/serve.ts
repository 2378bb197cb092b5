import type { Authentication, ServeOptions as DriverOptions, ProxyOptions, TrustedOptions } from '@ehlo/driver';
import type { AuthOptions, FutureReleaseOptions, MtPriorityOptions, ServerOptions } from '@ehlo/engine';
import type { Certificate, ServeOptions, TlsSettings } from '@ehlo/node';
import { TLS_RANGE } from './tls-range.ts';
import type { WordsOf } from './words.ts';

/** What `serve` takes. */
export const SERVE: WordsOf<ServeOptions> = {
  host: { what: 'IP address or host name to listen on', more: "`'::'` is all of them.", default: '127.0.0.1' },
  port: { what: 'TCP port to listen on; 0 takes any that is free', default: '0' },
  path: { what: 'path of a Unix socket, instead of host and port', more: 'A socket file without a listening process is replaced.' },
  mode: { what: 'mode of the Unix socket, such as 0o660', default: 'by the umask' },
  backlog: { what: 'connections that the kernel may hold before they are accepted', default: '511' },
  tls: {
    type: 'options, or a `ServerTls`',
    what: 'certificates: STARTTLS is possible, or with `implicitTls` every connection begins with a handshake',
    more: 'A `ServerTls` in their place can be given new ones later.',
  },
  implicitTls: { what: 'TLS from the first octet, as on port 465', default: 'false', source: 'RFC 8314 3.3' },
  starttls: {
    what: 'STARTTLS: not at all, offered, required before mail is taken, or taken and not listed by EHLO, as for clients that try without asking',
    default: "`'offered'` where `tls` is given, else `'off'`",
    source: 'RFC 3207',
  },
  handshakeTimeout: {
    what: "how long a proxy's header and the handshake of `implicitTls` may take",
    unit: 'milliseconds',
    default: '`limits.tlsTimeout`, or 60000',
  },
  proxy: {
    what: 'every connection begins with the header of a proxy, which says whose it is; without one it is closed',
    more: "Give `parseProxy`; or, where others come by themselves, `{ read: parseProxy, peers: ['10.0.0.0/8'] }`.",
    type: '`parseProxy`, or options',
  },
  stray: { what: 'told of each connection that ends before its session can begin: no header, or a handshake that fails' },
  connections: {
    what: "connections at a time, those within a proxy's header or a handshake too, until they are gone",
    more: 'As many more are told 421, and beyond that, or where that cannot be told, they are closed.',
    default: '10000',
  },
  sessionData: {
    what: 'makes what `session.data` is of each connection, before anything is asked',
    more: 'Where it throws, or gives a promise, the client is told 421: what takes time is for `connect`.',
  },
  grace: { what: 'how long `close` lets open sessions finish, and their clients go', unit: 'milliseconds', default: '30000' },
  signal: { what: 'closes the server when it aborts' },
  hostname: { type: 'text', what: 'the name of this server: a domain or an address literal', source: 'RFC 5321 4.3.1' },
  preset: {
    what: 'what the server is for: it sets authentication, limits and leniency together',
    more:
      '`mx` receives mail from anywhere, refuses what is ambiguous and wants `rcpt` and `message` to be asked. ' +
      '`submission` (RFC 6409) takes mail from authenticated users only, with fully qualified domains. ' +
      '`lmtp` (RFC 2033) delivers: a decision for each recipient. ' +
      '`sink` offers all that is implemented, takes every valid path and keeps every octet: for tests.',
    default: "`'mx'`",
  },
  auth: {
    type: 'options',
    what: 'how clients authenticate: mechanisms as values, and the functions that check credentials; or names of mechanisms that `auth` of the handler carries out',
  },
  trusted: {
    what: 'which connections may give the facts of their client by XCLIENT, or of the client that they had a message from by XFORWARD: those of your own proxies',
    more: "A function has to return `true`, at once, to trust; its errors are reported to the handler's `error`.",
    default: 'none',
  },
  extensions: {
    what: "keywords of all the extensions to offer, in place of the preset's; and, beside them, extensions of the program's own, which `defineExtension` has made",
    more: "With only the latter, the preset's stay. `[...PRESETS.mx.extensions, 'DSN']` adds one. Offer an extension only if the application does what it promises: DSN, for example, promises notifications.",
    default: "the preset's",
  },
  futureRelease: { what: 'how far ahead a message may be held: needed to offer FUTURERELEASE', source: 'RFC 4865 3' },
  mtPriority: { what: 'how MT-PRIORITY is announced, and whose word on it counts', source: 'RFC 6710' },
  limits: { what: 'numbers in place of the limits that there are' },
  smallLimits: {
    what: 'limits that may be lower than the standard allows, from 1 on: small quotas and short timeouts, to see what a client makes of them',
    more: 'For preset `sink` only, and none that `limits` has, too.',
  },
  tolerate: { what: 'deviations from the grammar to accept', default: "the preset's" },
  bareLineEnds: {
    what: 'a CR or LF that stands alone in a message: the message is refused at its end, or it is content like any other octet',
    default: "the preset's",
  },
  earlyTalkers: {
    what: 'clients that send before the greeting: ignored, reported by a `fault`, or refused with 554',
    default: "`'ignore'`",
  },
  trace: { what: 'every line of the conversation is a `trace` notice', default: 'false' },
};

/** What only a session by hand takes; `serve` knows it from the handler and the transport. */
export const SESSION: WordsOf<Pick<ServerOptions, 'ask' | 'peer' | 'tls' | 'trust' | 'starttls' | 'auth'>> = {
  ask: { what: "the decisions that the application wants to take; the others get the preset's answer", default: 'none' },
  peer: { type: '`Peer`', what: 'the client, as its connection tells' },
  tls: { type: '`TlsInfo`', what: 'the transport is secure from the start: what is known of its TLS' },
  trust: {
    what: 'verbs by which this peer may speak for its client: give them only to proxies of your own',
    default: 'none',
  },
  starttls: { ...SERVE.starttls, more: 'Only where the transport can be secured.', default: "`'off'`" },
  auth: { what: 'names of mechanisms, which the question `auth` carries out' },
};

/** Where the driver has no listener of its own. */
export const SERVE_ON: WordsOf<Pick<DriverOptions, 'connections' | 'starttls'>> = {
  starttls: SESSION.starttls,
  connections: {
    ...SERVE.connections,
    what: 'connections at a time, until they are gone',
    more: 'As many more are told 421, and beyond that they are closed.',
  },
};

const OFFERED: WordsOf<Omit<AuthOptions, 'mechanisms'>> = {
  required: { what: 'refuse mail until the client has authenticated', default: 'true with preset `submission`, else false' },
  inClear: {
    what: 'offer AUTH without TLS, to every client: passwords can then be read on the network path',
    more: 'Where it is left out and a connection can have no TLS, `serve` offers AUTH to clients on this machine: by a loopback address or a Unix socket, and no proxy.',
    default: 'false',
    source: 'RFC 4954 4: "SHOULD NOT"',
  },
};

/** `auth` of a session. */
export const SESSION_AUTH: WordsOf<AuthOptions> = {
  mechanisms: {
    what: 'names of the SASL mechanisms that the application can carry out, best first',
    more: 'The -PLUS ones are offered where the TLS connection can be bound to.',
  },
  ...OFFERED,
};

/** `auth` of `serve`. */
export const SERVE_AUTH: WordsOf<Authentication> = {
  mechanisms: { what: 'mechanisms of `@ehlo/sasl`, best first: `[scram(), plain()]`' },
  ...OFFERED,
  lookup: {
    what: 'what is stored of a user: the password, or better, keys that follow from it',
    more:
      "Null or undefined if there is no such user: the client can't tell by what is said. Keys have a method `decoy`, whose keys take as long, too: " +
      'give those instead, as `userTable` of `@ehlo/sasl` does.',
  },
  verify: {
    what:
      "judges a claim: `true`, it is the user that it claims to be; the user's name; `false`; or what `reject` made, with a code, a text and, where " +
      'the mechanism can tell it, an OAuth error of its own',
    more:
      'Null or undefined leave a password to `lookup`; where there is none, or no password, that is a failure of the program, as is anything else: ' +
      '454, told to `error`. SCRAM and CRAM-MD5 show no password, and ask `lookup` alone.',
  },
  authorize: { what: 'whether a user may act as another identity', default: 'never' },
  pepper: {
    type: 'octets',
    what: 'octets that only this server knows: salts of users that have none follow from them',
    default: 'random for each server',
  },
};

/** `proxy`. */
export const PROXY: WordsOf<ProxyOptions> = {
  read: { what: '`parseProxy` of `@ehlo/grammar/proxy`' },
  peers: {
    type: 'a list of texts, or a function',
    what: 'whose connections begin with a header: addresses and networks, such as `192.0.2.1` and `2001:db8::/32`, or a function that says true or false at once',
    more: 'Other connections come without a header and keep their own address. A function that fails refuses the connection.',
    default: 'all connections',
  },
  version: { what: 'the only version of the header that is accepted', default: 'both' },
};

/** `trusted`. */
export const TRUSTED: WordsOf<TrustedOptions> = {
  XCLIENT: { what: 'whether this connection may give the facts of its client (XCLIENT)' },
  XFORWARD: { what: 'whether this connection may give the facts of the client that it had a message from (XFORWARD)' },
};

/** `futureRelease`. */
export const FUTURE_RELEASE: WordsOf<FutureReleaseOptions> = {
  seconds: { what: 'the longest HOLDFOR', unit: 'seconds, at most 999999999', source: 'RFC 4865 3' },
  until: { what: 'the latest HOLDUNTIL: a date and time of RFC 3339, such as `2030-01-01T00:00:00Z`', source: 'RFC 4865 3' },
};

/** `mtPriority`. */
export const MT_PRIORITY: WordsOf<MtPriorityOptions> = {
  profile: {
    type: 'text',
    what: 'name of the Priority Assignment Policy to announce, such as `MIXER`',
    default: 'not disclosed',
    source: 'RFC 6710 9.2',
  },
  trusted: { what: 'believe clients that have not authenticated, where they ask for more than 0', default: 'false' },
};

/** A certificate of a server. */
export const CERTIFICATE: WordsOf<Certificate> = {
  key: { type: 'text or octets', what: 'the private key, in PEM' },
  cert: { type: 'text or octets', what: 'the certificate with its chain, in PEM' },
  passphrase: { type: 'text', what: 'passphrase of the key' },
  servernames: {
    what: 'the names that clients ask for (SNI) and that this certificate answers; `*.example.org` answers one label',
    more: 'The first certificate answers all others.',
  },
};

/** `tls` of `serve`. */
export const SERVER_TLS: WordsOf<TlsSettings> = {
  ...CERTIFICATE,
  certificates: { what: 'more certificates, chosen by the name that the client asks for' },
  certificateFor: {
    what: 'chooses by the name that the client asks for (SNI), in small letters, now or later; null and undefined leave it to `servernames`',
    more: 'An object that was given before is not read again. Where it throws the handshake fails, and `tlsFailed` is told why.',
  },
  requestCert: {
    what: 'ask clients for a certificate; one that is not signed by `ca` is told as such, and refused only with `rejectUnauthorized`',
    default: 'false',
  },
  ca: { type: 'text, octets, or a list of these', what: "authorities for the clients' certificates, in PEM" },
  rejectUnauthorized: { what: 'the handshake fails without a certificate of the client that `ca` has signed', default: 'false' },
  ...TLS_RANGE,
};
