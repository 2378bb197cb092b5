import { append, EMPTY, HIGH, hasControl, wordsOf } from '../octets.ts';

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

const NO_WORDS: DataView = /* @__PURE__ */ wordsOf(EMPTY);

/** Octets that are read of the message at a time. */
const BLOCK = 65_536;
/** A run of at least so many octets that need nothing put between them is handed on where it lies. */
const LONG = 4096;

/** The state of the writer: at the start of a line, within a line, or after a CR. Numbers, because each octet tests it. */
const LINE = 0;
const TEXT = 1;
const BEHIND_CR = 2;
type WriterState = typeof LINE | typeof TEXT | typeof BEHIND_CR;

/** Why a message can't be sent on. */
export type BrokenBody = 'declaration' | 'bare-line-end';

/** How a message is written. */
export interface BodyForm {
  /** RFC 5321 4.5.2: a dot at the beginning of a line is doubled. */
  readonly stuff: boolean;
  /** RFC 3030 3: BINARYMIME is sent as it is. */
  readonly exact: boolean;
  /** A CR or LF alone is refused, not made CRLF. */
  readonly refuseBare: boolean;
  /** Octets beyond ASCII are refused: nothing was declared that allows them. */
  readonly ascii: boolean;
}

/**
 * Writes a message as mail data: doubles dots and completes line ends (RFC 5321 2.3.8: never a CR or LF alone). It only
 * inserts octets, so long unchanged runs are passed on as views, not copied. Work is linear; at most one block is prepared ahead.
 */
export class BodyWriter {
  readonly #form: BodyForm;
  #source: Uint8Array = EMPTY;
  #words: DataView = NO_WORDS;
  #at = 0;
  #state: WriterState = LINE;
  /** The last octet that was given is a CR. */
  #cr = false;

  constructor(form: BodyForm) {
    this.#form = form;
  }

  /** Whether all that was written has been taken. */
  get idle(): boolean {
    return this.#at === this.#source.length;
  }

  /** Takes the next octets of the message; or says why they can't be sent. */
  write(bytes: Uint8Array): BrokenBody | null {
    const words = wordsOf(bytes);
    if (this.#form.ascii && !isAscii(words)) return 'declaration';
    if (this.#form.refuseBare && this.#hasBare(bytes)) return 'bare-line-end';
    this.#source = bytes;
    this.#words = words;
    this.#at = 0;
    return null;
  }

  /** The next octets for the wire; null if there are none. */
  next(): Uint8Array | null {
    const source = this.#source;
    const from = this.#at;
    const to = Math.min(source.length, from + BLOCK);
    if (from === to) return null;
    if (this.#form.exact) return this.#take(source.subarray(from, to), to);
    const clean = this.#run(source, from, to);
    if (clean === to || clean - from >= LONG) return this.#take(source.subarray(from, clean), clean);
    return this.#compact(source, from, clean, to);
  }

  /** Whether the message can't end here. */
  end(): BrokenBody | null {
    return this.#form.refuseBare && this.#cr ? 'bare-line-end' : null;
  }

  /** What the last line lacks of its end. */
  finish(): string {
    return this.#form.exact || this.#state === LINE ? '' : this.#state === BEHIND_CR ? '\n' : '\r\n';
  }

  #take(bytes: Uint8Array, at: number): Uint8Array {
    this.#at = at;
    // What is done with is not held any longer.
    if (this.idle) {
      this.#source = EMPTY;
      this.#words = NO_WORDS;
      this.#at = 0;
    }
    return bytes;
  }

  /** Whether a CR or LF stands alone, as far as is known. */
  #hasBare(bytes: Uint8Array): boolean {
    for (const byte of bytes) {
      if (this.#cr !== (byte === LF)) return true;
      this.#cr = byte === CR;
    }
    return false;
  }

  /** How far `[from, to)` can go out as it is: `to`, or the octet before which another is missing. */
  #run(bytes: Uint8Array, from: number, to: number): number {
    const { stuff } = this.#form;
    let state = this.#state;
    let i = from;
    while (i < to) {
      if (state === TEXT) {
        i = textEnd(this.#words, i, to);
        if (i === to) break;
      }
      const byte = bytes[i]!;
      if (state === BEHIND_CR) {
        if (byte !== LF) break;
        state = LINE;
      } else if (byte === CR) state = BEHIND_CR;
      else if (byte === LF || (byte === DOT && state === LINE && stuff)) break;
      else state = TEXT;
      i++;
    }
    this.#state = state;
    return i;
  }

  /** Copies `[from, clean)`, then the rest with the octets that are missing in it, until the block (source size plus reserve) is full. */
  #compact(bytes: Uint8Array, from: number, clean: number, to: number): Uint8Array {
    const out = new Uint8Array(to - from + ((to - from) >> 3) + MOST_PUT);
    let filled = 0;
    let i = from;
    let stop = clean;
    for (let end = to; ; ) {
      append(out, filled, bytes, i, stop);
      filled += stop - i;
      i = stop;
      if (i >= end) return this.#take(out.subarray(0, filled), i);
      out[filled++] = this.#missing(bytes[i]!);
      end = Math.min(to, i + out.length - filled - 1);
      stop = this.#run(bytes, i, end);
    }
  }

  /** What has to come before an octet at which `#run` has stopped. */
  #missing(byte: number): number {
    if (this.#state === BEHIND_CR) {
      this.#state = LINE;
      return LF;
    }
    this.#state = byte === LF ? BEHIND_CR : TEXT;
    return byte === LF ? CR : DOT;
  }
}

/** One input octet becomes at most three: the added LF of a bare CR, the added dot, the octet. */
const MOST_PUT = 3;

/** Where text ends in `[from, to)`: at a CR or an octet below it. */
function textEnd(words: DataView, from: number, to: number): number {
  let i = from;
  // Eight at a time: nothing is found in most of them.
  while (i + 7 < to && !hasControl(words.getInt32(i, true)) && !hasControl(words.getInt32(i + 4, true))) i += 8;
  while (i < to && words.getUint8(i) > CR) i++;
  return i;
}

function isAscii(words: DataView): boolean {
  let all = 0;
  let i = 0;
  // Sixteen octets at a time: for four the loop itself would take most of the time.
  for (const last = words.byteLength - 15; i < last; i += 16)
    all |= words.getInt32(i, true) | words.getInt32(i + 4, true) | words.getInt32(i + 8, true) | words.getInt32(i + 12, true);
  while (i < words.byteLength) all |= words.getUint8(i++);
  return (all & HIGH) === 0;
}
