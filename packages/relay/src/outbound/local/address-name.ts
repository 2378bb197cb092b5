// The one way from the octets of an address into a path, an argument, or an environment.

import { parseMailbox } from '@ehlo/grammar';

/** What may stand in a name as it is, and what may begin one: no dot, no hyphen. Letters are small. */
const PLAIN = /^[a-z0-9_+=@.-]$/;
const FIRST = /^[a-z0-9_+=@]$/;
/** NAME_MAX of the file systems there are. */
const LONGEST = 255;

/**
 * A text of an address as one component of a path, or as an argument: letters of ASCII small, then every octet of UTF-8 but letters, digits and
 * `_ + = @ . -` as `%` with two hexadecimal digits, also a dot or hyphen at the beginning. So it is never empty, `.` or `..`, has no
 * separator, NUL or blank, and is no option; texts that differ by more than case have names that differ. Null: there is none, for the text is
 * empty, no well-formed Unicode, or would be longer than 255 octets.
 *
 * @example
 * ```ts
 * import { addressName } from '@ehlo/relay/outbound';
 * ['Ann', '../etc', '-x', 'a/b', 'jörg'].map(addressName)
 * // → ['ann', '%2E.%2Fetc', '%2Dx', 'a%2Fb', 'j%C3%B6rg']
 * ```
 */
export function addressName(text: string): string | null {
  if (text === '' || /\p{Surrogate}/u.test(text)) return null;
  let name = '';
  for (const octet of new TextEncoder().encode(text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()))) {
    const character = String.fromCharCode(octet);
    const isPlain = (name === '' ? FIRST : PLAIN).test(character);
    name += isPlain ? character : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return name.length > LONGEST ? null : name;
}

/** What a pattern may name of a recipient. */
const PLACES = /\{([^{}]*)\}/g;
type Place = 'local' | 'domain' | 'address';
const KNOWN: ReadonlySet<string> = new Set<Place>(['local', 'domain', 'address']);

/** Throws a `RangeError` for braces that name nothing. */
export function checkPattern(pattern: string): void {
  for (const [whole, place] of pattern.matchAll(PLACES))
    if (!KNOWN.has(place!)) throw new RangeError(`${pattern} has ${whole}: it may have {local}, {domain} and {address}`);
}

/** A pattern with the names of a recipient in place of `{local}`, `{domain}` and `{address}`; null where one of them has no name. */
export function filled(pattern: string, address: string): string | null {
  const parsed = parseMailbox(address);
  if (!parsed.ok) return null;
  const { localPart, domain } = parsed.value;
  const names: { readonly [place in Place]: string | null } = {
    local: addressName(localPart),
    domain: addressName(domain),
    address: addressName(`${localPart}@${domain}`),
  };
  let isWhole = true;
  const text = pattern.replaceAll(PLACES, (_, place: Place) => {
    isWhole &&= names[place] !== null;
    return names[place] ?? '';
  });
  return isWhole ? text : null;
}

/** Whether an address can stand in a header line or in an environment: it has no control character. */
export function isOneLine(address: string): boolean {
  return !/\p{Cc}/u.test(address);
}
