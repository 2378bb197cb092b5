import { domainLiteral, failure, formatMailbox, isUtf8, type Mailbox, type Parsed, textOf } from '@ehlo/grammar/imf';
import { type AddressDeviation, OBSOLETE_ADDRESS } from './address-deviation.ts';
import type { DecodeCharset } from './charset.ts';
import { DOT, Lexer, type Token } from './lexer.ts';
import type { WordDeviation } from './word-deviation.ts';

/** A mailbox as a header names it (RFC 5322 3.4). `localPart`, `domain` and `address` are as in an envelope. */
export interface NamedMailbox extends Mailbox {
  readonly type: 'mailbox';
  /** The display name, decoded; null if there is none. */
  readonly name: string | null;
  /** The text of each comment, decoded, in order; those within it stay in their parentheses. */
  readonly comments: readonly string[];
}

/** A group (RFC 5322 3.4, RFC 6854): in it stand mailboxes, or nothing. */
export interface Group {
  readonly type: 'group';
  readonly name: string;
  readonly members: readonly NamedMailbox[];
  /** Those that stand with no member. */
  readonly comments: readonly string[];
}

export type Address = NamedMailbox | Group;

export interface AddressOptions {
  /** The deviations that are taken. Default: `OBSOLETE_ADDRESS`. */
  readonly tolerate?: ReadonlySet<AddressDeviation>;
  /** For encoded words in charsets beyond UTF-8, US-ASCII and ISO-8859-1. */
  readonly decode?: DecodeCharset;
  /** The most mailboxes. Ours; default 10,000. */
  readonly most?: number;
}

/** What is told of an address list: what is odd about encoded words in names and comments refuses no address. */
export type AddressListDeviation = AddressDeviation | WordDeviation;

const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;
const OPEN_BRACKET = 0x5b;
const MOST = 10_000;

/**
 * Parses the value of From, Sender, Reply-To, To, Cc, Bcc, or of a Resent- field: `address-list` of RFC 5322 3.4 with groups (RFC 6854),
 * UTF-8 (RFC 6532), encoded words (RFC 2047), and the obsolete forms of 4.4; what differs is a named deviation. Nothing that it is given
 * makes it throw; work and memory are linear in the octets.
 *
 * @example
 * ```ts
 * import { parseAddressList } from '@ehlo/message/address';
 * const parsed = parseAddressList('"Joe Q. Public" <joe@example.org>, Friends: ann@example.net (Ann);');
 * parsed.ok && parsed.value.map((one) => (one.type === 'group' ? one.members.length : `${one.name}: ${one.address}`))
 * // → ['Joe Q. Public: joe@example.org', 1]
 * ```
 */
export function parseAddressList(
  value: Uint8Array | string,
  options: AddressOptions = {},
): Parsed<readonly Address[], AddressListDeviation> {
  const { tolerate = OBSOLETE_ADDRESS } = options;
  const whole = typeof value === 'string' || isUtf8(value);
  const lexer = new Lexer<AddressDeviation>(whole ? value : textOf(value), { tolerate, decode: options.decode, ...LIST });
  if (!whole) lexer.meets('octets-beyond-utf8', 0);
  const list = new ListReader(lexer, options.most ?? MOST).read();
  return lexer.failure ?? { ok: true, value: list, deviations: lexer.deviations() };
}

/**
 * Parses exactly one mailbox, named or not: `mailbox` of RFC 5322 3.4.
 *
 * @example
 * ```ts
 * import { parseNamedMailbox } from '@ehlo/message/address';
 * const parsed = parseNamedMailbox('=?iso-8859-1?q?Andr=E9?= Pirard <pirard@example.org>');
 * parsed.ok && parsed.value.name
 * // → 'André Pirard'
 * ```
 */
export function parseNamedMailbox(value: Uint8Array | string, options: AddressOptions = {}): Parsed<NamedMailbox, AddressListDeviation> {
  const parsed = parseAddressList(value, options);
  if (!parsed.ok) return parsed;
  const [one] = parsed.value;
  if (parsed.value.length !== 1 || one?.type !== 'mailbox')
    return failure('syntax', 'mailbox', '5322 3.4', 0, 'exactly one mailbox was expected');
  return { ...parsed, value: one };
}

const LIST = { rule: 'address-list', section: '5322 3.4' };

interface OpenGroup {
  readonly name: string;
  readonly members: NamedMailbox[];
  readonly comments: readonly string[];
}

class ListReader {
  readonly #lexer: Lexer<AddressDeviation>;
  readonly #list: Address[] = [];
  #left: number;
  #group: OpenGroup | null = null;

  constructor(lexer: Lexer<AddressDeviation>, most: number) {
    this.#lexer = lexer;
    this.#left = most;
  }

