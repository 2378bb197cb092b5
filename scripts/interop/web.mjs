// The page of `ehlo serve --web` in Chromium, as it is installed: by keyboard and mouse, with mails that want to do harm, and with very many of
// them. { name, run }.
import { strict as assert } from 'node:assert';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from 'nodemailer';
import { chromium } from 'playwright-core';
import { QUIET } from './browser.mjs';
import { hostile, NAMES } from './hostile-mails.mjs';
import { find } from './programs.mjs';
import { scenario, until } from './stage.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PATIENCE = { timeout: 60_000 };

/** A server with a page, and what sends mail to it. */
export async function site(stage, ...options) {
  const server = await stage.server('--web', '0', ...options);
  const { url } = await until('the page', () => server.events('web')[0]);
  const transport = createTransport({ host: '127.0.0.1', port: server.port });
  stage.later(() => transport.close());
  const send = (mail) => transport.sendMail({ from: 'Ann <ann@client.example>', to: 'bob@mx.example', text: 'text', ...mail });
  const ask = async (path, given) => await (await fetch(`${url}${path}`, given)).json();
  return { server, url, send, ask };
}

/** Chromium; with `log` it writes there what it asks of the network. */
async function browser(stage, log) {
  const program = await chromium.launch({
    executablePath: find('chromium'),
    // What a browser does ahead of time is to be seen, too: it is not kept quiet here.
    ...(log === undefined
      ? { args: QUIET }
      : {
          args: ['--no-sandbox', '--no-first-run', `--log-net-log=${log}`, '--net-log-capture-mode=Everything'],
          ignoreDefaultArgs: ['--disable-background-networking'],
        }),
  });
  let open = true;
  const close = async () => {
    if (open) await program.close();
    open = false;
  };
  stage.later(close);
  return { program, close };
}

/** A page whose errors fail the scenario. */
async function pageOf(stage, program, url, options = {}) {
  const context = await program.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error.stack)));
  stage.logs.push(() => `errors of the page: ${errors.join('\n')}`);
  await page.goto(url);
  await page.locator('.where:not(.away):not(:empty)').waitFor();
  return { page, errors };
}

