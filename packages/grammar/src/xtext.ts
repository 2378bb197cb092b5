/** RFC 3461 4: `xtext = *( xchar / hexchar )`; xchar is any of %d33-126 but "+" and "=". */
export function encodeXtext(text: string): string {
  return text.replaceAll(/[^!-*,-<>-~]/g, (character) => `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Decodes xtext (RFC 3461 4) to the octets it stands for, one character an octet; null if it is none. */
export function decodeXtext(text: string): string | null {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(text)) return null;
  return text.replaceAll(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
