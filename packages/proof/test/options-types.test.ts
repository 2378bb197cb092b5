// TypeScript refuses the mistakes that the tables refuse, and an editor shows the words of every option.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sentencesOf } from '../../ehlo/src/words/words.ts';
import { root } from './house.ts';
import { LanguageServer } from './options/language-server.ts';
import { shownModule, wrongModule } from './options/typed.ts';

/** An ignored folder; the packages as they are seen from there. */
const OUT = `${root}packages/proof/.results/options`;
const PACKAGES = '../../..';
const SHOWN = shownModule(PACKAGES);

mkdirSync(OUT, { recursive: true });
writeFileSync(`${OUT}/wrong.ts`, wrongModule(PACKAGES));
writeFileSync(`${OUT}/shown.ts`, SHOWN.text);
const compilerOptions = { rootDir: '../../../..', rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true };
const files = ['wrong.ts', 'shown.ts', '../../test/options/refused.ts'];
writeFileSync(`${OUT}/tsconfig.json`, JSON.stringify({ extends: '../../tsconfig.test.json', compilerOptions, include: [], files }));

test('a name that is misspelt and a value of another kind do not compile, for any row of any table', () => {
  expect(compile()).toBe('');
});

test('an editor shows the words of every option and every limit', async () => {
  const { text, places } = SHOWN;
  const file = `${OUT}/shown.ts`;
  const server = await LanguageServer.start();
  try {
    server.open(file, text);
    const shown = await Promise.all(places.map(({ line, character }) => server.hover(file, line, character)));
    const lacking = places.filter(({ section, name }, i) => !plain(shown[i]!).includes(plain(sentencesOf(section.words[name]!))));
    expect(lacking.map(({ section, name }) => `${section.title}: ${name}`)).toEqual([]);
    expect(places.length).toBeGreaterThan(100);
  } finally {
    server.stop();
  }
});

/** The compiler's complaints. */
function compile(): string {
  try {
    return execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${OUT}/tsconfig.json`], { encoding: 'utf8' });
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  }
}

/** Without the marks and the line ends of Markdown. */
function plain(text: string): string {
  return text.replaceAll(/[\\*_\s]+/g, ' ');
}
