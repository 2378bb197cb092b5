// Every function that takes options: the table that checks them, their words, and the interfaces that have their docstrings. Of these
// `scripts/options.mjs` makes docs/options.md and the docstrings, and the tests take their rows.
import { CONNECT_OPTIONS } from '../../../driver/src/client-options.ts';
import { REJECT_OPTIONS } from '../../../driver/src/decision.ts';
import { ENVELOPE_OPTIONS, RECIPIENT_OPTIONS, SEND_OPTIONS } from '../../../driver/src/delivery.ts';
import { LISTEN_AND_SERVE } from '../../../driver/src/listen.ts';
import { POOL_CLOSE, POOL_OPTIONS } from '../../../driver/src/pool.ts';
import { PROXY_OPTIONS } from '../../../driver/src/proxies.ts';
import { CLOSE_OPTIONS } from '../../../driver/src/serve.ts';
import { SERVE_OPTIONS } from '../../../driver/src/serve-options.ts';
import * as calls from '../../../ehlo/src/words/calls.ts';
import { CLIENT_LIMITS } from '../../../ehlo/src/words/client-limits.ts';
import * as connect from '../../../ehlo/src/words/connect.ts';
import * as sasl from '../../../ehlo/src/words/sasl.ts';
import * as send from '../../../ehlo/src/words/send.ts';
import * as serve from '../../../ehlo/src/words/serve.ts';
import { SERVER_LIMITS } from '../../../ehlo/src/words/server-limits.ts';
import type { Words } from '../../../ehlo/src/words/words.ts';
import { COMMAND_OPTIONS } from '../../../engine/src/client/session.ts';
import { CLIENT_OPTIONS, type OptionKind, type OptionTable, SERVER_OPTIONS } from '../../../engine/src/index.ts';
import { CONNECT_PLACE } from '../../../node/src/connect-by.ts';
import { CERTIFICATE_OPTIONS, SERVER_TLS } from '../../../node/src/server-tls.ts';

/** Options that stand together. */
export interface Section {
  readonly title: string;
  /** Whose they are, in a sentence. */
  readonly intro: string;
  /** Null where nothing checks their names but the compiler. */
  readonly table: OptionTable | null;
  readonly words: { readonly [name: string]: Words };
  /** The file of the words, for who has to add some. */
  readonly file: string;
  /** The interfaces whose members are these options: file and name. */
  readonly interfaces: readonly (readonly [file: string, name: string])[];
}

const nested = (table: object, name: string): OptionTable => (table as { readonly [name: string]: OptionKind })[name] as OptionTable;
const words = (name: string): string => `packages/ehlo/src/words/${name}.ts`;

const POLICY = 'packages/engine/src/server/options.ts';
const PARAMETERS = 'packages/grammar/src/parameters.ts';
const ENVELOPE_FILE = 'packages/engine/src/client/envelope.ts';

