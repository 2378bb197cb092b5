import {
  atom,
  CONTROLS,
  comment,
  decodeUtf8,
  type Failure,
  failure,
  maybeCfws,
  OLD_SPACE,
  octetsOf,
  type Position,
  quotedText,
} from '@ehlo/grammar/imf';
import type { DecodeCharset } from './charset.ts';
import { untaken } from './field.ts';
import type { WordDeviation } from './word-deviation.ts';
import { decodeWords, type EncodedWord, encodedWordAt, runText } from './word-reader.ts';

const HT = 0x09;
const CR = 0x0d;
const SP = 0x20;
const DQUOTE = 0x22;
const OPEN_PAREN = 0x28;
export const DOT = 0x2e;

/** A word of RFC 5322: atoms and the dots between, without white space, or a quoted string. */
export interface Token {
  readonly quoted: boolean;
  readonly from: number;
  readonly to: number;
  /** Whether white space or a comment stands before it. */
  readonly gap: boolean;
  readonly comment: boolean;
  /** Whether it holds dots; whether they stand as dot-atom has them. */
  readonly dots: boolean;
  readonly odd: boolean;
}

/** What the words themselves may have that RFC 5322 3.2 has not. */
type Lexical = 'old-space' | 'old-characters';

/** What is read, and how. */
interface Task<D extends string> {
  readonly tolerate: ReadonlySet<D | Lexical>;
  readonly rule: string;
  readonly section: string;
  readonly decode?: DecodeCharset | undefined;
}

const NO_COMMENTS: readonly string[] = [];

/** Reads the words of a structured field one by one; each octet a fixed number of times. After a failure nothing that it gives counts. */
export class Lexer<D extends string> {
  readonly bytes: Uint8Array;
  readonly to: number;
  readonly found: Set<D | Lexical> = new Set();
  readonly foundInWords: Set<WordDeviation> = new Set();
  readonly #task: Task<D>;
  /** The text that was given, where an octet is a character of it: its parts need no decoding. */
  readonly #source: string | null;
  at = 0;
  failure: Failure | null = null;
  #comments: string[] = [];

  constructor(value: Uint8Array | string, task: Task<D>) {
    const bytes = octetsOf(value);
    this.bytes = bytes;
    this.#source = typeof value === 'string' && value.length === bytes.length ? value : null;
    // The line end of a field is none of its value.
    this.to = bytes.length - (bytes.at(-1) === 0x0a && bytes.at(-2) === CR ? 2 : 0);
    this.#task = task;
  }

  /** The octet that comes next; -1 at the end. */
  get next(): number {
    return this.at < this.to ? this.bytes[this.at]! : -1;
  }

  is(octet: number): boolean {
    return this.next === octet;
  }