  read(): readonly Address[] {
    const lexer = this.#lexer;
    /** Whether an element stands since the last comma, and whether there was one in this list or group. */
    let element = false;
    let comma = false;
    while (lexer.failure === null) {
      lexer.gap();
      const next = lexer.next;
      if (lexer.failure !== null) break;
      if (next === COMMA || (next === SEMICOLON && this.#group === null)) {
        if (next === SEMICOLON) lexer.meets('semicolon-separator');
        // One at the end is a habit of some programs.
        if (!element && next === COMMA) lexer.meets('empty-element');
        [element, comma] = [false, true];
        lexer.at++;
      } else if (next === SEMICOLON) {
        if (!element && comma) lexer.meets('empty-element');
        lexer.at++;
        this.#endGroup();
        [element, comma] = [true, false];
      } else if (next < 0) {
        if (this.#group !== null) lexer.fail(lexer.at, 'a group that ends with ";" was expected');
        else if (this.#list.length === 0) lexer.meets('no-address');
        else if (!element && !lexer.found.has('semicolon-separator')) lexer.meets('empty-element');
        break;
      } else if (element) {
        if (lexer.words().length === 0) lexer.fail(lexer.at, 'a comma was expected');
        else lexer.meets('text-behind-address');
      } else if (this.#element()) element = true;
      // What follows is the first element of a group.
      else comma = false;
    }
    return this.#list;
  }

  #endGroup(): void {
    const { name, members, comments } = this.#group!;
    this.#group = null;
    this.#lexer.gap();
    this.#list.push({ type: 'group', name, members, comments: [...comments, ...this.#lexer.takeComments()] });
  }

  /** A mailbox, or the beginning of a group: then it returns false. */
  #element(): boolean {
    const lexer = this.#lexer;
    const start = lexer.at;
    const tokens = lexer.words();
    if (lexer.failure !== null) return false;
    const next = lexer.next;
    if (next === LESS) return this.#add(tokens.length > 0 ? this.#name(tokens) : null, this.#angle());
    if (next === COLON && tokens.length > 0 && this.#group === null) {
      const name = this.#name(tokens);
      lexer.at++;
      this.#group = { name, members: [], comments: lexer.takeComments() };
      return false;
    }
    if (next === AT) {
      const mailbox = this.#afterLocalPart(tokens);
      if (mailbox === null || lexer.next !== LESS) return this.#add(null, mailbox);
      return lexer.meets('odd-phrase', start) && this.#add(lexer.text(start, lexer.at).trim(), this.#angle());
    }
    const angle = this.#oddPhraseEnd();
    if (angle > 0 && lexer.meets('odd-phrase', start)) {
      lexer.at = angle;
      return this.#add(lexer.text(start, angle).trim(), this.#angle());
    }
    if (tokens.length === 0 || (next >= 0 && next !== COMMA && next !== SEMICOLON)) return lexer.fail(lexer.at, 'an address was expected');
    const localPart = this.#localPart(tokens);
    return lexer.meets('no-domain', start) && this.#add(null, mailboxOf(localPart, '', tokens));
  }

  /** Where an angle bracket opens behind a name that is no phrase; -1 if none does, or if such a name is not accepted. */
  #oddPhraseEnd(): number {
    const { bytes, at, to } = this.#lexer;
    if (!this.#lexer.takes('odd-phrase')) return -1;
    let i = at;
    while (i < to && !ENDS_PHRASE.has(bytes[i]!)) i++;
    return i > at && i < to && bytes[i] === LESS ? i : -1;
  }

  #name(tokens: readonly Token[]): string {
    const lexer = this.#lexer;
    const [first] = tokens;
    if (!first!.quoted && lexer.bytes[first!.from] === DOT) lexer.meets('odd-phrase', first!.from);
    else if (tokens.some(({ dots }) => dots)) lexer.meets('old-phrase', first!.from);
    return lexer.phrase(tokens);
  }

  #add(name: string | null, mailbox: Mailbox | null): boolean {
    const lexer = this.#lexer;
    if (mailbox === null || lexer.failure !== null) return false;
    if (--this.#left < 0) return lexer.fail(lexer.at, 'too many addresses');
    const { localPart, domain, address } = mailbox;
    (this.#group?.members ?? this.#list).push({ type: 'mailbox', name, localPart, domain, address, comments: lexer.takeComments() });
    return true;
  }

  /** `"<" [obs-route] addr-spec ">"` and what follows. */
  #angle(): Mailbox | null {
    const lexer = this.#lexer;
    lexer.at++;
    lexer.gap();
    if (lexer.next === AT || lexer.next === COMMA) this.#route();
    const tokens = lexer.words();
    if (lexer.failure !== null) return null;
    let mailbox: Mailbox | null = null;
    if (lexer.next === AT) mailbox = this.#afterLocalPart(tokens);
    else if (tokens.length === 0) lexer.fail(lexer.at, 'a local part was expected');
    else {
      const localPart = this.#localPart(tokens);
      if (lexer.next !== GREATER) lexer.fail(lexer.at, '"@" was expected');
      else if (lexer.meets('no-domain')) mailbox = mailboxOf(localPart, '', tokens);
    }
    if (lexer.failure !== null) return null;
    if (lexer.next === GREATER) lexer.at++;
    else if (lexer.next < 0 || lexer.next === COMMA || lexer.next === SEMICOLON) lexer.meets('unclosed-angle');
    else lexer.fail(lexer.at, '">" was expected');
    lexer.gap();
    return mailbox;
  }

  /** RFC 5322 4.4: `obs-domain-list ":"`: domains with commas between, before and behind, and one domain at least. */
  #route(): void {
    const lexer = this.#lexer;
    lexer.meets('route');
    let [domains, comma] = [0, true];
    while (lexer.failure === null && lexer.next !== COLON) {
      if (lexer.next === COMMA) {
        lexer.at++;
        comma = true;
      } else if (lexer.next === AT && comma) {
        this.#domain();
        domains++;
        comma = false;
      } else lexer.fail(lexer.at, comma ? 'a domain of a route was expected' : 'a comma, or a colon, was expected');
      lexer.gap();
    }
    if (domains === 0) lexer.fail(lexer.at, 'a domain of a route was expected');
    lexer.at++;
    lexer.gap();
  }