async function arrives(stage) {
  const { url, send } = await site(stage);
  const { program } = await browser(stage);
  const { page, errors } = await pageOf(stage, program, url);
  await page.getByText('No mail yet').waitFor();
  await send({
    subject: 'the first',
    html: '<meta name="color-scheme" content="light dark"><style>@media (prefers-color-scheme: dark) { b { color: #fff } }</style><p>Hello <b>Bob</b></p>',
    text: 'Hello Bob',
  });
  await page.getByRole('option', { name: /the first/ }).waitFor();
  assert.match(await page.getByRole('status').first().textContent(), /Mail from Ann: the first/);
  assert.equal(await page.title(), '(1) ehlo');
  // By keyboard alone.
  await page.keyboard.press('j');
  await page.getByRole('heading', { name: 'the first' }).waitFor();
  await page.frameLocator('iframe').getByText('Hello Bob').waitFor();
  const coloured = (colour) =>
    until(colour, () =>
      page
        .frames()[1]
        .evaluate((one) => getComputedStyle(document.querySelector('b')).color === one, colour)
        .catch(() => false),
    );
  await coloured('rgb(0, 0, 0)');
  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await coloured('rgb(255, 255, 255)');
  await page.getByRole('button', { name: 'Phone' }).click();
  assert.equal((await page.locator('iframe').boundingBox()).width, 375);
  await page.waitForFunction(() => document.title === 'ehlo');
  await page.keyboard.press('7');
  await page.locator('.lines .client', { hasText: 'MAIL FROM:<ann@client.example>' }).waitFor();
  await page.locator('.lines .server', { hasText: '250 2.6.0 Message accepted' }).locator('button').click();
  await page.locator('.phase.lit', { hasText: 'ready' }).waitFor();
  await page.locator('.fired', { hasText: 'end-of-data' }).waitFor();
  await send({ subject: 'the second' });
  await page.getByRole('option', { name: /the second/ }).waitFor();
  await page.keyboard.press('k');
  await page.getByRole('heading', { name: 'the second' }).waitFor();
  // What comes late is not shown in the view, or on the page, that was chosen meanwhile.
  await outrun(page, '**/raw', ['Raw', 'Text'], (name) => page.getByRole('tab', { name }).click());
  assert.equal(await page.locator('.panel pre.text').textContent(), 'text\r\n');
  await outrun(page, '**/api/stubs', ['stubs', 'mails'], (view) => page.locator(`nav [data-view=${view}]`).click());
  await page.getByText('Choose a mail.').waitFor();
  await page.keyboard.press('k');
  await page.getByRole('heading', { name: 'the second' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('subject:first');
  await page.waitForFunction(() => document.querySelectorAll('[role=option]').length === 1);
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => document.querySelectorAll('[role=option]').length === 2);
  await page.getByRole('heading', { name: 'the second' }).waitFor();
  await page.keyboard.press('Delete');
  await page.waitForFunction(() => document.querySelectorAll('[role=option]').length === 1);
  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('next, previous').waitFor();
  assert.deepEqual(errors, []);
}

/** Chooses two things in a row; the answer that the first needs comes when the second is there. */
async function outrun(page, path, [slow, quick], choose) {
  let release;
  const released = new Promise((resolve) => {
    release = resolve;
  });
  await page.route(path, async (route) => {
    await released;
    await route.continue();
  });
  const answered = page.waitForResponse(path);
  await choose(slow);
  await page.waitForTimeout(100);
  await choose(quick);
  release();
  await answered;
  await page.waitForTimeout(100);
  await page.unroute(path);
}

async function stubs(stage) {
  const { url, send } = await site(stage);
  const { program } = await browser(stage);
  const { page, errors } = await pageOf(stage, program, url);
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await page.getByLabel('Recipient').fill('full@*');
  await page.getByLabel('Times').fill('1');
  await page.getByRole('button', { name: 'Make stub' }).first().click();
  await page.locator('.stubs li', { hasText: 'has acted 0 times of 1' }).waitFor();
  await assert.rejects(send({ to: 'full@mx.example', subject: 'x' }), /452 4\.2\.2 Mailbox full/);
  await page.locator('.stubs li', { hasText: 'has acted 1 time of 1' }).waitFor();
  await send({ to: 'full@mx.example', subject: 'later' });
  await page.getByRole('button', { name: /Take back/ }).click();
  await page.getByText('No stub: the server takes what is valid.').waitFor();
  // What was refused is told by its session.
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.locator('.sessions a').last().click();
  await page.locator('.lines .refused', { hasText: '452 4.2.2 Mailbox full' }).locator('button').click();
  await page.locator('.fired', { hasText: 'rejected' }).waitFor();
  assert.deepEqual(errors, []);
}

/** Opens each mail in each way, and each document of it by itself: nobody hears of it. */
async function nothingHappens(stage) {
  const log = stage.path('net.json');
  const asked = [];
  const canary = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host}${request.url}`);
    response.end();
  });
  await new Promise((resolve) => canary.listen(0, '127.0.0.1', resolve));
  stage.later(() => new Promise((resolve) => canary.close(resolve)));
  const { port } = canary.address();
  const { server, url, ask } = await site(stage);
  const mails = hostile(port);
  const transport = createTransport({ host: '127.0.0.1', port: server.port });
  for (const raw of mails) await transport.sendMail({ envelope: { from: 'eve@evil.example', to: ['bob@mx.example'] }, raw });
  transport.close();
  const { mails: listed } = await until('all of them', async () => {
    const told = await ask('api/mails?limit=200');
    return told.total === mails.length && told;
  });
  const { program, close } = await browser(stage, log);
  const { page, errors } = await pageOf(stage, program, url);
  page.on('dialog', (dialog) => {
    asked.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const opened = [];
  page.context().on('page', (other) => opened.push(other.url()));
  for (const { id, subject } of listed) {
    await page.goto(`${url}#/mails/${encodeURIComponent(id)}`);
    await page.locator('article.mail').waitFor();
    for (const tab of await page.getByRole('tab').all()) {
      await tab.click();
      await page.locator('.panel[aria-busy=false]').waitFor();
      const frame = page.frames()[1];
      if (frame !== undefined) await frame.waitForLoadState('load').catch(() => {});
    }
    assert.equal(page.frames().length <= 2, true, subject);
  }
  const own = page.url();
  // As documents by themselves; a download is no page.
  for (const { id } of listed)
    for (const path of ['html', 'raw', 'parts/0', 'parts/1', 'parts/2']) {
      const response = await page.request.get(`${url}api/mails/${encodeURIComponent(id)}/${path}`);
      if (!response.ok()) continue;
      const at = `${url}api/mails/${encodeURIComponent(id)}/${path}`;
      await page.goto(at).catch((error) => assert.match(String(error), /Download is starting|ERR_ABORTED/));
      if (path !== 'html') continue;
      // What a document does by itself once it is there; the log goes on to the end.
      await sleep(200);
      assert.equal(page.url(), at);
    }
  await page.goto(own);
  // That who is asked hears it, and that the log has what was looked up.
  await page.goto(`http://127.0.0.1:${port}/heard`);
  await page.goto(`http://${NAMES.mark}/`).catch((error) => assert.match(String(error), /ERR_NAME_NOT_RESOLVED|ERR_/));
  await close();
  const told = readFileSync(log, 'utf8');
  assert.deepEqual(
    asked.filter((one) => !one.endsWith('/favicon.ico')),
    [`GET 127.0.0.1:${port}/heard`],
  );
  assert.deepEqual(opened, []);
  assert.deepEqual(errors, []);
  const lookUps = [...told.matchAll(/"host":"([^"]*)"/g)].map(([, host]) => host).filter((host) => host.includes(NAMES.canary));
  assert(told.includes(NAMES.mark), 'the log has no look-ups');
  assert.deepEqual([...new Set(lookUps)], []);
  assert(!new RegExp(`"url":"[^"]*${NAMES.canary}`).test(told), 'a request was begun');
}

