// Bundles entries for the browser (minified, gzip) and fails when one is over 5 % above scripts/size.json, or above its `limit`.
// --write states the present sizes; --table writes docs/size.md from what is stated (--table --check compares).
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { between } from './lib/between.mjs';

const STATED = 'scripts/size.json';
const DOCUMENT = 'docs/size.md';
const TOLERANCE = 1.05;
const has = (flag) => process.argv.includes(flag);
const stated = JSON.parse(readFileSync(STATED, 'utf8'));
const folders = new Map(readdirSync('packages').flatMap(nameAndFolder));

if (has('--table')) process.exitCode = between(DOCUMENT, 'size', table(stated), has('--check')) ? 0 : 1;
else await compare();

/** A branch that was left may leave a folder without a manifest behind. */
function nameAndFolder(dir) {
  const manifest = `packages/${dir}/package.json`;
  return existsSync(manifest) ? [[JSON.parse(readFileSync(manifest, 'utf8')).name, dir]] : [];
}

async function compare() {
  const measured = [];
  for (const entry of stated) measured.push({ ...entry, ...(await measure(entry)) });
  for (const [i, entry] of measured.entries()) report(entry, stated[i].gzip);
  if (!has('--write')) return;
  const kept = measured.map(({ errors: _, ...entry }, i) => ({ ...entry, gzip: entry.gzip ?? stated[i].gzip }));
  writeFileSync(STATED, `[\n${kept.map((entry) => `  ${inline(entry)}`).join(',\n')}\n]\n`);
  between(DOCUMENT, 'size', table(kept), false);
}

/** Browser bundles resolve no node: module, so a bundle that is made is proof that nothing imports one. */
async function measure({ import: names, from }) {
  const folder = folders.get(
    from
      .split('/')
      .slice(0, from.startsWith('@') ? 2 : 1)
      .join('/'),
  );
  if (folder === undefined) return { errors: [{ text: `no package ${from} here` }] };
  const contents = names === '*' ? `export * from '${from}';` : `export { ${names} } from '${from}';`;
  const { outputFiles, errors } = await build({
    stdin: { contents, loader: 'js', resolveDir: resolve('packages', folder) },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@ehlo/source'],
    logLevel: 'silent',
  }).catch((error) => ({ errors: error.errors ?? [{ text: String(error) }] }));
  return outputFiles
    ? { minified: outputFiles[0].contents.length, gzip: gzipSync(outputFiles[0].contents, { level: 9 }).length }
    : { errors };
}

function report({ name, gzip: now, limit = Number.POSITIVE_INFINITY, errors }, before) {
  const over = !errors && now > before * TOLERANCE && !has('--write');
  // A limit is a promise: --write does not move it.
  const broken = !errors && now > limit;
  if (errors || over || broken) process.exitCode = 1;
  if (errors)
    return console.error(`${name}: no bundle: ${errors.map(({ text, location }) => `${location?.file ?? ''} ${text}`).join('; ')}`);
  const grown = over ? ' (more than 5 % above: make it smaller, or run scripts/size.mjs --write)' : '';
  const most = limit === Number.POSITIVE_INFINITY ? '' : `, at most ${limit} B${broken ? ' (BROKEN: make it smaller)' : ''}`;
  console.log(`${name}: ${now} B gzip, stated ${before} B${grown}${most}`);
}

function table(entries) {
  const rows = entries.map(
    ({ name, import: names, from, minified, gzip, limit }) =>
      `| ${name} | \`import { ${names} } from '${from}'\` | ${kib(minified)} | ${kib(gzip)} | ${limit === undefined ? '' : kib(limit)} |`,
  );
  const text = rows.map((row) => row.replace('import { * }', 'import *'));
  return ['| what | import | minified | gzip | at most |', '|---|---|---|---|---|', ...text].join('\n');
}

function kib(bytes) {
  return bytes === undefined ? '–' : `${(bytes / 1024).toFixed(1)} KiB`;
}

/** As the formatter wants it: on one line where that is not too long. */
function inline(entry) {
  const members = Object.entries(entry).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`);
  const line = `{ ${members.join(', ')} }`;
  return line.length <= 137 ? line : `{\n    ${members.join(',\n    ')}\n  }`;
}
