import type { Defect } from './check.ts';
import { fromBytes } from './octets.ts';
import type { Nothing, Wire } from './wire.ts';

/** A reply as it came. */
export interface Reply {
  /** Three digits; `malformed` where they are no code. */
  readonly code: string;
  /** The text of each line, behind code and separator. */
  readonly lines: readonly string[];
  /** The octets, in latin1. */
  readonly raw: string;
  readonly defects: ReadonlySet<Defect>;
}

/** RFC 5321 4.5.3.1.5: with the CRLF. */
const LINE_OCTETS = 512;
/** A reply that is longer is not read to its end: who sends it does not stop. */
const REPLY_OCTETS = 262_144;

/** Reads replies from a connection, whatever is wrong with them: a line is what ends with LF. */
export class ReplyReader {
  readonly #wire: Wire;
  #buffer = '';
  #over: Nothing | null = null;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** The next reply. Where the connection ends within one, that is what is told. */
  async next(patience: number): Promise<Reply | Nothing> {
    const lines: string[] = [];
    let octets = 0;
    for (;;) {
      const line = await this.#line(patience);
      if (line === 'end' || line === 'reset' || line === 'silence') return line;
      lines.push(line.text);
      octets += line.text.length;
      // What has no code has no line behind it, either.
      if (!/^[0-9]{3}-/.test(line.text) || octets > REPLY_OCTETS) return readReply(lines);
    }
  }

  /** Octets that have come and that nobody has asked for. */
  get rest(): string {
    return this.#buffer;
  }

  /** What was read in clear is none of the session that begins by TLS. */
  forget(): void {
    this.#buffer = '';
  }

  async #line(patience: number): Promise<{ readonly text: string } | Nothing> {
    for (let from = 0; ; ) {
      const end = this.#buffer.indexOf('\n', from);
      if (end >= 0 || this.#buffer.length > REPLY_OCTETS) {
        const text = this.#buffer.slice(0, end < 0 ? this.#buffer.length : end + 1);
        this.#buffer = this.#buffer.slice(text.length);
        return { text };
      }
      from = this.#buffer.length;
      const read = this.#over ?? (await this.#wire.read(patience));
      if (typeof read === 'string') {
        if (read !== 'silence') this.#over = read;
        return read;
      }
      this.#buffer += fromBytes(read);
    }
  }
}

/** RFC 5321 4.2: what the octets of a reply say, and what is wrong with them. */
function readReply(raw: readonly string[]): Reply {
  const defects = new Set<Defect>();
  const codes = new Set<string>();
  const lines = raw.map((line, i) => {
    const body = line.replace(/\r?\n$/, '');
    if (!line.endsWith('\r\n') || body.includes('\r')) defects.add('bare-line-end');
    if (line.length > LINE_OCTETS) defects.add('too-long');
    // A bare CR is told as what it is.
    if ([...body].some((octet) => octet < ' ' && octet !== '\t' && octet !== '\r') || body.includes('\x7f')) defects.add('control');
    if ([...body].some((octet) => octet > '\x7f')) defects.add('not-ascii');
    const [, code = '', separator = '', text = body] = /^([0-9]{3})(.?)(.*)$/s.exec(body) ?? [];
    codes.add(code);
    if (!/^[2-5][0-5][0-9]$/.test(code)) defects.add('code');
    if (separator === '') defects.add('bare-code');
    else if (separator !== (i < raw.length - 1 ? '-' : ' ')) defects.add('separator');
    return text;
  });
  if (codes.size > 1) defects.add('codes-differ');
  const [code] = codes;
  return { code: /^[2-5][0-9]{2}$/.test(code!) ? code! : 'malformed', lines, raw: raw.join(''), defects };
}
