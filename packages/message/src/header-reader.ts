import { latin1 } from '@ehlo/grammar';
import { utf8NonAscii } from '@ehlo/grammar/imf';
import { type Field, untaken } from './field.ts';
import { HARMLESS, type HeaderDeviation } from './header-deviation.ts';
import { withRoom } from './octets.ts';

/** How much of a header is kept and read. */
export interface HeaderLimits {
  /** Octets of a field, its line ends included. Ours; default 65,536. */
  readonly field: number;
  /** Fields. Ours; default 1,000. */
  readonly fields: number;
  /** Octets of the header. Ours; default 1,048,576. */
  readonly header: number;
}

/** The limits where nothing is said. */
export const HEADER_LIMITS: HeaderLimits = { field: 65_536, fields: 1000, header: 1_048_576 };

export interface HeaderReaderOptions {
  readonly limits?: Partial<HeaderLimits>;
  /** The deviations that are taken. Default: `HARMLESS`. */
  readonly tolerate?: ReadonlySet<HeaderDeviation>;
}

/** What a header reader finds, in the order of the message. */
export type HeaderEvent =
  | { readonly type: 'field'; readonly field: Field }
  /** A line that is no field, before the first one: of a mailbox file, or a continuation of nothing. */
  | { readonly type: 'stray'; readonly raw: Uint8Array; readonly offset: number; readonly deviation: HeaderDeviation }
  /** The header is over. `blankLine`: its octets; empty where there is none. */
  | {
      readonly type: 'end-of-header';
      readonly blankLine: Uint8Array;
      readonly offset: number;
      readonly deviations: readonly HeaderDeviation[];
    }
  /** Octets of the body, untouched: a view of what was pushed. */
  | { readonly type: 'body'; readonly bytes: Uint8Array }
  /** The message is over. */
  | { readonly type: 'end' }
  /** The header is rejected, and nothing more is read. `offset`: octets from the start of the message to the field or line. */
  | {
      readonly type: 'refused';
      readonly code: 'deviation' | 'field-size' | 'fields' | 'header-size';
      readonly offset: number;
      readonly message: string;
    };

const HT = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;

/** RFC 5322 2.1.1, without its CRLF. */
const LONGEST_LINE = 998;

const EMPTY = new Uint8Array(0);

/**
 * Reads the header of a message (RFC 5322 2.2) as a stream: octets in, fields out, then the body untouched. No octet makes it throw, each is
 * looked at once, and it keeps no more than one field.
 *
 * @example
 * ```ts
 * import { HeaderReader } from '@ehlo/message';
 * const reader = new HeaderReader();
 * reader.push(new TextEncoder().encode('From: ann@example.org\r\nSubject: hello\r\n\r\ntext\r\n'));
 * reader.end();
 * const found: string[] = [];
 * for (let event = reader.next(); event !== null; event = reader.next()) found.push(event.type === 'field' ? event.field.name : event.type);
 * found
 * // → ['From', 'Subject', 'end-of-header', 'body', 'end']
 * ```
 */
export class HeaderReader {
  readonly #limits: HeaderLimits;
  readonly #tolerate: ReadonlySet<HeaderDeviation>;
  readonly #events: HeaderEvent[] = [];
  #state: 'header' | 'body' | 'over' = 'header';
  /** Octets that are not yet read: of the field that is open, and of the line behind it that is not whole. */
  #held: Uint8Array = EMPTY;
  #length = 0;
  /** Where in them the line begins that is not whole, and how far it was looked at. */
  #lineAt = 0;
  #scanned = 0;
  /** Whether they begin with a field. */
  #open = false;
  /** Octets of the message before them. */
  #offset = 0;
  #fields = 0;

  constructor({ limits = {}, tolerate = HARMLESS }: HeaderReaderOptions = {}) {
    this.#limits = { ...HEADER_LIMITS, ...limits };
    this.#tolerate = tolerate;
  }

  /** The next octets of the message. Those of the header are copied; those of the body are lent until `next` has given them. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#state === 'over') return;
    if (this.#state === 'body') this.#events.push({ type: 'body', bytes });
    else if (this.#length === 0) this.#read(bytes, bytes.length, bytes);
    else this.#append(bytes);
  }

  /** There are no more octets. */
  end(): void {
    if (this.#state === 'header') this.#endHeader();
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#events.push({ type: 'end' });
  }

  /** What was found next; null: push more, or it is over. */
  next(): HeaderEvent | null {
    return this.#events.shift() ?? null;
  }

  /** Behind octets that are held. Of a chunk that ends the header the body is lent, not copied. */
  #append(bytes: Uint8Array): void {
    const before = this.#length;
    const needed = before + bytes.length;
    this.#held = withRoom(this.#held, before, needed);
    this.#held.set(bytes, before);
    this.#read(this.#held, needed, bytes);
  }

