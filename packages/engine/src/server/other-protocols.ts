// Clients of other protocols. An attacker can make a browser send SMTP commands in the body of a request or in a TLS session ticket. Such a client
// gets one reply, and nothing that follows is executed.
import { latin1, octets, parseVerb, type Verb } from '@ehlo/grammar';
import { METHODS } from '../methods.ts';
import type { Machine } from './machine.ts';

/** RFC 8446 5.1: TLS begins with a record of the type handshake. No command of SMTP begins with this octet, and base64 has none. */
const TLS_HANDSHAKE = 0x16;

/** RFC 9110 5.6.2: a token; and what follows it: white space after a method, a colon after the name of a field. */
const TOKEN = /^[\t ]*([!#$%&'*+.^`|~\w-]+)[\t ]*(:|(?<=[\t ]))/;

/** RFC 9112 2.3, RFC 9113 3.4: the end of a request line, whatever method it begins with. */
const VERSION = /[\t ]HTTP\/[0-9](?:\.[0-9])?[\t ]*$/i;
const SLASH = 0x2f;

/** Methods and field names are looked for in this many octets: only the beginning of a line that is too long is kept. */
const BEGINNING = 256;

/** Ends the session if a TLS handshake begins where a line is expected: no line will follow it. */
export function beginsTls(machine: Machine): boolean {
  const begins = machine.input.peek() === TLS_HANDSHAKE;
  // RFC 5321 4.3.2: 421 may answer anything.
  if (begins) machine.take('other-protocol', { line: 'TLS ClientHello' });
  return begins;
}

/**
 * Whether the line that was read is part of an HTTP request. After an accepted MAIL the peer speaks SMTP, because no HTTP request can begin with
 * one: from then on such lines are only unknown commands, answered by 500, and the session continues (RFC 5321 3.8).
 */
export function isOfRequest({ facts, input }: Machine, verb: Verb | null): boolean {
  if (facts.speaksSmtp) return false;
  const { bytes, from, to, overlong } = input;
  // Almost every line begins with a verb, and has no slash.
  if (verb !== null && !hasSlash(bytes, from, to)) return false;
  const [, word = '', colon] = TOKEN.exec(latin1(bytes, from, Math.min(to, from + BEGINNING))) ?? [];
  // A word that begins with a verb may be one that is misspelt: `MAILFROM:<ann@client.example>`. Methods are found in any case: a browser
  // sends `patch` as it is given.
  if (colon === ':' ? parseVerb(octets(word.slice(0, 4))) === null : METHODS.has(word.toUpperCase())) return true;
  return !overlong && VERSION.test(latin1(bytes, from, to));
}

function hasSlash(bytes: Uint8Array, from: number, to: number): boolean {
  let i = from;
  while (i < to && bytes[i] !== SLASH) i++;
  return i < to;
}
