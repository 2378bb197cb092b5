import { FOLD_AT } from './fold-field.ts';

/**
 * Folds a text at white space (RFC 5322 2.2.3), so that no line is longer than 78 characters where there is some to fold at; its first one
 * begins at `column`. No line is white space alone.
 */
export function fold(text: string, column: number): string {
  const parts = text.match(/[ \t]*[^ \t]+|[ \t]+$/g) ?? [];
  let out = '';
  let width = column;
  for (const part of parts) {
    // What begins with no space can't be folded before.
    const fits = width + part.length <= FOLD_AT || out === '' || !/^[ \t]+[^ \t]/.test(part);
    out += fits ? part : `\r\n${part}`;
    width = fits ? width + part.length : part.length;
  }
  return out;
}
