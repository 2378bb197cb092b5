import { replyOf } from '@ehlo/grammar';
import { escaped } from '../escape.ts';
import { answer } from './answer.ts';
import type { ClientCore } from './core.ts';
import type { Quirk } from './events.ts';

/** RFC 5321 4.2: the code, a hyphen where more lines follow, and text. That the second digit goes up to 5 only is not insisted on: it means nothing. */
const LINE = /^([2-5][0-9]{2})(?:([ -])(.*))?$/s;

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
    const printable = text.replaceAll(/[^\t -~]/g, '?');
    if (printable !== text) this.#taken(core, 'odd-text', line);
    this.#lines.push(printable);
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
  #taken(core: ClientCore, quirk: 'bare-lf-line' | 'mixed-codes' | 'odd-text', line: string): boolean {
    if (quirk !== 'odd-text' && core.options.replies === 'strict') {
      core.fault(quirk, line);
      return false;
    }
    if (!this.#quirks.has(quirk)) core.events.push({ type: 'quirk', quirk, line });
    this.#quirks.add(quirk);
    return true;
  }
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
