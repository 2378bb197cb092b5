import type { Reply } from '@ehlo/grammar';
import { dataEnd } from './reference.ts';

/** Which reply says yes to which verb (RFC 5321 4.3.2, RFC 3207 4, RFC 4954 4, RFC 3030 2, RFC 1985 5.1, Postfix). */
const YES: ReadonlyMap<string, readonly number[]> = new Map([
  ['EHLO', [250]],
  ['HELO', [250]],
  ['LHLO', [250]],
  ['MAIL', [250]],
  ['RCPT', [250, 251]],
  ['DATA', [354]],
  ['BDAT', [250]],
  ['RSET', [250]],
  ['NOOP', [250]],
  ['VRFY', [250, 252]],
  ['EXPN', [250]],
  ['HELP', [211, 214]],
  ['ETRN', [250, 251, 252, 253]],
  ['QUIT', [221]],
  ['STARTTLS', [220]],
  ['AUTH', [235, 334]],
  ['XCLIENT', [220]],
  ['XFORWARD', [250]],
]);

/** Verbs after which, if they are accepted, there are no recipients. */
const CLEANS: ReadonlySet<string> = new Set(['EHLO', 'HELO', 'LHLO', 'MAIL', 'RSET']);

/** What a reply answered: a command line with its end (and its chunk), a line of an AUTH exchange, a message. */
export interface Unit {
  readonly kind: 'greeting' | 'command' | 'response' | 'message' | 'farewell';
  readonly octets: string;
  readonly reply: Reply;
}

/** What the client knows of the server before it begins. */
export interface Setting {
  readonly lmtp: boolean;
  /** Whether CHUNKING is offered. */
  readonly chunking: boolean;
  /** Whether LF alone ends a line, too; else what stands in front of it is refused, and the line goes on (RFC 5321 2.3.8). */
  readonly lfEnds: boolean;
}

type Expected = 'greeting' | 'command' | 'response' | 'message' | 'nothing';

/**
 * Gives each reply of a session to what the client sent, by nothing but the standards: a line makes a reply, behind 354 a message
 * makes one, behind 334 a response does; BDAT has its chunk with it (RFC 3030 2). In LMTP the message makes one for each accepted
 * recipient (RFC 2033 4.2), and its last chunk none where there are none (4.3). Throws where a reply is too much, too few, or can't
 * belong to its command.
 */
export function account(segments: readonly string[], replies: readonly Reply[], open: boolean, setting: Setting): Unit[] {
  const accountant = new Accountant(segments, setting);
  for (const reply of replies) accountant.take(reply);
  if (open) accountant.complete();
  return accountant.units;
}

class Accountant {
  readonly units: Unit[] = [];
  readonly #segments: readonly string[];
  readonly #setting: Setting;
  #expects: Expected = 'greeting';
  #segment = 0;
  #at = 0;
  /** Recipients of this transaction that were accepted. */
  #recipients = 0;
  /** Replies to the message that are still to come, behind its first (LMTP). */
  #due = 0;

  constructor(segments: readonly string[], setting: Setting) {
    this.#segments = segments;
    this.#setting = setting;
  }

