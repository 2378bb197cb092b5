import { atom, domainLiteral, dotString, encodeUtf8, formatMailbox } from '@ehlo/grammar/imf';
import { FOLD_AT, fold, LONGEST_LINE } from './fold.ts';
import { encodeWords, printable, type WriteOptions } from './word-writer.ts';

/** What is to be written: a group, or a mailbox; `address` is made of the local part and the domain. */
export type WritableAddress =
  | {
      readonly type?: 'mailbox';
      readonly name?: string | null;
      readonly localPart: string;
      readonly domain: string;
      readonly comments?: readonly string[];
    }
  | { readonly type: 'group'; readonly name: string; readonly members: readonly WritableMailbox[]; readonly comments?: readonly string[] };

export type WritableMailbox = Exclude<WritableAddress, { readonly type: 'group' }>;

/**
 * Writes an address list as RFC 5322 3.4 has it: names quoted where they need it, or in encoded words (RFC 2047). Control characters in names
 * and comments become U+FFFD. An address that RFC 5322 3 can't write is misuse, and throws a RangeError: one without a local part or a domain,
 * with control characters, or with others beyond ASCII where `utf8` is not set.
 *
 * @example
 * ```ts
 * import { formatAddressList } from '@ehlo/message/address';
 * formatAddressList([
 *   { name: 'Joe Q. Public', localPart: 'joe', domain: 'example.org' },
 *   { type: 'group', name: 'Undisclosed recipients', members: [] },
 * ])
 * // → '"Joe Q. Public" <joe@example.org>, Undisclosed recipients:;'
 * ```
 */
export function formatAddressList(list: readonly WritableAddress[], options: WriteOptions = {}): string {
  const { utf8 = false, column } = options;
  const parts = list.flatMap((one, i) => partsOf(one, utf8, i < list.length - 1 ? ',' : ''));
  if (column === undefined) return parts.join(' ');
  // RFC 5322 2.2.3: at the commas first.
  let out = '';
  let width = column;
  for (const part of parts) {
    const folded = out !== '' && width + 1 + part.length > FOLD_AT;
    const more = fold(part, folded ? 1 : width + (out === '' ? 0 : 1));
    out += out === '' ? more : folded ? `\r\n ${more}` : ` ${more}`;
    width = more.includes('\r\n') ? more.length - more.lastIndexOf('\r\n') - 2 : (folded ? 1 : width + 1) + more.length;
  }
  return out;
}

/** A mailbox, or a group, in parts at whose ends there may be a fold. */
function partsOf(address: WritableAddress, utf8: boolean, end: string): string[] {
  const comments = (address.comments ?? []).map((comment) => ` ${formatComment(comment, utf8)}`).join('');
  if (address.type !== 'group') return [mailbox(address, utf8) + comments + end];
  const name = `${formatPhrase(address.name, utf8)}:`;
  const members = address.members.map((member, i) => {
    const own = (member.comments ?? []).map((comment) => ` ${formatComment(comment, utf8)}`).join('');
    return mailbox(member, utf8) + own + (i < address.members.length - 1 ? ',' : `;${comments}${end}`);
  });
  return members.length === 0 ? [`${name};${comments}${end}`] : [name, ...members];
}

function mailbox({ name = null, localPart, domain }: WritableMailbox, utf8: boolean): string {
  const address = formatMailbox(localPart, domain);
  const bytes = encodeUtf8(domain);
  const isDomain = dotString(bytes, 0, bytes.length, true) === bytes.length || domainLiteral(bytes, 0, bytes.length) === bytes.length;
  const writable = utf8 ? !/[^\P{Cc}\t]/u.test(address) : /^[\t -~]*$/.test(address);
  if (!isDomain || localPart === '' || !writable || bytes.length + address.length > LONGEST_LINE || /[\ud800-\udfff]/u.test(address)) {
    throw new RangeError('an address that RFC 5322 3.4.1 can not write');
  }
  return name === null ? address : `${formatPhrase(name, utf8)} <${address}>`;
}

/** RFC 5322 3.2.5: words, a quoted string, or encoded words. */
function formatPhrase(text: string, utf8: boolean): string {
  const name = printable(text);
  const bytes = encodeUtf8(name);
  if (bytes.length > LONGEST_LINE / 2 || !(utf8 || /^[\t -~]*$/.test(name))) return encodeWords(name).join(' ');
  const plain = name.split(' ').every((word) => !word.includes('=?') && isAtom(word));
  return plain ? name : `"${name.replaceAll(/["\\]/g, '\\$&')}"`;
}

function isAtom(word: string): boolean {
  const bytes = encodeUtf8(word);
  return atom(bytes, 0, bytes.length, true) === bytes.length;
}

/** RFC 5322 3.2.2. */
function formatComment(text: string, utf8: boolean): string {
  const comment = printable(text);
  const plain = (utf8 || /^[\t -~]*$/.test(comment)) && !comment.includes('=?') && encodeUtf8(comment).length <= LONGEST_LINE / 2;
  return `(${plain ? comment.replaceAll(/[()\\]/g, '\\$&') : encodeWords(comment).join(' ')})`;
}
