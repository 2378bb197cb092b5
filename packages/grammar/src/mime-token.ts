import type { Rule } from './rule.ts';

/** Classes of octets, one bit each. */
const TOKEN = 1; // RFC 2045 5.1: any CHAR except SPACE, CTLs and tspecials
const ATTRIBUTE = 2; // RFC 2231 7: of these, all but "*", "'" and "%"
const HEX = 4; // RFC 2231 7: DIGIT and A to F; RFC 5234 2.3: in either case

const CLASSES: Uint8Array = /* @__PURE__ */ classify();

function classify(): Uint8Array {
  const table = new Uint8Array(128);
  for (let octet = 0x21; octet < 0x7f; octet++) {
    const character = String.fromCharCode(octet);
    if ('()<>@,;:\\"/[]?='.includes(character)) continue;
    table[octet] = TOKEN | ("*'%".includes(character) ? 0 : ATTRIBUTE) | (/[0-9A-Fa-f]/.test(character) ? HEX : 0);
  }
  return table;
}

function is(bytes: Uint8Array, i: number, to: number, bit: number): boolean {
  return i < to && ((CLASSES[bytes[i]!] ?? 0) & bit) !== 0;
}

/** RFC 2045 5.1: `token`. */
export const token: Rule = (bytes, from, to) => run(bytes, from, to, TOKEN);

/** RFC 2231 7: `attribute`, the name of a parameter without its section. */
export const attribute: Rule = (bytes, from, to) => run(bytes, from, to, ATTRIBUTE);

function run(bytes: Uint8Array, from: number, to: number, bit: number): number {
  let i = from;
  while (is(bytes, i, to, bit)) i++;
  return i > from ? i : ~i;
}

const SLASH = 0x2f;

/** RFC 2045 5.1: `type "/" subtype`, without white space. */
export const mediaType: Rule = (bytes, from, to) => {
  const i = token(bytes, from, to);
  if (i < 0) return i;
  return i < to && bytes[i] === SLASH ? token(bytes, i + 1, to) : ~i;
};

const PERCENT = 0x25;

/** RFC 2231 7: `extended-other-values`. */
export const extendedText: Rule = (bytes, from, to) => {
  let i = from;
  for (; i < to; i++) {
    if (is(bytes, i, to, ATTRIBUTE)) continue;
    if (bytes[i] !== PERCENT) return i;
    for (let k = 0; k < 2; k++) if (!is(bytes, ++i, to, HEX)) return ~i;
  }
  return i;
};

const APOSTROPHE = 0x27;

/** RFC 2231 7: `extended-initial-value`: charset, language and text, each of the two maybe empty. Their names are made of what text is made of. */
export const extendedValue: Rule = (bytes, from, to) => {
  let i = from;
  for (let quotes = 0; quotes < 2; quotes++, i++) {
    while (is(bytes, i, to, ATTRIBUTE)) i++;
    if (i === to || bytes[i] !== APOSTROPHE) return ~i;
  }
  return extendedText(bytes, i, to);
};

/** A text as octets is a whole word of a rule. */
export function isWord(rule: Rule, bytes: Uint8Array, from = 0, to: number = bytes.length): boolean {
  return rule(bytes, from, to) === to;
}
