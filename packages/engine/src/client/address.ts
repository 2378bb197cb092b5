import {
  ADDRESS_DEVIATIONS,
  type AddressDeviation,
  type Deviation,
  encodeUtf8,
  formatMailbox,
  type Mailbox,
  parseMailbox,
} from '@ehlo/grammar';
import { atOnce } from '../at-once.ts';
import { SmtpUsageError } from '../error.ts';
import { printable } from '../escape.ts';
import { kindOf } from '../option-table.ts';

/**
 * An address: its text without angle brackets, a mailbox of the grammar, or a local part and a domain. It is sent as it is, or quoted if
 * quoting makes it valid. Anything else is refused: nothing is repaired.
 */
export type Address = string | Mailbox | Pick<Mailbox, 'localPart' | 'domain'>;

/** Longer local parts and domains than every server takes are still sent. RFC 5321 4.5.3.1: "Clients MAY attempt to transmit these". */
export const CLIENT_TOLERATES: ReadonlySet<Deviation> = new Set<Deviation>(['long-local-part']);

/** RFC 5321 4.5.3.1.3: a path has 256 octets, its angle brackets included. */
const LONGEST = 254;
/** Every deviation of an address: which of them are sent is decided here. */
const ANY: ReadonlySet<Deviation> = /* @__PURE__ */ new Set(Object.keys(ADDRESS_DEVIATIONS) as AddressDeviation[]);
/** What people write for an address, and what to give in its place. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^[^,;]*<.*>$/, ': give what stands in the angle brackets alone'],
  [/@.*[,;].*@/, ': give each address by itself'],
];
/** A character beyond ASCII. */
const BEYOND = /[^\0-\x7f]/;
/** What is shown of an address in an error. */
const SHOWN = 100;

/** An address without angle brackets; or why it can't be sent. */
interface WrittenAddress {
  readonly text: string;
  /** Whether nothing in it needs SMTPUTF8. */
  readonly ascii: boolean;
  readonly fault: string | null;
}

/** An address as it goes onto the wire, without angle brackets; or why it can't. Throws `bad-address` for what is no address by its type. */
export function writeAddress(
  given: Address,
  word: RegExp,
  tolerate: ReadonlySet<Deviation> = CLIENT_TOLERATES,
  toAscii?: (domain: string) => string | null,
): WrittenAddress {
  const written = writeText(addressText(given), word, tolerate);
  if (toAscii === undefined || written.fault !== null) return written;
  const ascii = inAscii(written.text, toAscii);
  const again = ascii === null ? written : writeText(ascii, word, tolerate);
  return again.fault === null ? again : written;
}

/** RFC 6531 3.2: an address whose local part is ASCII does not need SMTPUTF8 if its domain is written as A-labels. */
function inAscii(address: string, toAscii: (domain: string) => string | null): string | null {
  const at = address.lastIndexOf('@') + 1;
  if (!BEYOND.test(address.slice(at)) || BEYOND.test(address.slice(0, at))) return null;
  try {
    const domain = atOnce(toAscii(address.slice(at)), 'toAscii');
    return typeof domain === 'string' && /^[\0-\x7f]+$/.test(domain) ? address.slice(0, at) + domain : null;
  } catch {
    return null;
  }
}

function writeText(text: string, word: RegExp, tolerate: ReadonlySet<Deviation>): WrittenAddress {
  // The words that stand in the place of an address, and half a surrogate pair, which would become another character.
  if (word.test(text)) return { text, ascii: true, fault: null };
  const octets = encodeUtf8(text);
  const ascii = !BEYOND.test(text);
  const parsed = parseMailbox(octets, { tolerate: ANY, utf8: true });
  if (!parsed.ok || (!ascii && /\p{Cs}/u.test(text))) {
    const hint = HINTS.find(([shape]) => shape.test(text))?.[1] ?? '';
    const at = `${parsed.ok ? '' : ` from octet ${parsed.offset + 1} on`}${hint}`;
    return { text, ascii, fault: `${shown(text)} is no local-part@domain${at}` };
  }
  const { deviations, value } = parsed;
  const odd = deviations.filter((name) => !tolerate.has(name));
  // RFC 5321 4.1.2: a Quoted-string may hold what a Dot-string may not, and is the same local part.
  const quoted = odd.length === 1 && odd[0] === 'misplaced-dot-local';
  const written = quoted ? formatMailbox(value.localPart, value.domain) : text;
  const length = quoted ? encodeUtf8(written).length : octets.length;
  const name = length > LONGEST && !tolerate.has('long-path') ? 'long-path' : quoted ? undefined : odd[0];
  return {
    text: written,
    ascii,
    fault: name === undefined ? null : `${shown(text)} has ${ADDRESS_DEVIATIONS[name as AddressDeviation].what} (${name})`,
  };
}

/** The text of an address; of a mailbox, as it was written. Throws `bad-address`, with `path` in its text, if the value is not an address. */
export function addressText(given: Address, path = 'an address'): string {
  if (typeof given === 'string') return given;
  const { address, localPart, domain } = (given ?? {}) as Partial<Mailbox>;
  if (typeof address === 'string') return address;
  if (typeof localPart !== 'string' || typeof domain !== 'string')
    throw new SmtpUsageError('bad-address', `${path} is ${kindOf(given)}; it must be a text, a mailbox, or a localPart and a domain`);
  return localPart === '' && domain === '' ? '' : formatMailbox(localPart, domain);
}

function shown(text: string): string {
  return `"${printable(text.slice(0, SHOWN))}${text.length > SHOWN ? '…' : ''}"`;
}
