/**
 * Text of a peer, so that nothing in it acts: C0 and C1 controls, octets above ASCII and what turns the direction of a line are written as escapes.
 * What is left are characters that every format here can hold.
 */
export function visible(text: string): string {
  return text.replaceAll(/[^ -[\]-~…“”’–]/gu, (character) => {
    const named = NAMED[character];
    if (named !== undefined) return named;
    const point = character.codePointAt(0)!;
    return point <= 0xff ? `\\x${point.toString(16).padStart(2, '0')}` : `\\u{${point.toString(16)}}`;
  });
}

const NAMED: { readonly [character: string]: string } = { '\r': '\\r', '\n': '\\n', '\t': '\\t', '\\': '\\\\' };

/** The lines of what was said or heard at once; a CRLF at the end of a line is not shown, whatever else there is. */
export function shownLines(text: string): readonly string[] {
  const lines = text.split(/(?<=\n)/);
  return lines.map((line) => visible(line.replace(/\r\n$/, '')));
}
