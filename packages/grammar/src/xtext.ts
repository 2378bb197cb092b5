import type { Deviation } from './deviation.ts';

/** RFC 3461 4: `xtext = *( xchar / hexchar )`; xchar is any of %d33-126 but "+" and "=". What is not ASCII becomes `?`. */
export function encodeXtext(text: string): string {
  return text.replaceAll(/[^!-*,-<>-~]/gu, (character) => (character > '\x7f' ? '?' : `+${hex(character)}`));
}

/** The code point, in two digits at least. */
function hex(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0');
}

const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/i;
/** In a text that is xtext: a hexchar with a small letter. */
const SMALL = /\+.?[a-f]/;

/**
 * Decodes xtext; null if it is none, or if it stands for a control character or an octet beyond ASCII: such a text must not reach
 * a log or a header field (RFC 3461 4.4 wants printable characters). The hexchar of RFC 3461 4 is of capitals: small letters are taken, and
 * told in `found`; that of RFC 4954 8 is of either.
 */
export function decodeXtext(text: string, found: Deviation[] = []): string | null {
  if (!XTEXT.test(text)) return null;
  if (!text.includes('+')) return text;
  const decoded = text.replaceAll(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (!/^[ -~]*$/.test(decoded)) return null;
  if (SMALL.test(text)) found.push('lower-case-hexchar');
  return decoded;
}

/** Decodes xtext whose octets are UTF-8, against RFC 3461 4; null if it is none, if they are not, or if it stands for a control character (C0, DEL or C1). */
export function decodeUtf8Xtext(text: string, found: Deviation[]): string | null {
  if (!XTEXT.test(text)) return null;
  try {
    const decoded = decodeURIComponent(text.replaceAll('%', '%25').replaceAll('+', '%'));
    if (!/^[ -~\u00a0-\u{10ffff}]*$/u.test(decoded)) return null;
    found.push('utf8-in-xtext');
    if (SMALL.test(text)) found.push('lower-case-hexchar');
    return decoded;
  } catch {
    return null;
  }
}

/** RFC 6533 3: `utf-8-addr-xtext`, where `\x{HEXPOINT}` stands for a character; `unitext` also takes characters as they are. No control is taken. */
export function decodeUtf8Address(text: string): string | null {
  const points = /\\x\{([0-9A-Fa-f]{2,6})\}/g;
  const plain = text.replaceAll(points, '');
  if (text === '' || /[^!-*,-<>-[\]-~\u00a0-\u{10ffff}]/u.test(plain)) return null;
  let valid = true;
  const decoded = text.replaceAll(points, (_, hex: string) => {
    const code = Number.parseInt(hex, 16);
    if (!isHexPoint(hex, code)) valid = false;
    return valid ? String.fromCodePoint(code) : '';
  });
  return valid ? decoded : null;
}

/** Writes an address as utf-8-addr-xtext: ASCII only, so that it passes where SMTPUTF8 is not offered. Half a surrogate pair becomes `?`. */
export function encodeUtf8Address(address: string): string {
  return address.replaceAll(/[^!-*,-<>-[\]-~]/gu, (character) => (/[\ud800-\udfff]/u.test(character) ? '?' : `\\x{${hex(character)}}`));
}

/** RFC 6533 3 HEXPOINT: the shortest form, no surrogate, in ASCII only what can't stand for itself; and, ours, no control character, of C1 neither. */
function isHexPoint(hex: string, code: number): boolean {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
  if (hex.length === 2) return /^(?:20|2B|3D|5C|[A-F][0-9A-F])$/i.test(hex);
  return hex[0] !== '0';
}
