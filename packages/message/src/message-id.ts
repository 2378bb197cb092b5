import { domainLiteral, dotString, encodeUtf8, type Parsed } from '@ehlo/grammar/imf';
import { fold } from './fold.ts';
import { DOT, Lexer, type Token } from './lexer.ts';

/** The stable name of a way in which message identifiers differ from RFC 5322 3.6.4. */
export type MessageIdDeviation =
  | 'old-space'
  | 'old-characters'
  | 'quoted-id'
  | 'phrase-among-ids'
  | 'no-angle-brackets'
  | 'odd-id'
  | 'no-id';

/** What RFC 5322 4.5.4 wants every reader to take. */
export const OBSOLETE_ID: ReadonlySet<MessageIdDeviation> = /* @__PURE__ */ new Set<MessageIdDeviation>([
  'old-space',
  'old-characters',
  'quoted-id',
  'phrase-among-ids',
]);

/** All of them: an identifier is only compared, and never says where anything goes. */
export const ANY_ID: ReadonlySet<MessageIdDeviation> = /* @__PURE__ */ new Set<MessageIdDeviation>([
  ...OBSOLETE_ID,
  'no-angle-brackets',
  'odd-id',
  'no-id',
]);

export interface MessageId {
  readonly left: string;
  readonly right: string;
  /** What stands between the angle brackets, in its canonical form: to compare by. */
  readonly id: string;
}

const LESS = 0x3c;
const GREATER = 0x3e;
const AT = 0x40;
const OPEN_BRACKET = 0x5b;

/**
 * Parses the value of Message-ID, Resent-Message-ID, In-Reply-To or References: `1*msg-id` of RFC 5322 3.6.4, and the obsolete forms of 4.5.4.
 * `tolerate` names the deviations that are taken: `ANY_ID` by default.
 *
 * @example
 * ```ts
 * import { parseMessageIds } from '@ehlo/message/message-id';
 * const parsed = parseMessageIds('<1234@local.machine.example> <3456@example.net>');
 * parsed.ok && parsed.value.map(({ id }) => id)
 * // → ['1234@local.machine.example', '3456@example.net']
 * ```
 */
export function parseMessageIds(
  value: Uint8Array | string,
  tolerate: ReadonlySet<MessageIdDeviation> = ANY_ID,
): Parsed<readonly MessageId[], MessageIdDeviation> {
  const lexer = new Lexer<MessageIdDeviation>(value, {
    tolerate,
    rule: 'msg-id',
    section: '5322 3.6.4',
  });
  const ids: MessageId[] = [];
  for (lexer.gap(); lexer.failure === null && lexer.next >= 0; lexer.gap()) {
    const id = lexer.next === LESS ? bracketed(lexer) : bare(lexer);
    if (id !== null) ids.push(id);
  }
  if (lexer.failure === null && ids.length === 0) lexer.meets('no-id');
  return lexer.failure ?? { ok: true, value: ids, deviations: [...lexer.found].sort() };
}

/** `"<" id-left "@" id-right ">"` */
function bracketed(lexer: Lexer<MessageIdDeviation>): MessageId | null {
  const { bytes, to } = lexer;
  const start = ++lexer.at;
  let i = dotString(bytes, start, to, true);
  const at = i;
  if (i > start && bytes[i] === AT) {
    i = bytes[i + 1] === OPEN_BRACKET ? domainLiteral(bytes, i + 1, to) : dotString(bytes, i + 1, to, true);
    // no-fold-literal has no white space.
    if (i > 0 && i < to && bytes[i] === GREATER && !/[ \t\r\n]/.test(lexer.text(at, i))) {
      lexer.at = i + 1;
      return idOf(lexer.text(start, at), lexer.text(at + 1, i));
    }
  }
  return obsolete(lexer, start);
}

/** RFC 5322 4.5.4: on the left a local-part, on the right a domain; else what stands there. */
function obsolete(lexer: Lexer<MessageIdDeviation>, start: number): MessageId | null {
  lexer.gap();
  const tokens = lexer.words();
  if (lexer.failure === null && lexer.next === AT && isLocalPart(lexer, tokens)) {
    const left = tokens.map((token) => lexer.valueOf(token)).join('');
    const octets = tokens.reduce((sum, token) => sum + token.to - token.from, 0);
    lexer.at++;
    lexer.gap();
    const right = rightOf(lexer);
    if (lexer.failure === null && right !== null && lexer.is(GREATER)) {
      lexer.at++;
      if (tokens.some(({ quoted }) => quoted)) lexer.meets('quoted-id', start);
      if (octets + right.octets + 2 < lexer.at - start) lexer.meets('old-space', start);
      return idOf(left, right.text);
    }
  }
  if (lexer.failure !== null) return null;
  const end = lexer.bytes.indexOf(GREATER, lexer.at);
  if (end < 0) return lexer.fail(lexer.at, '">" was expected') || null;
  lexer.at = end + 1;
  lexer.meets('odd-id', start);
  const text = lexer.text(start, end).replaceAll(/[ \t\r\n]+/g, '');
  const cut = text.lastIndexOf('@');
  if (text === '') return null;
  return cut < 0 ? { left: text, right: '', id: text } : { left: text.slice(0, cut), right: text.slice(cut + 1), id: text };
}

