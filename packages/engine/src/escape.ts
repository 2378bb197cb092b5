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
