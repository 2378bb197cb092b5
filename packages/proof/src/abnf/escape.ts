const ESCAPES: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 34: '\\"', 92: '\\\\' };

/** Octets as readable ASCII between quotes; what does not print is escaped as in a JavaScript string (\r, \n, \xHH). */
export function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const printable = byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
    text += ESCAPES[byte] ?? printable;
  }
  return `"${text}"`;
}

/** The octets of a string whose characters are all below U+0100, one each. Throws RangeError at another. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    if (code > 0xff || character.length > 1) throw new RangeError(`not an octet: ${JSON.stringify(character)}`);
    return code;
  });
}