async function many(stage) {
  const server = await site(stage);
  await server.server.stop();
  const maildir = stage.path('mail');
  for (const folder of ['tmp', 'new', 'cur']) mkdirSync(join(maildir, folder), { recursive: true });
  for (let i = 0; i < 10_000; i++)
    writeFileSync(
      join(maildir, 'new', `${1_800_000_000 + i}.M${i}.host`),
      `Return-Path: <ann-${i}@client.example>\r\nFrom: Ann <ann-${i}@client.example>\r\nSubject: number ${i}\r\n\r\nThe text of number ${i}.\r\n`,
    );
  const { url } = await site(stage, '--maildir', maildir, '--keep', '10000');
  const { program } = await browser(stage);
  const context = await program.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const { send, on } = await context
    .newCDPSession(page)
    .then((session) => ({ send: session.send.bind(session), on: session.on.bind(session) }));
  let octets = 0;
  on('Network.loadingFinished', ({ encodedDataLength }) => {
    octets += encodedDataLength;
  });
  await send('Network.enable');
  await page.goto(url);
  await page.getByRole('option', { name: /number 9999/ }).waitFor();
  await page.waitForLoadState('load');
  assert(octets > 5000 && octets <= 100_000, `${octets} octets to open the list`);
  const rows = () => page.locator('[role=option]').count();
  assert((await rows()) <= 200, `${await rows()} rows`);
  // The last of them, and back.
  await page.locator('.scroller').evaluate((element) => {
    element.scrollTop = element.scrollHeight;
  });
  await page.getByRole('option', { name: /number 0 / }).waitFor();
  assert((await rows()) <= 200, `${await rows()} rows`);
  await page.getByLabel('Search mails').fill('subject:"number 4321"');
  await page.getByRole('option', { name: /number 4321/ }).click();
  await page.getByRole('heading', { name: 'number 4321' }).waitFor();
}

/** A relay that nobody answers, with a job that waits, one that is held, and one whose addresses were written by somebody who means no good. */
async function relayWithQueue(stage) {
  const [{ Dispatcher, deliverySettings, newJob }, { MemoryQueue, Runner, wallClock }, { control }] = await Promise.all(
    ['delivery/dist/index.js', 'relay/dist/index.js', 'relay/dist/control/index.js'].map((path) => import(new URL(path, PACKAGES).href)),
  );
  const hostname = 'mx.example.org';
  const queue = new MemoryQueue(wallClock);
  const means = {
    queue,
    schedule: wallClock,
    lookUp: async ({ rr }) =>
      rr === 'A'
        ? { status: 'found', security: 'insecure', ttl: 60, addresses: ['192.0.2.1'] }
        : { status: 'empty', security: 'insecure', ttl: 60 },
    fetchPolicy: async () => ({ text: null }),
    open: async () => ({ stage: 'greeting', reply: { code: 421, lines: ['<b>not now</b>'] } }),
    boundary: () => 'b',
    failed: () => {},
  };
  const settings = deliverySettings({ hostname, allow: ['documentation'], sts: false });
  const runner = new Runner(new Dispatcher(settings, Math.random), means, { hostname });
  const put = async (id, domain, to, change = {}) => {
    const message = { id: `m-${id}`, reversePath: HOSTILE_SENDER, arrived: Date.now() - 3_600_000, size: 100 };
    await queue.put([{ ...newJob(id, message, domain, [{ address: to }]), ...change }], [new TextEncoder().encode('a: b\r\n\r\n')]);
  };
  await put('tried', 'example.net', 'joe@example.net');
  await put('held', 'example.com', 'may@example.com', { held: true });
  await put('evil', 'evil.example', '"<script>globalThis.evil=1</script>\u202e"@evil.example', { due: Date.now() + 3_600_000 });
  const socket = stage.path('control.sock');
  const open = await control({ queue, runner: () => runner, socket, hostname, recount: 0 });
  stage.later(() => open.close());
  runner.start();
  stage.later(() => runner.stop());
  return { socket, queue };
}