  /** The comments since the last call. */
  takeComments(): readonly string[] {
    if (this.#comments.length === 0) return NO_COMMENTS;
    const taken = this.#comments;
    this.#comments = [];
    return taken;
  }

  /** What was met, sorted. */
  deviations(): readonly (D | Lexical | WordDeviation)[] {
    return this.found.size + this.foundInWords.size === 0 ? [] : [...this.found, ...this.foundInWords].sort();
  }

  fail(at: number, message: string): false {
    this.failure ??= failure('syntax', this.#task.rule, this.#task.section, at, message);
    return false;
  }

  /** Whether a deviation is taken; else it is the failure. */
  meets(name: D | Lexical, at: number = this.at): boolean {
    const { tolerate, rule, section } = this.#task;
    if (tolerate.has(name)) this.found.add(name);
    else this.failure ??= failure('deviation', rule, section, at, untaken(name));
    return this.failure === null;
  }

  takes(name: D): boolean {
    return this.#task.tolerate.has(name);
  }

  /** `[CFWS]`: whether there is any. */
  gap(): boolean {
    const { bytes, at: from, to } = this;
    const first = this.next;
    if (first === SP && from + 1 < to && bytes[from + 1]! > OPEN_PAREN) {
      this.at++;
      return true;
    }
    if (first !== SP && first !== HT && first !== CR && first !== OPEN_PAREN) return false;
    const letter = maybeCfws(bytes, from, to);
    const end = letter >= 0 && bytes[letter] !== CR ? letter : this.obsolete((obsolete) => maybeCfws(bytes, from, to, obsolete));
    if (end < 0 || end === from) return this.fail(end < 0 ? ~end : end, 'white space, or a comment that is closed, was expected');
    for (let i = from; i < end; ) {
      if (bytes[i] === OPEN_PAREN) {
        const close = comment(bytes, i, end, OLD_SPACE | CONTROLS);
        this.#comments.push(this.#comment(i + 1, close - 1));
        i = close;
      } else i++;
    }
    this.at = end;
    return true;
  }

  /** What a rule reads with the obsolete forms; those that it needs are told. */
  obsolete(read: (obsolete: number) => Position): Position {
    const end = read(OLD_SPACE | CONTROLS);
    if (end < 0) return end;
    if (read(OLD_SPACE) !== end) this.meets('old-characters');
    if (read(CONTROLS) !== end) this.meets('old-space');
    return end;
  }

  /** Words and dots with what is between; what follows the last is read, too. */
  words(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      const before = this.#comments.length;
      const gap = tokens.length > 0 && this.gap();
      if (this.failure !== null) return tokens;
      const token = this.next === DQUOTE ? this.#quoted(gap) : this.atoms(gap, this.#comments.length > before);
      if (token === null) return tokens;
      tokens.push(token);
    }
  }

  #quoted(gap: boolean): Token | null {
    const { bytes, at: from, to } = this;
    const letter = quotedText(bytes, from, to);
    const end = letter >= 0 ? letter : this.obsolete((obsolete) => quotedText(bytes, from, to, obsolete));
    if (end < 0) return this.fail(~end, 'a quoted string that is closed was expected') || null;
    this.at = end;
    return { quoted: true, from, to: end, gap, comment: false, dots: false, odd: false };
  }

  /** Atoms and dots without anything between; null if there is none. */
  atoms(gap: boolean, commented = false): Token | null {
    const { bytes, at: from, to } = this;
    let i = from;
    let dots = false;
    let odd = false;
    for (;;) {
      const end = atom(bytes, i, to, true);
      if (end < 0 && ~end > i) return this.fail(~end, 'not UTF-8') || null;
      // Nothing before a dot, or behind one.
      if (end < 0) odd ||= dots || bytes[i] === DOT;
      else i = end;
      if (i >= to || bytes[i] !== DOT) break;
      dots = true;
      i++;
    }
    if (i === from) return null;
    this.at = i;
    return { quoted: false, from, to: i, gap, comment: commented, dots, odd };
  }

  text(from: number, to: number): string {
    return this.#source?.slice(from, to) ?? decodeUtf8(this.bytes, from, to);
  }

  /** The value of a word: of a quoted string, without its folds, quotes and backslashes. */
  valueOf({ quoted, from, to }: Token): string {
    return quoted ? unescaped(this.text(from + 1, to - 1)) : this.text(from, to);
  }

  /** RFC 5322 3.2.5: a phrase, its encoded words decoded (RFC 2047 5 (3)). White space between words is one space. */
  phrase(tokens: readonly Token[]): string {
    let out = '';
    let run: EncodedWord[] = [];
    let standing = '';
    const flush = (): void => {
      if (run.length > 0) out += runText(run, this.#task.decode, this.foundInWords) ?? standing;
      run = [];
    };
    for (const token of tokens) {
      const value = this.valueOf(token);
      const word = token.quoted || !value.startsWith('=?') ? null : encodedWordAt(value, 0);
      const adjacent = run.length > 0 && !token.comment;
      if (word === null || word.end < value.length || !adjacent) {
        flush();
        if (token.gap) out += ' ';
      }
      if (word === null || word.end < value.length) out += value;
      else {
        for (const name of word.odd) this.foundInWords.add(name);
        standing = run.length > 0 ? `${standing} ${value}` : value;
        run.push(word);
      }
    }
    flush();
    return out;
  }

  /** RFC 2047 5 (2): in a comment encoded words may stand beside parentheses, too. */
  #comment(from: number, to: number): string {
    const text = unescaped(this.text(from, to));
    return decodeWords(text, { decode: this.#task.decode }, this.foundInWords, ' \t()');
  }
}

/** RFC 5322 3.2.1, 2.2.3: without line ends, and without the backslash before a character. */
function unescaped(text: string): string {
  return /[\\\r]/.test(text) ? text.replaceAll('\r\n', '').replaceAll(/\\(.)/gs, '$1') : text;
}
