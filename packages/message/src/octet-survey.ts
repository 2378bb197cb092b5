const HT = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const EQUALS = 0x3d;

/** RFC 2045 2.7, RFC 5322 2.1.1: octets of a line without its end. */
const LONGEST_LINE = 998;

/** What octets are, for the choice of an encoding; they may come in any pieces. */
export class OctetSurvey {
  #octets = 0;
  #escaped = 0;
  #line = 0;
  #last = LF;
  #eight = false;
  #binary = false;
  #long = false;

  push(bytes: Uint8Array): void {
    for (const octet of bytes) {
      if (octet >= 0x80) this.#eight = true;
      // RFC 2045 2.7: CR and LF stand together, and NUL nowhere.
      if (octet === 0 || (octet === LF) !== (this.#last === CR)) this.#binary ||= octet === 0 || octet === LF || this.#last === CR;
      if (octet === LF) this.#line = 0;
      else if (octet !== CR && ++this.#line > LONGEST_LINE) this.#long = true;
      if (octet >= 0x7f || octet === EQUALS || (octet < SP && octet !== HT && octet !== CR && octet !== LF)) this.#escaped++;
      this.#last = octet;
    }
    this.#octets += bytes.length;
  }

  /** Whether there are octets beyond ASCII. */
  get eight(): boolean {
    return this.#eight;
  }

  /** RFC 2045 2.7: `7bit` data. */
  get seven(): boolean {
    return !(this.#eight || this.#long || this.#isBinary());
  }

  /** What makes them the shorter text: base64 has 4 octets for 3, quoted-printable 3 for each that is escaped. Lines are its business alone. */
  get encoding(): 'quoted-printable' | 'base64' {
    return this.#isBinary() || this.#escaped * 6 > this.#octets ? 'base64' : 'quoted-printable';
  }

  #isBinary(): boolean {
    return this.#binary || this.#last === CR;
  }
}