  #afterLocalPart(tokens: readonly Token[]): Mailbox | null {
    const localPart = this.#localPart(tokens);
    if (this.#lexer.failure !== null) return null;
    const domain = this.#domain();
    return this.#lexer.failure === null ? mailboxOf(localPart, domain, tokens) : null;
  }

  /** `dot-atom / quoted-string / obs-local-part`. */
  #localPart(tokens: readonly Token[]): string {
    const lexer = this.#lexer;
    const { bytes } = lexer;
    let text = '';
    let misplaced = false;
    for (const [i, token] of tokens.entries()) {
      if (i > 0) {
        const before = tokens[i - 1]!;
        const dots = Number(!before.quoted && bytes[before.to - 1] === DOT) + Number(!token.quoted && bytes[token.from] === DOT);
        if (dots === 0) lexer.fail(token.from, 'a dot, or "@", was expected');
        misplaced ||= dots === 2;
        if (token.gap) lexer.meets('old-space', token.from);
      }
      // Within the whole a dot at the end of a token may be in its place.
      misplaced ||= token.odd && isMisplaced(bytes, token, i === 0, i === tokens.length - 1);
      text += lexer.valueOf(token);
    }
    if (tokens.length === 0) lexer.fail(lexer.at, 'a local part was expected');
    if (misplaced) lexer.meets('misplaced-dot-local', tokens[0]!.from);
    if (tokens.length > 1 && tokens.some(({ quoted }) => quoted)) lexer.meets('old-local-part', tokens[0]!.from);
    return text;
  }

  /** `"@" ( dot-atom / domain-literal / obs-domain )` and the white space behind it. */
  #domain(): string {
    const lexer = this.#lexer;
    const { bytes, to } = lexer;
    lexer.at++;
    lexer.gap();
    const from = lexer.at;
    if (lexer.next === OPEN_BRACKET) {
      const letter = domainLiteral(bytes, from, to);
      const end = letter >= 0 ? letter : lexer.obsolete((obsolete) => domainLiteral(bytes, from, to, obsolete));
      if (end < 0) return String(lexer.fail(~end, 'a domain literal that is closed was expected'));
      lexer.at = end;
      lexer.gap();
      const literal = lexer.text(from + 1, end - 1).replaceAll('\r\n', '');
      return `[${literal.replaceAll(/[ \t]+/g, ' ').replaceAll(/^ | $/g, '')}]`;
    }
    let text = '';
    for (let gap = false; ; ) {
      const part = lexer.atoms(gap);
      if (part === null) break;
      if (text !== '' && gap) lexer.meets('old-space', part.from);
      text += lexer.text(part.from, part.to);
      const last = lexer.at;
      gap = lexer.gap();
      if (lexer.failure !== null || !gap || (bytes[last - 1] !== DOT && lexer.next !== DOT)) break;
    }
    if (lexer.failure !== null) return '';
    const bare = text.endsWith('.') ? text.slice(0, -1) : text;
    if (bare === '' || bare.startsWith('.') || bare.endsWith('.') || bare.includes('..')) lexer.fail(from, 'a domain was expected');
    else if (bare !== text) lexer.meets('trailing-dot-domain', lexer.at - 1);
    return text;
  }
}

/** What ends the search for an angle bracket behind an odd name. */
const ENDS_PHRASE: ReadonlySet<number> = new Set([COMMA, SEMICOLON, LESS, 0x22, 0x28]);

/** Whether a token of atoms and dots has one out of its place, where it is the first or last of a local part. */
function isMisplaced(bytes: Uint8Array, { from, to }: Token, first: boolean, last: boolean): boolean {
  if ((first && bytes[from] === DOT) || (last && bytes[to - 1] === DOT)) return true;
  for (let i = from + 1; i < to; i++) if (bytes[i] === DOT && bytes[i - 1] === DOT) return true;
  return false;
}

/** As in an envelope: what is not quoted is canonical, or a deviation that is not to be repaired. */
function mailboxOf(localPart: string, domain: string, tokens: readonly Token[]): Mailbox {
  const plain = tokens.every(({ quoted }) => !quoted);
  return { localPart, domain, address: plain ? (domain === '' ? localPart : `${localPart}@${domain}`) : formatMailbox(localPart, domain) };
}
