import {
  dropAll,
  forgetOffer,
  leaveAsked,
  leaveRefused,
  leaveWithoutTls,
  sayCommand,
  sayHello,
  sayHelo,
  sayQuit,
  sayStarttls,
  settleRest,
  takeOffer,
  tellAnswer,
  tellClosed,
  tellGreeting,
  tellStarttlsRefused,
  tellUpgrade,
} from './effects.ts';
import {
  ehloUnknown,
  halfOpen,
  isLeaving,
  notHalfOpen,
  notLeaving,
  tlsNotActive,
  tlsNotOffered,
  tlsOffered,
  tlsRequired,
  tlsWanted,
  transactionsLeft,
  transactionsPipelined,
} from './guards.ts';
import type { ClientRow, ClientTrigger, Rows } from './row.ts';
import { sayRset } from './transaction-effects.ts';

/** The order of a client's session: RFC 5321 3.1 to 3.3 and 4.1.4, RFC 3207 4, RFC 4954 4, RFC 2920 3.1. A reply that has no row breaks the protocol. */
export const SESSION_ROWS: Rows<ClientTrigger, ClientRow> = {
  greeting: [{ from: ['connect'], effects: [tellGreeting, sayHello], to: 'hello' }],
  'greeting refused': [{ from: ['connect'], effects: [leaveRefused], to: 'quit' }],
  hello: [{ from: ['hello'], effects: [takeOffer], to: 'greeted' }],
  'hello refused': [
    // RFC 5321 3.2, 4.1.4: an old server does not know EHLO. Where TLS is required, HELO would be the way around it.
    { from: ['hello'], guards: [tlsRequired], effects: [leaveRefused], to: 'quit' },
    { from: ['hello'], guards: [ehloUnknown], effects: [sayHelo] },
    { from: ['hello'], effects: [leaveRefused], to: 'quit' },
  ],
  next: [
    { from: ['greeted'], guards: [notLeaving, tlsWanted, tlsOffered], effects: [sayStarttls], to: 'starttls' },
    { from: ['greeted'], guards: [notLeaving, tlsWanted, tlsRequired], effects: [leaveWithoutTls], to: 'quit' },
    { from: ['greeted'], to: 'ready' },
    { from: ['ready'], guards: [isLeaving], effects: [sayQuit], to: 'quit' },
    { from: ['transaction'], guards: [isLeaving, transactionsPipelined], effects: [sayQuit], to: 'quit' },
  ],
  starttls: [
    { from: ['ready'], guards: [notLeaving, notHalfOpen, tlsNotActive, tlsNotOffered], misuse: 'not-offered' },
    { from: ['ready'], guards: [notLeaving, notHalfOpen, tlsNotActive], effects: [sayStarttls], to: 'starttls' },
  ],
  STARTTLS: [{ from: ['starttls'], effects: [tellUpgrade], to: 'tls' }],
  'STARTTLS refused': [
    // RFC 3207 4.1: "the client needs to decide whether or not to continue".
    { from: ['starttls'], guards: [tlsRequired], effects: [leaveWithoutTls], to: 'quit' },
    { from: ['starttls'], effects: [tellStarttlsRefused], to: 'ready' },
  ],
  secured: [
    // RFC 3207 4.1: who finds that the security is not enough "SHOULD issue an SMTP QUIT command immediately".
    { from: ['tls'], guards: [isLeaving], effects: [forgetOffer, leaveAsked], to: 'quit' },
    { from: ['tls'], effects: [forgetOffer, sayHello], to: 'hello' },
  ],
  command: [
    // RFC 3030 2: after a chunk that failed RSET "MUST be issued to clear the transaction before additional commands may be sent".
    { from: ['ready'], guards: [notLeaving, halfOpen], effects: [sayRset], to: 'command' },
    { from: ['ready'], guards: [notLeaving], effects: [sayCommand], to: 'command' },
  ],
  RSET: [{ from: ['command'], effects: [sayCommand] }],
  'RSET refused': [{ from: ['command'], close: 'refused' }],
  answer: [{ from: ['command'], effects: [tellAnswer], to: 'ready' }],
  send: [
    { from: ['ready'], guards: [notLeaving, transactionsLeft], to: 'transaction' },
    // RFC 2920 3.1: the message may be the first "command" of a group.
    { from: ['transaction'], guards: [notLeaving, transactionsLeft, transactionsPipelined] },
  ],
  'transaction-over': [{ from: ['transaction'], to: 'ready' }, { from: ['quit'] }],
  QUIT: [{ from: ['quit'], close: 'quit' }],
  close: [
    {
      from: ['connect', 'hello', 'greeted', 'starttls', 'tls', 'ready', 'auth', 'challenge', 'cancelled', 'command', 'transaction', 'quit'],
      effects: [settleRest, dropAll, tellClosed],
      to: 'closed',
    },
  ],
};
