// Every option has its words, and stands with them in docs/options.md and in the docstring of its interface.
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { root, text } from './house.ts';
import { documentedSources, optionsDocument } from './options/document.ts';
import { SECTIONS } from './options/sections.ts';

describe.each(SECTIONS)('$title', ({ table, words, file }) => {
  const names = Object.keys(table ?? words);

  test('every row has words', () => {
    const missing = names.filter((name) => words[name] === undefined);
    expect(missing, `add their words to ${file}, then run node scripts/options.mjs`).toEqual([]);
  });

  test('what they say fits a line, and names no default or section twice', () => {
    for (const name of names) {
      const { what = '', more = '' } = words[name] ?? {};
      expect(what, `${name} in ${file}: one sentence, without capital and full stop`).toMatch(/^(?![A-Z][a-z])\S.{5,}[^.\s]$/);
      expect(`${what} ${more}`, `${name} in ${file}: the default and the section have their own places`).not.toMatch(/\bDefault\b/);
    }
  });
});

test('docs/options.md has them, each row with what it may be, and README leads there', () => {
  const page = text('docs/options.md');
  expect(page, 'run node scripts/options.mjs').toContain(optionsDocument());
  expect(page.match(/^\| `\w+` \| {2}\|/gm), 'give these a type in packages/ehlo/src/words').toBeNull();
  expect(text('README.md')).toContain('(docs/options.md)');
});

test.each([...documentedSources(text)])('%s: the docstrings are the words', (file, documented) => {
  expect(text(file), 'run node scripts/options.mjs').toBe(documented);
});

test('a bundle of serve, connect, Pool and mechanisms has none of the words', () => {
  execFileSync(process.execPath, ['scripts/options.mjs', '--check'], { cwd: root, stdio: 'pipe' });
});
