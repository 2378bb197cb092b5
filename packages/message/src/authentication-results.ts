import { latin1 } from '@ehlo/grammar';
import { comment, dotString, isWord, OLD_SPACE, type Parsed, token } from '@ehlo/grammar/imf';
import { type MimeOptions, parse } from './content-fields.ts';
import type { MimeDeviation } from './mime-deviation.ts';
import { BACKSLASH, blank, CR, DQUOTE, type Found, HT, LF, OPEN_PAREN, quoted, SP, trimmed, utf8 } from './mime-text.ts';

/** What an Authentication-Results says (RFC 8601 2.2). */
export interface AuthenticationResults {
  /** The host that reports the results. RFC 8601 5: trust only your own hosts. */
  readonly authservId: string;
  /** Of the field; 1 where it says none. */
  readonly version: number;
  /** Empty: `none`. */
  readonly results: readonly AuthenticationResult[];
}

/** `resinfo` */
export interface AuthenticationResult {
  /** In small letters, as the names below. */
  readonly method: string;
  /** Of the method; 1 where it says none. */
  readonly version: number;
  readonly result: string;
  /** Empty where there is none. */
  readonly reason: string;
  readonly properties: readonly AuthenticationProperty[];
  /** For people, in the order of the field. */
  readonly comments: readonly string[];
}

/** `propspec`: `type.property=value`. */
export interface AuthenticationProperty {
  readonly type: string;
  readonly property: string;
  readonly value: string;
}

/**
 * Parses the value of an Authentication-Results (RFC 8601 2.2), folded or not. Every deviation is taken and told, unless `tolerate` names
 * those that are; a result in another form is left out.
 *
 * @example
 * ```ts
 * import { parseAuthenticationResults } from '@ehlo/message/mime';
 * const parsed = parseAuthenticationResults('mx.example.org; spf=pass (sender is known) smtp.mailfrom=ann@example.net');
 * parsed.ok && [parsed.value.authservId, ...parsed.value.results]
 * // → ['mx.example.org', { method: 'spf', version: 1, result: 'pass', reason: '',
 * //   properties: [{ type: 'smtp', property: 'mailfrom', value: 'ann@example.net' }], comments: ['sender is known'] }]
 * ```
 */
export function parseAuthenticationResults(
  value: Uint8Array | string,
  options: MimeOptions = {},
): Parsed<AuthenticationResults, MimeDeviation> {
  return parse(value, 'authres-payload', '8601 2.2', options, (bytes, found) => new Reader(bytes, found).results());
}

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const SLASH = 0x2f;
const DOT = 0x2e;

class Reader {
  readonly #bytes: Uint8Array;
  readonly #found: Found;
  #at = 0;
  #comments: string[] = [];

  constructor(bytes: Uint8Array, found: Found) {
    this.#bytes = bytes;
    this.#found = found;
  }

