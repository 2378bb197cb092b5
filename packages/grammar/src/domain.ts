import {
  byteAt,
  CLASSES,
  CLOSE_BRACKET,
  COLON,
  classAt,
  DCONTENT,
  DIGIT,
  DOT,
  encodeUtf8,
  HEX_DIGIT,
  HYPHEN,
  LET_DIG,
  OPEN_BRACKET,
  type Rule,
  skip,
  utf8NonAscii,
  word,
} from './rule.ts';

/**
 * RFC 5321 4.1.2: `Domain = sub-domain *("." sub-domain)`; labels of letters, digits and inner hyphens. RFC 6531 3.3 adds U-labels:
 * any character beyond ASCII stands where a letter may (what IDNA forbids beyond that is for the conversion to A-labels to say).
 */
export const domain: Rule = (bytes, from, to, utf8) => {
  let i = from;
  let ends = false; // whether a label may end here: its last byte was a letter or digit
  let inside = false; // whether a label has begun
  for (; i < to; i++) {
    const byte = bytes[i]!;
    if ((CLASSES[byte]! & LET_DIG) !== 0) ends = inside = true;
    else if (byte === HYPHEN && inside) ends = false;
    else if (byte === DOT && ends) ends = inside = false;
    else if (utf8 && byte >= 0x80) {
      const end = utf8NonAscii(bytes, i, to);
      if (end < 0) return ~end > i ? end : ends ? i : ~i;
      i = end - 1;
      ends = inside = true;
    } else break;
  }
  return ends ? i : ~i;
};

/** RFC 5321 4.1.3: `Snum = 1*3DIGIT`, "representing a decimal integer value in the range 0 through 255". */
const snum: Rule = (bytes, from, to) => {
  let i = from;
  for (let value = 0; i - from < 3 && (classAt(bytes, i, to) & DIGIT) !== 0; i++) {
    value = value * 10 + bytes[i]! - 0x30;
    if (value > 255) break;
  }
  return i > from ? i : ~i;
};

/** RFC 5321 4.1.3: `IPv4-address-literal = Snum 3("." Snum)`, the four numbers without the brackets. */
export const ipv4Address: Rule = (bytes, from, to) => {
  let i = from;
  for (let number = 0; number < 4; number++) {
    if (number > 0) {
      if (byteAt(bytes, i, to) !== DOT) return ~i;
      i++;
    }
    i = snum(bytes, i, to);
    if (i < 0) return i;
  }
  return i;
};

/** RFC 5321 4.1.3: at most 6 groups beside "::"; RFC 4291 2.2: 8 without it. */
const MOST_GROUPS_COMPRESSED = 6;
const MOST_GROUPS = 8;

/** RFC 5321 4.1.3: `IPv6-addr`, in all four forms. */
export const ipv6Address: Rule = (bytes, from, to) => {
  let i = from;
  let groups = 0;
  let compressed = false;
  if (byteAt(bytes, i, to) === COLON) {
    if (byteAt(bytes, i + 1, to) !== COLON) return ~Math.min(i + 1, to);
    i += 2;
    compressed = true;
  }
  let whole = compressed; // "::" alone is an address
  while (groups < (compressed ? MOST_GROUPS_COMPRESSED : MOST_GROUPS)) {
    const start = i;
    while (i - start < 4 && (classAt(bytes, i, to) & HEX_DIGIT) !== 0) i++;
    if (i === start) break;
    // A dotted tail takes the place of the last two groups: after exactly 6, or after "::" and at most 4 in all.
    if (byteAt(bytes, i, to) === DOT && (compressed ? groups <= 4 : groups === 6)) {
      const end = ipv4Address(bytes, start, to);
      if (end >= 0 || ~end > i) return end; // else the group is no decimal number, and the dot does not belong to it
    }
    groups++;
    whole = compressed || groups === MOST_GROUPS;
    if (byteAt(bytes, i, to) !== COLON || groups === (compressed ? MOST_GROUPS_COMPRESSED : MOST_GROUPS)) break;
    i++;
    whole = false;
    if (byteAt(bytes, i, to) === COLON && !compressed && groups <= MOST_GROUPS_COMPRESSED) {
      i++;
      whole = compressed = true;
    }
  }
  return whole ? i : ~i;
};

/** RFC 5321 4.1.3: `Standardized-tag ":" 1*dcontent`; the tag `IPv6` has its own rule. */
const generalAddress: Rule = (bytes, from, to) => {
  let i = from;
  while ((classAt(bytes, i, to) & LET_DIG) !== 0 || byteAt(bytes, i, to) === HYPHEN) i++;
  const tagged = i > from && bytes[i - 1] !== HYPHEN && byteAt(bytes, i, to) === COLON && word(bytes, from, i, 'IPV6') !== i;
  if (!tagged) return ~i;
  const end = skip(bytes, i + 1, to, DCONTENT);
  return end > i + 1 ? end : ~end;
};

const taggedIpv6: Rule = (bytes, from, to) => {
  const end = word(bytes, from, to, 'IPV6:');
  return end < 0 ? end : ipv6Address(bytes, end, to);
};

/** RFC 5321 4.1.3: `address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"`. */
export const addressLiteral: Rule = (bytes, from, to) => {
  if (byteAt(bytes, from, to) !== OPEN_BRACKET) return ~from;
  const i = farthest(ipv4Address(bytes, from + 1, to), farthest(taggedIpv6(bytes, from + 1, to), generalAddress(bytes, from + 1, to)));
  if (i < 0) return i;
  return byteAt(bytes, i, to) === CLOSE_BRACKET ? i + 1 : ~i;
};

/** RFC 5321 4.1.1.1: what EHLO takes, `Domain / address-literal`. */
export const hostName: Rule = (bytes, from, to, utf8) =>
  byteAt(bytes, from, to) === OPEN_BRACKET ? addressLiteral(bytes, from, to) : domain(bytes, from, to, utf8);

/**
 * Whether `name` may stand in a greeting or in EHLO: a Domain or an address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`, of at most 255
 * octets (RFC 5321 4.5.3.1.2). `192.0.2.1` without brackets is neither: no domain name has a last label of digits alone (RFC 3696 2).
 */
export function isHostName(name: string): boolean {
  return isHelloName(name) && !/(?:^|\.)[0-9]+$/.test(name);
}

/** Whether EHLO's ABNF takes it, `192.0.2.1` as a Domain, too. */
export function isHelloName(name: string): boolean {
  const bytes = encodeUtf8(name);
  const { length } = bytes;
  return length <= 255 && hostName(bytes, 0, length) === length && !hasOddTag(bytes, 0, length);
}

/** RFC 5321 4.1.3: a tag "MUST be specified in a Standards-Track RFC and registered": IPv6 is the only one. */
export function hasOddTag(bytes: Uint8Array, from: number, to: number): boolean {
  if (byteAt(bytes, from, to) !== OPEN_BRACKET) return false;
  let i = from + 1;
  while (i < to && bytes[i] !== COLON) i++;
  return i < to && word(bytes, from + 1, to, 'IPV6:') < 0;
}

/** Of two alternatives the one that read on longer; at the same place, the one that is whole. */
function farthest(a: number, b: number): number {
  const stopA = a < 0 ? ~a : a;
  const stopB = b < 0 ? ~b : b;
  if (stopA !== stopB) return stopA > stopB ? a : b;
  return Math.max(a, b);
}
