// Run in a package. Writes what `require` gets where a loader knows no ES modules (Jest, older bundlers): one bundle for all entries, so that they
// share their classes, and for each a file that gives its part of it, with its declarations. Node, Deno and Bun take the ES modules by `require`, too:
// no process has both.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** The declarations of all packages whose classes can be exported. */
const DECLARED = readdirSync('node_modules/@ehlo').flatMap((name) => {
  const dist = `node_modules/@ehlo/${name}/dist`;
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.d.ts'))
    .map((path) => readFileSync(`${dist}/${path}`, 'utf8'));
});

const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));

const BUNDLE = 'dist/bundle.cjs';
// What stands on a package that is installed beside is an ES module alone, as that package is.
const entries = Object.values(exports)
  .filter((one) => one.require !== undefined)
  .map(({ import: esm, require: cjs }, i) => ({ esm, cjs, name: `entry${i}` }));

await build({
  stdin: { contents: entries.map(({ esm, name }) => `export * as ${name} from '${esm.default}';`).join('\n'), resolveDir: process.cwd() },
  outfile: BUNDLE,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minify: true,
  logLevel: 'warning',
});
for (const { esm, cjs, name } of entries) {
  writeFileSync(
    cjs.default,
    `module.exports = Object.defineProperty({ ...require('./bundle.cjs').${name} }, '__esModule', { value: true });\n`,
  );
  writeFileSync(cjs.types, declarations(esm.types.replace(/^.*\/(.*)\.d\.ts$/, './$1.js'), await import(pathToFileURL(esm.default).href)));
}

/** The types of the ES module, and its values, each with its own type: a CommonJS file may name those of a module by an attribute. */
function declarations(module, values) {
  const from = `'${module}' with { 'resolution-mode': 'import' }`;
  const named = Object.entries(values).map(([name, value]) =>
    isClass(value)
      ? `export declare const ${name}: typeof esm.${name};\nexport type ${name}${parameters(name).declared} = esm.${name}${parameters(name).given};\n`
      : `export declare const ${name}: typeof esm.${name};\n`,
  );
  return `import type * as esm from ${from};\nexport type * from ${from};\n${named.join('')}`;
}

/** The type parameters of a class, as they are declared, with the types that they name, and as they are given: `<X extends esm.Y>` and `<X>`. */
function parameters(name) {
  const declared = DECLARED.map((text) => text.match(new RegExp(`export declare class ${name}<([^>]*)>`))?.[1]).find(
    (found) => found !== undefined,
  );
  if (declared === undefined) return { declared: '', given: '' };
  const names = declared.split(',').map((one) => /\w+/.exec(one)[0]);
  const qualified = declared.replaceAll(/\b[A-Z]\w*/g, (type) => (names.includes(type) ? type : `esm.${type}`));
  return { declared: `<${qualified}>`, given: `<${names.join(', ')}>` };
}

function isClass(value) {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}
