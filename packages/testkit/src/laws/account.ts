import type { Reply } from '@ehlo/grammar';
import { dataEnd } from './reference.ts';

/** Which reply says yes to which verb (RFC 5321 4.3.2, RFC 3207 4, RFC 4954 4). */
const YES: ReadonlyMap<string, readonly number[]> = new Map([
  ['EHLO', [250]],
  ['HELO', [250]],
  ['MAIL', [250]],
  ['RCPT', [250, 251]],
  ['DATA', [354]],
  ['RSET', [250]],
  ['NOOP', [250]],
  ['VRFY', [250, 252]],
  ['EXPN', [250]],
  ['HELP', [211, 214]],
  ['QUIT', [221]],
  ['STARTTLS', [220]],
  ['AUTH', [235, 334]],
]);

/** What a reply answered: a command line with its end, a line of an AUTH exchange, a message. */
export interface Unit {
  readonly kind: 'greeting' | 'command' | 'response' | 'message' | 'farewell';
  readonly octets: string;
  readonly reply: Reply;
}

/**
 * Gives each reply of a session to what the client sent, by nothing but RFC 5321: a line makes a reply, behind 354 a message makes one,
 * behind 334 a response does. Throws where a reply is too much, too few, or can't belong to its command.
 */
export function account(segments: readonly string[], replies: readonly Reply[], open: boolean): Unit[] {
  const units: Unit[] = [];
  let expects: 'greeting' | 'command' | 'response' | 'message' | 'nothing' = 'greeting';
  let segment = 0;
  let at = 0;
  const add = (kind: Unit['kind'], end: number, reply: Reply): void => {
    units.push({ kind, octets: segments[segment]!.slice(at, end), reply });
    at = end;
  };
  for (const reply of replies) {
    const { code } = reply;
    const stream = segments[segment]!;
    if (expects === 'nothing') throw new Error(`${code} after the last reply`);
    if (expects === 'greeting') {
      if (code !== 220 && code < 400) throw new Error(`greeted by ${code}`);
      add('greeting', 0, reply);
      expects = code === 421 ? 'nothing' : 'command';
      continue;
    }
    const end = expects === 'message' ? dataEnd(stream, at) : expects === 'command' ? commandEnd(stream, at) : lineEnd(stream, at);
    if (end < 0) {
      // RFC 5321 4.2.2: 421 "may be a reply to any command", or to none.
      if (code !== 421) throw new Error(`${code} to nothing; ${expects} was due: ${JSON.stringify(stream.slice(at))}`);
      add('farewell', at, reply);
      expects = 'nothing';
      continue;
    }
    if (expects === 'message') {
      if (code < 400 && code !== 250) throw new Error(`${code} to a message`);
      add('message', end, reply);
      expects = 'command';
    } else if (expects === 'response') {
      if (code < 400 && code !== 334 && code !== 235) throw new Error(`${code} to a response`);
      add('response', end, reply);
      expects = code === 334 ? 'response' : 'command';
    } else {
      const verb = /^[a-z0-9-]*/i.exec(stream.slice(at, Math.min(end, at + 20)))![0].toUpperCase();
      if (code < 400 && !YES.get(verb)?.includes(code)) throw new Error(`${code} to ${JSON.stringify(stream.slice(at, end))}`);
      add('command', end, reply);
      if (code === 354) expects = 'message';
      if (code === 334) expects = 'response';
      if (code === 220) {
        // What stands behind STARTTLS has no reply, and nothing has after it.
        if (at < stream.length) expects = 'nothing';
        else if (segment + 1 < segments.length) {
          segment++;
          at = 0;
        }
      }
    }
    if (code === 421 || code === 221) expects = 'nothing';
  }
  if (open) complete(segments, segment, at, expects);
  return units;
}

/** Behind the LF of the line at `at`; -1 if there is none. */
function lineEnd(stream: string, at: number): number {
  return stream.indexOf('\n', at) + 1 || -1;
}

/** RFC 3030 2: the octets of a chunk belong to BDAT, whatever is answered. */
function commandEnd(stream: string, at: number): number {
  const end = lineEnd(stream, at);
  const size = /^BDAT +([0-9]+)(?: +LAST)?[ \t]*\r?\n$/i.exec(stream.slice(at, Math.max(at, end)))?.[1];
  if (size === undefined) return end;
  return end + Number(size) <= stream.length ? end + Number(size) : -1;
}

/** In a session that is still open, or closed only for want of input, nothing whole is left unanswered. */
function complete(segments: readonly string[], segment: number, at: number, expects: string): void {
  const rest = segments[segment]!.slice(at);
  const whole = (expects === 'message' ? dataEnd(rest, 0) : expects === 'command' ? commandEnd(rest, 0) : lineEnd(rest, 0)) >= 0;
  if (expects === 'greeting' || whole || segment + 1 < segments.length) {
    throw new Error(`no reply to ${JSON.stringify(rest)}, ${expects}, segment ${segment}`);
  }
}