  results(): AuthenticationResults {
    this.#blank();
    let authservId = '';
    let version = 1;
    // Some servers begin with the first result.
    if (this.#isResult()) this.#found.add('no-authserv-id');
    else {
      authservId = this.#value();
      this.#blank();
      version = this.#number() ?? 1;
    }
    const results: AuthenticationResult[] = [];
    let none = false;
    for (let first = true; this.#blank() < this.#bytes.length; first = false) {
      if (this.#bytes[this.#at] !== SEMICOLON && !(first && this.#found.has('no-authserv-id'))) this.#skip('text-behind-value');
      if (this.#bytes[this.#at] === SEMICOLON) this.#at++;
      this.#comments = [];
      if (this.#blank() === this.#bytes.length) {
        this.#found.add('empty-parameter');
        break;
      }
      const one = this.#result();
      if (one !== null && one !== 'none') results.push(one);
      none ||= one === 'none';
    }
    // 2.2: `no-result / 1*resinfo`
    if (none === results.length > 0) this.#found.add('odd-result');
    return { authservId, version, results };
  }

  /** Whether a result begins here. */
  #isResult(): boolean {
    const from = this.#at;
    const is = this.#keyword() !== '' && this.#bytes[this.#blank()] === EQUALS;
    this.#at = from;
    return is;
  }

  /** `resinfo`, or what stands in its place to the next semicolon. */
  #result(): AuthenticationResult | 'none' | null {
    const method = this.#keyword();
    const next = this.#blank();
    if (method === 'none' && (next === this.#bytes.length || this.#bytes[next] === SEMICOLON)) return 'none';
    const version = this.#is(SLASH) ? this.#number() : 1;
    const equals = this.#is(EQUALS);
    const result = this.#keyword();
    if (method === '' || result === '' || !equals || version === null) {
      this.#skip('odd-result');
      return null;
    }
    let reason = '';
    const properties: AuthenticationProperty[] = [];
    for (this.#blank(); this.#at < this.#bytes.length && this.#bytes[this.#at] !== SEMICOLON; this.#blank()) {
      const type = this.#keyword();
      this.#blank();
      const dot = type !== '' && this.#is(DOT);
      const property = dot ? this.#keyword() : '';
      this.#blank();
      if (type === '' || (dot && property === '') || !this.#is(EQUALS)) {
        this.#skip('odd-result');
        break;
      }
      const value = this.#value();
      if (dot) properties.push({ type, property, value });
      else if (type === 'reason' && reason === '' && properties.length === 0) reason = value;
      else this.#found.add('odd-result');
    }
    return { method, version, result, reason, properties, comments: this.#comments };
  }

  /** Past what belongs to nothing, to the next semicolon. */
  #skip(deviation: MimeDeviation): void {
    this.#found.add(deviation);
    const semicolon = this.#bytes.indexOf(SEMICOLON, this.#at);
    this.#at = semicolon < 0 ? this.#bytes.length : semicolon;
  }

  /** `[CFWS]`; where it ends. */
  #blank(): number {
    const end = blank(this.#bytes, this.#at, this.#bytes.length, this.#found);
    for (let i = this.#at; i < end; ) {
      const close = this.#bytes[i] === OPEN_PAREN ? comment(this.#bytes, i, end, OLD_SPACE) : i + 1;
      if (this.#bytes[i] === OPEN_PAREN) this.#comments.push(this.#comment(i + 1, close < 0 ? end : close - 1));
      i = close < 0 ? end : close;
    }
    this.#at = end;
    return end;
  }

  #comment(from: number, to: number): string {
    const kept = new Uint8Array(to - from);
    let length = 0;
    for (let i = from; i < to; i++) {
      const octet = this.#bytes[i]!;
      if (octet === CR || octet === LF) continue;
      if (octet === BACKSLASH && i + 1 < to) i++;
      kept[length++] = this.#bytes[i]!;
    }
    return utf8(kept.subarray(0, length), this.#found);
  }

  /** Whether this octet stands here; it and the white space around it are read. */
  #is(octet: number): boolean {
    const it = this.#bytes[this.#at] === octet;
    if (it) this.#at++;
    this.#blank();
    return it;
  }

  #number(): number | null {
    const digits = /^[0-9]{1,9}(?![0-9])/.exec(latin1(this.#bytes, this.#at, Math.min(this.#at + 10, this.#bytes.length)))?.[0];
    this.#at += digits?.length ?? 0;
    this.#blank();
    return digits === undefined ? null : Number(digits);
  }

  /** RFC 5321 4.1.2: `Keyword = Ldh-str`, in small letters; empty if there is none. */
  #keyword(): string {
    const from = this.#at;
    while (isLetterDigit(this.#bytes[this.#at]) || (this.#bytes[this.#at] === HYPHEN && this.#at < this.#bytes.length)) this.#at++;
    const text = latin1(this.#bytes, from, this.#at).toLowerCase();
    // Some methods of servers' own have an underscore, or end with a hyphen.
    if (!isKeyword(text)) this.#at = from;
    return isKeyword(text) ? text : '';
  }

  /** `value / [ [ local-part ] "@" ] domain-name`. */
  #value(): string {
    const from = this.#at;
    if (this.#bytes[from] === DQUOTE) {
      const [octets, end] = quoted(this.#bytes, from, this.#bytes.length, this.#found);
      this.#at = end;
      // A local part may be quoted (RFC 5322 3.4.1).
      if (this.#bytes[end] !== AT) return utf8(octets, this.#found);
      this.#toBlank();
      const text = this.#bytes.subarray(from, this.#at);
      if (!isDomainName(latin1(text, end - from + 1, text.length))) this.#found.add('no-quotes');
      return utf8(text, this.#found);
    }
    this.#toBlank();
    const run = trimmed(this.#bytes, from, this.#at);
    if (!isWord(token, run) && !isAddress(run)) this.#found.add(run.length === 0 ? 'no-value' : 'no-quotes');
    return utf8(run, this.#found);
  }

  #toBlank(): void {
    const ends = [SP, HT, CR, LF, SEMICOLON, OPEN_PAREN];
    while (this.#at < this.#bytes.length && !ends.includes(this.#bytes[this.#at]!)) this.#at++;
  }
}

const AT = 0x40;
const HYPHEN = 0x2d;

function isLetterDigit(octet: number | undefined): boolean {
  return octet !== undefined && /[0-9A-Za-z]/.test(String.fromCharCode(octet));
}

/** RFC 5321 4.1.2: `Keyword = Ldh-str`, which may begin with a hyphen. */
function isKeyword(text: string): boolean {
  return /^[0-9A-Za-z-]*[0-9A-Za-z]$/.test(text);
}

/** RFC 6376 3.5: `domain-name = sub-domain 1*("." sub-domain)`. */
function isDomainName(text: string): boolean {
  return text.includes('.') && text.split('.').every((label) => isKeyword(label) && !label.startsWith('-'));
}

/** `[ local-part ] "@" domain-name`. */
function isAddress(bytes: Uint8Array): boolean {
  const at = bytes.lastIndexOf(AT);
  return at >= 0 && isDomainName(latin1(bytes, at + 1, bytes.length)) && (at === 0 || dotString(bytes, 0, at, true) === at);
}

/**
 * Writes the value of an Authentication-Results (RFC 8601 2.2), a line for each result. What has a name that is no keyword is left out;
 * control characters become spaces.
 *
 * @example
 * ```ts
 * import { formatAuthenticationResults } from '@ehlo/message/mime';
 * const properties = [{ type: 'smtp', property: 'mailfrom', value: 'example.net' }];
 * const spf = { method: 'spf', version: 1, result: 'pass', reason: '', properties, comments: ['all is well'] };
 * formatAuthenticationResults({ authservId: 'mx.example.org', version: 1, results: [spf] })
 * // → 'mx.example.org;\r\n spf=pass (all is well) smtp.mailfrom=example.net'
 * ```
 */
export function formatAuthenticationResults({ authservId, version, results }: AuthenticationResults): string {
  const written = results.filter(({ method, result }) => isKeyword(method) && isKeyword(result)).map(resultText);
  const head = `${valueText(authservId)}${version === 1 ? '' : ` ${version}`}`;
  return written.length === 0 ? `${head}; none` : [head, ...written].join(';\r\n ');
}

function resultText({ method, version, result, reason, properties, comments }: AuthenticationResult): string {
  const pairs = properties.filter(({ type, property }) => isKeyword(type) && isKeyword(property));
  return [
    `${method}${version === 1 ? '' : `/${version}`}=${result}`,
    ...comments.map((text) => `(${printable(text).replaceAll(/[()\\]/g, '\\$&')})`),
    ...(reason === '' ? [] : [`reason=${valueText(reason)}`]),
    ...pairs.map(({ type, property, value }) => `${type}.${property}=${valueText(value)}`),
  ].join(' ');
}

function valueText(text: string): string {
  const octets = Uint8Array.from(text, (character) => Math.min(character.codePointAt(0)!, 0xff));
  const plain = isWord(token, octets) || (octets.every((octet) => octet < 0x80) && isAddress(octets));
  return plain ? text : `"${printable(text).replaceAll(/["\\]/g, '\\$&')}"`;
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those that no text of a field may have
  return text.replaceAll(/[\0-\x1f\x7f]/g, ' ');
}
