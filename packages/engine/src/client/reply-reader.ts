import { decodeUtf8, encodeUtf8, latin1, octets, replyOf, utf8NonAscii } from '@ehlo/grammar';
import { escaped } from '../escape.ts';
import { answer } from './answer.ts';
import type { ClientCore } from './core.ts';
import type { Quirk } from './events.ts';

/** RFC 5321 4.2: the code, a hyphen where more lines follow, and text. That the second digit goes up to 5 only is not insisted on: it means nothing. */
const LINE = /^([2-5][0-9]{2})(?:([ -])(.*))?$/s;

/** A line that lacks only its end. */
const WHOLE = /^[2-5][0-9]{2} /;

/** What TLS begins with (RFC 8446 5.1): an alert, or a handshake. No reply does. */
const TLS_RECORDS: readonly number[] = [0x15, 0x16];

/** Replies whose text is text. */
const PLAIN = /GREETING|[EL]HLO|HELO/;

/** The longest line that is shown. */
const SHOWN = 200;

/** Reads replies line by line. Nothing of them is kept but the lines of one that is not whole yet. */
export class ReplyReader {
  #code = 0;
  #lines: string[] = [];
  #octets = 0;
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
      this.#taken(core, 'unended-line', show(core, masked(core, rest), rest.slice(0, 3)));
      this.#line(core, `${rest.replace(/\r$/, '')}\r\n`);
    }
    core.over('ended');
  }

  #line(core: ClientCore, ended: string): void {
    const { limits } = core;
    const whole = ended.replace(/\r?\n$/, '');
    const [, digits = '', mark = ' ', rest = ''] = LINE.exec(whole) ?? [];
    const text = digits === '334' ? rest : masked(core, rest);
    const line = show(core, digits === '' ? masked(core, whole) : digits + mark + text, digits);
    core.trace('server', line);
    this.#octets += whole.length + 2;
    const code = Number(digits);
    if (ended.length > limits.replyLine || this.#octets > limits.replyOctets || this.#lines.length === limits.replyLines)
      return core.fault('reply-too-long', line);
    if (digits === '') return core.fault('malformed-reply', line);
    if (!ended.endsWith('\r\n') && !this.#taken(core, 'bare-lf-line', line)) return;
    const before = this.#lines.length === 0 ? code : this.#code;
    if (code !== before) {
      // RFC 5321 4.2.1: the codes MUST be the same. Of two that differ the worse counts; but nobody knows which of "go on" and "done" is.
      if (code < 400 && before < 400 && digits[0] !== String(before)[0]) return core.fault('mixed-codes', line);
      if (!this.#taken(core, 'mixed-codes', line)) return;
    }
    this.#code = Math.max(code, before);
    const read = decoded(text);
    // RFC 6531 3.7.4: UTF-8 is what was asked for by SMTPUTF8, and nowhere else.
    if (read !== text && !(core.due[0]?.utf8 === true && isWhole(read, text))) this.#taken(core, 'odd-text', line);
    this.#lines.push(read);
    if (mark === '-') return;
    const reply = this.#lines;
    const asked = core.due[0]?.to ?? '';
    this.#lines = [];
    this.#octets = 0;
    this.#quirks.clear();
    // RFC 2034 4: the greeting and the answer to EHLO have no enhanced code: what looks like one is text.
    answer(core, PLAIN.test(asked) ? { code: this.#code, lines: reply } : replyOf(this.#code, reply), line);
  }

  /** Whether a quirk is taken; it is told once for each reply. */
  #taken(core: ClientCore, quirk: 'bare-lf-line' | 'mixed-codes' | 'odd-text' | 'unended-line', line: string): boolean {
    if ((quirk === 'bare-lf-line' || quirk === 'mixed-codes') && core.options.replies === 'strict') {
      core.fault(quirk, line);
      return false;
    }
    if (!this.#quirks.has(quirk)) core.events.push({ type: 'quirk', quirk, line });
    this.#quirks.add(quirk);
    return true;
  }
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

/** A text without what was sent in an AUTH exchange, should the server repeat it. */
function masked({ secrets, exchange }: ClientCore, text: string): string {
  return [...secrets, ...(exchange?.said ?? [])].reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

/** A line as it may stand in a log; `code` is empty where it has none. */
function show({ phase }: ClientCore, line: string, code: string): string {
  if (line.startsWith('334')) return '334 ***';
  if (phase === 'auth' && code === '') return '***';
  return escaped(line.slice(0, SHOWN)) + (line.length > SHOWN ? '…' : '');
}
