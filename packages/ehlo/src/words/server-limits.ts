import { LIMITS, type LimitName } from '@ehlo/engine';
import type { Words } from './words.ts';

/** What each limit of a server limits. */
const WHAT: { readonly [name in LimitName]: string } = {
  commandLine: 'a command line with its CRLF',
  authLine: 'a line of an AUTH exchange with its CRLF',
  messageSize: 'a message without its stuffed dots; SIZE announces it',
  recipients: 'accepted recipients of a message',
  transactions: 'MAIL commands of a session; beyond them it closes with 421',
  recipientDomains: 'different domains of the recipients of a session',
  refusedRecipients:
    'recipients that were refused, by the engine or the program, since a message was accepted; at the next one the session closes with 421',
  idleCommands: 'commands since a message was accepted, but RCPT, BDAT and QUIT; beyond them the session closes with 421',
  deliverBy: 'the least that DELIVERBY announces and takes',
  smallChunks: 'chunks of fewer than 64 octets, but the last of a message, in a session; beyond them it closes with 421',
  faults: 'commands that the engine refused, before it closes with 421',
  faultDelay: 'how long the reply to a fault is held back, to slow down clients that guess (a tarpit)',
  output: 'replies that wait to be taken; beyond it no command is read',
  drain:
    'octets that are read and discarded: of a refused message those beyond `messageSize`, of a refused chunk all; beyond it the session closes',
  dataBlock: 'what must arrive within `dataTimeout` while a message is read',
  greetingDelay: 'how long the greeting is held back to catch early talkers',
  commandTimeout: 'waiting for a whole command',
  dataTimeout: 'waiting for a block of a message',
  authTimeout: 'waiting for a line of an AUTH exchange',
  tlsTimeout: 'waiting for a TLS handshake to end',
  flushTimeout: 'waiting for the peer to read its replies',
  connectAnswer: 'an answer to `connect`',
  commandAnswer: 'an answer to `hello`, `mail`, `rcpt`, `info`, `auth`, `starttls`',
  dataAnswer: 'an answer to `data`',
  messageAnswer: 'an answer to `message`, and for content to be taken',
};

/** The words of the limits of a server; the numbers are the engine's. */
export const SERVER_LIMITS: { readonly [name in LimitName]: Words } = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { value, least, unit, source }]) => {
    const words: Words = { what: WHAT[name as LimitName], unit: `${unit}, at least ${least}`, default: String(value), source };
    return [name, words];
  }),
) as { readonly [name in LimitName]: Words };
