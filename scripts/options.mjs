// Writes docs/options.md, and the docstrings of the interfaces of options, from their words (packages/ehlo/src/words) and the tables that check
// them; --check compares only. Either way it fails where a bundle of a program has words in it.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { between } from './lib/between.mjs';

const check = process.argv.includes('--check');
const made = await bundle({ entryPoints: ['packages/proof/test/options/document.ts'] });
const { documentedSources, optionsDocument, wordSentences } = await import(
  `data:text/javascript;base64,${Buffer.from(made).toString('base64')}`
);

let same = between('docs/options.md', 'options', optionsDocument(), check);
for (const [file, text] of documentedSources()) {
  if (text === readFileSync(file, 'utf8')) continue;
  same = false;
  if (check) console.error(`${file}: its docstrings are not the words of packages/ehlo/src/words`);
  else writeFileSync(file, text);
}

const contents = "export { connect, Pool, serve } from 'ehlo'; export { oauthBearer, scram } from 'ehlo/sasl';";
const program = await bundle({ stdin: { contents, resolveDir: resolve('packages/ehlo') }, minify: true });
const found = wordSentences().filter((sentence) => program.includes(sentence));
for (const sentence of found) console.error(`a bundle of a program has the words "${sentence}"`);
process.exitCode = (check && !same) || found.length > 0 ? 1 : 0;

async function bundle(options) {
  const how = { bundle: true, write: false, format: 'esm', platform: 'node', target: 'node20', charset: 'utf8' };
  const { outputFiles } = await build({ ...how, ...options, conditions: ['@ehlo/source'] });
  return outputFiles[0].text;
}