function isLocalPart(lexer: Lexer<MessageIdDeviation>, tokens: readonly Token[]): boolean {
  const { bytes } = lexer;
  const isDot = (i: number): boolean => bytes[i] === DOT;
  return (
    tokens.length > 0 &&
    tokens.every((token, i) => {
      const before = tokens[i - 1];
      const dots = Number(before !== undefined && !before.quoted && isDot(before.to - 1)) + Number(!token.quoted && isDot(token.from));
      const last = i === tokens.length - 1 && !token.quoted && isDot(token.to - 1);
      return dots === (before === undefined ? 0 : 1) && !last && !(token.odd && lexer.text(token.from, token.to).includes('..'));
    })
  );
}

/** The right side, and its octets without white space; what follows it is read, too. */
function rightOf(lexer: Lexer<MessageIdDeviation>): { readonly text: string; readonly octets: number } | null {
  const { bytes, at, to } = lexer;
  if (lexer.next === OPEN_BRACKET) {
    const letter = domainLiteral(bytes, at, to);
    const end = letter >= 0 ? letter : lexer.obsolete((bits) => domainLiteral(bytes, at, to, bits));
    if (end < 0) return null;
    lexer.at = end;
    const text = lexer.text(at, end).replaceAll(/[ \t\r\n]+/g, '');
    lexer.gap();
    return { text, octets: encodeUtf8(text).length };
  }
  const tokens = lexer.words();
  if (!isLocalPart(lexer, tokens) || tokens.some(({ quoted }) => quoted)) return null;
  const text = tokens.map((token) => lexer.valueOf(token)).join('');
  return { text, octets: encodeUtf8(text).length };
}

/** What stands without angle brackets: words of a phrase, or an identifier. */
function bare(lexer: Lexer<MessageIdDeviation>): MessageId | null {
  const { bytes, at, to } = lexer;
  let end = at;
  while (end < to && bytes[end]! > 0x20 && bytes[end] !== LESS && bytes[end] !== 0x28) end++;
  const text = lexer.text(at, end);
  const cut = text.indexOf('@');
  if (cut > 0 && cut === text.lastIndexOf('@') && cut < text.length - 1 && !text.includes('"')) {
    lexer.at = end;
    lexer.meets('no-angle-brackets', at);
    return idOf(text.slice(0, cut), text.slice(cut + 1));
  }
  // RFC 5322 4.1: a phrase begins with a word.
  if (bytes[at] === DOT || lexer.words().length === 0) lexer.fail(lexer.at, 'a message identifier was expected');
  else lexer.meets('phrase-among-ids', at);
  return null;
}

function idOf(left: string, right: string): MessageId {
  const bytes = encodeUtf8(left);
  const plain = dotString(bytes, 0, bytes.length, true) === bytes.length;
  return { left, right, id: `${plain ? left : `"${left.replaceAll(/["\\]/g, '\\$&')}"`}@${right}` };
}

/**
 * Writes message identifiers for Message-ID, In-Reply-To or References (RFC 5322 3.6.4), each in its angle brackets; folded where `column` says
 * where the value begins: 12 behind `References: `. An identifier that can't stand in angle brackets, with white space, a control character, or
 * one of them in it, throws a RangeError.
 *
 * @example
 * ```ts
 * import { formatMessageIds } from '@ehlo/message/message-id';
 * formatMessageIds(['1@example.org', '2@example.org'])
 * // → '<1@example.org> <2@example.org>'
 * ```
 */
export function formatMessageIds(ids: readonly (string | MessageId)[], column?: number): string {
  const texts = ids.map((one) => (typeof one === 'string' ? one : one.id));
  if (texts.some((id) => !/^[^\p{Cc}\s<>]{1,900}$/u.test(id))) throw new RangeError('an identifier that RFC 5322 3.6.4 can not write');
  const text = texts.map((id) => `<${id}>`).join(' ');
  return column === undefined ? text : fold(text, column);
}