export const SECTIONS: readonly Section[] = [
  {
    title: 'serve',
    intro:
      '`serve(options, handler)`. `hostname` has to be given. `serveOn(listener, options, handler)` takes those that are not about listening.',
    table: LISTEN_AND_SERVE,
    words: serve.SERVE,
    file: words('serve'),
    interfaces: [
      ['packages/driver/src/listen.ts', 'ListenOptions'],
      ['packages/driver/src/listen.ts', 'ListenAndServeOptions'],
    ],
  },
  {
    title: 'serve: auth',
    intro:
      '`auth` of `serve`, where the mechanisms are values of `ehlo/sasl`. `mechanisms` and one of `lookup` and `verify` have to be given.',
    table: nested(LISTEN_AND_SERVE, 'auth'),
    words: serve.SERVE_AUTH,
    file: words('serve'),
    interfaces: [['packages/driver/src/authentication.ts', 'Authentication']],
  },
  {
    title: 'serve: limits',
    intro: '`limits` of `serve` and of a session by hand. Each is finite, and none may be set below its least.',
    table: nested(SERVER_OPTIONS, 'limits'),
    words: SERVER_LIMITS,
    file: words('server-limits'),
    interfaces: [['packages/engine/src/server/limits.ts', 'LimitOptions']],
  },
  {
    title: 'serve: smallLimits',
    intro: '`smallLimits` of `serve` and of a session by hand, with preset `sink` alone: the same limits, from 1 on.',
    table: nested(SERVER_OPTIONS, 'smallLimits'),
    words: SERVER_LIMITS,
    file: words('server-limits'),
    interfaces: [],
  },
  {
    title: 'serve: tls',
    intro: '`tls` of `serve`, the same on Node, Deno and Bun, and what `new ServerTls` takes. `key` and `cert` have to be given.',
    table: SERVER_TLS,
    words: serve.SERVER_TLS,
    file: words('serve'),
    interfaces: [
      ['packages/node/src/runtime.ts', 'TlsRange'],
      ['packages/node/src/server-tls.ts', 'TlsSettings'],
    ],
  },
  {
    title: 'serve: tls.certificates',
    intro: 'One of `certificates`.',
    table: CERTIFICATE_OPTIONS,
    words: serve.CERTIFICATE,
    file: words('serve'),
    interfaces: [['packages/node/src/server-tls.ts', 'Certificate']],
  },
  {
    title: 'serve: proxy',
    intro: '`proxy` of `serve`, where not everybody comes by a proxy. `read` has to be given.',
    table: PROXY_OPTIONS,
    words: serve.PROXY,
    file: words('serve'),
    interfaces: [['packages/driver/src/proxies.ts', 'ProxyOptions']],
  },
  {
    title: 'serve: trusted',
    intro: '`trusted` of `serve`: functions that get the address of the peer.',
    table: nested(LISTEN_AND_SERVE, 'trusted'),
    words: serve.TRUSTED,
    file: words('serve'),
    interfaces: [['packages/driver/src/serve-options.ts', 'TrustedOptions']],
  },
  {
    title: 'serve: futureRelease',
    intro: '`futureRelease` of `serve` and of a session by hand. Both have to be given.',
    table: nested(SERVER_OPTIONS, 'futureRelease'),
    words: serve.FUTURE_RELEASE,
    file: words('serve'),
    interfaces: [[POLICY, 'FutureReleaseOptions']],
  },
  {
    title: 'serve: mtPriority',
    intro: '`mtPriority` of `serve` and of a session by hand.',
    table: nested(SERVER_OPTIONS, 'mtPriority'),
    words: serve.MT_PRIORITY,
    file: words('serve'),
    interfaces: [[POLICY, 'MtPriorityOptions']],
  },
  {
    title: 'server.close',
    intro: '`server.close(options)`.',
    table: CLOSE_OPTIONS,
    words: calls.CLOSE,
    file: words('calls'),
    interfaces: [['packages/driver/src/serve.ts', 'CloseOptions']],
  },
  {
    title: 'reject',
    intro: '`reject(code, enhanced, text, options)`.',
    table: REJECT_OPTIONS,
    words: calls.REJECT,
    file: words('calls'),
    interfaces: [['packages/driver/src/decision.ts', 'RejectOptions']],
  },
  {
    title: 'serveOn',
    intro: '`serveOn(listener, options, handler)` of `@ehlo/driver`: of the options of `serve` those that are not about listening.',
    table: SERVE_OPTIONS,
    words: { ...serve.SERVE, ...serve.SERVE_ON },
    file: words('serve'),
    interfaces: [['packages/driver/src/serve-options.ts', 'ServeOptions']],
  },
  {
    title: 'ServerSession',
    intro: '`new ServerSession(options)` of `@ehlo/engine`, for who drives a session by hand. `hostname` has to be given.',
    table: SERVER_OPTIONS,
    words: { ...serve.SERVE, ...serve.SESSION },
    file: words('serve'),
    interfaces: [
      [POLICY, 'ConnectionFacts'],
      [POLICY, 'ServerPolicyOptions'],
      [POLICY, 'ServerOptions'],
    ],
  },
  {
    title: 'ServerSession: auth',
    intro: '`auth` of a session by hand, and of `serve` where the mechanisms are names. `mechanisms` has to be given.',
    table: nested(SERVER_OPTIONS, 'auth'),
    words: serve.SESSION_AUTH,
    file: words('serve'),
    interfaces: [
      [POLICY, 'AuthPolicyOptions'],
      [POLICY, 'AuthOptions'],
    ],
  },
  {
    title: 'connect',
    intro: '`connect(options)`. None has to be given. `connectOn(transport, options)` takes those that are not about the way there.',
    table: CONNECT_PLACE,
    words: connect.CONNECT,
    file: words('connect'),
    interfaces: [
      ['packages/node/src/connect-by.ts', 'ConnectPlace'],
      ['packages/node/src/connect.ts', 'ConnectOptions'],
    ],
  },
  {
    title: 'connect: auth',
    intro: '`auth` of `connect`. `mechanisms` has to be given, and what they need; what is given must not be undefined.',
    table: nested(CONNECT_OPTIONS, 'auth'),
    words: connect.CLIENT_AUTH,
    file: words('connect'),
    interfaces: [
      ['packages/driver/src/client-authentication.ts', 'ClientAuth'],
      ['packages/driver/src/credentials.ts', 'GivenCredentials'],
    ],
  },
  {
    title: 'connect: limits',
    intro:
      '`limits` of `connect` and of a session by hand. Each is finite, and may be set lower at the price of giving up on slow servers.',
    table: nested(CLIENT_OPTIONS, 'limits'),
    words: CLIENT_LIMITS,
    file: words('client-limits'),
    interfaces: [['packages/engine/src/client/limits.ts', 'ClientLimitOptions']],
  },
  {
    title: 'connect: tls',
    intro: '`tls` of `connect`, the same on Node, Deno and Bun.',
    table: nested(CONNECT_PLACE, 'tls'),
    words: connect.CLIENT_TLS,
    file: words('connect'),
    interfaces: [['packages/node/src/client-tls.ts', 'ClientTlsSettings']],
  },
  {
    title: 'connectOn',
    intro: '`connectOn(transport, options)` of `@ehlo/driver`: of the options of `connect` those that are not about the way there.',
    table: CONNECT_OPTIONS,
    words: connect.CONNECT,
    file: words('connect'),
    interfaces: [['packages/driver/src/client-options.ts', 'ConnectOptions']],
  },
  {
    title: 'ClientSession',
    intro: '`new ClientSession(options)` of `@ehlo/engine`, for who drives a session by hand. `hostname` has to be given.',
    table: CLIENT_OPTIONS,
    words: { ...connect.CONNECT, ...connect.CLIENT_SESSION },
    file: words('connect'),
    interfaces: [
      ['packages/engine/src/client/options.ts', 'ClientPolicyOptions'],
      ['packages/engine/src/client/options.ts', 'ClientOptions'],
    ],
  },
  {
    title: 'Pool',
    intro: '`new Pool(open, options)`.',
    table: POOL_OPTIONS,
    words: connect.POOL,
    file: words('connect'),
    interfaces: [['packages/driver/src/pool.ts', 'PoolOptions']],
  },
  {
    title: 'Pool: pace',
    intro: '`pace` of `new Pool`. Both have to be given.',
    table: nested(POOL_OPTIONS, 'pace'),
    words: connect.PACE,
    file: words('connect'),
    interfaces: [['packages/driver/src/pace.ts', 'PaceOptions']],
  },
  {
    title: 'pool.close',
    intro: '`pool.close(options)`.',
    table: POOL_CLOSE,
    words: calls.POOL_CLOSE,
    file: words('calls'),
    interfaces: [['packages/driver/src/pool.ts', 'PoolCloseOptions']],
  },
  {
    title: 'command',
    intro: '`client.command(verb, argument, options)`.',
    table: COMMAND_OPTIONS,
    words: calls.COMMAND,
    file: words('calls'),
    interfaces: [['packages/engine/src/client/session.ts', 'CommandOptions']],
  },
  {
    title: 'send',
    intro: '`client.send(envelope, message, options)` and `pool.send(…)`: the third argument.',
    table: SEND_OPTIONS,
    words: send.SEND,
    file: words('send'),
    interfaces: [['packages/driver/src/delivery.ts', 'SendOptions']],
  },
  {
    title: 'send: envelope',
    intro: 'The first argument of `send`. `reversePath` and `recipients` have to be given.',
    table: ENVELOPE_OPTIONS,
    words: send.ENVELOPE,
    file: words('send'),
    interfaces: [
      [ENVELOPE_FILE, 'ClientEnvelope'],
      ['packages/driver/src/delivery.ts', 'SendEnvelope'],
    ],
  },
  {
    title: 'send: envelope.recipients',
    intro: 'A recipient that has parameters of its own.',
    table: RECIPIENT_OPTIONS,
    words: send.RECIPIENT,
    file: words('send'),
    interfaces: [[ENVELOPE_FILE, 'ClientRecipient']],
  },
  {
    title: 'send: parameters of MAIL',
    intro: '`parameters` of an envelope. Beside SIZE, BODY and SMTPUTF8 they have to be among the option `parameters` of `connect`.',
    table: null,
    words: send.MAIL_PARAMETERS,
    file: words('send'),
    interfaces: [[PARAMETERS, 'MailParameters']],
  },
  {
    title: 'send: parameters of RCPT',
    intro: '`parameters` of a recipient. They have to be among the option `parameters` of `connect`.',
    table: null,
    words: send.RCPT_PARAMETERS,
    file: words('send'),
    interfaces: [[PARAMETERS, 'RcptParameters']],
  },
  {
    title: 'send: facts',
    intro: '`facts` of `send`: what `scanMessage` of `@ehlo/engine` finds.',
    table: nested(SEND_OPTIONS, 'facts'),
    words: send.FACTS,
    file: words('send'),
    interfaces: [
      [ENVELOPE_FILE, 'MessageFacts'],
      ['packages/engine/src/client/scan.ts', 'MessageScan'],
    ],
  },
  {
    title: 'scram',
    intro: '`scram(hash, options)` of `ehlo/sasl`.',
    table: null,
    words: sasl.SCRAM,
    file: words('sasl'),
    interfaces: [['packages/sasl/src/scram/scram.ts', 'ScramOptions']],
  },
  {
    title: 'scramKeys',
    intro: '`scramKeys(password, options)` of `ehlo/sasl`. `salt` has to be given.',
    table: null,
    words: sasl.KEYS,
    file: words('sasl'),
    interfaces: [['packages/sasl/src/scram/keys.ts', 'KeyOptions']],
  },
  {
    title: 'oauthBearer, xoauth2',
    intro: '`oauthBearer(options)` and `xoauth2(options)` of `ehlo/sasl`: what a client is told whose token is not taken.',
    table: null,
    words: sasl.OAUTH,
    file: words('sasl'),
    interfaces: [['packages/sasl/src/oauth.ts', 'OauthOptions']],
  },
];
