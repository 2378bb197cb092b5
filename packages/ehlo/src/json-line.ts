/**
 * A value as JSON on one line for a terminal: what is not printed is escaped as JSON has it (RFC 8259 7), so that it is the same value. C0
 * controls are always; here C1 controls, and what turns the direction of a line, are, too.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()].map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}
