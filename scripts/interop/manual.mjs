// The configuration that the pages in docs/ show is the one that scenarios run with.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';

/** The one block of a language in a page, with its texts replaced by others, as pairs: each has to be there. */
export function shown(page, language, replaced = []) {
  const blocks = [...readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8').matchAll(/^```(\S+)\n([\s\S]*?)^```/gm)];
  const [[, , block], ...others] = blocks.filter(([, name]) => name === language);
  assert.equal(others.length, 0, `${page} has several blocks of ${language}`);
  return replaced.reduce((text, [from, to]) => {
    assert(text.includes(from), `${page} does not say ${from}`);
    return text.replace(from, () => to);
  }, block);
}
