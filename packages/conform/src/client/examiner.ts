import type { Octets } from '../check.ts';
import { expand, fromBytes, toBytes } from '../octets.ts';
import type { DialogueLine } from '../session.ts';
import type { Act, ClientCheck, ClientProtocol } from './check.ts';
import type { Peer, Silence } from './peer.ts';

/** What was done in a session, by either side. */
export interface Entry {
  readonly from: 'client' | 'server';
  /** Of the client a verb, `content`, `response`, `tls`, `end` or `reset`; of the server `VERB=250`. */
  readonly token: string;
  /** Its octets, in latin1. */
  readonly text: string;
  /** More was there before the reply to it was sent. */
  ahead?: boolean;
}

/** How the examiner speaks. */
export interface Manner {
  readonly protocol: ClientProtocol;
  /** Behind STARTTLS the check begins; where the check is about STARTTLS itself, before it. */
  readonly tls: boolean;
  /** AUTH is offered. */
  readonly auth: boolean;
  /** How long the client is waited for, in milliseconds. */
  readonly patience: number;
  /** How long it is waited for what the client may send too early, in milliseconds. */
  readonly hold: number;
}

const HOST = 'examiner.example';
const SHOWN_OCTETS = 600;
/** Who sends more than this does not stop. */
const MOST_OCTETS = 8 * 1024 * 1024;

/** A server that takes everything but what the script of a check says otherwise, and writes down what its client does. */
export class Examiner {
  readonly log: Entry[] = [];
  readonly dialogue: DialogueLine[] = [];
  /** What the client has sent in clear, and under TLS. */
  sent = '';
  /** Contents of messages, as they came. */
  readonly contents: string[] = [];
  readonly #peer: Peer;
  readonly #check: ClientCheck;
  readonly #manner: Manner;
  #buffer = '';
  #over: Silence | null = null;
  #counts: Map<string, number> = new Map();
  #secured = false;
  /** Chunks of the message that comes by BDAT. */
  #chunks = '';
  #lastCode = '';
  /** Recipients of this transaction that were accepted. */
  #accepted = 0;
  /** Responses of AUTH that are still to come, as their challenges in base64. */
  #challenges: string[] = [];

  constructor(peer: Peer, check: ClientCheck, manner: Manner) {
    this.#peer = peer;
    this.#check = check;
    this.#manner = manner;
  }

