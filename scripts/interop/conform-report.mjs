// The page that `ehlo conform --format html` writes, in Chromium: of a server whose replies want to do harm. { name, run }.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { PATIENCE, QUIET } from './browser.mjs';
import { find } from './programs.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const EHLO = fileURLToPath(new URL('../../packages/ehlo/bin/ehlo.js', import.meta.url));
const HARM =
  '</pre></details></li><script>globalThis.harmed = 1</script><img src="http://harm.example/x" onerror="globalThis.harmed = 2"><meta http-equiv="refresh" content="0;url=http://harm.example/"><style>*{display:none}</style>\x1b]8;;http://harm.example/\x07';

export const conformReportScenarios = [
  { name: 'Chromium: a report of ehlo conform, axe-core finds nothing, hostile replies do nothing, filtered and printed', run },
];

async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'ehlo-interop-'));
  const program = await chromium.launch({ executablePath: find('chromium'), args: QUIET });
  try {
    const file = join(folder, 'report.html');
    writeFileSync(file, await reportOfHarm());
    const url = pathToFileURL(file).href;
    for (const colorScheme of ['light', 'dark'])
      for (const viewport of [
        { width: 1360, height: 860 },
        { width: 390, height: 844 },
      ])
        await look(program, url, { colorScheme, viewport });
  } finally {
    await program.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function look(program, url, options) {
  const context = await program.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const asked = [];
  const errors = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url);
  const shown = () => page.locator('#findings > li:not([hidden])').count();
  const count = (verdict) => page.locator(`#findings > li[data-verdict="${verdict}"]`).count();
  const [violates, conforms] = await Promise.all(['violates', 'conforms'].map(count));
  assert(violates > 3 && conforms > 3, `${violates} violations, ${conforms} conform`);

  // By keyboard: a verdict is taken away and added, and words are looked for.
  const box = (verdict) => page.locator(`#filter input[value="${verdict}"]`);
  const before = await shown();
  await box('violates').press('Space');
  assert.equal(await shown(), before - violates, 'without violations');
  await box('conforms').press('Space');
  assert.equal(await shown(), before - violates + conforms, 'with what conforms');
  await box('violates').press('Space');
  await page.locator('#words').fill('hello-twice another');
  assert.equal(await page.locator('#findings > li:not([hidden]) code', { hasText: /^hello-twice$/ }).count(), await shown(), 'words');
  await page.locator('#words').fill('');
  assert.match(await page.locator('#shown').textContent(), /^\d+ of \d+ shown$/);

  // All of it open, as before it is printed.
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  assert.equal(await page.locator('#findings > li:not([hidden]) > details:not([open])').count(), 0, 'closed before printing');
  const axe = readFileSync(AXE, 'utf8');
  // The page runs no script but its own: axe-core is put in from outside.
  const { violations } = await page.evaluate(`${axe};axe.run(document)`);
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`),
    [],
    `${options.colorScheme}, ${options.viewport.width}`,
  );
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert(wide <= 0, `${wide} pixels too wide`);

  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.locator('#filter').isVisible(), false, 'the filter is printed');
  assert.equal(await page.locator('#findings > li:not([hidden])').first().isVisible(), true, 'findings are not printed');
  assert((await page.pdf()).length > 10_000, 'a page to print');

  assert.equal(await page.evaluate(() => globalThis.harmed), undefined, 'what the server says is run');
  assert.deepEqual([asked, errors], [[url], []], 'what is asked for, and errors');
  await context.close();
}

/** What `ehlo conform --format html` writes of a server that puts markup into each of its replies. */
async function reportOfHarm() {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.setEncoding('latin1');
    socket.write(`220 peer.example ${HARM}\r\n`);
    let rest = '';
    socket.on('data', (text) => {
      const lines = (rest + text).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        const code = /^QUIT/i.test(line) ? 221 : /^(?:EHLO|HELO|MAIL|RCPT|RSET|NOOP)/i.test(line) ? 250 : 500;
        socket.write(`${code} ${line.slice(0, 40)} ${HARM}\r\n`);
        if (code === 221) socket.end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address();
    // Of all kinds of verdicts some are enough.
    const only = ['5321-4.1.4', '5321-4.1.1.1', '5321-4.1.1.11'].flatMap((section) => ['--only', section]);
    const args = [
      'conform',
      `127.0.0.1:${port}`,
      ...only,
      '--patience',
      '2',
      '--sessions',
      '8',
      '--to',
      'ann@peer.example',
      '--format',
      'html',
    ];
    const child = spawn(process.execPath, [EHLO, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let page = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      page += part;
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 1, 'the exit code');
    return page;
  } finally {
    server.close();
  }
}
