import { decodeUtf8, encodeUtf8, latin1, octets, replyOf, utf8NonAscii } from '@ehlo/grammar';
import { showOctets, WITHHELD } from '../redact.ts';
import { answer } from './answer.ts';
import type { ClientCore } from './core.ts';
import type { ClientEvent, ClientFaultCode } from './events.ts';
import type { Quirk } from './quirk.ts';
import { fault, over } from './run.ts';

/** A line that lacks only its end. */
const WHOLE = /^[2-5][0-9]{2} /;

/** What TLS begins with (RFC 8446 5.1): an alert, or a handshake. No reply does. */
const TLS_RECORDS: readonly number[] = [0x15, 0x16];

/** Replies whose text is text. */
const PLAIN: readonly string[] = ['GREETING', 'EHLO', 'HELO', 'LHLO'];

/** Reads replies line by line. Nothing of them is kept but the lines of one that is not whole yet. */
export class ReplyReader {
  #code = 0;
  #lines: string[] = [];
  #octets = 0;
  /** The line that is being read; the number of digits of its code; and its text, which is the whole line if it has no code. */
  #line = '';
  #digits = 0;
  #text = '';
  /** The texts of the lines, and the pending events about them. Where there are secrets, events wait for the whole reply. */
  #texts: string[] = [];
  #told: Told[] = [];
  #quirks: Quirk[] = [];

