/** A text of the wire as it may stand in a log: octets that are no printable ASCII become `\x` and two hexadecimal digits. */
export function escaped(text: string): string {
  return text.replaceAll(/[^ -~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A text as it may stand in a log that takes UTF-8: what is not printed, such as C1 controls and what turns the direction of a line, is escaped. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x100 ? escaped(character) : `\\u{${code.toString(16)}}`;
  });
}

/** Characters of a text that are shown in a sentence. */
const MOST = 1000;

/**
 * A text of the peer, or a sentence with one in it, as a person may read it: what is not printed (C0 and C1 controls, U+061C, U+200E, U+200F,
 * U+202A to U+202E, U+2066 to U+2069 and the like) is escaped, and what is beyond `most` characters (1000) is cut off. It does not know
 * secrets; see `Redactor`. Whoever writes HTML or XML escapes it for that.
 *
 * @example
 * ```ts
 * import { showText } from '@ehlo/engine';
 * showText('no\x1b[2J\u202e such user') // → 'no\\x1b[2J\\u{202e} such user'
 * ```
 */
export function showText(text: string, most: number = MOST): string {
  const shown = printable(text.slice(0, most));
  return shown.length > most || text.length > most ? `${shown.slice(0, most)}…` : shown;
}
