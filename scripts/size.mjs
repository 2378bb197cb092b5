// Bundles entries for the browser (minified, gzip) and fails when one is over 5 % above scripts/size.json, or above its `limit`.
// `from` may be several entries, `import` a list for each, with semicolons between. Of a row with `beside` only what it adds to that package counts: the bundle, less a bundle of what it takes of it. `apart` is a module that does not count.
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
async function measure({ import: names, from, beside, apart }) {
  const entries = from.split(', ');
  const folder = folders.get(
    entries[0]
      .split('/')
      .slice(0, from.startsWith('@') ? 2 : 1)
      .join('/'),
  );
  if (folder === undefined) return { errors: [{ text: `no package ${from} here` }] };
  const lists = names.split('; ');
  const exported = (i) => ((lists[i] ?? lists[0]) === '*' ? '*' : `{ ${lists[i] ?? lists[0]} }`);
  const contents = entries.map((entry, i) => `export ${exported(i)} from '${entry}';`).join('\n');
  const left = apart === undefined ? [] : [apart];
  const whole = await bundle(contents, folder, left);
  if (beside === undefined || whole.errors) return sizes(whole);
  const own = await bundle(contents, folder, [beside, `${beside}/*`, ...left]);
  const taken = new Map();
  for (const [, list, module] of own.text.matchAll(/(?:im|ex)port\{([^}]*)\}from"([^"]*)"/g))
    if (module !== apart) for (const name of list.split(',')) taken.set(name.split(' as ')[0], module);
  const parts = await bundle([...taken].map(([name, module]) => `export { ${name} } from '${module}';`).join('\n'), folder);
  if (parts.errors) return parts;
  const [all, other] = [sizes(whole), sizes(parts)];
  return { minified: all.minified - other.minified, gzip: all.gzip - other.gzip };
}

async function bundle(contents, folder, external = []) {
  const { outputFiles, errors } = await build({
    stdin: { contents, loader: 'js', resolveDir: resolve('packages', folder) },
    external,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@ehlo/source'],
    logLevel: 'silent',
  }).catch((error) => ({ errors: error.errors ?? [{ text: String(error) }] }));
  return outputFiles ? outputFiles[0] : { errors };
}

function sizes({ contents, errors }) {
  return contents ? { minified: contents.length, gzip: gzipSync(contents, { level: 9 }).length } : { errors };
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
      `| ${name} | \`import { ${names} } from '${from.replaceAll(', ', "', '")}'\` | ${kib(minified)} | ${kib(gzip)} | ${limit === undefined ? '' : kib(limit)} |`,
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
