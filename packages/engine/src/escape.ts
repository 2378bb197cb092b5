/** A text of the wire as it may stand in a log: octets that are no printable ASCII become `\x` and two hexadecimal digits. */
export function escaped(text: string): string {
  return text.replaceAll(/[^ -~]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