  /** Reads whole lines of `[0, to)`; `chunk` is what its last octets were pushed as. */
  #read(bytes: Uint8Array, to: number, chunk: Uint8Array): void {
    let fieldAt = 0;
    let lf = bytes.subarray(0, to).indexOf(LF, this.#scanned);
    for (; lf >= 0; lf = bytes.subarray(0, to).indexOf(LF, lf + 1)) {
      const line = this.#lineAt;
      const next = this.#line(bytes, fieldAt, line, lf + 1);
      if (this.#state === 'over') return this.#drop();
      if (next < 0) {
        // The body begins at ~next.
        const from = ~next;
        const lent = chunk.length - (to - from);
        this.#drop();
        // What stands before the chunk was held, and is copied.
        if (lent < 0) this.#events.push({ type: 'body', bytes: bytes.slice(from, to - chunk.length) });
        if (lent < chunk.length) this.#events.push({ type: 'body', bytes: chunk.subarray(Math.max(0, lent)) });
        return;
      }
      fieldAt = next;
      this.#lineAt = lf + 1;
    }
    this.#keep(bytes, fieldAt, to);
  }

  /**
   * A line `[from, to)` behind the open field, which begins at `fieldAt`. Returns where the field begins that is open behind it; `~i` if the
   * body begins at i.
   */
  #line(bytes: Uint8Array, fieldAt: number, from: number, to: number): number {
    const first = bytes[from]!;
    if (!this.#fits(bytes, fieldAt, from, to)) return fieldAt;
    if (first === LF || (first === CR && to === from + 2)) {
      if (!this.#close(bytes, fieldAt, from)) return fieldAt;
      return this.#startBody(bytes.slice(from, to), this.#offset + from, first === LF ? ['bare-lf'] : []) ? ~to : fieldAt;
    }
    if (first === SP || first === HT) {
      if (this.#open) return fieldAt;
      return this.#stray(bytes, from, to, 'leading-continuation') ? to : fieldAt;
    }
    if (!this.#close(bytes, fieldAt, from)) return fieldAt;
    if (colonOf(bytes, from, to) > from) {
      this.#open = true;
      return from;
    }
    if (this.#offset + from === 0 && isFromLine(bytes, from, to)) return this.#stray(bytes, from, to, 'from-line') ? to : fieldAt;
    return this.#startBody(EMPTY, this.#offset + from, ['no-blank-line']) ? ~from : fieldAt;
  }

  /** Whether a line is within the limits, whole or as far as it has come: in both cases the same is refused, at the same place. */
  #fits(bytes: Uint8Array, fieldAt: number, from: number, to: number): boolean {
    const { field, header } = this.#limits;
    const start = this.#open && (bytes[from] === SP || bytes[from] === HT) ? fieldAt : from;
    const fieldEnd = this.#offset + start + field;
    if (this.#offset + to <= Math.min(fieldEnd, header)) return true;
    // The one that is reached first.
    if (fieldEnd <= header) return this.#refuse('field-size', this.#offset + start, `a field of more than ${field} octets`);
    return this.#refuse('header-size', this.#offset + from, `a header of more than ${header} octets`);
  }

  /** The open field ends at `to`, if there is one. False if it is refused. */
  #close(bytes: Uint8Array, from: number, to: number): boolean {
    if (!this.#open) return true;
    this.#open = false;
    const offset = this.#offset + from;
    const { fields } = this.#limits;
    if (++this.#fields > fields) return this.#refuse('fields', offset, `more than ${fields} fields`);
    const raw = bytes.slice(from, to);
    const colon = colonOf(raw, 0, raw.length);
    let nameEnd = colon;
    while (raw[nameEnd - 1] === SP || raw[nameEnd - 1] === HT) nameEnd--;
    const found = deviationsOf(raw, nameEnd, colon);
    if (!this.#takes(found, offset)) return false;
    this.#events.push({ type: 'field', field: { name: latin1(raw, 0, nameEnd), raw, offset, valueAt: colon + 1, deviations: found } });
    return true;
  }

  #stray(bytes: Uint8Array, from: number, to: number, deviation: HeaderDeviation): boolean {
    const offset = this.#offset + from;
    if (!this.#takes([deviation], offset)) return false;
    this.#events.push({ type: 'stray', raw: bytes.slice(from, to), offset, deviation });
    return true;
  }

  #startBody(blankLine: Uint8Array, offset: number, deviations: readonly HeaderDeviation[]): boolean {
    if (!this.#takes(deviations, offset)) return false;
    this.#state = 'body';
    this.#events.push({ type: 'end-of-header', blankLine, offset, deviations });
    return true;
  }

  /** RFC 5322 3.5: a message may have no body, and then no blank line. */
  #endHeader(): void {
    const to = this.#length;
    const bytes = this.#held;
    if (this.#lineAt < to) {
      // A last line without its end.
      const next = this.#line(bytes, 0, this.#lineAt, to);
      if (this.#state === 'over') return;
      if (next < 0) {
        if (~next < to) this.#events.push({ type: 'body', bytes: bytes.slice(~next, to) });
        return;
      }
      if (!this.#close(bytes, next, to)) return;
    } else if (!this.#close(bytes, 0, to)) return;
    this.#startBody(EMPTY, this.#offset + to, []);
  }

  /** Keeps what is not read yet: from the open field, or from the line that is not whole. */
  #keep(bytes: Uint8Array, fieldAt: number, to: number): void {
    const from = this.#open ? fieldAt : this.#lineAt;
    this.#lineAt -= from;
    this.#scanned = to - from;
    if (bytes !== this.#held) this.#held = bytes.slice(from, to);
    else if (from > 0) this.#held.copyWithin(0, from, to);
    this.#length = to - from;
    this.#offset += from;
    if (this.#lineAt < this.#length && !this.#fits(this.#held, 0, this.#lineAt, this.#length)) this.#drop();
  }

  #drop(): void {
    this.#held = EMPTY;
    this.#length = 0;
  }

  /** False if one of them is rejected: it is reported, and reading ends. */
  #takes(found: readonly HeaderDeviation[], offset: number): boolean {
    const wrong = found.find((name) => !this.#tolerate.has(name));
    return wrong === undefined || this.#refuse('deviation', offset, untaken(wrong));
  }

  #refuse(code: Extract<HeaderEvent, { readonly type: 'refused' }>['code'], offset: number, message: string): false {
    this.#state = 'over';
    this.#events.push({ type: 'refused', code, offset, message });
    return false;
  }
}

/** The colon behind the name of a field; -1 if the line `[from, to)` begins with no name: it has white space within, or nothing. */
function colonOf(bytes: Uint8Array, from: number, to: number): number {
  let i = from;
  while (i < to && bytes[i] !== COLON && bytes[i] !== SP && bytes[i] !== HT && bytes[i] !== CR && bytes[i] !== LF) i++;
  if (i === from) return -1;
  while (i < to && (bytes[i] === SP || bytes[i] === HT)) i++;
  return i < to && bytes[i] === COLON ? i : -1;
}

function isFromLine(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from > 5 && [0x46, 0x72, 0x6f, 0x6d, SP].every((octet, k) => bytes[from + k] === octet);
}

/** What is odd about a field whose name ends at `nameEnd`. */
function deviationsOf(raw: Uint8Array, nameEnd: number, colon: number): readonly HeaderDeviation[] {
  const found = new Set<HeaderDeviation>();
  if (nameEnd < colon) found.add('space-before-colon');
  for (let i = 0; i < nameEnd; i++) if (raw[i]! < 0x21 || raw[i]! > 0x7e) found.add('odd-name');
  let lineAt = 0;
  let blank = false;
  for (let i = colon; i < raw.length; ) {
    const octet = raw[i]!;
    // As most are.
    if (octet > SP && octet < 0x80) blank = false;
    else if (octet === LF) {
      const ends = raw[i - 1] === CR ? i - 1 : i;
      if (ends === i) found.add('bare-lf');
      if (ends - lineAt > LONGEST_LINE) found.add('long-line');
      if (blank) found.add('blank-continuation');
      lineAt = i + 1;
      blank = lineAt < raw.length;
    } else if (octet === CR) {
      if (raw[i + 1] !== LF) found.add('bare-cr');
    } else if (octet === 0) found.add('nul');
    else if (octet >= 0x80) {
      const end = utf8NonAscii(raw, i, raw.length);
      if (end < 0) found.add('octets-beyond-utf8');
      else i = end - 1;
      blank = false;
    } else if (octet !== SP && octet !== HT) blank = false;
    i++;
  }
  if (raw.length - lineAt > LONGEST_LINE) found.add('long-line');
  return [...found];
}
