import { decodeUtf8, encodeUtf8, latin1, octets, replyOf, utf8NonAscii } from '@ehlo/grammar';
import { showOctets, WITHHELD } from '../redact.ts';
import { answer } from './answer.ts';
import type { ClientCore } from './core.ts';
import type { ClientEvent, ClientFaultCode, Quirk } from './events.ts';

/** RFC 5321 4.2: the code, a hyphen where more lines follow, and text. That the second digit goes up to 5 only is not insisted on: it means nothing. */
const LINE = /^([2-5][0-9]{2})(?:([ -])(.*))?$/s;

/** A line that lacks only its end. */
const WHOLE = /^[2-5][0-9]{2} /;

/** What TLS begins with (RFC 8446 5.1): an alert, or a handshake. No reply does. */
const TLS_RECORDS: readonly number[] = [0x15, 0x16];

/** Replies whose text is text. */
const PLAIN = /GREETING|[EL]HLO|HELO/;

/** Reads replies line by line. Nothing of them is kept but the lines of one that is not whole yet. */
export class ReplyReader {
  #code = 0;
  #lines: string[] = [];
  #octets = 0;
  /** The texts of the lines as they came, and what is told of them: where there are secrets it is told when the reply is whole. */
  #texts: string[] = [];
  #told: Told[] = [];
  readonly #quirks: Set<Quirk> = new Set();

  /** Reads and carries out all replies that have arrived with these octets. */
  read(core: ClientCore, bytes: Uint8Array): void {
    const { input } = core;
    if (core.phase === 'connect' && input.empty && TLS_RECORDS.includes(bytes[0]!)) return core.fault('speaks-tls', '');
    input.push(bytes);
    while (core.phase !== 'closed') {
      // Octets behind the 220, in the same chunk or in a later one: never replies, neither before TLS nor after (CVE-2011-0411).
      if (core.phase === 'tls' && !input.empty) return core.fault('plaintext-after-starttls', '');
      // One octet more than is allowed tells that there are too many.
      const line = input.next(core.limits.replyLine + 1);
      if (line === null) break;
      this.#line(core, line);
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
      this.#taken(core, 'unended-line', shownBy(core, rest.slice(0, 3), ' ', rest.slice(4)));
      this.#line(core, `${rest.replace(/\r$/, '')}\r\n`);
    }
    core.over('ended');
  }

  #line(core: ClientCore, ended: string): void {
    const { limits } = core;
    // A CR too many belongs to no word: it would hide a keyword of EHLO.
    const whole = ended.replace(/\r*\n$/, '');
    const [, digits = '', mark = ' ', rest = ''] = LINE.exec(whole) ?? [];
    const shown = shownBy(core, digits, mark, digits === '' ? whole : rest);
    this.#texts.push(digits === '' ? whole : rest);
    if (core.options.trace === true) this.#told.push((withheld) => [{ type: 'trace', from: 'server', line: shown(withheld) }]);
    this.#octets += whole.length + 2;
    const code = Number(digits);
    if (ended.length > limits.replyLine || this.#octets > limits.replyOctets || this.#lines.length === limits.replyLines)
      return this.#fault(core, 'reply-too-long', shown);
    if (digits === '') return this.#fault(core, 'malformed-reply', shown);
    if (!ended.endsWith('\r\n') && !this.#taken(core, 'bare-lf-line', shown)) return;
    const before = this.#lines.length === 0 ? code : this.#code;
    if (code !== before) {
      // RFC 5321 4.2.1: the codes MUST be the same. Of two that differ the worse counts; but nobody knows which of "go on" and "done" is.
      if (code < 400 && before < 400 && digits[0] !== String(before)[0]) return this.#fault(core, 'mixed-codes', shown);
      if (!this.#taken(core, 'mixed-codes', shown)) return;
    }
    this.#code = Math.max(code, before);
    const read = decoded(rest);
    // RFC 6531 3.7.4: UTF-8 is what was asked for by SMTPUTF8, and nowhere else.
    const odd = read !== rest && !(core.due[0]?.utf8 === true && isWhole(read, rest));
    if (odd || ended.endsWith('\r\r\n')) this.#taken(core, 'odd-text', shown);
    this.#lines.push(read);
    if (mark === ' ') return this.#answer(core, shown);
    if (core.redactor?.active !== true) this.#tell(core);
  }

  #answer(core: ClientCore, shown: Shown): void {
    const lines = this.#lines;
    const withheld = this.#tell(core);
    const asked = core.due[0]?.to ?? '';
    this.#lines = [];
    this.#octets = 0;
    this.#quirks.clear();
    // RFC 2034 4: the greeting and the answer to EHLO have no enhanced code: what looks like one is text.
    const reply = PLAIN.test(asked) ? { code: this.#code, lines } : replyOf(this.#code, lines);
    core.withheld = withheld ? lines.join(' ') : null;
    const challenge = core.exchange !== null && reply.code === 334;
    answer(core, withheld && !challenge ? core.redactor!.reply(reply) : reply, shown(withheld));
  }

  /** Tells what there is to tell; returns whether the texts are withheld. */
  #tell(core: ClientCore): boolean {
    const withheld = core.redactor?.withholds(this.#texts) === true;
    for (const tell of this.#told) core.events.push(...tell(withheld));
    this.#texts = [];
    this.#told = [];
    return withheld;
  }

  #fault(core: ClientCore, code: ClientFaultCode, shown: Shown): void {
    core.fault(code, shown(this.#tell(core)));
  }

  /** Whether a quirk is taken; it is told once for each reply. */
  #taken(core: ClientCore, quirk: 'bare-lf-line' | 'mixed-codes' | 'odd-text' | 'unended-line', shown: Shown): boolean {
    if ((quirk === 'bare-lf-line' || quirk === 'mixed-codes') && core.options.replies === 'strict') {
      this.#fault(core, quirk, shown);
      return false;
    }
    // A text that is withheld is not told to be odd: that, too, says something of it.
    const tell: Told = (withheld) => (withheld && quirk === 'odd-text' ? [] : [{ type: 'quirk', quirk, line: shown(withheld) }]);
    if (!this.#quirks.has(quirk)) this.#told.push(tell);
    this.#quirks.add(quirk);
    return true;
  }
}

/** A line as it may stand in a log, and what is told of it, once it is known whether its text is withheld. */
type Shown = (withheld: boolean) => string;
type Told = (withheld: boolean) => readonly ClientEvent[];

function shownBy({ redactor, exchange }: ClientCore, digits: string, mark: string, text: string): Shown {
  if (digits === '334') return () => `334 ${WITHHELD}`;
  const head = digits === '' ? '' : digits + mark;
  // In an exchange a line that is no reply may be anything.
  const always = digits === '' && exchange !== null;
  return (withheld) => (withheld || always ? redactor!.line(head, text) : showOctets(head + text));
}

/** A text as it came: UTF-8 is decoded (RFC 6531 3.7.4.1), and an octet that no text may hold becomes `?`. It is escaped where it is shown. */
function decoded(text: string): string {
  if (!/[^\t -~]/.test(text)) return text;
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
