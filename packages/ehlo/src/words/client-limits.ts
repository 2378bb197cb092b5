import { type ClientLimitName, CLIENT_LIMITS as NUMBERS } from '@ehlo/engine';
import type { Words } from './words.ts';

/** What each limit of a client limits. */
const WHAT: { readonly [name in ClientLimitName]: string } = {
  greetingTimeout: 'waiting for the greeting',
  helloTimeout: 'waiting for the answer to EHLO, HELO or LHLO',
  mailTimeout: 'waiting for the answer to MAIL, or to RSET before it',
  rcptTimeout: 'waiting for the answer to RCPT',
  dataTimeout: 'waiting for the answer to DATA',
  blockTimeout: 'waiting for a block of the message to leave, or for the answer to BDAT',
  messageTimeout: 'waiting for the answer to the end of the message',
  commandTimeout: 'waiting for the answer to STARTTLS, NOOP, VRFY, EXPN or HELP, or for the end of a line that is no answer',
  authTimeout: 'waiting for an answer in an AUTH exchange',
  tlsTimeout: 'waiting for the TLS handshake to end',
  quitTimeout: 'waiting for the answer to QUIT, which changes nothing any more',
  block: 'what must leave within `blockTimeout` while a message is sent',
  rate: 'the lowest mean speed at which the server must read a message, after an initial `blockTimeout`; 0 for none',
  flight: 'commands that wait for their replies, with pipelining',
  replyLine: 'a line of a reply, its code and CRLF included',
  replyLines: 'lines of one reply',
  replyOctets: 'all lines of one reply',
  challenges: 'challenges in one AUTH exchange',
};

/** The words of the limits of a client; the numbers are the engine's. */
export const CLIENT_LIMITS: { readonly [name in ClientLimitName]: Words } = Object.fromEntries(
  Object.entries(NUMBERS).map(([name, { value, unit, source }]) => {
    const words: Words = { what: WHAT[name as ClientLimitName], unit, default: String(value), source };
    return [name, words];
  }),
) as { readonly [name in ClientLimitName]: Words };
