import { HIGH, hasControl, wordsOf } from '../octets.ts';
import type { MessageFacts } from './envelope.ts';

/** All that one pass over a message finds. */
export interface MessageScan extends Required<MessageFacts> {
  /** What the body holds. Where it is not known, 8BITMIME is declared where it is offered. RFC 6152, RFC 3030. */
  readonly body: '7BIT' | '8BITMIME';
  /** Each CR that no LF follows. */
  readonly bareCr: number;
  /** Each LF that no CR precedes. */
  readonly bareLf: number;
  /** Each NUL. */
  readonly nul: number;
  /** Octets of the longest line, its CRLF included. Octets; RFC 5321 4.5.3.1.6: at most 1000. */
  readonly longestLine: number;
}

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Finds in one pass what a plan wants to know of a message, given whole or in pieces. `size` and `longestLine` are those of the message as
 * it will be sent, with every line end a CRLF.
 *
 * @example
 * ```ts
 * import { scanMessage } from '@ehlo/engine';
 * import { octets } from '@ehlo/grammar';
 * const { size, body, smtpUtf8, bareLf, longestLine } = scanMessage(octets('Subject: hello\r\n\r\nna\u00efve\n'));
 * [size, body, smtpUtf8, bareLf, longestLine]
 * // → [25, '8BITMIME', false, 1, 16]
 * ```
 */
export function scanMessage(message: Uint8Array | Iterable<Uint8Array>): MessageScan {
  let octets = 0;
  let bareCr = 0;
  let bareLf = 0;
  let nul = 0;
  let longestLine = 0;
  let line = 0; // octets of the line so far, a CR at its end not counted
  let cr = false;
  let header = true;
  let every = 0; // all octets of the body, or-ed, and so words of them
  let headerEvery = 0;
  const utf8 = new Utf8();
  for (const bytes of message instanceof Uint8Array ? [message] : message) {
    const words = wordsOf(bytes);
    const eight = bytes.length - 7;
    octets += bytes.length;
    for (let i = 0; i < bytes.length; ) {
      const byte = bytes[i]!;
      if (cr || byte === LF) {
        // A line has ended, whatever ended it.
        if (byte !== LF) bareCr++;
        else if (!cr) bareLf++;
        if (header && utf8.open) utf8.take(LF);
        if (line === 0) header = false;
        if (line + 2 > longestLine) longestLine = line + 2;
        line = 0;
      }
      cr = byte === CR;
      if (cr || byte === LF) {
        i++;
        continue;
      }
      // Text, to the next octet that may be a line's end: nearly all of a message.
      let text = byte;
      let end = i + 1;
      // Eight at a time: nothing is found in most of them.
      for (; end < eight; end += 8) {
        const word = words.getInt32(end, true);
        const next = words.getInt32(end + 4, true);
        if (hasControl(word) || hasControl(next)) break;
        text |= word | next;
      }
      while (end < bytes.length && bytes[end]! > CR) text |= bytes[end++]!;
      line += end - i;
      if (byte === NUL) nul++;
      if (!header) every |= text;
      else {
        headerEvery |= text;
        // What is not ASCII, and what such a character lacks still.
        if ((text & HIGH) !== 0 || utf8.open) for (let k = i; k < end; k++) utf8.take(bytes[k]!);
      }
      i = end;
    }
  }
  if (cr) bareCr++;
  const open = line > 0 && !cr; // the last line has no end at all
  if (cr || open) longestLine = Math.max(longestLine, line + 2);
  return {
    octets,
    size: octets + bareCr + bareLf + (open ? 2 : 0),
    body: ((every | headerEvery) & HIGH) === 0 ? '7BIT' : '8BITMIME',
    smtpUtf8: (headerEvery & HIGH) !== 0 && utf8.valid,
    bareLineEnds: bareCr + bareLf > 0,
    bareCr,
    bareLf,
    nul,
    longestLine,
  };
}

/** Judges octets one by one (RFC 3629 4). */
class Utf8 {
  #valid = true;
  /** Octets that the character lacks, and where the next has to lie. */
  #lacks = 0;
  #least = 0x80;
  #most = 0xbf;

  /** Whether all was UTF-8, to its end. */
  get valid(): boolean {
    return this.#valid && this.#lacks === 0;
  }

  /** Whether a character lacks octets. */
  get open(): boolean {
    return this.#lacks > 0;
  }

  take(byte: number): void {
    if (this.#lacks > 0) {
      this.#valid &&= byte >= this.#least && byte <= this.#most;
      this.#lacks--;
      [this.#least, this.#most] = [0x80, 0xbf];
    } else if (byte >= 0x80) {
      this.#valid &&= byte >= 0xc2 && byte <= 0xf4;
      this.#lacks = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      this.#least = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
      this.#most = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    }
  }
}
