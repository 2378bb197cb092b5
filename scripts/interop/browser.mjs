// Grammar, engine, sasl and driver in a browser: bundled, and run in Chromium as it is installed.
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { find } from './programs.mjs';

const VECTORS = fileURLToPath(new URL('../../test-vectors', import.meta.url));
/** No sandbox: who runs this as root has none. The rest keeps it from looking for what it does not need. */
export const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
export const PATIENCE = 120_000;

export const browser = { name: 'a browser: the vectors, and client and server with each other', run: inBrowser };

async function inBrowser() {
  const files = ['server', 'smuggling'].flatMap((folder) =>
    readdirSync(`${VECTORS}/${folder}`).map((name) => `${VECTORS}/${folder}/${name}`),
  );
  const expected = files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')).transcripts).length;
  const pages = createServer(serve(await bundle(files)));
  await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));
  const program = await chromium.launch({ executablePath: find('chromium'), args: QUIET });
  try {
    const page = await program.newPage();
    // All transcripts are replayed before the page has loaded.
    page.setDefaultTimeout(3 * PATIENCE);
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${pages.address().port}/`, { waitUntil: 'commit' });
    await page.waitForFunction(() => globalThis.result !== undefined);
    const { replayed, conversation } = await page.evaluate(() => globalThis.result);
    assert.deepEqual(errors, []);
    assert.deepEqual(conversation, { arrived: 'joe: 1050000', outcome: 'accepted' });
    assert.equal(replayed.transcripts, expected);
    assert(replayed.replays > expected, 'no transcript was cut');
  } finally {
    await program.close();
    pages.close();
  }
}

/** The page's program with all transcripts; what it finds, or why it could not, becomes `result`. */
async function bundle(files) {
  const contents = [
    "import { converse, replayAll } from './page.mjs';",
    ...files.map((file, i) => `import file${i} from ${JSON.stringify(file)};`),
    `const run = async () => ({ replayed: replayAll([${files.map((_, i) => `file${i}`).join()}]), conversation: await converse() });`,
    'run().then((result) => { globalThis.result = result; }, (error) => { globalThis.result = { replayed: {}, conversation: String(error.stack) }; });',
  ].join('\n');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

function serve(script) {
  return ({ url }, response) => {
    if (url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script);
    else response.setHeader('content-type', 'text/html').end('<!doctype html><script type="module" src="/page.js"></script>');
  };
}