const PACKAGES = new URL('../../packages/', import.meta.url);
const HOSTILE_SENDER = '<img src=x onerror=globalThis.evil=1>@evil.example';

async function relayQueue(stage) {
  const { socket, queue } = await relayWithQueue(stage);
  const { url } = await site(stage, '--web-queue', socket, '--web-queue-operate');
  const { program } = await browser(stage);
  const { page, errors } = await pageOf(stage, program, url);
  await page.keyboard.press('g');
  await page.keyboard.press('q');
  await page.locator('.queue-summary', { hasText: 'mx.example.org: running' }).waitFor();
  await page.locator('.sessions a', { hasText: 'joe@example.net' }).click();
  await page.locator('.timeline li', { hasText: /It waits for its next try, at \S+Z; 1 has failed\. \(RFC 5321 4\.5\.4\.1\)/ }).waitFor();
  await page.locator('.timeline .said', { hasText: '421 <b>not now</b>' }).waitFor();
  await page.getByRole('button', { name: 'Hold' }).click();
  await page.locator('.timeline li', { hasText: 'An operator has it held' }).waitFor();
  const held = [];
  for await (const { id } of queue.find({ held: true })) held.push(id);
  assert.deepEqual(held, ['tried', 'held']);
  await page.getByLabel('State').selectOption('waiting');
  await page.waitForFunction(() => document.querySelectorAll('.sessions a').length === 1);
  await page.locator('.sessions a').click();
  await page.locator('.timeline h3', { hasText: '<script>' }).waitFor();
  assert.equal(await page.evaluate(() => globalThis.evil), undefined);
  page.once('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByText('there is no such job in the queue').waitFor();
  assert.equal(queue.size, 2);
  assert.deepEqual(errors, []);
}

/** Every view, light and dark, on a phone and a wide screen: no violation, nothing that is wider than the screen. */
async function accessible(stage) {
  const { socket } = await relayWithQueue(stage);
  const { url, send, ask } = await site(stage, '--web-queue', socket, '--web-queue-operate');
  await send({
    subject: 'Grüße aus einer langen Zeile, die auf einem Telefon nicht in eine Zeile passt',
    html: '<p>Hello</p>',
    attachments: [{ filename: 'a.txt', content: 'a' }],
  });
  await fetch(`${url}api/stubs`, {
    method: 'POST',
    body: JSON.stringify({ on: 'rcpt', match: { to: 'full@*' }, do: { reply: { code: 452 } } }),
  });
  const { id } = await until('the mail', async () => (await ask('api/mails')).mails[0]);
  const { program } = await browser(stage);
  for (const colorScheme of ['light', 'dark'])
    for (const viewport of [
      { width: 1360, height: 860 },
      { width: 390, height: 844 },
    ]) {
      const { page } = await pageOf(stage, program, url, { colorScheme, viewport });
      const look = async (what) => {
        await page.addScriptTag({ path: AXE }).catch(() => page.evaluate(readFileSync(AXE, 'utf8')));
        const { violations } = await page.evaluate(() => globalThis.axe.run(document, { iframes: false }));
        const told = violations.map(
          (one) => `${one.id}: ${one.nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
        );
        assert.deepEqual(told, [], `${what}, ${colorScheme}, ${viewport.width}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert(wide <= 0, `${what}, ${viewport.width}: ${wide} pixels too wide`);
      };
      await look('the list');
      await page.goto(`${url}#/mails/${encodeURIComponent(id)}`);
      for (const tab of await page.getByRole('tab').all()) {
        await tab.click();
        await page.locator('.panel[aria-busy=false]').waitFor();
        await look(await tab.textContent());
      }
      await page.goto(`${url}#/stubs`);
      await page.locator('.stubs li').first().waitFor();
      await look('stubs');
      await page.goto(`${url}#/sessions/1`);
      await page.locator('.lines li').first().waitFor();
      await look('a session');
      await page.goto(`${url}#/queue`);
      await page.locator('.sessions a').first().waitFor();
      await look('the queue');
      await page.goto(`${url}#/queue/evil`);
      await page.locator('.timeline li').first().waitFor();
      await look('a job');
      await page.keyboard.press('?');
      await look('the keys');
      await page.context().close();
    }
}

export const webScenarios = [
  scenario('Chromium: the page, a mail arrives while it is open; keys alone', arrives),
  scenario('Chromium: the page, a stub made there refuses the next mail', stubs),
  scenario('Chromium: the page, hostile mails do nothing and ask nobody', nothingHappens),
  scenario('Chromium: the page, ten thousand mails', many),
  scenario("Chromium: the page, a relay's queue: why a job waits, hostile addresses do nothing, jobs are held and deleted", relayQueue),
  scenario('Chromium: the page, axe-core finds nothing, light and dark, phone and wide', accessible),
];
