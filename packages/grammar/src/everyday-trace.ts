// Received fields as programs write them, where they do not keep to RFC 5321 4.4: it reads what can be told apart, and names what is odd.
import { formatAddressLiteral } from './address.ts';
import { isHelloName } from './domain.ts';
import { type EverydayDate, everydayDate } from './everyday-date.ts';
import { capitals } from './rule.ts';
import type { TraceDeviation } from './trace-deviation.ts';
import type { ExtendedDomain, TraceField } from './trace-field.ts';

interface Token {
  readonly kind: 'word' | 'comment' | 'semicolon';
  readonly text: string;
}

/** A clause: its words, and the comments among and after them. */
interface Clause {
  readonly name: string;
  readonly words: string[];
  readonly comments: string[];
}

/** What is found odd is added to `found`. */
type Found = Set<TraceDeviation>;

/** Words that begin a clause wherever they stand. */
const NAMES: ReadonlySet<string> = new Set(['FROM', 'BY', 'VIA', 'WITH', 'ID', 'FOR', 'TLS']); // RFC 8314 4.3 has the last

/** Clauses whose value is one word: another word after it is the name of a further clause. */
const SINGLE: ReadonlySet<string> = new Set(['FROM', 'BY', 'ID']);

/** Reads a field's body, unfolded. Never fails: what is not there is null. */
export function everydayTrace(body: string, found: Found): TraceField {
  const { head, date } = parted(tokensOf(body, found), found);
  const clauses = clausesOf(head, found);
  if (date.date === null) found.add('no-date');
  for (const deviation of date.deviations) found.add(deviation);
  const others = new Map<string, string>();
  for (const { name, words } of clauses) {
    if (name === 'FROM' || name === 'BY') continue;
    const value = words.join(' ');
    if (!isRegular(name, words)) found.add('odd-clause');
    if (value !== '' && !others.has(name)) others.set(name, value);
  }
  const host = (wanted: string, missing: TraceDeviation): ExtendedDomain | null => {
    const clause = clauses.find(({ name }) => name === wanted);
    if (clause !== undefined) return hostOf(clause, found);
    found.add(missing);
    return null;
  };
  return { from: host('FROM', 'no-from'), by: host('BY', 'no-by'), clauses: others, date: date.date, offset: date.offset ?? 0 };
}

/** The clauses, and the date after the last semicolon; some write a clause after it, and some no semicolon. */
function parted(tokens: readonly Token[], found: Found): { readonly head: readonly Token[]; readonly date: EverydayDate } {
  const last = tokens.map(({ kind }) => kind).lastIndexOf('semicolon');
  if (last < 0) return undivided(tokens, found);
  const tail = tokens.slice(last + 1);
  const clause = tail.findIndex(({ kind, text }) => kind === 'word' && NAMES.has(capitals(text)));
  if (clause < 0) return { head: tokens.slice(0, last), date: dateOf(tail) };
  found.add('odd-clause');
  return { head: [...tokens.slice(0, last), ...tail.slice(clause)], date: dateOf(tail.slice(0, clause)) };
}

/** The most words that a date has: a weekday, day, month, year, time, and its zone twice. */
const DATE_WORDS = 7;

/** Without a semicolon the date is the longest run of words at the end of which each is a part of one. */
function undivided(tokens: readonly Token[], found: Found): { readonly head: readonly Token[]; readonly date: EverydayDate } {
  for (let i = Math.max(0, tokens.length - DATE_WORDS); i < tokens.length; i++) {
    const date = dateOf(tokens.slice(i));
    if (date.date === null || date.rest) continue;
    found.add('odd-date');
    return { head: tokens.slice(0, i), date };
  }
  return { head: tokens, date: dateOf([]) };
}

/** Words, quoted strings and what stands in angle brackets; comments without their outer parentheses; semicolons. */
function tokensOf(body: string, found: Found): Token[] {
  const tokens: Token[] = [];
  const lastClose = body.lastIndexOf('>');
  for (let i = 0; i < body.length; ) {
    const start = i;
    const character = body[i]!;
    if (character === ' ' || character === '\t') i++;
    else if (character === ';') tokens.push({ kind: 'semicolon', text: body[i++]! });
    else if (character === '(') {
      const end = found.has('odd-comment') ? -1 : commentEnd(body, i);
      i = end < 0 ? i + 1 : end;
      if (end < 0) found.add('odd-comment');
      else tokens.push({ kind: 'comment', text: body.slice(start + 1, end - 1) });
    } else if (character === ')') {
      found.add('odd-comment');
      i++;
    } else {
      i = wordEnd(body, i, lastClose);
      tokens.push({ kind: 'word', text: body.slice(start, i) });
    }
  }
  return tokens;
}

/** Behind the parenthesis that closes the comment; -1 if none does. */
function commentEnd(body: string, from: number): number {
  let depth = 0;
  for (let i = from; i < body.length; i++) {
    if (body[i] === '\\') i++;
    else if (body[i] === '(') depth++;
    else if (body[i] === ')' && --depth === 0) return i + 1;
  }
  return -1;
}

/** A quoted string, or angle brackets that are closed, hold white space and separators. */
function wordEnd(body: string, from: number, lastClose: number): number {
  let i = from;
  while (i < body.length) {
    const character = body[i]!;
    const close = character === '"' ? '"' : character === '<' && i < lastClose ? '>' : null;
    if (close !== null) i = Math.max(i + 1, closed(body, i + 1, close));
    else if (' \t;()'.includes(character)) break;
    else i++;
  }
  return i;
}