  async run(): Promise<void> {
    if ((await this.#more(this.#manner.hold)) !== 'silence')
      this.log.push({ from: 'client', token: 'before-greeting', text: this.#buffer });
    let goes = await this.#answer('connect', `220 ${HOST} ESMTP examiner\r\n`);
    while (goes) goes = await this.#next();
    if (this.#over === null) await this.#farewell();
  }

  /** Reads a command and answers it; false: the session is over. */
  async #next(): Promise<boolean> {
    const line = await this.#line();
    if (line === null) return false;
    const [, verb = ''] = /^([A-Za-z0-9]+)/.exec(line) ?? [];
    const entry = this.#note(verb.toUpperCase(), line);
    // What follows BDAT is its chunk.
    if (entry.token !== 'BDAT') await this.#lookAhead(entry);
    switch (entry.token) {
      case 'EHLO':
      case 'HELO':
      case 'LHLO':
        return await this.#answer(entry.token, this.#hello(entry.token));
      case 'MAIL':
      case 'RSET':
        this.#accepted = 0;
        return await this.#answer(entry.token, '250 OK\r\n');
      case 'RCPT': {
        const goes = await this.#answer('RCPT', '250 OK\r\n');
        if (this.#lastCode.startsWith('2')) this.#accepted++;
        return goes;
      }
      case 'NOOP':
        return await this.#answer('NOOP', '250 OK\r\n');
      case 'DATA':
        // RFC 2033 4.2: without a recipient DATA fails.
        if (this.#isLmtp && this.#accepted === 0) return await this.#answer('DATA', '503 No recipient\r\n');
        return await this.#answer('DATA', '354 Go on\r\n', async () => await this.#content());
      case 'BDAT':
        return await this.#chunk(line, entry);
      case 'STARTTLS':
        return await this.#starttls();
      case 'AUTH':
        return await this.#auth(line);
      case 'QUIT':
        await this.#answer('QUIT', `221 ${HOST} Bye\r\n`);
        return false;
      default:
        return await this.#answer(entry.token === '' ? 'unknown' : entry.token, '500 Not known\r\n');
    }
  }

  get #isLmtp(): boolean {
    return this.#manner.protocol === 'lmtp';
  }

  /** RFC 2033 4.1: LMTP has LHLO in place of EHLO and HELO. */
  #hello(verb: string): string {
    if ((verb === 'LHLO') !== this.#isLmtp) return '500 Not known\r\n';
    if (verb === 'HELO') return `250 ${HOST}\r\n`;
    const { about } = this.#check;
    const offer = offerOf(this.#check, this.#secured);
    const outside = this.#manner.tls && !this.#secured;
    // Before TLS a check that is about something else has not begun.
    const early = outside && about !== 'starttls';
    const keywords = early ? [] : offer;
    const more = [...(early ? ['STARTTLS'] : []), ...(this.#manner.auth && about !== 'auth' && !early ? ['AUTH PLAIN LOGIN'] : [])];
    const lines = [HOST, ...keywords, ...more.filter((keyword) => !keywords.includes(keyword))];
    return lines.map((line, i) => `250${i < lines.length - 1 ? '-' : ' '}${line}\r\n`).join('');
  }

  async #starttls(): Promise<boolean> {
    if (!this.#manner.tls || this.#secured) return await this.#answer('STARTTLS', '502 Not here\r\n');
    const goes = await this.#answer('STARTTLS', '220 Go on\r\n');
    if (!goes || !/^2/.test(this.#lastCode)) return goes;
    this.#buffer = '';
    try {
      await this.#peer.secure();
    } catch (error) {
      this.#tell(`no TLS: ${(error as Error).message}`);
      this.log.push({ from: 'client', token: 'tls-failed', text: '' });
      return false;
    }
    this.#secured = true;
    this.#counts = new Map();
    this.#tell('TLS');
    this.log.push({ from: 'client', token: 'tls', text: '' });
    return true;
  }

  async #auth(line: string): Promise<boolean> {
    const [, mechanism = '', initial] = /^AUTH +(\S+)(?: +(\S+))?/i.exec(line) ?? [];
    const challenges = CHALLENGES.get(mechanism.toUpperCase());
    if (challenges === undefined) return await this.#answer('AUTH', '504 Not this one\r\n');
    this.#challenges = [...challenges.slice(initial === undefined ? 0 : 1)];
    return await this.#challenge('AUTH');
  }

  /** Says the next challenge, or that all is well. */
  async #challenge(on: string): Promise<boolean> {
    const challenge = this.#challenges.shift();
    const goes = await this.#answer(on, challenge === undefined ? '235 Welcome\r\n' : `334 ${challenge}\r\n`);
    // The script may ask once more, or no more.
    if (!goes || this.#lastCode !== '334') return goes;
    const line = await this.#line();
    if (line === null) return false;
    await this.#lookAhead(this.#note('response', line));
    return line.startsWith('*') ? await this.#answer('response', '501 Cancelled\r\n') : await this.#challenge('response');
  }

  async #content(): Promise<boolean> {
    let content = '';
    for (;;) {
      const line = await this.#line(false);
      if (line === null) {
        this.#note('content-cut', content);
        return false;
      }
      if (line === '.\r\n') break;
      content += line;
    }
    this.contents.push(content);
    await this.#lookAhead(this.#note('content', content));
    return await this.#taken();
  }

  /** The replies to a message: one, or in LMTP one for each recipient that was accepted (RFC 2033 4.2). */
  async #taken(): Promise<boolean> {
    const replies = this.#isLmtp ? this.#accepted : 1;
    this.#accepted = 0;
    for (let i = 0; i < replies; i++) if (!(await this.#answer('content', '250 Taken\r\n'))) return false;
    return true;
  }

  async #chunk(line: string, entry: Entry): Promise<boolean> {
    const [, octets = '0', last] = /^BDAT ([0-9]{1,9})( LAST)?/i.exec(line) ?? [];
    while (this.#buffer.length < Number(octets)) if ((await this.#more(this.#manner.patience)) !== 'octets') return false;
    const chunk = this.#buffer.slice(0, Number(octets));
    this.#buffer = this.#buffer.slice(chunk.length);
    this.#show('client', chunk);
    this.#chunks += chunk;
    await this.#lookAhead(entry);
    if (last === undefined) return await this.#answer('BDAT', '250 OK\r\n');
    this.contents.push(stuffed(this.#chunks));
    this.#chunks = '';
    this.#note('content', '');
    return await this.#taken();
  }

  /** Says what the script says here, or the usual; `then` follows where the usual code was said. */
  async #answer(on: string, usual: string, goOn: () => Promise<boolean> = async () => true): Promise<boolean> {
    const nth = (this.#counts.get(on) ?? 0) + 1;
    this.#counts.set(on, nth);
    // The greeting is one, whatever the client is set up for.
    const begun = this.#begun || on === 'connect';
    const act = begun ? this.#check.script?.find((one) => one.on === on && (one.nth === undefined || one.nth === nth)) : undefined;
    const said = act?.say === undefined ? usual : octetsOf(act.say);
    if (act?.wait !== undefined) {
      await this.#peer.wait(act.wait);
      const last = this.log.filter(({ from }) => from === 'client').at(-1);
      if (last !== undefined) await this.#lookAhead(last);
    }
    await this.#say(said, act?.cut);
    // What is said behind the first reply is not of this command.
    this.#lastCode = /(?:^|\n)([0-9]{3})(?: |\r)/.exec(said)?.[1] ?? '';
    this.log.push({ from: 'server', token: `${on}=${this.#lastCode}`, text: said });
    if (act?.then === 'reset') {
      this.#peer.reset();
      this.#over = 'reset';
      this.#tell('the examiner resets the connection');
      return false;
    }
    if (act?.then === 'close' || this.#lastCode === '421') {
      this.#tell('the examiner closes');
      return false;
    }
    return this.#lastCode === usual.slice(0, 3) ? await goOn() : true;
  }

  /** Whether the script counts: before TLS a check that is not about it has not begun. */
  get #begun(): boolean {
    return !this.#manner.tls || this.#secured || this.#check.about === 'starttls';
  }

  /** The examiner has ended; the client may still say something. */
  async #farewell(): Promise<void> {
    this.#peer.end();
    for (;;) {
      const line = await this.#line();
      if (line === null) return;
      this.#note(/^[A-Za-z0-9]+/.exec(line)?.[0].toUpperCase() ?? 'unknown', line);
    }
  }

  async #lookAhead(entry: Entry): Promise<void> {
    if (this.#buffer === '') await this.#more(this.#manner.hold);
    entry.ahead = this.#buffer !== '';
  }

  #note(token: string, text: string): Entry {
    const entry: Entry = { from: 'client', token, text };
    this.log.push(entry);
    return entry;
  }

  /** A line with its end; null: the connection is over, or nothing comes any more. Only LF ends a command here; only CRLF a line of content. */
  async #line(command = true): Promise<string | null> {
    const end = command ? '\n' : '\r\n';
    for (let from = 0; ; ) {
      const at = this.#buffer.indexOf(end, from);
      if (at >= 0) {
        const line = this.#buffer.slice(0, at + end.length);
        this.#buffer = this.#buffer.slice(line.length);
        this.#show('client', line);
        return line;
      }
      from = Math.max(0, this.#buffer.length - 1);
      const more = await this.#more(this.#manner.patience);
      if (more !== 'octets') {
        if (this.#buffer !== '') this.#note('half-line', this.#buffer);
        this.log.push({ from: 'client', token: more, text: '' });
        return null;
      }
    }
  }

  async #more(ms: number): Promise<'octets' | Silence> {
    if (this.#over !== null) return this.#over;
    const seen = await this.#peer.read(ms);
    if (typeof seen === 'string') {
      if (seen === 'silence') return seen;
      this.#over = seen;
      this.#tell(seen === 'end' ? 'the client has closed' : 'the connection was reset');
      return seen;
    }
    const text = fromBytes(seen);
    this.#buffer += text;
    this.sent += text;
    if (this.sent.length > MOST_OCTETS) {
      this.#over = 'reset';
      this.#peer.reset();
    }
    return 'octets';
  }

  async #say(text: string, cut: Act['cut']): Promise<void> {
    if (text === '') return;
    this.#show('server', text);
    const at = cut === 'half' ? Math.floor(text.length / 2) : 0;
    const pieces = cut === 'octets' ? [...text] : at > 0 ? [text.slice(0, at), text.slice(at)] : [text];
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await this.#peer.wait(1);
      await this.#peer.write(toBytes(piece));
    }
  }

  #show(from: DialogueLine['from'], text: string): void {
    this.dialogue.push({ from, text: text.length > SHOWN_OCTETS ? `${text.slice(0, SHOWN_OCTETS)}… (${text.length} octets)` : text });
  }

  #tell(text: string): void {
    this.dialogue.push({ from: 'connection', text });
  }
}

/** What a check has EHLO list. STARTTLS goes with TLS, unless the check says otherwise. */
export function offerOf({ offer = [], secure }: ClientCheck, isSecure: boolean): readonly string[] {
  if (!isSecure) return offer;
  return secure ?? offer.filter((keyword) => keyword !== 'STARTTLS');
}

/** What is asked in each exchange, in base64; the first is nothing where there is an initial response. */
const CHALLENGES: ReadonlyMap<string, readonly string[]> = new Map([
  ['PLAIN', ['']],
  ['LOGIN', ['VXNlcm5hbWU6', 'UGFzc3dvcmQ6']],
  ['CRAM-MD5', ['PDE4OTYuNjk3MTcwOTUyQGV4YW1pbmVyLmV4YW1wbGU+']],
]);

function octetsOf(octets: Octets): string {
  return expand(octets, {});
}

/** A chunk has no stuffed dots: it gets some, so that contents are alike. */
function stuffed(text: string): string {
  return text.replaceAll(/^\./gm, '..');
}
