/** Where a client session stands: its one state variable. */
export type ClientPhase =
  | 'connect' // the greeting is awaited
  | 'hello' // EHLO, HELO or LHLO is asked
  | 'starttls' // STARTTLS is asked
  | 'tls' // the transport is being secured
  | 'ready' // no transaction
  | 'auth' // an AUTH exchange
  | 'command' // NOOP, VRFY, EXPN or HELP is asked
  | 'envelope' // MAIL and RCPT are asked
  | 'data' // DATA is asked
  | 'body' // the message is being sent
  | 'message' // its end is said, and the last reply awaited
  | 'quit' // QUIT is asked
  | 'closed';

/** A condition of a row; `guards.ts` says how each is read. */
export type ClientGuard =
  | 'not-leaving'
  | 'nothing-half-open'
  | 'transactions-left'
  | 'transactions-pipelined'
  | 'tls-not-active'
  | 'tls-offered'
  | 'auth-offered'
  | 'auth-not-done'
  | 'protected';

/** What moves a client session: calls of the program, and what the server says. */
export type ClientTrigger =
  | 'welcome'
  | 'hello'
  | 'starttls'
  | 'starttls-refused'
  | 'upgrade'
  | 'secured'
  | 'authenticate'
  | 'auth-over'
  | 'command'
  | 'answer'
  | 'send'
  | 'data'
  | 'go-ahead'
  | 'end'
  | 'transaction-over'
  | 'quit'
  | 'leave'
  | 'close';

export interface ClientRow {
  readonly from: readonly ClientPhase[];
  readonly on: ClientTrigger;
  readonly guards?: readonly ClientGuard[];
  readonly to: ClientPhase;
}

/** The order of a client's session: RFC 5321 3.1 to 3.3 and 4.1.4, RFC 3207 4, RFC 4954 4, RFC 2920 3.1. What has no row does not happen. */
export const CLIENT_TABLE: readonly ClientRow[] = [
  { on: 'welcome', from: ['connect'], to: 'hello' },
  { on: 'hello', from: ['hello'], to: 'ready' },

  { on: 'starttls', from: ['ready'], guards: ['not-leaving', 'nothing-half-open', 'tls-not-active', 'tls-offered'], to: 'starttls' },
  { on: 'starttls-refused', from: ['starttls'], to: 'ready' },
  { on: 'upgrade', from: ['starttls'], to: 'tls' },
  { on: 'secured', from: ['tls'], to: 'hello' },

  {
    on: 'authenticate',
    from: ['ready'],
    guards: ['not-leaving', 'nothing-half-open', 'auth-offered', 'auth-not-done', 'protected'],
    to: 'auth',
  },
  { on: 'auth-over', from: ['auth'], to: 'ready' },

  { on: 'command', from: ['ready'], guards: ['not-leaving'], to: 'command' },
  { on: 'answer', from: ['command'], to: 'ready' },

  { on: 'send', from: ['ready'], guards: ['not-leaving', 'transactions-left'], to: 'envelope' },
  // RFC 2920 3.1: the message may be the first "command" of a group.
  { on: 'send', from: ['message'], guards: ['not-leaving', 'transactions-left', 'transactions-pipelined'], to: 'envelope' },
  { on: 'data', from: ['envelope'], to: 'data' },
  // With BDAT nothing is asked before the message.
  { on: 'go-ahead', from: ['envelope', 'data'], to: 'body' },
  { on: 'end', from: ['body'], to: 'message' },
  { on: 'transaction-over', from: ['envelope', 'data', 'body', 'message'], to: 'ready' },

  { on: 'quit', from: ['ready'], to: 'quit' },
  { on: 'quit', from: ['message'], guards: ['transactions-pipelined'], to: 'quit' },
  { on: 'leave', from: ['connect', 'hello', 'starttls', 'ready'], to: 'quit' },

  {
    on: 'close',
    from: ['connect', 'hello', 'starttls', 'tls', 'ready', 'auth', 'command', 'envelope', 'data', 'body', 'message', 'quit'],
    to: 'closed',
  },
];

/** The row for `on` in `phase`. */
export function findClientRow(phase: ClientPhase, on: ClientTrigger): ClientRow | undefined {
  return CLIENT_TABLE.find((row) => row.on === on && row.from.includes(phase));
}
