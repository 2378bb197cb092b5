import { DEAD } from './automaton.ts';
import { compileAbnf, type Replacements } from './compile.ts';
import type { Dfa } from './dfa.ts';
import { minimise } from './minimise.ts';
import { difference, intersection, lengthAtMost, nothing, union } from './operations.ts';

/** RFC 5321 4.5.3.1.3: octets of a Reverse-path or Forward-path, punctuation included. */
export const PATH_OCTETS = 256;
/** RFC 5321 4.5.3.1.2. */
const DOMAIN_OCTETS = 255;
/** RFC 5321 4.5.3.1.1. */
const LOCAL_PART_OCTETS = 64;

/** What RFC 5321 says beside its ABNF about which words are in the language: part of the syntax. */
export const proseLimits: Replacements = {
  // 4.1.3: "representing a decimal integer value in the range 0 through 255". Leading zeros are in the ABNF.
  Snum: (original) => intersection(original(), compileAbnf('octet = 1*2DIGIT / %x30-31 2DIGIT / "2" %x30-34 DIGIT / "25" %x30-35')),
  // 4.1.3: "No more than 6 groups in addition to the "::" may be present."
  'IPv6-comp': (original) => intersection(original(), runsAtMost(6, hexDigit)),
  // 4.1.3: "No more than 4 groups in addition to the "::" and IPv4-address-literal may be present", which has 4 runs of digits itself.
  'IPv6v4-comp': (original) => intersection(original(), runsAtMost(4 + 4, hexDigit)),
  // 4.1.3: "IPv6:" introduces an IPv6-addr; what follows it and is none is no General-address-literal either.
  'General-address-literal': (original) => difference(original(), compileAbnf('reserved = "IPv6:" *OCTET')),
  // 4.2.1: "In a multiline reply, the reply code on each of the lines MUST be the same."
  'Reply-line': (original) => {
    const reply = original();
    return union(...replyCodes().map((code) => intersection(reply, everyLineBegins(code))));
  },
};

/**
 * RFC 5321 4.5.3.1.1 and .2, which count octets, as products with counters. For a Path (.3) the product has some fifty thousand
 * states: take `simulate` with a limit of PATH_OCTETS instead.
 */
export const lengthLimits: Replacements = {
  'Local-part': (original) => intersection(original(), lengthAtMost(LOCAL_PART_OCTETS)),
  Domain: (original) => intersection(original(), lengthAtMost(DOMAIN_OCTETS)),
  // "The maximum total length of a domain name or number": an address literal stands where a domain may.
  'address-literal': (original) => intersection(original(), lengthAtMost(DOMAIN_OCTETS)),
};

/** RFC 5321 4.1.3: a tag "MUST be specified in a Standards-Track RFC and registered with IANA", and IPv6 is the only one: none is left. */
export const registeredTags: Replacements = { 'General-address-literal': () => nothing };

/** Every sequence of octets that has at most `runs` maximal runs of octets of a kind. */
function runsAtMost(runs: number, kind: (byte: number) => boolean): Dfa {
  // State 2n: n runs so far, outside; 2n + 1: inside run n + 1.
  const states = 2 * runs + 1;
  const classOf = Uint8Array.from({ length: 256 }, (_, byte) => (kind(byte) ? 1 : 0));
  const next = new Int32Array(states * 2);
  for (let state = 0; state < states; state++) {
    const inside = state % 2;
    next[state * 2] = state + inside;
    next[state * 2 + 1] = inside === 1 ? state : state + 1 < states ? state + 1 : DEAD;
  }
  return minimise({ states, classes: 2, classOf, next, accepting: new Uint8Array(states).fill(1) });
}

function hexDigit(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

/** RFC 5321 4.2: Reply-code = %x32-35 %x30-35 %x30-39. */
function replyCodes(): string[] {
  const codes: string[] = [];
  for (let code = 200; code < 600; code++) if (Math.floor(code / 10) % 10 <= 5) codes.push(String(code));
  return codes;
}

/** Every text whose lines all begin with a reply code and, behind the octet after it, with a text. */
export function everyLineBegins(code: string, text = ''): Dfa {
  const behind = text === '' ? '' : `(%x00-09 / %x0B-FF) "${text}"`;
  return compileAbnf(`lines = 1*("${code}" ${behind} *(%x00-09 / %x0B-FF) LF)`);
}