  get #stream(): string {
    return this.#segments[this.#segment]!;
  }

  take(reply: Reply): void {
    const { code } = reply;
    if (this.#due > 0) {
      // RFC 5321 4.2.2: 421 closes; that each recipient hears it is as good.
      if (this.#expects === 'nothing' && code !== 421) throw new Error(`${code} after 421`);
      this.#due--;
      this.#add('message', this.#at, reply);
      if (code === 421) this.#expects = 'nothing';
      return;
    }
    if (this.#expects === 'nothing') throw new Error(`${code} after the last reply`);
    if (this.#expects === 'greeting') return this.#greeting(reply);
    this.#passSilentChunks();
    const end = this.#end();
    if (end < 0) {
      // RFC 5321 4.2.2: 421 "may be a reply to any command", or to none. A chunk that is too large is not waited for: 552 ends the session.
      if (code !== 421 && !(code === 552 && this.#isChunkOnItsWay()))
        throw new Error(`${code} to nothing; ${this.#expects} was due: ${JSON.stringify(this.#stream.slice(this.#at))}`);
      this.#add('farewell', this.#at, reply);
      this.#expects = 'nothing';
      return;
    }
    if (this.#expects === 'message') {
      if (code < 400 && code !== 250) throw new Error(`${code} to a message`);
      this.#expects = 'command';
      this.#message(end, reply);
    } else if (this.#expects === 'response') {
      if (code < 400 && code !== 334 && code !== 235) throw new Error(`${code} to a response`);
      this.#expects = code === 334 ? 'response' : 'command';
      this.#add('response', end, reply);
    } else this.#command(end, reply);
    if (code === 421 || code === 221) this.#expects = 'nothing';
  }

  /** In a session that is still open, or closed only for want of input, nothing whole is left unanswered. */
  complete(): void {
    this.#passSilentChunks();
    const whole = this.#expects !== 'greeting' && this.#expects !== 'nothing' && this.#end() >= 0;
    if (this.#expects === 'greeting' || whole || this.#due > 0 || this.#segment + 1 < this.#segments.length) {
      const rest = JSON.stringify(this.#stream.slice(this.#at));
      throw new Error(`no reply to ${rest}, ${this.#expects}, segment ${this.#segment}, ${this.#due} due`);
    }
  }

  #add(kind: Unit['kind'], end: number, reply: Reply): void {
    this.units.push({ kind, octets: this.#stream.slice(this.#at, end), reply });
    this.#at = end;
  }

  #greeting(reply: Reply): void {
    const { code } = reply;
    if (code !== 220 && code < 400) throw new Error(`greeted by ${code}`);
    this.#add('greeting', 0, reply);
    this.#expects = code === 421 ? 'nothing' : 'command';
  }

  #command(end: number, reply: Reply): void {
    const { code } = reply;
    const stream = this.#stream;
    const line = stream.slice(this.#at, this.#lineEnd());
    const verb = /^[a-z0-9-]*/i.exec(line.slice(0, 20))![0].toUpperCase();
    if (code < 400 && !YES.get(verb)?.includes(code)) throw new Error(`${code} to ${JSON.stringify(line)}`);
    if (this.#setting.chunking && BDAT.exec(line)?.[2] !== undefined) return this.#message(end, reply);
    this.#add('command', end, reply);
    if (code === 354) this.#expects = 'message';
    if (code === 334) this.#expects = 'response';
    if (code < 400 && verb === 'RCPT') this.#recipients++;
    if (code < 400 && CLEANS.has(verb)) this.#recipients = 0;
    if (code !== 220 || verb !== 'STARTTLS') return;
    // What stands behind STARTTLS has no reply, and nothing has after it.
    this.#recipients = 0;
    if (this.#at < stream.length) this.#expects = 'nothing';
    else if (this.#segment + 1 < this.#segments.length) {
      this.#segment++;
      this.#at = 0;
    }
  }

  /** The first reply to a message. */
  #message(end: number, reply: Reply): void {
    this.#add('message', end, reply);
    this.#due = this.#setting.lmtp ? this.#recipients - 1 : 0;
    this.#recipients = 0;
  }

  /** RFC 2033 4.3: "If there were no previously successful RCPT commands … the BDAT LAST command returns zero replies." */
  #passSilentChunks(): void {
    const { lmtp, chunking } = this.#setting;
    while (this.#expects === 'command' && lmtp && chunking && this.#recipients === 0) {
      const end = this.#end();
      if (end < 0 || BDAT.exec(this.#stream.slice(this.#at, this.#lineEnd()))?.[2] === undefined) return;
      this.#at = end;
    }
  }

  /** Whether a BDAT is to be answered next whose octets have not all arrived. */
  #isChunkOnItsWay(): boolean {
    const end = this.#lineEnd();
    return this.#expects === 'command' && end >= 0 && BDAT.test(this.#stream.slice(this.#at, end));
  }

  /** Where that ends which is to be answered next; -1: it has not. */
  #end(): number {
    const stream = this.#stream;
    if (this.#expects === 'message') return dataEnd(stream, this.#at);
    return this.#expects === 'command' ? commandEnd(stream, this.#at, this.#setting.lfEnds) : this.#lineEnd();
  }

  #lineEnd(): number {
    return lineEnd(this.#stream, this.#at, this.#setting.lfEnds);
  }
}

/** A size, and whether this is the last chunk. */
const BDAT = /^BDAT[ \t]+([0-9]+)([ \t]+LAST)?[ \t]*\r?\n$/i;

/** Behind the line at `at`; -1 if it has not come. A line that is refused for a bare LF may be answered in front of its end. */
function lineEnd(stream: string, at: number, lfEnds: boolean): number {
  if (lfEnds) return stream.indexOf('\n', at) + 1 || -1;
  const end = stream.indexOf('\r\n', at) + 2;
  if (end > 1) return end;
  return stream.includes('\n', at) ? stream.length : -1;
}

/** Behind a command line, or the chunk that belongs to it (RFC 3030 2), whatever is answered; -1: it has not arrived. */
export function commandEnd(stream: string, at: number, lfEnds: boolean): number {
  const end = lineEnd(stream, at, lfEnds);
  if (end < 0) return -1;
  const size = BDAT.exec(stream.slice(at, end))?.[1];
  if (size === undefined) return end;
  return end + Number(size) <= stream.length ? end + Number(size) : -1;
}
