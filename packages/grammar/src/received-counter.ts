import { capitals, LF, latin1 } from './rule.ts';

const NAME = 'RECEIVED:';

/**
 * Counts the `Received` fields of a message while it passes, to find a loop: RFC 5321 6.3, "simple counting of the number of
 * 'Received:' header fields in a message has proven to be an effective [...] method"; the threshold is to be 100 at the least.
 *
 * @example
 * ```ts
 * import { octets } from '@ehlo/grammar';
 * import { ReceivedCounter } from '@ehlo/grammar/trace';
 * const counter = new ReceivedCounter();
 * counter.push(octets('Received: from a\r\n by b\r\nrecei'));
 * counter.push(octets('ved: from c\r\n\r\nReceived: in the body\r\n'));
 * counter.count
 * // → 2
 * ```
 */
export class ReceivedCounter {
  count = 0;
  /** The beginning of the line being read, no longer than the name; null once the header is over. */
  #line: string | null = '';

  /** The next octets of the message. Of the body it looks at nothing. */
  push(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && this.#line !== null; ) {
      const end = bytes.indexOf(LF, i);
      const to = end < 0 ? bytes.length : end;
      const room = NAME.length - this.#line.length;
      if (room > 0) this.#line += latin1(bytes, i, Math.min(to, i + room));
      if (end < 0) return;
      this.#ended(this.#line);
      i = end + 1;
    }
  }

  #ended(line: string): void {
    if (capitals(line) === NAME) this.count++;
    this.#line = line === '' || line === '\r' ? null : '';
  }
}