  /** Reads and carries out all replies that have arrived with these octets. */
  read(core: ClientCore, bytes: Uint8Array): void {
    const { input } = core;
    if (core.phase === 'connect' && input.empty && TLS_RECORDS.includes(bytes[0]!)) return fault(core, 'speaks-tls', '');
    input.push(bytes);
    while (core.phase !== 'closed') {
      // Octets after the 220, in the same chunk or in a later one: never replies, neither before TLS nor after (CVE-2011-0411).
      if (core.phase === 'tls' && !input.empty) return fault(core, 'plaintext-after-starttls', '');
      // One octet more than is allowed tells that there are too many.
      const line = input.next(core.limits.replyLine + 1);
      if (line === null) break;
      this.#take(core, line);
    }
    if (core.due[0]?.live !== true && (!input.empty || this.#lines.length > 0)) core.premature = true;
    core.settle();
  }

  /**
   * The server has ended its side. A last line without its CRLF, such as a 421, is read where it says all that counts: its code, and by the
   * space that it is the last.
   */
  end(core: ClientCore): void {
    const rest = core.phase === 'closed' ? '' : core.input.rest();
    if (WHOLE.test(rest) && core.options.replies !== 'strict') {
      this.#split(rest, 3, rest.length);
      this.#taken(core, 'unended-line');
      this.#take(core, `${rest.replace(/\r$/, '')}\r\n`);
    }
    over(core, 'ended');
  }

  #take(core: ClientCore, line: string): void {
    const { limits, options } = core;
    // Extra CRs at the end are removed: they would become part of an EHLO keyword.
    let end = line.length;
    const ended = line.charCodeAt(end - 1) === LF;
    if (ended) for (end--; line.charCodeAt(end - 1) === CR; ) end--;
    const code = codeOf(line, end);
    this.#split(line, code === 0 ? 0 : 3, end);
    if (core.redactor !== null) this.#texts.push(this.#text);
    if (options.trace === true)
      this.#told.push(this.#telling(core, (line) => ({ type: 'trace', from: 'server', line }), this.#shown(core)));
    this.#octets += end + 2;
    if (line.length > limits.replyLine || this.#octets > limits.replyOctets || this.#lines.length === limits.replyLines)
      return this.#fault(core, 'reply-too-long');
    if (code === 0) return this.#fault(core, 'malformed-reply');
    if (!(ended && end < line.length - 1) && !this.#taken(core, 'bare-lf-line')) return;
    const before = this.#lines.length === 0 ? code : this.#code;
    if (code !== before) {
      // RFC 5321 4.2.1: the codes MUST be the same. If they differ, the more severe one counts; but between 2yz and 3yz neither is more severe.
      if (code < 400 && before < 400 && classOf(code) !== classOf(before)) return this.#fault(core, 'mixed-codes');
      if (!this.#taken(core, 'mixed-codes')) return;
    }
    this.#code = Math.max(code, before);
    const text = this.#text;
    const read = ODD.test(text) ? decoded(text) : text;
    // RFC 6531 3.7.4: UTF-8 is what was asked for by SMTPUTF8, and nowhere else.
    const odd = read !== text && !(core.due[0]?.utf8 === true && isWhole(read, text));
    if (odd || end < line.length - 2) this.#taken(core, 'odd-text');
    this.#lines.push(read);
    if (line.charCodeAt(3) !== HYPHEN || end === 3) return this.#answer(core);
    if (core.redactor?.active !== true) this.#tell(core);
  }

  #split(line: string, digits: number, end: number): void {
    this.#line = line;
    this.#digits = digits;
    this.#text = line.slice(digits === 0 ? 0 : digits + 1, end);
  }

  #answer(core: ClientCore): void {
    const lines = this.#lines;
    const withheld = this.#tell(core);
    const asked = core.due[0]?.to;
    this.#lines = [];
    this.#octets = 0;
    if (this.#quirks.length > 0) this.#quirks = [];
    // RFC 2034 4: the greeting and the answer to EHLO have no enhanced code: what looks like one is text.
    const reply = asked !== undefined && PLAIN.includes(asked) ? { code: this.#code, lines } : replyOf(this.#code, lines);
    core.withheld = withheld ? lines.join(' ') : null;
    const challenge = core.exchange !== null && reply.code === 334;
    const code = answer(core, withheld && !challenge ? core.redactor!.reply(reply) : reply);
    if (code !== null) fault(core, code, this.#shown(core)(withheld));
  }

  /** Emits the pending events; returns whether the texts are withheld. */
  #tell(core: ClientCore): boolean {
    const withheld = core.redactor?.withholds(this.#texts.splice(0)) === true;
    if (this.#told.length > 0) for (const tell of this.#told.splice(0)) tell(withheld);
    return withheld;
  }

  #fault(core: ClientCore, code: ClientFaultCode): void {
    const shown = this.#shown(core);
    fault(core, code, shown(this.#tell(core)));
  }

  /** Whether a quirk is tolerated; it is reported once per reply. */
  #taken(core: ClientCore, quirk: 'bare-lf-line' | 'mixed-codes' | 'odd-text' | 'unended-line'): boolean {
    if ((quirk === 'bare-lf-line' || quirk === 'mixed-codes') && core.options.replies === 'strict') {
      this.#fault(core, quirk);
      return false;
    }
    if (this.#quirks.includes(quirk)) return true;
    this.#quirks.push(quirk);
    const tell = this.#telling(core, (line) => ({ type: 'quirk', quirk, line }), this.#shown(core));
    // No quirk is reported for a hidden text: it would reveal part of it.
    this.#told.push((withheld) => (withheld && quirk === 'odd-text' ? undefined : tell(withheld)));
    return true;
  }

  #telling(core: ClientCore, event: (line: string) => ClientEvent, shown: Shown): Told {
    return (withheld) => core.events.push(event(shown(withheld)));
  }

  /** The line that is being read, as it may stand in a log. */
  #shown({ redactor, exchange }: ClientCore): Shown {
    const line = this.#line;
    const head = this.#digits === 0 ? '' : `${line.slice(0, this.#digits)}${line[this.#digits] === '-' ? '-' : ' '}`;
    const text = this.#text;
    if (head.startsWith('334')) return () => `334 ${WITHHELD}`;
    // In an exchange a line that is no reply may be anything.
    const always = head === '' && exchange !== null;
    return (withheld) => (withheld || always ? redactor!.line(head, text) : showOctets(head + text));
  }
}

/** A line for a log, and the event about it, once it is known whether its text is withheld. */
type Shown = (withheld: boolean) => string;
type Told = (withheld: boolean) => void;

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const HYPHEN = 0x2d;
const ZERO = 0x30;

/**
 * RFC 5321 4.2: the code, followed by nothing, by a hyphen (more lines follow) or by a space; 0 if there is no code. The second digit may be any:
 * the RFC allows 0 to 5 only, but nothing depends on it.
 */
function codeOf(line: string, end: number): number {
  const mark = end > 3 ? line.charCodeAt(3) : SP;
  if (end < 3 || (mark !== SP && mark !== HYPHEN)) return 0;
  const a = line.charCodeAt(0) - ZERO;
  const b = line.charCodeAt(1) - ZERO;
  const c = line.charCodeAt(2) - ZERO;
  return a >= 2 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9 ? 100 * a + 10 * b + c : 0;
}

function classOf(code: number): number {
  return Math.floor(code / 100);
}

/** An octet that no text may hold. */
const ODD = /[^\t -~]/;

/** A text as it came: UTF-8 is decoded (RFC 6531 3.7.4.1), and an octet that no text may hold becomes `?`. It is escaped where it is shown. */
function decoded(text: string): string {
  const bytes = octets(text);
  for (let i = 0; i < bytes.length; i++) {
    const end = utf8NonAscii(bytes, i, bytes.length);
    if (end > i) i = end - 1;
    else if (!/[\t -~]/.test(text[i]!)) bytes[i] = QUESTION_MARK;
  }
  return decodeUtf8(bytes, 0, bytes.length);
}

const QUESTION_MARK = 0x3f;

/** Whether nothing of a text was replaced. */
function isWhole(read: string, text: string): boolean {
  const bytes = encodeUtf8(read);
  return latin1(bytes, 0, bytes.length) === text;
}