/** Behind the character that closes; -1 if none does. Within angle brackets quotes count. */
function closed(body: string, from: number, close: string): number {
  let quoted = false;
  for (let i = from; i < body.length; i++) {
    if (body[i] === '\\') i++;
    else if (body[i] === close && !quoted) return i + 1;
    else if (body[i] === '"') quoted = !quoted;
  }
  return -1;
}

function clausesOf(tokens: readonly Token[], found: Found): Clause[] {
  const clauses: Clause[] = [];
  let open: Clause | null = null;
  const begin = (name: string): void => {
    open = { name: capitals(name), words: [], comments: [] };
    clauses.push(open);
  };
  for (const [i, { kind, text }] of tokens.entries()) {
    const now = open as Clause | null;
    if (kind === 'semicolon') found.add('odd-clause');
    else if (kind === 'comment') now?.comments.push(text);
    else if (NAMES.has(capitals(text))) begin(text);
    else if (now !== null && (now.words.length === 0 || !SINGLE.has(now.name))) now.words.push(text);
    // RFC 5321 4.4: Additional-Registered-Clauses, an Atom and a String.
    else if (tokens[i + 1]?.kind === 'word' && !NAMES.has(capitals(tokens[i + 1]!.text))) begin(text);
    else {
      found.add('odd-clause');
      now?.words.push(text);
    }
  }
  return clauses;
}

/** Whether the value is what RFC 5321 4.4 allows: one word, for ID an Atom or a msg-id, for FOR an address. */
function isRegular(name: string, words: readonly string[]): boolean {
  const [value] = words;
  if (value === undefined || words.length > 1) return false;
  if (name === 'FOR') return value.includes('@');
  return /^<[^<>\s]+@[^<>\s]+>$/.test(value) ? name === 'ID' : /^(?:[\w!#$%&'*+/=?^`{|}~-]+|"(?:[^"\\]|\\.)*")$/.test(value);
}

function hostOf({ words, comments }: Clause, found: Found): ExtendedDomain {
  const [name = ''] = words;
  const literal = name.startsWith('[');
  if (words.length !== 1 || !isHelloName(name)) found.add('odd-host');
  const told = [...comments, words.slice(1).join(' ')];
  const info: Omit<ExtendedDomain, 'name'> = {};
  for (const one of told.reverse()) Object.assign(info, infoOf(one)); // the first that tells something counts
  const [first] = comments;
  const regular = first !== undefined && info.helo === undefined && /^(?:[^\s[\]]+ +)?\[[^\s[\]]+\]$/.test(first) && isRegularInfo(first);
  if (literal && !regular) found.add('odd-host');
  if (!regular && info.literal !== undefined) found.add('odd-tcp-info');
  if (!regular && info.helo !== undefined) found.add('odd-tcp-info');
  return { name, ...info };
}

function isRegularInfo(comment: string): boolean {
  return comment.split(/ +/).every((part) => isHelloName(part));
}

/** What a comment after a host tells of the connection: `host [address]`, `HELO name`, `[address]:port helo=name`, `user@address`. */
function infoOf(comment: string): { host?: string; literal?: string; helo?: string } {
  const words = comment.split(/[\s()]+/).filter((word) => word !== '');
  const said = words.findIndex((word) => /^(?:HELO|EHLO)$/i.test(word));
  const helo = said >= 0 ? words[said + 1] : words.map((word) => /^helo=(.+)$/i.exec(word)?.[1]).find((name) => name !== undefined);
  const at = words.findIndex((word, i) => (said < 0 || i !== said + 1) && literalOf(word) !== null);
  const literal = at < 0 ? undefined : literalOf(words[at]!)!;
  const before = at > 0 && said < 0 ? words[at - 1]!.replace(/\.$/, '') : '';
  const host = before !== '' && !before.startsWith('[') && isHelloName(before) ? before : undefined;
  return {
    ...(host === undefined ? {} : { host }),
    ...(literal === undefined ? {} : { literal }),
    ...(helo === undefined ? {} : { helo }),
  };
}

/** The address literal of `[address]`, `[address]:port`, `address`, `user@address`; a literal of the grammar stays as it is. */
function literalOf(word: string): string | null {
  const inner = /^(?:[^\s@[\]]+@)?(?:\[([^\s[\]]+)\](?::\d+)?|([0-9a-f.:]+)),?$/i.exec(word);
  if (inner === null) return null;
  const address = inner[1] ?? inner[2]!;
  const bracketed = `[${address}]`;
  if (inner[1] !== undefined && isHelloName(bracketed)) return bracketed;
  return formatAddressLiteral(address);
}

/** Comments are left out; RFC 5322 3.3 has them after the date, 4.3 within. */
function dateOf(tokens: readonly Token[]): EverydayDate {
  const words = tokens.filter(({ kind }) => kind === 'word').map(({ text }) => text);
  const date = everydayDate(words.join(' '));
  const within = tokens.slice(0, tokens.map(({ kind }) => kind).lastIndexOf('word')).some(({ kind }) => kind === 'comment');
  return within ? { ...date, deviations: [...date.deviations, 'old-space'] } : date;
}
