import { encodeBase64, octets } from '@ehlo/grammar';

/** Octets in, the same in a transfer encoding out: whatever pieces they come in, the text is the same. Lines have at most 76 octets. */
export interface TransferEncoder {
  push(bytes: Uint8Array): Uint8Array;
  /** The rest. Line ends stand between lines, not behind the last one. */
  end(): Uint8Array;
  /** What ends the line that was written last without adding an octet to what is encoded; empty if it is ended. */
  readonly lineEnd: string;
}

/** RFC 2045 6.8: a line holds 76 characters, of 57 octets. */
const LINE = 57;

/** RFC 2045 6.8. */
export class Base64Encoder implements TransferEncoder {
  readonly #line = new Uint8Array(LINE);
  #length = 0;
  #begun = false;

  push(bytes: Uint8Array): Uint8Array {
    let text = '';
    for (let i = 0; i < bytes.length; ) {
      const part = bytes.subarray(i, i + LINE - this.#length);
      this.#line.set(part, this.#length);
      this.#length += part.length;
      i += part.length;
      if (this.#length === LINE) text += this.#take();
    }
    return octets(text);
  }

  end(): Uint8Array {
    return octets(this.#length === 0 ? '' : this.#take());
  }

  get lineEnd(): string {
    return this.#begun ? '\r\n' : '';
  }

  #take(): string {
    const text = `${this.#begun ? '\r\n' : ''}${encodeBase64(this.#line.subarray(0, this.#length))}`;
    this.#begun = true;
    this.#length = 0;
    return text;
  }
}

const HT = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const HYPHEN = 0x2d;
const EQUALS = 0x3d;
const DEL = 0x7f;

/** RFC 2045 6.7 (5): at most 76 octets, the equals sign of a soft line break included. */
const LONGEST = 76;

const HEX = '0123456789ABCDEF';

/** RFC 2045 6.7. CR LF is a line end; either alone is encoded. */
export class QuotedPrintableEncoder implements TransferEncoder {
  /** White space or a CR, whose fate the next octet decides (6.7 (3), (4)); 0: none. */
  #waits = 0;
  /** Octets of the line that is written. */
  #column = 0;

  push(bytes: Uint8Array): Uint8Array {
    const text: number[] = [];
    for (const octet of bytes) {
      const waited = this.#waits;
      this.#waits = 0;
      if (octet === LF && waited === CR) {
        this.#endLine(text);
        continue;
      }
      if (waited !== 0) this.#put(text, waited, waited !== CR && octet !== CR);
      if (octet === SP || octet === HT || octet === CR) this.#waits = octet;
      else this.#put(text, octet, this.#isPlain(octet));
    }
    return Uint8Array.from(text);
  }

  end(): Uint8Array {
    const text: number[] = [];
    if (this.#waits !== 0) this.#put(text, this.#waits, false);
    this.#waits = 0;
    return Uint8Array.from(text);
  }

  get lineEnd(): string {
    return this.#column > 0 ? '=\r\n' : '';
  }

  #isPlain(octet: number): boolean {
    // A hyphen that begins a line could make a delimiter of it, which a soft line break has put there.
    return octet > SP && octet < DEL && octet !== EQUALS && (octet !== HYPHEN || (this.#column > 0 && this.#column < LONGEST - 1));
  }

  #put(text: number[], octet: number, plain: boolean): void {
    if (this.#column + (plain ? 1 : 3) > LONGEST - 1) {
      text.push(EQUALS);
      this.#endLine(text);
    }
    if (plain) text.push(octet);
    else text.push(EQUALS, HEX.charCodeAt(octet >> 4), HEX.charCodeAt(octet & 15));
    this.#column += plain ? 1 : 3;
  }

  #endLine(text: number[]): void {
    text.push(CR, LF);
    this.#column = 0;
  }
}
